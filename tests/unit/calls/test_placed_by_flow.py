"""Calls that their flow places: they wait, are placed, and are placed again after an attempt that failed."""

from __future__ import annotations

from typing import Any

import pytest

from shared.calls import (
    ActionFailed,
    ActionRefused,
    Call,
    CallEnded,
    Flow,
    InvalidInput,
    TimedOut,
    actions,
    text,
)
from shared.calls.gateway.base import Request
from shared.calls.gateway.memory import refuse
from shared.calls.journal import Failed, GaveUp, Settled, Started
from shared.calls.outcome import Outcome
from shared.calls.record import CallRecord
from shared.calls.replay import Session, replay
from shared.calls.watchdog import LONGEST_REST, NEVER_CONNECTED, WAKE_UP_DELAY
from shared.errors import KeyReused, NotConnected
from tests.found_calls import decode_all
from tests.unit.calls.outbound import (
    BUSY,
    DECLINED,
    GONE,
    NOT_ANSWERED,
    OUTBOUND,
    Outbound,
    connection_of,
    no_connection,
    one,
    respond,
    whole,
)
from tests.unit.calls.world import CALLEE, CALLER, World, a_ring, parsed

DAY = 24 * 3600


# Waiting


def test_a_flow_may_wait_for_days_before_it_places_its_call() -> None:
    async def reminds(call: Call) -> None:
        await call.sleep(3 * DAY)
        await call.create_call(CALLER, caller_id=CALLEE)

    call = one(reminds)
    for _ in range(3 * 24):
        call.world.clock.pass_seconds(3599)
        call.conductor.later.flush()
        assert call.conductor.watch() == {}
    assert (call.record.status, call.record.outcome, call.attempts) == ("waiting", "", [])
    call.wake()
    assert (call.record.status, len(call.attempts)) == ("connecting", 1)
    whole(call)


def test_an_overdue_sleep_of_a_waiting_call_is_woken_by_the_watchdog() -> None:
    call = Outbound("waits_and_calls")
    call.conductor.later.flush()
    call.world.timers.due.clear()  # its message is lost
    call.conductor.watch()
    call.world.clock.now += 3600_000 + WAKE_UP_DELAY + 1
    assert call.conductor.watch() == {call.call_id: Outcome.ADVANCED}
    assert call.record.status == "connecting"


def test_a_waiting_call_is_looked_at_once_a_minute_until_its_sleep_is_over() -> None:
    call = Outbound("waits_and_calls")
    call.world.timers.due.clear()
    for _ in range(3):
        call.conductor.later.flush()
    watching, store = call.instance(), call.world.store
    peeked: list[str] = []
    plain = store.peek

    def peek(call_id: str) -> CallRecord:
        peeked.append(call_id)
        return plain(call_id)

    store.peek = peek  # type: ignore[method-assign]
    began = call.world.clock.now
    while not call.attempts:
        watching.watch()
        call.world.clock.pass_seconds(5)
    store.peek = plain  # type: ignore[method-assign]
    assert len(peeked) <= 3600_000 // LONGEST_REST + 2
    assert call.record.placed_at - began <= 3600_000 + WAKE_UP_DELAY + 5000


def test_what_a_dead_instance_did_not_send_of_a_waiting_call_is_sent_by_the_watchdog() -> None:
    call = Outbound("waits_and_calls")
    call.conductor.later.flush()
    call.conductor.watch()
    call.world.gateway._answer = dies
    with pytest.raises(Death):
        call.wake()
    call.world.gateway._answer = respond
    call.world.clock.now += LONGEST_REST + 1
    assert call.conductor.watch() == {call.call_id: Outcome.RESENT}
    assert call.record.status == "connecting"
    assert len(call.attempts) == 1


class Death(BaseException):
    """The instance dies here."""


def dies(request: Request) -> Any:
    raise Death


def test_the_time_in_which_a_call_must_connect_counts_from_the_attempt() -> None:
    call = Outbound("calls_twice")
    call.world.gateway._answer = no_connection
    call.wake()
    began = call.world.clock.now
    for _ in range(100):
        call.world.clock.pass_seconds(5)
        call.conductor.later.flush()
        call.conductor.watch()
        if call.record.status != "connecting":
            break
    assert call.world.clock.now - began > NEVER_CONNECTED
    # The flow learns it, and calls again a quarter of an hour later.
    assert call.record.status == "waiting"
    assert any(isinstance(entry, GaveUp) for entry in call.world.journal(call.call_id))
    assert not any(isinstance(entry, Settled) for entry in call.world.journal(call.call_id))
    call.world.gateway._answer = respond
    call.world.timers.due.sort(key=lambda timer: timer[2])
    call.wake()
    assert (call.record.status, call.record.attempts) == ("connecting", 2)
    whole(call)


