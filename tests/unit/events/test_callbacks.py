"""Callbacks become typed events, also where the wire and the docs disagree."""

import json
import pickle
from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
from pydantic import ValidationError

from shared.events import (
    CALLBACK_TYPES,
    CallConnected,
    CallDisconnected,
    CallEvent,
    ContinuousDtmfRecognitionToneReceived,
    CreateCallFailed,
    MediaStreamingStarted,
    ParticipantsUpdated,
    PlayCompleted,
    PlayFailed,
    RecognizeCompleted,
    RecordingStateChanged,
    SendDtmfTonesCompleted,
    UnknownEvent,
    parse_callback,
    parse_callbacks,
    wire_type,
)
from tests.unit.events.samples import (
    CONNECTION,
    CORRELATION,
    REQUIRED,
    SERVER_CALL,
    USER_A,
    USER_B,
    body,
    callback,
    user,
)


def parsed(name: str, /, **data: Any) -> Any:
    (event,) = parse_callbacks(body(callback(name, **REQUIRED.get(name, {}) | data)))
    return event


def test_there_are_38_callback_types() -> None:
    assert len(CALLBACK_TYPES) == 38


@pytest.mark.parametrize("name", sorted(CALLBACK_TYPES))
def test_every_type_parses_into_its_own_class(name: str) -> None:
    item = callback(name, operationContext="op-1", **REQUIRED.get(name, {}))
    (event,) = parse_callbacks(body(item))
    assert type(event) is CALLBACK_TYPES[name]
    assert (event.name, event.type) == (name, wire_type(name)) == (name, item["type"])
    assert event.call_connection_id == CONNECTION
    assert event.server_call_id == SERVER_CALL
    assert event.correlation_id == CORRELATION
    assert event.operation_context == "op-1"
    assert event.result is not None
    assert (event.result.code, event.result.sub_code) == (200, 0)
    assert event.raw == item


@pytest.mark.parametrize("name", sorted(CALLBACK_TYPES))
def test_nulls_are_the_same_as_absent_fields(name: str) -> None:
    optional = dict.fromkeys(
        ("operationContext", "resultInformation", "failedPlaySourceIndex", "recognitionType", "dtmfResult",
         "choiceResult", "speechResult", "mediaStreamingUpdate", "transcriptionUpdate", "startDateTime",
         "transferTarget", "transferee", "correlationId")
    )  # fmt: skip
    event = parsed(name, **optional)
    assert event.operation_context is None
    assert event.result is None


def test_seven_fraction_digits_and_both_ways_to_write_utc_are_read() -> None:
    expected = datetime(2025, 3, 17, 17, 50, 29, 291168, UTC)
    assert parsed("PlayCompleted").time == expected
    item = callback("PlayCompleted") | {"time": "2025-03-17T17:50:29.2911685Z"}
    assert parse_callback(item).time == expected
    item["time"] = "2025-03-17T17:50:29.29"  # zeros cut, no zone: UTC
    time = parse_callback(item).time
    assert time == expected - timedelta(microseconds=1168)
    assert time is not None
    assert time.tzinfo is not None


def test_one_event_without_an_array_is_read() -> None:
    (event,) = parse_callbacks(json.dumps(callback("CallConnected")))
    assert isinstance(event, CallConnected)


def test_a_byte_order_mark_is_skipped() -> None:
    assert len(parse_callbacks(b"\xef\xbb\xbf" + body(callback("CallConnected")))) == 1


def test_a_batch_keeps_its_order() -> None:
    events = parse_callbacks(body(callback("CallConnected"), callback("CallDisconnected")))
    assert [type(event) for event in events] == [CallConnected, CallDisconnected]


def test_an_empty_array_gives_no_events() -> None:
    assert parse_callbacks(b"[]") == []


