"""Named calendars in the HTTP API: changed without a deployment, on all instances within seconds."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable
from datetime import UTC, datetime

from pydantic import BaseModel, ConfigDict, Field

from shared.brakes.brakes import AppBrakes
from shared.errors import InvalidInput, LostRace, UnknownCalendar, VersionMismatch
from shared.lines.calendars import CALENDAR_NAME, CALENDAR_NAMES
from shared.lines.shared_calendars import ROW, CalendarText, StoredCalendar
from shared.logs import logger
from shared.text_rows import StoredRow, TextRows
from shared.web.models import read

log = logger("switchboard.lines")

MOST = 50
"""Calendars that there can be (our choice): all instances read them every two seconds while there is traffic."""
MOST_BYTES = 24_000
"""Of a calendar, as it is stored (our choice): a column of a row takes 32,000 characters."""
TRIES = 8
"""How often a change is tried where others change the same at the same moment (our choice)."""


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CalendarView(_Model):
    """A calendar, and how it stands now."""

    name: str
    etag: str
    is_open: bool
    opens_at: datetime | None = Field(description="when it is open next: now, if it is open; null: never again")
    calendar: CalendarText


class CalendarList(_Model):
    """All calendars, by name."""

    calendars: tuple[CalendarView, ...]


class CalendarService:
    """Shows calendars and changes them.

    Args:
        brakes: their rows are read by all instances; calendars stand beside them.
    """

    def __init__(
        self,
        brakes: AppBrakes,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._brakes = brakes
        self._clock = clock

    def list(self) -> CalendarList:
        """All of them, by the storage."""
        found = sorted((name, row) for name, row in self._rows.read().items() if name.startswith(ROW))
        return CalendarList(calendars=tuple(self._view(name.removeprefix(ROW), row) for name, row in found))

    def get(self, name: str) -> CalendarView:
        """One, by the storage. UnknownCalendar."""
        row = self._rows.read().get(ROW + name)
        if row is None:
            raise UnknownCalendar("name", f"{name[:80]!r} is not a calendar.", "GET /api/calendars lists them.")
        return self._view(name, row)

    def put(
        self, name: str, body: bytes, *, if_match: str | None = None, if_none_match: str | None = None
    ) -> tuple[bool, CalendarView]:
        """Make or replace one; whether it is new. InvalidInput, VersionMismatch.

        Args:
            if_match: ETags, one of which it must have, or `*`: there must be one; None: whatever stands there.
            if_none_match: `*`: there must be none.
        """
        if not CALENDAR_NAME.fullmatch(name):
            raise InvalidInput("name", f"{name[:80]!r} is not the name of a calendar.", CALENDAR_NAMES)
        stored = StoredCalendar(text=read(CalendarText, body), mark=uuid.uuid4().hex)
        text = stored.model_dump_json()
        if len(text) > MOST_BYTES:
            raise InvalidInput("body", f"would take {len(text)} characters.", f"Name fewer dates: {MOST_BYTES} can be.")
        is_new = True
        for attempt in range(TRIES):
            rows = self._rows.read()
            row = rows.get(ROW + name)
            if attempt and row is not None and row.text == text:
                break  # our own write: only its response was lost
            _check(row, if_match, if_none_match)
            if row is None and sum(one.startswith(ROW) for one in rows) >= MOST:
                raise InvalidInput("name", f"would be calendar {MOST + 1}.", f"There can be {MOST}; remove one.")
            is_new = row is None
            try:
                self._rows.replace(ROW + name, text, row.version if row else None)
                break
            except LostRace:
                continue
        else:
            raise LostRace("calendars")
        log.warning("calendar %s %s", "made" if is_new else "changed", name)
        self._brakes.refresh()
        return is_new, self.get(name)

    def remove(self, name: str, *, if_match: str | None = None) -> None:
        """Remove one. UnknownCalendar, VersionMismatch."""
        for attempt in range(TRIES):
            row = self._rows.read().get(ROW + name)
            if row is None and attempt:
                break
            if row is None:
                raise UnknownCalendar("name", f"{name[:80]!r} is not a calendar.", "GET /api/calendars lists them.")
            _check(row, if_match)
            try:
                self._rows.remove(ROW + name, row.version)
                break
            except LostRace:
                continue
        else:
            raise LostRace("calendars")
        log.warning("calendar removed %s", name)
        self._brakes.refresh()

    @property
    def _rows(self) -> TextRows:
        return self._brakes.rows

    def _view(self, name: str, row: StoredRow) -> CalendarView:
        text, now = StoredCalendar.model_validate_json(row.text).text, self._clock()
        calendar = text.calendar
        return CalendarView(
            name=name,
            etag=_etag(row),
            is_open=calendar.is_open(now),
            opens_at=calendar.next_opening(now),
            calendar=text,
        )


def _etag(row: StoredRow) -> str:
    return f'"{hashlib.sha256(row.text.encode()).hexdigest()[:16]}"'


def _check(row: StoredRow | None, if_match: str | None, if_none_match: str | None = None) -> None:
    """Pass if the version that stands there is one that a request may change; VersionMismatch."""
    if if_none_match is not None and row is not None:
        raise VersionMismatch("If-None-Match", "there is a calendar of this name.", "Leave it out to replace it.")
    if if_match is None:
        return
    known = {one.strip() for one in if_match.split(",")}
    if row is None or not known & {"*", _etag(row)}:
        raise VersionMismatch("If-Match", "the calendar is another by now.", "Read it again, and send its ETag.")
