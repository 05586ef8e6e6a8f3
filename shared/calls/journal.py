"""The journal of a call: what happened, in order. Everything else about a call follows from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from shared.calls.actions import AnyAction
from shared.events import TeamsPhoneCallDetails
from shared.identifiers import Identifier


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    at: int = Field(description="when it was journaled, Unix time in milliseconds")


class Started(_Entry):
    """The first entry: which flow runs, and for which call."""

    entry: Literal["started"] = "started"
    flow: str
    direction: Literal["inbound", "outbound"]
    caller: Identifier | None = None
    callee: Identifier | None = None
    correlation_id: str = ""
    server_call_id: str = ""
    display_name: str = ""
    context: Mapping[str, str] = Field(default_factory=dict, description="custom SIP and VoIP headers")
    on_behalf_of: Identifier | None = Field(None, description="whose call it is, where the callee takes it for them")
    teams: TeamsPhoneCallDetails | None = Field(None, description="what Teams says of the call")
    input: Any = Field(None, description="what the app gave to an outbound flow")
    opening: AnyAction | None = Field(None, description="the action that opens the call; None: the flow opens it")
    source_event: str = Field("", description="id of the Event Grid event that brought the call")


class EventReceived(_Entry):
    """An event of the service, as it came."""

    entry: Literal["event"] = "event"
    event: Mapping[str, Any]


class Noticed(_Entry):
    """An Event Grid event about the call, as it came; flows do not wait for these."""

    entry: Literal["noticed"] = "noticed"
    id: str
    event: Mapping[str, Any]


class Issued(_Entry):
    """An action was asked for, by the flow or over the HTTP API. Committed before it is sent."""

    entry: Literal["issued"] = "issued"
    seq: int = Field(description="the operation's id within its call: for the flow's, its position in the flow")
    action: AnyAction
    command: str | None = Field(None, description="idempotency key of an action from the HTTP API; None: the flow's")


class Resent(_Entry):
    """An action is sent again, because nothing shows that it left: outcomes of earlier attempts are stale."""

    entry: Literal["resent"] = "resent"
    seq: int
    attempt: int


class Answered(_Entry):
    """What came back at once: the answer to a request, the result of a side effect."""

    entry: Literal["answered"] = "answered"
    seq: int
    value: Any = None


class Accepted(_Entry):
    """The service took a request whose outcome comes later; its answer holds what later actions need."""

    entry: Literal["accepted"] = "accepted"
    seq: int
    value: Any = None


class RefusedEntry(_Entry):
    """The request was refused, or a side effect raised."""

    entry: Literal["refused"] = "refused"
    seq: int
    status: int
    code: str
    message: str
    transient: bool = False


class Signalled(_Entry):
    """Something from outside for the flow."""

    entry: Literal["signal"] = "signal"
    id: str
    name: str
    data: Any = None


class TimerFired(_Entry):
    """A sleep is over."""

    entry: Literal["timer"] = "timer"
    seq: int


class GaveUp(_Entry):
    """The watchdog: no outcome of this operation arrived in the time that it can take."""

    entry: Literal["gave_up"] = "gave_up"
    seq: int


class Settled(_Entry):
    """The watchdog: the service no longer knows the call, and its CallDisconnected never came."""

    entry: Literal["settled"] = "settled"
    reason: str


class Failed(_Entry):
    """The flow raised; the fallback takes over from here."""

    entry: Literal["failed"] = "failed"
    error: str
    trace: str = ""


Entry = Annotated[
    Started
    | EventReceived
    | Noticed
    | Issued
    | Resent
    | Accepted
    | Answered
    | RefusedEntry
    | Signalled
    | TimerFired
    | GaveUp
    | Settled
    | Failed,
    Field(discriminator="entry"),
]

# As the models: built at first use, or by shared.calls.building at the start of an instance; not at its import.
_DEFERRED = ConfigDict(defer_build=True)
_ENTRY: TypeAdapter[Entry] = TypeAdapter(Entry, config=_DEFERRED)
_ENTRIES: TypeAdapter[list[Entry]] = TypeAdapter(list[Entry], config=_DEFERRED)


def encode(entry: Entry) -> str:
    """One entry as compact JSON."""
    return entry.model_dump_json(exclude_none=True)


def build() -> None:
    """Build the readers, for which see shared.calls.building."""
    _ENTRY.rebuild()
    _ENTRIES.rebuild()


def decode(text: str) -> Entry:
    """The entry in a JSON text."""
    return _ENTRY.validate_json(text)


def decode_all(texts: list[str]) -> list[Entry]:
    """Many entries in one pass."""
    return _ENTRIES.validate_json(f"[{','.join(texts)}]")
