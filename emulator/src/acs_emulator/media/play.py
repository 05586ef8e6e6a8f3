"""Play: files and speech, to everyone or to some."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from acs_emulator.audio import Clip, PromptError
from acs_emulator.calls.call import Leg, Participant
from acs_emulator.calls.reply import ReplyTo
from acs_emulator.core import outcomes
from acs_emulator.media.engine import MediaOperation
from acs_emulator.media.sources import failure, load, words

T = TypeVar("T")
#: Seconds between the request and the sound. Recorded about 1 s; chosen shorter.
START_DELAY = 0.2
#: Least seconds that one source takes, so that an empty file in a loop does not spin.
SHORTEST = 0.05


class Play(MediaOperation):
    """PlayStarted with the first sound, then PlayCompleted or PlayFailed; a loop ends only by cancellation."""

    name = "Play"

    def __init__(
        self,
        reply: ReplyTo,
        sources: Sequence[dict[str, Any]],
        targets: list[Participant],
        *,
        loop: bool,
    ) -> None:
        super().__init__(reply, main=not targets)
        self._sources = sources
        self._targets = targets
        self._loop = loop

    async def run(self) -> None:
        held = self._hold_others()
        try:
            await self._play()
        finally:
            if held and not self.leg.call.ended:
                self._tell_if_any([participant.unhold(self) for participant in held])

    def _hold_others(self) -> list[Participant]:
        """Who is not played to waits on hold meanwhile (recorded 2025)."""
        call = self.leg.call
        others = [p for p in call.participants if p not in self._targets] if self._targets else []
        self._tell_if_any([participant.hold(self) for participant in others])
        return others

    def _tell_if_any(self, changes: list[bool]) -> None:
        if any(changes):
            self.leg.call.participants_changed()

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
                        self.reply.emit("PlayStarted", None, outcomes.COMPLETED)
                        leg.call.note("app", "plays", words(self._sources))
                        leg.call.prompted(leg, started=True, to=self._targets)
                    await sound(leg, clip, words([source]), self._targets, leg.service.clock.sleep)
                if not self._loop:
                    self.finish("Completed", outcomes.COMPLETED)
                    return
        finally:
            if started:
                leg.call.prompted(leg, started=False, to=self._targets)


async def sound(
    leg: Leg, clip: Clip, text: str, targets: list[Participant], wait: Callable[[float], Awaitable[T]]
) -> T:
    """A prompt on the app's track, for as long as it lasts; what is cancelled is cut off.

    ``wait`` is given the seconds that it lasts; a result is what interrupted it, and cuts it off.
    """
    audience = [target.identifier.raw_id for target in targets] or None
    span = leg.track.add(clip, "prompt", text, audience=audience)
    clock = leg.service.clock
    try:
        interrupted = await wait(max(clip.duration, SHORTEST))
    except asyncio.CancelledError:
        span.cut(clock.samples())
        raise
    if interrupted is not None:
        span.cut(clock.samples())
    return interrupted
