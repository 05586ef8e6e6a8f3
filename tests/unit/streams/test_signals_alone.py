"""The queue of signals by itself: what it takes, what goes together, and when it tries again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any

import pytest

from shared.errors import InvalidInput
from streams.app_client import AppUnavailable
from streams.limits import Budget
from streams.signals import Signals
from tests.unit.streams.memory import CALL


class Queue:
    """Signals with a clock that starts at 0, and an app that fails as it is told."""

    def __init__(self, *, timeout: float = 120.0, held: int = 10**9) -> None:
        self.now, self.pauses = 0.0, list[float]()
        self.failures: list[Exception] = []
        self.refused: set[Any] = set()
        self.asked = 0
        self.taken: list[list[Any]] = []
        self.held = Budget("socket", held)
        self.signals = Signals(
            self.app, CALL, self.run, self.held, timeout=timeout, monotonic=lambda: self.now, sleep=self.sleep
        )

    def app(self, call_id: str, connection: str, sequence: int, signals: Sequence[Mapping[str, Any]]) -> str:
        self.asked += 1
        if self.failures:
            raise self.failures.pop(0)
        if self.refused & {one["data"] for one in signals}:
            raise InvalidInput("signals", "is not what the app takes.")
        self.taken.append([one["data"] for one in signals])
        return "advanced"

    async def run(self, function: Callable[[], Any]) -> Any:
        return function()

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)

    async def empty(self) -> None:
        """Send what waits, and end."""
        sending: Coroutine[Any, Any, None] = self.signals.keep_sending()
        task = asyncio.create_task(sending)
        await self.signals.close()
        task.cancel()
        assert self.held.used == 0


AWAY = AppUnavailable("ConnectionError")


async def test_it_is_tried_again_ever_later_and_at_last_every_second() -> None:
    queue = Queue()
    queue.failures = [AWAY] * 6
    queue.signals.put("a", 1)
    await queue.empty()
    assert queue.pauses == [0.2, 0.4, 0.8, 1.0, 1.0, 1.0]


async def test_a_signal_is_given_up_when_its_time_is_over() -> None:
    queue = Queue(timeout=0.2)
    queue.failures = [AWAY] * 9
    queue.signals.put("a", 1)
    await queue.empty()
    assert (queue.asked, queue.taken, queue.signals.failed) == (2, [], 1)


async def test_a_thousand_wait_and_no_more(caplog: pytest.LogCaptureFixture) -> None:
    queue = Queue()
    for number in range(1001):
        queue.signals.put("a", number)
    assert queue.signals.failed == 1
    assert "signal a call=" in caplog.text
    assert "reason=too many wait" in caplog.text
    await queue.empty()
    assert [data for batch in queue.taken for data in batch] == list(range(1000))


async def test_each_counts_for_its_data_and_512_bytes(caplog: pytest.LogCaptureFixture) -> None:
    queue = Queue(held=2 * (512 + 12))
    for _ in range(2):
        queue.signals.put("a", "x" * 10)  # 12 bytes of JSON
    assert (queue.held.used, queue.signals.failed) == (1048, 0)
    queue.signals.put("a", "")
    assert (queue.held.used, queue.signals.failed) == (1048, 1)
    assert "reason=too many wait" in caplog.text
    await queue.empty()


async def test_the_longest_data_is_a_kilobyte_below_the_longest_body() -> None:
    queue = Queue()
    queue.signals.put("a", "x" * (1024 * 1024 - 1024 - 2))
    queue.signals.put("a", "x" * (1024 * 1024 - 1024 - 1))
    assert queue.signals.failed == 1
    await queue.empty()
    assert [len(batch) for batch in queue.taken] == [1]


async def test_what_goes_together_has_64_kilobytes_and_a_longer_one_goes_alone() -> None:
    queue = Queue()
    half = 32 * 1024 - 512 - 2
    for length in (70_000, half, half, half, half + 1, 70_000, 70_000):
        queue.signals.put("a", "x" * length)
    await queue.empty()
    assert [[len(data) for data in batch] for batch in queue.taken] == [
        [70_000], [half, half], [half], [half + 1], [70_000], [70_000]
    ]  # fmt: skip


async def test_of_two_that_go_together_the_good_one_is_taken_at_once(caplog: pytest.LogCaptureFixture) -> None:
    queue = Queue()
    queue.refused = {2}
    queue.signals.put("a", 1)
    queue.signals.put("a", 2)
    await queue.empty()
    assert (queue.taken, queue.signals.failed, queue.pauses) == ([[1]], 1, [])
    assert "signals wait" not in caplog.text
