"""The journal of a call: what happened, in order. Everything else about a call follows from it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from pydantic_core import from_json

from shared.calls.actions import AnyAction
from shared.calls.actions.base import OfAnyKind, one_of
from shared.events import TeamsPhoneCallDetails
from shared.events.journaled import unchecked
from shared.identifiers import Identifier


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    at: int = Field(description="when it was journaled, Unix time in milliseconds")
    secret: str | Literal[True] | None = Field(
        None, description="what is secret of it, encrypted; true: that is left out, or cannot be read any more"
    )


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
    language: str | None = Field(None, description="the language that the flow begins in; None: its first, if any")
    opening: AnyAction | None = Field(None, description="the action that opens the call; None: the flow opens it")
    placed_by_flow: bool | None = Field(
        None, description="the flow places the call when it wants to, and again if it wants to; not in journals of 0.1"
    )
    source_event: str = Field("", description="id of the Event Grid event that brought the call")


class EventReceived(_Entry):
    """An event of the service, as it came."""

    entry: Literal["event"] = "event"
    event: Mapping[str, Any]


class LifecycleEvent(_Entry):
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


class Responded(_Entry):
    """What came back at once: the response to a request, the result of a side effect."""

    entry: Literal["answered"] = "answered"
    seq: int
    value: Any = None


class Accepted(_Entry):
    """The service took a request whose outcome comes later; its response holds what later actions need."""

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


class Marked(_Entry):
    """The flow passed `call.version(name)`, with the code that has it."""

    entry: Literal["marked"] = "marked"
    name: str


class Logged(_Entry):
    """The flow wrote a line with `call.log`."""

    entry: Literal["logged"] = "logged"
    message: str
    fields: Mapping[str, Any] = Field(default_factory=dict)


class Resulted(_Entry):
    """The flow said what came of the call."""

    entry: Literal["result"] = "result"
    result: str
    details: Mapping[str, Any] = Field(default_factory=dict)


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
    where: str | None = Field(None, description="the line of the flow: `flows/reception.py:12`")
    line: str | None = Field(None, description="what stands there")
    remedy: str | None = Field(None, description="what to write instead, where that is known")


Note = Marked | Logged | Resulted
"""What a flow says of itself. Nothing is sent for it, and a replay need not meet it again."""


Entry = Annotated[
    Started
    | EventReceived
    | LifecycleEvent
    | Issued
    | Resent
    | Accepted
    | Responded
    | RefusedEntry
    | Signalled
    | TimerFired
    | Marked
    | Logged
    | Resulted
    | GaveUp
    | Settled
    | Failed,
    Field(discriminator="entry"),
]

# As the models: built at first use, or by shared.calls.building at the start of an instance; not at its import.
# What cannot be read is not quoted: the error goes into the log.
_DEFERRED = ConfigDict(defer_build=True, hide_input_in_errors=True)
_ENTRY: TypeAdapter[Entry] = TypeAdapter(Entry, config=_DEFERRED)
# Of any type, for a model takes no configuration from outside.
_ACTION: TypeAdapter[AnyAction] = TypeAdapter(Annotated[Any, OfAnyKind()], config=_DEFERRED)


_GIVEN: Mapping[type[BaseModel], str] = {
    Started: "input",
    Responded: "value",
    Accepted: "value",
    Signalled: "data",
    Logged: "fields",
    Resulted: "details",
}
"""What of an entry is a value from outside the core, which may hold null where that means something."""


def encode(entry: Entry) -> str:
    """One entry as compact JSON."""
    name = _GIVEN.get(type(entry))
    value = getattr(entry, name) if name else None
    if name is None or value is None:
        return entry.model_dump_json(exclude_none=True)
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return f'{entry.model_dump_json(exclude_none=True, exclude={name})[:-1]},"{name}":{text}}}'


def build() -> None:
    """Build the readers, for which see shared.calls.building."""
    _ENTRY.rebuild()
    _ACTION.rebuild()


def decode(text: str) -> Entry:
    """The entry in a JSON text: what this app wrote."""
    if (many := read_many(text)) is None:
        return _ENTRY.validate_json(text)
    at, event, seq, action = many
    if action is None:
        return unchecked(EventReceived, {"at": at, "secret": None, "entry": "event", "event": event})
    issued = {"at": at, "secret": None, "entry": "issued", "seq": seq, "action": action, "command": None}
    return unchecked(Issued, issued)


def read_many(text: str) -> tuple[int, Any, int, AnyAction | None] | None:
    """What nearly all of a journal is, without a model: `at`, and an event, or position and action; None for the rest.

    A cold callback reads all of its call. This was checked when it was journaled and is not checked again.
    """
    found = _MANY.fullmatch(text)
    if found is None:
        return None
    at, event, seq, action = found.groups()
    if action is None:
        return int(at), from_json(event, cache_strings="keys"), 0, None
    return int(at), None, int(seq), _action(action)


_MANY = re.compile(
    r'\{"at":(\d+),"entry":"(?:event","event":(\{.*\})|issued","seq":(\d+),"action":(\{.*\}))\}', re.DOTALL
)
"""An event, and an action of the flow, as `encode` writes them."""


@lru_cache(maxsize=1024)
def _action(text: str) -> AnyAction:
    """Frozen, so that one serves every call: the calls of a flow ask for the same actions again and again."""
    action = _ACTION.validate_json(text)
    try:
        return one_of(action)
    except TypeError:  # a field that has no hash, such as a dictionary
        return action


def mark_in(text: str) -> Marked | None:
    """The mark that an entry is; None for all others, which is nearly all."""
    if not text.startswith('{"at":') or '"entry":"marked"' not in text[:48]:
        return None
    entry = decode(text)
    return entry if isinstance(entry, Marked) else None
