"""An action from what a flow gave, or what is wrong with it: the field and the remedy."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import PydanticSerializationError

from shared.calls.actions.base import Action, one_of
from shared.errors import InvalidInput
from shared.plain_json import half_a_character

A = TypeVar("A", bound=Action)
V = TypeVar("V", bound=BaseModel)


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
