"""One virtual phone in one call."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any, Protocol

from acs_emulator.audio import Clip, SpeechError, Studio, Track, beep, key_tones, murmur, phone_voice
from acs_emulator.core.clock import SAMPLE_RATE, Clock
from acs_emulator.core.identifiers import Identifier
from acs_emulator.core.outcomes import Outcome
from acs_emulator.core.tasks import Tasks
from acs_emulator.phones.question import Question
from acs_emulator.phones.script import Step

#: Seconds from one key to the next.
KEY_SECONDS = 0.25
#: Seconds that a key's tone lasts. Chosen.
TONE_SECONDS = 0.1
#: Seconds that an utterance takes when no speech can be made: so much, and so much for each word.
UTTERANCE_SECONDS, WORD_SECONDS = 0.2, 0.35
#: Longest speech in seconds, as of the Speech service ("Speech service quotas and limits").
LONGEST_MURMUR = 600.0
#: Wall-clock seconds by which a busy machine may be late: speech with an ``at`` still stands where it should. Chosen.
ALLOWED_LATENESS = 1.0
#: What speech that has no word in it sounds like.
_MUMBLE = "mm hm mm"


class Conversation(Protocol):
    """The call that a phone is in, which is told what the phone does."""

    @property
    def rejected(self) -> str:
        """The reason that the app gave when it rejected the call; empty: it did not."""
        ...

    def note(self, who: str, what: str, text: str = "", party: str = "") -> None: ...

    def key_pressed(self, phone: Identifier, key: str) -> None: ...

    def speech_began(self, phone: Identifier, text: str, seconds: float) -> None: ...

    def speech_ended(self, phone: Identifier, text: str) -> None: ...

    def words_found(self, phone: Identifier, text: str, seconds: float) -> None: ...

    def hung_up(self, phone: Identifier) -> None: ...


class Line:
    """A phone on the line. Runs its script from the moment it is connected.

    Each ``when`` uses up what it waited for: a second ``asked`` waits for the next recognition. Steps are timed
    by where the script stands, not by when the machine comes to it, so that lateness does not add up; speech with an
    ``at`` is in the recording exactly there, even if a stream that listens has missed its first moment.
    """

    is_phone = True

    def __init__(
        self,
        call: Conversation,
        identifier: Identifier,
        script: tuple[Step, ...],
        voice: str | None,
        *,
        clock: Clock,
        tasks: Tasks,
        studio: Studio,
    ) -> None:
        self.call = call
        self.identifier = identifier
        self.script = script
        self.voice = voice or phone_voice(identifier.raw_id)
        self.track = Track(clock.samples)
        self._clock = clock
        self._tasks = tasks
        self._studio = studio
        #: SIP headers that came with the call, where they reach this phone.
        self.sip_headers: dict[str, str] = {}
        #: Keys that the other side sent.
        self.keys_heard = ""
        self.on_line = False
        self.step = 0
        #: Where the script stands, and what ``at`` counts from, as positions on the emulated clock.
        self._due = 0
        self._origin = 0
        self._asking = False
        #: How often what can be waited for has happened, and how much of it the script has used up, by condition.
        self._happened: Counter[str] = Counter()
        self._used: Counter[str] = Counter()
        self._changed = asyncio.Event()
        self._changed_at = 0
        self._clips: dict[str, Clip] = {}
        self._script_task: asyncio.Task[Any] | None = None
        if any(step.say for step in script):
            tasks.start(self._rehearse(), f"speech of {identifier.raw_id}")

    # -- what happens to the phone -----------------------------------------------------------------

    def connected(self) -> None:
        self.on_line = True
        self._origin = self._due = self._clock.samples()
        if self.script and self._script_task is None:
            self._script_task = self._tasks.start(self._run(), f"script of {self.identifier.raw_id}")

    def dropped(self, outcome: Outcome) -> None:
        """The call is over for this phone."""
        self.on_line = False
        self.track.cut()
        if self._script_task is not None and self._script_task is not asyncio.current_task():
            self._script_task.cancel()

    def joined(self) -> None:
        """Another phone has come into the call."""
        self._happened["joined"] += 1
        self._pulse()

    def prompt_started(self) -> None:
        self._happened["prompted"] += 1
        self._pulse()

    def prompt_ended(self) -> None:
        self._happened["prompt ended"] = self._happened["prompted"]
        self._pulse()

    def asked(self, question: Question | None = None) -> None:
        """The app listens to this phone; ``question`` is what for."""
        self._happened["asked"] += 1
        self._asking = True
        self._pulse()

    def hear_key(self, key: str) -> None:
        """A key that the application sent (SendDtmfTones)."""
        self.keys_heard += key
        self._happened["tones"] += 1
        self.call.note("phone", "hears key", key, self.identifier.value)
        self._pulse()

    def unasked(self) -> None:
        self._asking = False

    def _pulse(self) -> None:
        self._changed_at = self._clock.samples()
        self._changed.set()
        self._changed = asyncio.Event()

    # -- what the phone does -----------------------------------------------------------------------

    async def press(self, keys: str) -> None:
        """Press keys one after the other."""
        for index, key in enumerate(keys):
            if index:
                await self._clock.sleep(KEY_SECONDS)
            if not self.on_line:
                return
            self.call.note("phone", "presses", key, self.identifier.value)
            self.track.add(key_tones(key, tone=TONE_SECONDS, gap=0), "keys", key)
            self.call.key_pressed(self.identifier, key)

    async def say(self, text: str, start: int | None = None) -> None:
        """Speak, for as long as the sound lasts; who listens hears the begin at once and the words at the end.

        ``start`` is when the sound ought to have begun, if that has just passed.
        """
        clip = await self._spoken(text)
        if not self.on_line:
            return
        clock = self._clock
        self.call.note("phone", "says", text, self.identifier.value)
        span = self.track.add(clip, "speech", text, start=None if start is None else self._unless_late(start))
        self.call.speech_began(self.identifier, text, clip.duration)
        self._due = span.end
        await clock.sleep((span.end - clock.samples()) / SAMPLE_RATE)
        self.call.speech_ended(self.identifier, text)

    async def _beep(self) -> None:
        clip = beep()
        self.call.note("phone", "beeps", party=self.identifier.value)
        self._due = self.track.add(clip, "tone", "beep").end
        await self._clock.sleep((self._due - self._clock.samples()) / SAMPLE_RATE)

    async def _rehearse(self) -> None:
        """Have the script's speech made while the phone still rings, so that it begins on time."""
        for step in self.script:
            if step.say:
                await self._spoken(step.say)

    async def _spoken(self, text: str) -> Clip:
        if text in self._clips:
            return self._clips[text]
        words = text if any(character.isalnum() for character in text) else _MUMBLE
        try:
            clip = await self._studio.speak_as(words, self.voice)
            return self._clips.setdefault(text, clip.trimmed())
        except SpeechError:
            return murmur(min(UTTERANCE_SECONDS + WORD_SECONDS * len(text.split()), LONGEST_MURMUR))

    def hang_up(self) -> None:
        """Leave the call; what rings or is connected for this phone ends."""
        self.call.hung_up(self.identifier)

    async def _run(self) -> None:
        clock = self._clock
        for index, step in enumerate(self.script):
            self.step = index
            if step.when is not None:
                await self._wait_for(step.when)
                self._origin = self._due
            if step.at is not None:
                self._due = max(self._due, self._origin + round(step.at * SAMPLE_RATE))
            self._due += round(step.after * SAMPLE_RATE)
            if (ahead := self._due - clock.samples()) > 0:
                await clock.sleep(ahead / SAMPLE_RATE)
            if step.press is not None:
                await self.press(step.press)
                self._due = clock.samples()
            elif step.say is not None:
                await self.say(step.say, None if step.at is None else self._due)
            elif step.beep:
                await self._beep()
            elif step.hang_up:
                self.hang_up()
                return
        self.step = len(self.script)

    def _unless_late(self, due: int) -> int:
        """``due``, or now when that is too long ago: then the conversation is not as it was written, and says so."""
        clock = self._clock
        late = clock.real((clock.samples() - due) / SAMPLE_RATE)
        if late <= ALLOWED_LATENESS:
            return due
        what = f"{late:.1f} s after its time: this machine is too busy, or --speed too high"
        self.call.note("service", "lets speech begin", what, self.identifier.value)
        return clock.samples()

    async def _wait_for(self, condition: str) -> None:
        while not self._ready(condition):
            await self._changed.wait()
            self._due = self._changed_at
        self._used[condition] = self._happened[condition]
        if condition == "asked":
            # A later step then means a later prompt than the one of this question.
            self._used["prompted"] = self._used["prompt ended"] = self._happened["prompted"]

    def _ready(self, condition: str) -> bool:
        if condition == "connected":
            return self.on_line
        sounding = self._happened["prompted"] > self._happened["prompt ended"]
        now = {"asked": self._asking, "prompted": sounding}.get(condition, True)
        return now and self._happened[condition] > self._used[condition]

    def state(self) -> dict[str, Any]:
        return {
            "id": self.identifier.raw_id,
            "connected": self.on_line,
            "step": self.step,
            "steps": len(self.script),
            "asked": self._asking,
            "keysHeard": self.keys_heard,
            "sipHeaders": self.sip_headers,
        }
