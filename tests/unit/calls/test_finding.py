"""Calls are found by what becomes known of them, when it becomes known, and nothing waits for that."""

from __future__ import annotations

import base64
import dataclasses
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.calls import Call, CallError, Flow, actions, text
from shared.calls.afterwards import CONFIRM_AFTER
from shared.calls.finding import call_of_recording
from shared.calls.gateway.base import Request
from shared.calls.journal import LifecycleEvent, Settled
from shared.calls.outcome import Outcome
from shared.calls.record import MAX_RECORDINGS, CallRecord
from shared.calls.replay import Session
from shared.calls.store.base import By, Found
from shared.calls.store.memory import MemoryStore
from shared.errors import StoreUnavailable, UnknownCall
from shared.identifiers import Identifier
from shared.privacy import NumberHashes
from tests.examples import examples
from tests.unit.calls.world import CALLEE, CALLER, FLOWS, Instance, World, a_ring, answering, parsed, respond

SERVER_CALL = "c2VydmVy"
CORRELATION = "5d1f3a52-0000-4000-8000-000000000001"
CONNECTION = "02004780-0000-4000-8000-000000000001"
RECORDING = "eyJQbGF0Zm9ybUVuZHBvaW50SWQiOiIx"
PLACED = actions.CreateCall(targets=(CALLER,), caller_id=CALLEE)
CALL_ENDED = {"eventType": "Microsoft.Communication.CallEnded"}
KEY = base64.b64encode(b"n" * 32).decode()


async def recorded(call: Call) -> None:
    """Starts a recording and waits."""
    await call.start_recording()
    await call.signal("never")


async def dialling(call: Call) -> None:
    """Places its call by itself."""
    await call.create_call(CALLER.raw_id, caller_id=CALLEE.raw_id)
    await call.signal("never")


FLOWS_HERE = {
    **FLOWS,
    "recorded": Flow("recorded", recorded),
    "dialling": Flow("dialling", dialling, opens=True),
}


class CountingStore(MemoryStore):
    """Counts the rows of the index that are written."""

    def __init__(self) -> None:
        super().__init__(NumberHashes(KEY))
        self.written: list[str] = []

    def _merge(self, row: Any) -> None:
        self.written.append(row.partition.partition(" ")[0])
        super()._merge(row)


@pytest.fixture
def world() -> World:
    return World(store=CountingStore(), gateway=World().gateway)


def instance(world: World) -> Instance:
    conductor = world.conductor(flows=FLOWS_HERE)
    world.gateway._answer = answer
    return conductor


def answer(request: Request) -> dict[str, Any]:
    """As the service answers: a placed call has no server call id yet."""
    match request.action.kind:
        case "create_call":
            return {"callConnectionId": CONNECTION, "serverCallId": None, "correlationId": CORRELATION}
        case "answer":
            return {"callConnectionId": CONNECTION, "serverCallId": SERVER_CALL, "correlationId": CORRELATION}
        case "start_recording":
            return {"recordingId": RECORDING, "recordingState": "inactive"}
    return {}


def found(world: World, by: By, value: str) -> list[str]:
    return [one.call_id for one in world.store.search(by, value)]


def written(world: World) -> list[str]:
    store = world.store
    assert isinstance(store, CountingStore)
    rows, store.written = store.written, []
    return sorted(rows)


def hear(world: World, conductor: Instance, call_id: str) -> None:
    for event in world.wire.reaction(world.last()):
        conductor.deliver(call_id, [parsed(event)])


# What becomes known, and when


def test_an_incoming_call_is_found_by_everything_once_it_is_answered(world: World) -> None:
    _, call_id = instance(world).ring(a_ring(), answering(), "menu")
    for by, value in (
        ("server_call_id", SERVER_CALL),
        ("correlation_id", CORRELATION),
        ("connection_id", CONNECTION),
        ("number", CALLER.raw_id),
        ("number", CALLEE.raw_id),
    ):
        assert found(world, by, value) == [call_id], by  # type: ignore[arg-type]


def test_a_placed_call_is_found_by_its_server_call_id_once_a_callback_brings_it(world: World) -> None:
    conductor = instance(world)
    _, call_id = conductor.place("menu", PLACED)
    assert found(world, "server_call_id", SERVER_CALL) == []
    assert found(world, "connection_id", CONNECTION) == [call_id]
    assert found(world, "correlation_id", CORRELATION) == [call_id]
    assert found(world, "number", CALLER.raw_id) == [call_id]
    hear(world, conductor, call_id)
    assert found(world, "server_call_id", SERVER_CALL) == [call_id]


