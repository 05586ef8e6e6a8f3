"""Callbacks out of a journal, read again when an instance takes up a call that it does not hold in memory.

They were checked when they came, so nothing here is checked twice: a long call has hundreds of them, and a caller
waits. Nor is anything here an error: whatever has become stricter since, a live call stays loadable.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache, lru_cache
from inspect import get_annotations
from typing import Annotated, Any, Final, TypeVar, get_origin

from pydantic import BaseModel, TypeAdapter, ValidationError

from shared.errors import MalformedEvent
from shared.events.base import PREFIX, CallEvent
from shared.events.callbacks import CALLBACK_TYPES, FORMER_NAMES, UnknownCallback
from shared.events.parse import parse_callback
from shared.events.values import ResultInformation
from shared.identifiers import Identifier

M = TypeVar("M", bound=BaseModel)


def unchecked(model: type[M], values: dict[str, Any]) -> M:
    """A model from values for all of its fields, which are taken as they are; the dictionary is the model's then.

    It is what `model_construct` does, at a tenth of its cost, for it looks at no field.
    """
    made = _new(model)
    _set_values(made, values)
    _set_fields_set(made, _fields(model))
    _set_extra(made, None)
    _set_private(made, None)
    return made


_new: Final = object.__new__
# A frozen model takes no assignment; these are the four slots that every model has.
_set_values, _set_fields_set, _set_extra, _set_private = (
    BaseModel.__dict__[slot].__set__
    for slot in ("__dict__", "__pydantic_fields_set__", "__pydantic_extra__", "__pydantic_private__")
)


@cache
def _fields(model: type[BaseModel]) -> set[str]:
    """One set for all of them, which pydantic copies before it changes it."""
    return set(model.model_fields)


def journaled_callback(item: Mapping[str, Any]) -> CallEvent:
    """A callback that a journal holds: as `parse_callbacks` gave it when it came, and never an error.

    What today's reader would refuse is read as far as it can be; the rest has neutral values ("", 0, None, ()).
    """
    event = _put_together(item)
    if event is not None:
        return event
    try:
        return parse_callback(item)
    except MalformedEvent:
        return _as_far_as_it_can_be(item)


# The many: events that have the common fields alone, in the shape in which the service sends them

_PLAIN: Final[Mapping[Any, type[CallEvent]]] = {
    PREFIX + name: cls for name, cls in CALLBACK_TYPES.items() if not get_annotations(cls)
}
_OTHER_NAMES: Final = frozenset({*CallEvent.model_fields, "resultInfo"}) - {"id", "time", "raw"}
"""What the parser reads as well, and what no event of today has in its data."""


def _put_together(item: Mapping[str, Any]) -> CallEvent | None:
    """The event without validation; None if it is another, or in any other than the usual shape."""
    try:
        cls = _PLAIN[item["type"]]
        data, name, source, time = item["data"], item["id"], item["source"], datetime.fromisoformat(item["time"])
        connection, server, correlation = data["callConnectionId"], data["serverCallId"], data["correlationId"]
        context, result = data.get("operationContext"), _result(**data["resultInformation"])
    except (LookupError, TypeError, ValueError, AttributeError):
        return None
    if not type(name) is type(source) is type(connection) is type(server) is type(correlation) is str:
        return None
    if not (name and connection and server and time.tzinfo and _OTHER_NAMES.isdisjoint(data)):
        return None
    if context is not None and type(context) is not str:
        return None
    values = {
        "id": name,
        "unread": (),
        "raw": item,
        "time": time,
        "source": source,
        "call_connection_id": connection,
        "server_call_id": server,
        "correlation_id": correlation,
        "operation_context": context,
        "result": result,
    }
    return unchecked(cls, values)


@lru_cache(maxsize=256)
def _result(*, code: int = 0, subCode: int = 0, message: str | None = None) -> ResultInformation:  # noqa: N803
    """Frozen, so that one serves every event that says the same. TypeError for what has more than these."""
    if type(code) is not int or type(subCode) is not int or not (message is None or type(message) is str):
        raise TypeError
    return ResultInformation(code=code, sub_code=subCode, message=message)


# The few: what was taken once and would be refused today


def _as_far_as_it_can_be(item: Mapping[str, Any]) -> CallEvent:
    kind = str(item.get("type") or "")
    short = kind.removeprefix(PREFIX)
    cls = CALLBACK_TYPES.get(FORMER_NAMES.get(short, short), UnknownCallback)
    data = item.get("data")
    wire = {**(data if isinstance(data, Mapping) else {}), **item, "event_type": kind}
    values = {name: _field(cls, name, wire) for name in cls.model_fields}
    return unchecked(cls, values | {"raw": item})


def _field(cls: type[CallEvent], name: str, wire: Mapping[str, Any]) -> Any:
    """One field by itself; its default, or a neutral value, if it is not there or cannot be read."""
    field = cls.model_fields[name]
    alias = field.validation_alias
    names = [name, field.alias, *(getattr(alias, "choices", None) or [alias])]
    kind: Any = Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation
    for value in (wire[known] for known in names if isinstance(known, str) and wire.get(known) is not None):
        try:
            return TypeAdapter(kind).validate_python(value)
        except ValidationError:
            continue
    return _neutral(field.annotation) if field.is_required() else field.get_default(call_default_factory=True)


_NEUTRAL: Final[Mapping[Any, Callable[[], Any]]] = {
    str: str,
    int: int,
    tuple: tuple,
    datetime: lambda: datetime.fromtimestamp(0, UTC),
    Identifier: lambda: unchecked(Identifier, {"raw_id": ""}),
}


def _neutral(annotation: Any) -> Any:
    return _NEUTRAL.get(get_origin(annotation) or annotation, lambda: None)()