@pytest.mark.parametrize("kind", ["Microsoft.Communication.HoldAudioStarted", "Contoso.PlayCompleted", "x"])
@pytest.mark.parametrize("data", [None, 5, [], {"callConnectionId": 7}, {"callConnectionId": CONNECTION}])
def test_an_unknown_type_is_an_unknown_event_whatever_its_data(kind: str, data: Any) -> None:
    item = callback(kind) | {"type": kind, "data": data}
    (event,) = parse_callbacks(body(item))
    assert isinstance(event, UnknownEvent)
    assert isinstance(event, CallEvent)
    assert (event.type, event.name) == (kind, kind.rpartition(".")[2])
    assert event.raw == item
    assert event.call_connection_id in ("", CONNECTION)


def test_the_result_of_old_samples_is_read() -> None:
    item = callback("RecognizeCompleted")
    del item["data"]["resultInformation"]
    item["data"] |= {
        "resultInfo": {"code": 200, "subCode": 8531, "message": "max digits"},
        "collectTonesResult": {"tones": ["nine", "pound"]},
    }
    event = parse_callback(item)
    assert isinstance(event, RecognizeCompleted)
    assert event.result is not None
    assert event.result.sub_code == 8531
    assert event.digits == "9#"


def test_the_name_of_the_2023_preview_is_read() -> None:
    event = parsed("SendDtmfCompleted")
    assert type(event) is SendDtmfTonesCompleted
    assert event.raw["type"].endswith("SendDtmfCompleted")


def test_sip_and_q850_causes_are_read() -> None:
    event = parsed(
        "AddParticipantFailed",
        resultInformation={
            "code": 486, "subCode": 8539, "message": "busy",
            "sipDetails": {"code": 486, "message": "Busy Here"}, "q850Details": {"code": 17, "message": None},
        },
    )  # fmt: skip
    assert event.result.sip_details.code == 486
    assert event.result.q850_details.code == 17
    assert event.participant is None


def test_participants_come_with_mute_and_hold_and_the_sequence_may_skip() -> None:
    event = parsed(
        "ParticipantsUpdated",
        sequenceNumber=14,
        participants=[
            {"identifier": user(USER_A), "isMuted": True, "isOnHold": False},
            {"identifier": {"phoneNumber": {"value": "+14255550100"}}, "isMuted": None},
        ],
    )
    assert isinstance(event, ParticipantsUpdated)
    assert event.sequence_number == 14
    assert [p.identifier.raw_id for p in event.participants] == [USER_A, "4:+14255550100"]
    assert [p.is_muted for p in event.participants] == [True, False]
    assert [p.is_on_hold for p in event.participants] == [False, False]
    assert event.operation_context is None


@pytest.mark.parametrize(
    "shape",
    [
        {"rawId": USER_B},
        {"kind": "communicationUser", "rawId": USER_B, "communicationUser": {"id": USER_B}},
        {"communicationUser": {"id": USER_B}},
        USER_B,
    ],
)
def test_an_identifier_is_read_in_any_shape(shape: Any) -> None:
    assert parsed("RemoveParticipantSucceeded", participant=shape).participant.raw_id == USER_B


def test_recognize_by_key_gives_tones_and_digits() -> None:
    event = parsed(
        "RecognizeCompleted", recognitionType="dtmf", dtmfResult={"tones": ["nine", "Eight", "pound", "asterisk", "a"]}
    )
    assert event.tones == ("nine", "eight", "pound", "asterisk", "a")
    assert event.digits == "98#*A"
    assert (event.choice, event.speech) == (None, None)


def test_a_word_that_is_no_tone_stays_in_the_result_only() -> None:
    event = parsed("RecognizeCompleted", recognitionType="dtmf", dtmfResult={"tones": ["one", "flash"]})
    assert event.tones == ("one",)
    assert event.dtmf_result.tones == ("one", "flash")


def test_recognize_by_choice_gives_its_label_and_no_phrase_when_made_by_key() -> None:
    event = parsed(
        "RecognizeCompleted", recognitionType="choices", choiceResult={"label": "sales", "recognizedPhrase": None}
    )
    assert event.choice == "sales"
    assert event.choice_result.recognized_phrase is None
    assert (event.tones, event.digits, event.speech) == ((), "", None)


def test_recognize_by_speech_gives_what_was_said() -> None:
    event = parsed("RecognizeCompleted", recognitionType="speech", speechResult={"speech": "hello", "confidence": 1})
    assert event.speech == "hello"
    assert event.speech_result.confidence == 1.0


