"""What is known of a call at a glance: the columns of its head row."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from shared.identifiers import Identifier, key_of

MARKS = 8
"""Marks that a head keeps: more than the writes that others can make while one client repeats a request."""
MAX_EARLIER = 40
"""Ids of earlier attempts that a head keeps, the newest: those of some ten attempts (our choice)."""
MAX_RECORDINGS = 100
"""Recordings that a head names, the newest; older ones have their row in the index (our choice)."""

MAX_OTHERS = 40
"""Further people that a head names, the newest (our choice); rows of the index that stand already stay."""

Status = Literal["waiting", "ringing", "connecting", "connected", "ended"]
"""Where a call is. `waiting`: its flow has not placed it yet, or may place it again after an attempt that failed."""


@dataclass(slots=True)
class CallRecord:
    """The head of a call, kept up to date by its session and stored with every commit.

    Times are Unix time in milliseconds; 0: not yet.

    Attributes:
        outcome: how it ended, in one word: `completed`, `caller_left`, `hung_up` (over the HTTP API), `transferred`,
            `failed`, `rejected`, `redirected`, `settled`, or the outcome of a sub-code (`busy`, `declined`, …) for a
            call that never connected.
        result: what the flow says came of the call (`confirmed`); empty: it has said nothing.
        details: what the flow adds to that.
        failure: of a flow that failed: `error`, and where they are known `where`, `line` and `remedy`.
        recording: `active` or `inactive`, as of the newest RecordingStateChanged; empty: never started, or
            `refused` where the service would not record.
        recording_ids: the service's ids of the recordings of this call, the oldest first.
        attempts: how often the flow has placed the call; 0 where it is not the flow that places it.
        placed_at: when it did so last.
        earlier: ids and callees of earlier attempts, by which the call is still found: `connection_id …`.
        others: raw ids of further people: whom the app has called, added or transferred to, and phones that took part.
            By their numbers, too, the call is found.
        indexed: the rows of the index that stand, by their marks (shared.calls.store.index).
        unconfirmed: operations of which nothing shows yet that they left the app.
        written_at: when the head was written last, by the clock of the storage where it was loaded; no column.
        wake_at: when the flow's next sleep is over; 0: it does not sleep.
        ring: the IncomingCall's context while the call rings: what answer, reject and redirect need.
        ring_id: tells one ringing from the next, when the same callee is rung again in one conversation.
        secrets: the wrapped data key of what is secret on this call, or that it is destroyed; empty: there was none
            (shared.calls.sealing).
        marks: the marks of the newest writes, newest last. A writer whose response was lost finds its mark here and
            so knows its own write from that of another instance.
    """

    call_id: str
    flow: str = ""
    status: Status = "ringing"
    direction: Literal["inbound", "outbound"] = "inbound"
    caller: str = ""
    callee: str = ""
    correlation_id: str = ""
    server_call_id: str = ""
    call_connection_id: str = ""
    started_at: int = 0
    connected_at: int = 0
    ended_at: int = 0
    updated_at: int = 0
    outcome: str = ""
    code: int = 0
    sub_code: int = 0
    result: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)
    failure: Mapping[str, str] = field(default_factory=dict)
    entries: int = 0
    recording: str = ""
    recording_ids: tuple[str, ...] = ()
    attempts: int = 0
    placed_at: int = 0
    earlier: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    indexed: tuple[str, ...] = ()
    unconfirmed: list[int] = field(default_factory=list)
    wake_at: int = 0
    written_at: int = field(default=0, compare=False)
    ring: str = ""
    ring_id: str = ""
    marks: list[str] = field(default_factory=list)
    secrets: str = ""

    def mark(self) -> str:
        """A new mark for the write that is about to be made."""
        mark = secrets.token_hex(4)
        self.marks = [*self.marks, mark][-MARKS:]
        return mark

    def fill_in(self, other: CallRecord) -> None:
        """Take over ids that only this instance knows, from a response, and another one has written without."""
        if other.attempts != self.attempts:
            return  # they are those of an earlier attempt
        self.call_connection_id = self.call_connection_id or other.call_connection_id
        self.server_call_id = self.server_call_id or other.server_call_id
        self.correlation_id = self.correlation_id or other.correlation_id

    def place(self, at: int, callee: str) -> None:
        """The flow places the call, perhaps again: the new attempt gets ids of its own."""
        earlier = {
            "connection_id": self.call_connection_id,
            "server_call_id": self.server_call_id,
            "correlation_id": self.correlation_id,
            "number": "" if self.callee == callee else self.callee,
        }
        found = [f"{name} {value}" for name, value in earlier.items() if value]
        self.earlier = (*self.earlier, *(one for one in found if one not in self.earlier))[-MAX_EARLIER:]
        self.call_connection_id = self.server_call_id = self.correlation_id = ""
        self.status, self.placed_at, self.attempts = "connecting", at, self.attempts + 1

    def recorded_as(self, recording_id: str | None) -> None:
        """A recording of this call has this id."""
        if recording_id and recording_id not in self.recording_ids:
            self.recording_ids = (*self.recording_ids, recording_id)[-MAX_RECORDINGS:]

    def meet(self, *people: Identifier | None) -> None:
        """These have to do with the call, too."""
        for one in people:
            if one is not None and one.key not in map(key_of, (self.caller, self.callee, *self.others)):
                self.others = (*self.others, one.raw_id)[-MAX_OTHERS:]

    def holds(self, mark: str, *, newest: bool = False) -> bool:
        """Whether the write with this mark was carried out, as a stored head tells; `newest`: and none after it."""
        return mark in (self.marks[-1:] if newest else self.marks)
