"""The actions that a flow or an operator can ask for: one frozen model for each Call Automation operation.

An action is a value: it names what is wanted in the service's terms and nothing else. Where it goes, under
which operation context and with which callback, the conductor adds when it is dispatched.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from shared.calls.actions.base import TONE_OF_KEY, Action, Tone
from shared.calls.actions.calling import (
    Answer,
    CallLocator,
    Connect,
    CreateCall,
    GetCall,
    HangUp,
    Redirect,
    Reject,
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

ServiceAction = (
    Answer
    | CreateCall
    | Connect
    | Reject
    | Redirect
    | HangUp
    | Terminate
    | GetCall
    | Play
    | Recognize
    | CancelAllMedia
    | StartContinuousDtmf
    | StopContinuousDtmf
    | SendDtmf
    | Hold
    | Unhold
    | AddParticipant
    | CancelAddParticipant
    | RemoveParticipant
    | MoveParticipants
    | MuteParticipant
    | ListParticipants
    | GetParticipant
    | Transfer
    | StartRecording
    | PauseRecording
    | ResumeRecording
    | StopRecording
    | GetRecordingState
    | StartMediaStreaming
    | StopMediaStreaming
    | StartTranscription
    | UpdateTranscription
    | StopTranscription
)
"""Everything that the service does."""

AnyAction = Annotated[ServiceAction | Sleep | Run | MayRecord, Field(discriminator="kind")]
"""Everything that a journal can hold."""

__all__ = [
    "TONE_OF_KEY", "Action", "AddParticipant", "Answer", "AnyAction", "CallLocator", "CallingContext",
    "CancelAddParticipant", "CancelAllMedia", "ChannelAffinity", "Choice", "Connect", "CreateCall", "GetCall",
    "GetParticipant", "GetRecordingState", "HangUp", "Hold", "ListParticipants", "MayRecord", "MediaStreaming",
    "MoveParticipants", "MuteParticipant", "OnRecording", "PauseRecording", "Play", "Recognize", "Redirect", "Reject",
    "RemoveParticipant", "ResumeRecording", "Run", "SendDtmf", "ServiceAction", "Sleep", "StartContinuousDtmf",
    "StartMediaStreaming", "StartRecording", "StartTranscription", "StopContinuousDtmf", "StopMediaStreaming",
    "StopRecording", "StopTranscription", "Terminate", "Tone", "Transcription", "Transfer", "Unhold",
    "UpdateTranscription",
]  # fmt: skip
