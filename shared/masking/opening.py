"""Opening a session, and replacing one of its parties: what takes several writes, and a crash after each of them.

    the row of the session, `opening` → an entry of the agenda → a claim for each number and PIN → the row, `open`

Until the last write nobody is put through. Sent again with the same idempotency key, it goes on where it was; after two
minutes without, whoever wants the same numbers gives it up by a write to its row, and the last write then fails.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import chain
from typing import NamedTuple

from shared.errors import InvalidInput, KeyReused, StateConflict, StoreUnavailable
from shared.masking.choosing import PoolNumber, PoolOfCountry, exhausted, pools
from shared.masking.claims import Claims, Wish
from shared.masking.people import country_of, read_person
from shared.masking.pins import Pins, known_as
from shared.masking.session import (
    Claim,
    Party,
    Pending,
    Screen,
    Session,
    Side,
    check_label,
    closed,
    needs_open,
    opened,
    other,
    replaced,
    replacing,
    settled,
)
from shared.masking.sessions import KeyRow, Sessions, new_id
from shared.use_cases.base import Agenda

USE = "masking"
TRIES = 3
"""How often an opening begins anew that was given up meanwhile (our choice)."""


class Wanted(NamedTuple):
    """A session, as it is asked for; what each is stands at `Session`.

    Attributes:
        a, b: their numbers.
        lasts: until it expires.
        language_a, language_b: in which the app talks to each; empty: its own.
    """

    a: str
    b: str
    lasts: timedelta
    label: str = ""
    language_a: str = ""
    language_b: str = ""
    country: str = ""
    sticky: bool = True
    record: bool = False
    screen: Screen = "whisper"


class Opener:
    """Opens sessions and brings parties in.

    Args:
        pool: the numbers that sessions may show.
        own: all numbers of the app.
        calls_at_once: telephones on the line now, by number of the app.
        token: gives random hexadecimal digits, as many as it is told.
    """

    def __init__(
        self,
        sessions: Sessions,
        claims: Claims,
        pins: Pins,
        agenda: Agenda,
        pool: Sequence[PoolNumber],
        own: Collection[str],
        calls_at_once: Callable[[], Mapping[str, int]],
        clock: Callable[[], datetime],
        token: Callable[[int], str],
    ) -> None:
        self._sessions = sessions
        self._claims = claims
        self._pins = pins
        self._agenda = agenda
        self._pool = pool
        self._own = own
        self._calls_at_once = calls_at_once
        self._clock = clock
        self._token = token

    def pools(self, sessions: Iterable[Session], cool_off: timedelta) -> list[PoolOfCountry]:
        """The pool, country by country. Args: sessions: as they are now."""
        return pools(self._pool, sessions, self._calls_at_once(), cool_off, self._clock())

    def open(self, wanted: Wanted, key: str | None) -> tuple[bool, Session]:
        """Open a session, or give the one that this key has opened; whether it is new.

        Raises InvalidInput, KeyReused, PoolExhausted.
        """
        wanted = self._checked(wanted)
        request = hashlib.sha256(repr(wanted).encode()).hexdigest()
        given_up = ""
        for _ in range(TRIES):
            now = self._clock()
            session = self._new(wanted, now, hashlib.sha256(key.encode()).hexdigest() if key else "")
            if key:
                row = self._sessions.by_key(session.key, KeyRow(session=session.id, request=request), given_up)
                if row.request != request:
                    raise KeyReused
                session = session.model_copy(update={"id": row.session})
            self._agenda.put(USE, session.id, session.expires_at)
            session = self._sessions.make(session)
            session = self._sessions.settle(session, now) or session
            if session.state == "opening":
                session = self._finish(session, now)
                if session.state == "open":
                    return True, session
            elif session.reason != "abandoned":
                return False, session
            given_up = session.id
        raise StoreUnavailable("the session was given up while it was being opened")

    def replace(self, session_id: str, side: Side, number: str, language: str) -> Session:
        """Bring somebody else in on a side. InvalidInput, PoolExhausted, StateConflict."""
        now = self._clock()
        session = needs_open(self._sessions.get(session_id), now)
        field, across = side, session.party(other(side))
        number = read_person(number, field, self._own)
        if number == across.number:
            raise InvalidInput(field, "is the other one's number.", "A session is of two people.")
        check_label(session.label, {field: number})
        if session.party(side).number == number and session.pending is None:
            return session
        mark = self._token(16)
        party = Party(number=number, language=language, mark=mark)
        pending = Pending(side=side, party=party, at=now, people=self._known_by(party))
        changed = self._sessions.change(session_id, lambda found: replacing(needs_open(found, now), pending))
        coming = needs_open(changed, now).pending
        if changed is None or coming is None:
            raise StateConflict("The session changes at this moment; try again.")
        try:
            party = self._claimed(changed, coming.side, coming.party, coming.at, now)
        except StateConflict:
            self._sessions.change(session_id, lambda found: _without(found, coming.party.mark))
            raise
        before = self._known_by(changed.party(side))
        found = self._sessions.change(session_id, lambda one: replaced(settled(one, self._clock()), party, before, now))
        if found is None or found.party(side).mark != party.mark:
            raise StateConflict("The session was closed, or somebody else was brought in; look at it again.")
        return found

    def _known_by(self, party: Party) -> tuple[str, ...]:
        """The hashes under which a party may have claims."""
        return tuple(chain.from_iterable(map(self._claims.hashes, known_as(party))))

    def _checked(self, wanted: Wanted) -> Wanted:
        a, b = read_person(wanted.a, "a", self._own), read_person(wanted.b, "b", self._own)
        if a == b:
            raise InvalidInput("b", "is the number of a.", "A session is of two people.")
        check_label(wanted.label, {"a": a, "b": b})
        return wanted._replace(a=a, b=b)

    def _new(self, wanted: Wanted, now: datetime, key: str) -> Session:
        return Session(
            id=new_id(now, self._token(6)),
            key=key,
            created_at=now,
            expires_at=now + wanted.lasts,
            a=Party(number=wanted.a, language=wanted.language_a, mark=self._token(16)),
            b=Party(number=wanted.b, language=wanted.language_b, mark=self._token(16)),
            label=wanted.label,
            country=wanted.country,
            sticky=wanted.sticky,
            record=wanted.record,
            screen=wanted.screen,
        )

    def _finish(self, session: Session, now: datetime) -> Session:
        """Claim what a session needs, and open it; it may be given up meanwhile."""
        try:
            a = self._claimed(session, "a", session.a, session.created_at, now)
            b = self._claimed(session, "b", session.b, session.created_at, now)
        except StateConflict:
            found = self._sessions.change(session.id, lambda found: _given_up(found, now))
            if found is not None and found.state == "open":
                return found  # by another request with the same key
            self._sessions.forget_key(session)
            raise
        clock = self._clock
        return self._sessions.change(session.id, lambda found: opened(settled(found, clock()), a, b)) or session

    def _claimed(self, session: Session, side: Side, party: Party, at: datetime, now: datetime) -> Party:
        """A party with a number and a PIN."""
        both = zip(*map(self._claims.hashes, (party.number, session.party(other(side)).number)), strict=True)
        pairs = [hashlib.sha256(" ".join(sorted(two)).encode()).hexdigest() for two in both]
        claim = Claim(session=session.id, mark=party.mark, pair=pairs[0], at=at)
        country = session.country or country_of(party.number)
        pool = [one for one in self._pool if one.country == country]
        numbers = [one.number for one in pool]
        wish = Wish(claim, numbers, session.sticky, pairs, self._claims.hashes(party.number)[0])
        taken = self._claims.take(party.number, wish, now)
        if not taken.number:
            busy = self._calls_at_once()
            raise exhausted(side, country, pool, taken.held, sum(busy.get(one, 0) for one in numbers))
        pin = self._pins.take(taken.number, claim, now)
        return party.model_copy(update={"shows": taken.number, "pin": pin})


def _given_up(session: Session, now: datetime) -> Session:
    """A session that cannot be opened."""
    return closed(session, now, "abandoned") if session.state == "opening" else session


def _without(session: Session, mark: str) -> Session:
    """The session without a replacement that cannot be made."""
    if session.pending and session.pending.party.mark == mark:
        return session.model_copy(update={"pending": None})
    return session
