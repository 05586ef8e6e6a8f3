"""The actions that a flow or an operator can ask for: one frozen model for each Call Automation operation.

An action is a value: it names what is wanted in the service's terms and nothing else. Where it goes, under
which operation context and with which callback, the conductor adds when it is dispatched. Its class is the one
declaration of the operation: its fields, its `spec`, and what the service would refuse (`check`).
"""

from __future__ import annotations

from shared.calls.actions.base import KINDS, TONE_OF_KEY, Action, AnyAction, Media, Role, Spec, Tone, families, roles
from shared.calls.actions.calling import (
    Answer,
    CallLocator,
    Connect,
    CreateCall,
    GetCall,
    HangUp,
    Opening,
    Redirect,
    Reject,
    RejectReason,
    Run,
    Sleep,
    Terminate,
)
from shared.calls.actions.media import (
    CancelAllMedia,
    Choice,
    Hold,
    Play,
    Recognize,
    SendDtmf,
    StartContinuousDtmf,
    StopContinuousDtmf,
    Unhold,
)
from shared.calls.actions.participants import (
    AddParticipant,
    CallingContext,
    CancelAddParticipant,
    GetParticipant,
    ListParticipants,
    MoveParticipants,
    MuteParticipant,
    RemoveParticipant,
    Transfer,
)
from shared.calls.actions.recording import (
    ChannelAffinity,
    GetRecordingState,
    MayRecord,
    OnRecording,
    PauseRecording,
    ResumeRecording,
    StartRecording,
    StopRecording,
)
from shared.calls.actions.streaming import (
    MediaStreaming,
    StartMediaStreaming,
    StartTranscription,
    StopMediaStreaming,
    StopTranscription,
    Transcription,
    UpdateTranscription,
)

__all__ = [
    "KINDS", "TONE_OF_KEY", "Action", "AddParticipant", "Answer", "AnyAction", "CallLocator", "CallingContext",
    "CancelAddParticipant", "CancelAllMedia", "ChannelAffinity", "Choice", "Connect", "CreateCall", "GetCall",
    "GetParticipant", "GetRecordingState", "HangUp", "Hold", "ListParticipants", "MayRecord", "Media",
    "MediaStreaming", "MoveParticipants", "MuteParticipant", "OnRecording", "Opening", "PauseRecording", "Play",
    "Recognize", "Redirect", "Reject", "RejectReason", "RemoveParticipant", "ResumeRecording", "Role", "Run",
    "SendDtmf", "Sleep", "Spec", "StartContinuousDtmf", "StartMediaStreaming", "StartRecording",
    "StartTranscription", "StopContinuousDtmf", "StopMediaStreaming", "StopRecording", "StopTranscription",
    "Terminate", "Tone", "Transcription", "Transfer", "Unhold", "UpdateTranscription", "families", "roles",
]  # fmt: skip
