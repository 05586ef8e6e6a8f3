"""The attempts of a call that its flow places: whose an event is, how the call is found, when it calls again."""

from __future__ import annotations

from itertools import pairwise, permutations
from typing import Any

import pytest

from shared.calls import (
    ActionFailed,
    ActionRefused,
    Call,
    InvalidInput,
    TimedOut,
    actions,
    text,
)
from shared.calls.gateway.memory import refuse
from shared.calls.store.base import By
from shared.calls.watchdog import NEVER_CONNECTED
from tests.unit.calls.outbound import (
    BUSY,
    DECLINED,
    GONE,
    NOT_ANSWERED,
    Outbound,
    connection_of,
    no_connection,
    one,
    respond,
    whole,
)
from tests.unit.calls.world import CALLEE, CALLER, World, parsed

DAY = 24 * 3600


# Events of earlier attempts


@pytest.mark.parametrize("named", [True, False], ids=["named", "unnamed"])
@pytest.mark.parametrize("order", list(permutations(["CreateCallFailed", "CallDisconnected", "CreateCallFailed"])))
@pytest.mark.parametrize("flow", ["calls_twice", "calls_at_once"])
def test_the_end_of_an_attempt_does_not_touch_the_next_one_in_whatever_order_it_is_told(
    flow: str, order: tuple[str, ...], named: bool
) -> None:
    for at in range(4):  # events that come before the next attempt is made; the others come after it
        call = Outbound(flow)
        if flow == "calls_twice":
            call.wake()
        events = [call.event(name, 1, BUSY, named=named or name == "CreateCallFailed") for name in order]
        for body in events[: max(1, at)]:
            call.conductor.deliver(call.call_id, [parsed(body)])
        if flow == "calls_twice":
            call.wake()
        for body in [*events[max(1, at) :], *events]:
            call.conductor.deliver(call.call_id, [parsed(body)])
        assert (call.record.status, call.record.attempts) == ("connecting", 2)
        call.conductor.later.flush()
        assert call.record.call_connection_id == connection_of(call.attempts[1])
        call.hear("CallConnected", 2)
        assert call.record.status == "connected"
        for body in events:
            call.conductor.deliver(call.call_id, [parsed(body)])
        call.hear("CallDisconnected", 1, BUSY, named=named)
        call.hear("ParticipantsUpdated", 1, named=False, participants=[], sequenceNumber=9)
        assert call.record.status == "connected"
        whole(call)


def test_the_end_of_an_attempt_whose_connection_nobody_told_is_not_taken_for_the_next_ones() -> None:
    call = Outbound("calls_twice")
    call.world.gateway._answer = no_connection
    call.wake()
    call.world.clock.now += NEVER_CONNECTED + 60_000
    call.conductor.watch()
    call.conductor.watch()
    assert call.record.status == "waiting"
    call.world.timers.due.sort(key=lambda timer: timer[2])
    call.wake()
    assert call.record.call_connection_id == ""
    call.hear("CallDisconnected", 1, BUSY, named=False)
    assert (call.record.status, call.record.attempts) == ("connecting", 2)
    call.hear("CallDisconnected", 2, BUSY)
    assert (call.record.status, call.record.outcome) == ("ended", "busy")
    whole(call)


def test_an_attempt_that_ends_before_anything_else_is_heard_of_it_has_failed_with_the_reason() -> None:
    call = Outbound("calls_twice")
    call.wake()
    call.hear("CallDisconnected", 1, BUSY, named=False)
    assert call.record.status == "waiting"
    call.hear("CreateCallFailed", 1, BUSY)
    call.wake()
    call.hear("CallDisconnected", 2, NOT_ANSWERED, named=False)
    assert (call.record.status, call.record.outcome) == ("ended", "no_answer")
    whole(call)


def test_attempts_of_which_only_an_unnamed_end_is_heard_are_told_apart() -> None:
    call = Outbound("calls_at_once")
    for attempt in (1, 2):
        for _ in range(2):
            call.hear("CallDisconnected", attempt, BUSY, named=False)
        assert (call.record.status, call.record.attempts) == ("connecting", attempt + 1)
    call.hear("CallDisconnected", 3, NOT_ANSWERED, named=False)
    assert (call.record.status, call.record.outcome) == ("ended", "no_answer")
    whole(call)


