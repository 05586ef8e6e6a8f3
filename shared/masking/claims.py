"""Which session a number of the app means for whom: one row for each number and person, taken by conditional writes.

Table `pairs`: partition = hash of a person's number, or of a PIN; row `n<number of the app>` has the claim of a
session, row `s<id>` says that the person has to do with it. While two keys hash numbers, a claim stands under both, and
is taken under the older one first: instances that know that one alone see it too.

    take     read what the person has; of each claim there, the row of its session decides what it is worth. What is
             worth nothing is settled in that row first, by a conditional write, and only then replaced
    look up  read the claim, then its session: it names it if that is open and has this claim
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from shared.errors import StoreUnavailable
from shared.masking.choosing import Held, candidates
from shared.masking.session import Claim, Session, Side, standing
from shared.masking.sessions import Sessions
from shared.privacy import NumberHashes
from shared.rows import Row, Rows

PAIRS = "pairs"
TRIES = 20
"""How often a number is tried for somebody while others take theirs (our choice)."""


class Found(NamedTuple):
    """The session that a call means.

    Attributes:
        state: `closed`: it is over, or over for this person.
        side: of the person; None: they were one once.
    """

    state: Literal["open", "closed"]
    session: Session
    side: Side | None


class Wish(NamedTuple):
    """What a claim may take.

    Attributes:
        pool: numbers of the app.
        pairs: what tells its two people under each key.
        seed: spreads people over the pool.
    """

    claim: Claim
    pool: Sequence[str]
    sticky: bool = True
    pairs: Collection[str] = ()
    seed: str = ""


class Taken(NamedTuple):
    """What came of a wish. Attributes: number: empty: there is none; held: what the person has of the pool."""

    number: str
    held: Sequence[Held]


class Claims:
    """Takes pairs and looks them up. Every method may raise StoreUnavailable.

    Args:
        cool_off: how long nobody gets a number again that they had with somebody else.
    """

    def __init__(self, rows: Rows, sessions: Sessions, numbers: NumberHashes, cool_off: timedelta) -> None:
        self._rows = rows
        self._sessions = sessions
        self._numbers = numbers
        self.cool_off = cool_off

    def hashes(self, person: str) -> tuple[str, ...]:
        """Under what a person, or a PIN, may be kept: the current key's first."""
        return self._numbers.candidates(person)

    def look_up(self, person: str, number: str, now: datetime) -> Found | None:
        """The session that somebody means who calls a number. Two round trips."""
        over: Found | None = None
        for partition in self.hashes(person):
            text = self._rows.get(PAIRS, partition, f"n{number}")
            if text is None:
                continue
            claim = Claim.model_validate_json(text)
            session = self._sessions.get(claim.session)
            found = standing(session, claim, number, now)
            if session is not None and found.state == "open":
                return Found("open", session, found.side)
            if session is not None and found.state == "closed":
                over = over or Found("closed", session, found.side)
        return over

    def take(self, person: str, wish: Wish, now: datetime) -> Taken:
        """Take a number of the pool for somebody; again for the same claim gives the same."""
        for _ in range(TRIES):
            texts, held = self._held(person, wish.pool, now)
            order = candidates(
                wish.pool,
                held,
                wish.claim,
                sticky=wish.sticky,
                cool_off=self.cool_off,
                now=now,
                pairs=wish.pairs,
                seed=wish.seed,
            )
            if not order:
                return Taken("", [one for one in held.values() if one.standing.state != "never"])
            if self._write(person, order[0], wish.claim, texts):
                return Taken(order[0], list(held.values()))
        raise StoreUnavailable("others take the same numbers again and again")

    def of(self, person: str) -> list[tuple[str, str, str]]:
        """All rows of a person: partition, key and text."""
        return [
            (row.partition, row.key, row.text)
            for partition in self.hashes(person)
            for row in self._rows.first(PAIRS, partition, f"{partition}!")
        ]

    def release(self, rows: Sequence[tuple[str, str, str]]) -> None:
        """Remove rows as they were read; those that others have taken since stay."""
        for partition, key, text in rows:
            self._rows.change(PAIRS, partition, {key: _only(text, None)})

    def release_of(self, session_id: str, partitions: Iterable[str]) -> None:
        """Remove all that a session has claimed for people and PINs, given by their hashes."""
        for partition in dict.fromkeys(partitions):
            rows = list(self._rows.first(PAIRS, partition, f"{partition}!"))
            self.release([(one.partition, one.key, one.text) for one in rows if _session_of(one) == session_id])

    def _held(
        self, person: str, pool: Sequence[str], now: datetime
    ) -> tuple[dict[tuple[str, str], str], dict[str, Held]]:
        """What a person has of a pool: the texts of the rows, and what each is worth once it is settled."""
        texts: dict[tuple[str, str], str] = {}
        held: dict[str, Held] = {}
        for partition, key, text in self.of(person):
            number = key[1:]
            if key[0] != "n" or number not in pool:
                continue
            texts[partition, number] = text
            claim = Claim.model_validate_json(text)
            session = self._sessions.get(claim.session)
            if session is not None:
                session = self._sessions.settle(session, now)
            found = Held(claim, standing(session, claim, number, now))
            held[number] = max(held.get(number, found), found, key=_weight)
        return texts, held

    def _write(self, person: str, number: str, claim: Claim, texts: Mapping[tuple[str, str], str]) -> bool:
        """Whether the claim stands, under every key."""
        text, mark = claim.model_dump_json(), f"s{claim.session}"
        for partition in reversed(self.hashes(person)):
            wished = {f"n{number}": _only(texts.get((partition, number)), text), mark: _once}
            if self._rows.change(PAIRS, partition, wished)[f"n{number}"][1] != text:
                return False
        return True


def _only(before: str | None, after: str | None) -> Callable[[str | None], str | None]:
    """Put a text in the place of another; what somebody else has put there stays."""
    return lambda found: after if found == before else found


def _session_of(row: Row) -> str:
    return row.key[1:] if row.key[0] == "s" else Claim.model_validate_json(row.text).session


def _once(found: str | None) -> str:
    return found or "1"


def _weight(held: Held) -> tuple[int, float]:
    """What counts where a person is kept under two keys: what is in use, then what was over last."""
    state, _, since = held.standing
    return ("never", "closed", "claimed", "open").index(state), since.timestamp() if since else 0.0
