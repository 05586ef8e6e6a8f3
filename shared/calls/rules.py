"""What the service would refuse, refused before it is sent: with the field, the rule and the remedy."""

from __future__ import annotations

import re
from functools import lru_cache, singledispatch
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import PydanticSerializationError

from shared.calls import actions
from shared.calls.actions import Action, CallingContext
from shared.calls.actions.base import one_of
from shared.calls.json_values import half_a_character
from shared.errors import InvalidInput
from shared.identifiers import Identifier

A = TypeVar("A", bound=Action)
V = TypeVar("V", bound=BaseModel)

MAX_CHOICE_SILENCE = 20
"""Seconds of initial silence that choices and speech may wait; DTMF may wait 300 (docs: recognize-action)."""

RECORDINGS = frozenset(
    {
        ("audio", "mixed", "mp3"),
        ("audio", "mixed", "wav"),
        ("audio", "unmixed", "wav"),
        ("audioVideo", "mixed", "mp4"),
    }
)
"""What the service records (docs: concepts/voice-video-calling/call-recording)."""

MAX_SIP_HEADERS, MAX_VOIP_HEADERS = 5, 1000
MAX_KEY, MAX_SIP_VALUE, MAX_VOIP_VALUE = 64, 256, 1024
_SIP_KEY = re.compile(r"X-[A-Za-z0-9.!%*_+~-]+")
_SIP_VALUE = re.compile(r"[A-Za-z0-9.!%*_+~=;-]*")
"""Limits and characters of custom headers (docs: how-tos/call-automation/custom-context)."""


def build(kind: type[A], method: str = "", /, **fields: Any) -> A:
    """An action from its fields; InvalidInput names the field that is wrong.

    Args:
        method: what the flow called, where that is not the action's own name.
    """
    try:
        try:
            return _valid(kind, **fields)  # type: ignore[return-value]  # an lru_cache forgets that it is generic
        except TypeError:  # a field that has no hash, such as a dictionary
            return _written(kind.model_validate(fields))
    except ValidationError as error:
        raise _wrong(method or kind.model_fields["kind"].default, error) from None
    except PydanticSerializationError:
        raise half_a_character(method or kind.model_fields["kind"].default) from None


def value(kind: type[V], method: str, /, **fields: Any) -> V:
    """A part of an action from its fields; InvalidInput names the field that is wrong."""
    try:
        return kind.model_validate(fields)
    except ValidationError as error:
        raise _wrong(method, error) from None


def _wrong(method: str, error: ValidationError) -> InvalidInput:
    problem = error.errors()[0]
    path = ".".join(str(part) for part in (method, *problem["loc"]))
    return InvalidInput(path, f"{problem['msg'].removeprefix('Value error, ')}.", "See docs/flows.md.")


@lru_cache(maxsize=1024)
def _valid(kind: type[Action], **fields: Any) -> Action:
    """Frozen, so that one serves every call; a replay asks for each action of a call again."""
    return one_of(_written(kind.model_validate(fields)))


def _written(action: A) -> A:
    """An action that the journal can hold; PydanticSerializationError if it cannot."""
    action.model_dump_json()
    return action


@singledispatch
def check(action: Action, caller: Identifier | None) -> None:
    """Pass if the service would take it, as far as that can be known here.

    Args:
        caller: who calls, None where it is not known; what can be done may depend on it.
    """


rule_of = lru_cache(maxsize=None)(check.dispatch)
"""What `check` does for a type of action; to look it up here is quicker, which tells when a call is replayed."""


@check.register
def _(action: actions.Redirect, caller: Identifier | None) -> None:
    if caller is not None and action.target.phone_number is not None and caller.phone_number is None:
        raise InvalidInput(
            "redirect.target",
            "is a phone number and the caller is not on a phone; the service does not support that.",
            "Answer the call and transfer it, or redirect it to a user.",
        )


@check.register
def _(action: actions.CreateCall, caller: Identifier | None) -> None:
    _caller_id("create_call", action.caller_id, action.targets)


@check.register
def _(action: actions.AddParticipant, caller: Identifier | None) -> None:
    _caller_id("add_participant", action.caller_id, (action.target,))
    _headers("add_participant", action.context)


@check.register
def _(action: actions.Transfer, caller: Identifier | None) -> None:
    _caller_id("transfer", action.caller_id, ())
    _headers("transfer", action.context)


