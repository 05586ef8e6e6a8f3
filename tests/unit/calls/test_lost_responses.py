"""What is sent again and what is not where a response is lost, or another instance was quicker."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from shared.calls import Call, Flow, actions, text
from shared.calls.gateway.base import Request
from shared.calls.gateway.memory import refuse
from shared.calls.outcome import Outcome
from shared.calls.record import CallRecord
from shared.calls.store.base import Version
from shared.calls.store.memory import MemoryStore
from shared.errors import AlreadyClaimed
from tests.unit.calls.losses import (
    GRACE,
    another,
    answering_with,
    failures,
    hear,
    lost,
    plays,
    react,
    resent,
    up,
)
from tests.unit.calls.world import CALLEE, CALLER, CONNECTION, Instance, World, a_ring, answering, respond


@pytest.fixture
def world() -> World:
    return World()


# An action whose response is lost


@pytest.mark.parametrize("name", ["answer", "create_call"])
def test_an_opening_whose_response_was_lost_is_no_refusal_and_its_connection_is_spoken_on(
    world: World, name: str
) -> None:
    conductor = another(world)
    world.gateway._answer = answering_with(name, lost)
    if name == "answer":
        _, call_id = conductor.ring(a_ring(), answering(), "speaks")
    else:
        opening = actions.CreateCall(targets=(CALLER,), caller_id=CALLEE)
        _, call_id = conductor.place("speaks", opening)
    assert world.store.peek(call_id).status != "ended"
    assert world.store.peek(call_id).unconfirmed == [0]
    hear(world, conductor, call_id, "CallConnected", world.last().operation_context)
    assert plays(world) == [("one", 0)]
    assert world.store.peek(call_id).call_connection_id == CONNECTION


def test_a_play_whose_response_was_lost_is_told_to_no_flow_and_completes_with_its_event(world: World) -> None:
    world.gateway._answer = answering_with("play", lost)
    conductor, call_id = up(world, "speaks")
    assert failures(world, call_id) == []
    react(world, conductor, call_id)
    assert plays(world) == [("one", 0), ("two", 0)]


def test_a_hold_whose_response_was_lost_is_known_by_its_audio_and_is_not_asked_for_again(world: World) -> None:
    world.gateway._answer = answering_with("hold", lost)
    conductor, call_id = up(world, "holds")
    hear(world, conductor, call_id, "HoldAudioStarted", f"{call_id}:1:0")
    assert (world.kinds(), failures(world, call_id)) == (["answer", "hold"], [])
    world.clock.pass_seconds(GRACE + 1)
    conductor.watch()
    assert world.kinds() == ["answer", "hold", "unhold"]
    assert (resent(world, call_id), failures(world, call_id)) == ([], [])
    fresh = another(world)
    hear(world, fresh, call_id, "HoldAudioCompleted", f"{call_id}:1:0")
    assert world.kinds() == ["answer", "hold", "unhold"], "another instance reads the call as it was"


def test_a_hold_whose_audio_starts_before_the_response_comes_goes_on_with_the_response(world: World) -> None:
    def respond_late(request: Request) -> Mapping[str, Any]:
        if request.action.kind == "hold":
            hear(world, another(world), request.call_id, "HoldAudioStarted", request.operation_context)
        return respond(request)

    world.gateway._answer = respond_late
    up(world, "holds")
    assert world.kinds() == ["answer", "hold", "unhold"]


def test_a_hold_without_audio_whose_response_was_lost_is_asked_for_again(world: World) -> None:
    world.gateway._answer = answering_with("hold", lost)
    conductor, _ = up(world, "holds")
    world.clock.pass_seconds(GRACE + 1)
    conductor.watch()
    assert world.kinds() == ["answer", "hold", "hold", "unhold"]


def test_keys_show_that_they_are_listened_to_though_the_response_was_lost(world: World) -> None:
    world.gateway._answer = answering_with("start_continuous_dtmf", lost)
    conductor, call_id = up(world, "listens")
    key = {"tone": "one", "sequenceId": 1}
    hear(world, conductor, call_id, "ContinuousDtmfRecognitionToneReceived", f"{call_id}:1:0", **key)
    world.clock.pass_seconds(GRACE + 1)
    conductor.watch()
    assert world.kinds() == ["answer", "start_continuous_dtmf", "hang_up"]


def test_a_play_whose_response_was_lost_is_sent_anew_if_the_grace_period_brings_no_event(world: World) -> None:
    world.gateway._answer = answering_with("play", lost)
    conductor, call_id = up(world, "speaks")
    world.clock.pass_seconds(GRACE)
    conductor.watch()
    assert plays(world) == [("one", 0)]
    world.clock.pass_seconds(0.001)
    assert conductor.watch() == {call_id: Outcome.RESENT}
    assert plays(world) == [("one", 0), ("one", 1)]


@pytest.mark.parametrize("code", ["8583", "8500"])
def test_a_second_sending_that_cannot_run_beside_the_first_says_that_the_first_runs(world: World, code: str) -> None:
    world.gateway._answer = answering_with("play", lost)
    conductor, call_id = up(world, "speaks")
    world.gateway._answer = answering_with("play", refuse(412, code))
    world.clock.pass_seconds(GRACE + 1)
    conductor.watch()
    assert failures(world, call_id) == []
    hear(world, conductor, call_id, "PlayCompleted", f"{call_id}:1:0")
    assert plays(world)[-1] == ("two", 0)


def test_a_second_sending_that_is_refused_for_another_reason_is_refused(world: World) -> None:
    world.gateway._answer = answering_with("play", lost)
    conductor, call_id = up(world, "speaks")
    world.gateway._answer = answering_with("play", refuse(400, "8501"))
    world.clock.pass_seconds(GRACE + 1)
    conductor.watch()
    assert "8501" in failures(world, call_id)[0]


@pytest.mark.parametrize("code", ["8583", "8500"])
def test_the_same_words_to_a_first_sending_are_a_refusal(world: World, code: str) -> None:
    world.gateway._answer = answering_with("play", refuse(412, code))
    _, call_id = up(world, "speaks")
    assert code in failures(world, call_id)[0]


# After a write that took long


class SlowStore(MemoryStore):
    """A store whose next write takes a while; others work meanwhile."""

    def __init__(self) -> None:
        super().__init__()
        self.meanwhile: Callable[[str], None] | None = None

    def claim(self, record: CallRecord, journal: Sequence[str]) -> Version:
        version = super().claim(record, journal)
        self._pass(record.call_id)
        return version

    def commit(self, record: CallRecord, appended: Sequence[str], version: Version) -> Version:
        done = super().commit(record, appended, version)
        self._pass(record.call_id)
        return done

    def _pass(self, call_id: str) -> None:
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile:
            meanwhile(call_id)


@pytest.mark.parametrize("done", [False, True])
def test_what_another_instance_has_sent_during_a_slow_commit_is_not_sent_by_the_first(done: bool) -> None:
    store = SlowStore()
    world = World(store=store)
    conductor, call_id = up(world, "speaks")
    other = another(world)

    def meanwhile(call_id: str) -> None:
        world.clock.pass_seconds(GRACE + 1)
        assert other.watch() == {call_id: Outcome.RESENT}
        if done:
            react(world, other, call_id)

    store.meanwhile = meanwhile
    hear(world, conductor, call_id, "PlayCompleted", f"{call_id}:1:0")
    assert plays(world) == [("one", 0), ("two", 1)]
    assert resent(world, call_id) == [2]
    if not done:
        react(world, conductor, call_id)
    assert world.kinds()[-1] == "hang_up"
    assert failures(world, call_id) == []


def test_what_the_call_has_ended_before_a_slow_commit_was_over_is_not_sent() -> None:
    store = SlowStore()
    world = World(store=store)
    conductor, call_id = up(world, "speaks")
    other = another(world)

    def meanwhile(call_id: str) -> None:
        world.clock.pass_seconds(GRACE + 1)
        hear(world, other, call_id, "CallDisconnected", None, result=(200, 5000, "left"))

    store.meanwhile = meanwhile
    hear(world, conductor, call_id, "PlayCompleted", f"{call_id}:1:0")
    assert plays(world) == [("one", 0)]


def test_a_side_effect_that_another_instance_has_run_during_a_slow_claim_is_not_run_by_the_first() -> None:
    store, ran = SlowStore(), []
    world = World(store=store)

    async def looks_up(call: Call) -> None:
        await call.run(lambda: ran.append(1))
        await call.reject()

    flows = {"looks_up": Flow("looks_up", looks_up, opens=True)}
    conductor, other = world.conductor(flows=flows), world.conductor(flows=flows)

    def meanwhile(call_id: str) -> None:
        world.clock.pass_seconds(GRACE + 1)
        other.ring(a_ring(), None, "looks_up")

    store.meanwhile = meanwhile
    _, call_id = conductor.ring(a_ring(), None, "looks_up")
    assert ran == [1]
    assert world.kinds() == ["reject"]
    assert world.store.peek(call_id).outcome == "rejected"


def test_a_claim_by_another_instance_is_not_taken_for_ones_own(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    another(world).ring(a_ring(), answering(), "speaks")
    mine = another(world)

    def claimed(record: CallRecord, journal: Sequence[str]) -> Version:
        raise AlreadyClaimed(record.call_id)

    monkeypatch.setattr(world.store, "claim", claimed)
    assert mine.ring(a_ring(), answering(), "speaks")[0] is Outcome.DUPLICATE
    assert world.kinds() == ["answer"]


@pytest.mark.parametrize("confirmed", [False, True])
def test_a_connection_that_only_a_response_told_is_known_though_another_instance_wrote_meanwhile(
    world: World, confirmed: bool
) -> None:
    conductor = another(world)
    _, call_id = conductor.ring(a_ring(), answering(), "speaks")
    another(world).signal(call_id, "click")  # it has not heard of the connection
    if confirmed:
        conductor.later.flush()
        assert world.store.peek(call_id).call_connection_id == CONNECTION
    outcome, _ = conductor.act(call_id, actions.Play(prompts=(text("a word"),)), "key")
    assert outcome is Outcome.ADVANCED
    assert plays(world) == [("a word", 0)]
    assert world.store.peek(call_id).call_connection_id == CONNECTION


# What was sent twice


def sent_twice(world: World, flow: str) -> tuple[Instance, str]:
    """A call whose first prompt went out, seemed lost, and went out again."""
    world.gateway._answer = answering_with("play", lost)
    conductor, call_id = up(world, flow)
    world.clock.pass_seconds(GRACE + 1)
    conductor.watch()
    assert plays(world)[-1] == ("one", 1)
    return conductor, call_id


def test_of_a_prompt_that_was_sent_twice_the_rest_is_cancelled_when_one_of_them_has_ended(world: World) -> None:
    conductor, call_id = sent_twice(world, "speaks")
    hear(world, conductor, call_id, "PlayCompleted", f"{call_id}:1:0")
    assert world.kinds()[-2:] == ["cancel_all_media", "play"], "cancelled before the next prompt is sent"
    assert plays(world)[-1] == ("two", 0)


def test_nothing_is_cancelled_where_something_else_plays_that_would_go_with_it(world: World) -> None:
    conductor, call_id = sent_twice(world, "both")
    hear(world, conductor, call_id, "PlayCompleted", f"{call_id}:1:0")
    assert "cancel_all_media" not in world.kinds()


def test_that_the_rest_cannot_be_cancelled_stops_nothing(world: World) -> None:
    conductor, call_id = sent_twice(world, "speaks")
    world.gateway._answer = answering_with("cancel_all_media", refuse(503, "busy"))
    hear(world, conductor, call_id, "PlayCompleted", f"{call_id}:1:0")
    assert plays(world)[-1] == ("two", 0)
    assert failures(world, call_id) == []
