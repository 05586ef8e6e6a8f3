"""How often a site, an address and a number may have somebody called: pure values, no storage.

A ledger holds a line for each call that was granted, at the time at which it is placed. A limit of so many an hour
holds for every sixty minutes, whenever they begin, so that no change of the hour lets twice as many through.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field

HOUR, DAY = 3600, 24 * 3600
"""Seconds."""
SLACK = 6
"""Seconds by which a call may be placed later than its line says (`service.PUNCTUAL`, and one of rounding): every
stretch of time is so much longer."""
MOST_A_DAY = 500
"""Calls of a site in a day (our choice): with a week of calls that are to come its ledger is one row."""


class Limits(BaseModel):
    """Calls that may be placed in any hour, and in any 24 hours."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    number_hour: int = Field(2, ge=1, le=MOST_A_DAY, description="to one number")
    number_day: int = Field(4, ge=1, le=MOST_A_DAY)
    address_hour: int = Field(5, ge=1, le=MOST_A_DAY, description="for one address of the internet")
    address_day: int = Field(15, ge=1, le=MOST_A_DAY)
    site_hour: int = Field(30, ge=1, le=MOST_A_DAY, description="for everybody together")
    site_day: int = Field(120, ge=1, le=MOST_A_DAY)


class Entry(NamedTuple):
    """A call that was granted.

    Attributes:
        at: when it is placed, Unix time in seconds.
        call: the id of the request.
        number, address: keyed hashes.
        key: hash of the idempotency key; empty: there was none.
        said: hash of what was asked for, to know a key that comes back with something else.
    """

    at: int
    call: str
    number: str
    address: str
    key: str = ""
    said: str = ""


class Refusal(NamedTuple):
    """Why a call is not granted.

    Attributes:
        of: `number`, `address` or `site`.
        seconds: after which it may be.
    """

    of: str
    seconds: int


def refusal(
    entries: Sequence[Entry], limits: Limits, at: int, numbers: Iterable[str], addresses: Iterable[str]
) -> Refusal | None:
    """Why one more call at this time is not granted; None: it is.

    Args:
        entries: the calls that were granted, in any order; some may be to come.
        numbers, addresses: every hash that whom it is for may be kept under.
    """
    numbers, addresses = frozenset(numbers), frozenset(addresses)
    groups = (
        ("number", limits.number_hour, limits.number_day, [one.at for one in entries if one.number in numbers]),
        ("address", limits.address_hour, limits.address_day, [one.at for one in entries if one.address in addresses]),
        ("site", limits.site_hour, limits.site_day, [one.at for one in entries]),
    )
    for of, hour, day, times in groups:
        for seconds, most in ((HOUR, hour), (DAY, day)):
            full = full_since(times, at, seconds + SLACK, most)
            if full is not None:
                return Refusal(of, full + seconds + SLACK - at)
    return None


def full_since(times: Iterable[int], at: int, seconds: int, most: int) -> int | None:
    """When the stretch of so many seconds begins in which one more call at this time would be too many; None: there is
    no such stretch."""
    near = sorted(time for time in (*times, at) if at - seconds < time < at + seconds)
    for index, begins in enumerate(near):
        if begins <= at and bisect_left(near, begins + seconds) - index > most:
            return begins
    return None


def without_old(entries: Iterable[Entry], now: int) -> tuple[Entry, ...]:
    """Those that still count."""
    return tuple(one for one in entries if one.at > now - DAY)


def read_entries(text: str | None) -> tuple[Entry, ...]:
    """A ledger, as it is stored."""
    return tuple(Entry(*one) for one in json.loads(text)) if text else ()


def written(entries: Iterable[Entry]) -> str:
    """A ledger, to be stored."""
    return json.dumps([list(one) for one in entries], separators=(",", ":"))
