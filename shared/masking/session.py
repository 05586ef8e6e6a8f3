"""A session of two people who call each other by numbers of the app: what it is, and what may become of it. Pure.

A pair of a number of the app and a person belongs to a session by a claim. Who claims is not what counts: the row of
the session decides alone whether a claim holds, so that a claim that a crash left behind names nobody.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Literal, NamedTuple, get_args

from pydantic import BaseModel, ConfigDict

from shared.errors import InvalidInput, StateConflict

Side = Literal["a", "b"]
SIDES: tuple[Side, Side] = ("a", "b")
Screen = Literal["whisper", "key", "none"]
"""What somebody who is called hears before the other: a sentence, a question for a key, or nothing."""
SCREENS: tuple[Screen, ...] = get_args(Screen)
Reason = Literal["", "closed", "expired", "erased", "abandoned"]
"""Why a session is closed. `abandoned`: it never was open, because its opening was not finished."""

OPENING = timedelta(minutes=2)
"""How long the opening of a session, or the replacement of a party, may take: what is older was left by a crash (our
choice)."""
MOST_REPLACED = 20
"""How often parties of a session are replaced (our choice): each leaves a line in its row."""
PIN_DIGITS = 6
LABEL_CHARACTERS = 60
TELLING_DIGITS = 7
"""Last digits of a telephone number that tell it (our choice)."""

_LABEL = re.compile(r"[^\x00-\x1f\x7f<>]*")


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Party(_Model):
    """One of the two.

    Attributes:
        number: their real number, E.164; empty: it was erased.
        language: in which the app talks to them; empty: that of the app.
        mark: tells their claims from those of others, and of earlier tries.
        shows: the app's number that they call, and that they see when the other calls; empty: not chosen yet.
        pin: what they key in when they call from another telephone, or withhold their number.
    """

    number: str
    language: str = ""
    mark: str
    shows: str = ""
    pin: str = ""


class Former(_Model):
    """Somebody who was a party and is not any more.

    Attributes:
        people: hashes of their number and PIN, under each key that there was.
    """

    people: tuple[str, ...]
    shows: str
    mark: str
    at: datetime


class Pending(_Model):
    """A replacement that is under way.

    Attributes:
        people: hashes of who is brought in, and of their PIN, under each key that there is.
    """

    side: Side
    party: Party
    at: datetime
    people: tuple[str, ...] = ()


class Session(_Model):
    """A session, as its row holds it.

    Attributes:
        state: `opening`: its numbers are being claimed. It is closed for good.
        key: the row of its idempotency key; empty: there is none.
        country: whose numbers both get; empty: each those of their own.
        sticky: the same two get the numbers that they had.
        record: calls are recorded, which both are told.
        broken_off: `Pending.people` of replacements that were given up: they may have left claims.
    """

    id: str
    key: str = ""
    state: Literal["opening", "open", "closed"] = "opening"
    created_at: datetime
    expires_at: datetime
    closed_at: datetime | None = None
    reason: Reason = ""
    a: Party
    b: Party
    label: str = ""
    country: str = ""
    sticky: bool = True
    record: bool = False
    screen: Screen = "whisper"
    pending: Pending | None = None
    former: tuple[Former, ...] = ()
    broken_off: tuple[tuple[str, ...], ...] = ()

    def party(self, side: Side) -> Party:
        """The one on this side."""
        return self.a if side == "a" else self.b

    @property
    def parties(self) -> Iterator[tuple[Side, Party]]:
        """Both."""
        return ((side, self.party(side)) for side in SIDES)


class Claim(_Model):
    """Who claims a pair of a number of the app and a person, or a PIN.

    Attributes:
        pair: tells these two people from any others.
    """

    session: str
    mark: str
    pair: str
    at: datetime


class Standing(NamedTuple):
    """What a claim is worth.

    Attributes:
        state: `open`: it names an open session. `claimed`: one that is being opened, or into which somebody is being
            brought. `closed`: one that is over for this person. `never`: nothing came of it.
        since: of `closed`: when it was over.
    """

    state: Literal["open", "claimed", "closed", "never"]
    side: Side | None = None
    since: datetime | None = None


def other(side: Side) -> Side:
    """The side across."""
    return "b" if side == "a" else "a"


def standing(session: Session | None, claim: Claim, number: str, now: datetime) -> Standing:
    """What a claim of a session on a number of the app is worth.

    Args:
        session: the one that the claim names; None: there is none any more.
    """
    if session is None:
        return Standing("never")
    session = settled(session, now)
    for side, party in session.parties:
        if (party.mark, party.shows) == (claim.mark, number):
            if session.state == "open":
                return Standing("open", side)
            return Standing("closed", side, session.closed_at)
    for former in session.former:
        if (former.mark, former.shows) == (claim.mark, number):
            return Standing("closed", None, former.at)
    coming = [session.pending.party] if session.pending else [session.a, session.b]
    under_way = session.pending is not None or session.state == "opening"
    return Standing("claimed" if under_way and claim.mark in {party.mark for party in coming} else "never")


def settled(session: Session, now: datetime) -> Session:
    """The session, with what time has made of it: expired, or given up where a crash has left it."""
    if session.state == "opening" and now - session.created_at >= OPENING:
        return session.model_copy(update={"state": "closed", "reason": "abandoned", "closed_at": session.created_at})
    if session.state == "open" and now >= session.expires_at:
        session = _broken_off(session).model_copy(
            update={"state": "closed", "reason": "expired", "closed_at": session.expires_at}
        )
    if session.pending and now - session.pending.at >= OPENING:
        session = _broken_off(session)
    return session


def _broken_off(session: Session) -> Session:
    """The session without the replacement that is under way, if there is one."""
    if session.pending is None:
        return session
    return session.model_copy(
        update={"pending": None, "broken_off": (*session.broken_off, session.pending.people)}, deep=False
    )


def needs_open(session: Session | None, now: datetime) -> Session:
    """The session as it is now. StateConflict unless it is open."""
    session = None if session is None else settled(session, now)
    if session is None or session.state != "open":
        raise StateConflict("The session is closed; open a new one.")
    return session


def opened(session: Session, a: Party, b: Party) -> Session:
    """The session with the numbers that were claimed for it; unchanged where its opening was given up."""
    return session.model_copy(update={"state": "open", "a": a, "b": b}) if session.state == "opening" else session


def closed(session: Session, at: datetime, reason: Reason) -> Session:
    """The session, over; the first reason counts."""
    if session.state == "closed":
        return session
    why = "abandoned" if session.state == "opening" else reason
    return _broken_off(session).model_copy(update={"state": "closed", "reason": why, "closed_at": at})


def replacing(session: Session, pending: Pending) -> Session:
    """The session, which is about to get another party on a side. StateConflict while another one is brought in."""
    under_way = session.pending
    if under_way and (under_way.side, under_way.party.number) == (pending.side, pending.party.number):
        return session
    if under_way:
        raise StateConflict("Somebody else is being brought into the session; try again in two minutes.")
    if len(session.former) + len(session.broken_off) >= MOST_REPLACED:
        raise StateConflict(f"Parties were replaced {MOST_REPLACED} times; open a new session.")
    return session.model_copy(update={"pending": pending})


def replaced(session: Session, party: Party, people: tuple[str, ...], at: datetime) -> Session:
    """The session with the party that was being brought in; unchanged where that was given up.

    Args:
        people: hashes of who was there before.
    """
    coming = session.pending
    if session.state != "open" or coming is None or coming.party.mark != party.mark:
        return session
    before = session.party(coming.side)
    former = Former(people=people, shows=before.shows, mark=before.mark, at=at)
    return session.model_copy(
        update={coming.side: party, "pending": None, "former": (*session.former, former)}, deep=False
    )


def scrubbed(session: Session, number: str) -> Session:
    """The session without a number, and without what it was called: it may name somebody."""
    session = _broken_off(session)
    update: dict[str, object] = {"label": "", "key": ""}
    for side, party in session.parties:
        if party.number == number:
            update[side] = party.model_copy(update={"number": "", "pin": ""})
    return session.model_copy(update=update)


def pin_of(mark: str, attempt: int) -> str:
    """The PIN of a party: the same for the same mark, and not to be guessed without it."""
    digest = hashlib.sha256(f"{mark}.{attempt}".encode()).hexdigest()
    return f"{int(digest, 16) % 10**PIN_DIGITS:0{PIN_DIGITS}d}"


def check_label(label: str, numbers: Mapping[str, str]) -> None:
    """Pass a label that can be spoken to both. InvalidInput for one that tells a number.

    Args:
        numbers: of the parties, by their field.
    """
    if len(label) > LABEL_CHARACTERS or not _LABEL.fullmatch(label):
        remedy = f"Write at most {LABEL_CHARACTERS} characters, without < and >: both hear it."
        raise InvalidInput("label", "is too long or has other characters.", remedy)
    digits = "".join(str(unicodedata.digit(sign)) for sign in label if sign.isdigit())  # a voice reads out all of them
    for field, number in numbers.items():
        if number[-TELLING_DIGITS:] in digits:
            raise InvalidInput("label", f"has the number of {field}, and both hear it.", "Use an order number.")
