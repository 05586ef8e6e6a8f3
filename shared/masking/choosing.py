"""Which of the app's numbers somebody gets, and how many would do. Pure."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from shared.errors import StateConflict
from shared.masking.session import Claim, Session, Standing


class PoolExhausted(StateConflict):
    """No number of the pool is left for somebody; the message says how many would do."""


@dataclass(frozen=True, slots=True)
class PoolNumber:
    """A number of the app that sessions may show.

    Attributes:
        concurrent_out: telephones that it may have on the line at once.
    """

    number: str
    country: str
    concurrent_out: int


class Held(NamedTuple):
    """The claim of somebody on a number, and what it is worth."""

    claim: Claim
    standing: Standing


def candidates(
    pool: Sequence[str],
    held: Mapping[str, Held],
    claim: Claim,
    *,
    sticky: bool,
    cool_off: timedelta,
    now: datetime,
    pairs: Collection[str] = (),
    seed: str = "",
) -> list[str]:
    """The numbers that a claim may take, the best first.

    A number with which somebody is in an open session is no candidate, nor is one that they had with somebody else
    until shortly ago: who calls it means the one of before. Sticky: the number that they had with the same person comes
    first, then the one that they had last. Otherwise those that they never had come first, then the oldest.

    Args:
        pool: all that there are.
        held: what the person has of them, or had.
        claim: of the session that asks.
        pairs: what else tells its two people: a claim that was made under another key has that.
        seed: spreads people who had none over the pool.
    """

    these_two = {claim.pair, *pairs}

    def may_take(number: str) -> bool:
        found = held.get(number)
        if found is None or found.standing.state == "never" or found.claim.mark == claim.mark:
            return True
        since = found.standing.since
        if found.standing.state != "closed" or since is None:
            return False
        return now - since >= cool_off or (sticky and found.claim.pair in these_two)

    def order(number: str) -> tuple[int, float, str]:
        found, chance = held.get(number), hashlib.sha256(f"{seed} {number}".encode()).hexdigest()
        if found is not None and found.claim.mark == claim.mark:
            return 0, 0.0, chance
        since = found.standing.since if found is not None else None
        if found is None or since is None:
            return 3, 0.0, chance
        if not sticky:
            return 4, since.timestamp(), chance
        return (1 if found.claim.pair in these_two else 2), -since.timestamp(), chance

    return sorted(filter(may_take, pool), key=order)


def exhausted(
    field: str, country: str, pool: Sequence[PoolNumber], held: Iterable[Held], calls_at_once: int
) -> PoolExhausted:
    """Why nobody gets a number, and how many numbers would do.

    Args:
        field: who asks, as in the request.
        held: what the person has of the pool, or had.
        calls_at_once: telephones that numbers of the pool have on the line now.
    """
    states = [one.standing.state for one in held]
    in_use, cooling = states.count("open") + states.count("claimed"), states.count("closed")
    would_do = size(in_use + cooling + 1, calls_at_once, min((one.concurrent_out for one in pool), default=2))
    of_country = f" of {country}" if country else ""
    return PoolExhausted(
        f"No number{of_country} is left for {field}. Numbers in the pool: {len(pool)}; open sessions of {field}: "
        f"{in_use}; numbers that {field} had until shortly ago: {cooling}; calls at once: {calls_at_once}. A pool of "
        f"{would_do} would do: add numbers to lines.yaml with `uses: [masking]` and `called_back: masking`."
    )


@dataclass(frozen=True, slots=True)
class PoolOfCountry:
    """The numbers of a country that sessions may show, and how many would do for what there is now.

    Attributes:
        most_of_one: numbers that one person has, or had until shortly ago, at most.
        calls_at_once: telephones that the numbers have on the line now.
    """

    country: str
    numbers: tuple[str, ...]
    sessions: int
    most_of_one: int
    calls_at_once: int
    would_do: int


def pools(
    pool: Sequence[PoolNumber],
    sessions: Iterable[Session],
    calls_at_once: Mapping[str, int],
    cool_off: timedelta,
    now: datetime,
) -> list[PoolOfCountry]:
    """The pool, country by country.

    Args:
        sessions: as they are now, open and closed.
    """
    opened, taken = Counter[str](), Counter[tuple[str, str]]()
    country_of = {one.number: one.country for one in pool}
    for session in sessions:
        if session.state != "open" and not _cools(session, cool_off, now):
            continue
        countries = {country_of[party.shows] for _, party in session.parties if party.shows in country_of}
        if session.state == "open":
            opened.update(countries)
        taken.update(
            (country_of[party.shows], party.number)
            for _, party in session.parties
            if party.shows in country_of and party.number
        )
    found = []
    for country in sorted({one.country for one in pool}):
        numbers = [one for one in pool if one.country == country]
        most = max((count for (where, _), count in taken.items() if where == country), default=0)
        calls = sum(calls_at_once.get(one.number, 0) for one in numbers)
        would_do = max(1, size(most, calls, min(one.concurrent_out for one in numbers)))
        found.append(
            PoolOfCountry(country, tuple(one.number for one in numbers), opened[country], most, calls, would_do)
        )
    return found


def _cools(session: Session, cool_off: timedelta, now: datetime) -> bool:
    return session.closed_at is not None and session.reason != "abandoned" and now - session.closed_at < cool_off


def size(sessions_of_one: int, calls_at_once: int, concurrent_out: int) -> int:
    """How many numbers a pool needs: one for each session that one person has at once, and enough for the calls."""
    return max(sessions_of_one, -(-calls_at_once // concurrent_out))
