"""One odd field does not throw an event away: what cannot be read is left out and counted."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.calls import Call
from shared.calls.flow import Flow
from shared.calls.rehearsal import Rehearsal
from shared.errors import MalformedEvent
from shared.events import (
    CALLBACK_TYPES,
    ParticipantsUpdated,
    RecordingFileStatusUpdated,
    ResultInformation,
    explain,
    parse_callback,
    parse_callbacks,
    parse_event_grid_event,
)
from tests.unit.events.samples import GRID, INCOMING, REQUIRED, USER_A, USER_B, callback, grid_event, user


def parsed(name: str, **data: Any) -> Any:
    return parse_callback(callback(name, **REQUIRED.get(name, {}) | data))


def grid(name: str, **data: Any) -> Any:
    return parse_event_grid_event(grid_event(name, GRID[name] | data))


# Results


@pytest.mark.parametrize(
    ("result", "read", "unread"),
    [
        ({"code": 200, "subCode": None, "message": None}, (200, 0), ()),
        ({"code": None, "subCode": 8536}, (0, 8536), ()),
        ({"code": 400, "subCode": "8536"}, (400, 8536), ()),
        ({"code": 400, "subCode": 1.5}, (400, 0), ("resultInformation.subCode",)),
        ({"code": "many", "subCode": 8536}, (0, 8536), ("resultInformation.code",)),
        ({"code": True, "subCode": 2**40}, (0, 0), ("resultInformation.code", "resultInformation.subCode")),
        ({"code": 400, "subCode": 8536, "message": 5}, (400, 8536), ("resultInformation.message",)),
        ({"code": 400, "subCode": 8536, "sipDetails": "x"}, (400, 8536), ("resultInformation.sipDetails",)),
        ({"code": 400, "subCode": 8536, "details": []}, (400, 8536), ()),
    ],
)  # fmt: skip
def test_the_end_of_a_call_is_not_lost_over_its_result(
    result: dict[str, Any], read: tuple[int, int], unread: tuple[str, ...]
) -> None:
    event = parsed("CallDisconnected", resultInformation=result)
    assert (event.result.code, event.result.sub_code) == read
    assert event.unread == unread
    assert explain(*read).plain


def test_a_result_that_is_no_object_is_left_out() -> None:
    event = parsed("CallDisconnected", resultInformation="ok")
    assert (event.result, event.unread) == (None, ("resultInformation",))


@pytest.mark.parametrize("value", [None, ""])
@pytest.mark.parametrize("name", ["CallDisconnected", "AddParticipantFailed", "ParticipantsUpdated", "PlayCompleted"])
def test_no_callback_needs_the_server_call_id(name: str, value: Any) -> None:
    event = parsed(name, serverCallId=value)
    assert (event.server_call_id, event.unread) == ("", ())


@pytest.mark.parametrize(("time", "unread"), [(None, ()), ("yesterday", ("time",)), (5, ("time",))])
def test_a_cloud_event_may_leave_out_its_time(time: Any, unread: tuple[str, ...]) -> None:
    event = parse_callback(callback("CallConnected") | {"time": time})
    assert (event.time, event.unread) == (None, unread)


# Participants


def test_one_unreadable_participant_leaves_the_others() -> None:
    event = parsed(
        "ParticipantsUpdated",
        participants=[
            {"identifier": user(USER_A), "isMuted": "yes", "isOnHold": True},
            {"identifier": {"kind": "unknown", "rawId": ""}},
            {"identifier": None},
            None,
            {"identifier": user(USER_B)},
        ],
    )
    assert [one.identifier.raw_id for one in event.participants] == [USER_A, USER_B]
    assert [(one.is_muted, one.is_on_hold) for one in event.participants] == [(False, True), (False, False)]
    assert set(event.unread) == {"participants[0].isMuted", *(f"participants[{index}]" for index in (1, 2, 3))}
    assert event.hidden == 3


@pytest.mark.parametrize("name", ["AddParticipantSucceeded", "RemoveParticipantSucceeded", "MoveParticipantSucceeded"])
@pytest.mark.parametrize(("participant", "unread"), [(None, ()), ({"kind": "phoneNumber"}, ("participant",))])
def test_an_outcome_counts_though_it_does_not_say_whose(name: str, participant: Any, unread: tuple[str, ...]) -> None:
    event = parsed(name, participant=participant)
    assert (event.participant, event.unread) == (None, unread)


def gone(*rosters: list[str | None]) -> list[bool]:
    """After each list of participants, of which None stands for an unreadable one: whether the agent counts as gone."""
    left: list[bool] = []

    async def waits(call: Call) -> None:
        await call.signal("begin")
        await call.left(USER_A)
        left.append(True)
        await call.signal("never")

    call = Rehearsal(Flow("waits", waits))
    call.connect()
    found = []
    for number, roster in enumerate(rosters):
        listed = [{"identifier": {"kind": "new"} if who is None else user(who)} for who in roster]
        call.event("ParticipantsUpdated", participants=listed, sequenceNumber=number + 1)
        if number == 0:
            call.signal("begin")
        found.append(bool(left))
    return found


def test_nobody_counts_as_gone_who_may_be_the_one_that_cannot_be_read() -> None:
    assert gone([USER_A, USER_B], [None, USER_B]) == [False, False]
    assert gone([USER_A, USER_B], [None, USER_B], [USER_B]) == [False, False, True]
    assert gone([USER_A, USER_B], [None, USER_B], [USER_A, USER_B], [USER_B]) == [False, False, False, True]


def test_somebody_who_leaves_is_seen_beside_one_that_never_can_be_read() -> None:
    assert gone([USER_A, USER_B, None], [USER_B, None]) == [False, True]


# What a recognize gave


@pytest.mark.parametrize(
    "data",
    [
        {"recognitionType": "dtmf", "dtmfResult": {"tones": ["one", 2]}},
        {"recognitionType": "dtmf", "dtmfResult": {"tones": "one"}},
        {"recognitionType": "choices", "choiceResult": {"label": None, "recognizedPhrase": "x"}},
        {"recognitionType": "speech", "speechResult": {"speech": 5}},
        {"choiceResult": {"label": 5}},
    ],
)
def test_part_of_what_a_caller_said_is_not_taken_for_the_whole(data: dict[str, Any]) -> None:
    with pytest.raises(MalformedEvent, match="Result"):
        parsed("RecognizeCompleted", **data)


@pytest.mark.parametrize(
    ("data", "unread"),
    [
        ({"speechResult": {"speech": "hi", "confidence": "NaN"}}, ("speechResult.confidence",)),
        ({"speechResult": {"speech": "hi"}, "choiceResult": {"label": None}}, ("choiceResult",)),
        ({"speechResult": {"speech": "hi"}, "dtmfResult": {"tones": [1]}}, ("dtmfResult.tones",)),
    ],
)
def test_what_a_caller_said_counts_whatever_stands_beside_it(data: dict[str, Any], unread: tuple[str, ...]) -> None:
    event = parsed("RecognizeCompleted", recognitionType="speech", **data)
    assert event.speech == "hi"
    assert event.unread == unread


def test_a_tone_is_read_as_the_previews_wrote_it() -> None:
    item = callback("ContinuousDtmfRecognitionToneReceived", toneInfo={"sequenceId": 3, "tone": "five"})
    event: Any = parse_callback(item)
    assert (event.sequence_id, event.digit) == (3, "5")


# Incoming calls


def test_a_header_that_is_no_text_does_not_keep_a_call_from_being_answered() -> None:
    headers = {"sipHeaders": {"X-A": ["1", "2"], "X-B": "b", "+14255550100": {}}, "voipHeaders": {"vip": True, "n": 5}}
    event = grid("IncomingCall", customContext=headers)
    assert event.custom_context.headers == {"X-B": "b", "n": "5"}
    assert event.unread == ("customContext.sipHeaders.*",) * 2 + ("customContext.voipHeaders.*",)
    assert event.raw["data"]["customContext"] == headers, "the event stays as it came"


@pytest.mark.parametrize("name", ["customContext", "callerDisplayName", "serverCallId", "onBehalfOfCallee"])
def test_a_call_is_answered_whatever_these_fields_hold(name: str) -> None:
    event = grid("IncomingCall", **{name: [5]})
    assert (event.incoming_call_context, event.unread) == (INCOMING["incomingCallContext"], (name,))


# Recordings


@pytest.mark.parametrize(
    ("data", "duration", "unread"),
    [
        ({"recordingDurationMs": 6620.5}, 6620, ()),
        ({"recordingDurationMs": "a while"}, None, ("recordingDurationMs",)),
        ({"recordingStartTime": "7/27/2021 3:20:23 PM"}, 6620, ("recordingStartTime",)),
        ({"recordingStartTime": ""}, 6620, ("recordingStartTime",)),
        ({"sessionEndReason": 5, "recordingFormatType": {}}, 6620, ("sessionEndReason", "recordingFormatType")),
    ],
)
def test_files_are_fetched_whatever_is_said_of_their_recording(
    data: dict[str, Any], duration: int | None, unread: tuple[str, ...]
) -> None:
    event = grid("RecordingFileStatusUpdated", **data)
    assert (len(event.chunks), event.recording_duration_ms) == (2, duration)
    assert set(event.unread) == set(unread)


def chunks(*given: dict[str, Any]) -> RecordingFileStatusUpdated:
    location = {"contentLocation": "https://a.example/a"}
    event = grid("RecordingFileStatusUpdated", recordingStorageInfo={"recordingChunks": [location | c for c in given]})
    assert isinstance(event, RecordingFileStatusUpdated)
    return event


@pytest.mark.parametrize(
    ("indexes", "read"),
    [([None, None], [0, 1]), ([1, None], [0, 1]), (["first", 0], [0, 1]), ([2, None, 0], [0, 1, 2]), ([0, 1], [0, 1])],
)
def test_no_two_files_get_one_number(indexes: list[Any], read: list[int]) -> None:
    assert [chunk.index for chunk in chunks(*({"index": index} for index in indexes)).chunks] == read


@pytest.mark.parametrize("document", [None, 5])
def test_a_file_is_kept_that_has_no_name(document: Any) -> None:
    (chunk,) = chunks({"index": 0, "documentId": document}).chunks
    assert (chunk.document_id, chunk.content_location) == ("", "https://a.example/a")


@pytest.mark.parametrize("word", ["MP3", "Mp3", "mp3", "WAV", "UNMIXED"])
def test_a_word_in_capitals_is_the_same_word(word: str) -> None:
    event = grid("RecordingFileStatusUpdated", recordingFormatType=word, recordingChannelType=word)
    assert event.recording_format_type == event.recording_channel_type == word.lower()


@pytest.mark.parametrize("listed", [5, "x", [5], [None], [{"index": 0}, 7, 8]])
def test_a_list_of_files_of_which_nothing_can_be_read_is_not_an_empty_one(listed: Any) -> None:
    data = {"recordingStorageInfo": {"recordingChunks": listed}}
    if isinstance(listed, list) and len(listed) > 1:
        assert len(grid("RecordingFileStatusUpdated", **data).chunks) == 1
        return
    with pytest.raises(MalformedEvent, match="recordingChunks"):
        grid("RecordingFileStatusUpdated", **data)


# In general

junk = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**40), 2**40)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
NEEDED = {"callConnectionId", "operationContext", *(field for fields in REQUIRED.values() for field in fields)}


@given(st.sampled_from(sorted(CALLBACK_TYPES)), st.data())
def test_whatever_an_unneeded_field_holds_the_rest_of_the_event_is_read(name: str, data: st.DataObject) -> None:
    good = callback(name, **REQUIRED.get(name, {}), operationContext="c:1:0")
    bad = copy.deepcopy(good)
    fields = sorted((set(bad["data"]) | {"participant", "startDateTime", "failedPlaySourceIndex"}) - NEEDED)
    field = data.draw(st.sampled_from(fields))
    bad["data"][field] = data.draw(junk)
    before = copy.deepcopy(bad)
    event = parse_callback(bad)
    assert bad == before == event.raw
    assert (event.name, event.operation_context) == (name, "c:1:0")
    assert all(path.startswith(field) for path in event.unread)
    (again,) = parse_callbacks(json.dumps([bad]))
    assert again == event, "a stored event is read as it was when it came"


@given(st.lists(st.sampled_from(["good", "bad", "muted"]), min_size=1, max_size=12))
def test_of_a_list_just_the_readable_entries_are_read(kinds: list[str]) -> None:
    entry: dict[str, Any] = {
        "good": {"identifier": user(USER_A)},
        "bad": {"identifier": {"kind": "new"}},
        "muted": {"identifier": user(USER_A), "isMuted": "x"},
    }
    item = callback("ParticipantsUpdated", sequenceNumber=1, participants=[entry[kind] for kind in kinds])
    if set(kinds) == {"bad"}:
        with pytest.raises(MalformedEvent):
            parse_callback(item)
        return
    event = parse_callback(item)
    assert isinstance(event, ParticipantsUpdated)
    assert len(event.participants) == len(kinds) - kinds.count("bad")
    assert len(event.unread) == len(kinds) - kinds.count("good")
    assert event.hidden == kinds.count("bad")


def test_a_result_is_the_same_whether_a_null_is_there_or_not() -> None:
    given = {"code": 200, "subCode": None, "message": None, "sipDetails": None}
    assert parsed("PlayCompleted", resultInformation=given).result == ResultInformation(code=200)
