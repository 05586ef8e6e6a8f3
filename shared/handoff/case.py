"""A case: one caller who may be handed to the contact centre, what is known of them, and what came of it.

    open ──> handed_off
      ├────> left                     the caller rang off, or was served
      ├────> message ─────────┐
      └────> call_back ──┬────┴────> called_back
                         ├─────────> withdrawn      the caller does not want it any more
                         ├─────────> replaced       the caller has called again, and has another case
                         └─────────> not_reached ─> called_back

Every function is pure, and gives the same for the same event told twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict

from shared.errors import StateConflict
from shared.identifiers import key_of

State = Literal[
    "open", "handed_off", "left", "message", "call_back", "called_back", "withdrawn", "replaced", "not_reached"
]
WAITING: frozenset[State] = frozenset({"message", "call_back", "not_reached"})
"""Somebody of the contact centre should call these."""
REPLACING: frozenset[State] = frozenset({"handed_off", "message", "call_back", "called_back"})
"""In these a caller needs no call back that they asked for in an earlier call."""

NotTaken = Literal["closed", "not_answered", "not_set_up"]
"""Why the contact centre did not take a caller."""

DELAYS = (timedelta(minutes=5), timedelta(minutes=30))
"""How long after a call back that failed the next one is due (our choice): there are as many and one."""
SHORTEST_MESSAGE = 2.0
"""Seconds; a shorter message is none (our choice): the caller rang off after the announcement."""
MOST_WORDS = 500
"""Characters kept of what a caller said (our choice)."""
MOST_HEADERS = 20
"""Headers kept of those that came with the call (our choice)."""

CUSTOMER_HEADER = "x-ms-custom-customer"
"""Whoever passes the call on, such as a session border controller, may know the customer's number already."""

_LAST_SECOND = 0xFFFFFFFF


class Attempt(BaseModel):
    """A call back.

    Attributes:
        call_id: Switchboard's id of the call.
        ended: how it ended, in a word; empty: not yet.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    call_id: str
    at: AwareDatetime
    ended: str = ""


class Case(BaseModel):
    """What is kept of a caller.

    Attributes:
        id: unguessable, see `new_id`.
        call_id: Switchboard's id of the call that came in.
        at: when it came in.
        caller: raw id.
        line: the raw id that was called.
        context: custom headers that came with the call.
        said: what it is about, in the caller's words.
        keyed: the customer's number, keyed or from a header.
        not_taken: why the contact centre did not take the caller, by the count of the try.
        recording_id: the service's id of the recording that the message is in.
        message_seconds: how long the message is; None: it has not ended.
        number: who is called back, E.164.
        people: keyed hashes of the caller and of who is called back, by which the call back is found.
        call_back_at: when the next call back is due; of one that failed for good, when the last one was.
        done_by: who says that the caller was called back.
        replaced_by: the case in whose place no call back is made.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    id: str
    call_id: str
    at: AwareDatetime
    caller: str
    line: str
    language: str = ""
    context: Mapping[str, str] = {}
    said: str = ""
    keyed: str = ""
    state: State = "open"
    not_taken: Mapping[str, NotTaken] = {}
    recording_id: str = ""
    message_at: AwareDatetime | None = None
    message_seconds: float | None = None
    number: str = ""
    people: tuple[str, ...] = ()
    call_back_at: AwareDatetime | None = None
    attempts: tuple[Attempt, ...] = ()
    done_at: AwareDatetime | None = None
    done_by: str = ""
    replaced_by: str = ""

    @property
    def call_ids(self) -> tuple[str, ...]:
        """All calls that belong to it."""
        return (self.call_id, *(one.call_id for one in self.attempts))

    def is_of(self, key: str) -> bool:
        """Whether it is about this person (`Identifier.key`)."""
        return key in map(key_of, (self.caller, self.number))


def new_id(at: datetime, random: bytes) -> str:
    """An id of 40 hexadecimal digits: 8 for the time, so that newer ones sort first, and 32 that nobody can guess.

    Args:
        random: 16 bytes.
    """
    return f"{_LAST_SECOND - int(at.timestamp()):08x}{random.hex()}"


def ids_before(at: datetime) -> str:
    """What all ids that are as old as this or older come after."""
    return f"{_LAST_SECOND - int(at.timestamp()):08x}"


def made_at(case_id: str) -> datetime:
    """When an id was made, to the second; ValueError if it is none."""
    return datetime.fromtimestamp(_LAST_SECOND - int(case_id[:8], 16), UTC)


