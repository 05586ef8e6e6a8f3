"""Sessions in rows: one row for each decides alone what the session is.

Table `sessions`: partition `s<id>`, rows `0` (the session), `call` (the call that goes on in it) and `i…` (its calls,
finished); partition `k<hash>`, row `key`: which session an idempotency key has made. Ids are in the order of their
time, the newest first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from shared.masking.session import Session, Side, settled
from shared.rows import Rows

SESSIONS = "sessions"
HEAD, CALL, KEY = "0", "call", "key"
OF_CALLS = "i"
"""How the rows of finished calls begin."""
LATEST = 2**44 - 1
"""Milliseconds that ids count down from."""

Change = Callable[[Session], Session]
Outcome = Literal[
    "connected",
    "no_answer",
    "busy",
    "declined",
    "unreachable",
    "not_accepted",
    "joined",
    "caller_left",
    "no_line",
    "closed",
    "failed",
]
"""How a call in a session ended. `joined`: it went on in the other's call, who called at the same moment. `no_line`:
no slot of the app's number was free. `closed`: somebody called after the session."""


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Interaction(_Model):
    """A finished call in a session. No number of anybody is in it.

    Attributes:
        by: who called.
        seconds: that the two talked.
        by_pin: they called from another telephone, or withheld their number.
    """

    call_id: str
    by: Side
    at: datetime
    outcome: Outcome
    seconds: int = 0
    recorded: bool = False
    by_pin: bool = False


class OngoingCall(_Model):
    """The newest call that goes on in a session.

    Attributes:
        connection_id: the service's, by which others are moved out of it.
        caller: raw id of who called.
        answered: both are on the line.
        took: the caller of the other's call, whom this one has taken over, and the connection of that call.
        ended: it is over, and only kept because the call that it took over may be told of later.
    """

    call_id: str
    connection_id: str
    side: str
    caller: str
    answered: bool = False
    took: tuple[str, str] | None = None
    ended: bool = False

    @property
    def callers(self) -> tuple[str, ...]:
        """The raw ids in it."""
        return (self.caller, self.took[0]) if self.took else (self.caller,)


class KeyRow(_Model):
    """What an idempotency key stands for."""

    session: str
    request: str


def new_id(now: datetime, tail: str) -> str:
    """An id for a session. Args: tail: random."""
    return f"{LATEST - int(now.timestamp() * 1000):011x}{tail}"


class Sessions:
    """Keeps sessions. Every method may raise StoreUnavailable."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def get(self, session_id: str) -> Session | None:
        """A session, as its row has it. One round trip."""
        text = self._rows.get(SESSIONS, f"s{session_id}", HEAD)
        return None if text is None else Session.model_validate_json(text)

    def make(self, session: Session) -> Session:
        """Write a session unless there is one of its id; what stands there then."""

        def make(text: str | None) -> str:
            return text or session.model_dump_json()

        return self._changed(session.id, make) or session

    def change(self, session_id: str, change: Change) -> Session | None:
        """Change a session as it is at that moment, and give what stands there then; None: there is none.

        Args:
            change: carried out on what it gave, it must change nothing.
        """

        def of_text(text: str | None) -> str | None:
            if text is None:
                return None
            before = Session.model_validate_json(text)
            after = change(before)
            return text if after == before else after.model_dump_json()

        return self._changed(session_id, of_text)

    def settle(self, session: Session, now: datetime) -> Session | None:
        """Write what time has made of a session. No round trip where that is nothing."""
        if settled(session, now) == session:
            return session
        return self.change(session.id, lambda found: settled(found, now))

    def listed(self, after: str = "") -> Iterable[Session]:
        """All, the newest first. One query for a thousand."""
        for row in self._rows.first(SESSIONS, f"s{after}{'!' if after else ''}", "t", before=f"{HEAD}!"):
            yield Session.model_validate_json(row.text)

    def by_key(self, key: str, row: KeyRow, instead_of: str = "") -> KeyRow:
        """What an idempotency key stands for: what is given, unless it stood for something before.

        Args:
            instead_of: a session that never was open, and whose key may be used again.
        """
        text = row.model_dump_json()

        def claim(found: str | None) -> str:
            taken = found is not None and (not instead_of or KeyRow.model_validate_json(found).session != instead_of)
            return found if found is not None and taken else text

        after = self._rows.change(SESSIONS, f"k{key}", {KEY: claim})[KEY][1]
        return KeyRow.model_validate_json(after or text)

    # Calls

    def ongoing(self, session_id: str) -> OngoingCall | None:
        """The newest call that goes on in a session."""
        text = self._rows.get(SESSIONS, f"s{session_id}", CALL)
        return None if text is None else OngoingCall.model_validate_json(text)

    def change_ongoing(
        self, session_id: str, change: Callable[[OngoingCall | None], OngoingCall | None]
    ) -> OngoingCall | None:
        """Change it; carried out on what it gave, the change must give that again."""

        def of_text(text: str | None) -> str | None:
            after = change(None if text is None else OngoingCall.model_validate_json(text))
            return None if after is None else after.model_dump_json()

        after = self._rows.change(SESSIONS, f"s{session_id}", {CALL: of_text})[CALL][1]
        return None if after is None else OngoingCall.model_validate_json(after)

    def note(self, session_id: str, interaction: Interaction) -> None:
        """Keep a finished call; it may be told again."""
        key = f"{OF_CALLS}{int(interaction.at.timestamp() * 1000):013d}.{interaction.call_id}"
        self._rows.put(SESSIONS, f"s{session_id}", {key: interaction.model_dump_json()})

    def interactions(self, session_id: str, after: str = "") -> Iterable[tuple[str, Interaction]]:
        """The finished calls of a session, the oldest first, each with its position."""
        since = f"s{session_id}"
        for row in self._rows.first(SESSIONS, since, f"{since}!"):
            if row.key.startswith(OF_CALLS) and row.key > after:
                yield row.key, Interaction.model_validate_json(row.text)

    def remove(self, session: Session) -> None:
        """Remove a session and all that lies with it; the session itself last."""
        since = f"s{session.id}"
        keys = [row.key for row in self._rows.first(SESSIONS, since, f"{since}!") if row.key != HEAD]
        if session.key:
            self._rows.put(SESSIONS, f"k{session.key}", {KEY: None})
        for at in range(0, len(keys), 100):
            self._rows.put(SESSIONS, since, dict.fromkeys(keys[at : at + 100]))
        self._rows.put(SESSIONS, since, {HEAD: None})

    def forget_key(self, session: Session) -> None:
        """Let an idempotency key stand for nothing any more."""
        if session.key:
            self._rows.put(SESSIONS, f"k{session.key}", {KEY: None})

    def _changed(self, session_id: str, change: Callable[[str | None], str | None]) -> Session | None:
        after = self._rows.change(SESSIONS, f"s{session_id}", {HEAD: change})[HEAD][1]
        return None if after is None else Session.model_validate_json(after)
