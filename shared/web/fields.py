"""Names of fields, for whoever writes one that there is not."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any, get_args

from pydantic import BaseModel

from shared.yaml_text import did_you_mean

MOST_NAMED = 20
"""Names that a refusal lists (our choice): with more, the document is the better list."""


def remedy_for(name: str, known: Collection[str]) -> str:
    """What to write instead of a name that is not known."""
    listed = f"Known: {', '.join(sorted(known))}." if len(known) <= MOST_NAMED else "See /api/openapi.json."
    return f"{did_you_mean(name, known)} {listed}".lstrip()


def names_at(model: type[BaseModel], path: Sequence[str | int]) -> set[str]:
    """The fields of the object at a place of a request, where a validation error names the place."""
    models = {model}
    for part in path:
        if isinstance(part, int):
            continue
        inside = {
            found
            for one in models
            for name, field in one.model_fields.items()
            if (field.alias or name) == part
            for found in _models_in(field.annotation)
        }
        # Otherwise it names the choice that was made among several models, by its tag or its class.
        models = inside or {one for one in models if part in _tags(one)} or models
    return {field.alias or name for one in models for name, field in one.model_fields.items()}


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models_in(argument)


def _tags(model: type[BaseModel]) -> set[Any]:
    values = {value for field in model.model_fields.values() for value in get_args(field.annotation)}
    return {model.__name__, *(value for value in values if isinstance(value, str))}
