"""What is heard and said."""

from __future__ import annotations

from collections.abc import Sequence

from shared.calls import actions
from shared.calls.actions import TONE_OF_KEY, Choice, Tone
from shared.calls.methods.base import Methods, Somebody, several
from shared.calls.operation import Operation, Pending, Task
from shared.calls.prompts import Prompt
from shared.calls.results import Recognized
from shared.calls.rules import build
from shared.errors import ActionFailed, InvalidInput, NoInput
from shared.events import CallEvent
from shared.identifiers import Identifier

NOTHING_USABLE = frozenset({8510, 8532, 8534, 8547, 8563, 8570})
"""Sub-codes of a recognize that heard nothing usable: asking again may help (docs: recognize-action)."""


class MediaMethods(Methods):
    """Playing, listening, keys, hold."""

    def play(
        self,
        *prompts: Prompt,
        to: Somebody | Sequence[Somebody] = (),
        loop: bool = False,
        interrupt: bool = False,
    ) -> Operation[CallEvent]:
        """Play prompts, one after the other, to everybody or to the named participants.

        Args:
            loop: repeat until cancelled or interrupted; such a play never completes by itself.
            interrupt: start at once, over what plays now; only for a play to everybody.
        """
        targets: tuple[Identifier, ...] = ()
        if to:  # seldom, and a replay comes here for every prompt of the call
            targets = tuple(map(Identifier.parse, (to,) if isinstance(to, Identifier | str) else to))
        return self._host.issue(build(actions.Play, prompts=prompts, to=targets, loop=loop, interrupt=interrupt))

    def recognize(
        self,
        *prompts: Prompt,
        choices: Sequence[Choice] = (),
        max_tones: int | None = None,
        stop_tones: Sequence[Tone] = (),
        speech: bool = False,
        participant: Somebody | None = None,
        attempts: int = 1,
        reprompt: Prompt | Sequence[Prompt] | None = None,
        initial_silence: int | None = None,
        inter_tone: int | None = None,
        end_silence: float | None = None,
        interrupt_prompt: bool = True,
        interrupt: bool = False,
        language: str | None = None,
        speech_model_endpoint_id: str | None = None,
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
        keys = max_tones is not None or bool(stop_tones)
        if choices and (keys or speech):
            raise InvalidInput("recognize.choices", "cannot be joined with max_tones or speech.", "Choose one of them.")
        if not (choices or keys or speech):
            raise InvalidInput("recognize", "listens for nothing.", "Give choices, max_tones or speech=True.")
        if language is None and (choices or speech):
            language = self._heard_language
        action = build(
            actions.Recognize,
            input="choices" if choices else "speechOrDtmf" if speech and keys else "speech" if speech else "dtmf",
            participant=self._side(participant),
            prompts=prompts,
            choices=tuple(choices),
            max_tones=max_tones,
            stop_tones=tuple(stop_tones),
            initial_silence=initial_silence,
            inter_tone=inter_tone,
            end_silence=end_silence,
            interrupt_prompt=interrupt_prompt,
            interrupt=interrupt,
            language=language,
            speech_model_endpoint_id=speech_model_endpoint_id,
        )
        if attempts < 1:
            raise InvalidInput("recognize.attempts", f"is {attempts}.", "Ask at least once.")
        self._checked(action)
        again = action if reprompt is None else action.model_copy(update={"prompts": several(reprompt)})
        return self._host.spawn("recognize", self._ask(action, again, attempts))

    async def _ask(self, first: actions.Recognize, again: actions.Recognize, attempts: int) -> Recognized:
        for attempt in range(1, attempts + 1):
            operation: Operation[Recognized] = self._host.issue(first if attempt == 1 else again)
            try:
                return await operation
            except ActionFailed as error:
                if error.sub_code not in NOTHING_USABLE:
                    raise
                if attempt == attempts:
                    raise NoInput(
                        "recognize",
                        error.code,
                        error.sub_code,
                        error.message,
                        outcome=error.outcome,
                        plain=error.plain,
                        retryable=error.retryable,
                    ) from error
        raise AssertionError("unreachable: the last attempt returns or raises")

    def cancel_all_media(self) -> Operation[None]:
        """Stop what plays, what listens and what is queued; those raise ActionCanceled."""
        return self._host.issue(actions.CancelAllMedia())

    # Keys

    def start_continuous_dtmf(self, participant: Somebody | None = None) -> Operation[None]:
        """Report every key of a participant from here on; read them with `next_tone`."""
        return self._host.issue(actions.StartContinuousDtmf(participant=self._side(participant)))

    def stop_continuous_dtmf(self, participant: Somebody | None = None) -> Operation[CallEvent]:
        """Stop reporting keys."""
        return self._host.issue(actions.StopContinuousDtmf(participant=self._side(participant)))

    def next_tone(self) -> Pending[str]:
        """The next key of continuous DTMF, as it stands on a phone, in the order in which the keys were pressed.

        One that was pressed earlier and not yet read counts.
        """
        return self._host.wait_tone()

    def send_dtmf(self, keys: str, *, participant: Somebody | None = None) -> Operation[CallEvent]:
        """Press keys towards a phone: `123#`; at most 18."""
        unknown = sorted({key for key in keys.upper() if key not in TONE_OF_KEY})
        if unknown:
            raise InvalidInput("send_dtmf.tones", f"has {unknown}, which no phone has.", "Use 0-9 A-D # *.")
        tones = tuple(TONE_OF_KEY[key] for key in keys.upper())
        return self._host.issue(build(actions.SendDtmf, tones=tones, participant=self._side(participant)))

    # Hold

    def hold(self, participant: Somebody | None = None, *, audio: Prompt | None = None) -> Operation[None]:
        """Put a participant on hold, with audio if given."""
        return self._host.issue(actions.Hold(participant=self._side(participant), audio=audio))

    def unhold(self, participant: Somebody | None = None) -> Operation[None]:
        """Take a participant off hold."""
        return self._host.issue(actions.Unhold(participant=self._side(participant)))