def test_an_attempt_that_the_service_no_longer_knows_has_failed_and_the_call_waits() -> None:
    call = Outbound("calls_twice")
    call.wake()
    call.conductor.later.flush()
    call.world.gateway.states.clear()
    call.world.clock.pass_seconds(61)
    assert call.conductor.watch() == {call.call_id: Outcome.ADVANCED}
    assert call.record.status == "waiting"
    call.wake()
    call.conductor.later.flush()
    call.world.clock.pass_seconds(61)
    call.conductor.watch()
    assert (call.record.status, call.record.outcome, call.record.result) == ("ended", "settled", "not_reached")


def test_a_call_that_was_up_and_that_the_service_no_longer_knows_is_over() -> None:
    call = Outbound("calls_twice")
    call.wake()
    call.hear("CallConnected", 1)
    call.conductor.later.flush()
    call.world.clock.pass_seconds(61)
    call.conductor.watch()
    assert (call.record.status, call.record.outcome) == ("ended", "settled")
    whole(call)


def test_what_was_asked_for_together_with_an_attempt_goes_on_when_the_watchdog_gives_the_attempt_up() -> None:
    async def calls_and_naps(call: Call) -> None:
        nap = call.sleep(7200)
        try:
            await call.create_call(CALLER, caller_id=CALLEE)
        except TimedOut:
            await nap
            call.result("rested")

    call = one(calls_and_naps)
    call.conductor.later.flush()
    call.world.clock.pass_seconds(61)
    call.conductor.watch()
    assert call.record.status == "waiting"
    call.wake()
    assert (call.record.status, call.record.result) == ("ended", "rested")
    whole(call)


def test_a_question_about_one_attempt_does_not_end_the_next_one() -> None:
    call = Outbound("calls_at_once")
    call.conductor.later.flush()
    call.world.clock.pass_seconds(61)
    other = call.instance()

    def meanwhile(connection_id: str) -> None:
        call.hear("CreateCallFailed", 1, BUSY)  # the flow calls again at once

    call.world.gateway.connection_state = meanwhile  # type: ignore[method-assign]
    assert other.watch() == {}
    assert (call.record.status, call.record.attempts) == ("connecting", 2)


def test_the_service_is_not_asked_about_a_call_that_waits_again() -> None:
    call = Outbound("calls_twice")
    call.wake()
    call.hear("CreateCallFailed", 1, BUSY)
    call.conductor.later.flush()
    call.world.gateway.connection_state = None  # type: ignore[assignment]
    for _ in range(80):
        call.world.clock.pass_seconds(10)
        call.conductor.watch()
    assert call.record.status == "waiting"


# After an attempt


@pytest.mark.parametrize("result", [BUSY, DECLINED, NOT_ANSWERED, (480, 8544, "unreachable")])
def test_a_flow_may_call_again_after_an_attempt_that_failed(result: Any) -> None:
    call = Outbound("calls_twice")
    call.wake()
    call.hear("CreateCallFailed", 1, result)
    assert (call.record.status, call.record.outcome, call.record.code) == ("waiting", "", 0)
    call.wake()
    assert (call.record.status, len(call.attempts)) == ("connecting", 2)
    call.hear("CallConnected", 2)
    assert call.record.status == "connected"
    assert call.world.kinds() == ["create_call", "create_call", "play"]
    assert call.world.last().connection_id == connection_of(call.attempts[1])
    whole(call)


@pytest.mark.parametrize(("result", "outcome"), [(BUSY, "busy"), (NOT_ANSWERED, "no_answer"), (DECLINED, "declined")])
def test_a_flow_that_returns_without_a_connection_ends_with_what_came_of_its_last_attempt(
    result: Any, outcome: str
) -> None:
    call = Outbound("calls_twice")
    call.wake()
    call.hear("CreateCallFailed", 1, (480, 8544, "unreachable"))
    call.wake()
    call.hear("CreateCallFailed", 2, result)
    record = call.record
    assert (record.status, record.outcome, record.code, record.sub_code) == ("ended", outcome, *result[:2])
    assert record.result == "not_reached"
    assert call.world.kinds() == ["create_call", "create_call"], "there is nothing to hang up"
    assert list(call.world.store.open_calls()) == []
    whole(call)


