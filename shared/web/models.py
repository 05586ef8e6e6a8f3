"""Requests and responses of the HTTP API, as models: they validate requests and describe both in OpenAPI."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from shared.calls import actions
from shared.calls.actions import KINDS, Action, CallLocator, MediaStreaming, Transcription
from shared.calls.record import Status
from shared.errors import InvalidInput, UnknownAction
from shared.identifiers import Identifier
from shared.plain_json import read_json
from shared.web.times import iso_of

M = TypeVar("M", bound=BaseModel)

ACTIONS = {kind: action for kind, action in KINDS.items() if action.spec.in_service and action.spec.on_live_call}
"""What can be done on a live call over HTTP, by the name in its path."""

MAX_BODY = 256 * 1024
"""Bytes of a request (our choice)."""

MAX_KEY = 200
"""Characters of an idempotency key."""

_IN_EVERY_PROBLEM = ("type", "title", "status", "detail")


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PlaceCall(_Model):
    """Start a call with a flow: to targets, or by connecting to a call that is up already."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "flow": "reception",
                    "targets": ["+14255550123"],
                    "caller_id": "+18005550199",
                    "input": {"ticket": "A-17"},
                },
                {"flow": "reception", "connect": {"kind": "server_call", "id": "aHR0cHM6Ly9jb252…"}},
            ]
        },
    )

    flow: str = Field(description="name of the flow")
    targets: tuple[Identifier, ...] = Field((), description="raw ids or E.164 numbers; several: a group call")
    caller_id: Identifier | None = Field(None, description="one of your numbers; required for phone targets")
    display_name: str | None = None
    connect: CallLocator | None = Field(None, description="connect to this call instead of placing one")
    input: Any = Field(None, description="`call.input` of the flow")
    media_streaming: MediaStreaming | None = None
    transcription: Transcription | None = None

    def opening(self, *, by_flow: bool) -> actions.CreateCall | actions.Connect | None:
        """The action that opens the call. InvalidInput if it is ambiguous.

        Args:
            by_flow: the flow opens its calls by itself; then there is none.
        """
        if by_flow:
            for name in ("targets", "connect"):
                if getattr(self, name):
                    raise InvalidInput(name, "is not for a flow that opens its calls itself.", "Give `input` instead.")
            return None
        live = {"media_streaming": self.media_streaming, "transcription": self.transcription}
        if self.connect is not None:
            for name in ("targets", "caller_id", "display_name"):
                if getattr(self, name):
                    raise InvalidInput("connect", f"does not go with {name}.", "Give one of them.")
            return actions.Connect(locator=self.connect, **live)
        if not self.targets:
            raise InvalidInput("targets", "is empty.", "Name at least one target, or what to connect to.")
        return actions.CreateCall(
            targets=self.targets, caller_id=self.caller_id, display_name=self.display_name, **live
        )


class Placed(_Model):
    """A call was started (`claimed`), or was started before with the same idempotency key (`duplicate`)."""

    id: str
    outcome: Literal["claimed", "duplicate"]


class CallLinks(_Model):
    """What belongs to a call, as paths of this API."""

    self: str
    journal: str
    participants: str
    recordings: str = Field(description="a list, which may be empty")
    reports: str = Field(description="a list, which may be empty")


class CallView(_Model):
    """A call. Times are Unix time in milliseconds; 0: not yet."""

    id: str
    flow: str
    status: Status
    direction: Literal["inbound", "outbound"]
    caller: str
    callee: str
    outcome: str = Field(description="how it ended, technically")
    result: str = Field(description="the result that the flow recorded; empty: none")
    details: dict[str, Any] = Field(description="details of the result")
    failure: dict[str, str] = Field(description="of a flow that failed: `error`, `where`, `line`, `remedy`")
    code: int
    sub_code: int
    explanation: str = Field(description="what code and sub-code mean; empty: the call has not ended")
    retryable: bool = Field(description="calling again may help")
    started_at: int
    started_at_iso: ClassVar[Any] = iso_of("started_at")
    connected_at: int
    connected_at_iso: ClassVar[Any] = iso_of("connected_at")
    ended_at: int
    ended_at_iso: ClassVar[Any] = iso_of("ended_at")
    attempts: int = Field(description="how often its flow has placed it; 0: the flow does not place it")
    call_connection_id: str
    server_call_id: str
    correlation_id: str
    recording: str
    recording_ids: tuple[str, ...] = Field(description="the service's ids; the API's own stand in `links.recordings`")
    entries: int
    links: CallLinks


