"""The five guarantees of the core, as properties over any order of deliveries, duplicates and crashes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.calls import Flow, actions, text
from shared.calls.actions import Action
from shared.calls.afterwards import CONFIRM_AFTER
from shared.calls.gateway.base import Request
from shared.calls.journal import EventReceived, Failed, GaveUp, Issued, RefusedEntry, Resent, Settled, Signalled, encode
from shared.calls.lifecycle import FIRST_COMMAND
from shared.calls.outcome import Outcome
from shared.calls.record import CallRecord
from shared.calls.replay import Session, replay
from shared.calls.store.base import Version
from shared.calls.store.memory import MemoryStore
from shared.errors import AlreadyClaimed, LostRace, NotConnected, ResponseLost, StoreUnavailable, UnknownCall
from tests.examples import examples
from tests.unit.calls.outbound import BUSY, DECLINED, OUTBOUND, of_attempt, respond
from tests.unit.calls.world import APOLOGY, CALLER, CHOICES, FLOWS, Instance, World, a_ring, answering, parsed

MAX_STEPS = 400


class Crash(BaseException):
    """The process dies here."""


class Mortal:
    """Counts the points where a process can die or a response can be lost, and lets both happen where it is told.

    Args:
        deaths: points at which the process dies.
        losses: points at which something was carried out and its response does not come, with what comes of it:
            a client of the storage repeats its write and has `met` it, or `gave up`; a request is `unheard`.
    """

    def __init__(self, deaths: Sequence[int], losses: Mapping[int, str]) -> None:
        self.deaths = set(deaths)
        self.losses = dict(losses)
        self.points = 0

    def point(self) -> str:
        self.points += 1
        if self.points in self.deaths:
            raise Crash
        return self.losses.pop(self.points, "")


class MortalStore(MemoryStore):
    """A store whose user can die before and after each write, or not hear that it was made."""

    def __init__(self, mortal: Mortal) -> None:
        super().__init__()
        self.mortal = mortal

    def claim(self, record: CallRecord, journal: Sequence[str]) -> Version:
        self.mortal.point()
        version = super().claim(record, journal)
        self._lose(AlreadyClaimed(record.call_id))
        return version

    def commit(self, record: CallRecord, appended: Sequence[str], version: Version) -> Version:
        self.mortal.point()
        done = super().commit(record, appended, version)
        self._lose(LostRace(record.call_id))
        return done

    def _lose(self, met: Exception) -> None:
        lost = self.mortal.point()
        if lost == "met":
            raise met
        if lost == "gave up":
            raise StoreUnavailable("no response")


class Play:
    """One call, delivered in an order that hypothesis draws."""

    flows: Mapping[str, Flow] = FLOWS

    def __init__(
        self,
        data: st.DataObject,
        flow: str,
        *,
        deaths: Sequence[int] = (),
        losses: Mapping[int, str] | None = None,
        duplicates: bool = True,
        steering: Sequence[str] = (),
    ) -> None:
        self.draw: Callable[..., Any] = data.draw
        self.mortal = Mortal(deaths, losses or {})
        self.world = World(store=MortalStore(self.mortal))
        self.flow = flow
        self.duplicates = duplicates
        self.steering = list(enumerate(steering))
        self.taken: set[str] = set()
        self.seen = 0
        self.call_id = ""
        self.queue: list[dict[str, Any]] = []
        self.conductors = [self._instance(), self._instance()]
        plain = self.world.gateway.perform

        def perform(request: Any) -> Any:
            self.mortal.point()
            answer = plain(request)
            if self.mortal.point() == "unheard" and not request.action.spec.reads:
                raise ResponseLost(request.action.kind, "no response")
            return answer

        self.world.gateway.perform = perform  # type: ignore[method-assign]

    def _instance(self) -> Instance:
        return self.world.conductor(flows=self.flows)

    def run(self) -> None:
        self._attempt(lambda c: self._ring(c))
        for _ in range(MAX_STEPS):
            self._collect()
            if self.steering and self.draw(st.integers(0, 2)) == 0:
                self._steer()
                continue
            if not self.queue and not self.world.timers.due:
                break
            self._deliver_one()
        self._wait_for_the_watchdog()

    def _ring(self, conductor: Instance) -> None:
        self.call_id = conductor.ring(a_ring(self.world.clock.now), answering(), self.flow)[1]

    def _attempt(self, what: Callable[[Instance], None]) -> None:
        """Do it on some instance; if that dies, its memory is gone, and the sender tries again."""
        for _ in range(20):
            which = self.draw(st.integers(0, 1))
            try:
                what(self.conductors[which])
                return
            except StoreUnavailable:
                self._collect()
                self._pass_seconds(self.draw(st.sampled_from([0, 1])))
            except Crash:
                self.conductors[which] = self._instance()
                self._collect()
                self._pass_seconds(self.draw(st.sampled_from([1, 25])))
        raise AssertionError("too many deaths")

    def _collect(self) -> None:
        """The service reacts to what it was asked."""
        performed = self.world.gateway.performed
        for request in performed[self.seen :]:
            self.queue += self._reaction(request)
        self.seen = len(performed)

    def _reaction(self, request: Request) -> list[dict[str, Any]]:
        return self.world.wire.reaction(request, self.draw(st.sampled_from(["yes", "no", None])))

    def _deliver_one(self) -> None:
        if self.world.timers.due and (not self.queue or self.draw(st.booleans())):
            call_id, seq, due = self.world.timers.due.pop(0)
            self._pass_seconds(max(0, due - self.world.clock.now) / 1000)
            self._attempt(lambda c: void(c.wake(call_id, seq, due)))
            return
        body = self.queue.pop(self.draw(st.integers(0, len(self.queue) - 1)))
        self._attempt(lambda c: void(c.deliver(self.call_id, [parsed(body)])))
        if self.duplicates and self.draw(st.integers(0, 3)) == 0:
            self._attempt(lambda c: void(c.deliver(self.call_id, [parsed(body)])))

    def _steer(self) -> None:
        """Somebody uses the HTTP API; who gets no answer asks again with the same key."""
        number, name = self.steering.pop(0)
        key = f"key-{number}"
        for _ in range(self.draw(st.integers(1, 2))):
            if name == "signal":
                self._attempt(lambda c: void(c.signal(self.call_id, "click", number, signal_id=key)))
            else:
                self._attempt(lambda c: self._act(c, STEERING[name], key))

    def _act(self, conductor: Instance, action: Action, key: str) -> None:
        try:
            outcome, operation = conductor.act(self.call_id, action, key)
        except NotConnected:
            assert key not in self.taken
            return
        assert (operation is None) == (outcome is Outcome.LATE)
        if operation is not None:
            self.taken.add(key)

    def _pass_seconds(self, seconds: float) -> None:
        if seconds > CONFIRM_AFTER:
            for conductor in self.conductors:
                self._survive(conductor)
        self.world.clock.pass_seconds(seconds)

    def _survive(self, conductor: Instance) -> None:
        """Background work may die as well; nothing may depend on it."""
        try:
            conductor.later.flush()
        except Crash:
            self.conductors[self.conductors.index(conductor)] = self._instance()

    def _wait_for_the_watchdog(self) -> None:
        self.mortal.deaths.clear()
        self.mortal.losses.clear()
        for _ in range(40):
            self._pass_seconds(31)
            self.conductors[0].watch()
            self._collect()
            while self.queue or self.world.timers.due:
                self._deliver_one()
                self._collect()


def void(_: object) -> None:
    """Takes an outcome that does not matter."""


flows = st.sampled_from(sorted(FLOWS))

STEERING: dict[str, Action] = {
    "play": actions.Play(prompts=(text("a word from outside"),)),
    "ask": actions.ListParticipants(),
    "recognize": actions.Recognize(input="choices", participant=CALLER, choices=CHOICES),
    "hang_up": actions.HangUp(),
    "terminate": actions.Terminate(),
}
steering = st.lists(st.sampled_from([*STEERING, "signal"]), max_size=5)


def assert_whole(play: Play) -> None:
    """What must hold at the end of every call, whatever happened to it."""
    stored = play.world.store.load(play.call_id)
    journal = play.world.journal(play.call_id)
    assert stored.record.status == "ended"
    assert list(play.world.store.open_calls()) == []
    issued = [entry for entry in journal if isinstance(entry, Issued) and entry.command is None]
    assert [entry.seq for entry in issued] == list(range(len(issued)))
    commands = [entry for entry in journal if isinstance(entry, Issued) and entry.command is not None]
    assert [entry.seq for entry in commands] == [FIRST_COMMAND + number for number in range(len(commands))]
    assert len({entry.command for entry in commands}) == len(commands)
    assert {entry.command for entry in commands} >= play.taken
    signals = [entry.id for entry in journal if isinstance(entry, Signalled)]
    assert len(set(signals)) == len(signals)
    ids = [entry.event["id"] for entry in journal if isinstance(entry, EventReceived)]
    assert len(ids) == len(set(ids))
    assert replay(play.flows[play.flow], play.call_id, journal, apology=APOLOGY) == []


@settings(max_examples=examples(150), deadline=None)
@given(data=st.data(), flow=flows, steering=steering)
def test_any_order_and_any_duplicates_request_each_action_exactly_once(
    data: st.DataObject, flow: str, steering: list[str]
) -> None:
    play = Play(data, flow, steering=steering)
    play.run()
    assert_whole(play)
    journal = play.world.journal(play.call_id)
    assert not any(isinstance(entry, Resent) for entry in journal)
    in_service = [e.seq for e in journal if isinstance(e, Issued) and e.action.spec.in_service]
    assert Counter(request.seq for request in play.world.gateway.sent) == Counter(in_service)


@settings(max_examples=examples(300), deadline=None)
@given(data=st.data(), flow=flows, steering=steering, deaths=st.lists(st.integers(1, 40), max_size=4))
def test_a_crash_at_any_point_is_made_good(
    data: st.DataObject, flow: str, steering: list[str], deaths: list[int]
) -> None:
    play = Play(data, flow, deaths=deaths, steering=steering)
    play.run()
    assert_whole(play)
    assert_asked_once(play)


losses = st.dictionaries(st.integers(1, 40), st.sampled_from(["met", "gave up", "unheard"]), max_size=5)


@settings(max_examples=examples(300), deadline=None)
@given(data=st.data(), flow=flows, steering=steering, deaths=st.lists(st.integers(1, 40), max_size=2), losses=losses)
def test_a_response_that_is_lost_anywhere_is_made_good(
    data: st.DataObject, flow: str, steering: list[str], deaths: list[int], losses: dict[int, str]
) -> None:
    play = Play(data, flow, deaths=deaths, losses=losses, steering=steering)
    play.run()
    assert_whole(play)
    assert_asked_once(play)
    if flow == "menu":
        assert_what_was_said_counts(play)


@settings(max_examples=examples(100), deadline=None)
@given(data=st.data(), flow=flows, losses=st.dictionaries(st.integers(1, 40), st.just("met"), max_size=5))
def test_a_write_whose_response_is_lost_costs_the_caller_nothing(
    data: st.DataObject, flow: str, losses: dict[int, str]
) -> None:
    play = Play(data, flow, losses=losses)
    play.run()
    assert_whole(play)
    assert not any(isinstance(entry, Resent) for entry in play.world.journal(play.call_id))


def assert_asked_once(play: Play) -> None:
    """What the service can tell apart runs once; each attempt of what it cannot is asked for once."""
    requests = play.world.gateway.sent
    once = Counter((r.seq, r.attempt, r.action.kind) for r in requests if not r.action.spec.repeatable)
    assert max(once.values(), default=1) == 1
    performed = Counter(r.seq for r in play.world.gateway.performed if r.action.spec.repeatable)
    assert max(performed.values(), default=1) == 1


def assert_what_was_said_counts(play: Play) -> None:
    """The first outcome of a recognize is what the flow goes by, whichever sending of it brought it."""
    journal = play.world.journal(play.call_id)
    over: set[str] = set()
    for position, entry in enumerate(journal):
        if not isinstance(entry, EventReceived) or not entry.event["type"].endswith("RecognizeCompleted"):
            continue
        seq = entry.event["data"]["operationContext"].split(":")[1]
        before = journal[:position]
        ended = any(
            isinstance(e, EventReceived) and e.event["type"].endswith("CallDisconnected") for e in before
        ) or any(isinstance(e, Failed | GaveUp | Settled | RefusedEntry) for e in before)
        failed = any(
            isinstance(e, EventReceived)
            and e.event["type"].endswith("RecognizeFailed")
            and e.event["data"]["operationContext"].split(":")[1] == seq
            for e in before
        )
        if seq in over or ended or failed or int(seq) >= FIRST_COMMAND:
            continue
        over.add(seq)
        label = entry.event["data"]["choiceResult"]["label"]
        asked = next(e for e in journal[position:] if isinstance(e, Issued) and e.command is None)
        assert isinstance(asked.action, actions.Play)
        assert asked.action.prompts[0] == text(f"You chose {label}")


@settings(max_examples=examples(60), deadline=None)
@given(data=st.data(), flow=flows, steering=steering)
def test_every_prefix_of_a_journal_gives_the_operations_that_follow_it(
    data: st.DataObject, flow: str, steering: list[str]
) -> None:
    play = Play(data, flow, steering=steering)
    play.run()
    journal = play.world.journal(play.call_id)
    position = 0
    while position < len(journal):
        position += 1
        ours = journal[:position]
        follows = []
        for entry in journal[position:]:
            if not isinstance(entry, Issued | Failed) or (isinstance(entry, Issued) and entry.command is not None):
                break
            follows.append(entry)
        found = replay(FLOWS[flow], play.call_id, ours, apology=APOLOGY)
        assert [(e.entry, getattr(e, "action", None)) for e in found] == [
            (e.entry, getattr(e, "action", None)) for e in follows
        ]


@settings(max_examples=examples(60), deadline=None)
@given(data=st.data(), flow=flows, steering=steering)
def test_a_warm_session_and_a_cold_one_end_in_the_same_state(
    data: st.DataObject, flow: str, steering: list[str]
) -> None:
    play = Play(data, flow, steering=steering)
    play.run()
    cold = Session(FLOWS[flow], play.call_id, apology=APOLOGY)
    for entry in play.world.journal(play.call_id):
        cold.feed(entry)
    warm = play.world.store.load(play.call_id).record
    cold.adopt(warm)
    assert cold.record == warm


# Calls that their flow places


class OutboundPlay(Play):
    """A call that its flow places; what becomes of each attempt, hypothesis draws."""

    flows = OUTBOUND

    def __init__(self, data: st.DataObject, flow: str, **options: Any) -> None:
        super().__init__(data, flow, **options)
        self.world.gateway._answer = respond
        self.fates: list[str] = []

    def _ring(self, conductor: Instance) -> None:
        self.call_id = conductor.place(self.flow, None, key="one")[1]

    def _reaction(self, request: Request) -> list[dict[str, Any]]:
        if not isinstance(request.action, actions.CreateCall):
            connection = request.connection_id.removeprefix("connection-")
            return [of_attempt(body, int(connection)) for body in self.world.wire.reaction(request)]
        fate = self.draw(st.sampled_from(["busy", "declined", "taken"]))
        self.fates.append(fate)
        if fate == "taken":
            return [of_attempt(body, request.seq) for body in self.world.wire.reaction(request)]
        result = BUSY if fate == "busy" else DECLINED
        context = self.draw(st.sampled_from([None, request.operation_context]))
        failed = self.world.wire.event("CreateCallFailed", request.operation_context, result)
        over = self.world.wire.event("CallDisconnected", context, result)
        return [of_attempt(failed, request.seq), of_attempt(over, request.seq)]


def assert_placed_as_it_went(play: OutboundPlay) -> None:
    """Each attempt is placed once, and what became of the last one is what became of the call."""
    record, journal = play.world.store.peek(play.call_id), play.world.journal(play.call_id)
    placed = [entry.seq for entry in journal if isinstance(entry, Issued) and entry.action.kind == "create_call"]
    performed = [r.seq for r in play.world.gateway.performed if r.action.kind == "create_call"]
    assert performed == placed
    assert record.attempts == len(placed) == len(play.fates)
    assert not any(isinstance(entry, Failed) for entry in journal)
    assert [r for r in play.world.gateway.sent if r.action.kind == "play" and not r.connection_id] == []
    if record.outcome == "hung_up":
        return
    assert "taken" not in play.fates[:-1]
    assert record.outcome == ("completed" if play.fates[-1] == "taken" else play.fates[-1])
    most = {"calls_twice": 2, "calls_at_once": 3, "waits_and_calls": 1}[play.flow]
    again = play.fates[-1] == "busy" or (play.flow == "calls_twice" and play.fates[-1] == "declined")
    assert not again or len(play.fates) == most


outbound_flows = st.sampled_from(["calls_twice", "calls_at_once", "waits_and_calls"])
outbound_steering = st.lists(st.sampled_from(["play", "ask", "hang_up", "terminate", "signal"]), max_size=3)


@settings(max_examples=examples(300), deadline=None)
@given(
    data=st.data(),
    flow=outbound_flows,
    steering=outbound_steering,
    deaths=st.lists(st.integers(1, 40), max_size=3),
    losses=losses,
)
def test_a_call_that_its_flow_places_again_ends_as_its_last_attempt_did(
    data: st.DataObject, flow: str, steering: list[str], deaths: list[int], losses: dict[int, str]
) -> None:
    play = OutboundPlay(data, flow, deaths=deaths, losses=losses, steering=steering)
    play.run()
    assert_whole(play)
    assert_asked_once(play)
    assert_placed_as_it_went(play)


@settings(max_examples=examples(100), deadline=None)
@given(data=st.data(), flow=outbound_flows, steering=outbound_steering)
def test_a_warm_session_and_a_cold_one_of_a_placed_call_end_in_the_same_state(
    data: st.DataObject, flow: str, steering: list[str]
) -> None:
    play = OutboundPlay(data, flow, steering=steering)
    play.run()
    cold = Session(OUTBOUND[flow], play.call_id, apology=APOLOGY)
    cold.feed_stored(map(encode, play.world.journal(play.call_id)))
    warm = play.world.store.load(play.call_id).record
    cold.adopt(warm)
    assert cold.record == warm


def test_an_event_for_a_call_that_nobody_knows_is_an_unknown_call() -> None:
    world = World()
    with pytest.raises(UnknownCall) as caught:
        world.conductor().deliver("nobody", [parsed(world.wire.event("CallConnected"))])
    assert caught.value.call_id == "nobody"


def test_an_unknown_event_is_journaled_and_otherwise_ignored() -> None:
    world = World()
    conductor = world.conductor()
    call_id = conductor.ring(a_ring(), answering(), "menu")[1]
    sent = len(world.gateway.sent)
    assert conductor.deliver(call_id, [parsed(world.wire.event("SomethingNew"))]) is Outcome.ADVANCED
    assert len(world.gateway.sent) == sent
    last = world.journal(call_id)[-1]
    assert isinstance(last, EventReceived)
    assert last.event["type"] == "Microsoft.Communication.SomethingNew"