@pytest.mark.parametrize("attempts", [0, 1])
def test_the_end_of_a_connection_that_nobody_knows_does_not_end_a_call_that_waits(attempts: int) -> None:
    call = Outbound("calls_twice")
    if attempts:
        call.wake()
        call.hear("CreateCallFailed", 1, BUSY)
    for context in (None, "another:0:0", f"{call.call_id}:0:0"):
        call.conductor.deliver(call.call_id, [parsed(call.world.wire.event("CallDisconnected", context, GONE))])
    assert (call.record.status, call.record.attempts) == ("waiting", attempts)
    whole(call)


@pytest.mark.parametrize("context", ["another:1:0", "{call}:0:0", "{call}:9:0"])
def test_an_event_that_names_something_else_does_not_tell_the_connection_of_an_attempt(context: str) -> None:
    call = Outbound("calls_twice")
    call.wake()
    context = context.format(call=call.call_id)
    call.conductor.deliver(call.call_id, [parsed(call.world.wire.event("CallDisconnected", context, BUSY))])
    assert call.record.status == "connecting"
    call.hear("CallDisconnected", 1, BUSY, named=False)
    assert call.record.status == "waiting"


def test_a_connection_that_names_the_attempt_is_its_own_whatever_came_before_it_without_a_name() -> None:
    call = Outbound("calls_twice")
    call.wake()
    call.conductor.deliver(call.call_id, [parsed(call.world.wire.event("SomethingNew"))])  # of another connection
    call.hear("CallConnected", 1)
    assert (call.record.status, call.record.call_connection_id) == ("connected", connection_of(call.attempts[0]))
    call.hear("CallDisconnected", 1, GONE, named=False)
    assert call.record.outcome == "caller_left"


def test_a_second_connection_under_the_attempt_that_is_up_is_not_taken_for_it() -> None:
    call = Outbound("calls_twice")
    call.wake()
    call.hear("CreateCallFailed", 1, BUSY)
    call.wake()
    call.hear("CallConnected", 2)
    context = f"{call.call_id}:{call.attempts[1]}:0"
    for name in ("CallConnected", "CallDisconnected"):
        call.conductor.deliver(call.call_id, [parsed(call.world.wire.event(name, context, GONE))])
    # Nor is one under the attempt before, which does not make the connection that is up a stranger.
    call.hear("CallDisconnected", 1, BUSY)
    assert (call.record.status, call.record.call_connection_id) == ("connected", connection_of(call.attempts[1]))
    call.hear("CallDisconnected", 2, GONE)
    assert call.record.outcome == "caller_left"
    whole(call)


@pytest.mark.parametrize("when", ["waiting", "connecting", "connected", "ended"])
def test_a_connection_that_comes_up_for_an_attempt_that_was_given_up_is_hung_up(when: str) -> None:
    call = Outbound("calls_twice")
    call.wake()
    call.conductor.later.flush()
    call.world.clock.pass_seconds(61)
    call.conductor.watch()  # the service does not know it (yet)
    assert call.record.status == "waiting"
    if when != "waiting":
        call.wake()
    if when == "connected":
        call.hear("CallConnected", 2)
    if when == "ended":
        call.hear("CreateCallFailed", 2, BUSY)
    assert call.record.status == when
    before = len(call.world.gateway.performed)
    late = call.event("CallConnected", 1)
    call.conductor.deliver(call.call_id, [parsed(late)])
    hung_up = [(request.action.kind, request.connection_id) for request in call.world.gateway.performed[before:]]
    assert hung_up == [("hang_up", connection_of(call.attempts[0]))]
    assert call.record.status == when
    call.hear("CallDisconnected", 1, GONE)
    assert call.record.status == when
    whole(call)


