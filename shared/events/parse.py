"""From delivered bodies to typed events."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from threading import Lock
from typing import Any, Final, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from shared.errors import MalformedEvent
from shared.events.base import PREFIX, CallEvent, Event, EventGridEvent
from shared.events.callbacks import CALLBACK_TYPES, FORMER_NAMES, UnknownCallback
from shared.events.event_grid import EVENT_GRID_TYPES, UnknownGridEvent
from shared.events.lenient import LenientFields, Needed, path_of
from shared.plain_json import read_json, write_json

_E = TypeVar("_E", bound=Event)


def parse_callbacks(body: bytes | str) -> list[CallEvent]:
    """The callbacks in a delivered body: a JSON array of CloudEvents, or one alone.

    Raises:
        MalformedEvent: names the field, as in `[0].data.participants[1].identifier`. A type that is not known
            is no error: it gives an UnknownEvent.
    """
    return [_callback(item, at) for item, at in _items(read_json(body, "body", MalformedEvent))]


def parse_callback(item: Mapping[str, Any]) -> CallEvent:
    """One callback that is JSON-decoded already, as by `parse_callbacks` when its `raw` went into a journal.

    The fields that it reads are checked as ever; the depth and encoding of the rest are taken on trust.
    """
    return _callback(item, "")


def parse_event_grid(body: bytes | str) -> list[EventGridEvent]:
    """The Event Grid events in a delivered body, in the Event Grid schema or as CloudEvents.

    Raises:
        MalformedEvent: names the field. A type that is not known is no error: it gives an UnknownEvent.
    """
    return [_grid_event(item, at) for item, at in _items(read_json(body, "body", MalformedEvent))]


def parse_event_grid_event(item: Mapping[str, Any]) -> EventGridEvent:
    """One Event Grid event that is JSON-decoded already; its `data` may still be a JSON string.

    The Functions host decodes with a laxer reader, so that what could not be stored again is refused here.
    """
    write_json(item, "event", MalformedEvent)
    return _grid_event(item, "")


def _items(value: Any) -> Iterator[tuple[Any, str]]:
    """The events and where they stand; one at a time, so that the first bad one of many ends it."""
    if isinstance(value, list):
        return ((item, f"[{index}].") for index, item in enumerate(value))
    if isinstance(value, dict):
        return iter([(value, "")])
    raise MalformedEvent("body", "is neither an array of events nor an event.", "Send a JSON array of events.")


def _callback(item: Any, at: str) -> CallEvent:
    kind = _type_of(item, at, "type")
    short = kind.removeprefix(PREFIX)
    cls = CALLBACK_TYPES.get(FORMER_NAMES.get(short, short)) if kind.startswith(PREFIX) else None
    envelope = {"id": item.get("id"), "time": item.get("time"), "raw": item, "unread": ()}
    if isinstance(source := item.get("source"), str):
        envelope["source"] = source
    if cls is None:
        return _validated(UnknownCallback, _unknown(item, kind, _OF_A_CALLBACK) | envelope, at, _CLOUD_NAMES)
    return _validated(cls, _data(item, at) | envelope, at, _CLOUD_NAMES)


def _grid_event(item: Any, at: str) -> EventGridEvent:
    cloud = isinstance(item, Mapping) and "eventType" not in item
    names = _CLOUD_NAMES if cloud else _GRID_NAMES
    kind = _type_of(item, at, "type" if cloud else "eventType")
    envelope = {"id": item.get("id"), "time": item.get(names["time"]), "raw": item, "unread": ()}
    for name in ("topic", "subject"):
        if isinstance(value := item.get(names.get(name, name)), str):
            envelope[name] = value
    cls = EVENT_GRID_TYPES.get(kind.removeprefix(PREFIX)) if kind.startswith(PREFIX) else None
    if cls is None:
        return _validated(UnknownGridEvent, _unknown(item, kind, {}) | envelope, at, names)
    return _validated(cls, _data(item, at) | envelope, at, names)


_CLOUD_NAMES: Final[Mapping[str, str]] = {"id": "id", "time": "time", "topic": "source"}
_GRID_NAMES: Final[Mapping[str, str]] = {"id": "id", "time": "eventTime", "topic": "topic"}
"""What the envelope's fields are called on the wire; every other field is in `data`."""

_OF_A_CALLBACK: Final[Mapping[str, type]] = {
    **dict.fromkeys(("callConnectionId", "serverCallId", "correlationId", "operationContext"), str),
    "resultInformation": dict,
}
"""What is read of a callback that has no class here, for an action may declare that it reports on it."""


_TYPE: Final = re.compile(r"[A-Za-z][!-~]{0,199}\Z")
"""Of an event's type: it goes into the log, unknown ones too."""


def _type_of(item: Any, at: str, field: str) -> str:
    if not isinstance(item, Mapping):
        raise MalformedEvent(at[:-1] or "body", "is not an event.", "Send objects with id, type and data.")
    kind = item.get(field)
    if not isinstance(kind, str) or not _TYPE.match(kind):
        raise MalformedEvent(at + field, "is missing or no name of a type.", f"Send {PREFIX}… as the {field}.")
    return kind


def _data(item: Mapping[str, Any], at: str) -> dict[str, Any]:
    """The event's data without its nulls: null and absent mean the same on this wire."""
    data = item.get("data")
    if isinstance(data, str):
        data = read_json(data, f"{at}data", MalformedEvent)
    if not isinstance(data, Mapping):
        raise MalformedEvent(f"{at}data", "is missing or not an object.", "Send the event's data as an object.")
    return {key: value for key, value in data.items() if value is not None}


def _unknown(item: Mapping[str, Any], kind: str, keep: Mapping[str, type]) -> dict[str, Any]:
    """Of an unknown event's data only what is sure to fit."""
    data = item.get("data")
    kept = (
        {key: data[key] for key, of in keep.items() if isinstance(data.get(key), of)}
        if isinstance(data, Mapping)
        else {}
    )
    return kept | {"event_type": kind}


_validators: Final[dict[type[Event], Callable[[Any], Any]]] = {}
_building: Final = Lock()


def _validated(cls: type[_E], fields: dict[str, Any], at: str, envelope: Mapping[str, str]) -> _E:
    validate: Callable[[Any], _E] = _validators.get(cls) or _validator(cls)
    try:
        return validate(fields)
    except ValidationError as error:
        wrong = error
    lenient = LenientFields(fields, lambda path: cls.needs(path, fields))
    try:
        event: _E = lenient.read(validate, wrong)
    except Needed as needed:
        raise _malformed(needed.details, at, envelope) from None
    return event


def _validator(cls: type[Event]) -> Callable[[Any], Any]:
    """Builds a model at its first event. Under a lock, which pydantic's deferred build lacks."""
    with _building:
        if cls not in _validators:
            cls.model_rebuild()
            _validators[cls] = cls.__pydantic_validator__.validate_python
        return _validators[cls]


def _malformed(details: ErrorDetails, at: str, envelope: Mapping[str, str]) -> MalformedEvent:
    location = details["loc"]
    inside = envelope.get(str(location[0])) if len(location) == 1 else None
    path = inside or f"data.{path_of(location)}"
    kind = details["type"]
    problem = "is missing" if kind == "missing" else details["msg"][:200].rstrip(".")
    if inside and kind not in ("missing", "time"):
        problem = "is missing or not a string"
    return MalformedEvent(at + path, problem + ".", "Send the event as the service made it.")
