"""`make mutants`: its list fits the code, it makes the changes that count, and it tells what survives."""

from __future__ import annotations

import builtins
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tools.mutants.guard import Guard
from tools.mutants.guards import GUARDS, LEFT_OUT
from tools.mutants.mutate import HIT, NoSuchGuard, changes, instrumented, mutants
from tools.mutants.report import ROOT, problems
from tools.mutants.survivors import SURVIVORS


def test_every_listed_guard_and_survivor_exists() -> None:
    assert problems(GUARDS, SURVIVORS) == []


def test_every_test_that_is_left_out_exists() -> None:
    for test in LEFT_OUT:
        file, _, name = test.partition("::")
        assert f"def {name}(" in (ROOT / file).read_text("utf-8")


def test_every_survivor_has_a_reason() -> None:
    assert all(len(reason) > 20 for known in SURVIVORS.values() for reason in known.values())


def test_a_guard_that_is_gone_is_named_with_the_remedy() -> None:
    there = "shared/calls/tones.py::ToneOrder.next"
    lists = [
        Guard("shared/calls/tones.py::ToneOrder.gone", ("tests/unit/calls",), ""),
        Guard("shared/calls/gone.py::next", ("tests/unit/calls",), ""),
        Guard("shared/calls/tones.py::ToneOrder", ("tests/unit/calls",), ""),
        Guard(there, ("tests/unit/gone",), ""),
        Guard(there, ("tests/unit/calls",), ""),
    ]
    survivors = {there: {"a > b → a < b": "because"}, "shared/calls/tones.py::nobody": {}}
    found = "\n".join(problems(lists, survivors))
    for words in (
        "ToneOrder.gone. Was it renamed or moved? Change its line in guards.py.",
        "there is no shared/calls/gone.py",
        "ToneOrder is neither a function nor a constant",
        "there are no tests at tests/unit/gone",
        f"{there} is listed twice",
        "the listed survivor is no change of it any more: a > b → a < b",
        "SURVIVORS names shared/calls/tones.py::nobody, which is no guard",
    ):
        assert words in found


SOURCE = '''
LIMIT = 10
HALF = 0.5
NAME = "x"

class Box:
    async def put(self, item, *, most: int = 3):
        """Docs: 1 < 2."""
        if not item or self.full and item.old:
            return None
        while item.next:
            item = await self.step(item, again=True)
        self.count += 1
        log.info("put %d", 1 + 1)
        try:
            await self.send(item)
        except OSError:
            self.failed = True
        if self.count > LIMIT:
            raise ValueError(f"more than {1 + 1}")
        with suppress(KeyError):
            del self.waiting[item]
        return min(self.count, 2) if item.when < 5.0 else [x for x in self if x]
'''


def test_the_changes_are_those_that_could_be_mistakes() -> None:
    assert [what for _, what in changes(SOURCE, "Box.put")] == [
        "if not item or (self.full and item.old) → if not (not item or (self.full and item.old))",
        "not item or (self.full and item.old) → not item and (self.full and item.old)",
        "not item or (self.full and item.old) → self.full and item.old",
        "not item or (self.full and item.old) → not item",
        "not item or (self.full and item.old) → item or (self.full and item.old)",
        "not item or (self.full and item.old) → not item or (self.full or item.old)",
        "not item or (self.full and item.old) → not item or item.old",
        "not item or (self.full and item.old) → not item or self.full",
        "without: return None",
        "while item.next → while not item.next",
        "await self.step(item, again=True) → await self.step(item)",
        "await self.step(item, again=True) → await self.step(item, again=False)",
        "without: self.count += 1",
        "self.count += 1 → self.count -= 1",
        "1 → 2",
        "1 → 0",
        "without: await self.send(item)",
        "except OSError: self.failed = True → except OSError: raise",
        "without: self.failed = True",
        "True → False",
        "self.count > LIMIT → self.count >= LIMIT",
        "self.count > LIMIT → self.count <= LIMIT",
        "without: raise ValueError(f'more than {1 + 1}')",
        "suppress(KeyError) → suppress()",
        "without: del self.waiting[item]",
        "return min(self.count, 2) if item.when < 5.0 else [x for x in self if x] → return None",
        "min(self.count, 2) if item.when < 5.0 else [x for x in self if x] → "
        "min(self.count, 2) if item.when <= 5.0 else [x for x in self if x]",
        "min(self.count, 2) if item.when < 5.0 else [x for x in self if x] → "
        "min(self.count, 2) if item.when >= 5.0 else [x for x in self if x]",
        "min(self.count, 2) if item.when < 5.0 else [x for x in self if x] → "
        "min(self.count, 2) if item.when < 10.0 else [x for x in self if x]",
        "min(self.count, 2) if item.when < 5.0 else [x for x in self if x] → "
        "min(self.count, 2) if item.when < 2.5 else [x for x in self if x]",
        "min(self.count, 2) if item.when < 5.0 else [x for x in self if x] → "
        "max(self.count, 2) if item.when < 5.0 else [x for x in self if x]",
        "min(self.count, 2) if item.when < 5.0 else [x for x in self if x] → "
        "min(self.count, 3) if item.when < 5.0 else [x for x in self if x]",
        "min(self.count, 2) if item.when < 5.0 else [x for x in self if x] → "
        "min(self.count, 1) if item.when < 5.0 else [x for x in self if x]",
        "min(self.count, 2) if item.when < 5.0 else [x for x in self if x] → "
        "min(self.count, 2) if item.when < 5.0 else [x for x in self if not x]",
    ]