def test_a_flow_that_never_places_its_call_has_completed() -> None:
    async def thinks_better_of_it(call: Call) -> None:
        await call.sleep(60)

    call = one(thinks_better_of_it)
    call.wake()
    assert (call.record.status, call.record.outcome, call.record.attempts) == ("ended", "completed", 0)
    assert call.world.kinds() == []
    whole(call)


def test_a_failed_attempt_that_a_flow_does_not_catch_is_no_failure_of_the_flow() -> None:
    call = Outbound("waits_and_calls")
    call.wake()
    call.hear("CreateCallFailed", 1, BUSY)
    assert (call.record.status, call.record.outcome) == ("ended", "busy")
    assert not any(isinstance(entry, Failed) for entry in call.world.journal(call.call_id))
    whole(call)


def test_an_older_failure_that_a_flow_raises_later_is_one() -> None:
    async def raises_the_first(call: Call) -> None:
        first: Exception | None = None
        for _ in range(2):
            try:
                await call.create_call(CALLER, caller_id=CALLEE)
            except ActionFailed as error:
                first = first or error
        assert first is not None
        raise first

    call = one(raises_the_first)
    call.hear("CreateCallFailed", 1, BUSY)
    call.hear("CreateCallFailed", 2, DECLINED)
    assert (call.record.status, call.record.outcome) == ("ended", "failed")
    assert call.world.kinds() == ["create_call", "create_call"], "nobody is there to hear the fallback"
    whole(call)


def test_a_flow_that_fails_while_it_waits_hangs_nothing_up() -> None:
    async def fails(call: Call) -> None:
        await call.sleep(60)
        raise RuntimeError("a bug in the flow")

    call = one(fails)
    call.wake()
    assert (call.record.status, call.record.outcome) == ("ended", "failed")
    assert call.world.kinds() == []
    whole(call)


def test_a_refused_attempt_is_one_that_failed() -> None:
    call = Outbound("calls_twice")
    call.world.gateway._answer = refuse(503, "busy")
    call.wake()
    assert call.record.status == "waiting"
    call.world.gateway._answer = refuse(400, "8523")
    call.wake()
    assert (call.record.status, call.record.outcome, call.record.code) == ("ended", "refused", 400)
    whole(call)


def test_a_hang_up_after_the_connection_is_final() -> None:
    met: list[str] = []

    async def calls(call: Call) -> None:
        await call.create_call(CALLER, caller_id=CALLEE)
        try:
            await call.play(text("hello"))
        except CallEnded:
            met.append(call.status)
            raise

    call = one(calls)
    call.hear("CallConnected", 1)
    call.hear("CallDisconnected", 1, GONE)
    assert met == ["ended"]
    assert (call.record.status, call.record.outcome) == ("ended", "caller_left")
    whole(call)


def test_somebody_who_takes_the_call_and_leaves_at_once_ends_it_though_the_events_come_the_other_way_round() -> None:
    call = Outbound("calls_twice")
    call.wake()
    call.hear("CallDisconnected", 1, GONE)
    assert (call.record.status, call.record.outcome) == ("ended", "caller_left")
    call.hear("CallConnected", 1)
    assert call.world.kinds() == ["create_call"]
    whole(call)


# What cannot be done


def mistake(function: Any) -> InvalidInput:
    met: list[InvalidInput] = []

    async def tries_it(call: Call) -> None:
        try:
            await function(call)
        except InvalidInput as error:
            met.append(error)

    call = one(tries_it)
    whole(call)
    assert len({str(error) for error in met}) == 1  # each replay meets it again
    return met[0]


def test_what_needs_a_call_that_is_up_names_what_to_await_first() -> None:
    error = mistake(lambda call: call.play(text("hello")))
    assert (error.field, error.remedy) == ("play", "Await create_call first.")
    assert mistake(lambda call: call.answer()).field == "answer"


def test_a_second_call_beside_the_first_is_a_mistake() -> None:
    async def twice(call: Call) -> None:
        call.create_call(CALLER, caller_id=CALLEE)
        call.create_call(CALLEE, caller_id=CALLEE)

    assert mistake(twice).field == "create_call"


def test_a_flow_that_hangs_up_before_it_calls_ends_its_call() -> None:
    async def hangs_up(call: Call) -> None:
        await call.hang_up()
        await call.create_call(CALLER, caller_id=CALLEE)

    call = one(hangs_up)
    assert (call.record.status, call.record.outcome, call.world.kinds()) == ("ended", "completed", [])
    whole(call)


# From outside


