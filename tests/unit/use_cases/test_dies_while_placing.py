"""An instance dies while it places a call of a use case, between any two of its steps: the call is made once, all the
same, and is watched."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from shared.calls import Call, Flow, actions
from shared.calls.record import CallRecord
from shared.calls.store.memory import MemoryStore
from shared.click.service import Click
from shared.composition.outreach import AppCalls
from shared.handoff.cases import Cases
from shared.handoff.service import Desk, Handoff
from shared.outreach.windows import Window
from shared.rows import MemoryRows
from shared.use_cases.all import UseCases
from shared.use_cases.base import UseCase
from tests.unit.calls import world as calls
from tests.unit.calls.losses import Death
from tests.unit.calls.world import CALLEE, CALLER, Instance
from tests.unit.click.conftest import World as ClickWorld
from tests.unit.handoff.test_service import ADA, LINE
from tests.unit.outreach.engine import World as OutreachWorld
from tests.unit.outreach.people import BERLIN

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
STEPS = ("claim", "send", "index")
"""It dies behind the first, and before each of the others."""


async def calls_somebody(call: Call) -> None:
    """Calls somebody."""
    await call.create_call(CALLER, caller_id=CALLEE)


async def says_nothing(call: Call) -> None:
    """Waits until the call is over."""
    await call.ended()


FLOWS = {
    "click": Flow("click", calls_somebody, opens=True, use="click"),
    "handoff-call-back": Flow("handoff-call-back", calls_somebody, opens=True, use="handoff"),
    "news": Flow("news", says_nothing, use="outreach"),
}


class Mortal(MemoryStore):
    """A store whose instance may die over it."""

    dies = ""

    def claim(self, record: CallRecord, journal: Any) -> Any:
        version = super().claim(record, journal)
        self._die("claim")
        return version

    def index(self, record: CallRecord) -> tuple[str, ...]:
        self._die("index")
        return super().index(record)

    def _die(self, at: str) -> None:
        if self.dies == at:
            raise Death


class App:
    """Instances of an app that come one after the other, with one use case."""

    def __init__(self) -> None:
        self.store = Mortal()
        self.world = calls.World(store=self.store)
        self.world.clock.now = int(NOON.timestamp() * 1000)
        answer = self.world.gateway._answer

        def send(request: Any) -> Mapping[str, Any]:
            self.store._die("send")
            return answer(request)

        self.world.gateway._answer = send
        self.rows = MemoryRows()
        self.instance = self._new()

    def _new(self) -> Instance:
        return self.world.conductor(flows=FLOWS)

    @property
    def now(self) -> datetime:
        return datetime.fromtimestamp(self.world.clock.now / 1000, UTC)

    def place(self, flow: str, data: Mapping[str, Any], key: str) -> str:
        return self.instance.place(flow, None, data=data, key=key)[1]

    def dies_over(self, what: Callable[[], object], at: str) -> None:
        """The instance dies; another one comes."""
        self.store.dies = at
        with pytest.raises(Death):
            what()
        self.store.dies = ""
        self.instance = self._new()

    def minutes(self, cases: UseCases, minutes: int) -> None:
        """The timers fire: of the agenda each minute, of the watchdog more often."""
        for _ in range(minutes):
            for _ in range(6):
                self.world.clock.pass_seconds(10)
                self.instance.watch()
            cases.tick()

    def cases(self, use: str, case: UseCase, agenda: Any) -> UseCases:
        return UseCases({use: lambda: case}, agenda, lambda flow: use, lambda: self.now)

    @property
    def called(self) -> int:
        """How often somebody was called."""
        return len(
            {(one.call_id, one.seq) for one in self.world.gateway.sent if isinstance(one.action, actions.CreateCall)}
        )


@pytest.fixture
def app() -> App:
    return App()


def click_of(app: App) -> tuple[ClickWorld, Click]:
    there = ClickWorld(app.rows)
    there.click = Click(there.click.store, there.hashes, there.agenda, app.place, there, dict, clock=lambda: app.now)
    there.site()
    return there, there.click


@pytest.mark.parametrize("at", STEPS)
def test_the_button_calls_its_agent(app: App, at: str) -> None:
    there, click = click_of(app)
    app.dies_over(lambda: there.ask(key="k"), at)
    app.minutes(app.cases("click", click, there.agenda), 2)
    assert (app.called, len(list(app.store.open_calls()))) == (1, 1)


@pytest.mark.parametrize("at", STEPS)
def test_the_button_calls_the_next_agent(app: App, at: str) -> None:
    there, click = click_of(app)
    request = there.ask(key="k")
    (first,) = app.store.open_calls()
    details = {"request": request.id, "attempt": 0}
    record = CallRecord(first, flow="click", outcome="busy", result="calling_agent", details=details)
    app.dies_over(lambda: click.closing(record), at)
    app.minutes(app.cases("click", click, there.agenda), 1)
    click.closing(record)  # the call before is told of until this returns
    app.minutes(app.cases("click", click, there.agenda), 1)
    assert app.called == 2


@pytest.mark.parametrize("at", STEPS)
def test_the_hand_off_calls_back(app: App, at: str) -> None:
    there = OutreachWorld(rows=app.rows)  # type: ignore[arg-type]
    desk = Handoff(
        Cases(app.rows),
        there.agenda,
        Desk("+12065550113", lambda: None, ZoneInfo("UTC")),
        place=app.place,
        check=lambda action: None,
        days=30,
        clock=lambda: app.now,
    )
    case = desk.begin("call-1", f"4:{ADA}", f"4:{LINE}", "en", {})["case"]
    assert desk.call_back(case, ADA, app.now.isoformat())
    app.dies_over(lambda: desk.due(case), at)
    app.minutes(app.cases("handoff", desk, there.agenda), 2)
    assert (app.called, len(list(app.store.open_calls()))) == (1, 1)
    assert len(desk.cases.get(case).attempts) == 1


@pytest.mark.parametrize("at", STEPS)
def test_a_campaign_calls(app: App, at: str) -> None:
    there = OutreachWorld(now=NOON, window=Window())
    parts: Any = SimpleNamespace(
        store=app.store, slots=None, conductor=app.instance, brakes=SimpleNamespace(forbids=lambda opening: "")
    )
    for one in (there.outreach.dialer, there.outreach.ending):
        one._calls, one._now = AppCalls(parts), lambda: app.now
    there.campaign()
    there.add("1", BERLIN)
    app.dies_over(there.dial, at)
    parts.conductor = app.instance
    there.queue.sent.clear()
    there.agenda.put("outreach", "spring", NOON + timedelta(minutes=3))
    app.minutes(app.cases("outreach", there.outreach, there.agenda), 4)
    there.work()
    assert (app.called, len(list(app.store.open_calls()))) == (1, 1)


def test_nobody_is_called_late_who_may_not_be_any_more_and_the_call_is_settled(app: App) -> None:
    app.dies_over(lambda: app.place("click", {}, "k"), "claim")
    asked: list[str] = []

    def may_place(record: CallRecord) -> bool:
        asked.append(record.flow)
        return False

    app.instance.may_place = may_place
    call_id = app.place("click", {}, "k")
    for _ in range(20):
        app.world.clock.pass_seconds(10)
        app.instance.watch()
    assert (app.called, set(asked)) == (0, {"click"})
    assert app.store.peek(call_id).status == "ended"


def test_a_use_case_is_asked_about_its_own_calls_alone(app: App) -> None:
    there, click = click_of(app)
    cases = UseCases({"click": lambda: click}, there.agenda, lambda flow: flow, lambda: app.now)
    assert cases.may_place(CallRecord("a", flow="click"))
    assert cases.may_place(CallRecord("a", flow="support"))
    click.may_place = lambda record: False  # type: ignore[method-assign]
    assert not cases.may_place(CallRecord("a", flow="click"))
    assert cases.may_place(CallRecord("a", flow="support"))
