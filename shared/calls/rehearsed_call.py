"""The call behind a rehearsal: its journal, its flow, what its side effects give, and what the service says at once."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

from shared.calls import actions, journal
from shared.calls.actions import Action
from shared.calls.checks import Watch
from shared.calls.do_not_record import RecordingGuard
from shared.calls.flow import Flow
from shared.calls.journal import Entry
from shared.calls.operation import Operation
from shared.calls.operation_context import operation_context
from shared.calls.replay import Session
from shared.calls.returned import outcome_of
from shared.calls.service_stand_in import RECORDING_STATES, event_of
from shared.errors import ActionRefused
from shared.events import parse_callback

START = 1_790_000_000_000
CONNECTION = "02004780-0000-4000-8000-000000000001"


class Ran(NamedTuple):
    """A side effect that the flow asked for."""

    name: str
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]


class RehearsedCall:
    """A call without service, store or clock.

    Args:
        runs, fails, secrets, now: as for the Rehearsal.
        guard: knows who is never recorded.
    """

    def __init__(
        self,
        flow: Flow,
        runs: Mapping[Callable[..., Any], Any] | None,
        guard: RecordingGuard,
        now: datetime | None,
        *,
        fails: bool,
        secrets: bool,
    ) -> None:
        self._flow, self._secrets = flow, secrets
        self._watch = Watch()
        self._session = self._new_session()
        self._journal: list[Entry] = []
        self._replays: list[Session] = []
        self._runs, self._fails = runs, fails
        self._lost: set[type[Action]] = set()
        self._now = START if now is None else round(now.timestamp() * 1000)
        self._events = 0
        self._refusals: dict[type[Action], ActionRefused] = {}
        self._guard = guard
        self.actions: list[Action] = []
        """Everything that the flow asked for, oldest first."""
        self.ran: list[Ran] = []
        """The functions that the flow gave to `call.run`, with their arguments, oldest first."""
        self.answers: dict[type[Action], Any] = {actions.StartRecording: {"recordingId": "recording-1"}}
        """What the service responds to an action at once, where the flow reads it: `{}` unless it is set here."""

    def _open(self, kind: type[Action]) -> Operation[Any]:
        for operation in self._session.open_operations:
            if isinstance(operation.action, kind):
                return operation
        waiting = ", ".join(operation.action.kind for operation in self._session.open_operations) or "nothing"
        raise AssertionError(f"the flow does not wait for {kind.__name__}; it waits for {waiting}")

    def _event(
        self, name: str, operation: Operation[Any] | None, code: int = 200, sub_code: int = 0, **data: Any
    ) -> None:
        self._events += 1
        connection = f"{CONNECTION[:-2]}{max(1, self._session.record.attempts):02d}"  # each attempt has its own
        context = {"operationContext": operation_context("rehearsal", operation)} if operation else {}
        body = {
            "id": f"event-{self._events}",
            "source": f"calling/callConnections/{connection}",
            "type": f"Microsoft.Communication.{name}",
            "time": "2026-11-20T10:00:00+00:00",
            "specversion": "1.0",
            "data": {
                **data,
                **context,
                "resultInformation": {"code": code, "subCode": sub_code, "message": ""},
                "callConnectionId": connection,
                "serverCallId": "c2VydmVy",
                "correlationId": "5d1f3a52-0000-4000-8000-000000000001",
            },
        }
        self._feed(journal.EventReceived(at=self._now, event=body))

    def _feed(self, entry: Entry) -> None:
        """Feed an entry and all that comes back at once."""
        event = parse_callback(entry.event) if isinstance(entry, journal.EventReceived) else None
        self._session.feed(entry, event)
        new = self._session.take()
        self._journal += [entry, *new]
        if not self._fails:
            _fail_if_failed(new)
        self._replays.append(self._replayed())
        for issued in (entry for entry in new if isinstance(entry, journal.Issued)):
            self.actions.append(issued.action)
            self._at_once(issued)

    def _new_session(self) -> Session:
        return Session(self._flow, "rehearsal", watch=self._watch, strict=True, secrets=self._secrets)

    def _replayed(self) -> Session:
        """The call as another process would have it. AssertionError if the flow does something else there."""
        session = self._new_session()
        session.feed_stored([journal.encode(entry) for entry in self._journal])
        _fail_if_failed(session.take())
        session.adopt(self._session.record)
        return session

    def _at_once(self, issued: journal.Issued) -> None:
        """Side effects run; what the service responds at once comes back; what it cancels is reported."""
        seq, action = issued.seq, issued.action
        if type(action) in self._lost:
            self._lost.remove(type(action))
            self._feed(journal.Resent(at=self._now, seq=seq, attempt=0 if action.spec.repeatable else 1))
        refusal = self._refusals.pop(type(action), None) or self._forbidden(action)
        if refusal is not None:
            given = {name: getattr(refusal, name) for name in ("status", "code", "message", "transient")}
            self._feed(journal.RefusedEntry.model_validate({"at": self._now, "seq": seq, **given}))
        elif isinstance(action, actions.Run):
            self._feed(self._ran(seq, action))
        elif isinstance(action, actions.MayRecord):
            may = self._guard.may_record(self._session, action)
            self._feed(journal.Responded(at=self._now, seq=seq, value=may))
        elif action.spec.in_service and action.spec.completes_on == "response":
            canceled = self._session.open_operations if action.spec.ends_media else []
            self._feed(journal.Responded(at=self._now, seq=seq, value=self._response_to(action)))
            for operation in canceled:
                if "canceled" in operation.action.spec.events.values():
                    self._event(event_of(operation.action, "canceled"), operation, 400, 8508)
        elif action.spec.keeps_response:
            self._feed(journal.Accepted(at=self._now, seq=seq, value=action.response_data(str(seq))))

    def _response_to(self, action: Action) -> Any:
        if isinstance(action, actions.GetRecordingState) and type(action) not in self.answers:
            states = [RECORDING_STATES[done.kind] for done in self.actions if done.kind in RECORDING_STATES]
            return {"recordingId": action.recording_id, "recordingState": (["inactive", *states])[-1]}
        return self.answers.get(type(action), {})

    def _forbidden(self, action: Action) -> ActionRefused | None:
        """What the app itself refuses: to record somebody who is on the do-not-record list."""
        try:
            self._guard.check(self._session, action)
        except ActionRefused as refusal:
            return refusal
        return None

    def _ran(self, seq: int, action: actions.Run) -> Entry:
        """What comes of a side effect, as the journal will have it."""
        run = self._stand_in(self._session.function(seq))
        return outcome_of(run, action.name, call_id=self._session.record.call_id, seq=seq, clock=lambda: self._now)

    def _stand_in(self, function: Callable[[], Any]) -> Callable[[], Any]:
        """The side effect, or what stands for it."""
        arguments = function if isinstance(function, partial) else partial(function)
        asked = arguments.func
        self.ran.append(Ran(getattr(asked, "__name__", type(asked).__name__), arguments.args, arguments.keywords))
        if self._runs is None:
            return function
        if asked not in self._runs:
            raise AssertionError(f"the flow runs {asked.__qualname__}, for which `runs` has no result")
        result = self._runs[asked]
        if isinstance(result, type) and issubclass(result, Exception):
            raise AssertionError(f"`runs` has the class {result.__name__}: give an instance, {result.__name__}()")
        try:
            inspect.signature(asked).bind(*arguments.args, **arguments.keywords)
        except TypeError as error:
            return partial(_give, error)  # as the call of the function itself would
        if callable(result) and not isinstance(result, Exception):
            return partial(result, *arguments.args, **arguments.keywords)
        return partial(_give, result)


def _give(result: Any) -> Any:
    if isinstance(result, Exception):
        raise result
    return result


def _fail_if_failed(entries: Sequence[Entry]) -> None:
    for entry in entries:
        if isinstance(entry, journal.Failed):
            parts = [f"the flow failed: {entry.error}"]
            parts += [f"  at {entry.where}: {entry.line}"] if entry.where else []
            parts += [f"  {entry.remedy}"] if entry.remedy else []
            raise AssertionError("\n".join([*parts, entry.trace]))
