"""Rehearse a flow: say what the caller does, look at what the flow asks for. No service, no store, no clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar, cast

from shared.calls import actions, journal
from shared.calls.actions import TONE_OF_KEY, Action
from shared.calls.flow import Flow
from shared.calls.journal import Entry
from shared.calls.lifecycle import FIRST_COMMAND
from shared.calls.operation import Operation
from shared.calls.prompts import TextPrompt
from shared.calls.replay import Session, operation_context
from shared.errors import ActionRefused
from shared.events import ROLES, Role, parse_callback
from shared.identifiers import Identifier

A = TypeVar("A", bound=Action)

START = 1_790_000_000_000
CONNECTION = "02004780-0000-4000-8000-000000000001"


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
    ) -> None:
        """The call rings; or, with `placed_to`, the app places it from `callee`, its own number.

        Args:
            data: what an outbound flow finds in `call.input`.
            placed_to: who is called, several for a group call; empty: the flow places or joins the call itself.
            on_behalf_of: whose call it is, where the callee takes it for somebody else.
            teams: what Teams says of the call, in the service's words: `{"intent": "billing"}`.
        """
        self._session = Session(flow, "rehearsal")
        self._now = START
        self._events = 0
        self._keys = 0
        self._refusals: dict[type[Action], ActionRefused] = {}
        self.actions: list[Action] = []
        """Everything that the flow asked for, oldest first."""
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
            "input": data,
            "opening": opening,
        }
        if placed_to is None:
            sides = {"direction": "inbound", "caller": Identifier.parse(caller), "callee": Identifier.parse(callee)}
        else:
            sides = {"direction": "outbound", "caller": Identifier.parse(callee), "callee": (*targets, None)[0]}
            sides |= {"placed_by_flow": None if targets else True}
        self._feed(journal.Started.model_validate({"at": START, **started, **sides}))

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
        return any(action.kind in ("hang_up", "terminate") for action in self.actions)

    @property
    def status(self) -> str:
        """Where the call is: `waiting` until its flow places it, and after an attempt that failed."""
        return self._session.record.status

    @property
    def outcome(self) -> str:
        """How the call ended, in one word; empty while it is up."""
        return self._session.record.outcome

    def expect(self, kind: type[A]) -> A:
        """The action of this kind that the flow waits for; AssertionError if it does not."""
        return cast(A, self._open(kind).action)

    # What the other side does

    def connect(self) -> None:
        """The call is up."""
        opening = next((kind for kind in OPENING_ACTIONS if self._waits_for(kind)), actions.Answer)
        self.event("CallConnected", opening)

    def prompt_ends(self) -> None:
        """What plays has been heard."""
        self.done(actions.Play)

    def choose(self, label: str) -> None:
        """The caller makes a choice, by voice."""
        result = {"label": label, "recognizedPhrase": label}
        self._heard(8545, recognitionType="choices", choiceResult=result)

    def press(self, keys: str) -> None:
        """The caller presses keys: those of a choice, or digits."""
        tones = [TONE_OF_KEY[key] for key in keys]
        question = self.expect(actions.Recognize)
        for choice in question.choices:
            if [choice.tone] == tones:
                self._heard(8533, recognitionType="choices", choiceResult={"label": choice.label})
                return
        if question.choices:
            self._fail_recognize(8534, 500)
            return
        self._heard(8531, recognitionType="dtmf", dtmfResult={"tones": tones})

    def say(self, words: str) -> None:
        """The caller speaks freely."""
        self._heard(8569, recognitionType="speech", speechResult={"speech": words, "confidence": 0.9})

    def stay_silent(self) -> None:
        """The caller says and presses nothing."""
        self._fail_recognize(8510, 400)

    def tones(self, keys: str) -> None:
        """Keys come in while continuous DTMF listens."""
        for key in keys:
            self._keys += 1
            self.event("ContinuousDtmfRecognitionToneReceived", sequenceId=self._keys, tone=TONE_OF_KEY[key])

    def present(self, *participants: str) -> None:
        """ParticipantsUpdated: these are in the call now."""
        self._events += 1
        listed = [{"identifier": _wire(who), "isMuted": False, "isOnHold": False} for who in participants]
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

    # What the service says of an action

    def done(self, kind: type[Action], **data: Any) -> None:
        """The service reports that an action succeeded, by the event that it has for this."""
        action = self._session.resolved(self.expect(kind))
        for more in _said_of(action):
            self.event(_event_of(action, "succeeded"), kind, **{**more, **data})

    def fail(self, kind: type[Action], *, code: int = 500, sub_code: int = 9999) -> None:
        """The service reports that an action failed."""
        action = self.expect(kind)
        self.event(_event_of(action, "failed"), kind, code=code, sub_code=sub_code, **_said_of(action)[0])

    def refuse(self, kind: type[Action], *, status: int = 400, code: str = "8523") -> None:
        """The service refuses the next action of this kind at the request."""
        self._refusals[kind] = ActionRefused(kind.model_fields["kind"].default, status, code, "refused")

    def event(
        self, name: str, kind: type[Action] | None = None, *, code: int = 200, sub_code: int = 0, **data: Any
    ) -> None:
        """Any event, of the action of this kind that the flow waits for, with its own data in the service's words."""
        self._event(name, None if kind is None else self._open(kind), code, sub_code, **data)

    # How it is done

    def _waits_for(self, kind: type[Action]) -> bool:
        return any(isinstance(operation.action, kind) for operation in self._session.open_operations)

    def _open(self, kind: type[Action]) -> Operation[Any]:
        for operation in self._session.open_operations:
            if isinstance(operation.action, kind):
                return operation
        waiting = ", ".join(operation.action.kind for operation in self._session.open_operations) or "nothing"
        raise AssertionError(f"the flow does not wait for {kind.__name__}; it waits for {waiting}")

    def _heard(self, sub_code: int, **data: Any) -> None:
        self._event("RecognizeCompleted", self._open(actions.Recognize), sub_code=sub_code, **data)

    def _fail_recognize(self, sub_code: int, code: int) -> None:
        self._event("RecognizeFailed", self._open(actions.Recognize), code=code, sub_code=sub_code)

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
        for new in self._session.take():
            if isinstance(new, journal.Failed):
                raise AssertionError(f"the flow raised {new.error}\n{new.trace}")
            if isinstance(new, journal.Issued):
                self.actions.append(new.action)
                self._at_once(new)

    def _at_once(self, issued: journal.Issued) -> None:
        """Side effects run; what the service answers at once is answered; what it cancels is reported."""
        seq, action = issued.seq, issued.action
        refusal = self._refusals.pop(type(action), None)
        if refusal is not None:
            given = {"status": refusal.status, "code": refusal.code, "message": refusal.message}
            self._feed(journal.RefusedEntry.model_validate({"at": self._now, "seq": seq, **given}))
        elif isinstance(action, actions.Run):
            self._feed(journal.Answered(at=self._now, seq=seq, value=self._session.function(seq)()))
        elif action.ends_with == "answer":
            canceled = self._session.open_operations if isinstance(action, actions.CancelAllMedia) else []
            self._feed(journal.Answered(at=self._now, seq=seq, value=self.answers.get(type(action), {})))
            for operation in canceled:
                if isinstance(operation.action, actions.Play | actions.Recognize):
                    self._event(_event_of(operation.action, "canceled"), operation, 400, 8508)
        elif action.keeps_answer:
            self._feed(journal.Accepted(at=self._now, seq=seq, value={"invitationId": f"invitation-{seq}"}))


OPENING_ACTIONS = (actions.Answer, actions.CreateCall, actions.Connect)


def _event_of(action: Action, role: Role) -> str:
    """The event that says this of such an action."""
    return next(name for name, says in ROLES.items() if says.role == role and action.kind in says.action_kinds)


def _said_of(action: Action) -> list[dict[str, Any]]:
    """What the events of an action carry of its request: one for each event."""
    match action:
        case actions.AddParticipant() | actions.RemoveParticipant():
            return [{"participant": _wire(action.target)}]
        case actions.MoveParticipants():
            return [{"participant": _wire(who), "fromCall": action.from_call} for who in action.targets]
        case actions.CancelAddParticipant():
            return [{"invitationId": action.invitation_id}]
    return [{}]


def _wire(who: Identifier | str) -> dict[str, str]:
    return {"rawId": Identifier.parse(who).raw_id}
