"""Rehearse a flow: say what the caller does, look at what the flow asks for. No service, no store, no clock.

The rules are those of production: what `run` gives back is JSON, its errors are RunFailed, the caller can choose
what is offered and press as many keys as are collected. After each step the flow is replayed from its journal, and
while it runs it is watched for what no replay can repeat.
"""

from __future__ import annotations

import base64
import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple, TypeVar, cast

from shared.calls import actions, journal, service_stand_in
from shared.calls.actions import TONE_OF_KEY, Action
from shared.calls.beginning import begin_with
from shared.calls.checks import Watch
from shared.calls.do_not_record import RecordingGuard
from shared.calls.flow import Flow
from shared.calls.journal import Entry
from shared.calls.lifecycle import CLOSING, FIRST_COMMAND
from shared.calls.operation import Operation
from shared.calls.prompts import TextPrompt
from shared.calls.replay import Session, operation_context
from shared.calls.returned import outcome_of
from shared.calls.service_stand_in import RECORDING_STATES, Heard, event_of, wire
from shared.calls.store.memory import MemoryDoNotRecord
from shared.errors import ActionRefused
from shared.events import parse_callback
from shared.identifiers import Identifier
from shared.privacy import NumberHashes

A = TypeVar("A", bound=Action)

LANGUAGE = "en-US"
"""What the setting SPEECH_LANGUAGE is by default."""
START = 1_790_000_000_000
CONNECTION = "02004780-0000-4000-8000-000000000001"


class Ran(NamedTuple):
    """A side effect that the flow asked for."""

    name: str
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]


