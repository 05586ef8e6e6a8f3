"""Plain JSON: finite, unambiguous, of bounded depth and without half characters, so that all who read it read the same
and a journal can hold it."""

from __future__ import annotations

import json
from math import isinf
from typing import Any, Final, NoReturn

from shared.errors import InvalidInput

MAX_DEPTH: Final = 32
"""Nesting of a value (our choice). Real events have eight levels; the journal is read by a parser that stops at 200."""

_MAX_DIGITS: Final = 20
"""Of an integer: 64 bits and a sign."""


def read_json(body: bytes | bytearray | str, field: str = "body", error: type[InvalidInput] = InvalidInput) -> Any:
    """The JSON value in a body; an error of this type, which names the field, for anything that is not plain JSON."""
    try:
        text = body if isinstance(body, str) else bytes(body).decode("utf-8-sig")
        value = _DECODER.decode(text)
    except UnicodeDecodeError:
        raise error(field, "is not JSON: it is not UTF-8.", "Send JSON as UTF-8.") from None
    except RecursionError:
        raise _too_deep(field, error) from None
    except json.JSONDecodeError as wrong:
        raise error(field, f"is not JSON (line {wrong.lineno}, column {wrong.colno}).", "Send plain JSON.") from None
    except _Unfit as unfit:
        raise error(field, str(unfit), "Send plain JSON.") from None
    if text.count("{") + text.count("[") > MAX_DEPTH:
        _check_depth(value, field, error)
    if not text.isascii() or "\\u" in text:
        write_json(value, field, error)
    return value


def write_json(value: Any, field: str, error: type[InvalidInput] = InvalidInput) -> str:
    """A value as text; an error of this type, which names the field, if that would not be plain JSON."""
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
        text.encode()
    except UnicodeEncodeError:
        raise half_a_character(field, error) from None
    except RecursionError:
        raise _too_deep(field, error) from None
    except TypeError as wrong:
        raise error(field, f"is not JSON: {wrong}.", "Give strings, numbers, lists and dictionaries.") from None
    except ValueError as wrong:
        raise error(field, f"is not JSON: {wrong}.", "Give finite numbers, and no value within itself.") from None
    except Exception as wrong:  # a class of its own that cannot be read
        problem = f"is not JSON: it raised {type(wrong).__name__}."
        raise error(field, problem, "Give plain lists and dictionaries.") from None
    _check_depth(value, field, error)
    return text


def half_a_character(field: str, error: type[InvalidInput] = InvalidInput) -> InvalidInput:
    """What is wrong with a text that cannot be written as UTF-8."""
    return error(field, "holds half a character (a lone surrogate).", "Give Unicode text.")


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
        raise _Unfit("has a number that is too large, and no number of JSON.")
    return value


def _int(text: str) -> int:
    if len(text) > _MAX_DIGITS:
        raise _Unfit("has a number that is too large.")
    return int(text)


def _constant(text: str) -> NoReturn:
    raise _Unfit(f"has {text}, which is no number of JSON.")


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=_float, parse_int=_int, parse_constant=_constant
)


def _too_deep(field: str, error: type[InvalidInput]) -> InvalidInput:
    return error(field, "is nested too deeply.", f"Nest at most {MAX_DEPTH} levels.")


def _check_depth(value: Any, field: str, error: type[InvalidInput]) -> None:
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            inner
            for outer in level
            for inner in (
                outer.values() if isinstance(outer, dict) else outer if isinstance(outer, list | tuple) else ()
            )
            if isinstance(inner, dict | list | tuple)
        ]
        if not level:
            return
    raise _too_deep(field, error)