def test_a_pascal_case_word_is_read_as_rest_writes_it() -> None:
    event = parsed("RecognizeCompleted", recognitionType="Dtmf", dtmfResult={"tones": None})
    assert event.recognition_type == "dtmf"
    assert event.tones == ()


def test_an_unknown_enumeration_value_stays_as_a_string() -> None:
    event = parsed("RecordingStateChanged", state="paused", recordingKind="somethingNew")
    assert (event.state, event.recording_kind) == ("paused", "somethingNew")


def test_a_recording_that_does_not_run_yet_has_no_start() -> None:
    event = parsed("RecordingStateChanged", state="inactive", startDateTime="0001-01-01T00:00:00+00:00")
    assert isinstance(event, RecordingStateChanged)
    assert event.start_date_time is None
    event = parsed("RecordingStateChanged", startDateTime="2025-03-17T17:48:54.3719814+00:00")
    assert event.start_date_time == datetime(2025, 3, 17, 17, 48, 54, 371981, UTC)


def test_media_streaming_updates_are_read_with_their_recorded_casing() -> None:
    event = parsed(
        "MediaStreamingStarted",
        mediaStreamingUpdate={
            "contentType": "Audio",
            "mediaStreamingStatus": "mediaStreamingStarted",
            "mediaStreamingStatusDetails": "subscriptionStarted",
        },
    )
    assert isinstance(event, MediaStreamingStarted)
    assert event.media_streaming_update is not None
    assert event.media_streaming_update.content_type == "audio"
    assert event.media_streaming_update.media_streaming_status_details == "subscriptionStarted"


def test_transfer_names_both_ends() -> None:
    event = parsed("CallTransferAccepted", transferTarget=user(USER_A), transferee=user(USER_B))
    assert (event.transfer_target.raw_id, event.transferee.raw_id) == (USER_A, USER_B)


def test_a_tone_knows_its_key() -> None:
    event = parsed("ContinuousDtmfRecognitionToneReceived", tone="pound", sequenceId=3)
    assert isinstance(event, ContinuousDtmfRecognitionToneReceived)
    assert (event.tone, event.digit, event.sequence_id) == ("pound", "#", 3)


def test_the_failed_prompt_is_numbered() -> None:
    event = parsed("PlayFailed", failedPlaySourceIndex=1)
    assert isinstance(event, PlayFailed)
    assert event.failed_play_source_index == 1


def test_a_call_that_never_stood_may_lack_its_server_call_id() -> None:
    item = callback("CreateCallFailed")
    del item["data"]["serverCallId"]
    event = parse_callback(item)
    assert isinstance(event, CreateCallFailed)
    assert event.server_call_id == ""


def test_data_cannot_overwrite_the_envelope() -> None:
    event = parsed("PlayCompleted", id="other", time="x", raw=5, source=9, type="old samples have this")
    assert event.id == "704a7a96-4d74-4ebe-9cd0-b7cc39c3d7b1"
    assert event.source == f"calling/callConnections/{CONNECTION}"
    assert event.raw["data"]["raw"] == 5


def test_events_are_frozen_hashable_equal_by_value_and_survive_pickling() -> None:
    event, again = parsed("PlayCompleted"), parsed("PlayCompleted")
    assert event == again
    assert len({event, again}) == 1
    assert pickle.loads(pickle.dumps(event)) == event
    with pytest.raises(ValidationError):
        event.id = "other"


def test_an_event_can_be_made_by_hand_for_a_test() -> None:
    event = PlayCompleted(id="1", time=datetime(2025, 1, 1, tzinfo=UTC), call_connection_id="c", server_call_id="s")
    assert event.type == "Microsoft.Communication.PlayCompleted"
    assert event.result is None


def test_first_events_may_come_on_many_threads_at_once() -> None:
    names = sorted(CALLBACK_TYPES)
    start = Barrier(8)
    seen: list[str] = []

    def parse_all() -> None:
        start.wait()
        seen.extend(type(parsed(name)).__name__ for name in names)

    threads = [Thread(target=parse_all) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(seen) == sorted(names * 8)
