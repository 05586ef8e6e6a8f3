"""The words of the pages: people without their numbers, times, lengths, and what the app's own words mean."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from shared.identifiers import Identifier

TWO_DIGITS = frozenset(
    map(str, [20, 27, *range(30, 35), 36, 39, 40, 41, *range(43, 50), *range(51, 59), *range(60, 67), 81, 82, 84, 86,
              *range(90, 96), 98])
)  # fmt: skip
"""Country codes of two digits (ITU-T E.164, list of 2016); 1 and 7 have one, all others three."""

WITHHELD = "number withheld"

STATUS: Mapping[str, str] = {
    "waiting": "waiting to be placed",
    "ringing": "ringing",
    "connecting": "being connected",
    "connected": "on the line",
    "ended": "ended",
}

OUTCOME: Mapping[str, str] = {
    "completed": "completed",
    "caller_left": "caller hung up",
    "hung_up": "hung up by an operator",
    "transferred": "transferred",
    "failed": "failed",
    "rejected": "rejected",
    "redirected": "sent on",
    "refused": "refused",
    "settled": "closed by Switchboard after silence",
    "too_long": "ended at the time limit",
    "busy": "busy",
    "declined": "declined",
    "no_answer": "no answer",
    "unreachable": "could not be reached",
    "canceled": "withdrawn before it was answered",
    "ended": "ended before it was answered",
    "timeout": "timed out",
    "throttled": "too many requests",
    "permission": "not permitted",
    "service_error": "failed at the service",
    "": "",
}
"""How a call ended; what is not here is shown as it is."""

NOT_REACHED = frozenset({"busy", "declined", "no_answer", "unreachable", "canceled", "timeout", "ended"})
"""Ends of calls that never connected."""

_TELLING = 7
"""Last digits of a number that tell it (our choice)."""

_WRITTEN = re.compile(r"(?P<raw_id>4:)?(?:\+|%2[Bb]|(?<=(?<![0-9A-Za-z:])4:))[1-9](?:[ ().-]{0,2}[0-9]){6,}")
"""A number as it is written: after a plus sign, or as a raw id; with spaces or without."""
_BARE = re.compile(r"(?P<raw_id>)(?<![0-9A-Za-z:.+-])[1-9][0-9]{6,14}(?![0-9A-Za-z-]|\+[0-9])")
"""Digits by themselves that may be one."""


def masked_number(number: str) -> str:
    """Enough of an E.164 number to tell two apart, too little to call one: `+1 ••• 23`."""
    digits = number.removeprefix("+")
    length = 1 if digits[:1] in ("1", "7") else 2 if digits[:2] in TWO_DIGITS else 3
    return f"+{digits[:length]} ••• {digits[-2:]}" if len(digits) > 6 else "•••"


def person(raw_id: str, *, shown: bool) -> str:
    """Whom a raw id means, for people; `shown`: with the number."""
    if not raw_id:
        return "not known"
    who = Identifier(raw_id=raw_id)
    if who.is_anonymous:
        return WITHHELD
    if (number := who.phone_number) is not None:
        return number if shown else masked_number(number)
    kind = {
        "communicationUser": "app user",
        "microsoftTeamsUser": "Teams user",
        "microsoftTeamsApp": "Teams app",
        "teamsExtensionUser": "Teams phone user",
    }.get(who.kind, "participant")
    return f"{kind} …{raw_id[-4:]}"


def is_app(raw_id: str) -> bool:
    """Whether this is the app itself, which the service lists among the participants of a phone call."""
    return raw_id.endswith("_00000000-0000-0000-0000-000000000000")


def without_numbers(value: Any) -> Any:
    """A JSON value in which no text holds a phone number any more, keys included."""
    if isinstance(value, str):
        return _BARE.sub(_mask, _WRITTEN.sub(_mask, value)) if any(map(str.isdigit, value)) else value
    if isinstance(value, Mapping):
        return {without_numbers(name): without_numbers(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [without_numbers(inner) for inner in value]
    return value


def without_number(text: str, number: str) -> str:
    """A text that somebody gave a person, such as their key, without their number; other digits stay as they are."""
    digits = re.sub(r"[^0-9]", "", text)
    if number and number[-_TELLING:] in digits:
        return masked_number(number)
    return str(without_numbers(text)) if "+" in text else text


def _mask(match: re.Match[str]) -> str:
    raw_id = match["raw_id"] or ""
    digits = re.sub(r"[^0-9]", "", re.sub("%2[Bb]", "", match.group().removeprefix("4:")))
    return f"{raw_id}{masked_number(digits)}"


def moment(at: int) -> str:
    """A time in UTC, to the second: `2026-11-28 10:02:03`."""
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S") if at else ""


def utc(at: datetime | None) -> str:
    """A time in UTC, to the minute: `2026-11-28 10:02 UTC`."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if at is not None else ""


def iso(at: int) -> str:
    """A time as machines read it."""
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def length(milliseconds: int) -> str:
    """A length of time on a clock: `1:56`, `1:02:03`."""
    seconds = max(0, milliseconds) // 1000
    minutes, hours = seconds // 60 % 60, seconds // 3600
    return f"{hours}:{minutes:02d}:{seconds % 60:02d}" if hours else f"{minutes}:{seconds % 60:02d}"


def seconds(milliseconds: int) -> str:
    """A short time in words: `0.4 s`, `12 s`."""
    value = max(0, milliseconds) / 1000
    return f"{value:.1f} s" if value < 10 else f"{value:.0f} s"
