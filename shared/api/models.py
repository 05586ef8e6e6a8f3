"""Requests and answers of the HTTP API, as models: they check what comes in and describe it in OpenAPI."""

from __future__ import annotations

import json
from typing import Any, Literal, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from shared.calls import actions
from shared.calls.actions import Action, CallLocator, MediaStreaming, ServiceAction, Transcription
from shared.errors import InvalidInput
from shared.identifiers import Identifier

M = TypeVar("M", bound=BaseModel)

OPENING_ONLY = frozenset({"answer", "reject", "redirect", "create_call", "connect"})
"""Actions that open a call: the routing, a flow, or `POST /calls` does them, nobody on a call that is up."""

ACTIONS: dict[str, type[Action]] = {
    kind.model_fields["kind"].default: kind
    for kind in get_args(ServiceAction)
    if kind.model_fields["kind"].default not in OPENING_ONLY
}
"""What can be done on a live call over HTTP, by the name in its path."""


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PlaceCall(_Model):
    """Start a call with a flow: to targets, or by connecting to a call that goes on already."""

    flow: str = Field(description="name of the flow")
    targets: tuple[Identifier, ...] = Field((), description="raw ids or E.164 numbers; several: a group call")
    caller_id: Identifier | None = Field(None, description="a number of yours; needed for phone targets")
    display_name: str | None = None
    connect: CallLocator | None = Field(None, description="join this call instead of placing one")
    input: Any = Field(None, description="what the flow finds in call.input")
    media_streaming: MediaStreaming | None = None
    transcription: Transcription | None = None

    def opening(self) -> actions.CreateCall | actions.Connect | None:
        """The action that opens the call; None where the flow does it. InvalidInput if it is ambiguous."""
        live = {"media_streaming": self.media_streaming, "transcription": self.transcription}
        if self.connect is not None:
            if self.targets:
                raise InvalidInput("connect", "does not go with targets.", "Give one of them.")
            return actions.Connect(locator=self.connect, **live)
        if not self.targets:
            raise InvalidInput("targets", "is empty.", "Name at least one target, or what to connect to.")
        return actions.CreateCall(
            targets=self.targets, caller_id=self.caller_id, display_name=self.display_name, **live
        )


class Placed(_Model):
    """A call was started, or had been under the same idempotency key."""

    id: str
    outcome: Literal["claimed", "duplicate", "resent"]


class CallView(_Model):
    """A call at a glance. Times are Unix time in milliseconds; 0: not yet."""

    id: str
    flow: str
    status: Literal["ringing", "connecting", "connected", "ended"]
    direction: Literal["inbound", "outbound"]
    caller: str
    callee: str
    outcome: str
    code: int
    sub_code: int
    started_at: int
    connected_at: int
    ended_at: int
    call_connection_id: str
    server_call_id: str
    correlation_id: str
    recording: str
    entries: int


class ListedCall(_Model):
    """A row of the list."""

    id: str
    day: str
    started_at: int
    status: str
    flow: str
    direction: str
    caller: str
    callee: str
    outcome: str


class CallList(_Model):
    """One page of calls of a day, newest first."""

    calls: tuple[ListedCall, ...]
    next: str | None = Field(None, description="give it as `after` for the next page; null: this is the last one")


class ParticipantView(_Model):
    """A participant, as of the newest ParticipantsUpdated."""

    raw_id: str
    muted: bool
    on_hold: bool


class ParticipantList(_Model):
    """Who takes part."""

    participants: tuple[ParticipantView, ...]


class JournalView(_Model):
    """The journal of a call, oldest entry first."""

    id: str
    journal: tuple[dict[str, Any], ...]


class Done(_Model):
    """An action was taken.

    `answer` is the service's answer where that is the outcome; otherwise the outcome comes as an event and stands
    in the journal under the operation's number.
    """

    operation: int
    outcome: Literal["advanced", "duplicate"]
    done: bool
    answer: Any = None


class Signal(_Model):
    """Something for the flow."""

    data: Any = None


class SignalTaken(_Model):
    """A signal is in the journal."""

    outcome: str


class Problem(_Model):
    """An error (RFC 9457)."""

    model_config = ConfigDict(frozen=True, extra="allow")

    type: str
    title: str
    status: int
    detail: str


def read(model: type[M], body: bytes, **defaults: Any) -> M:
    """A request from its JSON body; InvalidInput names the field that is wrong."""
    try:
        given = json.loads(body) if body.strip() else {}
    except (ValueError, RecursionError) as error:
        raise InvalidInput("body", f"is not JSON: {error}.", "Send a JSON object.") from None
    if not isinstance(given, dict):
        raise InvalidInput("body", "is not a JSON object.", "Send a JSON object.")
    try:
        return model.model_validate({**defaults, **given})
    except ValidationError as error:
        problem = error.errors()[0]
        path = ".".join(str(part) for part in problem["loc"]) or "body"
        raise InvalidInput(path, f"{_plain(problem['msg'])}.", "See /api/openapi.json.") from None
    except RecursionError:
        raise InvalidInput("body", "is nested too deeply.", "Send a flat JSON object.") from None


def read_action(name: str, body: bytes, other_side: Identifier | None) -> Action:
    """An action on a live call from its JSON body; who is meant is the other side, unless it is told."""
    kind = ACTIONS.get(name)
    if kind is None:
        raise InvalidInput("action", f"{name!r} is not known.", f"Known: {', '.join(sorted(ACTIONS))}.")
    defaults: dict[str, Any] = {"kind": name}
    if "participant" in kind.model_fields and other_side is not None:
        defaults["participant"] = other_side.raw_id
    return read(kind, body, **defaults)


def schema_of(model: type[BaseModel]) -> dict[str, Any]:
    """The JSON schema of a model, with its definitions under `$defs`."""
    return TypeAdapter(model).json_schema(ref_template="#/components/schemas/{model}")


def _plain(message: str) -> str:
    return message.removeprefix("Value error, ")