@pytest.mark.parametrize("action", [actions.HangUp(), actions.Terminate()], ids=lambda action: action.kind)
@pytest.mark.parametrize("again", [False, True], ids=["first", "again"])
def test_somebody_may_cancel_a_call_that_waits(action: Any, again: bool) -> None:
    call = Outbound("calls_twice")
    if again:
        call.wake()
        call.hear("CreateCallFailed", 1, BUSY)
    placed = len(call.attempts)
    call.world.clock.pass_seconds(3)
    outcome, operation = call.instance().act(call.call_id, action, "cancel")
    assert (outcome, operation is not None and operation.done) == (Outcome.ADVANCED, True)
    record = call.record
    assert (record.status, record.outcome, record.ended_at) == ("ended", "hung_up", call.world.clock.now)
    assert (record.code, record.sub_code, record.unconfirmed) == (200, 0, [])
    outcome, _ = call.conductor.act(call.call_id, action, "cancel")
    assert outcome is Outcome.DUPLICATE
    call.wake()
    call.world.clock.pass_seconds(60)
    call.conductor.watch()
    assert len(call.attempts) == placed
    assert call.world.kinds() == ["create_call"] * placed
    assert list(call.world.store.open_calls()) == []
    whole(call)


def test_anything_else_has_to_wait_and_is_told_so() -> None:
    call = Outbound("calls_twice")
    with pytest.raises(NotConnected, match="has not been placed yet"):
        call.conductor.act(call.call_id, actions.Play(prompts=(text("hello"),)), "k")
    call.wake()
    call.hear("CreateCallFailed", 1, BUSY)
    with pytest.raises(NotConnected, match="has not been placed yet"):
        call.conductor.act(call.call_id, actions.GetCall(), "k")
    assert call.world.kinds() == ["create_call"]


def test_an_instance_whose_memory_is_old_does_not_send_to_an_attempt_that_is_over() -> None:
    call = Outbound("calls_twice")
    call.wake()
    other = call.instance()
    other.deliver(call.call_id, [parsed(call.event("CreateCallFailed", 1, BUSY))])
    _, operation = call.conductor.act(call.call_id, actions.GetCall(), "k")
    assert operation is not None
    with pytest.raises(ActionRefused, match="not placed"):
        operation.result()
    assert call.world.kinds() == ["create_call"]
    assert 1_000_000 not in call.record.unconfirmed
    whole(call)


def test_a_hang_up_that_is_asked_for_again_of_an_old_memory_is_the_same_one() -> None:
    call = Outbound("calls_twice")
    call.wake()
    call.conductor.later.flush()
    other = call.instance()
    other.act(call.call_id, actions.HangUp(), "k")
    other.deliver(call.call_id, [parsed(call.event("CallDisconnected", 1, (200, 7000, "over")))])
    outcome, operation = call.conductor.act(call.call_id, actions.HangUp(), "k")
    assert (outcome, operation is not None and operation.done) == (Outcome.DUPLICATE, True)


def test_somebody_who_hangs_up_while_it_rings_ends_the_call() -> None:
    for result in ((200, 7000, "over"), (487, 487, "cancelled")):
        for failure_first in (False, True):
            call = Outbound("calls_twice")
            call.wake()
            call.conductor.act(call.call_id, actions.HangUp(), "k")
            assert call.world.kinds() == ["create_call", "hang_up"]
            if failure_first:
                call.hear("CreateCallFailed", 1, (487, 487, "cancelled"))
            call.hear("CallDisconnected", 1, result)
            assert (call.record.status, call.record.outcome) == ("ended", "hung_up")
            assert not any(isinstance(entry, Failed) for entry in call.world.journal(call.call_id))
            whole(call)


def test_a_signal_reaches_a_flow_that_waits() -> None:
    call = Outbound("waits_for_a_signal")
    call.conductor.signal(call.call_id, "go", {"number": CALLER.raw_id}, signal_id="s")
    assert len(call.attempts) == 1
    assert call.record.callee == CALLER.raw_id
    call.hear("CreateCallFailed", 1, BUSY)
    assert call.record.outcome == "busy"


def test_a_flow_that_has_called_knows_its_other_side() -> None:
    seen: list[Any] = []

    async def asks(call: Call) -> None:
        seen.append((call.status, call.callee, call.caller))
        await call.create_call(CALLER, caller_id=CALLEE)
        seen.append((call.status, call.other_side, call.caller))

    call = one(asks)
    call.hear("CallConnected", 1)
    assert seen == [("waiting", None, None), ("connected", CALLER, CALLEE)]


