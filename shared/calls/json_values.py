"""What a journal can hold: values that read back as they were written."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from shared.errors import InvalidInput

MAX_DEPTH = 32
"""Levels of nesting (our choice). The journal is read by a parser that stops at 200."""


def json_value(field: str, value: Any) -> Any:
    """The value as it will be when it is read from the journal. InvalidInput if the journal cannot hold it.

    Args:
        field: what the value is, for the message.
    """
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
        text.encode()
    except UnicodeEncodeError:
        raise InvalidInput(field, "holds half a character (a lone surrogate).", "Give Unicode text.") from None
    except RecursionError:
        raise _too_deep(field) from None
    except TypeError as error:
        raise InvalidInput(field, f"is not JSON: {error}.", "Give strings, numbers, lists and dictionaries.") from None
    except ValueError as error:
        raise InvalidInput(
            field, f"is not JSON: {error}.", "Give finite numbers, and no value within itself."
        ) from None
    read = json.loads(text)
    level = [read]
    for _ in range(MAX_DEPTH):
        level = [part for one in level for part in _parts(one)]
    if level:
        raise _too_deep(field)
    return read


def json_object(field: str, value: Mapping[str, Any]) -> dict[str, Any]:
    """The same for what is given by names."""
    read: dict[str, Any] = json_value(field, dict(value))
    return read


def _parts(value: Any) -> list[Any]:
    return list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []


def _too_deep(field: str) -> InvalidInput:
    return InvalidInput(field, "is nested too deeply.", f"Nest at most {MAX_DEPTH} levels.")
