"""What lists of every kind take in their query."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, date, datetime
from itertools import islice
from typing import Annotated, TypeVar

from pydantic import Field

from shared.errors import InvalidInput
from shared.numbers import whole_number

T = TypeVar("T")

_EPOCH = date(1970, 1, 1).toordinal()

DEFAULT_PAGE, MAX_PAGE = 100, 500
"""Rows in one page of a list, unless told and at most."""

MAX_POSITION = 1024
"""Characters of a position in a list. The longest that the app gives has some 600: the key of a row, and its list."""

Position = Annotated[str, Field(max_length=MAX_POSITION)]
"""A position in a list, in the body of a request."""

MAX_SHOWN = 40
"""Characters of a wrong value that a refusal repeats."""


OF_OTHERS = frozenset({"code", "clientid", "subscription-key"})
"""Parameters of the host (function keys) and of API Management, which may stand in every query."""


def only(query: Mapping[str, str], known: Collection[str]) -> None:
    """Pass a query of these parameters alone: a misspelled filter would silently filter nothing. InvalidInput."""
    for name in query:
        if name not in known and name.lower() not in OF_OTHERS:
            from shared.web.fields import remedy_for

            raise InvalidInput(name[:MAX_SHOWN], "is not a parameter of this request.", remedy_for(name, known))


def day(text: str | None) -> str:
    """A UTC day, `2026-11-23`; today by default."""
    if not text:
        return datetime.now(UTC).strftime("%Y-%m-%d")
    try:
        if date.fromisoformat(text).isoformat() == text:
            return text
    except ValueError:
        pass
    raise InvalidInput("day", f"{text[:MAX_SHOWN]!r} is not a day.", "Write 2026-11-23.")


def begin_of(day: date, *, days_on: int = 0) -> int:
    """When a UTC day begins, or the one so many days after it, in Unix milliseconds."""
    return (day.toordinal() + days_on - _EPOCH) * 86_400_000


def limit(text: str | None) -> int:
    """Rows of a page."""
    if not text:
        return DEFAULT_PAGE
    size = whole_number(text)
    if size is None or not 1 <= size <= MAX_PAGE:
        raise InvalidInput("limit", f"{text[:MAX_SHOWN]!r} is not a page size.", f"Give 1 to {MAX_PAGE}.")
    return size


def position(text: str | None) -> str:
    """From where a list is read on; empty: from its beginning."""
    if text and len(text) > MAX_POSITION:
        raise InvalidInput("after", f"has {len(text)} characters.", "Give `next` of the page before.")
    return text or ""


def page(rows: Iterable[T], size: int) -> tuple[list[T], bool]:
    """The first rows, and whether there are more; no more is read than that takes."""
    left = iter(rows)
    found = list(islice(left, size))
    return found, any(True for _ in left)