def test_a_late_connection_whose_hang_up_is_refused_is_hung_up_when_its_event_comes_again() -> None:
    call = Outbound("calls_twice")
    call.wake()
    call.hear("CreateCallFailed", 1, BUSY)
    late = parsed(call.event("CallConnected", 1))
    call.world.gateway._answer = refuse(503, "busy")
    with pytest.raises(ActionRefused):
        call.conductor.deliver(call.call_id, [late])
    call.world.gateway._answer = respond
    call.conductor.deliver(call.call_id, [late])
    assert [request.action.kind for request in call.world.gateway.sent] == ["create_call", "hang_up", "hang_up"]
    assert call.record.status == "waiting"


def test_a_late_connection_that_is_known_to_be_over_is_left_alone() -> None:
    call = Outbound("calls_twice")
    call.wake()
    call.hear("CreateCallFailed", 1, BUSY)
    call.hear("CallDisconnected", 1, BUSY)
    call.hear("CallConnected", 1)
    assert call.world.kinds() == ["create_call"]


def test_a_connection_event_of_the_attempt_that_is_up_hangs_nothing_up_when_it_comes_twice() -> None:
    call = Outbound("calls_twice")
    call.wake()
    call.hear("CreateCallFailed", 1, BUSY)
    call.wake()
    body = call.event("CallConnected", 2)
    for _ in range(2):
        call.conductor.deliver(call.call_id, [parsed(body)])
    call.hear("CallConnected", 2)
    assert call.world.kinds() == ["create_call", "create_call", "play"]


def test_what_was_asked_for_on_an_attempt_ends_with_it() -> None:
    call = Outbound("calls_twice")
    call.wake()
    _, operation = call.conductor.act(call.call_id, actions.Play(prompts=(text("early"),)), "k")
    assert operation is not None
    call.hear("CreateCallFailed", 1, BUSY)
    _, operation = call.conductor.act(call.call_id, actions.Play(prompts=(text("early"),)), "k")
    assert operation is not None
    with pytest.raises(ActionRefused, match="not placed"):
        operation.result()
    call.world.clock.pass_seconds(30)
    assert call.conductor.watch() == {}, "nothing of it is sent again"
    whole(call)


# Ids


def test_the_record_shows_the_newest_attempt_and_the_index_finds_the_call_by_each() -> None:
    call = Outbound("calls_at_once")
    for attempt in (1, 2):
        call.hear("CreateCallFailed", attempt, BUSY)
    call.hear("CallConnected", 3)
    call.conductor.later.flush()
    record = call.record
    third = call.attempts[2]
    ids = (record.call_connection_id, record.server_call_id, record.correlation_id)
    assert ids == (f"connection-{third}", f"server-{third}", f"correlation-{third}")
    by: By
    for seq in call.attempts:
        for by, value in (
            ("connection_id", f"connection-{seq}"),
            ("server_call_id", f"server-{seq}"),
            ("correlation_id", f"correlation-{seq}"),
        ):
            assert [found.call_id for found in call.world.store.search(by, value)] == [call.call_id], (by, seq)
    whole(call)


def test_an_id_of_an_earlier_attempt_that_only_its_response_told_does_not_come_back() -> None:
    """An instance that sent the first attempt hears of its failure, while another one has placed the second."""
    call = Outbound("calls_twice")
    call.wake()
    slow, other = call.conductor, call.instance()
    failed = parsed(call.event("CreateCallFailed", 1, BUSY))
    other.deliver(call.call_id, [failed])
    wake = call.world.timers.due.pop(0)
    call.world.clock.now = max(call.world.clock.now, wake[2])
    other.wake(*wake)
    slow.deliver(call.call_id, [parsed(call.event("SomethingNew", 1, named=False))])
    slow.later.flush()
    assert call.record.call_connection_id == "", "only the other instance knows what its response told"
    slow.deliver(call.call_id, [parsed(call.event("CallConnected", 2))])
    assert call.record.call_connection_id == connection_of(call.attempts[1])
    whole(call)


@pytest.mark.parametrize("status", ["waiting", "connecting", "waiting again", "connected", "ended"])
def test_lists_know_where_a_call_is_that_its_flow_places(status: str) -> None:
    call = Outbound("calls_twice")
    if status != "waiting":
        call.wake()
    if status in ("waiting again", "ended", "connected"):
        call.hear("CreateCallFailed", 1, BUSY)
    if status in ("ended", "connected"):
        call.wake()
        call.hear(*(("CallConnected", 2) if status == "connected" else ("CreateCallFailed", 2, BUSY)))
    call.conductor.later.flush()
    (row,) = call.world.store.listed("2026-09-21")
    assert row.status == status.partition(" ")[0] == call.record.status


