"""A call listens to its own connection: events of others change nothing, whatever URL they come to."""

from __future__ import annotations

from typing import Any

import pytest

from shared.calls import Call, text
from shared.calls.journal import EventReceived
from shared.calls.operation_context import operation_context
from shared.calls.outcome import Outcome
from tests.unit.calls.test_replay import Stage
from tests.unit.calls.world import CHOICES, CONNECTION, START, World, parsed

OTHER = "02004780-0000-4000-8000-0000000000ff"
RECORDING = "recording-1"


def of_another(body: dict[str, Any], connection: str = OTHER) -> dict[str, Any]:
    """The same event, of another connection."""
    return {**body, "data": {**body["data"], "callConnectionId": connection}}


async def asks(call: Call) -> None:
    """Asks, and says what it heard."""
    answer = await call.recognize(text("Yes or no?"), choices=CHOICES)
    await call.play(text(f"You chose {answer.choice}"))


def foreign(stage: Stage, name: str, context: str | None = None, result: Any = (200, 0, ""), **data: Any) -> None:
    body = World().wire.event(name, context, result, **data)
    stage.feed(EventReceived(at=START, event=of_another(body)))


def test_the_end_of_another_call_does_not_end_this_one() -> None:
    stage = Stage(asks).connect()
    foreign(stage, "CallDisconnected", None, (200, 5000, "the other caller left"))
    assert (stage.session.record.status, stage.session.disconnected) == ("connected", False)
    assert stage.session.record.call_connection_id == CONNECTION
    stage.event("RecognizeCompleted", 1, recognitionType="choices", choiceResult={"label": "yes"})
    assert stage.issued == ["answer", "recognize", "play"]


def test_what_another_caller_said_is_not_taken_for_this_ones_answer() -> None:
    stage = Stage(asks).connect()
    context = operation_context("stage", stage.session.operation(1))
    foreign(stage, "RecognizeCompleted", context, recognitionType="choices", choiceResult={"label": "no"})
    assert stage.issued == ["answer", "recognize"]
    assert 1 in stage.session.record.unconfirmed, "nothing shows that this call's own question left"


def test_the_participants_of_another_call_are_not_this_ones() -> None:
    stage = Stage(asks).connect()
    somebody = {"identifier": {"rawId": "4:+14255550999"}, "isMuted": False, "isOnHold": False}
    foreign(stage, "ParticipantsUpdated", participants=[somebody], sequenceNumber=7)
    assert stage.session.participants == ()
    assert stage.session.record.server_call_id == "c2VydmVy"


@pytest.mark.parametrize("name", ["CallDisconnected", "ParticipantsUpdated", "PlayCompleted"])
def test_an_event_of_another_connection_teaches_the_call_nothing_of_its_conversation(name: str) -> None:
    stage = Stage(asks)
    stage.session.record.call_connection_id, stage.session.record.server_call_id = CONNECTION, ""
    stage.session.record.correlation_id = ""
    foreign(stage, name, participants=[], sequenceNumber=1)
    assert (stage.session.record.server_call_id, stage.session.record.correlation_id) == ("", "")


def test_a_call_that_does_not_know_its_connection_yet_learns_it_from_its_first_event() -> None:
    stage = Stage(asks)
    stage.event("ParticipantsUpdated", participants=[], sequenceNumber=1)
    assert stage.session.record.call_connection_id == CONNECTION


def test_a_connection_that_names_the_opening_action_is_the_calls_own() -> None:
    """Its response may have named another: the service had carried out a sending that was lost before."""
    stage = Stage(asks)
    stage.session.record.call_connection_id = OTHER
    stage.connect()
    assert stage.session.record.call_connection_id == CONNECTION
    assert stage.session.record.status == "connected"
    assert stage.issued == ["answer", "recognize"]


def test_a_second_connection_under_the_opening_action_is_not_taken_for_the_first() -> None:
    stage = Stage(asks).connect()
    foreign(stage, "CallConnected", "stage:0:0")
    assert stage.session.record.call_connection_id == CONNECTION


@pytest.mark.parametrize("context", [None, "", "other:0:0", "stage:1:0", "stage:9:0", "stage:0:5"])
def test_a_connection_that_names_nothing_of_this_call_is_not_its_own(context: str | None) -> None:
    stage = Stage(asks)
    stage.session.record.call_connection_id = CONNECTION
    foreign(stage, "CallConnected", context)
    assert stage.session.record.call_connection_id == CONNECTION
    assert stage.session.record.status == "ringing"


@pytest.mark.parametrize("name", ["RecordingStateChanged", "StartRecordingFailed"])
def test_a_recording_speaks_under_a_connection_of_its_own(name: str) -> None:
    stage = Stage(asks).connect()
    foreign(stage, name, recordingId=RECORDING, state="active", startDateTime="2026-11-20T10:00:00Z")
    record = stage.session.record
    assert record.call_connection_id == CONNECTION
    assert record.recording == ("active" if name == "RecordingStateChanged" else "refused")


def test_what_came_to_the_wrong_address_is_journaled_and_the_call_goes_on() -> None:
    """Call B's end at call A's URL, from the outside."""
    world = World()
    conductor = world.conductor()
    call_id = world.answered(conductor, "menu")
    end = of_another(world.wire.event("CallDisconnected", None, (200, 5000, "the other caller left")))
    assert conductor.deliver(call_id, [parsed(end)]) is Outcome.ADVANCED
    assert world.store.peek(call_id).status == "connected"
    assert world.journal(call_id)[-1] == EventReceived(at=START, event=parsed(end).raw)
    (said,) = world.wire.reaction(world.last(), "yes")
    conductor.deliver(call_id, [parsed(said)])
    assert world.kinds() == ["answer", "recognize", "play"]
    cold = world.conductor()
    for body in world.wire.reaction(world.last()):
        cold.deliver(call_id, [parsed(body)])
    assert world.kinds()[-1] == "hang_up", "an instance that replays the journal sees the same"
