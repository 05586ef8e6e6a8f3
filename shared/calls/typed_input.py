"""The input of a flow that says what it takes: checked when a call starts, journaled as JSON, built again on replay."""

from __future__ import annotations

import json
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from shared.calls.json_values import json_value
from shared.errors import InvalidInput

M = TypeVar("M", bound=BaseModel)


def read_input(model: type[M], data: Any) -> M:
    """The input as the model has it. InvalidInput names the field that is wrong: `input.when`."""
    try:
        return model.model_validate_json(json.dumps(json_value("input", data)))
    except ValidationError as error:
        first, *others = error.errors(include_url=False, include_context=False, include_input=False)
        path = ".".join(("input", *(str(part) for part in first["loc"])))
        more = f" {len(others)} more: {', '.join('.'.join(map(str, one['loc'])) for one in others)}." if others else ""
        problem = f"{first['msg'].removeprefix('Value error, ')}.{more}"
        raise InvalidInput(path, problem, f"Give what {model.__name__} says: GET /api/flows has its schema.") from None


def journaled_input(model: type[BaseModel] | None, data: Any) -> Any:
    """The input as the journal keeps it: with the model's defaults, so that they are the same at each replay.

    InvalidInput if it is not JSON, does not fit the model, or if the model does not read what it writes.
    """
    if model is None:
        return json_value("input", data)
    read = read_input(model, {} if data is None else data)
    kept = json_value("input", read.model_dump(mode="json", by_alias=True, round_trip=True))
    try:
        again = read_input(model, kept)
    except InvalidInput as error:
        raise _unfaithful(model, str(error)) from None
    if again != read:
        raise _unfaithful(model, "it comes back as another value")
    return kept


def incoming_input(model: type[BaseModel] | None) -> Any:
    """The input of a call that comes in: the model's defaults; None where the model needs more than these."""
    try:
        return None if model is None else journaled_input(model, {})
    except InvalidInput:
        return None


def started_input(model: type[M], started: Any) -> M:
    """The input of a call from its journal. InvalidInput if the model does not take it, or not any more."""
    try:
        return read_input(model, {} if started is None else started)
    except InvalidInput as error:
        why = "a call that came in has no input" if started is None else "the call was started with another input"
        remedy = f"Give the fields of {model.__name__} a default."
        raise InvalidInput(error.field, f"{error.problem} {why[0].upper()}{why[1:]}.", remedy) from None


def needed_fields(model: type[BaseModel] | None) -> tuple[str, ...]:
    """The fields without which there is no input of this model."""
    if model is None:
        return ()
    try:
        model.model_validate_json("{}")
    except ValidationError as error:
        return tuple(dict.fromkeys(".".join(map(str, one["loc"])) or model.__name__ for one in error.errors()))
    return ()


def same_input(model: type[BaseModel] | None, one: Any, other: Any, given: Any) -> bool:
    """Whether two journaled inputs say the same, apart from defaults that differ each time (an id, a time).

    Args:
        given: what `one` was made of.
    """
    if model is None or not isinstance(one, dict) or not isinstance(other, dict):
        return bool(one == other)
    said = read_input(model, given or {}).model_dump(mode="json", by_alias=True, exclude_unset=True)
    return one.keys() == other.keys() and all(one[name] == other[name] for name in said)


def _unfaithful(model: type[BaseModel], why: str) -> InvalidInput:
    return InvalidInput(
        "input",
        f"cannot be journaled: {model.__name__} does not read back what it writes ({why}).",
        "Let its fields be written as JSON that they read again.",
    )
