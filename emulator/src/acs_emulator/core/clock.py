"""One clock for the whole emulator: every wait of the emulated world goes through it."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime

# The service plays 16-bit mono PCM at this rate, in hertz ("Customize voice prompts to users with Play
# action", Azure Communication Services documentation), so nothing here is ever at another one.
SAMPLE_RATE = 16_000


class Clock:
    """Time that runs ``speed`` times faster than the wall clock when it waits.

    Waits on the emulated world (ring time, prompts, silence, retries) are divided by the speed. Limits on
    real peers (an HTTP response time-out) are not, because the peer does not run faster. When the speed
    changes, time goes on from where it is; waits that have begun keep the length that they had.
    """

    def __init__(self, speed: float = 1.0) -> None:
        self._speed = speed
        self._origin = time.monotonic()
        #: Emulated and wall-clock seconds at the last change of the speed.
        self._passed, self._since = 0.0, self._origin

    @property
    def speed(self) -> float:
        """Emulated seconds in a wall-clock second."""
        return self._speed

    @speed.setter
    def speed(self, speed: float) -> None:
        self._passed, self._since = self.now(), time.monotonic()
        self._speed = speed

    def now(self) -> float:
        """Emulated seconds since the clock was made."""
        return self._passed + (time.monotonic() - self._since) * self._speed

    def samples(self) -> int:
        """The emulated time as a position in sound."""
        return round(self.now() * SAMPLE_RATE)

    def monotonic_ms(self) -> float:
        """Real milliseconds since the clock was made, for measuring clients."""
        return round((time.monotonic() - self._origin) * 1000, 3)

    async def sleep(self, seconds: float) -> None:
        """Wait for ``seconds`` of emulated time."""
        await asyncio.sleep(max(0.0, seconds) / self.speed)

    def real(self, seconds: float) -> float:
        """The wall-clock length of ``seconds`` of emulated time."""
        return seconds / self.speed


def utc_now() -> datetime:
    """The time of day; not touched by the speed factor."""
    return datetime.now(UTC)


def ticks_text(moment: datetime, zone: str = "+00:00") -> str:
    """A .NET round-trip time: seven fraction digits with trailing zeros cut (recorded 2025).

    Python knows microseconds, so the seventh digit is always zero and is always cut.
    """
    fraction = f"{moment.microsecond:06d}".rstrip("0")
    stem = moment.strftime("%Y-%m-%dT%H:%M:%S")
    return f"{stem}.{fraction}{zone}" if fraction else f"{stem}{zone}"
