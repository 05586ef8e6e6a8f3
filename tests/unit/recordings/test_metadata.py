"""The service's document about a chunk is read leniently: one odd value costs that value, and nobody a channel."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.azure.recording_source import read_metadata as read_document
from shared.calls.store.memory import MemoryStore
from shared.errors import UnreadableAudio
from shared.quality.report import Report
from shared.quality.thresholds import Thresholds
from shared.recordings.metadata import Member, read_metadata
from shared.recordings.record import report_name
from shared.recordings.reporting import NO_METADATA, QualityReporter
from tests.unit.recordings.world import World

A = "8:acs:631fa8d8-0000-4ac5-8e15-261aa2590750_0000000c-d8b0-8adc-73ff-234822000345"
B = "4:+14255550123"
WHOLE: dict[str, Any] = {
    "callId": "36cf910b-0000-4101-a443-04e11a98aba5",
    "chunkDocumentId": "doc-0",
    "chunkIndex": 0,
    "chunkStartTime": "2026-11-23T08:13:20.9497016Z",
    "chunkDuration": 1000,
    "pauseResumeIntervals": [{"startTime": "2026-11-23T08:13:21.1Z", "duration": 300}],
    "recordingInfo": {"contentType": "mixed", "channelType": "audioVideo", "format": "wav"},
    "participants": [{"participantId": A, "channel": 0}, {"participantId": B, "channel": 1}],
}
BOTH = (Member(A, 0), Member(B, 1))


def read(**changes: Any) -> Any:
    return read_metadata(json.dumps({**WHOLE, **changes}))


def test_a_whole_document_is_read_whole() -> None:
    found = read()
    assert found.participants == BOTH
    assert (found.chunk_duration, found.pause_resume_intervals[0].duration, found.left_out) == (1000, 300, 0)
    assert found.chunk_start_time.isoformat() == "2026-11-23T08:13:20.949701+00:00"


@pytest.mark.parametrize(
    ("changes", "left_out"),
    [
        ({"pauseResumeIntervals": None}, 0),
        ({"chunkStartTime": None}, 0),
        ({"chunkStartTime": ""}, 0),
        ({"chunkStartTime": "0001-01-01T00:00:00"}, 0),
        ({"chunkDuration": None}, 0),
        ({"chunkStartTime": "11/23/2026 8:13:20 AM"}, 1),
        ({"chunkStartTime": 7}, 1),
        ({"chunkDuration": "long"}, 1),
        ({"chunkDuration": -1}, 1),
        ({"chunkDuration": True}, 1),
        ({"pauseResumeIntervals": "none"}, 1),
        ({"pauseResumeIntervals": [None, {"startTime": "2026-11-23T08:13:21Z", "duration": None}, {"duration": 1}]}, 3),
        ({"recordingInfo": None, "chunkIndex": None}, 0),
    ],
)
def test_an_odd_value_beside_the_participants_takes_nobodys_channel(changes: dict[str, Any], left_out: int) -> None:
    found = read(**changes)
    assert (found.participants, found.left_out) == (BOTH, left_out)


@pytest.mark.parametrize(
    ("odd", "kept"),
    [
        (None, ()),
        ("Ada", ()),
        ({"channel": 1}, ()),
        ({"participantId": None, "channel": 1}, ()),
        ({"participantId": "", "channel": 1}, ()),
        ({"participantId": 7, "channel": 1}, ()),
        ({"participantId": "8:acs:\ud800", "channel": 1}, ()),
        ({"participantId": B, "channel": -1}, (Member(B),)),
        ({"participantId": B, "channel": 0.5}, (Member(B),)),
        ({"participantId": B, "channel": "left"}, (Member(B),)),
    ],
)
def test_one_odd_participant_does_not_take_the_others_channels(odd: Any, kept: tuple[Member, ...]) -> None:
    found = read(participants=[odd, {"participantId": A, "channel": 0}])
    assert (found.participants, found.left_out) == ((*kept, Member(A, 0)), 1)


def test_numbers_may_be_written_as_text_and_channels_may_be_missing() -> None:
    found = read(chunkDuration="1000", participants=[{"participantId": A, "channel": "0"}, {"participantId": B}])
    assert (found.chunk_duration, found.participants, found.left_out) == (1000, (Member(A, 0), Member(B)), 0)


@pytest.mark.parametrize("text", ["", "nonsense", "[]", '"text"', "null", "[" * 100_000])
def test_what_is_no_object_is_refused_without_a_word_of_it(text: str) -> None:
    with pytest.raises(UnreadableAudio) as caught:
        read_metadata(text)
    assert "nonsense" not in str(caught.value)
    with pytest.raises(UnreadableAudio):
        read_document(text.encode())


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5), lambda one: st.lists(one, max_size=2)
)


@given(st.dictionaries(st.sampled_from(sorted(WHOLE)), JSON | st.dictionaries(st.text(max_size=4), JSON, max_size=2)))
def test_whatever_else_stands_there_the_document_is_read(changes: dict[str, Any]) -> None:
    found = read(**changes)
    if "participants" not in changes:
        assert found.participants == BOTH
    assert read_document(json.dumps({**WHOLE, **changes}).encode()).keys() == WHOLE.keys()


def test_what_was_left_out_is_counted_in_the_report_and_everybody_keeps_the_channel() -> None:
    world = World(
        reporter=lambda world: QualityReporter(
            archive=world.archive, ledger=world.ledger, store=MemoryStore(), thresholds=Thresholds()
        )
    )
    odd = {**WHOLE, "participants": [{"participantId": None}, *WHOLE["participants"]], "chunkDuration": "long"}
    world.service.metadata = lambda location: odd  # type: ignore[method-assign]
    recording = world.announce()
    world.run()
    report = Report.model_validate_json(world.archive.get_text(report_name(recording)))
    assert [one.participant for one in report.channels] == ["8:acs:*******0345", "4:+1*******23"]
    assert "Values of the service's metadata that could not be read and were left out: 2." in report.notes
    assert NO_METADATA not in report.notes
