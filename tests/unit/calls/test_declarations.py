"""What each action declares of its operation, said a second time: a change of a declaration shows here."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from pydantic import BaseModel

from shared.calls import actions
from shared.calls.actions import KINDS, Action, Choice, Opening, Spec, families, roles
from shared.calls.free_text import Name, Part, text_fields
from shared.errors import InvalidInput
from shared.events import CALLBACK_TYPES
from shared.identifiers import Identifier
from shared.web.models import ACTIONS
from tests.functional.api import BODIES

EVENTS = {
    "add_participant": "AddParticipantSucceeded succeeded, AddParticipantFailed failed",
    "answer": "CallConnected succeeded, AnswerFailed failed",
    "cancel_add_participant": "CancelAddParticipantSucceeded succeeded, CancelAddParticipantFailed failed",
    "cancel_all_media": "",
    "connect": "CallConnected succeeded, ConnectFailed failed",
    "create_call": "CallConnected succeeded, CreateCallFailed failed",
    "get_call": "",
    "get_participant": "",
    "get_recording_state": "",
    "hang_up": "CallDisconnected succeeded",
    "hold": "HoldAudioStarted progress, HoldAudioCompleted progress, PlayStarted progress, HoldFailed failed,"
    " ParticipantsUpdated state",
    "list_participants": "",
    "move_participants": "MoveParticipantSucceeded succeeded, MoveParticipantFailed failed",
    "mute": "ParticipantsUpdated state",
    "pause_recording": "RecordingStateChanged state",
    "play": "PlayStarted progress, PlayCompleted succeeded, PlayFailed failed, PlayCanceled canceled",
    "recognize": "PlayStarted progress, RecognizeCompleted succeeded, RecognizeFailed failed,"
    " RecognizeCanceled canceled",
    "redirect": "",
    "reject": "",
    "remove_participant": "RemoveParticipantSucceeded succeeded, RemoveParticipantFailed failed",
    "resume_recording": "RecordingStateChanged state",
    "send_dtmf": "SendDtmfTonesCompleted succeeded, SendDtmfTonesFailed failed",
    "start_continuous_dtmf": "ContinuousDtmfRecognitionToneReceived progress,"
    " ContinuousDtmfRecognitionToneFailed failed",
    "start_media_streaming": "MediaStreamingStarted succeeded, MediaStreamingFailed failed",
    "start_recording": "RecordingStateChanged state, StartRecordingFailed failed",
    "start_transcription": "TranscriptionStarted succeeded, TranscriptionFailed failed",
    "stop_continuous_dtmf": "ContinuousDtmfRecognitionStopped succeeded",
    "stop_media_streaming": "MediaStreamingStopped succeeded, MediaStreamingFailed failed",
    "stop_recording": "RecordingStateChanged state",
    "stop_transcription": "TranscriptionStopped succeeded, TranscriptionFailed failed",
    "terminate": "CallDisconnected succeeded",
    "transfer": "CallTransferAccepted succeeded, CallTransferFailed failed",
    "unhold": "ParticipantsUpdated state",
    "update_transcription": "TranscriptionUpdated succeeded, TranscriptionFailed failed",
}
OF_THE_APP = {"may_record", "run", "sleep"}
AT_THE_CALL_S_URL = {
    "answer", "cancel_all_media", "connect", "create_call", "get_call", "get_participant", "get_recording_state",
    "hang_up", "list_participants", "mute", "pause_recording", "redirect", "reject", "resume_recording",
    "stop_recording", "terminate",
}  # fmt: skip
"""Actions without a callback URI of their own."""


def those(**flags: object) -> set[str]:
    """The kinds of the actions that declare this."""
    return {
        kind
        for kind, action in KINDS.items()
        if all(getattr(action.spec, name) == value for name, value in flags.items())
    }


def test_these_are_the_actions() -> None:
    assert set(KINDS) == set(EVENTS) | OF_THE_APP
    assert those(in_service=False) == OF_THE_APP


def test_a_second_action_of_one_kind_is_refused_where_it_is_declared() -> None:
    with pytest.raises(TypeError, match="Again and MuteParticipant are both of kind mute"):

        class Again(Action):
            kind: Literal["mute"] = "mute"

    assert KINDS["mute"] is actions.MuteParticipant


@pytest.mark.parametrize("kind", EVENTS)
def test_these_events_report_on_an_action(kind: str) -> None:
    events = KINDS[kind].spec.events
    assert ", ".join(f"{event} {role}" for event, role in events.items()) == EVENTS[kind]
    assert KINDS[kind].spec.completes_on == ("event" if " succeeded" in EVENTS[kind] else "response")


def test_every_event_that_the_service_publishes_reports_on_an_action_and_says_one_thing() -> None:
    assert set(roles()) - set(CALLBACK_TYPES) == {"HoldAudioStarted", "HoldAudioCompleted"}, "recorded, not published"
    assert set(CALLBACK_TYPES) <= set(roles())
    assert {event: said for event, said in roles().items() if len(set(said.values())) > 1} == {}
    assert roles()["PlayStarted"] == {"play": "progress", "recognize": "progress", "hold": "progress"}


@pytest.mark.parametrize("event", CALLBACK_TYPES)
def test_an_event_s_name_and_what_it_says_agree(event: str) -> None:
    (role,) = set(roles()[event].values())
    endings = {"Failed": "failed", "Canceled": "canceled", "Succeeded": "succeeded", "Completed": "succeeded",
               "Accepted": "succeeded", "Stopped": "succeeded"}  # fmt: skip
    expected = [says for ending, says in endings.items() if event.endswith(ending)]
    assert role == expected[0] if expected else role in ("succeeded", "progress", "state")


def test_these_actions_have_a_callback_uri_of_their_own_with_their_name() -> None:
    named = set(EVENTS) - AT_THE_CALL_S_URL
    own = {kind: KINDS[kind].spec.families for kind in named}
    assert own.pop("play") == ("play", "play-to-all")
    assert own.pop("start_recording") == ("recording",)
    assert own == {kind: (kind.replace("_", "-"),) for kind in own}
    assert those(families=()) == AT_THE_CALL_S_URL | OF_THE_APP


def test_events_come_to_the_callback_uri_of_their_action() -> None:
    assert families()["play"] == families()["play-to-all"] == {
        "PlayStarted", "PlayCompleted", "PlayFailed", "PlayCanceled",
    }  # fmt: skip
    assert families()["recording"] == {"RecordingStateChanged", "StartRecordingFailed"}
    assert len(families()) == sum(len(action.spec.families) for action in KINDS.values()), "no two share one"


def test_a_play_to_participants_has_another_callback_uri_than_one_to_all() -> None:
    play = KINDS["play"].model_validate(BODIES["play"])
    assert play.family == "play-to-all"
    assert KINDS["play"].model_validate({**BODIES["play"], "to": ["+14255550177"]}).family == "play"


def test_these_may_be_sent_again_and_these_only_ask() -> None:
    assert those(repeatable=True) == {
        "add_participant", "answer", "cancel_add_participant", "connect", "create_call", "move_participants", "mute",
        "redirect", "reject", "remove_participant", "send_dtmf", "start_recording", "terminate", "transfer",
    }  # fmt: skip
    assert those(idempotent=True) == {"cancel_all_media", "pause_recording", "resume_recording"}
    assert those(reads=True) == {
        "get_call", "get_participant", "get_recording_state", "list_participants", "may_record",
    }  # fmt: skip
    assert those(keeps_response=True) == {"add_participant"}


def test_these_call_somebody_and_these_name_who_is_on_the_call() -> None:
    by_meaning: dict[str, set[str]] = {}
    for kind, action in KINDS.items():
        if {"target", "targets"} & set(action.model_fields):
            by_meaning.setdefault(action.spec.targets, set()).add(kind)
    assert by_meaning == {
        "invited": {"create_call", "add_participant"},
        "sent to": {"redirect", "transfer"},
        "moved": {"move_participants"},
        "present": {"get_participant", "mute", "remove_participant"},
    }
    assert those(places=True) == {"connect", "create_call"}
    assert Spec().targets == "invited", "what is not declared is held to call somebody"


def test_an_identifier_of_an_action_is_a_target_or_somebody_who_need_not_be_called() -> None:
    """The brakes, the search by number and the do-not-record list go by `target` and `targets` alone."""
    found = {
        (kind, name)
        for kind, action in KINDS.items()
        for name, field in action.model_fields.items()
        if "Identifier" in str(field.annotation) and name not in ("target", "targets", "participant", "caller_id")
    }
    assert found == {
        ("play", "to"),
        ("may_record", "who"),
        ("start_recording", "ordering"),
        ("transfer", "transferee"),
    }


def test_these_are_noticed_by_those_on_the_call_and_these_end_what_is() -> None:
    assert {kind: action.spec.media for kind, action in KINDS.items() if action.spec.media} == {
        "hold": "hold", "play": "prompt", "recognize": "listening",
    }  # fmt: skip
    assert {kind: action.spec.ends_media for kind, action in KINDS.items() if action.spec.ends_media} == {
        "cancel_all_media": ("prompt", "listening"), "unhold": ("hold",),
    }  # fmt: skip
    assert {kind for kind, action in KINDS.items() if action.spec.queued} == {"play", "recognize"}
    assert {kind for kind, action in KINDS.items() if action.spec.closes} == {"hang_up", "terminate"}


def test_these_can_be_secret_and_of_these_it_is_what_comes_back() -> None:
    assert {kind for kind, action in KINDS.items() if "secret" in action.model_fields} - those(
        secret_comes_back=True
    ) == {"play", "send_dtmf"}
    assert those(secret_comes_back=True) == {"recognize", "run", "start_continuous_dtmf"}


def test_in_these_fields_a_flow_can_write_a_secret() -> None:
    opening = {"media_streaming": "transport_url", "transcription": "transport_url"}
    context = {"context": "sip_headers user_to_user voip_headers"}
    assert {kind: fields for kind, action in KINDS.items() if (fields := writable(action))} == {
        "add_participant": {"display_name": "", **context},
        "answer": opening,
        "connect": opening,
        "create_call": {"display_name": "", **opening},
        "hold": {"audio": ""},
        "play": {"prompts": ""},
        "recognize": {"choices": "", "prompts": ""},
        "send_dtmf": {"tones": ""},
        "transfer": context,
    }


def writable(model: type[BaseModel]) -> dict[str, str]:
    """By field that may hold a secret: those of its own fields that may, if it is looked into."""
    return {
        name: " ".join(sorted(text_fields(part.model))) if isinstance(part, Part) else ""
        for name, part in text_fields(model).items()
    }


class Either(BaseModel):
    either: str | dict[str, str] = ""


class Pair(BaseModel):
    pair: tuple[str, str] = ("", "")


class Parts(BaseModel):
    notes: tuple[Choice, ...] = ()


class Whatever(BaseModel):
    whatever: Any = None


def test_a_text_is_held_to_be_a_flow_s_own_and_a_type_that_does_not_say_what_to_show_instead_is_refused() -> None:
    class Words(BaseModel):
        words: tuple[str, ...]
        headers: dict[str, str]
        number: int | None
        which: Literal["a", "b"]
        named: Name | None
        numbers: tuple[int, ...]
        counts: dict[int, int]
        who: tuple[Identifier, ...]
        part: Choice | None

    assert text_fields(Words) == {"words": ["secret"], "headers": {}, "part": Part(Choice)}
    for of in (Parts, Either, Pair, Whatever):
        with pytest.raises(TypeError, match=r"may hold a secret: declare what stands in for it, Annotated\["):
            text_fields(of)


def test_these_open_a_call_and_these_are_for_one_that_is_up() -> None:
    assert {kind for kind, action in KINDS.items() if issubclass(action, Opening)} == {
        "answer", "connect", "create_call",
    }  # fmt: skip
    assert those(on_live_call=False) == {"answer", "connect", "create_call", "redirect", "reject"}
    assert set(ACTIONS) == set(EVENTS) - those(on_live_call=False)


def test_outcomes_are_waited_for_so_long() -> None:
    other = {kind: action.spec.timeout for kind, action in KINDS.items() if action.spec.timeout != 60.0}
    assert other == {"add_participant": 210.0, "create_call": 150.0, "sleep": None, "transfer": 90.0}


@pytest.mark.parametrize("kind", EVENTS)
def test_an_action_that_needs_a_field_has_an_example_which_the_service_would_take(kind: str) -> None:
    action, example = KINDS[kind], KINDS[kind].spec.example
    participant = {"participant": "+14255550123"} if "participant" in action.model_fields else {}
    needed = {name for name, field in action.model_fields.items() if field.is_required()} - participant.keys()
    assert example is not None or not needed
    action.model_validate({**participant, **(example or {})}).check(None)


def test_the_events_of_a_move_name_each_participant() -> None:
    move = actions.MoveParticipants.model_validate({"targets": ["+14255550177", "+14255550178"], "from_call": "c"})
    assert move.event_data() == [
        {"participant": {"rawId": "4:+14255550177"}, "fromCall": "c"},
        {"participant": {"rawId": "4:+14255550178"}, "fromCall": "c"},
    ]


def test_an_action_without_a_rule_is_taken_as_it_is() -> None:
    action: Action = actions.HangUp()
    action.check(None)
    assert action.event_data() == [{}]


def test_a_phone_is_not_called_without_a_number_to_show() -> None:
    with pytest.raises(InvalidInput, match=r"create_call\.caller_id: is missing"):
        actions.CreateCall.model_validate({"targets": ["+14255550177"]}).check(None)
