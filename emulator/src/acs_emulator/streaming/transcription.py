"""Transcription: the words of the phones' scripts as the service would have heard them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from acs_emulator.audio.words import CONFIDENCE, spoken_words
from acs_emulator.calls.call import Leg
from acs_emulator.core import outcomes
from acs_emulator.core.clock import utc_now
from acs_emulator.core.errors import Conflict
from acs_emulator.streaming.frames import transcription_data, transcription_metadata
from acs_emulator.streaming.socket import ServiceSocket
from acs_emulator.streaming.subscription import Subscription

#: Least seconds between two intermediate results. Chosen.
INTERMEDIATE_SECONDS = 0.5


class Transcription(Subscription):
    """TranscriptionStarted, results, TranscriptionStopped."""

    name = "Transcription"
    status = "transcription"
    unconnected = "streamConnectionUnsuccessful"
    interrupted = outcomes.TRANSCRIPTION_FAILED

    def __init__(self, leg: Leg, options: dict[str, Any]) -> None:
        starts = bool(options.get("startTranscription", False))
        super().__init__(leg, options["transportUrl"], leg.service.ids.guid(), starts=starts)
        self.locale: str = options["locale"]
        self.intermediate = bool(options.get("enableIntermediateResults", False))

    @staticmethod
    def update(status: str, details: str) -> dict[str, Any]:
        return {"transcriptionUpdate": {"transcriptionStatus": status, "transcriptionStatusDetails": details}}

    def opened(self, socket: ServiceSocket) -> None:
        self._introduce()

    def change_locale(self, locale: str | None, context: str | None, url: str | None) -> None:
        """TranscriptionUpdated; the event carries the start's context when the request has none (recorded)."""
        if self._socket is None:
            raise Conflict("Transcription is not started.")
        outcome = self.leg.injected("CallMedia_UpdateTranscription")
        if outcome is not None:
            self._tell("Failed", outcome, "unspecifiedError", context or self._context, url)
            return
        self.locale = locale or self.locale
        self._introduce()
        self._tell("Updated", outcomes.COMPLETED, "transcriptionLocaleUpdated", context or self._context, url)

    def refuse_summary(self, context: str | None, url: str | None) -> None:
        """TranscriptionCallSummaryUpdated: no summary is made here. Raises Conflict."""
        if self._socket is None:
            raise Conflict("Transcription is not started.")
        specific = self.update("callSummaryUpdated", "callSummaryFailure")
        self.leg.emit("TranscriptionCallSummaryUpdated", specific, outcomes.SUMMARY_NOT_MADE, context, url)

    def speech_began(self, raw_id: str, text: str, seconds: float) -> None:
        if self.state == "active":
            self.leg.service.tasks.start(self._hear(raw_id, text, seconds), f"transcription on {self.leg.id}")

    def words_found(self, raw_id: str, text: str, seconds: float) -> None:
        """The words of what has just been said: one final result."""
        words = spoken_words(text, seconds)
        if self.state == "active" and words:
            began = utc_now() - timedelta(seconds=seconds)
            self._send(transcription_data(words, began, raw_id, final=True, confidence=CONFIDENCE, text=text))

    async def _hear(self, raw_id: str, text: str, seconds: float) -> None:
        """An utterance that begins now and takes so long; its words come as it goes on."""
        words = spoken_words(text, seconds)
        if self._socket is None or not words:
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
        if self._socket is not None:
            self._socket.send(text)

    def wire(self) -> dict[str, Any]:
        """TranscriptionSubscription as GET shows it."""
        kinds = ["intermediate", "final"] if self.intermediate else ["final"]
        return {"id": self.id, "state": self.state, "subscribedResultTypes": kinds, "locale": self.locale}