class ListedCall(_Model):
    """A row of the list."""

    id: str
    day: str
    started_at: int
    started_at_iso: ClassVar[Any] = iso_of("started_at")
    status: Status
    flow: str
    direction: Literal["inbound", "outbound"]
    caller: str
    callee: str
    outcome: str
    result: str


class CallList(_Model):
    """One page of calls, newest first."""

    calls: tuple[ListedCall, ...]
    next: str | None = Field(None, description="`after` of the next page; null: this is the last")


class ParticipantView(_Model):
    """A participant, as of the newest ParticipantsUpdated."""

    raw_id: str
    muted: bool
    on_hold: bool


class ParticipantList(_Model):
    """The participants of a call."""

    participants: tuple[ParticipantView, ...]


class JournalView(_Model):
    """The journal of a call, oldest entry first."""

    id: str
    journal: tuple[dict[str, Any], ...]


class Done(_Model):
    """An action was taken.

    `answer` is the service's response if that is the outcome; otherwise the outcome comes as an event, and is in the
    journal under the operation's number. `failure` says why an action failed that the service had accepted; only a
    repeated request can have it.
    """

    operation: int
    outcome: Literal["advanced", "duplicate"]
    done: bool
    answer: Any = None
    failure: str | None = None


class Signal(_Model):
    """A signal for the flow."""

    data: Any = None


class SignalTaken(_Model):
    """A signal is in the journal; `duplicate`: it was sent before, with the same idempotency key."""

    outcome: Literal["advanced", "duplicate"]


class Problem(_Model):
    """An error (RFC 9457): the field, the problem and the remedy, or the service's error code."""

    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_extra={"required": [*_IN_EVERY_PROBLEM]})

    type: str
    title: str
    status: int
    detail: str
    field: str = Field("", description="the field of the request that is wrong")
    remedy: str = Field("", description="what to do")
    code: str = Field("", description="the service's error code, often a sub-code such as 8522; or that of a brake")


def read(model: type[M], body: bytes, *, most: int = MAX_BODY, **defaults: Any) -> M:
    """A request from its JSON body of at most so many bytes; InvalidInput names the field that is wrong."""
    given = _object(body, most)
    try:
        return model.model_validate({**defaults, **given})
    except ValidationError as error:
        problem, *others = error.errors()
        if problem["type"] == "missing":  # perhaps only its name is misspelled
            beside = (one for one in others if one["loc"][:-1] == problem["loc"][:-1])
            problem = next((one for one in beside if one["type"] == "extra_forbidden"), problem)
        where = problem["loc"]
        path = ".".join(map(str, where)) or "body"
        if problem["type"] == "extra_forbidden":
            from shared.web.fields import names_at, remedy_for  # for mistakes alone

            remedy = remedy_for(str(where[-1]), names_at(model, where[:-1]))
            raise InvalidInput(path, "is not a field of this request.", remedy) from None
        raise InvalidInput(path, f"{_plain(problem['msg'])}.", "See /api/openapi.json.") from None


def read_action(name: str, body: bytes, other_side: Identifier | None) -> Action:
    """An action on a live call from its JSON body; its participant is the other side by default."""
    kind = ACTIONS.get(name)
    if kind is None:
        raise UnknownAction("action", f"{name!r} is not known.", f"Known: {', '.join(sorted(ACTIONS))}.")
    defaults: dict[str, Any] = {"kind": name}
    if "participant" in kind.model_fields and other_side is not None:
        defaults["participant"] = other_side.raw_id
    return read(kind, body, **defaults)


@contextmanager
def in_body(kind: str) -> Iterator[None]:
    """Name fields as they stand in a request's body: a rule says `play.interrupt`, the body has `interrupt`."""
    try:
        yield
    except InvalidInput as error:
        if not error.field.startswith(f"{kind}."):
            raise
        raise InvalidInput(error.field.removeprefix(f"{kind}."), error.problem, error.remedy) from None


def schema_of(model: type[BaseModel], *, response: bool = False) -> dict[str, Any]:
    """The JSON schema of a request or a response, with its definitions under `$defs`."""
    mode: Literal["validation", "serialization"] = "serialization" if response else "validation"
    return TypeAdapter(model).json_schema(ref_template="#/components/schemas/{model}", mode=mode)


def _object(body: bytes, most: int = MAX_BODY) -> dict[str, Any]:
    """The JSON object in a body, if the journal can hold what is in it."""
    if len(body) > most:
        raise InvalidInput("body", f"has {len(body)} bytes.", f"Send at most {most}.")
    given = read_json(body) if body.strip() else {}
    if not isinstance(given, dict):
        raise InvalidInput("body", "is not a JSON object.", "Send a JSON object.")
    return given


def _plain(message: str) -> str:
    return message.removeprefix("Value error, ")
