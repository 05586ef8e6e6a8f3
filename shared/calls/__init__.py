"""The core: what a flow sees, actions, journal, replay, conductor. Flows import from here and nowhere else."""

from shared.calls.actions import CallLocator, Choice, MediaStreaming, Tone, Transcription
from shared.calls.brakes import Braked
from shared.calls.call import Call
from shared.calls.flow import FLOWS, Fallback, Flow, flow
from shared.calls.operation import Operation, Pending
from shared.calls.prompts import Prompt, file, ssml, text
from shared.calls.results import Recognized, Recording
from shared.errors import (
    ActionCanceled,
    ActionFailed,
    ActionRefused,
    CallEnded,
    CallError,
    InvalidInput,
    NoInput,
    NotOffRecord,
    RunFailed,
    TimedOut,
    WantsPerson,
)

__all__ = [
    "FLOWS",
    "ActionCanceled",
    "ActionFailed",
    "ActionRefused",
    "Braked",
    "Call",
    "CallEnded",
    "CallError",
    "CallLocator",
    "Choice",
    "Fallback",
    "Flow",
    "InvalidInput",
    "MediaStreaming",
    "NoInput",
    "NotOffRecord",
    "Operation",
    "Pending",
    "Prompt",
    "Recognized",
    "Recording",
    "RunFailed",
    "TimedOut",
    "Tone",
    "Transcription",
    "WantsPerson",
    "file",
    "flow",
    "ssml",
    "text",
]
