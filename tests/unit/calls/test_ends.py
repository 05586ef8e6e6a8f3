"""How calls end: what the service says of it, when it says it, and what a flow asks for at the end."""

from __future__ import annotations

from typing import Any

import pytest

from shared.calls import ActionRefused, Call, Flow, actions, text
from shared.calls.fallback import HANG_UPS
from shared.calls.gateway.memory import refuse
from shared.calls.journal import Settled
from shared.calls.outcome import Outcome
from tests.unit.calls.losses import (
    GRACE,
    another,
    answering_with,
    failures,
    hear,
    plays,
    react,
    up,
)
from tests.unit.calls.test_replay import Stage
from tests.unit.calls.world import CONNECTION, START, Instance, World, a_ring, answering, parsed


@pytest.fixture
def world() -> World:
    return World()


# 404: the call may be over


def test_an_action_that_is_refused_because_the_caller_has_left_is_no_failure_of_the_flow(world: World) -> None:
    conductor, call_id = up(world, "speaks")
    world.gateway.states.clear()
    world.gateway._answer = answering_with("play", refuse(404, "8522"))
    react(world, conductor, call_id)
    assert failures(world, call_id) == []
    assert world.kinds() == ["answer", "play", "play"], "nobody is asked for anything after that"
    record = world.store.peek(call_id)
    assert (record.status, record.outcome) == ("ended", "settled")
    assert any(isinstance(entry, Settled) for entry in world.journal(call_id))
    conductor.later.flush()
    assert world.store.archive[call_id]["outcome"] == "settled"  # type: ignore[attr-defined]

    # What the service says of the end comes after it.
    outcome = hear(world, conductor, call_id, "CallDisconnected", None, result=(200, 5000, "the caller left"))
    assert outcome is Outcome.ADVANCED
    conductor.later.flush()
    record = world.store.peek(call_id)
    assert (record.outcome, record.code, record.sub_code) == ("caller_left", 200, 5000)
    archived = world.store.archive[call_id]  # type: ignore[attr-defined]
    assert (archived["outcome"], archived["sub_code"]) == ("caller_left", 5000)
    assert archived["journal"][-1]["event"]["type"].endswith("CallDisconnected")
    again = hear(world, conductor, call_id, "CallDisconnected", None, result=(200, 5000, "the caller left"))
    assert again is Outcome.LATE, "the end of a call is told once"


def test_a_caller_who_leaves_during_a_side_effect_has_left(world: World) -> None:
    def looks_up() -> str:
        world.gateway.states.clear()
        world.gateway._answer = refuse(404, "8522")
        return "a name"

    async def slow(call: Call) -> None:
        await call.play(text(await call.run(looks_up)))

    flows = {"slow": Flow("slow", slow)}
    conductor = world.conductor(flows=flows)
    world.gateway.states[CONNECTION] = "connected"
    call_id = world.answered(conductor, "slow")
    hear(world, conductor, call_id, "CallDisconnected", None, result=(200, 5000, "the caller left"))
    assert failures(world, call_id) == []
    assert world.kinds() == ["answer", "play"]
    assert world.store.peek(call_id).outcome == "caller_left"


def test_a_last_hang_up_that_is_too_late_is_a_completed_call(world: World) -> None:
    conductor, call_id = up(world, "speaks")
    react(world, conductor, call_id)
    world.gateway.states.clear()
    world.gateway._answer = refuse(404, "8522")
    react(world, conductor, call_id)
    assert failures(world, call_id) == []
    assert world.kinds() == ["answer", "play", "play", "hang_up"]
    assert (world.store.peek(call_id).status, world.store.peek(call_id).outcome) == ("ended", "completed")


def test_404_about_something_else_than_the_call_is_a_refusal(world: World) -> None:
    world.gateway._answer = answering_with("play", refuse(404, "8522", "no such source"))
    world.gateway.states[CONNECTION] = "connected"
    conductor = another(world)
    call_id = world.answered(conductor, "speaks")
    assert "404" in failures(world, call_id)[0]
    assert world.store.peek(call_id).status == "connected"


