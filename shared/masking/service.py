"""Number masking, as its routes, its flow and the app use it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from itertools import chain, islice
from typing import Any, TypedDict, get_args

from shared.calls.record import CallRecord
from shared.errors import InvalidInput, NotFound, SettingsError
from shared.identifiers import Identifier
from shared.logs import logger
from shared.masking.choosing import PoolOfCountry
from shared.masking.claims import Claims, Found
from shared.masking.opening import USE, Opener, Wanted
from shared.masking.pins import Pins, known_as
from shared.masking.session import Session, Side, closed, needs_open, other, scrubbed, settled
from shared.masking.sessions import Interaction, OngoingCall, Outcome, Sessions
from shared.use_cases.base import Agenda, Erased, Task

log = logger("switchboard.masking")

MOST_SESSIONS = 5_000
"""Sessions that are looked at to tell how many numbers would do, the newest (our choice)."""


class Way(TypedDict):
    """Where a call goes, as the flow has it from `look_up`: JSON, because the journal keeps it.

    Attributes:
        state: `open`; `closed`: the session is over; `unknown`: the caller has none on this number.
        number: whom to call.
        shows: the app's number that they see.
        language, other_language: of the caller and of whom they call; empty: that of the app.
    """

    state: str
    session: str
    side: str
    number: str
    shows: str
    language: str
    other_language: str
    label: str
    screen: str
    record: bool


UNKNOWN = Way(
    state="unknown",
    session="",
    side="",
    number="",
    shows="",
    language="",
    other_language="",
    label="",
    screen="none",
    record=False,
)


class Masking:
    """The use case.

    Args:
        retention: how long a closed session is kept; None: for good.
        keeps_secrets: whether what is keyed in can be kept secret (SECRETS_KEY).
        can_open: whether there is a key to hash numbers with (NUMBER_HASH_KEY).
    """

    def __init__(
        self,
        sessions: Sessions,
        claims: Claims,
        pins: Pins,
        opener: Opener,
        agenda: Agenda,
        retention: timedelta | None,
        *,
        keeps_secrets: bool = False,
        can_open: bool = True,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._sessions = sessions
        self._claims = claims
        self._pins = pins
        self._opener = opener
        self._agenda = agenda
        self._retention = retention
        self._clock = clock
        self.keeps_secrets = keeps_secrets
        self._can_open = can_open

    # What the routes do

    def open(self, wanted: Wanted, key: str | None) -> tuple[bool, Session]:
        """Open a session; whether it is new. InvalidInput, KeyReused, PoolExhausted, SettingsError."""
        if not self._can_open:
            problem = "is missing: sessions are found by it; make one with: openssl rand -base64 32"
            raise SettingsError.of([("NUMBER_HASH_KEY", problem)])
        is_new, session = self._opener.open(wanted, key)
        log.info("session %s %s", session.id, "opened" if is_new else "was opened before")
        return is_new, session

    def get(self, session_id: str) -> Session:
        """A session as it is now. NotFound."""
        found = self._sessions.get(session_id)
        if found is None or found.reason == "abandoned":
            raise NotFound("session_id", f"{session_id[:40]!r} is not a session.", "GET /api/masking/sessions has all.")
        return settled(found, self._clock())

    def listed(self, after: str, state: str) -> Iterable[Session]:
        """Sessions after one of them, the newest first. Args: state: empty: open and closed ones."""
        now = self._clock()
        for found in self._sessions.listed(after):
            session = settled(found, now)
            if session.state != "opening" and session.reason != "abandoned" and state in ("", session.state):
                yield session

    def pools(self) -> tuple[list[PoolOfCountry], bool]:
        """The pool, country by country, by the newest sessions; whether those were all. Five queries at most."""
        now, rows = self._clock(), iter(self._sessions.listed())
        newest = [settled(found, now) for found in islice(rows, MOST_SESSIONS)]
        return self._opener.pools(newest, self._claims.cool_off), next(rows, None) is None

    def extend(self, session_id: str, lasts: timedelta) -> Session:
        """Have a session expire so much later than now. NotFound; StateConflict once it is closed."""
        self.get(session_id)
        now = self._clock()
        until = now + lasts

        def extended(found: Session) -> Session:
            return needs_open(found, now).model_copy(update={"expires_at": until})

        self._agenda.put(USE, session_id, until)
        return needs_open(self._sessions.change(session_id, extended), now)

    def replace(self, session_id: str, side: Side, number: str, language: str) -> Session:
        """Bring somebody else in on a side. NotFound, InvalidInput, PoolExhausted, StateConflict."""
        self.get(session_id)
        session = self._opener.replace(session_id, side, number, language)
        log.info("session %s has another %s", session_id, side)
        return session

    def close(self, session_id: str) -> Session:
        """Close a session: who calls hears so from now on. A call that goes on is not ended. NotFound."""
        self.get(session_id)
        now = self._clock()
        found = self._sessions.change(session_id, lambda found: closed(settled(found, now), now, "closed"))
        log.info("session %s closed", session_id)
        return found or self.get(session_id)

    def interactions(self, session_id: str, after: str) -> Iterable[tuple[str, Interaction]]:
        """The finished calls of a session, the oldest first, each with its position. NotFound."""
        self.get(session_id)
        return self._sessions.interactions(session_id, after)

    # What the flow does

    def look_up(self, number: str, caller: str) -> Way:
        """Whom somebody means who calls a number of the app. Args: caller: empty: withheld."""
        found = self._claims.look_up(caller, number, self._clock()) if caller else None
        return UNKNOWN if found is None else _way(found)

    def may_guess(self, number: str) -> bool:
        """Whether callers of a number are asked for a PIN: too many wrong ones came in this hour otherwise."""
        return self._pins.may_guess(number, self._clock())

    def look_up_pin(self, number: str, pin: str, guess: str) -> Way:
        """Whom somebody means by a PIN. Args: guess: an id of this try."""
        now = self._clock()
        found = self._pins.look_up(number, pin, now)
        if found is None:
            self._pins.wrong(number, guess, now)
            return UNKNOWN
        return _way(found)

    def begin(self, session_id: str, side: str, call_id: str, connection_id: str, caller: str) -> list[str]:
        """A call begins in a session.

        Returns:
            The raw id of the other one and the connection of their call, if they are calling at this moment and nobody
            has answered: they can be moved here. Otherwise nothing.
        """

        def begun(found: OngoingCall | None) -> OngoingCall:
            if found is not None and found.call_id == call_id:
                return found
            waits = found is not None and found.side != side and not (found.answered or found.ended)
            took = (found.caller, found.connection_id) if waits and found is not None else None
            return OngoingCall(call_id=call_id, connection_id=connection_id, side=side, caller=caller, took=took)

        ongoing = self._sessions.change_ongoing(session_id, begun)
        return list(ongoing.took) if ongoing is not None and ongoing.took is not None else []

    def answered(self, session_id: str, call_id: str) -> None:
        """Both are on the line."""

        def answered(found: OngoingCall | None) -> OngoingCall | None:
            mine = found is not None and found.call_id == call_id
            return found.model_copy(update={"answered": True}) if found is not None and mine else found

        self._sessions.change_ongoing(session_id, answered)

    # What the app does

    def work(self, task: Task) -> str:
        raise InvalidInput("message", f"{task.what[:40]!r} is no work of masking.", "Remove it.")

    def due(self, item: str) -> None:
        """Close a session that has expired, and remove one that was kept for long enough."""
        session, now = self._sessions.get(item), self._clock()
        if session is not None:
            session = self._sessions.settle(session, now)
        if session is None:
            return
        if session.closed_at is None:
            self._look_again(session, session.expires_at, now)
        elif session.reason == "abandoned" or (
            self._retention is not None and now >= session.closed_at + self._retention
        ):
            self._remove(session)
        elif self._retention is not None:
            self._look_again(session, session.closed_at + self._retention, now)

    def closing(self, record: CallRecord) -> None:
        """Keep how a call in a session went."""
        details = record.details
        session_id, by = str(details.get("session") or ""), details.get("by")
        if not session_id or by not in ("a", "b") or self._sessions.get(session_id) is None:
            return
        ongoing = self._sessions.ongoing(session_id)
        outcome = record.result if record.result in get_args(Outcome) else "failed"
        if ongoing is not None and ongoing.took and ongoing.took[1] == record.call_connection_id:
            outcome = "joined"
        talked = record.ended_at - int(details.get("connected_at") or record.ended_at)
        interaction = Interaction.model_validate(
            {
                "call_id": record.call_id,
                "by": by,
                "at": datetime.fromtimestamp(record.started_at / 1000, UTC),
                "outcome": outcome,
                "seconds": max(0, round(talked / 1000)) if outcome == "connected" else 0,
                "recorded": bool(record.recording_ids),
                "by_pin": bool(details.get("by_pin")),
            }
        )
        self._sessions.note(session_id, interaction)
        self._sessions.change_ongoing(session_id, lambda found: _without(found, record.call_id))

    def may_place(self, record: CallRecord) -> bool:
        return True

    def export(self, number: Identifier) -> Mapping[str, Any]:
        phone = number.phone_number or number.raw_id
        sessions = [self._exported(session, phone) for session in self._sessions_of(phone)]
        return {"sessions": sessions} if sessions else {}

    def erase(self, number: Identifier) -> Erased:
        """Close the sessions of a person, and forget their number and what the sessions were called."""
        phone, now = number.phone_number or number.raw_id, self._clock()
        rows = self._claims.of(phone)
        sessions = self._sessions_of(phone)
        for session in sessions:
            self._sessions.change(session.id, lambda found: closed(settled(found, now), now, "erased"))
            self._sessions.forget_key(session)
            pins = [known_as(party)[1] for _, party in session.parties if party.number == phone]
            self._claims.release_of(session.id, chain.from_iterable(map(self._claims.hashes, pins)))
            self._sessions.change_ongoing(session.id, lambda found: _unless_by(found, phone))
            self._sessions.change(session.id, lambda found: scrubbed(found, phone))
        self._claims.release(rows)
        return Erased(len(rows))

    def expire(self, now: datetime) -> int:
        """Nothing: each session has its own entry of the agenda."""
        return 0

    def _sessions_of(self, phone: str) -> list[Session]:
        ids = dict.fromkeys(key[1:] for _, key, _ in self._claims.of(phone) if key[0] == "s")
        return [session for one in ids if (session := self._sessions.get(one)) is not None]

    def _exported(self, session: Session, phone: str) -> dict[str, Any]:
        calls = [found.model_dump(mode="json") for _, found in self._sessions.interactions(session.id)]
        sides = [(side, party) for side, party in session.parties if party.number == phone]
        side, party = sides[0] if sides else (None, None)
        return {
            "id": session.id,
            "side": side,
            "label": session.label,
            "number_shown": party.shows if party else "",
            "created_at": session.created_at.isoformat(),
            "expires_at": session.expires_at.isoformat(),
            "closed_at": session.closed_at.isoformat() if session.closed_at else None,
            "calls": calls,
        }

    def _look_again(self, session: Session, at: datetime, now: datetime) -> None:
        """Never in the minute that is being looked at: that entry goes when this is done."""
        self._agenda.put(USE, session.id, max(at, now + timedelta(minutes=1)))

    def _remove(self, session: Session) -> None:
        known = chain.from_iterable(known_as(party) for _, party in session.parties)
        partitions = chain.from_iterable(map(self._claims.hashes, known))
        former = chain.from_iterable(was.people for was in session.former)
        broken_off = chain.from_iterable(session.broken_off)
        self._claims.release_of(session.id, [*partitions, *former, *broken_off])
        self._sessions.remove(session)
        log.info("session %s removed", session.id)


def _way(found: Found) -> Way:
    session, side = found.session, found.side
    if found.state != "open" or side is None:
        return {**UNKNOWN, "state": "closed", "session": session.id, "side": side or ""}
    mine, theirs = session.party(side), session.party(other(side))
    return Way(
        state="open",
        session=session.id,
        side=side,
        number=theirs.number,
        shows=theirs.shows,
        language=mine.language,
        other_language=theirs.language,
        label=session.label,
        screen=session.screen,
        record=session.record,
    )


def _without(found: OngoingCall | None, call_id: str) -> OngoingCall | None:
    if found is None or found.call_id != call_id:
        return found
    return found.model_copy(update={"ended": True}) if found.took else None


def _unless_by(found: OngoingCall | None, phone: str) -> OngoingCall | None:
    return (
        None if found is not None and phone in {Identifier(raw_id=one).phone_number for one in found.callers} else found
    )
