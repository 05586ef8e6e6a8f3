"""Runs the mutants and compares what survives with the list.

make mutants
make mutants ARGS="tones watchdog"      guards with one of these words in their place
make mutants ARGS="--list tones"        their changes, without running them
"""

from __future__ import annotations

import argparse
import os
import sys

from tools.mutants.guards import GUARDS
from tools.mutants.report import ROOT, changes_of, problems, run
from tools.mutants.survivors import SURVIVORS


def main() -> int:
    """The command line; 0 if everything that survives is listed."""
    parser = argparse.ArgumentParser(prog="python -m tools.mutants", description="Breaks the guards, one by one.")
    parser.add_argument("words", nargs="*", help="only guards that have one of these words in their place")
    parser.add_argument("--list", action="store_true", help="show the changes, and run nothing")
    # One more than there are processors: some tests sleep.
    parser.add_argument("--processes", type=int, default=(os.cpu_count() or 1) + 1, help="tests at once (%(default)s)")
    given = parser.parse_args()
    if wrong := problems(GUARDS, SURVIVORS):
        print("\n".join(wrong), file=sys.stderr)
        return 2
    guards = [guard for guard in GUARDS if not given.words or any(word in guard.where for word in given.words)]
    if not given.list:
        os.environ["EXAMPLES"] = "all"  # of each property; see tests/examples.py
        return run(guards, SURVIVORS, processes=given.processes)
    for guard in guards:
        print(f"{guard.where}  ({guard.why})")
        print("".join(f"  {line:4}  {what}\n" for line, what in changes_of(guard, ROOT)))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
