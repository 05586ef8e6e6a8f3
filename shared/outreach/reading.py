"""A row of a file, or a person of a request, as somebody who can be called; or what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import cached_property, lru_cache
from zoneinfo import ZoneInfo

from shared.errors import InvalidInput
from shared.languages import LANGUAGE_TAG
from shared.outreach.moments import check_format, moment, read_date, read_moment, read_time, read_zone
from shared.outreach.numbers import read_country, read_number, zones_of
from shared.outreach.person import Wanted
from shared.outreach.rules import Consent, Rules
from shared.outreach.spreadsheet import damage, unwrapped
from shared.outreach.windows import Window

LONGEST_ID, LONGEST_TEXT = 200, 1_000
"""Characters (our choice)."""
_CANCELLED = {"cancelled", "canceled", "cancel", "storniert", "abgesagt", "yes", "true", "1", "x", "ja"}
_STANDS = {"", "active", "booked", "open", "confirmed", "scheduled", "no", "false", "0", "nein", "aktiv", "gebucht"}


@dataclass(frozen=True)
class Reading:
    """How rows are read.

    Attributes:
        rules: of the campaign.
        window: in which the campaign calls, holidays left out: somebody for whom it never opens is refused.
        country: of numbers without a country code, if a row has none.
        date_format: the name of a format (shared.outreach.moments); empty: dates as 2026-04-03 only.
        language: if a row has none.
    """

    rules: Rules
    window: Window
    country: str = ""
    date_format: str = ""
    language: str = ""

    def __post_init__(self) -> None:
        if self.date_format:
            check_format(self.date_format)
        if self.country and read_country(self.country) != self.country:
            raise InvalidInput(
                "country", f"{self.country!r} is no country.", "Write its two letters, such as DE or US."
            )
        _language(self.language)

    @property
    def needed(self) -> tuple[str, ...]:
        """The fields that a file must have."""
        consent = ("consent_at", "consent_source") if self.rules.purpose == "marketing" else ()
        return ("id", "number", *(("appointment",) if self.rules.reminders else ()), *consent)

    def person(self, values: Mapping[str, str], now: datetime, details: Mapping[str, str] | None = None) -> Wanted:
        """Read the fields of a person, by the names of `columns.FIELDS`; InvalidInput names field and remedy.

        Of somebody who is cancelled the id alone is read: whatever else is wrong with the row, they are not called.
        """
        for field, value in {**values, **(details or {})}.items():
            if len(value) > LONGEST_TEXT:
                raise InvalidInput(field, f"has more than {LONGEST_TEXT:,} characters.", "Shorten it.")
            if field != "number" and (problem := damage(unwrapped(value), digits=field == "id")):
                raise InvalidInput(field, *problem)
        if _cancelled(values.get("status", "")):
            return Wanted(id=_id(values.get("id", "")), number="", cancelled=True)
        zone = values.get("zone", "")
        written = values.get("country", "")
        country = read_country(written) if written else self.country
        wanted = Wanted(
            id=_id(values.get("id", "")),
            number=read_number(values.get("number", ""), country),
            name=values.get("name", ""),
            language=_language(values.get("language", "")) or self.language,
            zone=read_zone(zone).key if zone else "",
            appointment=self._appointment(values),
            consent=self._consent(values, now),
            details=dict(details or {}),
        )
        self._check_zones(wanted, now)
        return wanted

    @cached_property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.rules.zone)

    def _appointment(self, values: Mapping[str, str]) -> datetime | None:
        together, day, of_day = (values.get(field, "") for field in ("appointment", "date", "time"))
        if together:
            return read_moment(together, self._zone, self.date_format)
        if day and of_day:
            return moment(read_date(day, self.date_format), read_time(of_day), self._zone, "time")
        if self.rules.reminders:
            missing = "time" if day else "date" if of_day else "appointment"
            raise InvalidInput(missing, "is empty.", "A reminder needs its appointment's date and time.")
        return None

    def _consent(self, values: Mapping[str, str], now: datetime) -> Consent | None:
        given, source = values.get("consent_at", ""), values.get("consent_source", "")
        if not given and self.rules.purpose == "service":
            return None
        if not given:
            raise InvalidInput("consent_at", "is empty.", "Marketing calls need the date of the person's consent.")
        at = _consent_time(given, self._zone, self.date_format)
        if at > now:
            raise InvalidInput("consent_at", "is in the future.", "Give the date on which the person agreed.")
        if not source:
            raise InvalidInput("consent_source", "is empty.", "Say where the person agreed, such as web form.")
        return Consent(at=at, source=source)

    def _check_zones(self, wanted: Wanted, now: datetime) -> None:
        zones = zones_to_call(wanted, self.rules)
        if not zones:
            remedy = "Give the person's time zone in a column zone, or set a default zone for the campaign."
            raise InvalidInput("zone", "is not known from the number.", remedy)
        this_week = datetime.combine(now.date() - timedelta(days=now.weekday()), time(), UTC)
        if not _opens_soon(self.window, zones, this_week):
            problem = f"is one of {len(zones)} that the number may have, and they have no hour to call in common."
            raise InvalidInput("zone", problem, "Give the person's time zone in a column zone.")


def zones_to_call(wanted: Wanted, rules: Rules) -> tuple[str, ...]:
    """The zones of a person in which a call must be inside the window: that of the row, else all of the number, else
    the campaign's default; empty: none is known."""
    if wanted.zone:
        return (wanted.zone,)
    return zones_of(wanted.number) or ((rules.default_zone,) if rules.default_zone else ())


@lru_cache(maxsize=1024)
def _opens_soon(window: Window, zones: tuple[str, ...], week: datetime) -> bool:
    """Whether it opens for all zones in the two weeks from then on, holidays apart. Of +1 800, with its zones from
    Guam to Newfoundland, it does so in winter alone."""
    usual = Window(window.opens, window.closes, window.days)
    return usual.next_opening(zones, week) is not None


def _id(text: str) -> str:
    if not text:
        raise InvalidInput("id", "is empty.", "Give each person or appointment a key of its own.")
    if len(text) > LONGEST_ID or re.search(r"[\x00-\x1f\x7f]", text):
        raise InvalidInput("id", "is too long or has control characters.", f"Use at most {LONGEST_ID} characters.")
    return text


def _language(text: str) -> str:
    if text and not LANGUAGE_TAG.fullmatch(text):
        raise InvalidInput("language", f"{text[:20]!r} is no language with its region.", "Write de-DE or en-US.")
    return text


def _cancelled(text: str) -> bool:
    word = text.casefold().strip()
    if word not in _CANCELLED | _STANDS:
        raise InvalidInput("status", f"{text[:20]!r} is not known.", "Write cancelled, or leave the cell empty.")
    return word in _CANCELLED


def _consent_time(text: str, zone: ZoneInfo, date_format: str) -> datetime:
    """A date, which counts from its beginning, or a date with a time."""
    try:
        return moment(read_date(text, date_format, "consent_at"), time(), zone, "consent_at")
    except InvalidInput:
        if " " not in text.strip() and "T" not in text:
            raise
    return read_moment(text, zone, date_format, "consent_at")
