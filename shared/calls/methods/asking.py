"""Questions: play something, listen, and ask again where nothing usable was heard."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict, Unpack

from shared.calls import actions
from shared.calls.actions import TONE_OF_KEY, Choice, Tone
from shared.calls.actions.validate import build, value
from shared.calls.failures import explained
from shared.calls.methods.base import AnyIdentifier, Methods
from shared.calls.operation import Operation, Task
from shared.calls.prompts import Words
from shared.calls.results import Recognized
from shared.errors import ActionFailed, InvalidInput, NoInput, WantsPerson
from shared.events import DIGIT_BY_TONE

BECOME_NO_INPUT = frozenset({8510, 8532, 8534, 8547, 8563, 8570})
"""Sub-codes of RecognizeFailed that are asked again and, after the last attempt, become NoInput, such as 8510, silence
(docs: recognize-action)."""

MAX_REPEATS = 5
"""How often one question is repeated on request without using up an attempt (our choice)."""


class Asking(TypedDict, total=False):
    """What every question takes; what it means stands at `recognize`."""

    participant: AnyIdentifier | None
    attempts: int
    reprompt: Words | Sequence[Words] | None
    initial_silence: int | None
    interrupt_prompt: bool
    interrupt: bool
    secret: bool


class AskingMethods(Methods):
    """Listening for choices, keys and speech."""

    def recognize(
        self,
        *prompts: Words,
        choices: Sequence[Choice | str] = (),
        max_tones: int | None = None,
        stop_tones: Sequence[Tone] = (),
        speech: bool = False,
        participant: AnyIdentifier | None = None,
        attempts: int = 1,
        reprompt: Words | Sequence[Words] | None = None,
        initial_silence: int | None = None,
        inter_tone: int | None = None,
        end_silence: float | None = None,
        interrupt_prompt: bool = True,
        interrupt: bool = False,
        language: str | None = None,
        speech_model_endpoint_id: str | None = None,
        secret: bool = False,
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
            secret: what is keyed or said is journaled encrypted, and shown nowhere.

        Raises (at the await): NoInput after the last attempt, else what any action raises.
        """
        question = self._question(
            "recognize",
            prompts,
            choices=choices,
            max_tones=max_tones,
            stop_tones=stop_tones,
            speech=speech,
            participant=participant,
            attempts=attempts,
            reprompt=reprompt,
            initial_silence=initial_silence,
            inter_tone=inter_tone,
            end_silence=end_silence,
            interrupt_prompt=interrupt_prompt,
            interrupt=interrupt,
            language=language,
            speech_model_endpoint_id=speech_model_endpoint_id,
            secret=secret,
        )
        return self._host.spawn("recognize", self._ask(question))

    def ask_choice(
        self,
        *prompts: Words,
        choices: Sequence[Choice | str],
        repeat: str | Choice | None = None,
        person: str | Choice | None = None,
        language: str | None = None,
        speech_model_endpoint_id: str | None = None,
        **more: Unpack[Asking],
    ) -> Task[str]:
        """Ask for one of several; gives its label. A string is a choice by voice alone.

        Args:
            repeat: the key that plays the question again (`"*"`), without using up an attempt, five times at most; a
                Choice with phrases of its own for voice.
            person: the key that asks for a person (`"0"`), or a Choice.

        Raises (at the await): WantsPerson; else as `recognize`.
        """
        offered = _choices("ask_choice", choices)
        ways = {name: _offer(name, way, offered) for name, way in (("repeat", repeat), ("person", person)) if way}
        question = self._question(
            "ask_choice",
            prompts,
            choices=(*offered, *ways.values()),
            repeat=ways["repeat"].label if repeat else None,
            person=ways["person"].label if person else None,
            language=language,
            speech_model_endpoint_id=speech_model_endpoint_id,
            usable=lambda heard: bool(heard.choice),
            **more,
        )
        return self._host.spawn("ask_choice", self._ask_choice(question))

    def ask_digits(
        self,
        *prompts: Words,
        min_tones: int = 1,
        max_tones: int | None = None,
        stop_tones: Sequence[Tone] = (),
        inter_tone: int | None = None,
        repeat: str | None = None,
        person: str | None = None,
        **more: Unpack[Asking],
    ) -> Task[str]:
        """Ask for keys; gives them as they stand on a phone, without the stop tone.

        The keys so far count when the time between two keys runs out.

        Args:
            min_tones: fewer keys are nothing usable: asked again while there are attempts, then NoInput.
            repeat, person: the key (`"*"`, `"0"`) that, pressed first and alone, plays the question again or asks for
                a person; as in `ask_choice`.

        Raises (at the await): WantsPerson; else as `recognize`.
        """
        if type(min_tones) is not int or not 1 <= min_tones <= (max_tones or min_tones):
            raise InvalidInput("ask_digits.min_tones", f"is {min_tones!r}.", "Give 1 to max_tones.")
        question = self._question(
            "ask_digits",
            prompts,
            max_tones=max_tones,
            stop_tones=stop_tones,
            inter_tone=inter_tone,
            repeat=_key("ask_digits.repeat", repeat, stop_tones),
            person=_key("ask_digits.person", person, stop_tones),
            usable=lambda heard: len(heard.digits) >= min_tones,
            **more,
        )
        return self._host.spawn("ask_digits", self._ask_digits(question))

    def ask_speech(
        self,
        *prompts: Words,
        end_silence: float | None = None,
        repeat: str | None = None,
        person: str | None = None,
        language: str | None = None,
        speech_model_endpoint_id: str | None = None,
        **more: Unpack[Asking],
    ) -> Task[str]:
        """Ask for free speech; gives the words, and never none.

        Args:
            repeat, person: the key (`"*"`, `"0"`) that plays the question again or asks for a person; as in
                `ask_choice`. Any other key then is nothing usable.

        Raises (at the await): WantsPerson; else as `recognize`.
        """
        question = self._question(
            "ask_speech",
            prompts,
            speech=True,
            max_tones=1 if repeat or person else None,
            end_silence=end_silence,
            repeat=_key("ask_speech.repeat", repeat),
            person=_key("ask_speech.person", person),
            language=language,
            speech_model_endpoint_id=speech_model_endpoint_id,
            usable=lambda heard: bool(heard.speech),
            **more,
        )
        return self._host.spawn("ask_speech", self._ask_speech(question))

    def ask_speech_or_digits(
        self,
        *prompts: Words,
        max_tones: int | None = None,
        stop_tones: Sequence[Tone] = (),
        inter_tone: int | None = None,
        end_silence: float | None = None,
        repeat: str | None = None,
        person: str | None = None,
        language: str | None = None,
        speech_model_endpoint_id: str | None = None,
        **more: Unpack[Asking],
    ) -> Task[Recognized]:
        """Ask for speech or keys, whichever comes first: `speech` has the words, or `digits` the keys without the stop
        tone, and one of them is there.

        Raises (at the await): WantsPerson; else as `recognize`.
        """
        if max_tones is None and not stop_tones:
            raise InvalidInput("ask_speech_or_digits.max_tones", "is missing.", "Give it, or stop_tones.")
        question = self._question(
            "ask_speech_or_digits",
            prompts,
            speech=True,
            max_tones=max_tones,
            stop_tones=stop_tones,
            inter_tone=inter_tone,
            end_silence=end_silence,
            repeat=_key("ask_speech_or_digits.repeat", repeat, stop_tones),
            person=_key("ask_speech_or_digits.person", person, stop_tones),
            language=language,
            speech_model_endpoint_id=speech_model_endpoint_id,
            usable=lambda heard: bool(heard.speech or heard.digits),
            **more,
        )
        return self._host.spawn("ask_speech_or_digits", self._ask(question))

    # How it is done

    def _question(
        self,
        method: str,
        said: Sequence[Words],
        *,
        choices: Sequence[Choice | str] = (),
        max_tones: int | None = None,
        stop_tones: Sequence[Tone] = (),
        speech: bool = False,
        participant: AnyIdentifier | None = None,
        attempts: int = 1,
        reprompt: Words | Sequence[Words] | None = None,
        repeat: str | None = None,
        person: str | None = None,
        usable: Callable[[Recognized], bool] | None = None,
        **fields: Any,
    ) -> _Question:
        if fields.get("secret"):
            self._host.secrecy.ask(method)
        keys = max_tones is not None or bool(stop_tones)
        if choices and (keys or speech):
            raise InvalidInput(f"{method}.choices", "cannot be joined with max_tones or speech.", "Choose one of them.")
        if not (choices or keys or speech):
            raise InvalidInput(method, "listens for nothing.", "Give choices, max_tones or speech=True.")
        if fields.get("language") is None and (choices or speech):
            fields["language"] = self._heard_language
        if type(attempts) is not int or attempts < 1:
            raise InvalidInput(f"{method}.attempts", f"is {attempts!r}.", "Ask at least once.")
        if repeat is not None and repeat == person:
            raise InvalidInput(f"{method}.person", f"is {person!r}, as repeat is.", "Give it another key.")
        action = build(
            actions.Recognize,
            method,
            input="choices" if choices else "speechOrDtmf" if speech and keys else "speech" if speech else "dtmf",
            participant=self._side(participant),
            prompts=self._played(f"{method}.prompts", tuple(said)),
            choices=_choices(method, choices),
            max_tones=max_tones,
            stop_tones=tuple(stop_tones),
            **fields,
        )
        self._checked(action)
        again = action
        if reprompt is not None:
            again = action.model_copy(update={"prompts": self._played(f"{method}.reprompt", reprompt)})
        return _Question(action, again, attempts, repeat, person, usable)

    async def _ask(self, question: _Question) -> Recognized:
        action, attempts, repeats = question.first, 1, 0
        while True:
            operation: Operation[Recognized] = self._host.issue(action)
            try:
                heard = await operation
            except ActionFailed as error:
                if error.sub_code not in BECOME_NO_INPUT:
                    raise
                failed = error
            else:
                if question.usable is None:
                    return heard
                heard = question.without_stop_tone(heard)
                wish = heard.choice or heard.digits
                if wish and wish == question.person:
                    raise WantsPerson(wish)
                again = bool(wish) and wish == question.repeat
                if again and repeats < MAX_REPEATS:
                    action, repeats = question.first, repeats + 1
                    continue
                if question.usable(heard) and not again:
                    return heard
                failed = explained("recognize", 400, 8510, "nothing that was asked for")
            if attempts == question.attempts:
                raise _no_input(failed) from failed
            action, attempts = question.again, attempts + 1

    async def _ask_choice(self, question: _Question) -> str:
        return (await self._ask(question)).choice or ""

    async def _ask_digits(self, question: _Question) -> str:
        return (await self._ask(question)).digits

    async def _ask_speech(self, question: _Question) -> str:
        return (await self._ask(question)).speech or ""


