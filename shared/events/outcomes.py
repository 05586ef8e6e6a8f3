"""Which actions an event reports on, and what it says of them.

A success or a failure of one action may be reported by several events and one event may report on several
actions; the operation context says which request is meant. Mute, unhold, cancel all media, reject, redirect,
and pausing, resuming and stopping a recording have no event of their own: their HTTP answer is their outcome.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple, get_args

ActionKind = Literal[
    "answer",
    "create_call",
    "connect",
    "reject",
    "redirect",
    "play",
    "recognize",
    "cancel_all_media",
    "hang_up",
    "terminate",
    "transfer",
    "add_participant",
    "cancel_add_participant",
    "remove_participant",
    "move_participants",
    "mute",
    "hold",
    "unhold",
    "start_continuous_dtmf",
    "stop_continuous_dtmf",
    "send_dtmf",
    "start_media_streaming",
    "stop_media_streaming",
    "start_transcription",
    "update_transcription",
    "stop_transcription",
    "start_recording",
    "pause_recording",
    "resume_recording",
    "stop_recording",
]
ACTION_KINDS: Final[frozenset[str]] = frozenset(get_args(ActionKind))

Role = Literal["progress", "succeeded", "failed", "canceled", "state"]
"""`progress`: under way, more follows. `state`: how things now stand, without an operation context."""


class EventRole(NamedTuple):
    """What an event says.

    Attributes:
        action_kinds: the actions that it may report on.
        role: what it says of them.
        cancels: actions that it ends as cancelled besides; matched by invitation id, not by context.
    """

    action_kinds: frozenset[str]
    role: Role
    cancels: frozenset[str] = frozenset()


def _role(role: Role, *kinds: ActionKind, cancels: tuple[ActionKind, ...] = ()) -> EventRole:
    return EventRole(frozenset(kinds), role, frozenset(cancels))


ROLES: Final[Mapping[str, EventRole]] = {
    "CallConnected": _role("succeeded", "answer", "create_call", "connect"),
    "AnswerFailed": _role("failed", "answer"),
    "CreateCallFailed": _role("failed", "create_call"),
    "ConnectFailed": _role("failed", "connect"),
    # It comes however the call ends: it settles a hang-up, and ends everything else.
    "CallDisconnected": _role("succeeded", "hang_up", "terminate"),
    "CallTransferAccepted": _role("succeeded", "transfer"),
    "CallTransferFailed": _role("failed", "transfer"),
    "ParticipantsUpdated": _role("state", "mute", "hold", "unhold"),
    "AddParticipantSucceeded": _role("succeeded", "add_participant"),
    "AddParticipantFailed": _role("failed", "add_participant"),
    "CancelAddParticipantSucceeded": _role("succeeded", "cancel_add_participant", cancels=("add_participant",)),
    "CancelAddParticipantFailed": _role("failed", "cancel_add_participant"),
    "RemoveParticipantSucceeded": _role("succeeded", "remove_participant"),
    "RemoveParticipantFailed": _role("failed", "remove_participant"),
    "MoveParticipantSucceeded": _role("succeeded", "move_participants"),
    "MoveParticipantFailed": _role("failed", "move_participants"),
    "HoldFailed": _role("failed", "hold"),
    # A recognize's prompt and a hold's music start with it, too.
    "PlayStarted": _role("progress", "play", "recognize", "hold"),
    "PlayCompleted": _role("succeeded", "play"),
    "PlayFailed": _role("failed", "play"),
    "PlayCanceled": _role("canceled", "play"),
    "RecognizeCompleted": _role("succeeded", "recognize"),
    "RecognizeFailed": _role("failed", "recognize"),
    "RecognizeCanceled": _role("canceled", "recognize"),
    "ContinuousDtmfRecognitionToneReceived": _role("progress", "start_continuous_dtmf"),
    "ContinuousDtmfRecognitionToneFailed": _role("failed", "start_continuous_dtmf"),
    "ContinuousDtmfRecognitionStopped": _role("succeeded", "stop_continuous_dtmf"),
    "SendDtmfTonesCompleted": _role("succeeded", "send_dtmf"),
    "SendDtmfTonesFailed": _role("failed", "send_dtmf"),
    "MediaStreamingStarted": _role("succeeded", "start_media_streaming"),
    "MediaStreamingStopped": _role("succeeded", "stop_media_streaming"),
    "MediaStreamingFailed": _role("failed", "start_media_streaming", "stop_media_streaming"),
    "TranscriptionStarted": _role("succeeded", "start_transcription"),
    "TranscriptionUpdated": _role("succeeded", "update_transcription"),
    "TranscriptionStopped": _role("succeeded", "stop_transcription"),
    "TranscriptionFailed": _role("failed", "start_transcription", "update_transcription", "stop_transcription"),
    "RecordingStateChanged": _role("state", "start_recording", "pause_recording", "resume_recording", "stop_recording"),
    "StartRecordingFailed": _role("failed", "start_recording"),
}
"""By the event's short name; an event that is not here reports on nothing."""
