"""Rehearse a flow: say what the caller does, look at what the flow asks for. No service, no store, no clock.

The rules are those of production: what `run` gives back is JSON, its errors are RunFailed, the caller can choose
what is offered and press as many keys as are collected. After each step the flow is replayed from its journal, and
while it runs it is watched for what no replay can repeat.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar, cast

from shared.calls import actions, journal, service_stand_in
from shared.calls.actions import TONE_OF_KEY, Action
from shared.calls.beginning import begin_with
from shared.calls.do_not_record import RecordingGuard
from shared.calls.flow import Flow
from shared.calls.lifecycle import FIRST_COMMAND
from shared.calls.prompts import prompts_of, words_of
from shared.calls.rehearsed_call import RehearsedCall
from shared.calls.service_stand_in import Heard, event_of, wire
from shared.calls.store.memory import MemoryDoNotRecord
from shared.errors import ActionRefused
from shared.identifiers import Identifier
from shared.privacy import NumberHashes

A = TypeVar("A", bound=Action)

LANGUAGE = "en-US"
"""What the setting SPEECH_LANGUAGE is by default."""


class Rehearsal(RehearsedCall):
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
        self._keys = 0
        super().__init__(flow, runs, RecordingGuard(_listed(do_not_record)), now, fails=fails, secrets=secrets)
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
            if action.spec.queued:
                heard += [words for prompt in prompts_of(action) if (words := words_of(prompt))]
        return heard

    def hung_up(self) -> bool:
        """True once the flow asked to end the call."""
        return any(action.spec.closes for action in self.actions)

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

    def _hear(self, heard: Heard) -> None:
        self._event(heard.name, self._open(actions.Recognize), heard.code, heard.sub_code, **heard.data)

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


def _listed(numbers: Iterable[str]) -> MemoryDoNotRecord:
    """A do-not-record list of these."""
    listed = MemoryDoNotRecord(NumberHashes(base64.b64encode(b"a rehearsal").decode()))
    for number in numbers:
        listed.add(Identifier.parse(number).raw_id)
    return listed
