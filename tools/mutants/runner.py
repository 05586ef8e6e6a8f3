"""A pytest plugin that runs the tests of each guard against each of its changes, in forked children.

The tests are collected once. A first child runs all of them without a change, to learn which come to which statement of
a guard and how long they take. Each further child exchanges the code of one function (`__code__`, wherever it is used
already) or the value of one constant, and runs the tests that come to the change until one fails.
"""

from __future__ import annotations

import builtins
import gc
import importlib
import json
import mmap
import os
import signal
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

import pytest

from tools.mutants.guard import Guard
from tools.mutants.mutate import HIT, Mutant, Place, constant, instrumented, is_function, mutants

LEAST_SECONDS, FACTOR = 10.0, 10.0
"""A test that takes this much longer than usual is ended: a change that keeps it for ever is noticed."""


@dataclass
class Target:
    """A guard in the running process: where its code is in use."""

    guard: Guard
    root: Path
    name: str
    mutants: list[Mutant]
    functions: list[FunctionType] = field(default_factory=list)
    value: float | None = None

    def change(self, mutant: Mutant) -> None:
        """Put a change in force, in this process."""
        if isinstance(mutant.code, CodeType):
            for function in self.functions:
                function.__code__ = mutant.code
            return
        for module in _modules(self.root):
            if self.name in vars(module) and vars(module)[self.name] == self.value:
                setattr(module, self.name, mutant.code)


@dataclass(frozen=True)
class Result:
    """What became of a change: the test that noticed it; empty: none did."""

    guard: Guard
    mutant: Mutant
    noticed_by: str
    seconds: float


@dataclass
class _Run:
    """A child at work on a change.

    `at`: its test, by its place among the items, which it writes itself. `limits`: seconds that each may take.
    """

    target: Target
    mutant: Mutant
    said: Path
    at: mmap.mmap
    limits: list[float]
    began: float = field(default_factory=time.monotonic)
    seen: int = 0
    since: float = field(default_factory=time.monotonic)

    def is_stuck(self) -> bool:
        """Whether its test takes too long."""
        at, now = int.from_bytes(self.at[:_PLACE]), time.monotonic()
        if at != self.seen:
            self.seen, self.since = at, now
        return at < len(self.limits) and now - self.since > self.limits[at]


@dataclass(frozen=True)
class _Reached:
    """Which tests reach what.

    Attributes:
        guards: by guard, its tests that reach it, in the order of the session.
        hits: the ids of the tests that come to a guard, or to one of its statements.
    """

    guards: dict[str, list[Any]]
    hits: dict[str, set[str]]

    def by(self, target: Target, mutant: Mutant) -> list[Any]:
        """The tests that can notice a change."""
        items = self.guards[target.guard.where]
        if mutant.within is None:
            return items
        there = self.hits.get(_at(target.guard.where, mutant.within), ())
        return [item for item in items if item.nodeid in there]


def _at(where: str, place: Place) -> str:
    return f"{where}:{place[0]}:{place[1]}"


DISTRIBUTION = "emulator/src/"
"""The folder of a distribution of its own, from which its modules are imported."""

_STOPS = (signal.SIGINT, signal.SIGTERM)

_PLACE = 4
"""Bytes of the place of a test."""


class Unusable(Exception):
    """The mutants cannot be run: says why."""