@dataclass(frozen=True, slots=True)
class _Question:
    """What is asked.

    Attributes:
        first, again: the first attempt, and the later ones.
        attempts: how often to ask.
        repeat, person: the label or key that asks for the question again, or for a person.
        usable: whether what was heard can be given back; None: all that the service calls a success.
    """

    first: actions.Recognize
    again: actions.Recognize
    attempts: int
    repeat: str | None
    person: str | None
    usable: Callable[[Recognized], bool] | None

    def without_stop_tone(self, heard: Recognized) -> Recognized:
        """Whether the service counts the stop tone among the keys is not documented."""
        if heard.tones and heard.tones[-1] in self.first.stop_tones:
            return heard.model_copy(update={"tones": heard.tones[:-1], "digits": heard.digits[:-1]})
        return heard


def _no_input(error: ActionFailed) -> NoInput:
    return NoInput(
        "recognize",
        error.code,
        error.sub_code,
        error.message,
        outcome=error.outcome,
        plain=error.plain,
        retryable=error.retryable,
    )


def _choices(method: str, choices: Sequence[Choice | str]) -> tuple[Choice, ...]:
    field = f"{method}.choices"
    if not isinstance(choices, list | tuple):
        raise InvalidInput(field, f"are a {type(choices).__name__}.", 'Give a list: [Choice("orders", tone="one"), …].')
    return tuple(one if isinstance(one, Choice) else value(Choice, field, label=one) for one in choices)


