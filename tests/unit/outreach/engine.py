"""The engine of campaigns with everything around it in memory: whom it calls, and crashes where a test wants some."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from shared.calls.lost import LATEST_PLACING
from shared.calls.record import CallRecord
from shared.errors import StoreUnavailable
from shared.lines.reading import Line, Lines
from shared.notifications.errors import UnknownDeadLetter
from shared.outreach.campaign import Campaign
from shared.outreach.dialing import Slots
from shared.outreach.other_times import NoOtherTimes
from shared.outreach.ports import Files, MemoryFiles
from shared.outreach.rules import Rules
from shared.outreach.service import Outreach
from shared.outreach.state import State
from shared.outreach.uploads import merge
from shared.outreach.windows import Window
from shared.privacy import NumberHashes
from shared.rows import Change, Changed, MemoryRows, Row, Rows
from shared.use_cases.base import Agenda, Task
from shared.use_cases.memory import MemoryQueue
from tests.setting_samples import made_key
from tests.unit.outreach.people import MONDAY, SECRET, SERVICE, WINDOW, key_of, wanted

CALLERS = ("+18005550177", "+18005550188")
LINES = Lines("Contoso", numbers={one: Line(one, one[-3:], called_back="news") for one in CALLERS})
Crash = Callable[[], bool]


class CrashingRows(MemoryRows):
    """Memory in which a process may die before a write, or not hear of it."""

    def __init__(self) -> None:
        super().__init__()
        self.crash: Crash = lambda: False

    def change(
        self,
        table: str,
        partition: str,
        changes: Mapping[str, Change],
        before: Callable[[Changed], None] | None = None,
    ) -> Changed:
        self._may_die()
        changed = super().change(table, partition, changes, before)
        self._may_die()
        return changed

    def put(self, table: str, partition: str, texts: Mapping[str, str | None]) -> None:
        self._may_die()
        super().put(table, partition, texts)

    def first(self, table: str, since: str, until: str, most: int | None = None, before: str = "") -> Iterable[Row]:
        self._may_die()
        return super().first(table, since, until, most, before)

    def _may_die(self) -> None:
        if self.crash():
            raise StoreUnavailable("died")


@dataclass
class Placed:
    """A call that was placed."""

    attempt: str
    number: str
    caller: str
    at: datetime
    data: Mapping[str, Any]


class FakeCalls:
    """The calls of the app: what was placed, and what goes on."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.clock = clock
        self.most = 1
        self.placed: dict[str, Placed] = {}
        self.going_on: dict[str, Placed] = {}
        self.refused: set[str] = set()
        self.stuck: dict[str, Placed] = {}
        """Calls that were claimed, and whose instance died before it sent the request."""
        self.may_place: Callable[[CallRecord], bool] = lambda _: True
        self.brake: dict[str, str] = {}
        self.watch: Callable[[Placed], None] = lambda _: None
        self.crash: Crash = lambda: False
        self.breaks_off: Crash = lambda: False

    def forbidden(self, caller: str, number: str) -> str:
        return self.brake.get(number, "")

    def slots(self, callers: Sequence[str]) -> Mapping[str, Slots | None]:
        used = [one.caller for one in self.going_on.values()]
        return {one: Slots(self.most, self.most - used.count(one)) for one in callers}

    def place(self, flow: str, caller: str, number: str, data: Mapping[str, Any], attempt: str) -> None:
        if self.crash():
            raise StoreUnavailable("died")
        if attempt not in self.placed:
            self.placed[attempt] = self.stuck[attempt] = Placed(attempt, number, caller, self.clock(), data)
            if self.breaks_off():
                raise StoreUnavailable("died")
            self._send(attempt)
        if self.crash():
            raise StoreUnavailable("died")

    def _send(self, attempt: str) -> None:
        """The service calls somebody."""
        placed = self.stuck.pop(attempt)
        placed.at = self.clock()
        self.going_on[attempt] = placed
        if [one.caller for one in self.going_on.values()].count(placed.caller) > self.most:
            self.refused.add(attempt)
        else:
            self.watch(placed)

    def was_placed(self, attempt: str) -> bool:
        return attempt in self.placed

    def broke_off(self, attempt: str) -> bool:
        return attempt in self.stuck

    def resume(self, attempt: str) -> None:
        """As the core does it, and its watchdog: nobody is called by a request that is minutes late."""
        late = attempt in self.stuck and self.clock() - self.stuck[attempt].at > timedelta(milliseconds=LATEST_PLACING)
        if attempt in self.stuck and not late and self.may_place(self._record(attempt)):
            self._send(attempt)

    def gives_up(self, attempt: str) -> CallRecord:
        """The watchdog settles a call that never connected."""
        del self.stuck[attempt]
        return self._record(attempt, status="ended", outcome="unknown")

    def attempt_of(self, record: CallRecord) -> str:
        return record.call_id.removeprefix("call ") if record.call_id.startswith("call ") else ""

    def call_id(self, attempt: str) -> str:
        return f"call {attempt}"

    def ends(self, attempt: str, **more: Any) -> CallRecord:
        """The end of a call, as the app tells of it."""
        del self.going_on[attempt]
        if attempt in self.refused:
            more = {"outcome": "refused"}
        return self._record(attempt, status="ended", **more)

    def _record(self, attempt: str, **more: Any) -> CallRecord:
        placed = self.placed[attempt]
        return CallRecord(
            self.call_id(attempt),
            direction="outbound",
            caller=f"4:{placed.caller}",
            callee=f"4:{placed.number}",
            **more,
        )


