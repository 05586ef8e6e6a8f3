"""Slots are never overdrawn, and all are free soon after the last leg: over any order, duplicates, crashes, losses."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.calls.afterwards import CONFIRM_AFTER
from shared.errors import LostRace, ResponseLost, StoreUnavailable
from shared.text_rows import MemoryTextRows
from tests.examples import examples
from tests.unit.calls.test_guarantees import Crash, Mortal, MortalStore, void
from tests.unit.calls.world import Instance, World, parsed
from tests.unit.slots.service import FLOWS, NUMBER, Number, Telephones, ledger, taken

LIMIT = 2
MAX_STEPS = 300


class MortalRows(MemoryTextRows):
    """Rows whose user can die before and after each write, or not hear that it was made."""

    def __init__(self, mortal: Mortal) -> None:
        super().__init__()
        self.mortal = mortal

    def replace(self, name: str, text: str, version: object | None) -> object:
        self.mortal.point()
        done = super().replace(name, text, version)
        lost = self.mortal.point()
        if lost == "met":
            raise LostRace(name)
        if lost:
            raise StoreUnavailable("no response")
        return done


class Office:
    """Several calls at once under one number, on two instances that die, in an order that hypothesis draws."""

    def __init__(self, data: st.DataObject, flow: str, deaths: Sequence[int], losses: Mapping[int, str]) -> None:
        self.draw: Callable[..., Any] = data.draw
        self.flow = flow
        self.mortal = Mortal(deaths, losses)
        self.world = World(store=MortalStore(self.mortal))
        self.rows = MortalRows(self.mortal)
        self.service = Telephones(self.world)
        self.steps: list[tuple[str, Callable[[str], list[dict[str, Any]]]]] = []
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.world.gateway._answer = self.service.respond
        self.world.gateway.connection_state = self.service.state  # type: ignore[method-assign]
        plain, ran = self.world.gateway.perform, self.world.gateway.performed

        def perform(request: Any) -> Any:
            self.mortal.point()
            before = len(ran)
            answer = plain(request)
            if len(ran) > before:
                self.service.starts(request)
                self.steps += [(request.call_id, step) for step in self.service.run(request)]
            if self.mortal.point() == "unheard" and not request.action.spec.reads:
                raise ResponseLost(request.action.kind, "no response")
            return answer

        self.world.gateway.perform = perform  # type: ignore[method-assign]
        self.instances = [self._instance(), self._instance()]

    def _instance(self) -> Instance:
        numbers = {NUMBER: Number(concurrent_out=LIMIT)}
        return self.world.conductor(flows=FLOWS, slots=ledger(self.rows, self.world.clock, numbers))

    def run(self, calls: int) -> None:
        for number in range(calls):
            self._attempt(lambda one, key=f"call {number}": void(one.place(self.flow, None, key=key)))  # type: ignore[misc]
        for _ in range(MAX_STEPS):
            if not (self.steps or self.events or self.world.timers.due):
                break
            self._step()
            if not self.events and self.draw(st.integers(0, 9)) == 0:
                self._pass(self.draw(st.sampled_from([-30.0, 2.0, 30.0])))  # clocks are set, too
            if self.draw(st.integers(0, 5)) == 0:
                self._attempt(lambda one: void(one.watch()))
        self._settle()

    def _step(self) -> None:
        # No event is under way for as long as a flow sleeps.
        what = [bool(self.events), bool(self.steps), bool(self.world.timers.due) and not self.events]
        kind = self.draw(st.sampled_from([at for at, there in enumerate(what) if there]))
        if kind == 0:
            call_id, body = self.events.pop(self.draw(st.integers(0, len(self.events) - 1)))
            for _ in range(self.draw(st.sampled_from([1, 1, 2]))):
                self._attempt(lambda one: void(one.deliver(call_id, [parsed(body)])))
        elif kind == 1:
            call_id, step = self.steps.pop(0)
            self.events += [(call_id, body) for body in step(self.draw(st.sampled_from(["works", "works", "fails"])))]
        else:
            call_id, seq, due = self.world.timers.due.pop(0)
            self._pass(max(0, due - self.world.clock.now) / 1000)
            self._attempt(lambda one: void(one.wake(call_id, seq, due)))

    def _attempt(self, what: Callable[[Instance], None]) -> None:
        for _ in range(20):
            which = self.draw(st.integers(0, 1))
            try:
                what(self.instances[which])
                return
            except StoreUnavailable:
                self._pass(1)
            except Crash:
                self.instances[which] = self._instance()
                self._pass(self.draw(st.sampled_from([1.0, 25.0])))
        raise AssertionError("too many deaths")

    def _pass(self, seconds: float) -> None:
        if seconds > CONFIRM_AFTER:
            for at, instance in enumerate(self.instances):
                try:
                    instance.later.flush()
                except Crash:
                    self.instances[at] = self._instance()
        self.world.clock.pass_seconds(seconds)
        self.service.give_up()

    def _settle(self) -> None:
        """The watchdog does the rest: nothing else happens but what was asked for."""
        self.mortal.deaths.clear()
        self.mortal.losses.clear()
        for _ in range(200):
            self._pass(5)
            self._attempt(lambda one: void(one.watch()))
            while self.steps or self.events:
                self._step()
            due = self.world.timers.due
            if due and due[0][2] <= self.world.clock.now:
                self._step()
            elif not due and not self.service.live and not list(self.world.store.open_calls()):
                break


@settings(max_examples=examples(150), deadline=None)
@given(
    data=st.data(),
    flow=st.sampled_from(sorted(FLOWS)),
    calls=st.integers(1, 4),
    deaths=st.lists(st.integers(1, 80), max_size=4),
    losses=st.dictionaries(st.integers(1, 80), st.sampled_from(["met", "gave up", "unheard"]), max_size=5),
)
def test_slots_are_never_overdrawn_and_all_are_free_in_the_end(
    data: st.DataObject, flow: str, calls: int, deaths: list[int], losses: dict[int, str]
) -> None:
    office = Office(data, flow, deaths, losses)
    office.run(calls)
    assert office.service.most <= LIMIT
    transferred = len(office.service.live)
    over_at = max(office.service.ended_at, office.world.clock.now if transferred else 0)
    office.world.clock.now = max(office.world.clock.now, over_at + 55_000)
    office.instances[0].watch()
    assert transferred <= taken(office.rows) <= (LIMIT if transferred else 0)
    if transferred:
        office.world.clock.pass_seconds(3600)
        office.instances[0].watch()
        assert taken(office.rows) == 0
