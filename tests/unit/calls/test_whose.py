"""Whose an event is, what the journal knows already, and what of it comes too late."""

from __future__ import annotations

import pytest

from shared.calls import Call, actions, text
from shared.calls.comparing import identity
from shared.calls.journal import Entry, EventReceived, Issued, LifecycleEvent, Responded, Settled, Signalled, TimerFired
from tests.unit.calls.test_replay import WIRE, Stage
from tests.unit.calls.world import START, parsed, started_entry


async def listens(call: Call) -> None:
    """Waits for the end."""
    await call.ended()


@pytest.mark.parametrize("name", ["CallConnected", "AnswerFailed"])
def test_what_came_of_the_opening_is_its_own_though_it_names_nothing(name: str) -> None:
    stage = Stage(listens)
    event = parsed(WIRE.event(name, None, (400, 0, "")))
    assert stage.session._operation_of(event) is stage.session.operation(0)
    stage.connect()
    assert stage.session._operation_of(event) is None, "it has come"


@pytest.mark.parametrize("name", ["CreateCallFailed", "ConnectFailed", "PlayFailed"])
def test_what_came_of_another_action_is_not_of_the_opening(name: str) -> None:
    stage = Stage(listens)
    assert stage.session._operation_of(parsed(WIRE.event(name, None, (400, 0, "")))) is None


def test_another_event_that_names_nothing_is_of_no_operation() -> None:
    async def speaks(call: Call) -> None:
        await call.play(text("one"))

    stage = Stage(speaks).connect()
    for name in ("PlayCompleted", "CallConnected", "SomethingNew"):
        assert stage.session._operation_of(parsed(WIRE.event(name))) is None


def test_nothing_is_sent_nor_settled_after_the_end_whoever_asks() -> None:
    stage = Stage(listens).connect()
    asked = Issued(at=START, seq=-1, action=actions.Play(prompts=(text("late"),)), command="key")
    for entry in (asked, Settled(at=START, reason="gone")):
        assert not stage.session.knows(entry)
    stage.event("CallDisconnected", None, (200, 5000, "left"))
    for entry in (asked, Settled(at=START, reason="gone")):
        assert stage.session.knows(entry)
    assert not stage.session.knows(Signalled(at=START, id="s1", name="late"))


def test_of_two_lists_of_participants_with_one_number_the_later_counts() -> None:
    stage = Stage(listens).connect()
    for raw_id in ("4:+1", "4:+2"):
        stage.event("ParticipantsUpdated", participants=[{"identifier": {"rawId": raw_id}}], sequenceNumber=5)
    assert [one.identifier.raw_id for one in stage.session.participants] == ["4:+2"]


def test_what_fails_beside_the_opening_leaves_a_call_that_rings_ringing() -> None:
    stage = Stage(listens)
    early = actions.Play(prompts=(text("early"),))
    stage.feed(Issued(at=START, seq=1_000_000, action=early, command="key"))
    stage.event("PlayFailed", 1_000_000, (400, 8536, "no file"))
    assert stage.session.operation(1_000_000).done
    assert stage.session.record.status == "ringing"


def test_an_opening_that_is_said_to_have_failed_after_it_connected_ends_nothing() -> None:
    stage = Stage(listens).connect()
    stage.event("AnswerFailed", 0, (500, 8500, "late"))
    assert stage.session.record.status == "connected"


def test_who_was_in_the_call_by_a_list_that_comes_late_has_arrived_though_they_have_left_since() -> None:
    async def adds(call: Call) -> None:
        await call.add_participant("8:acs:ada")
        await call.play(text("hello"))

    stage = Stage(adds).connect()
    stage.event("AddParticipantSucceeded", 1, participant={"rawId": "8:acs:ada"})
    stage.event("ParticipantsUpdated", participants=[{"identifier": {"rawId": "4:+1"}}], sequenceNumber=5)
    assert stage.issued == ["answer", "add_participant", "sleep"]
    stage.event("ParticipantsUpdated", participants=[{"identifier": {"rawId": "8:acs:ada"}}], sequenceNumber=3)
    assert stage.issued == ["answer", "add_participant", "sleep", "play"]
    assert [one.identifier.raw_id for one in stage.session.participants] == ["4:+1"]


@pytest.mark.parametrize(
    ("entry", "same"),
    [
        (EventReceived(at=START, event={"id": "a"}), "event a"),
        (Signalled(at=START, id="a", name="x"), "signal a"),
        (LifecycleEvent(at=START, id="a", event={}), "grid a"),
        (Issued(at=START, seq=9, action=actions.HangUp(), command="a"), "command a"),
        (started_entry("stage"), "started"),
        (TimerFired(at=START, seq=9), "timer 9"),
        (Responded(at=START, seq=9, value="a"), "answered 9"),
    ],
    ids=lambda one: getattr(one, "entry", ""),
)
def test_two_deliveries_are_the_same_by_what_they_are_about(entry: Entry, same: str) -> None:
    assert identity(entry) == same
