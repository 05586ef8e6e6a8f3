"""Hold and unhold, with the audio that a held participant hears."""

from __future__ import annotations

from typing import Any

from acs_emulator.audio import PromptError, Track
from acs_emulator.calls.call import APP_HOLD, Call, Participant
from acs_emulator.calls.leg_observer import LegObserver
from acs_emulator.calls.reply import ReplyTo
from acs_emulator.core import outcomes
from acs_emulator.media.play import SHORTEST
from acs_emulator.media.sources import failure, load, words
from acs_emulator.phones.live import LiveLine


class HoldAudio:
    """What one held participant hears; its events carry the context of the hold request.

    Args:
        ear: what the phone of a person hears meanwhile; None for a scripted phone, which has no ears.
    """

    def __init__(self, reply: ReplyTo, source: dict[str, Any], ear: Track | None) -> None:
        self._reply = reply
        self._source = source
        self._ear = ear
        self._started = False
        self._task = reply.leg.service.tasks.start(self._run(), f"hold audio on {reply.leg.id}")

    async def _run(self) -> None:
        # The audio repeats until unhold: of events, there are only those of its begin and its end.
        injected = self._reply.leg.injected("CallMedia_Hold")
        if injected is not None:
            self._reply.emit("HoldFailed", None, injected)
            return
        try:
            clip = await load(self._source, self._reply.leg)
        except PromptError as error:
            self._reply.emit("HoldFailed", None, failure(error))
            return
        self._started = True
        self._reply.emit("HoldAudioStarted", None, outcomes.COMPLETED)
        while self._ear is not None:
            self._ear.add(clip, "prompt", words([self._source]))
            await self._reply.leg.service.clock.sleep(max(clip.duration, SHORTEST))

    def stop(self) -> None:
        """Nothing sounds any more; there is no event."""
        self._task.cancel()
        if self._ear is not None:
            self._ear.cut()

    def end(self) -> None:
        """Unhold: the audio counts as cancelled (recorded 2025)."""
        self.stop()
        if self._started:
            self._reply.emit("HoldAudioCompleted", None, outcomes.CANCELED)


class Holds(LegObserver):
    """The participants that a leg holds, and what they hear meanwhile."""

    def __init__(self) -> None:
        #: By raw id of the participant.
        self._audio: dict[str, HoldAudio] = {}

    def hold(self, target: Participant, source: dict[str, Any] | None, reply: ReplyTo) -> None:
        """ParticipantsUpdated, and HoldAudioStarted if there is audio; no other event tells of success (docs)."""
        if target.hold(APP_HOLD):
            reply.leg.call.participants_changed()
        reply.leg.call.note("app", "holds", target.identifier.value)
        if source is not None:
            raw_id, phone = target.identifier.raw_id, target.endpoint
            if raw_id in self._audio:
                self._audio[raw_id].stop()
            ear = phone.hold_audio if isinstance(phone, LiveLine) else None
            self._audio[raw_id] = HoldAudio(reply, source, ear)

    def unhold(self, call: Call, target: Participant) -> None:
        """HoldAudioCompleted if there was audio, then ParticipantsUpdated (recorded 2025)."""
        call.note("app", "takes off hold", target.identifier.value)
        audio = self._audio.pop(target.identifier.raw_id, None)
        if audio is not None:
            audio.end()
        if target.unhold(APP_HOLD):
            call.participants_changed()

    def dropped(self) -> None:
        for audio in self._audio.values():
            audio.stop()
        self._audio.clear()