@check.register
def _(action: actions.MuteParticipant, caller: Identifier | None) -> None:
    if action.target.kind != "communicationUser":
        raise InvalidInput(
            "mute.target", f"is a {action.target.kind}; the service mutes ACS users only.", "Put them on hold."
        )


@check.register
def _(action: actions.Play, caller: Identifier | None) -> None:
    if action.to and action.interrupt:
        raise InvalidInput(
            "play.interrupt", "is for a play to everybody.", "Leave out `to`, or cancel_all_media first."
        )


@check.register
def _(action: actions.Recognize, caller: Identifier | None) -> None:
    choices = action.choices
    if (action.input == "choices") != bool(choices):
        raise InvalidInput("recognize.choices", "go with input choices, and with no other.", "Give one of them.")
    if action.input == "dtmf" and action.max_tones is None and not action.stop_tones:
        raise InvalidInput("recognize.max_tones", "is missing: nothing would end the input.", "Give it, or stop_tones.")
    if 0 < sum(choice.tone is not None for choice in choices) < len(choices):
        raise InvalidInput("recognize.choices", "have tones only in part.", "Give every choice a tone, or none.")
    for name, values in (("label", [c.label for c in choices]), ("tone", [c.tone for c in choices if c.tone])):
        if len(set(values)) < len(values):
            raise InvalidInput(f"recognize.choices.{name}", "stands twice.", f"Give each choice its own {name}.")
    if action.initial_silence is not None and action.input != "dtmf" and action.initial_silence > MAX_CHOICE_SILENCE:
        raise InvalidInput(
            "recognize.initial_silence", f"is {action.initial_silence}.", f"Give 0 to {MAX_CHOICE_SILENCE} seconds."
        )


@check.register
def _(action: actions.SendDtmf, caller: Identifier | None) -> None:
    if action.participant.phone_number is None:
        raise InvalidInput("send_dtmf.participant", "is not a phone.", "The service sends tones to phones only.")


@check.register
def _(action: actions.StartRecording, caller: Identifier | None) -> None:
    if (action.content, action.channel, action.format) not in RECORDINGS:
        raise InvalidInput(
            "start_recording.format",
            f"{action.format} does not go with {action.content}, {action.channel}.",
            "Audio: mixed as wav or mp3, unmixed as wav; audioVideo: mixed as mp4.",
        )
    if (action.affinity or action.ordering) and action.channel != "unmixed":
        raise InvalidInput("start_recording.affinity", "is for unmixed recordings.", "Give channel unmixed.")


def _caller_id(action: str, source: Identifier | None, targets: tuple[Identifier, ...]) -> None:
    if source is None and any(target.phone_number is not None for target in targets):
        raise InvalidInput(f"{action}.caller_id", "is missing.", "A phone target needs a number of yours to show.")
    if source is not None and source.phone_number is None:
        raise InvalidInput(f"{action}.caller_id", f"{source.raw_id!r} is not a phone number.", "Give +E.164.")


def _headers(action: str, context: CallingContext | None) -> None:
    if context is None:
        return
    sip, voip = context.sip_headers, context.voip_headers
    if len(sip) > MAX_SIP_HEADERS:
        raise InvalidInput(f"{action}.sip_headers", f"has {len(sip)} headers.", f"Send at most {MAX_SIP_HEADERS}.")
    if len(voip) > MAX_VOIP_HEADERS:
        raise InvalidInput(f"{action}.voip_headers", f"has {len(voip)} headers.", f"Send at most {MAX_VOIP_HEADERS}.")
    for key, value in sip.items():
        if len(key) > MAX_KEY or not _SIP_KEY.fullmatch(key):
            raise InvalidInput(f"{action}.sip_headers", f"{key!r} is no header name.", "X-MS-Custom-…, 64 characters.")
        if len(value) > MAX_SIP_VALUE or not _SIP_VALUE.fullmatch(value):
            raise InvalidInput(
                f"{action}.sip_headers.{key}", "is too long or has other characters.", "256 of A-Z a-z 0-9 .!%*_+~-=;"
            )
    if context.user_to_user is not None and len(context.user_to_user) > MAX_SIP_VALUE:
        raise InvalidInput(f"{action}.user_to_user", "is too long.", f"Send at most {MAX_SIP_VALUE} characters.")
    for key, value in voip.items():
        if not key or len(key) > MAX_KEY or len(value) > MAX_VOIP_VALUE:
            raise InvalidInput(f"{action}.voip_headers", f"{key[:MAX_KEY]!r} is too long.", "64 a name, 1,024 a value.")
