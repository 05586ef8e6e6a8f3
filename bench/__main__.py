"""`python -m bench`: measure, print JSON lines, then a table; 1 if something that must hold does not."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from bench import capacity, console, gaps, imports, outreach, quality, signed_gets, storage, streams
from bench.losses import marathon
from bench.losses import measure as losses
from bench.report import Row, table
from bench.scale import measure as scale

Measurement = Callable[[bool], Iterator[Row]]

MEASUREMENTS: dict[str, Measurement] = {
    "imports": imports.measure,
    "roundtrips": storage.measure_round_trips,
    "growth": storage.measure_growth,
    "gaps": gaps.measure,
    "capacity": capacity.measure,
    "losses": losses.measure,
    "console": console.measure,
    "outreach": outreach.measure,
    "quality": quality.measure,
    "streams": streams.measure,
    "scale": scale.measure,
    "signed-gets": signed_gets.measure,
}
"""By name, in the order in which they run."""
ALONE: dict[str, Measurement] = {"marathon": marathon.measure}
"""Measurements that run when they are asked for by name: they take long."""


def main() -> int:
    """The command."""
    known = {**MEASUREMENTS, **ALONE}
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=known, help=", ".join(known))
    parser.add_argument("--quick", action="store_true", help="fewer samples; under a minute")
    parser.add_argument("--out", type=Path, default=Path(".switchboard/bench.jsonl"), help="file of the JSON lines")
    given = parser.parse_args()
    given.out.parent.mkdir(parents=True, exist_ok=True)
    rows: list[Row] = []
    with given.out.open("w", encoding="utf-8") as out:

        def say(line: str) -> None:
            print(line, flush=True)
            print(line, file=out, flush=True)

        began = time.monotonic()
        say(json.dumps(_machine()))
        for name in given.only or MEASUREMENTS:
            for row in known[name](given.quick):
                rows.append(row)
                say(row.line())
        seconds = round(time.monotonic() - began, 1)
        broken = [row for row in rows if row.holds is False]
        say(json.dumps({"seconds": seconds, "load_after": os.getloadavg(), "broken": len(broken)}))
    print(f"\n{table(rows)}\n\n{seconds} s. The lines are in {given.out}.")
    for row in broken:
        print(f"DOES NOT HOLD: {row.measure}, {row.case}: {row.value:.2f} {row.unit}")
    return 1 if broken else 0


def _machine() -> dict[str, object]:
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "load_before": os.getloadavg(),
        "python": platform.python_version(),
    }


if __name__ == "__main__":
    sys.exit(main())
