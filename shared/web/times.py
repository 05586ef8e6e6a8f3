"""Times of the HTTP API: Unix time in milliseconds, and beside each the same as people and other languages read it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from pydantic import computed_field


def iso(at: int) -> str | None:
    """A Unix time in milliseconds as ISO 8601 in UTC, `2026-11-23T10:02:01.250Z`; None: there is none (0)."""
    if not at:
        return None
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def iso_of(field: str, *, never: str | None = None) -> Any:
    """A computed field of a response: the time of another field, as ISO 8601.

    Write `at_iso: ClassVar[Any] = iso_of("at")` below `at`.

    Args:
        never: what it is while there is no time.
    """

    def shown(view: Any) -> str | None:
        return iso(getattr(view, field)) or never

    described = f"`{field}` as ISO 8601 in UTC; {'null' if never is None else 'empty'}: not yet"
    form: dict[str, Any] | None = {"format": "date-time"} if never is None else None
    return computed_field(description=described, json_schema_extra=form)(property(shown))
