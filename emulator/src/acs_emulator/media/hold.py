"""Hold and unhold, with the audio that a held participant hears."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from acs_emulator import outcomes
from acs_emulator.audio import PromptError
from acs_emulator.media.sources import failure, load

if TYPE_CHECKING:
    from acs_emulator.calls import Participant
    from acs_emulator.legs import Leg


class HoldAudio:
    """What one held participant hears; its events carry the context of the hold request."""

    def __init__(self, leg: Leg, source: dict[str, Any], context: str | None, url: str | None) -> None:
        self._leg = leg
        self._source = source
        self._context = context
        self._url = url
        self._started = False
        self._task = leg.service.tasks.start(self._run(), f"hold audio on {leg.id}")

    async def _run(self) -> None:
        # The audio repeats until unhold: only its begin and its end can be seen.
        injected = self._leg.injected("CallMedia_Hold")
        if injected is not None:
            self._leg.emit("HoldFailed", None, injected, self._context, self._url)
            return
        try:
            await load(self._source, self._leg)
        except PromptError as error:
            self._leg.emit("HoldFailed", None, failure(error), self._context, self._url)
            return
        self._started = True
        self._leg.emit("HoldAudioStarted", None, outcomes.COMPLETED, self._context, self._url)

    def end(self) -> None:
        """Unhold: the audio counts as cancelled (recorded 2025)."""
        self._task.cancel()
        if self._started:
            self._leg.emit("HoldAudioCompleted", None, outcomes.CANCELED, self._context, self._url)


def hold(leg: Leg, target: Participant, source: dict[str, Any] | None, context: str | None, url: str | None) -> None:
    """ParticipantsUpdated, and HoldAudioStarted if there is audio; no other event tells of success (docs)."""
    if not target.on_hold:
        target.set_on_hold(True)
        leg.call.participants_changed()
    leg.call.note("app", "holds", target.identifier.value)
    if source is not None:
        leg.hold_audio[target.identifier.raw_id] = HoldAudio(leg, source, context, url)


def unhold(leg: Leg, target: Participant) -> None:
    """HoldAudioCompleted if there was audio, then ParticipantsUpdated (recorded 2025)."""
    leg.call.note("app", "takes off hold", target.identifier.value)
    audio = leg.hold_audio.pop(target.identifier.raw_id, None)
    if audio is not None:
        audio.end()
    if target.on_hold:
        target.set_on_hold(False)
        leg.call.participants_changed()
