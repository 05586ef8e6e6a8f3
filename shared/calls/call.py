"""What a flow sees: the call and everything that can be done on it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal, Protocol, TypeVar, cast

from shared.calls import actions
from shared.calls.actions import Action, Choice, Tone
from shared.calls.journal import Started
from shared.calls.operation import FirstOf, Operation, Pending, Task
from shared.calls.prompts import Prompt
from shared.calls.record import CallRecord
from shared.calls.results import Recognized
from shared.errors import ActionFailed, CallEnded, InvalidInput, NoInput
from shared.events import CallEvent, Participant
from shared.identifiers import Identifier

T = TypeVar("T")

NOTHING_USABLE = frozenset({8510, 8532, 8534, 8547, 8563, 8570})
"""Sub-codes of a recognize that heard nothing usable: asking again may help (docs: recognize-action)."""

MAX_CHOICE_SILENCE = 20
"""Seconds of initial silence that choices and speech may wait; DTMF may wait 300 (docs: recognize-action)."""


class Host(Protocol):
    """What a call needs of the session that runs it."""

    record: CallRecord
    started: Started
    now: int
    participants: tuple[Participant, ...]

    def issue(self, action: Action, function: Callable[[], Any] | None = None) -> Operation[Any]:
        """Ask for an action."""

    def spawn(self, label: str, coroutine: Coroutine[Any, Any, T]) -> Task[T]:
        """Run a coroutine beside the flow."""

    def wait_signal(self, name: str) -> Pending[Any]:
        """The next signal of this name."""

    def wait_end(self) -> Pending[CallEnded]:
        """The end of the call."""


class Call:
    """One call. Every action starts when its method is called; `await` waits for its outcome.

    What an `await` can raise is the CallError branch of `shared.errors`: ActionRefused, ActionFailed,
    ActionCanceled, TimedOut, and CallEnded once the call is over.
    """

    def __init__(self, host: Host) -> None:
        self._host = host

    # What is known of the call

    @property
    def id(self) -> str:
        """Switchboard's id of the call."""
        return self._host.record.call_id

    @property
    def direction(self) -> Literal["inbound", "outbound"]:
        """Who placed it: somebody (`inbound`) or this app (`outbound`)."""
        return self._host.started.direction

    @property
    def caller(self) -> Identifier | None:
        """Who calls."""
        return self._host.started.caller

    @property
    def callee(self) -> Identifier | None:
        """Who is called."""
        return self._host.started.callee

    @property
    def other_side(self) -> Identifier:
        """The one to talk to: the caller of an inbound call, the callee of an outbound one."""
        side = self.caller if self.direction == "inbound" else self.callee
        if side is None:
            raise InvalidInput("participant", "is not known for this call.", "Name the participant.")
        return side

    @property
    def context(self) -> Mapping[str, str]:
        """Custom SIP and VoIP headers that came with the call."""
        return self._host.started.context

    @property
    def input(self) -> Any:
        """What the app gave to an outbound flow."""
        return self._host.started.input

    @property
    def now(self) -> datetime:
        """The time of what happened last; a flow reads this instead of the clock."""
        return datetime.fromtimestamp(self._host.now / 1000, UTC)

    @property
    def status(self) -> Literal["ringing", "connecting", "connected", "ended"]:
        """Where the call stands."""
        return self._host.record.status

    @property
    def participants(self) -> tuple[Participant, ...]:
        """Who takes part, as of the newest ParticipantsUpdated."""
        return self._host.participants

    # Opening a call; only flows with `opens=True` need these

    def answer(self) -> Operation[CallEvent]:
        """Answer the ringing call; gives CallConnected."""
        return self._host.issue(actions.Answer())

    def reject(self, reason: Literal["none", "busy", "forbidden"] = "none") -> Operation[None]:
        """Refuse the ringing call."""
        return self._host.issue(actions.Reject(reason=reason))

    def redirect(self, target: Identifier | str) -> Operation[None]:
        """Send the ringing call to somebody else; the app loses control of it."""
        return self._host.issue(redirect_action(target, caller=self.caller))

    def create_call(
        self,
        target: Identifier | str,
        *,
        caller_id: Identifier | str | None = None,
        display_name: str | None = None,
    ) -> Operation[CallEvent]:
        """Place the call; gives CallConnected. A phone number needs a caller id."""
        return self._host.issue(create_call_action(target, caller_id=caller_id, display_name=display_name))

    # Media

    def play(
        self,
        *prompts: Prompt,
        to: Identifier | str | Sequence[Identifier | str] = (),
        loop: bool = False,
        interrupt: bool = False,
    ) -> Operation[CallEvent]:
        """Play prompts, one after the other, to everybody or to the named participants.

        Args:
            loop: repeat until cancelled or interrupted; such a play never completes by itself.
            interrupt: start at once, over what plays now; only for a play to everybody.
        """
        if not prompts:
            raise InvalidInput("play.prompts", "is empty.", "Give at least one of file(…), text(…), ssml(…).")
        listeners = (to,) if isinstance(to, Identifier | str) else to
        targets = tuple(Identifier.parse(listener) for listener in listeners)
        if targets and interrupt:
            raise InvalidInput(
                "play.interrupt", "is for a play to everybody.", "Leave out `to`, or cancel_all_media first."
            )
        return self._host.issue(actions.Play(sources=prompts, to=targets, loop=loop, interrupt=interrupt))

    def recognize(
        self,
        *prompts: Prompt,
        choices: Sequence[Choice] = (),
        max_tones: int | None = None,
        stop_tones: Sequence[Tone] = (),
        speech: bool = False,
        participant: Identifier | str | None = None,
        attempts: int = 1,
        reprompt: Prompt | Sequence[Prompt] | None = None,
        initial_silence: int | None = None,
        inter_tone: int | None = None,
        end_silence: float | None = None,
        interrupt_prompt: bool = True,
        interrupt: bool = False,
        language: str | None = None,
    ) -> Task[Recognized]:
        """Ask for something and listen: choices, or keys, or speech, or keys and speech whichever comes first.

        Args:
            prompts: what is played first; the listener may talk or key over it unless interrupt_prompt is off.
            choices: what may be said or pressed. Give a tone for every choice or for none.
            max_tones: keys to collect; without choices and speech it is what makes this a DTMF recognize.
            stop_tones: keys that end the input early.
            speech: listen for free speech.
            participant: who is listened to; the other side unless told.
            attempts: how often to ask before NoInput is raised.
            reprompt: what is played from the second attempt on; the same prompts unless told.
            initial_silence: seconds to wait for the first word or key (the service's default is 5).
            inter_tone: seconds to wait between keys, 1 to 60 (the service's default is 2).
            end_silence: seconds of silence that end speech (the service's default is 0.5).
            interrupt: start at once, over what plays now.

        Raises (at the await): NoInput after the last attempt, else what any action raises.
        """
        action = recognize_action(
            prompts,
            choices=choices,
            max_tones=max_tones,
            stop_tones=stop_tones,
            speech=speech,
            participant=self.other_side if participant is None else Identifier.parse(participant),
            initial_silence=initial_silence,
            inter_tone=inter_tone,
            end_silence=end_silence,
            interrupt_prompt=interrupt_prompt,
            interrupt=interrupt,
            language=language,
        )
        if attempts < 1:
            raise InvalidInput("recognize.attempts", f"is {attempts}.", "Ask at least once.")
        again = action.prompts if reprompt is None else _several(reprompt)
        return self._host.spawn("recognize", self._ask(action, action.model_copy(update={"prompts": again}), attempts))

    async def _ask(self, first: actions.Recognize, again: actions.Recognize, attempts: int) -> Recognized:
        for attempt in range(1, attempts + 1):
            operation: Operation[Recognized] = self._host.issue(first if attempt == 1 else again)
            try:
                return await operation
            except ActionFailed as error:
                if error.sub_code not in NOTHING_USABLE:
                    raise
                if attempt == attempts:
                    raise NoInput("recognize", error.code, error.sub_code, error.message) from error
        raise AssertionError("unreachable: the last attempt returns or raises")

    def cancel_all_media(self) -> Operation[None]:
        """Stop what plays, what listens and what is queued; those raise ActionCanceled."""
        return self._host.issue(actions.CancelAllMedia())

    # The call itself

    def hang_up(self) -> Operation[None]:
        """Leave the call; in a call of two this ends it."""
        return self._host.issue(actions.HangUp())

    def terminate(self) -> Operation[None]:
        """End the call for everybody."""
        return self._host.issue(actions.Terminate())

    def get_call(self) -> Operation[Mapping[str, Any]]:
        """Ask the service for the call's properties (`callConnectionState`, `targets`, …)."""
        return self._host.issue(actions.GetCall())

    def ended(self) -> Pending[CallEnded]:
        """The end of the call: await it to leave the call to others and learn when they are done."""
        return self._host.wait_end()

    # What is not the service's

    def sleep(self, seconds: float) -> Operation[None]:
        """Wait, without holding anything: a queue message wakes the flow, seconds to days later."""
        return self._host.issue(actions.Sleep(seconds=seconds))

    def signal(self, name: str) -> Pending[Any]:
        """The next signal of this name from the HTTP API, with its data. One that came earlier counts."""
        return self._host.wait_signal(name)

    def run(self, function: Callable[..., T], *args: Any, **kwargs: Any) -> Operation[T]:
        """Call a function with side effects; its result, which must be JSON, is journaled.

        It runs once, but for a crash between its end and the commit of its result: then it runs again. What
        it raises arrives as ActionRefused. It may run after the call has ended.
        """
        name = getattr(function, "__qualname__", type(function).__name__)
        return self._host.issue(actions.Run(name=name), lambda: function(*args, **kwargs))

    # Several at once

    async def race(self, *contenders: Pending[Any] | Coroutine[Any, Any, Any]) -> Pending[Any]:
        """Wait until one is done and give that one back: compare it by `is`, read it by `.result()`.

        Operations that did not win go on in the service; coroutines that did not win are stopped.
        """
        pendings = self._started(contenders)
        winner = await FirstOf(pendings)
        for contender, pending in zip(contenders, pendings, strict=True):
            if pending is not winner and isinstance(pending, Task) and contender is not pending:
                pending.abandon()
        return winner

    async def gather(self, *parts: Pending[Any] | Coroutine[Any, Any, Any]) -> list[Any]:
        """Wait for all and give their results in order; raises the first error, in order, once all are done."""
        pendings = self._started(parts)
        for pending in pendings:
            if not pending.done:
                await FirstOf((pending,))
        return [pending.result() for pending in pendings]

    def _started(self, parts: Sequence[Pending[Any] | Coroutine[Any, Any, Any]]) -> tuple[Pending[Any], ...]:
        if not parts:
            raise InvalidInput("race/gather", "got nothing to wait for.", "Give at least one operation.")
        return tuple(part if isinstance(part, Pending) else self._host.spawn("part", part) for part in parts)