def test_404_while_nobody_can_say_whether_the_call_goes_on_leaves_it_open(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    conductor, call_id = up(world, "speaks")

    def unreachable(connection_id: str) -> str:
        raise ActionRefused("get_call", 0, "unreachable", "no answer", transient=True)

    with monkeypatch.context() as patch:
        patch.setattr(world.gateway, "connection_state", unreachable)
        world.gateway._answer = answering_with("play", refuse(404, "8522"))
        react(world, conductor, call_id)
    assert failures(world, call_id) == []
    assert world.store.peek(call_id).status == "connected"
    world.clock.pass_seconds(GRACE + 1)
    conductor.watch()
    assert plays(world) == [("one", 0), ("two", 0), ("two", 1)]


@pytest.mark.parametrize("action", [actions.Reject(), actions.Answer()], ids=lambda action: action.kind)
def test_404_to_what_opens_a_call_is_a_refusal(world: World, action: Any) -> None:
    world.gateway._answer = refuse(404, "8522", "the caller hung up")
    _, call_id = another(world).ring(a_ring(), action, "speaks")
    assert any(entry.entry == "refused" for entry in world.journal(call_id))


@pytest.mark.parametrize(
    ("error", "status"),
    [(ActionRefused("lookup", 404, "none", "no such customer"), 404), (ValueError("a bug"), 0)],
    ids=["404", "a bug"],
)
def test_what_a_side_effect_raises_is_its_own_and_no_end_of_the_call(
    world: World, error: Exception, status: int
) -> None:
    met: list[ActionRefused] = []

    def raises() -> None:
        world.gateway.states.clear()
        raise error

    async def looks_up(call: Call) -> None:
        try:
            await call.run(raises)
        except ActionRefused as refusal:
            met.append(refusal)
        await call.ended()

    world.answered(world.conductor(flows={"looks_up": Flow("looks_up", looks_up)}), "looks_up")
    assert [refusal.status for refusal in met] == [status]


# The end that a flow asks for


@pytest.mark.parametrize("times", [1, 3])
def test_a_last_hang_up_that_is_refused_for_now_is_asked_for_again_and_nobody_hears_of_it(
    world: World, times: int
) -> None:
    conductor, call_id = up(world, "speaks")
    react(world, conductor, call_id)
    world.gateway._answer = answering_with("hang_up", refuse(503, "busy"), times)
    react(world, conductor, call_id)
    while world.timers.due:
        wake = world.timers.due.pop(0)
        world.clock.now = max(world.clock.now, wake[2])
        conductor.wake(*wake)
    assert plays(world) == [("one", 0), ("two", 0)]
    assert world.kinds().count("hang_up") == times + 1
    react(world, conductor, call_id)
    assert failures(world, call_id) == []
    assert world.store.peek(call_id).outcome == "completed"


def test_a_last_hang_up_that_is_refused_for_good_is_a_failure(world: World) -> None:
    conductor, call_id = up(world, "speaks")
    react(world, conductor, call_id)
    world.gateway._answer = answering_with("hang_up", refuse(400, "8501"), 1)
    react(world, conductor, call_id)
    assert len(failures(world, call_id)) == 1
    assert world.kinds().count("hang_up") == 1


def test_a_hang_up_that_is_refused_for_ever_is_given_up_and_the_call_considered_over(world: World) -> None:
    conductor, call_id = up(world, "speaks")
    react(world, conductor, call_id)
    world.gateway._answer = answering_with("hang_up", refuse(503, "busy"), 1000)
    react(world, conductor, call_id)
    began = world.clock.now
    while world.store.peek(call_id).status != "ended":
        if world.timers.due:
            wake = world.timers.due.pop(0)
            world.clock.now = max(world.clock.now, wake[2])
            conductor.wake(*wake)
        else:
            react(world, conductor, call_id)  # the apology
    assert world.kinds().count("hang_up") == 2 * HANG_UPS
    assert 7 * 60_000 < world.clock.now - began < 9 * 60_000


# Connections that come up too late


def refused_opening(world: World, conductor: Instance) -> str:
    """A call that is over because nobody took its answer, as far as anybody knows."""
    world.gateway._answer = answering_with("answer", refuse(500, "8500"))
    _, call_id = conductor.ring(a_ring(), answering(), "speaks")
    assert world.store.peek(call_id).status == "ended"
    return call_id


def hang_ups(world: World) -> list[str]:
    return [request.connection_id for request in world.gateway.sent if request.action.kind == "hang_up"]


@pytest.mark.parametrize("cold", [False, True])
def test_a_connection_that_comes_up_for_a_call_that_is_over_is_hung_up(world: World, cold: bool) -> None:
    conductor = another(world)
    call_id = refused_opening(world, conductor)
    conductor = another(world) if cold else conductor
    outcome = hear(world, conductor, call_id, "CallConnected", f"{call_id}:0:0")
    assert outcome is Outcome.LATE
    assert hang_ups(world) == [CONNECTION]


def test_it_is_delivered_again_if_the_hang_up_is_refused_for_now_and_is_done_once_it_is_gone(world: World) -> None:
    conductor = another(world)
    call_id = refused_opening(world, conductor)
    world.gateway._answer = answering_with("hang_up", refuse(503, "busy"))
    body = world.wire.event("CallConnected", f"{call_id}:0:0")
    with pytest.raises(ActionRefused):
        conductor.deliver(call_id, [parsed(body)])
    world.gateway._answer = answering_with("hang_up", refuse(404, "8522"))
    assert conductor.deliver(call_id, [parsed(body)]) is Outcome.LATE
    assert hang_ups(world) == [CONNECTION, CONNECTION]


@pytest.mark.parametrize("context", [None, "another:0:0", "{call}:1:0", "{call}:9:0"])
def test_a_connection_that_is_not_the_opening_ones_is_left_alone(world: World, context: str | None) -> None:
    conductor = another(world)
    call_id = refused_opening(world, conductor)
    hear(world, conductor, call_id, "CallConnected", context and context.format(call=call_id))
    assert hang_ups(world) == []


def test_a_connection_whose_end_was_heard_before_its_beginning_is_left_alone(world: World) -> None:
    conductor = another(world)
    _, call_id = conductor.ring(a_ring(), answering(), "speaks")
    context = world.last().operation_context
    hear(world, conductor, call_id, "CallDisconnected", None, result=(200, 5000, "left"))
    hear(world, conductor, call_id, "CallConnected", context)
    assert hang_ups(world) == []
    assert plays(world) == []


def test_a_connection_event_that_comes_twice_after_its_call_is_over_hangs_nothing_up(world: World) -> None:
    conductor = another(world)
    _, call_id = conductor.ring(a_ring(), answering(), "speaks")
    body = world.wire.event("CallConnected", world.last().operation_context)
    conductor.deliver(call_id, [parsed(body)])
    hear(world, conductor, call_id, "CallDisconnected", None, result=(200, 5000, "left"))
    assert conductor.deliver(call_id, [parsed(body)]) is Outcome.LATE
    assert hang_ups(world) == []


def test_a_connection_that_comes_up_after_its_call_was_settled_is_hung_up_unless_it_had_been_up(world: World) -> None:
    conductor = another(world)
    _, call_id = conductor.ring(a_ring(), answering(), "speaks")
    context = world.last().operation_context
    conductor.advance(call_id, [(Settled(at=1, reason="the call was never connected"), None)])
    hear(world, conductor, call_id, "CallConnected", context)
    assert hang_ups(world) == [CONNECTION]

    world = World()
    conductor, call_id = up(world, "speaks")
    conductor.advance(call_id, [(Settled(at=1, reason="the service no longer knows the call"), None)])
    hear(world, conductor, call_id, "CallConnected", f"{call_id}:0:0")
    assert hang_ups(world) == []


def test_another_connection_under_the_opening_of_a_call_that_is_over_is_hung_up_and_none_under_other_actions(
    world: World,
) -> None:
    conductor, call_id = up(world, "speaks")
    hear(world, conductor, call_id, "CallDisconnected", None, result=(200, 5000, "left"))
    for position in (1, 0):
        body = world.wire.event("CallConnected", f"{call_id}:{position}:0")
        conductor.deliver(call_id, [parsed({**body, "data": {**body["data"], "callConnectionId": "another"}})])
    assert hang_ups(world) == ["another"]


def test_a_failure_of_an_opening_that_has_connected_does_not_end_the_call(world: World) -> None:
    conductor, call_id = up(world, "speaks")
    hear(world, conductor, call_id, "AnswerFailed", f"{call_id}:0:0", result=(500, 9999, "failed"))
    assert world.store.peek(call_id).status == "connected"


async def speaks(call: Call) -> None:
    """Says one thing."""
    await call.play(text("one"))


@pytest.mark.parametrize(
    ("connected_at", "disconnected", "connection", "hung_up"),
    [
        (1, False, CONNECTION, False),
        (1, False, "another", True),
        (0, True, CONNECTION, False),
        (0, True, "another", True),
        (0, False, CONNECTION, True),
        (0, False, "another", True),
    ],
    ids=["was up", "another was up", "its end is known", "another's end", "given up", "another, given up"],
)
def test_after_the_end_the_openings_connection_is_late_unless_it_is_known_to_have_been_up_or_to_be_over(
    connected_at: int, disconnected: bool, connection: str, hung_up: bool
) -> None:
    stage = Stage(speaks)
    session = stage.session
    stage.feed(Settled(at=START, reason="nobody knows it"))
    session.record.call_connection_id, session.record.connected_at = CONNECTION, connected_at
    session.disconnected = disconnected
    event = World().wire.event("CallConnected", "stage:0:0")
    event["data"]["callConnectionId"] = connection
    assert session.late_connection(parsed(event)) is (session.operation(0) if hung_up else None)


def test_a_connection_that_names_another_action_than_the_opening_is_not_late() -> None:
    stage = Stage(speaks).connect()
    stage.feed(Settled(at=START, reason="nobody knows it"))
    event = World().wire.event("CallConnected", "stage:1:0")
    event["data"]["callConnectionId"] = "another"
    assert stage.session.late_connection(parsed(event)) is None


# Why a call ended


def test_the_end_of_a_transferred_call_before_the_transfers_own_event_says_that_it_was_transferred(
    world: World,
) -> None:
    conductor, call_id = up(world, "hands_over")
    context = world.last().operation_context
    hear(world, conductor, call_id, "CallDisconnected", None, result=(200, 7015, "transferred"))
    assert world.store.peek(call_id).outcome == "transferred"
    hear(world, conductor, call_id, "CallTransferAccepted", context)
    assert world.store.peek(call_id).outcome == "transferred"
    assert failures(world, call_id) == []


def test_that_number_without_a_transfer_is_an_end_like_others(world: World) -> None:
    conductor, call_id = up(world, "speaks")
    hear(world, conductor, call_id, "CallDisconnected", None, result=(200, 7015, "transferred"))
    assert world.store.peek(call_id).outcome == "caller_left"


@pytest.mark.parametrize(("result", "outcome"), [((486, 8539, "busy"), "busy"), ((486, 486, "busy"), "busy")])
def test_a_call_that_never_connected_says_why_though_its_end_comes_before_the_event_that_explains_it(
    world: World, result: Any, outcome: str
) -> None:
    conductor = another(world)
    _, call_id = conductor.place("dials", None)
    context = world.last().operation_context
    hear(world, conductor, call_id, "CallDisconnected", None, result=result)
    assert world.store.peek(call_id).outcome == outcome
    hear(world, conductor, call_id, "CreateCallFailed", context, result=result)
    assert world.store.peek(call_id).outcome == outcome
