"""From a delivered body to JSON values, firmly: what comes in is not ours."""

from __future__ import annotations

import json
from math import isinf
from typing import Any, Final, NoReturn

from shared.errors import MalformedEvent

MAX_DEPTH: Final = 32
"""Nesting of a body. Real events have eight levels; the bound spares every later reader deep recursion."""

_MAX_DIGITS: Final = 20
"""Of an integer: 64 bits and a sign."""


def read_json(body: bytes | bytearray | str, field: str = "body") -> Any:
    """The JSON value in a body; MalformedEvent for anything that is not plain, finite, unambiguous JSON."""
    try:
        text = body if isinstance(body, str) else bytes(body).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise MalformedEvent(field, "is not UTF-8.", "Send JSON as UTF-8.") from None
    try:
        value = _DECODER.decode(text)
    except RecursionError:
        raise _too_deep(field) from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise MalformedEvent(field, f"is not JSON ({where}).", "Send a JSON array of events.") from None
    except _Unfit as error:
        raise MalformedEvent(field, str(error), "Send plain JSON.") from None
    if text.count("{") + text.count("[") > MAX_DEPTH:
        _check_depth(value, field)
    if not text.isascii() or "\\u" in text:
        _check_surrogates(value, field)
    return value


class _Unfit(Exception):
    """JSON that Python would read and others would not, or would read otherwise."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise _Unfit(f"has the key {twice[:60]!r} twice in one object.")
    return found


def _float(text: str) -> float:
    value = float(text)
    if isinf(value):
        raise _Unfit("has a number that is too large.")
    return value


def _int(text: str) -> int:
    if len(text) > _MAX_DIGITS:
        raise _Unfit("has a number that is too large.")
    return int(text)


def _constant(text: str) -> NoReturn:
    raise _Unfit(f"has {text}, which is not JSON.")


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=_float, parse_int=_int, parse_constant=_constant
)


def _too_deep(field: str) -> MalformedEvent:
    return MalformedEvent(field, f"is nested deeper than {MAX_DEPTH} levels.", "Send the event as it is.")


def _check_depth(value: Any, field: str) -> None:
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if type(outer) is dict else outer if type(outer) is list else ())
            if type(inner) in (dict, list)
        ]
        if not level:
            return
    raise _too_deep(field)


def check_json(value: Any, field: str) -> None:
    """Holds a decoded value to what `read_json` would have let through."""
    try:
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except RecursionError:
        raise _too_deep(field) from None
    except (TypeError, ValueError):
        raise MalformedEvent(field, "is not plain JSON.", "Send strings, finite numbers and objects.") from None
    _check_depth(value, field)


def _check_surrogates(value: Any, field: str) -> None:
    """Half a surrogate pair is valid JSON and cannot be stored as UTF-8."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise MalformedEvent(field, "has half a surrogate pair.", "Send whole characters.") from None