def redirect_action(target: Identifier | str, *, caller: Identifier | None) -> actions.Redirect:
    """A checked redirect: the service cannot redirect a VoIP call to a phone number."""
    to = Identifier.parse(target)
    if caller is not None and to.phone_number is not None and caller.phone_number is None:
        raise InvalidInput(
            "redirect.target",
            "is a phone number and the caller is not on a phone; the service does not support that.",
            "Answer the call and transfer it, or redirect it to a user.",
        )
    return actions.Redirect(target=to)


def create_call_action(
    target: Identifier | str, *, caller_id: Identifier | str | None = None, display_name: str | None = None
) -> actions.CreateCall:
    """A checked create call: a phone number needs a caller id."""
    to = Identifier.parse(target)
    source = None if caller_id is None else Identifier.parse(caller_id)
    if to.phone_number is not None and source is None:
        raise InvalidInput("create_call.caller_id", "is missing.", "A phone target needs a number of yours to show.")
    if source is not None and source.phone_number is None:
        raise InvalidInput("create_call.caller_id", f"{source.raw_id!r} is not a phone number.", "Give +E.164.")
    return actions.CreateCall(target=to, caller_id=source, display_name=display_name)


def recognize_action(
    prompts: Sequence[Prompt],
    *,
    choices: Sequence[Choice],
    max_tones: int | None,
    stop_tones: Sequence[Tone],
    speech: bool,
    participant: Identifier,
    initial_silence: int | None,
    inter_tone: int | None,
    end_silence: float | None,
    interrupt_prompt: bool,
    interrupt: bool,
    language: str | None,
) -> actions.Recognize:
    """A checked recognize; its input type follows from what is asked for."""
    keys = max_tones is not None or bool(stop_tones)
    if choices and (keys or speech):
        raise InvalidInput("recognize.choices", "cannot be joined with max_tones or speech.", "Choose one of them.")
    if not (choices or keys or speech):
        raise InvalidInput("recognize", "listens for nothing.", "Give choices, max_tones or speech=True.")
    if choices and 0 < sum(choice.tone is not None for choice in choices) < len(choices):
        raise InvalidInput("recognize.choices", "have tones only in part.", "Give every choice a tone, or none.")
    for name, values in (
        ("label", [c.label for c in choices]),
        ("tone", [c.tone for c in choices if c.tone]),
    ):
        if len(set(values)) < len(values):
            raise InvalidInput(f"recognize.choices.{name}", "stands twice.", f"Give each choice its own {name}.")
    limit = MAX_CHOICE_SILENCE if choices or speech else 300
    if initial_silence is not None and not 0 <= initial_silence <= limit:
        raise InvalidInput("recognize.initial_silence", f"is {initial_silence}.", f"Give 0 to {limit} seconds.")
    if inter_tone is not None and not 1 <= inter_tone <= 60:
        raise InvalidInput("recognize.inter_tone", f"is {inter_tone}.", "Give 1 to 60 seconds.")
    if max_tones is not None and max_tones < 1:
        raise InvalidInput("recognize.max_tones", f"is {max_tones}.", "Give at least 1.")
    kind = "choices" if choices else "speechOrDtmf" if speech and keys else "speech" if speech else "dtmf"
    return actions.Recognize(
        input=cast(Literal["dtmf", "speech", "speechOrDtmf", "choices"], kind),
        participant=participant,
        prompts=tuple(prompts),
        choices=tuple(choices),
        max_tones=max_tones,
        stop_tones=tuple(stop_tones),
        initial_silence=initial_silence,
        inter_tone=inter_tone,
        end_silence=end_silence,
        interrupt_prompt=interrupt_prompt,
        interrupt=interrupt,
        language=language,
    )


def _several(prompts: Prompt | Sequence[Prompt]) -> tuple[Prompt, ...]:
    return tuple(prompts) if isinstance(prompts, Sequence) else (prompts,)