class Rehearsal:
    """One call of a flow, played by hand.

    >>> call = Rehearsal(my_flow)
    >>> call.connect()
    >>> call.expect(actions.Recognize).choices
    >>> call.choose("sales")
    """

    def __init__(
        self,
        flow: Flow,
        *,
        caller: str = "+14255550100",
        callee: str = "+18005550199",
        context: Mapping[str, str] | None = None,
        data: Any = None,
        placed_to: Sequence[str] | None = None,
        on_behalf_of: str | None = None,
        teams: Mapping[str, Any] | None = None,
        runs: Mapping[Callable[..., Any], Any] | None = None,
        language: str = "",
        fails: bool = False,
        secrets: bool = True,
        do_not_record: Iterable[str] = (),
        now: datetime | None = None,
    ) -> None:
        """The call rings; or, with `placed_to`, the app places it from `callee`, its own number.

        Args:
            data: what an outbound flow finds in `call.input`; a flow with a model of its input gets one made of it.
            placed_to: who is called, several for a group call; empty: the flow places or joins the call itself.
            on_behalf_of: whose call it is, where the callee takes it for somebody else.
            teams: what Teams says of the call, in the service's words: `{"intent": "billing"}`.
            runs: what each function that the flow gives to `call.run` returns, the exception that it raises, or a
                function that stands for it; then none of them is called. None: they are called.
            fails: the flow may fail, and its fallback is rehearsed as well (see `failure`). False: then the rehearsal
                fails.
            language: in which the flow begins, as the routing would say; empty: by its input, or else English.
            secrets: the app has a key to encrypt secrets with; False: a flow that asks for one fails, as there.
            do_not_record: who is on the do-not-record list.
            now: when the call begins, with its zone; otherwise on 21 September 2026, at 14:13:20 UTC.
        """
        begin = begin_with(flow, language, LANGUAGE, placed=placed_to is not None, data=data)
        self._flow, self._secrets = flow, secrets
        self._watch = Watch()
        self._session = self._new_session()
        self._journal: list[Entry] = []
        self._replays: list[Session] = []
        self._runs, self._fails = runs, fails
        self._lost: set[type[Action]] = set()
        self._now = START if now is None else round(now.timestamp() * 1000)
        self._events = 0
        self._keys = 0
        self._refusals: dict[type[Action], ActionRefused] = {}
        self._guard = RecordingGuard(_listed(do_not_record))
        self.actions: list[Action] = []
        """Everything that the flow asked for, oldest first."""
        self.ran: list[Ran] = []
        """The functions that the flow gave to `call.run`, with their arguments, oldest first."""
        self.answers: dict[type[Action], Any] = {actions.StartRecording: {"recordingId": "recording-1"}}
        """What the service answers to an action at once, where the flow reads it: `{}` unless it is set here."""
        targets = [Identifier.parse(target) for target in placed_to or ()]
        opening: Action | None = None if flow.opens else actions.Answer()
        if targets:
            opening = actions.CreateCall(targets=tuple(targets), caller_id=Identifier.parse(callee))
        started = {
            "flow": flow.name,
            "context": context or {},
            "on_behalf_of": on_behalf_of and Identifier.parse(on_behalf_of),
            "teams": teams,
            "input": begin.input,
            "language": begin.language,
            "opening": opening,
        }
        if placed_to is None:
            sides = {"direction": "inbound", "caller": Identifier.parse(caller), "callee": Identifier.parse(callee)}
        else:
            sides = {"direction": "outbound", "caller": Identifier.parse(callee), "callee": (*targets, None)[0]}
            sides |= {"placed_by_flow": None if targets else True}
        self._feed(journal.Started.model_validate({"at": self._now, **started, **sides}))

    # What the flow did

    @property
    def spoken(self) -> list[str]:
        """The texts that the caller has heard, prompts of questions included."""
        heard: list[str] = []
        for action in self.actions:
            if isinstance(action, actions.Play | actions.Recognize):
                heard += [prompt.text for prompt in action.prompts if isinstance(prompt, TextPrompt)]
        return heard

    def hung_up(self) -> bool:
        """True once the flow asked to end the call."""
        return any(action.kind in CLOSING for action in self.actions)

    @property
    def status(self) -> str:
        """Where the call is: `waiting` until its flow places it, and after an attempt that failed."""
        return self._session.record.status

    @property
    def outcome(self) -> str:
        """How the call ended, in one word; empty while it is up."""
        return self._session.record.outcome

    @property
    def result(self) -> str:
        """What the flow said came of the call; empty: nothing yet."""
        return self._session.record.result

    @property
    def details(self) -> Mapping[str, Any]:
        """What the flow added to its result."""
        return self._session.record.details

    @property
    def failure(self) -> Mapping[str, str]:
        """What made the flow fail: `error`, and where they are known `where`, `line` and `remedy`."""
        return self._session.record.failure

    @property
    def logged(self) -> list[str]:
        """The lines that the flow has logged."""
        return [entry.message for entry in self._journal if isinstance(entry, journal.Logged)]

    def expect(self, kind: type[A]) -> A:
        """The action of this kind that the flow waits for; AssertionError if it does not."""
        return cast(A, self._open(kind).action)

    # What the other side does

    def connect(self) -> None:
        """The call is up."""
        self.event("CallConnected", actions.Opening)

    def prompt_ends(self) -> None:
        """What plays has been heard."""
        self.done(actions.Play)

    def choose(self, label: str) -> None:
        """The caller makes a choice, by voice. AssertionError if it is not offered."""
        self._hear(service_stand_in.chosen(self.expect(actions.Recognize), label))

    def press(self, keys: str) -> None:
        """The caller presses keys, and then none for a while: the key of a choice, or digits. What comes after the
        last key that is collected is lost, as it is in a call. AssertionError if nobody listens for keys."""
        self._hear(service_stand_in.pressed(self.expect(actions.Recognize), keys))

    def say(self, words: str) -> None:
        """The caller speaks: freely, or one of the phrases of a choice. AssertionError if nobody listens for it."""
        self._hear(service_stand_in.said(self.expect(actions.Recognize), words))

    def stay_silent(self) -> None:
        """The caller says and presses nothing."""
        self._hear(service_stand_in.SILENCE)

    def tones(self, keys: str) -> None:
        """Keys come in while continuous DTMF listens."""
        for key in keys:
            self._keys += 1
            self.event("ContinuousDtmfRecognitionToneReceived", sequenceId=self._keys, tone=TONE_OF_KEY[key])

    def present(self, *participants: str) -> None:
        """ParticipantsUpdated: these are in the call now."""
        self._events += 1
        listed = [{"identifier": wire(who), "isMuted": False, "isOnHold": False} for who in participants]
        self.event("ParticipantsUpdated", participants=listed, sequenceNumber=self._events)

    def signal(self, name: str, data: Any = None) -> None:
        """Something comes in over the HTTP API."""
        self._events += 1
        self._feed(journal.Signalled(at=self._now, id=f"signal-{self._events}", name=name, data=data))

    def wait(self) -> None:
        """The flow's sleep is over."""
        operation = self._open(actions.Sleep)
        self._now += int(cast(actions.Sleep, operation.action).seconds * 1000)
        self._feed(journal.TimerFired(at=self._now, seq=operation.seq))

    def hang_up(self) -> None:
        """The call is over, whoever ended it; one that is not placed yet is cancelled over the HTTP API."""
        if self.status == "waiting":
            cancel = journal.Issued(at=self._now, seq=FIRST_COMMAND, action=actions.HangUp(), command="cancel")
            self._feed(cancel)
        else:
            self.event("CallDisconnected")

    # What goes wrong between the parts

    def restart(self) -> None:
        """The call goes on in another process, from its journal, as after a deployment or a crash."""
        self._session = self._replayed()

    def again(self) -> None:
        """The service's newest event comes a second time."""
        newest = next(entry for entry in reversed(self._journal) if isinstance(entry, journal.EventReceived))
        assert self._session.knows(newest), "a second delivery would count"

    def lose_response(self, kind: type[Action]) -> None:
        """The response to the next action of this kind is lost: it is sent again. The flow does not notice."""
        self._lost.add(kind)

    # What the service says of an action

    def done(self, kind: type[Action], **data: Any) -> None:
        """The service reports that an action succeeded, by the event that it has for this."""
        action = self._session.resolved(self.expect(kind))
        for more in action.event_data():
            self.event(event_of(action, "succeeded"), kind, **{**more, **data})

    def fail(self, kind: type[Action], *, code: int = 500, sub_code: int = 9999) -> None:
        """The service reports that an action failed."""
        action = self.expect(kind)
        self.event(event_of(action, "failed"), kind, code=code, sub_code=sub_code, **action.event_data()[0])

    def times_out(self, kind: type[Action]) -> None:
        """Nothing is ever heard of an action: the flow meets TimedOut."""
        self._feed(journal.GaveUp(at=self._now, seq=self._open(kind).seq))

    def refuse(self, kind: type[Action], *, status: int = 400, code: str = "8523") -> None:
        """The service refuses the next action of this kind at the request."""
        self._refusals[kind] = ActionRefused(kind.model_fields["kind"].default, status, code, "refused")

    def event(
        self, name: str, kind: type[Action] | None = None, *, code: int = 200, sub_code: int = 0, **data: Any
    ) -> None:
        """Any event, of the action of this kind that the flow waits for, with its own data in the service's words."""
        self._event(name, None if kind is None else self._open(kind), code, sub_code, **data)

    # How it is done

    def _open(self, kind: type[Action]) -> Operation[Any]:
        for operation in self._session.open_operations:
            if isinstance(operation.action, kind):
                return operation
        waiting = ", ".join(operation.action.kind for operation in self._session.open_operations) or "nothing"
        raise AssertionError(f"the flow does not wait for {kind.__name__}; it waits for {waiting}")

    def _hear(self, heard: Heard) -> None:
        self._event(heard.name, self._open(actions.Recognize), heard.code, heard.sub_code, **heard.data)

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
        """Side effects run; what the service answers at once is answered; what it cancels is reported."""
        seq, action = issued.seq, issued.action
        if type(action) in self._lost:
            self._lost.remove(type(action))
            self._feed(journal.Resent(at=self._now, seq=seq, attempt=0 if action.spec.repeatable else 1))
        refusal = self._refusals.pop(type(action), None) or self._forbidden(action)
        if refusal is not None:
            given = {"status": refusal.status, "code": refusal.code, "message": refusal.message}
            self._feed(journal.RefusedEntry.model_validate({"at": self._now, "seq": seq, **given}))
        elif isinstance(action, actions.Run):
            self._feed(self._ran(seq, action))
        elif isinstance(action, actions.MayRecord):
            may = self._guard.may_record(self._session, action)
            self._feed(journal.Answered(at=self._now, seq=seq, value=may))
        elif action.spec.in_service and action.spec.completes_on == "response":
            canceled = self._session.open_operations if isinstance(action, actions.CancelAllMedia) else []
            self._feed(journal.Answered(at=self._now, seq=seq, value=self._answer_to(action)))
            for operation in canceled:
                if "canceled" in operation.action.spec.events.values():
                    self._event(event_of(operation.action, "canceled"), operation, 400, 8508)
        elif action.spec.keeps_response:
            self._feed(journal.Accepted(at=self._now, seq=seq, value={"invitationId": f"invitation-{seq}"}))

    def _answer_to(self, action: Action) -> Any:
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


def _listed(numbers: Iterable[str]) -> MemoryDoNotRecord:
    """A do-not-record list of these."""
    listed = MemoryDoNotRecord(NumberHashes(base64.b64encode(b"a rehearsal").decode()))
    for number in numbers:
        listed.add(Identifier.parse(number).raw_id)
    return listed


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