class Runner:
    """The plugin.

    Args:
        guards: whose changes are run.
        root: the folder of the project.
        processes: children at once.
        tell: called with each result, and with how many changes of its guard are still to come.
        least_seconds: which a test may take in any case.
    """

    def __init__(
        self,
        guards: Sequence[Guard],
        root: Path,
        processes: int,
        tell: Callable[[Result, int], None],
        least_seconds: float = LEAST_SECONDS,
    ) -> None:
        self._guards, self._root, self._processes, self._tell = guards, root, processes, tell
        self._least_seconds = least_seconds
        self.results: list[Result] = []
        self.problem = ""
        self.stopped = False
        self._session: Any = None

    def pytest_configure(self, config: pytest.Config) -> None:
        from hypothesis import HealthCheck, Phase, settings

        # The same examples each time, and no search for a smaller one: a failure is enough.
        settings.register_profile(
            "mutants", database=None, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck),
            phases=[Phase.explicit, Phase.generate],
        )  # fmt: skip
        settings.load_profile("mutants")

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self._session = session
        if session.testsfailed:
            self.problem = "the tests cannot be collected"
            return True
        gc.unfreeze()  # the app freezes what it has at its start, and what is frozen is not found
        try:
            targets = [target_of(guard, self._root) for guard in self._guards]
            self._run(targets)
        except Unusable as problem:
            self.problem = str(problem)
        return True

    def _run(self, targets: list[Target]) -> None:
        gc.freeze()
        reached, seconds = self._usual(targets)
        waiting = [(target, mutant) for target in targets for mutant in target.mutants]
        left = Counter(target.guard.where for target, _ in waiting)
        running: dict[int, _Run] = {}
        first: dict[str, list[str]] = defaultdict(list)
        waiting.reverse()
        with tempfile.TemporaryDirectory() as folder, self._stoppable(running):
            while (waiting or running) and not self.stopped:
                while waiting and len(running) < self._processes:
                    target, mutant = waiting.pop()
                    where = target.guard.where
                    items = self._ordered(reached.by(target, mutant), first[where], seconds)
                    limits = [self._least_seconds + FACTOR * seconds[item.nodeid] for item in items]
                    said = Path(folder) / f"{len(self.results)}-{len(waiting)}"
                    run = _Run(target, mutant, said, mmap.mmap(-1, _PLACE), limits)
                    child = self._child(items, said, lambda t=target, m=mutant: t.change(m), run.at)  # type: ignore[misc]
                    running[child] = run
                for child in list(_ended(running)):
                    run = running.pop(child)
                    noticed = run.said.read_text() if run.said.exists() else "the time limit, or an end of the process"
                    known = first[run.target.guard.where]
                    if noticed and noticed not in known:
                        known.insert(0, noticed)
                    result = Result(run.target.guard, run.mutant, noticed, time.monotonic() - run.began)
                    self.results.append(result)
                    left[result.guard.where] -= 1
                    self._tell(result, left[result.guard.where])

    @contextmanager
    def _stoppable(self, running: dict[int, _Run]) -> Iterator[None]:
        """Have Ctrl-C and SIGTERM end the run and its children, which may be in a loop without an end. They raise
        nothing: an exception is lost where it comes during a fork."""

        def stop(number: int, _: object) -> None:
            self.stopped = True

        before = {number: signal.signal(number, stop) for number in _STOPS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            for child in running:
                with suppress(ProcessLookupError):
                    os.killpg(child, signal.SIGKILL)
                os.waitpid(child, 0)

    def _usual(self, targets: list[Target]) -> tuple[_Reached, dict[str, float]]:
        """The tests that reach each guard and its statements, and the seconds that each test takes."""
        items = list(self._session.items)
        with tempfile.TemporaryDirectory() as folder:
            said = Path(folder) / "usual"
            child = self._child(items, said, lambda: tap(targets), mmap.mmap(-1, _PLACE), usual=True)
            _, status = os.waitpid(child, 0)
            if not said.exists():
                raise Unusable(f"the tests ended without a word (status {status})")
            told = json.loads(said.read_text())
        if told["failed"]:
            raise Unusable(f"without any change, a test fails: {told['failed']}")
        hits = {at: set(nodes) for at, nodes in told["hits"].items()}
        reached = _Reached({}, hits)
        for target in targets:
            where = target.guard.where
            mine = [item for item in items if _within(item.nodeid, target.guard.tests)]
            reached.guards[where] = [item for item in mine if item.nodeid in hits.get(where, ())]
            if not reached.guards[where]:
                raise Unusable(f"{where}: none of its tests ({', '.join(target.guard.tests)}) reaches it")
        return reached, told["seconds"]

    def _ordered(self, items: list[Any], first: list[str], seconds: dict[str, float]) -> list[Any]:
        """Those that noticed other changes of the guard, then file by file, the quick ones first."""
        early = [item for name in first for item in items if item.nodeid == name]
        cost: dict[str, list[float]] = defaultdict(list)
        for item in items:
            cost[item.nodeid.partition("::")[0]].append(seconds[item.nodeid])

        def by_cost(item: Any) -> tuple[float, str]:
            file = item.nodeid.partition("::")[0]
            return sum(cost[file]) / len(cost[file]), file

        return early + sorted((item for item in items if item.nodeid not in first), key=by_cost)

    def _child(
        self, items: list[Any], said: Path, prepare: Callable[[], object], at: mmap.mmap, *, usual: bool = False
    ) -> int:
        """A forked process that runs these tests, until one fails."""
        child = os.fork()
        if child:
            return child
        code = 1
        try:
            os.setpgid(0, 0)
            for number in _STOPS:
                signal.signal(number, signal.SIG_DFL)
            nowhere = os.open(os.devnull, os.O_RDWR)
            for descriptor in (0, 1, 2):
                os.dup2(nowhere, descriptor)
            hits: dict[str, list[str]] = defaultdict(list)
            current = ""

            def hit(place: Place, *wheres: str) -> None:
                for where in wheres:
                    for at in (where, _at(where, place)):
                        if not hits[at] or hits[at][-1] != current:
                            hits[at].append(current)

            setattr(builtins, HIT, hit)
            prepare()
            seconds: dict[str, float] = {}
            failed = ""
            for place, item in enumerate(items):
                current, began = item.nodeid, time.monotonic()
                at[:_PLACE] = place.to_bytes(_PLACE)
                following = items[place + 1] if place + 1 < len(items) else None
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
                seconds[current] = time.monotonic() - began
                if self._session.testsfailed:
                    failed = current
                    break
            text = json.dumps({"failed": failed, "hits": hits, "seconds": seconds}) if usual else failed
            said.with_suffix(".part").write_text(text)
            said.with_suffix(".part").rename(said)
            if failed:
                with suppress(BaseException):
                    self._session._setupstate.teardown_exact(None)
            code = 0
        finally:
            os._exit(code)


def target_of(guard: Guard, root: Path) -> Target:
    """A guard, found in its file and in this process. Raises Unusable, NoSuchGuard."""
    path, _, name = guard.where.partition("::")
    file = root / path
    if not file.exists() or not name:
        raise Unusable(f"{guard.where}: there is no such file, or the name is missing")
    source = file.read_text("utf-8")
    importlib.import_module(path.removeprefix(DISTRIBUTION).removesuffix(".py").replace("/", "."))
    target = Target(guard, root, name, mutants(source, str(file), name))
    if not target.mutants:
        raise Unusable(f"{guard.where}: nothing in it can be exchanged while it is in use")
    if is_function(source, name):
        target.functions = [
            function
            for function in _functions(root)
            if function.__code__.co_qualname == name and function.__code__.co_filename == str(file)
        ]
        if not target.functions:
            raise Unusable(f"{guard.where}: it is not in use as it stands in the file")
    else:
        target.value = constant(source, name)
        target.functions = [
            function
            for function in _functions(root)
            if function.__globals__.get(name) == target.value and name in _all_names(function.__code__)
        ]
    return target


def tap(targets: Sequence[Target]) -> None:
    """Have every guard tell when it is reached; of a constant, the functions that use it do."""
    keys: dict[tuple[str, str], list[str]] = defaultdict(list)
    functions: dict[tuple[str, str], list[FunctionType]] = defaultdict(list)
    for target in targets:
        for function in target.functions:
            place = function.__code__.co_filename, function.__code__.co_qualname
            keys[place].append(target.guard.where)
            functions[place].append(function)
    for (file, name), wheres in keys.items():
        source = Path(file).read_text("utf-8")
        if "<" in name:
            continue  # a function within a function: whoever makes it is tapped, if it names the constant
        code = instrumented(source, file, name, wheres)
        for function in functions[file, name]:
            function.__code__ = code


def _functions(root: Path) -> Iterator[FunctionType]:
    """Every function of the project that is in memory."""
    for each in gc.get_objects():
        if type(each) is FunctionType and _is_ours(each.__code__.co_filename, root):
            yield each


def _all_names(code: CodeType) -> set[str]:
    names = set(code.co_names)
    for each in code.co_consts:
        if isinstance(each, CodeType):
            names |= _all_names(each)
    return names


def _modules(root: Path) -> list[Any]:
    return [module for module in list(sys.modules.values()) if _is_ours(str(getattr(module, "__file__", "")), root)]


def _is_ours(file: str, root: Path) -> bool:
    return file.startswith(f"{root}/") and "/site-packages/" not in file


def _within(node: str, paths: Sequence[str]) -> bool:
    return any(node == path or node.startswith((path.rstrip("/") + "/", path + "::")) for path in paths)


def _ended(running: dict[int, _Run]) -> Iterator[int]:
    """Those that have ended, or whose test has had its time; waits a moment if there are none."""
    for child, run in list(running.items()):
        ended, _ = os.waitpid(child, os.WNOHANG)
        if not ended and run.is_stuck():
            os.killpg(child, signal.SIGKILL)
            os.waitpid(child, 0)
            ended = child
        if ended:
            with suppress(ProcessLookupError):
                os.killpg(child, signal.SIGKILL)  # what its tests started and did not end
            yield child
            return
    time.sleep(0.01)
