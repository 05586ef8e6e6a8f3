"""Play: files and speech, to everyone or to some."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from acs_emulator import outcomes
from acs_emulator.audio import Clip, PromptError
from acs_emulator.media.engine import MediaOperation
from acs_emulator.media.sources import failure, load, words

if TYPE_CHECKING:
    from acs_emulator.calls import Participant
    from acs_emulator.legs import Leg

#: Seconds between the request and the sound. Recorded about 1 s; chosen shorter.
START_DELAY = 0.2
#: Least seconds that one source takes, so that an empty file in a loop does not spin.
SHORTEST = 0.05


class Play(MediaOperation):
    """PlayStarted with the first sound, then PlayCompleted or PlayFailed; a loop ends only by cancellation."""

    name = "Play"

    def __init__(
        self,
        leg: Leg,
        sources: Sequence[dict[str, Any]],
        targets: list[Participant],
        *,
        loop: bool,
        context: str | None,
        url: str | None,
    ) -> None:
        super().__init__(leg, context, url, main=not targets)
        self._sources = sources
        self._targets = targets
        self._loop = loop

    async def run(self) -> None:
        held = self._hold_others()
        try:
            await self._play()
        finally:
            if held and not self.leg.call.ended:
                for participant in held:
                    participant.set_on_hold(False)
                self.leg.call.participants_changed()

    def _hold_others(self) -> list[Participant]:
        """Who is not played to waits on hold meanwhile (recorded 2025)."""
        call = self.leg.call
        others = [p for p in call.participants if p not in self._targets and not p.on_hold] if self._targets else []
        for participant in others:
            participant.set_on_hold(True)
        if others:
            call.participants_changed()
        return others

    async def _play(self) -> None:
        leg = self.leg
        await leg.service.clock.sleep(START_DELAY)
        injected = leg.injected("CallMedia_Play")
        if injected is not None:
            self.finish("Failed", injected)
            return
        started = False
        try:
            while True:
                for index, source in enumerate(self._sources):
                    try:
                        clip = await load(source, leg)
                    except PromptError as error:
                        leg.call.note("service", "cannot play", str(error))
                        self.finish("Failed", failure(error), {"failedPlaySourceIndex": index})
                        return
                    if not started:
                        started = True
                        leg.emit("PlayStarted", context=self.context, url=self.url)
                        leg.call.note("app", "plays", words(self._sources))
                        leg.call.prompted(leg, started=True, to=self._targets)
                    await sound(leg, clip, words([source]), self._targets)
                if not self._loop:
                    self.finish("Completed", outcomes.COMPLETED)
                    return
        finally:
            if started:
                leg.call.prompted(leg, started=False, to=self._targets)


async def sound(leg: Leg, clip: Clip, text: str, targets: list[Participant]) -> None:
    """A prompt on the app's track, for as long as it lasts; what is cancelled is cut off."""
    audience = [target.identifier.raw_id for target in targets] or None
    span = leg.track.add(clip, "prompt", text, audience=audience)
    try:
        await leg.service.clock.sleep(max(clip.duration, SHORTEST))
    except asyncio.CancelledError:
        span.cut(leg.service.clock.samples())
        raise