def test_a_constant_is_halved_doubled_and_moved_by_one() -> None:
    assert [what for _, what in changes(SOURCE, "LIMIT")] == ["10 → 11", "10 → 20", "10 → 5"]
    assert [what for _, what in changes(SOURCE, "HALF")] == ["0.5 → 1.0", "0.5 → 0.25"]
    with pytest.raises(NoSuchGuard):
        changes(SOURCE, "NAME")


def test_each_change_is_compiled_by_itself_and_leaves_the_next_alone() -> None:
    source = "def f(a):\n    return a + 1\n"
    results = {}
    for mutant in mutants(source, "f.py", "f"):
        space: dict[str, object] = {}
        exec(source, space)
        function = space["f"]
        function.__code__ = mutant.code  # type: ignore[attr-defined]
        results[mutant.what] = function(10)  # type: ignore[operator]
    assert results == {"return a + 1 → return None": None, "a + 1 → a - 1": 9, "a + 1 → a + 2": 12, "a + 1 → a + 0": 10}


BRANCHES = """
def f(a):
    if a > 1:
        a += 2
    elif a:
        try:
            a = 1 / a
        except TypeError:
            a = 5
    return a
"""


@pytest.mark.parametrize(
    ("given", "lines"),
    [(2, {3, 4, 10}), (1, {3, 5, 6, 7, 10}), (0, {3, 5, 10}), ("x", {3})],
)
def test_a_change_is_tried_on_the_tests_that_come_to_its_statement(
    given: object, lines: set[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    told: set[tuple[tuple[int, int], str]] = set()
    monkeypatch.setattr(builtins, HIT, lambda place, *keys: told.update((place, key) for key in keys), raising=False)
    space: dict[str, Any] = {}
    exec(BRANCHES, space)
    space["f"].__code__ = instrumented(BRANCHES, "f.py", "f", ["guard", "LIMIT"])
    with suppress(TypeError):
        space["f"](given)
    assert {key for _, key in told} == {"guard", "LIMIT"}
    assert {place[0] for place, _ in told} == lines
    holders = {mutant.what: mutant.within for mutant in mutants(BRANCHES, "f.py", "f")}
    assert holders["a > 1 → a >= 1"] == (3, 4)
    assert holders["1 / a → 1 * a"] == (7, 12)
    assert holders["except TypeError: a = 5 → except TypeError: raise"] == (8, 8)
    assert holders["5 → 6"] == (9, 12)
    assert set(filter(None, holders.values())) >= {place for place, _ in told} - {(6, 8)}


GUARDED = """
from functools import lru_cache

LIMIT = 4

class Box:
    def __init__(self):
        self.items = []

    @staticmethod
    def fits(size):
        if size < 0:
            raise ValueError(size)
        return size <= LIMIT

def loop(n):
    while n > 0:
        n -= 1
    return n
"""
TESTS = """
import pytest
from guarded import Box, loop

def test_small():
    assert Box.fits(4)
    assert Box.fits(0)

def test_large():
    assert not Box.fits(5)

def test_loop():
    assert loop(3) == 0

def test_elsewhere():
    assert True
"""
RUN = """
import sys
from pathlib import Path
sys.path[:0] = [{root!r}, {folder!r}]
from tools.mutants.guard import Guard
from tools.mutants.report import run
guards = [Guard("guarded.py::" + name, ("test_guarded.py",), "") for name in {names!r}]
raise SystemExit(run(guards, {survivors!r}, Path({folder!r}), least_seconds=3))
"""


def begun(folder: Path, names: list[str], survivors: dict[str, dict[str, str]]) -> subprocess.Popen[str]:
    """The command over a small project of its own."""
    (folder / "guarded.py").write_text(GUARDED)
    (folder / "test_guarded.py").write_text(TESTS)
    (folder / "pytest.ini").write_text("[pytest]\n")
    code = RUN.format(root=str(ROOT), folder=str(folder), names=names, survivors=survivors)
    bare = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    command, pipe = [sys.executable, "-c", code], subprocess.PIPE
    return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, cwd=folder, env=bare)


def ran(folder: Path, names: list[str], survivors: dict[str, dict[str, str]]) -> subprocess.CompletedProcess[str]:
    with begun(folder, names, survivors) as run:
        out, errors = run.communicate(timeout=100)
        return subprocess.CompletedProcess([], run.returncode, out, errors)


def test_what_no_test_notices_is_told_and_fails(tmp_path: Path) -> None:
    done = ran(tmp_path, ["Box.fits", "LIMIT", "loop"], {})
    assert done.returncode == 1, done.stderr
    assert "guarded.py::LIMIT: 3 of 3 noticed" in done.stdout
    assert "guarded.py::Box.fits: 6 of 7 noticed" in done.stdout
    assert "guarded.py::loop: 8 of 8 noticed" in done.stdout, "a loop without an end is ended"
    survivors = [line.split("line ")[1] for line in done.stdout.splitlines() if "SURVIVES" in line]
    assert survivors == ["13: without: raise ValueError(size)"]
    assert (tmp_path / "guarded.py").read_text() == GUARDED


def test_a_known_survivor_is_no_failure_and_one_that_is_noticed_now_is(tmp_path: Path) -> None:
    known = {"without: raise ValueError(size)": "nobody asks"}
    done = ran(tmp_path, ["Box.fits"], {"guarded.py::Box.fits": known})
    assert done.returncode == 0, done.stdout
    assert "  survives   without: raise ValueError(size)\n             nobody asks" in done.stdout
    done = ran(tmp_path, ["Box.fits"], {"guarded.py::Box.fits": {**known, "size < 0 → size < 1": "nobody knows"}})
    assert done.returncode == 1
    assert "NOTICED    take it off the list of survivors: size < 0 → size < 1" in done.stdout


def test_a_guard_that_no_test_reaches_is_named(tmp_path: Path) -> None:
    done = ran(tmp_path, ["Box.__init__"], {})
    assert done.returncode == 2
    assert "guarded.py::Box.__init__: none of its tests (test_guarded.py) reaches it" in done.stderr


def test_a_run_that_is_stopped_has_told_what_it_found_and_leaves_nothing_behind(tmp_path: Path) -> None:
    with begun(tmp_path, ["Box.fits", "loop"], {}) as run:
        assert run.stdout is not None
        assert run.stdout.readline().startswith("guarded.py::Box.fits: 6 of 7 noticed, "), "others are still to come"
        assert run.stdout.readline() == "  SURVIVES   line 13: without: raise ValueError(size)\n"
        run.terminate()
        out, errors = run.communicate(timeout=100)
    assert run.returncode == 2
    assert "changes of 1 guards, 1 survive, 1 not as listed" in out
    assert "stopped: 1 guards are not finished" in errors
    assert not [link for link in Path("/proc").glob("[0-9]*/cwd") if is_at(link, tmp_path)]


def is_at(link: Path, folder: Path) -> bool:
    try:
        return link.readlink() == folder
    except OSError:  # it ends meanwhile, or is another user's
        return False
