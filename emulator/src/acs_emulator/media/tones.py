"""SendDtmfTones: keys sent to a phone number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from acs_emulator import outcomes
from acs_emulator.audio import key_tones
from acs_emulator.identifiers import Identifier
from acs_emulator.media.engine import MediaOperation
from acs_emulator.outcomes import Outcome
from acs_emulator.phones.script import TONES

if TYPE_CHECKING:
    from acs_emulator.legs import Leg

#: Seconds from one sent tone to the next. Chosen.
TONE_SECONDS = 0.25
#: The key of each tone name.
KEYS = {tone: key for key, tone in TONES.items()}
#: Most tones in one request (docs: mid-call media actions).
MOST_TONES = 18


class SendTones(MediaOperation):
    """SendDtmfTonesCompleted, or SendDtmfTonesFailed when canceled (there is no Canceled event)."""

    name = "SendDtmfTones"

    def __init__(self, leg: Leg, tones: list[str], to: Identifier, context: str | None, url: str | None) -> None:
        super().__init__(leg, context, url, main=False)
        self._tones = tones
        self._to = to

    async def run(self) -> None:
        leg = self.leg
        leg.call.note("app", "sends tones", f"{' '.join(self._tones)} to {self._to.value}")
        injected = leg.injected("CallMedia_SendDtmfTones")
        if injected is not None:
            self.finish("Failed", injected)
            return
        for tone in self._tones:
            key = KEYS[tone]
            leg.track.add(key_tones(key, gap=0), "keys", key, audience=[self._to.raw_id])
            for line in leg.call.lines:
                if line.identifier == self._to:
                    line.hear_key(key)
            await leg.service.clock.sleep(TONE_SECONDS)
        self.finish("Completed", outcomes.OK)

    def finish(self, suffix: str, outcome: Outcome, specific: dict[str, Any] | None = None) -> None:
        super().finish("Failed" if suffix == "Canceled" else suffix, outcome, specific)
