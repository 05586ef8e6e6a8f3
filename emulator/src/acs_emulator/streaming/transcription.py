"""Transcription: the words of the phones' scripts as the service would have heard them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from acs_emulator import outcomes
from acs_emulator.clock import utc_now
from acs_emulator.errors import Conflict
from acs_emulator.media.recognize import CONFIDENCE
from acs_emulator.streaming.frames import transcription_data, transcription_metadata
from acs_emulator.streaming.socket import ServiceSocket
from acs_emulator.streaming.subscription import Subscription

if TYPE_CHECKING:
    from acs_emulator.legs import Leg

#: Least seconds between two intermediate results. Chosen.
INTERMEDIATE_SECONDS = 0.5


class Transcription(Subscription):
    """TranscriptionStarted, results, TranscriptionStopped."""

    name = "Transcription"
    status = "transcription"
    unconnected = "streamConnectionUnsuccessful"
    unreached = outcomes.STREAM_URL_INVALID
    interrupted = outcomes.TRANSCRIPTION_FAILED

    def __init__(self, leg: Leg, options: dict[str, Any]) -> None:
        super().__init__(leg, options["transportUrl"], leg.service.ids.guid())
        self.locale: str = options["locale"]
        self.intermediate = bool(options.get("enableIntermediateResults", False))
        self._output: ServiceSocket | None = None

    def update(self, status: str, details: str) -> dict[str, Any]:
        return {"transcriptionUpdate": {"transcriptionStatus": status, "transcriptionStatusDetails": details}}

    def opened(self, socket: ServiceSocket) -> None:
        self._output = socket
        self._introduce()

    def closed(self) -> None:
        self._output = None

    def received(self, text: str) -> None:
        """Nothing is expected here from the application: ignored."""

    def change_locale(self, locale: str | None, context: str | None, url: str | None) -> None:
        """TranscriptionUpdated; the event carries the start's context when the request has none (recorded)."""
        if self._output is None:
            raise Conflict("Transcription is not started.")
        outcome = self.leg.injected("CallMedia_UpdateTranscription")
        if outcome is not None:
            self._tell("Failed", outcome, "unspecifiedError", context or self._context, url)
            return
        self.locale = locale or self.locale
        self._introduce()
        self._tell("Updated", outcomes.COMPLETED, "transcriptionLocaleUpdated", context or self._context, url)

    async def hear(self, raw_id: str, text: str, seconds: float) -> None:
        """An utterance that begins now and takes so long; its words come as it goes on."""
        words = spoken_words(text, seconds)
        if self._output is None or not words:
            return
        clock, began = self.leg.service.clock, utc_now()
        passed = 0.0
        for index, (_, offset, duration) in enumerate(words[:-1]):
            due = offset + duration
            if not self.intermediate or due - passed < INTERMEDIATE_SECONDS:
                continue
            await clock.sleep(due - passed)
            passed = due
            heard = [(word.lower().strip(".,;:!?"), at, length) for word, at, length in words[: index + 1]]
            self._send(transcription_data(heard, began, raw_id, final=False, confidence=CONFIDENCE))
        await clock.sleep(seconds - passed)
        self._send(transcription_data(words, began, raw_id, final=True, confidence=CONFIDENCE, text=text))

    def _introduce(self) -> None:
        self._send(transcription_metadata(self.id, self.locale, self.leg.id, self.leg.call.correlation_id))

    def _send(self, text: str) -> None:
        if self._output is not None:
            self._output.send(text)

    def wire(self) -> dict[str, Any]:
        """TranscriptionSubscription as GET shows it."""
        kinds = ["intermediate", "final"] if self.intermediate else ["final"]
        return {"id": self.id, "state": self.state, "subscribedResultTypes": kinds, "locale": self.locale}


def spoken_words(text: str, seconds: float) -> list[tuple[str, float, float]]:
    """The words with offset and duration in seconds: the time shared out by letters, as nothing better is known."""
    words = [word for word in text.split() if any(character.isalnum() for character in word)]
    letters = sum(len(word) + 1 for word in words)
    shared: list[tuple[str, float, float]] = []
    begin = 0.0
    for word in words:
        length = seconds * (len(word) + 1) / letters
        shared.append((word, begin, length))
        begin += length
    return shared
