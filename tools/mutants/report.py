"""Compares what survives with the list of what may."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tools.mutants.guard import Guard
from tools.mutants.guards import LEFT_OUT
from tools.mutants.mutate import NoSuchGuard, changes
from tools.mutants.runner import LEAST_SECONDS, Result, Runner

ROOT = Path(__file__).parents[2]

Survivors = Mapping[str, Mapping[str, str]]


def changes_of(guard: Guard, root: Path) -> list[tuple[int, str]]:
    """Line and text of each change. Raises NoSuchGuard."""
    path, _, name = guard.where.partition("::")
    file = root / path
    if not file.exists():
        raise NoSuchGuard(f"there is no {path}")
    return changes(file.read_text("utf-8"), name)


def problems(guards: Sequence[Guard], survivors: Survivors, root: Path = ROOT) -> list[str]:
    """What is wrong with the lists, in sentences."""
    places = [guard.where for guard in guards]
    wrong = [f"SURVIVORS names {where}, which is no guard" for where in survivors if where not in places]
    wrong += [f"{where} is listed twice" for where in sorted({place for place in places if places.count(place) > 1})]
    for guard in guards:
        try:
            found = {what for _, what in changes_of(guard, root)}
        except NoSuchGuard as problem:
            wrong.append(f"{guard.where}: {problem}. Was it renamed or moved? Change its line in guards.py.")
            continue
        if not found:
            wrong.append(f"{guard.where}: there is nothing in it that could be changed")
        wrong += [
            f"{guard.where}: the listed survivor is no change of it any more: {what}"
            for what in survivors.get(guard.where, {})
            if what not in found
        ]
        wrong += [f"{guard.where}: there are no tests at {test}" for test in guard.tests if not (root / test).exists()]
    return wrong


def run(
    guards: Sequence[Guard],
    survivors: Survivors,
    root: Path = ROOT,
    *,
    processes: int = 2,
    least_seconds: float = LEAST_SECONDS,
) -> int:
    """Run all changes and say what survives, guard by guard; 0 if that is what the list says."""
    began = time.monotonic()
    wrong: dict[str, int] = {}

    def tell(result: Result, left: int) -> None:
        print("." if result.noticed_by else "S", end="", file=sys.stderr, flush=True)
        if not left:
            print(file=sys.stderr)
            where = result.guard.where
            wrong[where] = _report(result.guard, runner.results, survivors.get(where, {}))
            sys.stdout.flush()

    runner = Runner(guards, root, processes, tell, least_seconds)
    tests = sorted({test for guard in guards for test in guard.tests})
    options = ["-qq", "--no-header", "--no-summary", "-s", "-p", "no:cacheprovider", "--rootdir", str(root)]
    options += [f"--deselect={test}" for test in LEFT_OUT]
    pytest.main([*options, *(str(root / test) for test in tests)], plugins=[runner])
    if runner.problem:
        print(runner.problem, file=sys.stderr)
        return 2
    total, lived = len(runner.results), sum(not result.noticed_by for result in runner.results)
    print(
        f"{total} changes of {len(wrong)} guards, {lived} survive, {sum(wrong.values())} not as listed; {_time(began)}"
    )
    if runner.stopped:
        print(f"stopped: {len(guards) - len(wrong)} guards are not finished", file=sys.stderr)
        return 2
    return 1 if any(wrong.values()) or not total else 0


def _report(guard: Guard, results: Sequence[Result], known: Mapping[str, str]) -> int:
    """Print what became of a guard's changes; how many differ from the list."""
    mine = [result for result in results if result.guard is guard]
    lived = sorted((result.mutant for result in mine if not result.noticed_by), key=lambda mutant: mutant.line)
    print(f"{guard.where}: {len(mine) - len(lived)} of {len(mine)} noticed, {sum(r.seconds for r in mine):.0f} s")
    for mutant in lived:
        if mutant.what in known:
            print(f"  survives   {mutant.what}\n             {known[mutant.what]}")
        else:
            print(f"  SURVIVES   line {mutant.line}: {mutant.what}")
    noticed = sorted(set(known) - {mutant.what for mutant in lived})
    for what in noticed:
        print(f"  NOTICED    take it off the list of survivors: {what}")
    return len(noticed) + sum(mutant.what not in known for mutant in lived)


def _time(began: float) -> str:
    """Minutes since then, and those of a processor that they took: the former depend on what else runs here."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    processor = sum(one.ru_utime + one.ru_stime for one in used)
    return f"{(time.monotonic() - began) / 60:.1f} minutes, {processor / 60:.1f} of a processor"
