"""PINs: how somebody is known who calls from another telephone, or withholds their number."""

from __future__ import annotations

import json
from datetime import datetime

from shared.errors import StoreUnavailable
from shared.masking.claims import Claims, Found, Wish
from shared.masking.session import Claim, Party, pin_of
from shared.masking.sessions import SESSIONS
from shared.rows import Rows

TRIES = 50
"""PINs that are tried for a party until one is free: of a million, few are taken."""
MOST_WRONG = 30
"""Wrong PINs that a number of the app takes in an hour (our choice): after that none is asked for until the next."""
GUESSES = "guesses"


class Pins:
    """Gives PINs and looks them up. A PIN is a person to `Claims`.

    Args:
        rows: has the wrong ones of the hour for each number of the app.
    """

    def __init__(self, rows: Rows, claims: Claims) -> None:
        self._rows = rows
        self._claims = claims

    def take(self, number: str, claim: Claim, now: datetime) -> str:
        """A PIN for a party on a number; the same again for the same claim."""
        for attempt in range(TRIES):
            pin = pin_of(claim.mark, attempt)
            if self._claims.take(person(pin), Wish(claim, [number], sticky=False), now).number:
                return pin
        raise StoreUnavailable("no PIN is free")

    def look_up(self, number: str, pin: str, now: datetime) -> Found | None:
        """The open session that a PIN means on a number."""
        found = self._claims.look_up(person(pin), number, now)
        if found is None or found.state != "open" or found.side is None:
            return None
        return found if found.session.party(found.side).pin == pin else None

    def may_guess(self, number: str, now: datetime) -> bool:
        """Whether a number still takes PINs in this hour."""
        return len(_guesses(self._rows.get(SESSIONS, f"p{number}", GUESSES), now)) < MOST_WRONG

    def wrong(self, number: str, guess: str, now: datetime) -> None:
        """Count a wrong PIN. Args: guess: tells it from others; the same again counts once."""

        def count(text: str | None) -> str:
            made = _guesses(text, now)
            made = made if guess in made else [*made, guess][:MOST_WRONG]
            return json.dumps({"hour": _hour(now), "made": made})

        self._rows.change(SESSIONS, f"p{number}", {GUESSES: count})


def person(pin: str) -> str:
    """A PIN, as Claims knows people."""
    return f"pin:{pin}"


def known_as(party: Party) -> tuple[str, str]:
    """The person and the PIN by which Claims knows a party. Where its opening broke off, its likely PIN."""
    return party.number, person(party.pin or pin_of(party.mark, 0))


def _hour(now: datetime) -> int:
    return int(now.timestamp() // 3600)


def _guesses(text: str | None, now: datetime) -> list[str]:
    found = json.loads(text) if text else {}
    return list(found["made"]) if found.get("hour") == _hour(now) else []