def begun(
    case_id: str, call_id: str, at: datetime, *, caller: str, line: str, language: str, context: Mapping[str, str]
) -> Case:
    """The case of a call that has come in."""
    kept = dict(list(context.items())[:MOST_HEADERS])
    known = next((value for name, value in kept.items() if name.lower() == CUSTOMER_HEADER), "")
    return Case(
        id=case_id,
        call_id=call_id,
        at=at,
        caller=caller,
        line=line,
        language=language,
        context=kept,
        keyed=known[:MOST_WORDS],
    )


# What happens in the call that came in


def told(case: Case, said: str, keyed: str, language: str) -> Case:
    """The caller has said and keyed this; empty: nothing new."""
    return case.model_copy(
        update={"said": said[:MOST_WORDS] or case.said, "keyed": keyed[:MOST_WORDS] or case.keyed, "language": language}
    )


def not_taken(case: Case, count: int, why: NotTaken) -> Case:
    """The contact centre did not take the caller."""
    if str(count) in case.not_taken:
        return case
    return case.model_copy(update={"not_taken": {**case.not_taken, str(count): why}})


def message_begins(case: Case, recording_id: str, at: datetime) -> Case:
    """The caller leaves a message."""
    if case.state != "open":
        return case
    return case.model_copy(update={"state": "message", "recording_id": recording_id, "message_at": at})


def message_ends(case: Case, at: datetime) -> Case:
    """The message is over; one of no length is none."""
    if case.state != "message" or case.message_at is None or case.message_seconds is not None:
        return case
    seconds = max(0.0, round((at - case.message_at).total_seconds(), 1))
    return case.model_copy(
        update={"state": "message" if seconds >= SHORTEST_MESSAGE else "left", "message_seconds": seconds}
    )


def wants_call_back(case: Case, number: str, at: datetime) -> Case:
    """The caller asks to be called back at a time."""
    if case.state not in ("open", "call_back") or case.attempts:
        return case
    return case.model_copy(update={"state": "call_back", "number": number, "call_back_at": at})


def call_ends(case: Case, outcome: str, at: datetime) -> Case:
    """The call that came in is over."""
    if case.state == "open":
        return case.model_copy(update={"state": "handed_off" if outcome == "transferred" else "left"})
    return message_ends(case, at)


# Calling back


def postponed(case: Case, at: datetime) -> Case:
    """The contact centre is closed when the call back is due."""
    return case.model_copy(update={"call_back_at": at}) if case.state == "call_back" else case


def given_up(case: Case) -> Case:
    """There will be no call back by the app."""
    return case.model_copy(update={"state": "not_reached"}) if case.state == "call_back" else case


def calls_back(case: Case, call_id: str, at: datetime) -> Case:
    """A call back is placed."""
    if case.state != "call_back" or any(one.call_id == call_id for one in case.attempts):
        return case
    return case.model_copy(update={"attempts": (*case.attempts, Attempt(call_id=call_id, at=at))})


def withdrawn(case: Case, at: datetime) -> Case:
    """The caller does not want to be called any more."""
    return case.model_copy(update={"state": "withdrawn", "done_at": at}) if case.state == "call_back" else case


def known_by(case: Case, people: tuple[str, ...]) -> Case:
    """The call back is found by these hashes."""
    return case.model_copy(update={"people": people}) if case.state == "call_back" and not case.people else case


def replaced(case: Case, newer: Case, at: datetime) -> Case:
    """The caller has called again, and needs no call back for this case."""
    if case.state != "call_back" or newer.state not in REPLACING or case.id == newer.id or newer.at < case.at:
        return case
    return case.model_copy(update={"state": "replaced", "done_at": at, "replaced_by": newer.id})


def call_back_ends(case: Case, call_id: str, outcome: str, next_at: datetime | None) -> Case:
    """A call back is over.

    Args:
        outcome: `transferred`: the contact centre has the caller.
        next_at: when the next one would be due; None: never.
    """
    found = next((one for one in case.attempts if one.call_id == call_id), None)
    if found is None or found.ended:
        return case
    attempts = tuple(
        one.model_copy(update={"ended": outcome}) if one.call_id == call_id else one for one in case.attempts
    )
    case = case.model_copy(update={"attempts": attempts})
    if case.state != "call_back":
        return case
    if outcome == "transferred":
        return case.model_copy(update={"state": "called_back", "done_at": found.at, "done_by": "switchboard"})
    if len(attempts) > len(DELAYS) or next_at is None:
        return given_up(case)
    return postponed(case, next_at)


def called_back(case: Case, by: str, at: datetime) -> Case:
    """Somebody has called the caller. StateConflict where nobody waits for a call."""
    if case.state == "called_back":
        return case
    if case.state not in WAITING:
        raise StateConflict(f"Nobody waits for a call: the case is {case.state!r}. Only these do: {_LIST}.")
    return case.model_copy(update={"state": "called_back", "done_at": at, "done_by": by})


_LIST = ", ".join(sorted(WAITING))