def test_a_call_that_its_flow_places_is_found_by_the_number_that_it_dialled(world: World) -> None:
    _, call_id = instance(world).place("dialling", None)
    assert found(world, "number", CALLER.raw_id) == [call_id]
    assert found(world, "number", CALLEE.raw_id) == [call_id]
    (row,) = world.store.listed("2026-09-21")
    assert (row.caller, row.callee) == (CALLEE.raw_id, CALLER.raw_id)


def test_a_recording_is_found_with_the_response_that_starts_it(world: World) -> None:
    conductor = instance(world)
    _, call_id = conductor.ring(a_ring(), answering(), "recorded")
    hear(world, conductor, call_id)
    assert world.kinds()[-1] == "start_recording"
    assert found(world, "recording_id", RECORDING) == [call_id]
    assert call_of_recording(world.store, RECORDING, "") == call_id


def test_a_recording_whose_response_got_lost_is_found_with_its_first_event(world: World) -> None:
    conductor = instance(world)
    world.gateway._answer = lambda request: {} if request.action.kind == "start_recording" else answer(request)
    _, call_id = conductor.ring(a_ring(), answering(), "recorded")
    hear(world, conductor, call_id)
    event = world.wire.event("RecordingStateChanged", recordingId="rec-9", state="active")
    conductor.deliver(call_id, [parsed(event)])
    assert found(world, "recording_id", "rec-9") == [call_id]


def test_a_head_names_the_newest_recordings_and_each_once() -> None:
    record = CallRecord("call-1")
    for number in range(MAX_RECORDINGS + 5):
        for _ in range(2):
            record.recorded_as(f"rec-{number}")
    record.recorded_as(None)
    record.recorded_as("")
    assert record.recording_ids == tuple(f"rec-{number}" for number in range(5, MAX_RECORDINGS + 5))


def test_an_instance_that_loads_a_placed_call_keeps_the_correlation_id_that_its_response_brought(world: World) -> None:
    conductor = instance(world)
    _, call_id = conductor.place("menu", PLACED)
    conductor.later.flush()
    instance(world).signal(call_id, "click")
    assert world.store.peek(call_id).correlation_id == CORRELATION


# How often it is written


def test_each_row_of_a_call_is_written_once(world: World) -> None:
    conductor = instance(world)
    _, call_id = conductor.place("menu", PLACED)
    assert written(world) == ["connection", "correlation", "day", "number", "number", "open"]
    while world.store.peek(call_id).status != "ended":
        hear(world, conductor, call_id)
    assert written(world) == ["day", "day", "server"]  # it is up, and it is over
    conductor.later.flush()
    assert written(world) == []


def test_what_only_the_last_event_tells_is_written_once_with_the_close(world: World) -> None:
    conductor = instance(world)
    _, call_id = conductor.place("menu", PLACED)
    written(world)
    conductor.deliver(
        call_id, [parsed(world.wire.event("CreateCallFailed", world.last().operation_context, (486, 0, "busy")))]
    )
    assert found(world, "server_call_id", SERVER_CALL) == [call_id]
    assert list(world.store.open_calls()) == []
    assert written(world) == ["day", "server"]


def test_a_cold_instance_knows_from_the_head_which_rows_stand(world: World) -> None:
    conductor = instance(world)
    _, call_id = conductor.ring(a_ring(), answering(), "menu")
    hear(world, conductor, call_id)
    hear(world, conductor, call_id)
    written(world)
    instance(world).deliver(call_id, [parsed(world.wire.event("PlayStarted", world.last().operation_context))])
    assert written(world) == []


def test_a_call_that_hears_nothing_more_has_its_rows_in_its_head_soon(world: World) -> None:
    """Or else every watchdog would write them again, as long as the call lasts."""
    conductor = instance(world)
    _, call_id = conductor.ring(a_ring(), answering(), "recorded")
    hear(world, conductor, call_id)
    assert not world.store.indexed(world.store.peek(call_id))
    world.clock.pass_seconds(CONFIRM_AFTER)
    conductor.later.flush()
    record = world.store.peek(call_id)
    assert world.store.indexed(record)
    written(world)
    world.clock.pass_seconds(25)
    for watchdog in (conductor, instance(world)):
        watchdog.watch()
    assert written(world) == []
    assert world.store.peek(call_id) == record


