"""What the dispatcher makes of what comes back at once: responses, refusals, and faults of the app itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from shared.calls import ActionRefused, actions, text
from shared.calls.dispatcher import Dispatcher
from shared.calls.gateway.base import Request
from shared.calls.gateway.memory import MemoryGateway, refuse
from shared.calls.journal import RefusedEntry, Settled
from tests.unit.calls.losses import another, answering_with, hear, up
from tests.unit.calls.outbound import Outbound
from tests.unit.calls.test_replay import Stage
from tests.unit.calls.world import CALLEE, CALLER, CONNECTION, CORRELATION, START, World, a_ring, answering

WORD = actions.Play(prompts=(text("a word"),))


@pytest.fixture
def world() -> World:
    return World()


def test_a_fault_of_the_app_while_it_sends_is_a_refusal_that_the_flow_meets(world: World) -> None:
    def broken(request: Request) -> Mapping[str, Any]:
        raise KeyError("serverCallId")

    world.gateway._answer = answering_with("play", broken)
    _, call_id = up(world, "speaks")
    (entry,) = [entry for entry in world.journal(call_id) if isinstance(entry, RefusedEntry)]
    assert (entry.seq, entry.status, entry.code, entry.message) == (1, 0, "KeyError", "'serverCallId'")
    assert not entry.transient


# Ids that a response tells


def test_a_placed_call_is_found_by_what_its_response_told_before_any_event(world: World) -> None:
    conductor = another(world)
    told = {"callConnectionId": CONNECTION, "serverCallId": "from the response", "correlationId": "the same"}
    world.gateway._answer = lambda request: told
    _, call_id = conductor.place("speaks", actions.CreateCall(targets=(CALLER,), caller_id=CALLEE))
    conductor.later.flush()
    record = world.store.peek(call_id)
    ids = (record.call_connection_id, record.server_call_id, record.correlation_id)
    assert ids == (CONNECTION, "from the response", "the same")


def test_a_call_that_came_in_keeps_its_conversation_whatever_the_response_to_its_answer_says(world: World) -> None:
    conductor = another(world)
    world.gateway._answer = lambda request: {"callConnectionId": CONNECTION, "correlationId": "another"}
    _, call_id = conductor.ring(a_ring(), answering(), "speaks")
    conductor.later.flush()
    record = world.store.peek(call_id)
    ids = (record.call_connection_id, record.server_call_id, record.correlation_id)
    assert ids == (CONNECTION, "c2VydmVy", CORRELATION)


def test_a_response_without_ids_leaves_none_behind(world: World) -> None:
    conductor = another(world)
    world.gateway._answer = lambda request: {}
    _, call_id = conductor.place("speaks", actions.CreateCall(targets=(CALLER,), caller_id=CALLEE))
    conductor.later.flush()
    record = world.store.peek(call_id)
    assert (record.call_connection_id, record.server_call_id, record.correlation_id) == ("", "", "")


# 404


def settled(world: World, call_id: str) -> bool:
    return any(isinstance(entry, Settled) for entry in world.journal(call_id))


def test_404_on_a_call_that_is_being_opened_is_its_end_where_the_service_does_not_know_it(world: World) -> None:
    conductor = another(world)
    _, call_id = conductor.ring(a_ring(), answering(), "speaks")
    world.gateway._answer = refuse(404, "8522")
    conductor.act(call_id, WORD, "key")
    assert settled(world, call_id)


def test_404_on_an_attempt_that_its_flow_makes_is_no_end_before_it_has_connected_and_one_afterwards() -> None:
    call = Outbound("calls_twice")
    call.wake()
    plain, call.world.gateway._answer = call.world.gateway._answer, refuse(404, "8522")
    call.conductor.act(call.call_id, WORD, "early")
    assert not settled(call.world, call.call_id)
    assert call.record.status == "connecting"
    call.world.gateway._answer = plain
    call.hear("CallConnected", 1)
    call.world.gateway._answer = refuse(404, "8522")
    call.conductor.act(call.call_id, WORD, "late")
    assert settled(call.world, call.call_id)
    assert call.record.status == "ended"


@pytest.mark.parametrize(
    ("action", "status", "connection", "gone"),
    [
        (WORD, 404, CONNECTION, True),
        (WORD, 400, CONNECTION, False),
        (WORD, 404, "", False),
        (actions.Answer(), 404, CONNECTION, False),
        (actions.MayRecord(), 404, CONNECTION, False),
    ],
    ids=["an action", "another refusal", "no connection", "an opening", "a question of the app's own"],
)
def test_404_is_the_end_of_a_call_only_for_what_was_asked_of_the_service_about_it(
    action: Any, status: int, connection: str, gone: bool
) -> None:
    async def waits(call: Any) -> None:
        await call.ended()

    session = Stage(waits).connect().session
    session.record.call_connection_id = connection
    dispatcher = Dispatcher(MemoryGateway(), Any, lambda *_: "", lambda *_: "", lambda: START)  # type: ignore[arg-type]
    assert dispatcher._gone(session, action, ActionRefused(action.kind, status, "8522", "not found")) is gone


def test_a_connection_that_is_not_late_is_not_hung_up(world: World) -> None:
    conductor, call_id = up(world, "speaks")
    hear(world, conductor, call_id, "CallConnected", f"{call_id}:0:0")
    assert "hang_up" not in world.kinds()
