"""The app's brakes: what they let pass, when a call rings and when an action is about to leave the app."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Literal, NamedTuple, Protocol

from shared.brakes.dialing import Dialing
from shared.brakes.figures import LAST_FIGURES, LONGEST_CLAIM, CallsTaken, Figures, is_one_caller
from shared.brakes.refresher import Refresher
from shared.brakes.switches import Switches
from shared.calls import actions
from shared.calls.actions import Action
from shared.calls.brakes import BrakeCode, Braked
from shared.calls.record import CallRecord
from shared.errors import LostRace, StoreError
from shared.identifiers import Identifier
from shared.logs import logger
from shared.privacy import NumberHashes
from shared.routing.decisions import AnswerWith, Outcome, RedirectTo, RejectWith, RoutableFlow, guarded
from shared.text_rows import StoredRow, TextRows

log = logger("switchboard.brakes")

RowName = Literal["figures", "switches", "counts"]
"""The rows of the brakes among those that all instances share."""

QUIET_RUNS = 24
"""Runs of the watchdog without a call after which it writes no figures (our choice): two minutes at its usual pace."""
DAYS_COUNTED = 7
"""Days for which is counted what the brakes did (our choice)."""
MOST_OVER = 50
"""Calls that were over last (our choice): one may be over before its claim has its id."""
MOST_NOTED = 4096
"""Calls of which an instance remembers that it has logged what a brake did to them (our choice)."""


class Limits(NamedTuple):
    """What the settings allow.

    Attributes:
        targets: of one request.
        minutes: of a call.
        calls: at once; 0: there is no limit.
        calls_of_one_caller: at once, that come in; 0: there is no limit.
    """

    targets: int = 20
    minutes: int = 240
    calls: int = 0
    calls_of_one_caller: int = 20


class Refreshing(Protocol):
    """Sees to it that what all instances share is read."""

    def use(self) -> None:
        """Somebody goes by what was read."""


class Admission:
    """What becomes of a call that rings.

    Attributes:
        decision: of the routing, or of the brakes instead.
    """

    def __init__(self, brakes: AppBrakes, decision: Outcome, reason: str, key: str) -> None:
        self.decision = decision
        self._brakes = brakes
        self._reason = reason
        self._key = key
        self._kept = False

    def keep(self, call_id: str) -> None:
        """The call was claimed, and is no duplicate."""
        self._kept = True
        if self._reason:
            self._brakes.note(call_id, self._reason)
        else:
            self._brakes.claimed(self._key, call_id)

    def end(self) -> None:
        """Whoever rang is dealt with."""
        if not self._kept and not self._reason:
            self._brakes.ended(self._key)


class AppBrakes:
    """All brakes of one instance. Safe to share between threads; implements `shared.calls.brakes.Brakes`.

    Args:
        rows: what all instances share.
        hashes: hashes callers in the figures.
        flows: by name, to which a flow may be diverted.
        clock: Unix time in milliseconds.
        refresher: given what reads the rows, sees to it that it is called every few seconds.
        readers: given all rows each time that they were read: others keep theirs beside those of the brakes.
    """

    def __init__(
        self,
        rows: TextRows,
        limits: Limits,
        dialing: Dialing,
        hashes: NumberHashes,
        flows: Mapping[str, RoutableFlow],
        *,
        clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        refresher: Callable[[Callable[[], None]], Refreshing] = Refresher,
        readers: Sequence[Callable[[Mapping[str, StoredRow]], None]] = (),
    ) -> None:
        self.rows = rows
        self.dialing = dialing
        self.figures, self.switches = Figures(), Switches()
        self.counts: Mapping[str, Mapping[str, int]] = {}
        self.unreadable: set[RowName] = set()
        self._limits = limits
        self._hashes = hashes
        self._flows = flows
        self._clock = clock
        self._lock = threading.Lock()
        self._reading = threading.Lock()
        self._claims = CallsTaken()
        self._uncounted: Counter[str] = Counter()
        self._noted: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._over: deque[str] = deque(maxlen=MOST_OVER)
        self._read_texts: dict[str, str] = {}
        self._quiet_runs = 0
        self._readers = readers
        self._refresher = refresher(self.refresh)

    @property
    def longest_call(self) -> int:
        return self._limits.minutes * 60_000

    # A call rings

    @contextmanager
    def ring(self, caller: Identifier, callee: Identifier, key: str, decision: Outcome) -> Iterator[Admission]:
        """Decide on a call that rings, as the routing did unless a brake or a switch says otherwise.

        Args:
            key: tells one call from the next; the same for a second delivery of its event.
        """
        self._refresher.use()
        decision, reason = self._decide(caller, callee, key, self._diverted(decision, caller, callee))
        admission = Admission(self, decision, reason, key)
        try:
            yield admission
        finally:
            admission.end()

    def _diverted(self, decision: Outcome, caller: Identifier, callee: Identifier) -> Outcome:
        if not isinstance(decision, AnswerWith):
            return decision
        known = self._flows.get(decision.flow)
        names = (decision.flow, *(known.formerly if known is not None else ()))
        diverted = next((found for name in names if (found := self.switches.diverted.get(name)) is not None), None)
        if diverted is None:
            return decision
        to = diverted.to
        if to.reject is not None:
            return RejectWith(reason=to.reject, rule=decision.rule, why="flow diverted")
        if to.redirect is not None:
            return guarded(RedirectTo(target=to.redirect, rule=decision.rule), callee, caller)
        name = next((one for one, flow in self._flows.items() if to.flow in (one, *flow.formerly)), "")
        if not name:
            log.error("flow %r is diverted to %r, which is none; it takes its calls itself", decision.flow, to.flow)
            return decision
        flow = self._flows[name]
        language = decision.language if decision.language in flow.languages else ""
        return AnswerWith(flow=name, rule=decision.rule, language=language)

    def _decide(self, caller: Identifier, callee: Identifier, key: str, decision: Outcome) -> tuple[Outcome, str]:
        """The decision, and which brake made it; empty: none."""
        reason: str = ""
        if isinstance(decision, AnswerWith | RedirectTo) and any(map(self.switches.is_off, (caller, callee))):
            reason = "number_off"
        elif isinstance(decision, RedirectTo):
            if found := self._problem(actions.Redirect(target=decision.target), [callee]):
                reason, _ = found
        elif isinstance(decision, AnswerWith):
            one = self._hash(caller.raw_id) if is_one_caller(caller) else ""
            reason = self._take(key, one)
        if not reason:
            return decision, ""
        return RejectWith(reason="busy", rule=decision.rule, why=reason), reason

    # An action is about to leave the app

    def check(self, record: CallRecord, action: Action, *, again: bool = False) -> None:
        spec = action.spec
        if not spec.places and not action.concerned:
            return
        self._refresher.use()
        own = record.callee if record.direction == "inbound" else record.caller
        found = self._problem(action, [Identifier(raw_id=own)] if own else [])
        if found is None and spec.places and not again and self._take(record.call_id):  # else it is counted already
            limit = self._limits.calls
            found = "too_many_calls", f"{limit} calls go on already, which is the limit; MAX_CALLS says so"
        if found is not None:
            code, message = found
            self.note(record.call_id, code)
            raise Braked(action.kind, code, message, transient=code == "too_many_calls")

    def check_request(self, action: Action) -> None:
        """Pass what no setting forbids, before anything is stored of it; Braked otherwise."""
        if found := self._forbidden(action, []):
            raise Braked(action.kind, *found)

    def _problem(self, action: Action, own: Sequence[Identifier]) -> tuple[BrakeCode, str] | None:
        """Which brake keeps an action, and why."""
        if self.switches.outbound_off and action.spec.targets != "moved":
            return "outbound_off", "all outbound calls are switched off; GET /api/switches says by whom"
        if any(map(self.switches.is_off, (*action.concerned, _caller_id(action)))):
            return "number_off", "this number is switched off; GET /api/switches says by whom"
        return self._forbidden(action, own)

    def _forbidden(self, action: Action, own: Sequence[Identifier]) -> tuple[BrakeCode, str] | None:
        """What a setting forbids."""
        targets = action.concerned
        if len(targets) > self._limits.targets:
            return "too_many_targets", (
                f"names {len(targets)} targets; {self._limits.targets} is the limit, which MAX_TARGETS says"
            )
        if action.spec.targets == "moved":
            return None  # they are on the line already
        for target in targets:
            if problem := self.dialing.problem(target, [_caller_id(action), *own]):
                return "number_not_allowed", f"the target {problem}"
        return None

    # Counting

    def _take(self, key: str, caller: str = "") -> BrakeCode | str:
        """Count a call as up; which limit it would exceed, and then it is not counted."""
        with self._lock:
            now = self._clock()
            figures = self.figures if now - self.figures.at <= LAST_FIGURES else Figures()
            self._claims.drop_before(max(figures.at, now - LONGEST_CLAIM))
            if key in self._claims:
                return ""
            calls, of_one = self._limits.calls, self._limits.calls_of_one_caller
            if calls and figures.calls + len(self._claims) >= calls:
                return "too_many_calls"
            if caller and of_one and figures.callers.get(caller, 0) + self._claims.of(caller) >= of_one:
                return "too_many_calls_of_one_caller"
            self._claims.add(key, now, caller)
            return ""

    def claimed(self, key: str, call_id: str) -> None:
        """A call that was counted has this id; it may be over by now."""
        with self._lock:
            self._claims.rename(key, call_id)
            if call_id in self._over:
                self._claims.remove(call_id)

    def ended(self, call_id: str) -> None:
        """A call is over, as this instance knows."""
        with self._lock:
            self._claims.remove(call_id)
            self._over.append(call_id)

    def watched(self, records: Sequence[CallRecord], began: int) -> None:
        figures = Figures.count(records, began, self._hash)
        up = any(record.status not in ("waiting", "ended") for record in records)
        self._quiet_runs = 0 if up else self._quiet_runs + 1
        if self._quiet_runs > QUIET_RUNS:
            return
        try:
            self.rows.put("figures", figures.text)
        except StoreError as error:  # what the watchdog has settled is settled
            log.warning("the figures of the brakes were not written: %s", error)

    def _hash(self, raw_id: str) -> str:
        return self._hashes.of(raw_id)[-16:]

    # What a brake did

    def note(self, call_id: str, reason: str) -> None:
        with self._lock:
            self._uncounted[reason] += 1
            known = (call_id, reason) in self._noted
            self._noted[call_id, reason] = None
            if len(self._noted) > MOST_NOTED:
                self._noted.popitem(last=False)
        if not known:
            log.warning("braked call=%s: %s", call_id, reason)

    def _count(self, row: StoredRow | None) -> None:
        """Add what this instance has noted to the counts of all."""
        with self._lock:
            counted = self._uncounted.copy()
        if not counted:
            return
        days = {day: dict(reasons) for day, reasons in self.counts.items()}
        today = days.setdefault(datetime.fromtimestamp(self._clock() / 1000, UTC).strftime("%Y-%m-%d"), {})
        for reason, number in counted.items():
            today[reason] = today.get(reason, 0) + number
        kept = {day: days[day] for day in sorted(days)[-DAYS_COUNTED:]}
        try:
            self.rows.replace("counts", json.dumps(kept), row.version if row else None)
        except LostRace:
            return  # another instance has counted meanwhile; the next reading tries again
        self.counts = kept
        with self._lock:
            self._uncounted.subtract(counted)
            self._uncounted += Counter()  # drops the zeros

    # What all instances share

    def is_off_now(self, who: Identifier) -> bool:
        """Whether a number is switched off, by the storage."""
        self.refresh()
        return self.switches.is_off(who)

    def get_ready(self) -> None:
        """Begin to read it, so that the first call need not wait for it."""
        self._refresher.use()

    def refresh(self) -> None:
        """Read it, and add what this instance has counted. StoreUnavailable or StoreRefused; then what was read before
        goes on to count."""
        with self._reading:
            self._count(self._read().get("counts"))

    def read(self) -> Mapping[str, StoredRow]:
        """Read it; the rows as they stand. StoreUnavailable or StoreRefused, as of `refresh`."""
        with self._reading:
            return self._read()

    def _read(self) -> Mapping[str, StoredRow]:
        rows = self.rows.read()  # one reading after the other, so that nothing older is taken over last
        self._take_over(rows, "figures", self._take_figures)
        self._take_over(rows, "switches", self._take_switches)
        self._take_over(rows, "counts", self._take_counts)
        for reader in self._readers:
            reader(rows)
        return rows

    def _take_over(self, rows: Mapping[str, StoredRow], name: RowName, take: Callable[[str], None]) -> None:
        text = rows[name].text if name in rows else ""
        if text == self._read_texts.get(name, ""):
            return
        self._read_texts[name] = text
        try:
            take(text)
            self.unreadable.discard(name)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            self.unreadable.add(name)
            log.error("the row %r of the brakes cannot be read; the last one counts: %s", name, type(error).__name__)

    def _take_figures(self, text: str) -> None:
        self.figures = Figures.read(text) if text else Figures()

    def _take_switches(self, text: str) -> None:
        self.switches = Switches.read(text) if text else Switches()

    def _take_counts(self, text: str) -> None:
        days = json.loads(text) if text else {}
        self.counts = {day: {reason: int(number) for reason, number in of.items()} for day, of in days.items()}


def _caller_id(action: Action) -> Identifier | None:
    """The number under which it calls."""
    return action.__dict__.get("caller_id")