def test_a_commit_in_between_says_which_rows_stand_and_no_other_is_needed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    conductor = instance(world)
    _, call_id = conductor.ring(a_ring(), answering(), "menu")
    hear(world, conductor, call_id)
    hear(world, conductor, call_id)
    conductor.deliver(call_id, [parsed(world.wire.event("PlayStarted", world.last().operation_context))])
    commits: list[str] = []
    monkeypatch.setattr(world.store, "commit", lambda *_: commits.append("commit"))
    conductor.later.flush()
    assert commits == []


# What must not go wrong


def test_what_a_dead_instance_did_not_write_the_watchdog_does(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    conductor = instance(world)
    _, call_id = conductor.place("recorded", PLACED)
    jobs: dict[str, Any] = {}
    monkeypatch.setattr(conductor.later, "soon", lambda key, job, delay=0.0: jobs.setdefault(key, job))
    hear(world, conductor, call_id)  # and it dies: none of its jobs ever runs
    assert found(world, "server_call_id", SERVER_CALL) == []
    world.clock.pass_seconds(21)
    instance(world).watch()
    assert found(world, "server_call_id", SERVER_CALL) == [call_id]
    assert found(world, "recording_id", RECORDING) == [call_id]
    written(world)
    world.clock.pass_seconds(30)
    instance(world).watch()
    assert written(world) == []


def test_the_watchdog_leaves_a_call_that_heard_something_just_now_to_its_instance(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    conductor = instance(world)
    _, call_id = conductor.place("recorded", PLACED)
    with monkeypatch.context() as patch:
        patch.setattr(conductor.later, "soon", lambda *_: None)
        hear(world, conductor, call_id)
    written(world)
    world.clock.pass_seconds(6)
    instance(world).watch()
    assert written(world) == []


def test_a_call_is_closed_with_every_row_that_its_head_knows_of(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    conductor = instance(world)
    _, call_id = conductor.place("recorded", PLACED)
    with monkeypatch.context() as patch:
        patch.setattr(conductor.later, "soon", lambda *_: None)
        hear(world, conductor, call_id)
        conductor.deliver(call_id, [parsed(world.wire.event("CallDisconnected", None, (200, 5000, "left")))])
    world.clock.pass_seconds(21)
    instance(world).watch()
    assert list(world.store.open_calls()) == []
    assert found(world, "server_call_id", SERVER_CALL) == [call_id]
    assert found(world, "recording_id", RECORDING) == [call_id]


def test_an_index_that_cannot_be_written_now_disturbs_no_call_and_is_written_with_the_next_event(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    conductor = instance(world)
    _, call_id = conductor.place("menu", PLACED)
    with monkeypatch.context() as patch:
        patch.setattr(world.store, "index", unavailable)
        hear(world, conductor, call_id)
    assert found(world, "server_call_id", SERVER_CALL) == []
    assert world.kinds() == ["create_call", "recognize"]
    hear(world, conductor, call_id)
    assert found(world, "server_call_id", SERVER_CALL) == [call_id]


def unavailable(*_: object) -> Any:
    raise StoreUnavailable("down")


@settings(max_examples=examples(40), deadline=None)
@given(st.lists(st.integers(0, 2), min_size=1, max_size=12), st.sampled_from(["recorded", "menu", "dialling"]))
def test_a_session_that_is_loaded_knows_what_one_that_lived_on_knows(which: list[int], flow: str) -> None:
    world = World(store=CountingStore())
    conductors = [instance(world) for _ in range(3)]
    _, call_id = conductors[0].place(flow, None if flow == "dialling" else PLACED)
    for number in which:
        hear(world, conductors[number], call_id)
    stored = world.store.load(call_id)
    cold = Session(FLOWS_HERE[flow], call_id)
    for entry in world.journal(call_id):
        cold.feed(entry)
    cold.adopt(stored.record)
    assert cold.record == stored.record


# Lifecycle events of a conversation


def test_lifecycle_events_of_a_placed_call_are_journaled_whether_they_come_before_or_after_its_first_callback(
    world: World,
) -> None:
    conductor = instance(world)
    _, call_id = conductor.place("menu", PLACED)
    with pytest.raises(UnknownCall):
        conductor.deliver_lifecycle_event(SERVER_CALL, "grid-0", CALL_ENDED, correlation_id="another")
    conductor.deliver_lifecycle_event(SERVER_CALL, "grid-1", CALL_ENDED, correlation_id=CORRELATION)
    hear(world, conductor, call_id)
    conductor.deliver_lifecycle_event(SERVER_CALL, "grid-2", CALL_ENDED, correlation_id=CORRELATION)
    noticed = [entry.id for entry in world.journal(call_id) if isinstance(entry, LifecycleEvent)]
    assert noticed == ["grid-1", "grid-2"]


def test_a_lifecycle_event_stands_in_every_call_of_its_conversation(world: World) -> None:
    """A user who is added to a call rings in the same conversation, and another flow answers."""
    conductor = instance(world)
    _, first = conductor.ring(a_ring(), answering(), "menu")
    added = dataclasses.replace(a_ring(context="another"), callee=Identifier.parse("8:acs:ada"), at=world.clock.now + 1)
    world.clock.pass_seconds(1)
    _, second = conductor.ring(added, answering(), "recorded")
    for _ in range(2):
        outcome = conductor.deliver_lifecycle_event(SERVER_CALL, "grid-1", CALL_ENDED)
    assert outcome is Outcome.DUPLICATE
    for call_id in (first, second):
        assert [entry.id for entry in world.journal(call_id) if isinstance(entry, LifecycleEvent)] == ["grid-1"]


def test_a_call_of_the_conversation_whose_rows_are_gone_keeps_no_event_from_the_others(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    conductor = instance(world)
    _, call_id = conductor.ring(a_ring(), answering(), "menu")
    ghosts = [Found("gone", "0"), Found(call_id, "1")]
    monkeypatch.setattr(world.store, "search", lambda *_, **__: iter(ghosts))
    assert conductor.deliver_lifecycle_event(SERVER_CALL, "grid-1", CALL_ENDED) is Outcome.ADVANCED
    ghosts.pop()
    with pytest.raises(UnknownCall):
        conductor.deliver_lifecycle_event(SERVER_CALL, "grid-2", CALL_ENDED)


def test_the_prompt_after_an_answer_does_not_wait_for_the_index(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    perform, index = world.gateway.perform, world.store.index
    conductor = instance(world)

    def performing(request: Request) -> Any:
        order.append(request.action.kind)
        return perform(request)

    def indexing(record: CallRecord) -> Any:
        order.append("index")
        return index(record)

    monkeypatch.setattr(world.gateway, "perform", performing)
    monkeypatch.setattr(world.store, "index", indexing)
    _, call_id = conductor.ring(a_ring(), actions.Answer(), "careful")
    hear(world, conductor, call_id)
    assert order == ["answer", "index", "play", "index"]
    assert text("hello") in world.last().action.prompts  # type: ignore[attr-defined]


# Hosts that are slow, or keep nothing in memory


def ends(world: World, conductor: Instance, call_id: str) -> None:
    """The caller leaves; the call is archived and closed."""
    conductor.deliver(call_id, [parsed(world.wire.event("CallDisconnected", None, (200, 5000, "left")))])
    conductor.later.flush()
    assert list(world.store.open_calls()) == []


def test_a_slow_host_that_knew_a_call_as_open_does_not_put_it_back_among_the_open_ones(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow, other = instance(world), instance(world)
    jobs: dict[str, Any] = {}
    _, call_id = slow.place("recorded", PLACED)
    with monkeypatch.context() as patch:
        patch.setattr(slow.later, "soon", lambda key, job, delay=0.0: jobs.setdefault(key, job))
        hear(world, slow, call_id)
    ends(world, other, call_id)
    written(world)
    world.clock.pass_seconds(2)
    jobs[f"index {call_id}"]()
    assert written(world) == ["day", "recording", "server"]
    slow.later.flush()
    assert list(world.store.open_calls()) == []
    assert found(world, "recording_id", RECORDING) == [call_id]


def test_a_call_that_ends_while_its_host_waits_for_the_service_is_not_put_among_the_open_ones(world: World) -> None:
    slow, other = instance(world), instance(world)

    def takes_its_time(request: Request) -> Any:
        if request.action.kind == "create_call":
            world.clock.pass_seconds(2)
            ends(world, other, request.call_id)
        return respond(request)

    world.gateway._answer = takes_its_time
    _, call_id = slow.place("recorded", PLACED)
    slow.later.flush()
    assert list(world.store.open_calls()) == []
    assert found(world, "number", CALLER.raw_id) == [call_id]


def test_a_call_that_ended_before_its_response_came_is_found_by_what_the_response_brought(world: World) -> None:
    slow, other = instance(world), instance(world)

    def takes_its_time(request: Request) -> Any:
        if request.action.kind == "create_call":
            world.clock.pass_seconds(2)
            other.advance(request.call_id, [(Settled(at=world.clock.now, reason="never connected"), None)])
        return respond(request)

    world.gateway._answer = takes_its_time
    _, call_id = slow.place("recorded", PLACED)
    assert found(world, "connection_id", CONNECTION) == [call_id]


def test_what_is_in_memory_is_checked_before_it_is_put_among_the_open_ones_once_it_is_old(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[str] = []
    conductor = instance(world)
    _, call_id = conductor.place("recorded", PLACED)
    peek, held = world.store.peek, conductor._cache.take(call_id)
    assert held is not None

    def counted(call_id: str) -> CallRecord:
        looks.append(call_id)
        return peek(call_id)

    monkeypatch.setattr(world.store, "peek", counted)
    record = held.session.record
    for seconds, recording, seen in ((1, "one", 0), (0.001, "two", 1)):
        world.clock.pass_seconds(seconds)
        record.recording_ids = (*record.recording_ids, recording)
        conductor.afterwards.write_index(record)
        assert len(looks) == seen
        assert found(world, "recording_id", recording) == [call_id]


def test_a_duplicate_of_a_call_whose_rows_stand_has_nothing_written(world: World) -> None:
    conductor = instance(world)
    _, call_id = conductor.place("recorded", PLACED, key="k")
    conductor.later.flush()
    version = world.store.load(call_id).version
    written(world)
    again = instance(world)
    again.place("recorded", PLACED, key="k")
    assert not [key for key in again.later.waiting if key.startswith("confirm")]  # type: ignore[attr-defined]
    again.later.flush()
    assert written(world) == []
    assert world.store.load(call_id).version == version


@pytest.mark.parametrize("held", [0, 100])
def test_a_host_that_keeps_no_call_in_memory_writes_each_row_once(world: World, held: int) -> None:
    conductor = world.conductor(flows=FLOWS_HERE, cached_calls=held)
    _, call_id = conductor.place("recorded", PLACED)
    assert written(world) == ["connection", "correlation", "day", "number", "number", "open"]
    conductor.later.flush()  # a moment later
    hear(world, conductor, call_id)
    assert written(world) == ["day", "recording", "server"]
    conductor.later.flush()
    for number in range(3):
        conductor.signal(call_id, "click", number)
        conductor.later.flush()
    assert written(world) == []
    assert world.store.indexed(world.store.peek(call_id))


def test_a_host_that_keeps_no_call_in_memory_acts_on_the_call_that_it_has_just_placed(world: World) -> None:
    conductor = world.conductor(flows=FLOWS_HERE, cached_calls=0)
    _, call_id = conductor.place("recorded", PLACED)
    assert conductor.act(call_id, actions.HangUp(), "key")[0] is Outcome.ADVANCED
    assert world.kinds() == ["create_call", "hang_up"]
    assert world.last().connection_id == CONNECTION


@pytest.mark.parametrize("confirmed", [False, True])
def test_another_instance_can_hang_up_a_call_that_was_just_placed(world: World, confirmed: bool) -> None:
    one, other = instance(world), instance(world)
    _, call_id = one.place("recorded", PLACED)
    assert world.store.peek(call_id).call_connection_id == ""
    if confirmed:
        one.later.flush()
    assert other.act(call_id, actions.HangUp(), "key")[0] is Outcome.ADVANCED
    assert world.kinds() == ["create_call", "hang_up"]
    assert world.last().connection_id == CONNECTION
    assert world.store.peek(call_id).call_connection_id == CONNECTION


def test_what_the_index_says_of_a_connection_is_not_believed_once_the_flow_dials_again(world: World) -> None:
    """It may be the one that came to nothing; an action on that would end the call that is being set up."""

    async def dials_twice(call: Call) -> None:
        for _ in range(2):
            try:
                await call.create_call(CALLER.raw_id, caller_id=CALLEE.raw_id)
            except CallError:
                continue

    conductor = world.conductor(flows={"dials": Flow("dials", dials_twice, opens=True)})
    _, call_id = conductor.place("dials", None)
    session = conductor._cache.take(call_id).session  # type: ignore[union-attr]
    assert session.opens_first
    session._operations[1] = session._operations[0]
    assert not session.opens_first
