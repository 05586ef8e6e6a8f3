"""The import of people over Azurite, in a process of its own, and the search for who is due."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.core import counted_requests
from bench.report import Row
from devstack.azurite import LOGS, Azurite
from shared.azure.partition_rows import TableRows
from shared.composition.outreach import outreach_tables
from shared.outreach.csv_file import chunks_of
from shared.outreach.importing import Importer, ImportReport, Upload
from shared.outreach.ledgers import Kept
from shared.outreach.people import People
from shared.outreach.reading import Reading
from shared.outreach.rules import Rules
from shared.outreach.windows import Window
from shared.storage_account import StorageAccount

SIZES, QUICK = (5_000, 50_000), (500, 5_000)
SECONDS, MEGABYTES = 60.0, 80.0
"""For 50,000 people."""
NOW = datetime(2026, 3, 9, 14, tzinfo=UTC)
DUE = 20
"""Pages that are looked at for who is due."""


def measure(quick: bool) -> Iterator[Row]:
    """Import files of two sizes."""
    with Azurite(log=LOGS / "bench-azurite.log") as azurite:
        for size in QUICK if quick else SIZES:
            command = [sys.executable, "-m", "bench.outreach", str(size), azurite.connection_string]
            found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            whole = size == SIZES[-1]
            case = f"{size:,} people"
            more = {name: found[name] for name in ("again_seconds", "processor_seconds", "requests")}
            yield Row("outreach", f"import, {case}", found["seconds"], "s", SECONDS if whole else None, more=more)
            yield Row("outreach", f"memory, {case}", found["megabytes"], "MB", MEGABYTES if whole else None)
            yield Row("outreach", f"queries for who is due, {case}", found["queries"], "", 1)
            yield Row("outreach", f"who is due, {case}", found["due_milliseconds"], "ms")


def _file(size: int) -> bytes:
    rows = "".join(
        f"A-{n};030 {10_000_000 + n};Patient {n};12.03.2026 14:{n % 60:02};Dr. Sommer\n" for n in range(size)
    )
    return f"id;Telefon;Name;Termin;Arzt\n{rows}".encode()


def _import(size: int, connection_string: str) -> dict[str, float]:
    rows = TableRows(StorageAccount(connection_string), outreach_tables(f"bench{size}x"))
    people, reports = People(rows), Kept(rows, ImportReport, "upload")
    importer = Importer(people, reports, lambda: NOW)
    rules = Rules(purpose="service", reminders=True, zone="Europe/Berlin")
    reading = Reading(rules, Window(), "DE", "DD.MM.YYYY", "de-DE")

    def run(id: str, campaign: str, data: bytes) -> float:
        began = time.perf_counter()
        report = importer.run(Upload(id, campaign, "secret", chunks_of(data), {}, ("Arzt",)), reading, 100_000)
        if report.state != "whole" or report.bad:
            raise RuntimeError(f"the import went wrong: {report}")
        return time.perf_counter() - began

    run("warm", "warm", _file(100))  # loads what is loaded late, and makes the tables
    data = _file(size)
    before, processor = _peak(), time.process_time()
    with counted_requests() as requests:
        seconds = run("first", "spring", data)
        imported = requests.total()
    spent, peak = time.process_time() - processor, _peak()
    again = run("again", "spring", data)
    with counted_requests() as requests:
        began = time.perf_counter()
        due = people.due("spring", NOW + timedelta(days=30), DUE)
        took = time.perf_counter() - began
        queries = requests.total() - DUE
    if not due:
        raise RuntimeError("nobody is due")
    return {
        "seconds": seconds,
        "again_seconds": round(again, 1),
        "processor_seconds": round(spent, 1),
        "requests": imported,
        "megabytes": (peak - before) / 1024,
        "queries": queries,
        "due_milliseconds": took * 1000,
    }


def _peak() -> int:
    """The most memory that this process ever had, in KB."""
    status = Path("/proc/self/status").read_text("ascii")
    return int(status.split("VmHWM:")[1].split()[0])


if __name__ == "__main__":
    print(json.dumps(_import(int(sys.argv[1]), sys.argv[2])))
