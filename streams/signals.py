"""Signals to the call's flow: in order, each once, and kept while the app is away."""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from shared.errors import SwitchboardError
from shared.logs import logger
from shared.stream_signals import MOST_BYTES, MOST_SIGNALS
from streams.archive import Threads
from streams.limits import Budget

log = logger("switchboard.streams")

Deliver = Callable[[str, str, int, Sequence[Mapping[str, Any]]], str]
"""`AppClient`: call id, connection, number of the first signal, signals. Blocks."""

MOST_WAITING = 1000
SIGNAL_BYTES = 512
"""What is counted for a signal that waits beside its data."""
BATCH_BYTES = 64 * 1024
"""Data from which no further signal joins a request (our choice)."""
LONGEST_BYTES = MOST_BYTES - 1024
"""Longest data of one signal: the app takes it with its name and id."""
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.2, 1.0
"""Between two tries: at first, and at most. An app that is back gets its signals within the latter."""
LAST_SECONDS = 10.0
"""How long signals may still wait once this process is told to end (of `server.CLOSING_SECONDS`)."""
GOING_AWAY = 1012
"""Code with which the server closes the sockets when the process is told to end."""

_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")


@dataclass(frozen=True, slots=True)
class Waiting:
    """A signal that was not taken yet.

    Attributes:
        sequence: its number on this connection.
        at: when it came (monotonic, in seconds).
        size: what is counted for it.
    """

    sequence: int
    body: Mapping[str, Any]
    at: float
    size: int


class Signals:
    """The signals of one connection; each ends in one logged outcome, without its data.

    Args:
        run: runs `deliver` in a thread.
        held: what the socket may hold in memory.
        timeout: seconds that a signal may wait for the app.
    """

    def __init__(
        self,
        deliver: Deliver,
        call_id: str,
        run: Threads[Any],
        held: Budget,
        *,
        timeout: float,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._deliver, self._call_id, self._run, self._held = deliver, call_id, run, held
        self._timeout, self._monotonic, self._sleep = timeout, monotonic, sleep
        # Tones have no id. This one, new for each connection, and the number distinguish two tones of one key from one
        # tone that is sent twice.
        self._connection = secrets.token_hex(8)
        self._waiting: deque[Waiting] = deque()
        self._taken = 0
        self._came, self._none_waits = asyncio.Event(), asyncio.Event()
        self._none_waits.set()
        self.failed = 0

    def put(self, name: str, data: Any, signal_id: str | None = None) -> None:
        """Send it when those before it have gone; the same id counts once."""
        try:
            size = len(json.dumps(data, ensure_ascii=False, allow_nan=False).encode())
        except (TypeError, ValueError, RecursionError):
            self._failed("-", "its data is not JSON")
            return
        if not _NAME.fullmatch(name):
            self._failed("-", "its name is not valid")
        elif size > LONGEST_BYTES:
            self._failed(name, "its data is too long")
        elif len(self._waiting) >= MOST_WAITING or self._held.take(size + SIGNAL_BYTES) is not None:
            self._failed(name, "too many wait")
        else:
            self._taken += 1
            body = {"name": name, "data": data} | ({"id": signal_id} if signal_id else {})
            self._waiting.append(Waiting(self._taken, body, self._monotonic(), size + SIGNAL_BYTES))
            self._none_waits.clear()
            self._came.set()

    async def keep_sending(self) -> None:
        """Send, until cancelled."""
        while True:
            await self._came.wait()
            self._came.clear()
            await self._send_all()
            self._none_waits.set()

    async def close(self, code: int = 1000) -> None:
        """Wait until all are sent or given up, each after its timeout.

        Args:
            code: close code of the socket; while the process ends, no signal waits that long.
        """
        try:
            async with asyncio.timeout(LAST_SECONDS if code == GOING_AWAY else None):
                await self._none_waits.wait()
        except TimeoutError:
            pass
        finally:  # also when the server cancels this
            if self._waiting:
                self._failed("-", f"{len(self._waiting)} still waited at the end", len(self._waiting))

    async def _send_all(self) -> None:
        pause, most = FIRST_PAUSE_SECONDS, MOST_SIGNALS
        while batch := list(self._first(most)):
            try:
                bodies = [one.body for one in batch]
                outcome = await self._run(
                    lambda bodies=bodies, first=batch[0].sequence: self._deliver(  # type: ignore[misc]
                        self._call_id, self._connection, first, bodies
                    )
                )
            except Exception as error:
                if isinstance(error, SwitchboardError) and not error.retryable:
                    if len(batch) > 1:
                        most = 1  # one of them may be at fault
                    else:
                        self._give_up(1, type(error).__name__)
                    continue
                if pause == FIRST_PAUSE_SECONDS:
                    log.warning(
                        "signals wait call=%s count=%d reason=%s", self._call_id, len(self._waiting), _why(error)
                    )
                late = self._monotonic() - self._timeout
                self._give_up(sum(1 for one in self._waiting if one.at <= late), _why(error))
                await self._sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
            else:
                pause = FIRST_PAUSE_SECONDS
                for one in batch:
                    log.info("signal %s call=%s outcome=%s", one.body["name"], self._call_id, outcome)
                self._forget(len(batch))

    def _first(self, most: int) -> Iterator[Waiting]:
        """What goes into the next request."""
        size = 0
        for one in islice(self._waiting, most):
            size += one.size
            if size > BATCH_BYTES and one is not self._waiting[0]:
                return
            yield one

    def _give_up(self, count: int, reason: str) -> None:
        for one in list(islice(self._waiting, count)):
            self._failed(str(one.body["name"]), reason)
        self._forget(count)

    def _forget(self, count: int) -> None:
        for _ in range(count):
            self._held.give(self._waiting.popleft().size)

    def _failed(self, name: str, reason: str, count: int = 1) -> None:
        self.failed += count
        log.error("signal %s call=%s outcome=failed reason=%s", name, self._call_id, reason)


def _why(error: Exception) -> str:
    """The reason for the log. Only the type of an error that is not ours: its text may quote what was sent."""
    return str(error) if isinstance(error, SwitchboardError) else type(error).__name__
