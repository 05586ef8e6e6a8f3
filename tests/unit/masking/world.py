"""Masking over rows that crash, lose responses and let others in between; and instances of the app over them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.errors import StoreUnavailable
from shared.masking.choosing import PoolNumber
from shared.masking.claims import Claims
from shared.masking.opening import Opener, Wanted
from shared.masking.pins import Pins
from shared.masking.service import Masking
from shared.masking.session import settled
from shared.masking.sessions import Sessions
from shared.privacy import NumberHashes
from shared.rows import MemoryRows, Rows
from shared.use_cases.base import Agenda
from tests.setting_samples import made_key

NOW = datetime(2026, 11, 28, 9, 0, tzinfo=UTC)
ADA, BOB, CLEO, DAN = "+14255550123", "+14255550142", "+14255550155", "+14255550166"
KLARA = "+4930901820123"
US1, US2, US3 = "+18005550177", "+18005550178", "+18005550179"
DE1 = "+498005550177"
POOL = (
    PoolNumber(US1, "US", 2),
    PoolNumber(US2, "US", 2),
    PoolNumber(DE1, "DE", 2),
)
OWN = frozenset({US1, US2, US3, DE1, "+18005550199"})
HOUR = timedelta(hours=1)
TOKENS = itertools.count(1)
"""Random, for the purposes of these tests."""
OLD_KEY, NEW_KEY = made_key("numbers before"), made_key("numbers")


class Crash(BaseException):
    """The process dies."""


class TroubledRows:
    """Rows that count what they are asked, and have something happen before or after one of these requests.

    Attributes:
        at: which request, from 0 on; None: nothing happens.
        happens: is called then; `lost`: after the request was carried out.
    """

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self.asked = 0
        self.at: int | None = None
        self.lost = False
        self.happens: Callable[[], None] = lambda: None

    def trouble(self, at: int | None, happens: Callable[[], None], *, lost: bool = False) -> None:
        self.asked, self.at, self.happens, self.lost = 0, at, happens, lost

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._rows, name)

        def asked(*args: Any, **kwargs: Any) -> Any:
            mine, self.asked = self.asked == self.at, self.asked + 1
            if mine and not self.lost:
                self.happens()
            found = method(*args, **kwargs)
            if name == "first":
                found = list(found)
            if mine and self.lost:
                if name == "change" and self.at is not None:
                    method(*args, **kwargs)  # the response was lost: it is carried out again
                self.happens()
            return found

        return asked


class Instance:
    """One instance of the app, with a clock of its own.

    Attributes:
        ahead: what its clock is ahead of the time.
    """

    def __init__(
        self,
        rows: Any,
        *,
        key: str = NEW_KEY,
        previous: str = "",
        pool: tuple[PoolNumber, ...] = POOL,
        cool_off: timedelta = HOUR,
        retention: timedelta | None = timedelta(days=30),
        calls_at_once: Mapping[str, int] | None = None,
    ) -> None:
        self.time = NOW
        self.ahead = timedelta()
        numbers = NumberHashes(key, previous)
        self.agenda = Agenda(rows)
        self.sessions = Sessions(rows)
        self.claims = Claims(rows, self.sessions, numbers, cool_off)
        self.pins = Pins(rows, self.claims)

        def token(size: int) -> str:
            return f"{next(TOKENS):0{2 * size}x}"

        def now() -> datetime:
            return self.time + self.ahead

        opener = Opener(
            self.sessions, self.claims, self.pins, self.agenda, pool, OWN, lambda: calls_at_once or {}, now, token
        )
        self.masking = Masking(self.sessions, self.claims, self.pins, opener, self.agenda, retention, clock=now)

    def open(self, a: str = ADA, b: str = BOB, key: str | None = None, **more: Any) -> Any:
        lasts = more.pop("lasts", timedelta(days=3))
        return self.masking.open(Wanted(a, b, lasts, **more), key)[1]

    def tick(self) -> None:
        """What is due is done."""
        for _, item, key in self.agenda.due(self.time + self.ahead):
            self.masking.due(item)
            self.agenda.done(key)


def instance(**more: Any) -> Instance:
    return Instance(MemoryRows(), **more)


def unavailable() -> None:
    raise StoreUnavailable("down")


def crash() -> None:
    raise Crash


def assert_reachable(instance: Instance) -> None:
    """Each party of each open session is put through to the other on the number that they were given, by telephone
    and by PIN, and nobody is in two open sessions on one number."""
    seen: dict[tuple[str, str], str] = {}
    now = instance.time + instance.ahead
    for session in [found for one in instance.sessions.listed() if (found := settled(one, now)).state == "open"]:
        for side, party in session.parties:
            assert len(party.pin) == 6
            assert seen.setdefault((party.shows, party.number), session.id) == session.id
            assert seen.setdefault((party.shows, party.pin), session.id) == session.id
            way = instance.masking.look_up(party.shows, party.number)
            assert (way["state"], way["session"], way["side"]) == ("open", session.id, side)
            by_pin = instance.masking.look_up_pin(party.shows, party.pin, "a guess")
            assert (by_pin["session"], by_pin["side"]) == (session.id, side)
