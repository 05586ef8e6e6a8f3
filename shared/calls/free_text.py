"""Which fields of an action may hold a secret: each into which a flow can write any text.

That follows from the type of the field. `Name` is a text that names something of the service or of the code instead;
`FreeText` marks what says something without being a text, such as tones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from shared.identifiers import Identifier

SECRET = "secret"  # noqa: S105 - a word to show
"""What stands in the place of a secret wherever it would be shown."""


@dataclass(frozen=True, eq=False)  # a part of types, which must have a hash
class FreeText:
    """Marks a type as one that may hold a secret.

    Attributes:
        stand_in: what is shown in its place, as JSON; None: it holds none.
    """

    stand_in: Any


_WITHOUT_TEXT = (bool, int, float, NoneType, Identifier)

Name = Annotated[str, FreeText(None)]
"""A text that names something of the service or of the code, and is no secret."""


@dataclass(frozen=True)
class Part:
    """A model with fields of its own that may hold one."""

    model: type[BaseModel]


@cache
def text_fields(model: type[BaseModel]) -> Mapping[str, Any]:
    """By name, each field that may hold a secret: what stands in for it, or the part to look into."""
    found = {name: _stand_in(field.annotation, field.metadata) for name, field in model.model_fields.items()}
    return {name: stand_in for name, stand_in in found.items() if stand_in is not None}


def _stand_in(kind: Any, marks: Any = ()) -> Any:
    """What stands in for a value of this type; None if it holds no text. TypeError for a type that must be marked."""
    for mark in marks:
        if isinstance(mark, FreeText):
            return mark.stand_in
    origin, args = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _stand_in(args[0], args[1:])
    if origin is Literal or kind in _WITHOUT_TEXT:
        return None
    if kind is str:
        return SECRET
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return Part(kind) if text_fields(kind) else None
    within = [one for one in map(_stand_in, (part for part in args if part is not ...)) if one is not None]
    in_a_list = any(isinstance(one, Part) for one in within) and origin not in (Union, UnionType)
    if not args or in_a_list or (len(within) > 1 and origin is not dict):
        raise TypeError(f"{kind} may hold a secret: declare what stands in for it, Annotated[…, FreeText(…)]")
    if not within:
        return None
    if origin in (Union, UnionType):
        return within[0]
    return {} if origin is dict else within


def texts_of(model: BaseModel) -> dict[str, Any]:
    """What of a model may hold a secret, as JSON."""
    return _texts(type(model), model.model_dump(mode="json"))


def _texts(model: type[BaseModel], dumped: Mapping[str, Any]) -> dict[str, Any]:
    texts: dict[str, Any] = {}
    for name, stand_in in text_fields(model).items():
        value = dumped.get(name)
        value = _texts(stand_in.model, value) if isinstance(stand_in, Part) and value is not None else value
        if name in dumped and not (isinstance(stand_in, Part) and not value):
            texts[name] = value
    return texts


def masked(model: BaseModel) -> dict[str, Any]:
    """A model as a dictionary, with what stands in for all that may hold a secret."""
    return _masked(type(model), model.model_dump())


def _masked(model: type[BaseModel], dumped: Mapping[str, Any]) -> dict[str, Any]:
    fields = text_fields(model)
    return {name: _shown(fields.get(name), value) for name, value in dumped.items()}


def _shown(stand_in: Any, value: Any) -> Any:
    if isinstance(stand_in, Part):
        return value and _masked(stand_in.model, value)
    return value if stand_in is None else value and stand_in
