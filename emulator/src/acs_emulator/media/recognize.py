"""Recognize: keys, choices and speech, with the service's outcomes."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from acs_emulator.audio import PromptError
from acs_emulator.audio.words import CONFIDENCE
from acs_emulator.calls.call import Participant
from acs_emulator.calls.leg_observer import LegObserver
from acs_emulator.calls.reply import ReplyTo
from acs_emulator.core import outcomes
from acs_emulator.core.outcomes import Outcome
from acs_emulator.media.engine import MediaOperation
from acs_emulator.media.play import START_DELAY, sound
from acs_emulator.media.sources import load, words
from acs_emulator.phones.line import Line
from acs_emulator.phones.question import Option, Question
from acs_emulator.phones.script import KEYS, TONES

#: Seconds without any input before recognition fails (docs: recognize-action).
INITIAL_SILENCE = 5.0
#: Seconds between two keys (docs: recognize-action).
INTER_TONE = 2.0
#: Seconds of silence that end an utterance (docs: recognize-action).
END_SILENCE = 0.5


@dataclass(frozen=True)
class _Input:
    """What the participant did: a key, the start of an utterance, or an utterance."""

    kind: str
    text: str = ""


class Recognize(MediaOperation, LegObserver):
    """One RecognizeCompleted, RecognizeFailed or RecognizeCanceled."""

    name = "Recognize"

    def __init__(
        self,
        reply: ReplyTo,
        request: dict[str, Any],
        prompts: Sequence[dict[str, Any]],
        target: Participant,
        *,
        main: bool,
    ) -> None:
        super().__init__(reply, main=main)
        options = request["recognizeOptions"]
        dtmf = options.get("dtmfOptions") or {}
        self._prompts = prompts
        self._target = target
        self._type = request["recognizeInputType"]
        self._interruptible = bool(options.get("interruptPrompt", False))
        self._silence = _given(options.get("initialSilenceTimeoutInSeconds"), INITIAL_SILENCE)
        self._inter_tone = _given(dtmf.get("interToneTimeoutInSeconds"), INTER_TONE)
        self._max_tones: int | None = dtmf.get("maxTonesToCollect")
        self._stop_tones: list[str] = dtmf.get("stopTones") or []
        self._choices: list[dict[str, Any]] = options.get("choices") or []
        end_silence = (options.get("speechOptions") or {}).get("endSilenceTimeoutInMs")
        self._end_silence = END_SILENCE if end_silence is None else end_silence / 1000
        choices = tuple(
            Option(one["label"], KEYS.get(one.get("tone") or "", ""), tuple(one.get("phrases") or ()))
            for one in self._choices
        )
        self._question = Question(self._type, choices, self._max_tones)
        self._inputs: asyncio.Queue[_Input] = asyncio.Queue()
        self._listening = False

    # -- what the phone does -----------------------------------------------------------------------

    def key_pressed(self, raw_id: str, key: str) -> None:
        if self._hears(raw_id) and self._type != "speech":
            self._inputs.put_nowait(_Input("key", TONES[key]))

    def speech_began(self, raw_id: str, text: str, seconds: float) -> None:
        if self._hears(raw_id) and self._type != "dtmf":
            self._inputs.put_nowait(_Input("speech started"))

    def speech_ended(self, raw_id: str, text: str) -> None:
        if self._hears(raw_id) and self._type != "dtmf":
            self._inputs.put_nowait(_Input("speech", text))

    def _hears(self, raw_id: str) -> bool:
        return self._listening and raw_id == self._target.identifier.raw_id

    # -- what the service does ---------------------------------------------------------------------

    async def run(self) -> None:
        try:
            await self.leg.service.clock.sleep(START_DELAY)
            injected = self.leg.injected("CallMedia_Recognize")
            if injected is not None:
                self.finish("Failed", injected)
                return
            first = await self._play_prompts()
            if self.finished:
                return
            self._ask()
            if first is None:
                first = await self._next(self._silence)
            if first is None:
                self.finish("Failed", outcomes.INITIAL_SILENCE)
            elif first.kind != "key":
                await self._spoken(first)
            elif self._type == "choices":
                self._chosen_by_key(first.text)
            else:
                await self._collect(first.text)
        finally:
            self._listening = False
            for line in self._lines():
                line.unasked()

    async def _play_prompts(self) -> _Input | None:
        """Play the prompts; the input that interrupted them, if it may and did."""
        leg, audience = self.leg, [] if self.main else [self._target]
        wait: Callable[[float], Awaitable[_Input | None]]
        wait = self._next if self._interruptible else leg.service.clock.sleep
        for index, source in enumerate(self._prompts):
            try:
                clip = await load(source, leg)
            except PromptError as error:
                leg.call.note("service", "cannot play", str(error))
                self.finish("Failed", outcomes.PROMPT_FAILED, {"failedPlaySourceIndex": index})
                return None
            if index == 0:
                leg.call.note("app", "asks", words(self._prompts))
                self._each_line("prompt_started")
            if self._interruptible:
                self._ask()
            try:
                interrupted = await sound(leg, clip, words([source]), audience, wait)
            except asyncio.CancelledError:
                self._each_line("prompt_ended")
                raise
            if interrupted is not None or index == len(self._prompts) - 1:
                self._each_line("prompt_ended")
            if interrupted is not None:
                return interrupted
        if not self._prompts:
            leg.call.note("app", "asks")
        return None

    def _ask(self) -> None:
        if not self._listening:
            self._listening = True
            for line in self._lines():
                line.asked(self._question)

    def _each_line(self, signal: str) -> None:
        for line in self._lines():
            getattr(line, signal)()

    def _lines(self) -> list[Line]:
        """The phone that is asked, if it is in the call."""
        return [line for line in self.leg.call.lines if self._target.endpoint is line]

    async def _next(self, seconds: float) -> _Input | None:
        """The next input within ``seconds``, or None."""
        try:
            async with asyncio.timeout(self.leg.service.clock.real(seconds)):
                return await self._inputs.get()
        except TimeoutError:
            return None

    async def _collect(self, tone: str) -> None:
        """Keys until a stop tone, the full count or a pause (docs: recognize-action)."""
        tones: list[str] = []
        while True:
            if tone in self._stop_tones:
                # Whether the stop tone is among the tones is not published: chosen, it is not.
                self._dtmf(outcomes.STOP_TONE, tones)
                return
            tones.append(tone)
            if self._max_tones is not None and len(tones) >= self._max_tones:
                self._dtmf(outcomes.MAX_DIGITS, tones)
                return
            following = await self._next_key()
            if following is None:
                self._dtmf(outcomes.INTER_TONE_TIMEOUT, tones)
                return
            tone = following

    async def _next_key(self) -> str | None:
        """The next key; speech no longer counts once a key has come (docs: first input type wins)."""
        clock = self.leg.service.clock
        deadline = clock.now() + self._inter_tone
        while (left := deadline - clock.now()) > 0:
            following = await self._next(left)
            if following is not None and following.kind == "key":
                return following.text
        return None

    async def _spoken(self, first: _Input) -> None:
        """Take the utterance to its end, then judge it."""
        heard: list[str] = []
        speaking = first.kind == "speech started"
        if first.kind == "speech":
            heard.append(first.text)
        while True:
            # An utterance that has begun has no time limit of its own; the phone always ends it.
            following = await (self._inputs.get() if speaking else self._next(self._end_silence))
            if following is None:
                break
            if following.kind == "speech started":
                speaking = True
            elif following.kind == "speech":
                heard.append(following.text)
                speaking = False
        text = " ".join(heard).strip()
        if not _plain(text):
            self.finish("Failed", outcomes.SPEECH_NOT_RECOGNIZED)
        elif self._type == "choices":
            self._chosen_by_speech(text)
        else:
            result = {"speech": text, "confidence": CONFIDENCE}
            self._complete(outcomes.SPEECH_RECOGNIZED, "speech", {"speechResult": result})

    def _chosen_by_key(self, tone: str) -> None:
        choice = next((choice for choice in self._choices if choice.get("tone") == tone), None)
        if choice is None:
            self.finish("Failed", outcomes.WRONG_TONE)
            return
        # recognizedPhrase is null when the choice was made by key (docs: recognize-ai-action).
        result = {"label": choice["label"], "recognizedPhrase": None}
        self._complete(outcomes.TONE_MATCHED, "choices", {"choiceResult": result})

    def _chosen_by_speech(self, text: str) -> None:
        said = f" {_plain(text)} "
        for choice in self._choices:
            for phrase in choice["phrases"]:
                if _plain(phrase) and f" {_plain(phrase)} " in said:
                    result = {"label": choice["label"], "recognizedPhrase": phrase, "confidence": CONFIDENCE}
                    self._complete(outcomes.SPEECH_MATCHED, "choices", {"choiceResult": result})
                    return
        self.finish("Failed", outcomes.SPEECH_NO_MATCH)

    def _dtmf(self, outcome: Outcome, tones: list[str]) -> None:
        self._complete(outcome, "dtmf", {"dtmfResult": {"tones": tones}})

    def _complete(self, outcome: Outcome, recognition_type: str, result: dict[str, Any]) -> None:
        self.finish("Completed", outcome, {"recognitionType": recognition_type, **result})


def _given(value: float | None, default: float) -> float:
    return default if value is None else value


def _plain(text: str) -> str:
    """Lower case, words only, so that punctuation and case do not matter."""
    return " ".join(re.findall(r"\w+", text.casefold()))
