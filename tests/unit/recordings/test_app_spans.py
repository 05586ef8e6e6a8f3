"""What the app did on the line, read from journals; times are seconds after the recording began."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from shared.calls import actions, journal
from shared.calls.prompts import FilePrompt
from shared.identifiers import Identifier
from shared.recordings.call_evidence import app_spans
from tests.unit.quality.made import BEGAN
from tests.unit.recordings.samples import AGENT, CALLER, SUPERVISOR
from tests.wire_identifiers import to_wire

CHANNELS = {CALLER: 0, AGENT: 1}
PROMPT = FilePrompt(url="https://prompts.example/a.wav")
PLAY = actions.Play(prompts=(PROMPT,))
RECOGNIZE = actions.Recognize(input="dtmf", participant=Identifier.parse(CALLER), max_tones=1)
HOLD = actions.Hold(participant=Identifier.parse(CALLER))
UNHOLD = actions.Unhold(participant=Identifier.parse(CALLER))


def at(second: float) -> int:
    return int((BEGAN + timedelta(seconds=second)).timestamp() * 1000)


def issued(second: float, action: Any, seq: int = 0) -> journal.Issued:
    return journal.Issued(at=at(second), seq=seq, action=action)


def accepted(second: float, seq: int = 0) -> journal.Accepted:
    return journal.Accepted(at=at(second), seq=seq)


def answered(second: float, seq: int = 0) -> journal.Responded:
    return journal.Responded(at=at(second), seq=seq)


def event(second: float, name: str, context: str | None = "call:1:0:0", **data: Any) -> journal.EventReceived:
    # A real call id may hold colons; it took the event two seconds to arrive.
    told = {"operationContext": context} if context else {}
    time = (BEGAN + timedelta(seconds=second)).strftime("%Y-%m-%dT%H:%M:%S.%f") + "0+00:00"
    raw = {"type": f"Microsoft.Communication.{name}", "time": time, "data": {**told, **data}}
    return journal.EventReceived(at=at(second + 2), event=raw)


def roster(second: float, *present: str) -> journal.EventReceived:
    participants = [{"identifier": to_wire(Identifier.parse(one)), "isMuted": False} for one in present]
    return event(second, "ParticipantsUpdated", None, participants=participants, sequenceNumber=5)


def read(*entries: Any, seconds: float = 100.0) -> list[tuple[str, float, float, int | None]]:
    lines = [json.loads(journal.encode(entry)) for entry in entries]
    found = app_spans(lines, BEGAN, CHANNELS, seconds=seconds)
    return [(span.kind, span.start, span.end, span.channel) for span in found]


# Prompts


def test_a_prompt_lasts_from_its_start_to_its_outcome() -> None:
    found = read(issued(1, PLAY), accepted(1.2), event(2, "PlayStarted"), event(7.5, "PlayCompleted"))
    assert found == [("prompt", 2.0, 7.5, None)]


def test_a_prompt_whose_start_was_not_told_begins_when_it_was_accepted() -> None:
    assert read(issued(1, PLAY), accepted(1.2), event(7, "PlayCompleted")) == [("prompt", 1.2, 7.0, None)]
    assert read(issued(1, PLAY), event(7, "PlayCompleted"), accepted(7.5)) == [("prompt", 1.0, 7.0, None)]


def test_events_may_arrive_in_any_order() -> None:
    found = read(issued(1, PLAY), event(7, "PlayCompleted"), event(2, "PlayStarted"), accepted(7.5))
    assert found == [("prompt", 2.0, 7.0, None)]


def test_an_event_whose_context_holds_a_number_of_any_length_is_of_no_prompt() -> None:
    digits = "9" * 5000
    foreign = event(7, "PlayCompleted", context=f"call:{digits}:{digits}")
    assert read(issued(1, PLAY), event(2, "PlayStarted"), foreign, event(8, "PlayCompleted")) == [
        ("prompt", 2.0, 8.0, None)
    ]


@pytest.mark.parametrize("outcome", ["PlayFailed", "PlayCanceled"])
def test_a_prompt_that_never_started_was_never_heard(outcome: str) -> None:
    assert read(issued(1, PLAY), accepted(1.2), event(4, outcome)) == []
    assert read(issued(1, PLAY), event(2, "PlayStarted"), event(4, outcome)) == [("prompt", 2.0, 4.0, None)]


def test_a_prompt_to_one_is_on_their_channel() -> None:
    for to, channel in (((CALLER,), 0), ((CALLER, AGENT), None), ((SUPERVISOR,), None)):
        play = actions.Play(prompts=(PROMPT,), to=tuple(Identifier.parse(one) for one in to))
        assert read(issued(1, play), event(2, "PlayStarted"), event(3, "PlayCompleted"))[0][3] == channel


def test_a_loop_lasts_until_everything_is_cancelled_even_if_no_event_says_so() -> None:
    loop = PLAY.model_copy(update={"loop": True})
    cancel = (issued(20, actions.CancelAllMedia(), 1), answered(20.5, 1))
    assert read(issued(1, loop), event(2, "PlayStarted"), *cancel) == [("prompt", 2.0, 20.5, None)]
    told = read(issued(1, loop), event(2, "PlayStarted"), *cancel, event(20.3, "PlayCanceled"))
    assert told == [("prompt", 2.0, 20.3, None)]


# Listening


@pytest.mark.parametrize("outcome", ["RecognizeCompleted", "RecognizeFailed", "RecognizeCanceled"])
def test_listening_lasts_from_acceptance_to_its_outcome(outcome: str) -> None:
    found = read(issued(1, RECOGNIZE), accepted(1.2), event(2, "PlayStarted"), event(9, outcome))
    assert found == [("listening", 1.2, 9.0, 0)]


# Holds


def test_a_hold_lasts_from_its_answer_to_the_answer_of_the_unhold() -> None:
    found = read(issued(5, HOLD), answered(5.5), issued(60, UNHOLD, 1), answered(60.5, 1))
    assert found == [("hold", 5.5, 60.5, 0)]


def test_an_unhold_that_was_refused_ends_no_hold() -> None:
    refused = journal.RefusedEntry(at=at(60), seq=1, status=400, code="8501", message="no")
    assert read(issued(5, HOLD), answered(5.5), issued(59, UNHOLD, 1), refused) == [("hold", 5.5, 100.0, 0)]


def test_an_unhold_of_somebody_else_ends_no_hold() -> None:
    other = actions.Unhold(participant=Identifier.parse(AGENT))
    assert read(issued(5, HOLD), answered(5.5), issued(59, other, 1), answered(60, 1)) == [("hold", 5.5, 100.0, 0)]


def test_a_hold_with_music_is_known_by_its_audio_if_its_answer_was_lost() -> None:
    unheld = (issued(60, UNHOLD, 1), event(60.4, "HoldAudioCompleted"), answered(61, 1))
    assert read(issued(5, HOLD), event(6, "HoldAudioStarted"), *unheld) == [("hold", 6.0, 60.4, 0)]


def test_a_hold_that_failed_is_none() -> None:
    assert read(issued(5, HOLD), answered(5.5), event(6, "HoldFailed")) == []


def test_who_leaves_is_no_longer_on_hold() -> None:
    before, after, odd = roster(4, AGENT), roster(30, AGENT), roster(20, AGENT)
    odd.event["data"]["participants"].append({"identifier": {"kind": "new"}})
    joined = roster(10, AGENT, CALLER)
    assert read(issued(5, HOLD), answered(5.5), before, joined, odd, after) == [("hold", 5.5, 30.0, 0)]


# Ends


@pytest.mark.parametrize(
    "last",
    [event(40, "CallDisconnected", None), journal.Settled(at=at(40), reason="gone")],
    ids=["disconnected", "settled"],
)
def test_the_end_of_the_call_ends_everything(last: Any) -> None:
    found = read(
        issued(1, PLAY, 0), event(2, "PlayStarted"),
        issued(3, RECOGNIZE, 1), accepted(3, 1),
        issued(5, HOLD, 2), answered(5, 2),
        last, issued(41, PLAY, 3),
    )  # fmt: skip
    assert found == [("prompt", 2.0, 40.0, None), ("listening", 3.0, 40.0, 0), ("hold", 5.0, 40.0, 0)]


def test_what_is_open_at_the_end_of_the_recording_ends_there() -> None:
    assert read(issued(5, HOLD), answered(5.5), seconds=20.0) == [("hold", 5.5, 20.0, 0)]


def test_spans_are_cut_at_both_ends_of_the_recording() -> None:
    found = read(
        issued(-9, PLAY, 0), event(-8, "PlayStarted"), event(3, "PlayCompleted"),
        issued(-20, RECOGNIZE, 1), accepted(-20, 1), event(-10, "RecognizeCompleted", "call:1:1:0"),
        issued(150, HOLD, 2), answered(150, 2),
    )  # fmt: skip
    assert found == [("prompt", 0.0, 3.0, None)]


# Operations that were refused, lost or sent twice


def test_what_was_refused_did_nothing() -> None:
    refused = journal.RefusedEntry(at=at(2), seq=0, status=500, code="x", message="no")
    assert read(issued(1, PLAY), refused) == read(issued(1, HOLD), refused) == []


def test_what_ended_nobody_knows_when_is_left_out() -> None:
    assert read(issued(1, PLAY), event(2, "PlayStarted"), journal.GaveUp(at=at(90), seq=0)) == []


def test_a_prompt_that_was_sent_twice_is_heard_as_often_as_it_started() -> None:
    resent = journal.Resent(at=at(20), seq=0, attempt=1)
    second = (event(21, "PlayStarted", "call:1:0:1"), event(25, "PlayCompleted", "call:1:0:1"))
    assert read(issued(1, PLAY), resent, *second) == [("prompt", 21.0, 25.0, None)]
    first = (event(2, "PlayStarted"), event(6, "PlayCompleted"))
    assert read(issued(1, PLAY), resent, *first, *second) == [("prompt", 2.0, 6.0, None), ("prompt", 21.0, 25.0, None)]


def test_a_hold_that_was_sent_twice_is_one_hold() -> None:
    resent = journal.Resent(at=at(8), seq=0, attempt=1)
    found = read(
        issued(1, HOLD), event(2, "HoldAudioStarted"), resent, answered(9), issued(50, UNHOLD, 1), answered(50, 1)
    )
    assert found == [("hold", 2.0, 50.0, 0)]


def test_events_of_other_operations_and_contexts_of_others_mean_nothing() -> None:
    foreign = (
        event(3, "PlayCompleted", "somebody's own"),
        event(3, "PlayCompleted", "call:1:7:0"),
        event(3, "X", None),
    )
    assert read(issued(1, PLAY), event(2, "PlayStarted"), *foreign, event(9, "PlayCompleted")) == [
        ("prompt", 2.0, 9.0, None)
    ]


@pytest.mark.parametrize("time", [None, "", "yesterday", 5])
def test_an_event_without_a_time_counts_when_it_was_journaled(time: Any) -> None:
    begun, ended = event(3, "PlayStarted"), event(8, "PlayCompleted")
    ended.event["time"] = time  # type: ignore[index]
    assert read(issued(1, PLAY), begun, ended) == [("prompt", 3.0, 10.0, None)]


@pytest.mark.parametrize("written", ["4:{plus}_207ffef6-9444-41fb-92ab-20eacaae2768", "4:{bare}"])
def test_a_person_on_hold_is_found_however_the_list_writes_them(written: str) -> None:
    plus = CALLER.removeprefix("4:")
    there = roster(10, AGENT, written.format(plus=plus, bare=plus[1:]))
    assert read(issued(5, HOLD), answered(5.5), there, roster(30, AGENT)) == [("hold", 5.5, 30.0, 0)]
