"""SendDtmfTones: keys sent to a phone number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from emulator import outcomes
from emulator.media.engine import MediaOperation
from emulator.outcomes import Outcome

if TYPE_CHECKING:
    from emulator.legs import Leg

#: Seconds from one sent tone to the next. Chosen.
TONE_SECONDS = 0.25
#: Most tones in one request (docs: mid-call media actions).
MOST_TONES = 18


class SendTones(MediaOperation):
    """SendDtmfTonesCompleted, or SendDtmfTonesFailed when canceled (there is no Canceled event)."""

    name = "SendDtmfTones"

    def __init__(self, leg: Leg, tones: list[str], to: str, context: str | None, url: str | None) -> None:
        super().__init__(leg, context, url, main=False)
        self._tones = tones
        self._to = to

    async def run(self) -> None:
        self.leg.call.note("app", "sends tones", f"{' '.join(self._tones)} to {self._to}")
        await self.leg.service.clock.sleep(TONE_SECONDS * len(self._tones))
        self.finish("Completed", outcomes.OK)

    def finish(self, suffix: str, outcome: Outcome, specific: dict[str, Any] | None = None) -> None:
        super().finish("Failed" if suffix == "Canceled" else suffix, outcome, specific)
