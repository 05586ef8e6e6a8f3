"""The import of people over Azurite, in a process of its own, the search for who is due, how soon a pause holds, and
the import of a do-not-call list."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bench.core import counted_requests
from bench.report import Row
from devstack.azurite import LOGS, Azurite
from shared.azure.partition_rows import TableRows
from shared.calls.record import CallRecord
from shared.composition.outreach import outreach_tables
from shared.composition.parts import agenda_tables
from shared.outreach.campaign import Campaign, command
from shared.outreach.csv_file import chunks_of
from shared.outreach.dialer import Dialer
from shared.outreach.dialing import Slots
from shared.outreach.importing import Importer, ImportReport, Upload
from shared.outreach.ledgers import PARTS, DoNotCall, Kept
from shared.outreach.lists import ListHead
from shared.outreach.people import People
from shared.outreach.person import Wanted, person_key
from shared.outreach.reading import Reading
from shared.outreach.rules import Rules
from shared.outreach.state import State
from shared.outreach.uploads import merge
from shared.outreach.windows import Window
from shared.privacy import NumberHashes
from shared.storage_account import StorageAccount
from shared.use_cases.base import Agenda
from shared.use_cases.memory import MemoryQueue

SIZES, QUICK = (5_000, 50_000), (500, 5_000)
SECONDS, MEGABYTES = 60.0, 80.0
"""For 50,000 people."""
NOW = datetime(2026, 3, 9, 14, tzinfo=UTC)
DUE = 20
"""Pages that are looked at for who is due."""
PAUSE_SECONDS = 1.0
LISTED, LISTED_QUICK = 5_000, 1_000
CALLED = 200
"""People of the campaign that is paused: more than are called until then."""


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
        account = StorageAccount(azurite.connection_string)
        seconds, placed = _pause(account)
        yield Row("outreach", "from a pause to the last call", seconds, "s", PAUSE_SECONDS, more={"placed": placed})
        numbers = LISTED_QUICK if quick else LISTED
        requests, seconds = _import_list(account, numbers)
        case, more = f"do-not-call list, {numbers:,} numbers", {"seconds": round(seconds, 1)}
        yield Row("outreach", f"requests, {case}", requests, "", PARTS + 2, more=more)


def _pause(account: StorageAccount) -> tuple[float, int]:
    """Seconds from the moment at which somebody asks for a pause to the last call that is placed, and how many were."""
    state = State(TableRows(account, {**outreach_tables("benchpause"), **agenda_tables("benchpause")}), _hashes())
    rules = Rules(purpose="service", zone="Europe/Berlin", opens=0, closes=1440, days=(0, 1, 2, 3, 4, 5, 6))
    made = Campaign(
        id="spring", name="", secret="s", flow="news", callers=("+18005550177",), rules=rules, created=NOW,
        state="running",
    )  # fmt: skip
    state.campaigns.change("spring", lambda _: made)
    people = {}
    for n in range(CALLED):
        key = person_key("s", str(n))
        wanted = Wanted(id=str(n), number=f"+4930{10_000_000 + n}")
        people[key] = merge(None, wanted, ("spring", key), datetime.now(UTC), rules)[0]
    state.people.change_all("spring", people, lambda _, person: person)
    calls = _Calls()
    window = Window(rules.opens, rules.closes, rules.days)
    dialer = Dialer(state, calls, MemoryQueue(), Agenda(state.rows), lambda _: window, lambda: datetime.now(UTC))
    dialing = threading.Thread(target=dialer.dial, args=("spring",))
    dialing.start()
    while len(calls.placed) < CALLED // 10:
        time.sleep(0.001)
    asked = time.perf_counter()
    state.campaigns.change("spring", lambda one: one and command(one, "pause", datetime.now(UTC)))
    dialing.join()
    if not CALLED // 10 <= len(calls.placed) < CALLED:
        raise RuntimeError(f"{len(calls.placed)} were called: the pause was not seen")
    return max(0.0, calls.placed[-1] - asked), len(calls.placed)


class _Calls:
    """Places nothing, and notes when."""

    def __init__(self) -> None:
        self.placed: list[float] = []

    def forbidden(self, caller: str, number: str) -> str:
        return ""

    def slots(self, callers: Sequence[str]) -> Mapping[str, Slots | None]:
        return dict.fromkeys(callers)

    def place(self, flow: str, caller: str, number: str, data: Mapping[str, Any], attempt: str) -> None:
        self.placed.append(time.perf_counter())

    def was_placed(self, attempt: str) -> bool:
        return True

    def broke_off(self, attempt: str) -> bool:
        return False

    def resume(self, attempt: str) -> None:
        """Nothing breaks off."""

    def attempt_of(self, record: CallRecord) -> str:
        return ""

    def call_id(self, attempt: str) -> str:
        return attempt


def _import_list(account: StorageAccount, count: int) -> tuple[int, float]:
    """Requests and seconds that a do-not-call list takes."""
    lists = DoNotCall(TableRows(account, outreach_tables("benchlist")), _hashes())
    day = datetime(2026, 3, 1, tzinfo=UTC)
    head = ListHead(name="robinson", source="bench", as_of=day.date())
    lists.replace(head, ["+4930123456"], day)  # makes the table
    with counted_requests() as requests:
        began = time.perf_counter()
        lists.replace(head, (f"+4930{10_000_000 + n}" for n in range(count)), day)
        return requests.total(), time.perf_counter() - began


def _hashes() -> NumberHashes:
    return NumberHashes(base64.b64encode(bytes(32)).decode())


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