# What stays as it was


def test_a_ringing_call_whose_answer_is_refused_is_over_for_a_flow_that_opens_it() -> None:
    met: list[str] = []

    async def answers(call: Call) -> None:
        try:
            await call.answer()
        except ActionRefused:
            met.append(call.status)

    world = World()
    world.gateway._answer = refuse(500, "8500")
    conductor = world.conductor(flows={"one": Flow("one", answers, opens=True)})
    _, call_id = conductor.ring(a_ring(), None, "one")
    assert (met, world.store.peek(call_id).outcome) == (["ended"], "refused")


def test_a_call_that_the_app_places_is_over_when_nobody_takes_it() -> None:
    async def speaks(call: Call) -> None:
        await call.play(text("hello"))

    world = World()
    conductor = world.conductor(flows={"one": Flow("one", speaks)})
    _, call_id = conductor.place("one", actions.CreateCall(targets=(CALLER,), caller_id=CALLEE))
    assert (world.store.peek(call_id).status, world.store.peek(call_id).attempts) == ("connecting", 0)
    context = world.last().operation_context
    conductor.deliver(call_id, [parsed(world.wire.event("CreateCallFailed", context, BUSY))])
    assert (world.store.peek(call_id).status, world.store.peek(call_id).outcome) == ("ended", "busy")


OF_THE_FIRST_RELEASE = """
{"at":1,"entry":"started","flow":"calls_at_once","direction":"outbound","correlation_id":"","server_call_id":"","display_name":"","context":{},"source_event":""}
{"at":1,"entry":"issued","seq":0,"action":{"kind":"create_call","targets":["4:+14255550100"],"caller_id":"4:+18005550199"}}
{"at":2,"entry":"event","event":{"id":"1","source":"calling/x","type":"Microsoft.Communication.CreateCallFailed","data":{"callConnectionId":"c","serverCallId":"s","operationContext":"old:0:0","resultInformation":{"code":486,"subCode":8539,"message":"busy"}},"time":"2026-11-20T10:00:00+00:00"}}
""".strip().split("\n")


def test_a_call_of_the_first_release_that_nobody_took_is_over_and_is_not_placed_again() -> None:
    session = Session(OUTBOUND["calls_at_once"], "old")
    session.feed_stored(OF_THE_FIRST_RELEASE)
    assert session.take() == []
    assert (session.record.status, session.record.outcome, session.record.attempts) == ("ended", "busy", 0)
    assert replay(OUTBOUND["calls_at_once"], "old", decode_all(OF_THE_FIRST_RELEASE)) == []


def test_a_request_to_place_a_call_is_the_same_one_before_and_after_an_update() -> None:
    call = Outbound("waits_and_calls")
    world = call.world
    _, call_id = call.conductor.place("waits_and_calls", None, key="k")
    stored = world.store._calls[call_id]  # type: ignore[attr-defined]
    stored.journal[0] = stored.journal[0].replace(',"placed_by_flow":true', "")
    started = world.journal(call_id)[0]
    assert isinstance(started, Started)
    assert started.placed_by_flow is None
    assert call.instance().place("waits_and_calls", None, key="k")[0] is Outcome.DUPLICATE
    with pytest.raises(KeyReused):
        call.instance().place("waits_and_calls", None, key="k", data=7)


@pytest.mark.parametrize(
    ("flow", "rest"), [("waits_and_calls", 60_000), ("naps", 12_001), ("waits_for_a_signal", 60_000)]
)
def test_a_waiting_call_is_not_looked_at_before_its_sleep_is_over_by_two_seconds_nor_for_a_minute(
    flow: str, rest: int
) -> None:
    async def naps(call: Call) -> None:
        await call.sleep(10)
        await call.create_call(CALLER, caller_id=CALLEE)

    call = Outbound(flow, flows={**OUTBOUND, "naps": Flow("naps", naps, opens=True)})
    for _ in range(3):
        call.conductor.later.flush()
    watching, peeked = call.instance(), list[str]()
    plain = call.world.store.peek

    def peek(call_id: str) -> CallRecord:
        peeked.append(call_id)
        return plain(call_id)

    call.world.store.peek = peek  # type: ignore[method-assign]
    assert watching.watch() == {}
    assert len(peeked) == 1
    call.world.clock.now += rest - 1
    watching.watch()
    assert len(peeked) == 1
    call.world.clock.now += 1
    watching.watch()
    assert len(peeked) > 1
    assert (call.record.status == "connecting") == (flow == "naps")
