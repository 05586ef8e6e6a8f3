"""People who answer for themselves: each has a phone, such as a tab of a browser, under a number of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from acs_emulator.audio import Recogniser, Studio, Track
from acs_emulator.core.clock import Clock
from acs_emulator.core.identifiers import Identifier
from acs_emulator.core.outcomes import Outcome
from acs_emulator.core.tasks import Tasks
from acs_emulator.phones.behaviours import RING_CYCLE, named
from acs_emulator.phones.line import Conversation, Line
from acs_emulator.phones.microphone import Microphone, Utterance
from acs_emulator.phones.question import Question

#: What a mailbox says before its tone; ``{number}`` is its own.
GREETING = "You have reached the mailbox of {number}. Please leave a message after the tone."
#: Seconds of sound below which the timeline has no entry: a cough or a click. Chosen.
SHORTEST_SPEECH = 0.3
#: Seconds that a mailbox lets a call ring. Chosen: two rings.
MAILBOX_RINGS = 2 * RING_CYCLE


@dataclass(frozen=True)
class Incoming:
    """What a phone shows while it rings."""

    caller: Identifier
    display_name: str = ""


@dataclass(frozen=True)
class Ended:
    """Why a call is over: the service's words, and the reason that the app gave when it rejected it."""

    message: str = ""
    sub_code: int = 0
    rejected: str = ""
    connected: bool = False


class Person:
    """One phone: it is in one call at a time, and busy meanwhile.

    Args:
        identifier: number or user id.
        withheld: calls without a number, and cannot be called.
        mailbox: takes calls by itself, with a greeting and a tone.
        changed: told whenever there is something new to show.
    """

    def __init__(
        self,
        identifier: Identifier,
        changed: Callable[[], None],
        *,
        withheld: bool = False,
        mailbox: bool = False,
    ) -> None:
        self.identifier = identifier
        self.withheld = withheld
        self.mailbox = mailbox
        self.incoming: Incoming | None = None
        self.line: LiveLine | None = None
        self.ended: Ended | None = None
        #: Whom the phone is calling, or has called.
        self.dialled: Identifier | None = None
        self.changed = changed
        self._reply: asyncio.Future[bool] | None = None

    @property
    def busy(self) -> bool:
        return self.incoming is not None or self.line is not None

    async def ring(self, incoming: Incoming, seconds: float) -> bool | None:
        """Ring for so many wall-clock seconds: whether the call was taken; None if nobody did anything."""
        self.incoming, self.ended = incoming, None
        self._reply = asyncio.get_running_loop().create_future()
        self.changed()
        try:
            async with asyncio.timeout(seconds):
                return await self._reply
        except TimeoutError:
            self.ended = Ended("You did not answer.")
            return None
        except asyncio.CancelledError:
            self.ended = Ended("The caller gave up.")
            raise
        finally:
            self.incoming = self._reply = None
            self.changed()

    def answer(self) -> None:
        """Take the call that rings, if one does."""
        self._decide(True)

    def decline(self) -> None:
        """Refuse the call that rings, if one does."""
        self._decide(False)

    def _decide(self, taken: bool) -> None:
        if self._reply is not None and not self._reply.done():
            self._reply.set_result(taken)

    def picked_up(self, line: LiveLine) -> None:
        """The phone is off the hook: it dials, or has answered."""
        self.line, self.ended = line, None
        self.changed()

    def put_down(self, line: LiveLine, ended: Ended) -> None:
        """The call is over for this phone."""
        if self.line is line:
            self.line, self.ended = None, ended
            self.changed()

    def forget(self) -> None:
        """The emulator was reset: there is no call any more."""
        if self.busy:
            self.ended = Ended("The emulator was reset.")
        self.line = self.incoming = None
        self.changed()


class LiveLine(Line):
    """Has no script, unless it is a mailbox. Keys and typed words count as those of a scripted phone.

    Speech into the microphone is sound alone, which interrupts no prompt and answers no question, as what was said is
    not known: unless there is a recogniser and the app asks for phrases.
    """

    def __init__(
        self,
        call: Conversation,
        person: Person,
        *,
        clock: Clock,
        tasks: Tasks,
        studio: Studio,
        recogniser: Recogniser | None,
    ) -> None:
        script = named("mailbox", GREETING.format(number=_digits(person.identifier))) if person.mailbox else ()
        super().__init__(call, person.identifier, script, None, clock=clock, tasks=tasks, studio=studio)
        self.person = person
        #: What the app waits for from this phone.
        self.question: Question | None = None
        self.connected_ms: float | None = None
        #: What it hears while it is on hold.
        self.hold_audio = Track(clock.samples)
        self._recogniser = recogniser
        self._microphone = Microphone(clock.samples, self._speech_began, self._speech_ended)
        #: What was asked when the utterance began that goes on.
        self._answering: Question | None = None
        person.picked_up(self)

    def connected(self) -> None:
        super().connected()
        if self.connected_ms is None:
            self.connected_ms = self._clock.monotonic_ms()
        self.person.changed()

    def dropped(self, outcome: Outcome) -> None:
        was_connected = self.on_line
        super().dropped(outcome)
        rejected = self.call.rejected
        self.person.put_down(self, Ended(outcome.message, outcome.sub_code, rejected, was_connected))

    def asked(self, question: Question | None = None) -> None:
        super().asked(question)
        self.question = question
        self.person.changed()

    def unasked(self) -> None:
        super().unasked()
        self.question = None
        self.person.changed()

    def hear_microphone(self, pcm: bytes) -> None:
        """A frame of 20 ms; let go while the phone is not connected. Raises ValueError for another length."""
        if self.on_line:
            self._microphone.hear(pcm, self.track)

    def microphone_off(self) -> None:
        """No frame follows for a while."""
        if self.on_line:
            self._microphone.stop()

    def _speech_began(self) -> None:
        question = self.question
        if self._recogniser is not None and question is not None and question.phrases:
            self._answering = question
            self.call.speech_began(self.identifier, "", 0.0)

    def _speech_ended(self, utterance: Utterance) -> None:
        question, self._answering = self._answering, None
        if question is None or self._recogniser is None:
            if utterance.seconds >= SHORTEST_SPEECH:
                self.call.note("phone", "speaks", f"{utterance.seconds:.1f} s", self.identifier.value)
            return
        work = self._recognise(self._recogniser, utterance, question.phrases)
        self._tasks.start(work, f"recognition of {self.identifier.raw_id}")

    async def _recognise(self, recogniser: Recogniser, utterance: Utterance, phrases: tuple[str, ...]) -> None:
        text = await asyncio.to_thread(recogniser.recognise, utterance.pcm, phrases)
        utterance.span.text = text
        if not self.on_line:
            return
        if text:
            self.call.note("phone", "says", text, self.identifier.value)
            self.call.words_found(self.identifier, text, utterance.seconds)
        else:
            self.call.note(
                "phone", "speaks", f"{utterance.seconds:.1f} s, none of what was asked for", self.identifier.value
            )
        self.call.speech_ended(self.identifier, text)


def _digits(identifier: Identifier) -> str:
    """A number as it is read out."""
    return " ".join(character for character in identifier.value if character.isdigit())