# attempts and delay


def tries(call: Outbound, *results: Any) -> None:
    """The attempts end so, one after the other."""
    for number, result in enumerate(results, 1):
        while len(call.attempts) < number:
            call.wake()
        call.hear("CreateCallFailed", number, result)


def repeats(**options: Any) -> tuple[Outbound, list[Exception]]:
    met: list[Exception] = []

    async def calls(call: Call) -> None:
        try:
            await call.create_call(CALLER, caller_id=CALLEE, **options)
        except (ActionFailed, ActionRefused, TimedOut) as error:
            met.append(error)
            return
        await call.play(text("hello"))

    return one(calls), met


def test_create_call_calls_again_after_its_delay() -> None:
    call, met = repeats(attempts=3, delay=900)
    tries(call, BUSY, NOT_ANSWERED)
    call.wake()
    sent = [r.first_sent for r in call.world.gateway.performed]
    assert [later - earlier for earlier, later in pairwise(sent)] == [900_000, 900_000]
    call.hear("CallConnected", 3)
    assert (met, call.record.status) == ([], "connected")
    whole(call)


def test_create_call_raises_what_its_last_attempt_raised() -> None:
    call, met = repeats(attempts=2, delay=10)
    tries(call, BUSY, NOT_ANSWERED)
    assert isinstance(met[-1], ActionFailed)
    assert (met[-1].outcome, len(met), call.attempts) == ("no_answer", 1, [0, 2])
    assert call.record.outcome == "no_answer"
    whole(call)


def test_each_pause_may_have_its_own_length_and_a_pause_of_nothing_is_none() -> None:
    call, _ = repeats(attempts=4, delay=(10, 0, 7200))
    tries(call, BUSY, BUSY, BUSY)
    call.wake()
    sent = [r.first_sent for r in call.world.gateway.performed]
    assert [later - earlier for earlier, later in pairwise(sent)] == [10_000, 0, 7200_000]
    whole(call)


@pytest.mark.parametrize("result", [DECLINED, (404, 8522, "no such user"), (604, 604, "does not exist")])
def test_create_call_does_not_call_again_where_that_cannot_help(result: Any) -> None:
    call, met = repeats(attempts=5, delay=1)
    tries(call, result)
    assert len(met) == 1
    assert (call.record.status, len(call.attempts)) == ("ended", 1)


@pytest.mark.parametrize(("status", "attempts"), [(503, 3), (429, 1), (400, 1)])
def test_a_request_that_is_refused_for_now_is_made_again(status: int, attempts: int) -> None:
    async def calls(call: Call) -> None:
        await call.create_call(CALLER, caller_id=CALLEE, attempts=3, delay=0)

    world = World()
    call = one(calls, world=world)
    call.hear("CreateCallFailed", 1, BUSY)
    world.gateway.sent.clear()
    assert call.record.attempts == 2
    world.gateway._answer = refuse(status, "x")
    call.hear("CreateCallFailed", 2, BUSY)
    assert call.record.outcome == "refused"


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"attempts": 0}, "create_call.attempts"),
        ({"attempts": 3, "delay": (1,)}, "create_call.delay"),
        ({"attempts": 2, "delay": -1}, "create_call.delay"),
        ({"attempts": 2, "delay": float("nan")}, "create_call.delay"),
        ({"attempts": 2, "caller_id": None}, "create_call.caller_id"),
    ],
)
def test_attempts_and_delays_that_make_no_sense_are_named(options: dict[str, Any], field: str) -> None:
    met: list[InvalidInput] = []

    async def calls(call: Call) -> None:
        try:
            call.create_call(CALLER, **{"caller_id": CALLEE, **options})
        except InvalidInput as error:
            met.append(error)

    one(calls)
    assert [error.field for error in met] == [field]
    assert met[0].remedy
