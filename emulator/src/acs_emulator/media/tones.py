"""Keys: those that are sent to a phone number, and those of a participant that are reported as they come."""

from __future__ import annotations

from typing import Any

from acs_emulator.audio import key_tones
from acs_emulator.calls.leg_observer import LegObserver
from acs_emulator.calls.reply import ReplyTo
from acs_emulator.core import outcomes
from acs_emulator.core.identifiers import Identifier
from acs_emulator.core.outcomes import Outcome
from acs_emulator.media.engine import MediaOperation
from acs_emulator.phones.script import KEYS, TONES

#: Seconds from one sent tone to the next. Chosen.
TONE_SECONDS = 0.25
#: Most tones in one request (docs: mid-call media actions).
MOST_TONES = 18


class SendTones(MediaOperation):
    """SendDtmfTonesCompleted, or SendDtmfTonesFailed when canceled (there is no Canceled event)."""

    name = "SendDtmfTones"

    def __init__(self, reply: ReplyTo, tones: list[str], to: Identifier) -> None:
        super().__init__(reply, main=False)
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


class ToneReports(LegObserver):
    """Continuous tone recognition of a leg."""

    def __init__(self) -> None:
        #: Where the keys of a participant are reported, by raw id.
        self._reports: dict[str, ReplyTo] = {}
        self._sequence = 0

    def start(self, target: Identifier, reply: ReplyTo) -> None:
        """From now on each key is an event; ContinuousDtmfRecognitionToneFailed if a fault wants it so."""
        injected = reply.leg.injected("CallMedia_StartContinuousDtmfRecognition")
        if injected is not None:
            reply.emit("ContinuousDtmfRecognitionToneFailed", None, injected)
        else:
            self._reports[target.raw_id] = reply

    def stop(self, target: Identifier, reply: ReplyTo) -> None:
        self._reports.pop(target.raw_id, None)
        reply.emit("ContinuousDtmfRecognitionStopped", None, outcomes.OK)

    def key_pressed(self, raw_id: str, key: str) -> None:
        reply = self._reports.get(raw_id)
        if reply is not None:
            self._sequence += 1
            specific = {"sequenceId": self._sequence, "tone": TONES[key]}
            reply.emit("ContinuousDtmfRecognitionToneReceived", specific, outcomes.OK)

    def dropped(self) -> None:
        self._reports.clear()