def _offer(name: str, way: str | Choice, offered: Sequence[Choice]) -> Choice:
    """The choice that asks for the question again, or for a person, beside those that are offered."""
    field = f"ask_choice.{name}"
    choice = way if isinstance(way, Choice) else Choice(name, tone=_tone(field, way))
    if choice.tone is not None and not any(one.tone for one in offered):
        raise InvalidInput(field, "is a key, and the choices have none.", f'Give Choice("{name}"), to be said.')
    for one in offered:
        if choice.label == one.label or (choice.tone is not None and choice.tone == one.tone):
            raise InvalidInput(field, f"is the choice {one.label!r} already.", "Give it another key or label.")
    return choice


def _key(field: str, key: str | None, stop_tones: Sequence[Tone] = ()) -> str | None:
    """The key that asks for the question again, or for a person, where keys are collected."""
    if key is None:
        return None
    tone = _tone(field, key)
    if tone in stop_tones:
        raise InvalidInput(field, f"{key!r} is a stop tone already.", "Give it another key.")
    return DIGIT_BY_TONE[tone]


def _tone(field: str, key: object) -> Tone:
    tone = TONE_OF_KEY.get(key.upper()) if isinstance(key, str) else None
    if tone is None:
        raise InvalidInput(field, f"{key!r} is not a key.", "Give one of 0-9 A-D # *.")
    return tone
