"""The hand-off as flows and routes use it: cases, the contact centre's number and hours, and calls back."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from shared.calls import actions
from shared.calls.brakes import Braked
from shared.calls.record import CallRecord
from shared.errors import InvalidInput, StoreUnavailable
from shared.handoff import case as rules
from shared.handoff import moments
from shared.handoff.case import Case
from shared.handoff.cases import Cases
from shared.identifiers import Identifier, key_of
from shared.lines.calendars import Calendar
from shared.logs import logger
from shared.privacy import NumberHashes
from shared.use_cases.base import Agenda, Erased, Task

log = logger("switchboard.handoff")

USE = "handoff"
CALL_BACK = "handoff-call-back"
"""The flow that calls somebody back."""
LOST = timedelta(hours=6)
"""When a call back whose end nobody has told is taken for over (our choice): calls end after four hours by default."""


class Desk(NamedTuple):
    """The contact centre.

    Attributes:
        number: of it, as flows dial it; empty: none is set.
        calendar: the hours, by the storage; None: it is always open. StoreUnavailable.
        zone: of its wall clock where there is no calendar.
    """

    number: str
    calendar: Callable[[], Calendar | None]
    zone: ZoneInfo


class Handoff:
    """The use case.

    Args:
        place: starts a flow by its name, input and idempotency key; the id of its call.
        check: passes an action that no brake forbids; Braked otherwise.
        days: for which cases are kept; 0: for ever.
        hashes: by which a caller is known who calls again; None: nobody is.
        own: numbers of the app, at which nobody is called back.
        random: 16 bytes that nobody can guess.
    """

    def __init__(
        self,
        cases: Cases,
        agenda: Agenda,
        desk: Desk,
        *,
        place: Callable[[str, Mapping[str, Any], str], str],
        check: Callable[[actions.Action], None],
        days: int,
        hashes: NumberHashes | None = None,
        own: Collection[str] = (),
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        random: Callable[[], bytes] = lambda: secrets.token_bytes(16),
    ) -> None:
        self.cases = cases
        self._agenda = agenda
        self._desk = desk
        self._place = place
        self._check = check
        self._days = days
        self._hashes = hashes
        self._own = own
        self._clock = clock
        self._random = random
        self._read_last: Calendar | None = None

    # For the flow of a call that came in. What these give is JSON, and each may be asked twice.

    def begin(self, call_id: str, caller: str, line: str, language: str, context: Mapping[str, str]) -> dict[str, str]:
        """Make the case of a call: its id, the customer's number if it came with the call, and whether anybody can be
        called back under the number that was called (`calls_back`; empty: nobody)."""
        now = self._clock()
        case_id = self.cases.claim(call_id, rules.new_id(now, self._random()))
        made = rules.begun(case_id, call_id, now, caller=caller, line=line, language=language, context=context)
        self.cases.put_new(made)
        can = self._desk.number and line and Identifier(raw_id=line).phone_number
        return {"case": case_id, "customer": made.keyed, "calls_back": "yes" if can else ""}

    def tell(self, case_id: str, said: str, keyed: str, language: str) -> None:
        """Keep what the caller has said and keyed; empty: nothing new."""
        self.cases.change(case_id, lambda case: rules.told(case, said, keyed, language))

    def way(self) -> dict[str, str]:
        """Whether the contact centre takes callers: its number, or `why` not, and the `day` and `time` when it opens.
        One round trip."""
        if not self._desk.number:
            return {"why": "not_set_up"}
        now, calendar = self._clock(), self._calendar()
        at = moments.opening(now, calendar)
        if at == now:
            return {"to": self._desk.number}
        if at is None:
            return {"why": "closed"}
        return {"why": "closed", **self._spoken(at, calendar)}

    def not_taken(self, case_id: str, count: int, why: rules.NotTaken) -> None:
        """The contact centre did not take the caller, for the so-manieth time."""
        self.cases.change(case_id, lambda case: rules.not_taken(case, count, why))

    def message_begins(self, case_id: str, recording_id: str) -> None:
        """The caller leaves a message in this recording."""
        now = self._clock()
        self.cases.change(case_id, lambda case: rules.message_begins(case, recording_id, now))

    def message_ends(self, case_id: str) -> None:
        """The message is over."""
        now = self._clock()
        self.cases.change(case_id, lambda case: rules.message_ends(case, now))

    def can_call(self, number: str, line: str) -> bool:
        """Whether this number can be called back under the one that was called. No round trip."""
        if not self._desk.number:
            return False
        try:
            called, caller_id = Identifier.parse(number), Identifier.parse(line)
            if called.is_anonymous or None in (called.phone_number, caller_id.phone_number):
                return False
            if called.phone_number in (caller_id.phone_number, *self._own):
                return False
            self._check(actions.CreateCall(targets=(called,), caller_id=caller_id))
        except (Braked, InvalidInput):
            return False
        return True

    def moment(self, digits: str) -> dict[str, str]:
        """The moment of a call back that was asked for: at a time as it was keyed, or as soon as possible for none.
        Empty: there is none such. One round trip."""
        now, calendar = self._clock(), self._calendar()
        at = moments.keyed(digits, now, self._zone(calendar), calendar) if digits else moments.soonest(now, calendar)
        return {} if at is None else {"at": at.astimezone(UTC).isoformat(), **self._spoken(at, calendar)}

    def call_back(self, case_id: str, number: str, at: str) -> bool:
        """Have the caller called back at a moment; False: there is no such case any more."""
        due = datetime.fromisoformat(at)
        case = self.cases.change(case_id, lambda case: rules.wants_call_back(case, number, due))
        if case is None:
            return False
        self._put(case)
        return True

    # For the flow that calls back

    def calling(self, case_id: str, call_id: str) -> dict[str, str]:
        """Whom a call back is to, under which number, and the how-manieth it is; empty: nobody wants it any more."""
        case = self._calls_back(case_id, call_id)
        placed = [] if case is None else [one.call_id for one in case.attempts]
        if case is None or case.state != "call_back" or call_id not in placed:
            return {}
        return {
            "number": case.number,
            "line": Identifier.parse(case.line).phone_number or "",
            "language": case.language,
            "attempt": str(placed.index(call_id) + 1),
        }

    def withdraw(self, case_id: str) -> None:
        """The caller does not want to be called any more."""
        now = self._clock()
        self.cases.change(case_id, lambda case: rules.withdrawn(case, now))

    # For routes

    def called_back(self, case_id: str, by: str) -> Case:
        """Somebody has called the caller. NotFound, StateConflict."""
        now = self._clock()
        self.cases.change(case_id, lambda case: rules.called_back(case, by, now))
        return self.cases.get(case_id)

    # As a use case

    def work(self, task: Task) -> str:
        """Nothing comes over the queue."""
        raise InvalidInput("message", f"{task.what[:40]!r} is no work of the hand-off.", "Remove it.")

    def due(self, item: str) -> None:
        """A call back is due: place it, or put it off until the contact centre opens."""
        case, now = self.cases.find(item), self._clock()
        if case is None or case.state != "call_back" or case.call_back_at is None or case.call_back_at > now:
            return  # it is over, or was put off since
        if (going_on := next((one for one in case.attempts if not one.ended), None)) is not None:
            if now - going_on.at < LOST:
                return  # its end says what comes next
            case = self._attempt_ended(case, going_on.call_id, "lost", now)
            if case is not None:
                self._put(case)
            return
        opens = moments.opening(now, self._desk.calendar())
        if opens is None or not self._desk.number:
            log.warning("nobody can be called back: the contact centre %s", "has no number" if opens else "never opens")
            self.cases.change(item, rules.given_up)
            return
        if opens != now:
            self._put_off(item, opens)
            return
        self._agenda.put(USE, item, now + LOST)
        call_id = self._place(CALL_BACK, {"case": item}, f"handoff {item} {len(case.attempts)}")
        self._calls_back(item, call_id)

    def closing(self, record: CallRecord) -> None:
        """A call of one of its flows is over."""
        case_id = self.cases.of_call(record.call_id)
        if not case_id:
            return
        now = self._clock()
        if record.direction == "inbound":
            ended = datetime.fromtimestamp((record.ended_at or record.updated_at) / 1000, UTC)
            case = self.cases.change(case_id, lambda case: rules.call_ends(case, record.outcome, ended))
            case = case and self._replace_older(case, now)
        else:
            case = self._calls_back(case_id, record.call_id)
            if case is not None:
                outcome = record.outcome if record.outcome == "transferred" else record.result or record.outcome
                case = self._attempt_ended(case, record.call_id, outcome or "failed", now)
        if case is None:
            self.cases.forget_call(record.call_id)  # it was erased while the call was up
        else:
            self._put(case)

    def may_place(self, record: CallRecord) -> bool:
        return True

    def export(self, number: Identifier) -> Mapping[str, Any]:
        """All cases of a number. Reads through all cases."""
        found = [case.model_dump(mode="json") for case in self.cases.all() if case.is_of(number.key)]
        return {"cases": found} if found else {}

    def erase(self, number: Identifier) -> Erased:
        """Remove all cases of a number; messages go with the recordings of their calls. Reads through all cases."""
        found = [case for case in self.cases.all() if case.is_of(number.key)]
        for case in found:
            self.cases.remove(case)
        for person in self._hashes.candidates(number.raw_id) if self._hashes else ():
            for case_id in self.cases.waiting_for(person):  # of a call that ended meanwhile
                self.cases.forget_wait(person, case_id)
        return Erased(len(found))

    def expire(self, now: datetime) -> int:
        """Remove cases that have been kept for long enough. One query where there is none."""
        if not self._days:
            return 0
        found = 0
        for case in self.cases.made_before(now - timedelta(days=self._days)):
            self.cases.remove(case)
            found += 1
        return found

    # How it is done

    def _calls_back(self, case_id: str, call_id: str) -> Case | None:
        """A call back is placed: the call belongs to the case."""
        now = self._clock()
        self.cases.claim(call_id, case_id)
        case = self.cases.change(case_id, lambda case: rules.calls_back(case, call_id, now))
        if case is None or call_id not in case.call_ids:
            self.cases.forget_call(call_id)
        return case

    def _replace_older(self, case: Case, now: datetime) -> Case | None:
        """Calls back that the caller asked for earlier are not placed any more, once this case takes their place; its
        own is found from now on."""
        hashes = self._hashes
        if hashes is None or case.state not in rules.REPLACING:
            return case
        people = dict.fromkeys(one.key for one in map(_person, (case.caller, case.number)) if one is not None)
        if case.state == "call_back":
            found = self.cases.change(case.id, lambda was: rules.known_by(was, tuple(map(hashes.of, people))))
            if found is None:
                return None
            case = found
            self.cases.wait_for(case)
        for person in (one for key in people for one in hashes.candidates(key)):
            for case_id in self.cases.waiting_for(person):
                older = self.cases.change(case_id, lambda was: rules.replaced(was, case, now))
                if older is None or older.state != "call_back":
                    self.cases.forget_wait(person, case_id)
        return case

    def _attempt_ended(self, case: Case, call_id: str, outcome: str, now: datetime) -> Case | None:
        """A call back is over: the next one, if there is one, is due when the contact centre is open."""
        delay = rules.DELAYS[min(len(case.attempts), len(rules.DELAYS)) - 1]
        next_at = moments.opening(now + delay, self._desk.calendar())
        return self.cases.change(case.id, lambda case: rules.call_back_ends(case, call_id, outcome, next_at))

    def _put_off(self, case_id: str, at: datetime) -> None:
        case = self.cases.change(case_id, lambda case: rules.postponed(case, at))
        if case is not None:
            self._put(case)

    def _put(self, case: Case) -> None:
        """Put a call back on the agenda, if one is wanted."""
        if case.state == "call_back" and case.call_back_at is not None:
            self._agenda.put(USE, case.id, case.call_back_at)

    def _calendar(self) -> Calendar | None:
        """The hours, or where the storage does not respond those that were read last: somebody is on the line."""
        try:
            self._read_last = self._desk.calendar()
        except StoreUnavailable:
            log.warning("the contact centre's hours cannot be read; the last ones count")
        return self._read_last

    def _zone(self, calendar: Calendar | None) -> ZoneInfo:
        return self._desk.zone if calendar is None else calendar.zone

    def _spoken(self, at: datetime, calendar: Calendar | None) -> dict[str, str]:
        _, day, time = moments.moment(at, self._zone(calendar))
        return {"day": day, "time": time}


def _person(number: str) -> Identifier | None:
    """Somebody who can be known again: by their number."""
    who = Identifier(raw_id=key_of(number)) if number else None
    return None if who is None or who.is_anonymous or who.phone_number is None else who
