"""What a flow sees: the call and everything that can be done on it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any, Generic, Literal, ParamSpec, cast

from typing_extensions import TypeVar

from shared.calls import actions
from shared.calls.actions.validate import build
from shared.calls.flow_host import FlowHost
from shared.calls.journal import Logged, Resulted
from shared.calls.json_values import json_object, json_value, plain_text
from shared.calls.methods.calling import CallingMethods
from shared.calls.methods.consent import ConsentMethods
from shared.calls.methods.language import LanguageMethods
from shared.calls.methods.off_record import OffRecordMethods
from shared.calls.methods.streaming import StreamingMethods
from shared.calls.methods.together import TogetherMethods
from shared.calls.operation import Operation, Pending
from shared.calls.record import Status
from shared.calls.typed_input import started_input
from shared.errors import CallEnded, InvalidInput
from shared.events import Participant, TeamsPhoneCallDetails
from shared.identifiers import Identifier

T = TypeVar("T")
P = ParamSpec("P")
Input = TypeVar("Input", default=Any)
"""What `call.input` is: `Call[Reminder]` for a flow with `input=Reminder`, anything for a plain `Call`."""

MAX_DETAILS = 8_000
"""Characters of the details of a result, as JSON (our choice): they stand in the head of the call, which holds 32,000
in a column."""

SIGNAL_NAME = "^[A-Za-z0-9_.-]{1,64}$"
"""What a signal can be called: its name is a part of a URL."""


class Call(
    CallingMethods,
    LanguageMethods,
    ConsentMethods,
    TogetherMethods,
    StreamingMethods,
    OffRecordMethods,
    Generic[Input],
):
    """One call. Every action starts when its method is called; `await` waits for its outcome.

    What an `await` can raise is the CallError branch of `shared.errors` (ActionRefused, ActionFailed, ActionCanceled,
    TimedOut, …), WantsPerson where a question offers a person, and CallEnded once the call is over.
    """

    def __init__(self, host: FlowHost) -> None:
        super().__init__(host)
        self._input: Input | None = None

    # What is known of the call

    @property
    def id(self) -> str:
        """Switchboard's id of the call."""
        return self._host.record.call_id

    @property
    def connection_id(self) -> str:
        """The service's id of the app's own connection; empty until the call is up."""
        return self._host.record.call_connection_id

    @property
    def direction(self) -> Literal["inbound", "outbound"]:
        """Who placed it: somebody (`inbound`) or this app (`outbound`)."""
        return self._host.started.direction

    @property
    def caller(self) -> Identifier | None:
        """Who calls; where the flow places the call, its number as of the newest create_call."""
        return self._host.started.caller or _known(self._host.record.caller)

    @property
    def callee(self) -> Identifier | None:
        """Who is called; where the flow places the call, the first target of its newest create_call."""
        return self._host.started.callee or _known(self._host.record.callee)

    @property
    def other_side(self) -> Identifier:
        """The one to talk to: the caller of an inbound call, the callee of an outbound one."""
        return self._side(None)

    @property
    def context(self) -> Mapping[str, str]:
        """Custom SIP and VoIP headers that came with the call."""
        return self._host.started.context

    @property
    def display_name(self) -> str:
        """The caller's name, as their side gives it; empty where it gives none."""
        return self._host.started.display_name

    @property
    def on_behalf_of(self) -> Identifier | None:
        """Whose call it is, where the callee takes it for somebody else, as a delegate in Teams does."""
        return self._host.started.on_behalf_of

    @property
    def teams(self) -> TeamsPhoneCallDetails | None:
        """What Teams says of a call that was passed on from there: `intent`, `call_topic`, `caller.name`, …"""
        return self._host.started.teams

    @property
    def input(self) -> Input:
        """What the call was started with; an instance of the flow's model if it has one, else JSON.

        InvalidInput if it does not fit the model: the code has changed since, or a call came in that has none.
        """
        model, given = self._host.input_model, self._host.started.input
        if model is None:
            return cast(Input, given)
        if self._input is None:
            self._input = cast(Input, started_input(model, given))
        return self._input

    @property
    def now(self) -> datetime:
        """The time of what happened last, in UTC and aware of it; a flow reads this instead of the clock."""
        return datetime.fromtimestamp(self._host.now / 1000, UTC)

    @property
    def status(self) -> Status:
        """Where the call is: `waiting` until its flow places it, and again after an attempt that failed."""
        return self._host.record.status

    @property
    def attempts(self) -> int:
        """How often its flow has placed the call by now."""
        return self._host.record.attempts

    @property
    def participants(self) -> tuple[Participant, ...]:
        """Who takes part, as of the newest ParticipantsUpdated."""
        return self._host.participants

    # What the flow says of it

    def result(self, result: str, **details: Any) -> None:
        """Say what came of the call (`confirmed`, `no_answer`), with details; the last one counts.

        It shows in the call's record, in lists and reports, and in the event `Switchboard.CallFinished`, without what
        is secret on this call. InvalidInput for a result that is no word of at most 64 characters, and for details that
        are not JSON.
        """
        if not isinstance(result, str) or not re.fullmatch(SIGNAL_NAME, result):
            raise InvalidInput("result", f"{result!r} is not a valid word.", "Use letters, digits, _ . -, at most 64.")
        result = self._host.secrecy.shown(result)
        kept = json_object("result", self._host.secrecy.values.masked(json_object("result", details)))
        if len(json.dumps(kept)) > MAX_DETAILS:
            raise InvalidInput(
                "result", f"has details of more than {MAX_DETAILS:,} characters.", "Keep those elsewhere, by call.run."
            )
        self._host.note(Resulted(at=self._host.now, result=result, details=kept))

    def log(self, message: str, **fields: Any) -> None:
        """Write a line to the call's journal and to the app's log, once: not again when the flow is replayed. A text
        in it that holds what is secret on this call is replaced by `secret`."""
        if not isinstance(message, str):
            raise InvalidInput("log", f"got a {type(message).__name__}, not a text.", 'Write: call.log("…", value=x).')
        said, masked = json_value("log", message), self._host.secrecy.values.masked
        self._host.note(Logged(at=self._host.now, message=masked(said), fields=masked(json_object("log", fields))))

    def version(self, name: str) -> bool:
        """Mark steps that were inserted while calls were up: `if call.version("ask-language"): …`.

        True for calls that come here with the code that has the mark, False for those that had passed when it was
        deployed; the first answer of a call counts for all of it.
        """
        if not isinstance(name, str) or not re.fullmatch(SIGNAL_NAME, name):
            raise InvalidInput("version", f"{name!r} is not a valid name.", "Use letters, digits, _ . -, at most 64.")
        return self._host.version(name)

    def ended(self) -> Pending[CallEnded]:
        """The end of the call: await it to leave the call to others and learn when they are done."""
        return self._host.wait_end()

    # What is not the service's

    def sleep(self, seconds: float) -> Operation[None]:
        """Wait, without holding anything: a queue message wakes the flow, seconds to days later."""
        return self._host.issue(build(actions.Sleep, seconds=seconds))

    def signal(self, name: str, *, secret: bool = False) -> Pending[Any]:
        """The next signal of this name from the HTTP API, with its data.

        It goes to who waits for it when it comes, else to the next who does: one that came earlier counts, and a wait
        that is over takes none.

        Args:
            secret: signals of this name are journaled encrypted from here on: say it before one can come.
        """
        if not re.fullmatch(SIGNAL_NAME, name):
            raise InvalidInput("signal.name", f"{name!r} can never come.", "Use letters, digits, _ . -, at most 64.")
        return self._host.wait_signal(name, secret=secret)

    def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Operation[T]:
        """Call a function with side effects; its result, which must be JSON, is journaled.

        It runs once, but for a crash before its result is committed: then it runs again, three times in all. What it
        raises arrives as RunFailed. It may run after the call has ended.
        """
        return self._run(False, function, *args, **kwargs)

    def run_secret(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Operation[T]:
        """The same, and what it gives back or raises is journaled encrypted, and in no log."""
        return self._run(True, function, *args, **kwargs)

    def _run(self, secret: bool, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Operation[T]:
        if not callable(function):
            raise InvalidInput(
                "run", f"got a {type(function).__name__}, not a function.", "Write: await call.run(f, x), not f(x)."
            )
        name = plain_text(getattr(function, "__qualname__", type(function).__name__))
        return self._host.issue(actions.Run(name=name, secret=secret), partial(function, *args, **kwargs))


def _known(raw_id: str) -> Identifier | None:
    return Identifier(raw_id=raw_id) if raw_id else None
