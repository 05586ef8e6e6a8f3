"""Play: files and speech, to everyone or to some."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from emulator import outcomes
from emulator.audio import PromptError
from emulator.media.engine import MediaOperation
from emulator.media.sources import failure, load, words

if TYPE_CHECKING:
    from emulator.calls import Participant
    from emulator.legs import Leg

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
                    participant.on_hold = False
                self.leg.call.participants_changed()

    def _hold_others(self) -> list[Participant]:
        """Who is not played to waits on hold meanwhile (recorded 2025)."""
        call = self.leg.call
        others = [p for p in call.participants if p not in self._targets and not p.on_hold] if self._targets else []
        for participant in others:
            participant.on_hold = True
        if others:
            call.participants_changed()
        return others

    async def _play(self) -> None:
        leg, clock = self.leg, self.leg.service.clock
        await clock.sleep(START_DELAY)
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
                        self._tell_phones(started=True)
                    await clock.sleep(max(clip.duration, SHORTEST))
                if not self._loop:
                    self.finish("Completed", outcomes.COMPLETED)
                    return
        finally:
            if started:
                self._tell_phones(started=False)

    def _tell_phones(self, *, started: bool) -> None:
        for line in self.leg.call.lines:
            if not self._targets or any(target.endpoint is line for target in self._targets):
                if started:
                    line.prompt_started()
                else:
                    line.prompt_ended()