def answered(result: str = "confirmed") -> dict[str, Any]:
    return {"connected_at": 1, "code": 200, "outcome": "completed", "result": result}


BUSY = {"code": 486, "outcome": "busy"}
NO_ANSWER = {"code": 480, "outcome": "no_answer"}
DECLINED = {"code": 603, "outcome": "declined"}
DEAD = {"code": 404, "outcome": "not_found"}
MACHINE = answered("")
OPTED_OUT = answered("opted_out")


@dataclass
class Announced:
    """Remembers which campaigns were said to be finished."""

    campaigns: list[str]

    def announce(self, campaign: Campaign, task: Task) -> str:
        self.campaigns.append(campaign.id)
        return "announced"

    def announce_again(self, campaign: Campaign) -> list[str]:
        raise UnknownDeadLetter(campaign.id)


def outreach_over(
    rows: Rows,
    numbers: NumberHashes,
    files: Files,
    clock: Callable[[], datetime],
    calls: FakeCalls | None = None,
    queue: MemoryQueue | None = None,
    window: Callable[[], Window | None] = Window,
    announced: list[str] | None = None,
) -> Outreach:
    """The use case over these."""

    return Outreach(
        state=State(rows, numbers),
        calls=calls or FakeCalls(clock),
        files=files,
        queue=queue or MemoryQueue(),
        agenda=Agenda(rows),
        windows=lambda _: window(),
        flows={},
        lines=LINES,
        announcer=Announced(announced if announced is not None else []),
        times=NoOtherTimes(),
        clock=clock,
        most_rows=1000,
        evidence_days=1825,
    )


@dataclass
class World:
    """One app."""

    rows: CrashingRows = field(default_factory=CrashingRows)
    queue: MemoryQueue = field(default_factory=MemoryQueue)
    files: MemoryFiles = field(default_factory=MemoryFiles)
    now: datetime = MONDAY
    window: Window | None = WINDOW
    announced: list[str] = field(default_factory=list)
    numbers: NumberHashes = field(default_factory=lambda: NumberHashes(made_key("numbers")))

    def __post_init__(self) -> None:
        self.calls = FakeCalls(lambda: self.now)
        self.agenda = Agenda(self.rows)
        self.outreach = outreach_over(
            self.rows, self.numbers, self.files, lambda: self.now, self.calls, self.queue, lambda: self.window,
            self.announced,
        )  # fmt: skip
        self.calls.may_place = self.outreach.may_place
        self.state = self.outreach.state

    def campaign(self, name: str = "spring", rules: Rules = SERVICE, **more: Any) -> Campaign:
        """A campaign that runs."""
        given = {"name": name, "secret": SECRET, "flow": "news", "callers": CALLERS[:1], "created": MONDAY}
        made = Campaign(id=name, rules=rules, **{**given, "state": "running", "people": 1, **more})
        self.state.campaigns.change(name, lambda _: made)
        return made

    def add(self, id: str, number: str, campaign: str = "spring", rules: Rules = SERVICE, **more: Any) -> str:
        """Somebody of a campaign; their key."""
        key = key_of(id)
        self.state.people.change(
            campaign,
            key,
            lambda one: merge(one, wanted(id, number, **more), (campaign, key), self.now, rules)[0],
        )
        return key

    def work(self, random: Random | None = None) -> None:
        """What is on the queue is done, and done again where it fails, until nothing is left for now."""
        for _ in range(400):
            ready = [item for item in self.queue.sent if item[1] <= 1.0]
            if not ready:
                return
            item = random.choice(ready) if random else ready[0]
            try:
                self.outreach.work(item[0])
            except StoreUnavailable:
                continue
            if random is None or random.random() < 0.9:  # or it comes again
                self.queue.sent.remove(item)
        raise AssertionError(f"the queue does not become empty: {self.queue.sent[:3]}")

    def dial(self, campaign: str = "spring") -> None:
        self.queue.send(Task("outreach", "dial", {"campaign": campaign}))
        self.work()

    def end(self, attempt: str, **how: Any) -> None:
        """A call ends, and the app hears of it."""
        self.outreach.closing(self.calls.ends(attempt, **how))
        self.work()

    def pass_time(self, time: timedelta, random: Random | None = None) -> None:
        """Time goes by, and the timer looks at the agenda."""
        self.now += time
        self.queue.sent = [(task, 0.0) for task, delay in self.queue.sent if delay <= time.total_seconds()] + [
            (task, delay - time.total_seconds()) for task, delay in self.queue.sent if delay > time.total_seconds()
        ]
        for _, item, key in self.agenda.due(self.now):
            try:
                self.outreach.due(item)
            except StoreUnavailable:
                continue
            self.agenda.done(key)
        self.work(random)
