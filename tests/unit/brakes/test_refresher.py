"""Reading in the background: how old what an instance goes by can be, and when nobody reads."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from shared.brakes import refresher as module
from shared.brakes.refresher import Refresher
from shared.errors import StoreUnavailable
from tests.unit.brakes.instances import Instances


class Seconds:
    """A clock that the reader's pauses move, up to an end."""

    def __init__(self, end: float = 1e9) -> None:
        self.now = 1000.0
        self.end = self.now + end
        self.at_pause: Callable[[], None] = lambda: None

    def __call__(self) -> float:
        return self.now

    def pause(self, wanted: threading.Event, seconds: float) -> None:
        self.at_pause()
        self.now += seconds


def run(reader: Refresher) -> None:
    """As its thread does, until it ends."""
    reader._running = True
    reader.run()


def test_a_switch_is_seen_by_another_instance_within_five_seconds() -> None:
    instances, seconds = Instances(), Seconds()
    one, other = instances.one(), instances.one()
    seen: list[float] = []

    def at_pause() -> None:
        if seconds.now == 1010:
            instances.rows.put("switches", '{"outbound_off": {"by": "Ada", "at": 1}}')
        if other.switches.outbound_off:
            seen.append(seconds.now - 1010)

    seconds.at_pause = at_pause
    run(Refresher(other.refresh, clock=seconds, pause=seconds.pause))
    assert 0 < seen[0] <= 5 - 2, "with three seconds left for the reading itself"
    assert not one.switches.outbound_off, "who does not read does not know"


def test_nothing_is_read_after_ten_minutes_without_a_use() -> None:
    seconds, reads = Seconds(), []
    run(Refresher(lambda: reads.append(seconds.now), clock=seconds, pause=seconds.pause))
    assert reads == [1000.0 + 2 * n for n in range(301)]


def test_a_use_keeps_it_reading() -> None:
    seconds, reads = Seconds(), []
    reader = Refresher(lambda: reads.append(seconds.now), clock=seconds, pause=seconds.pause)
    seconds.at_pause = lambda: reader.use() if seconds.now == 1400 else None
    run(reader)
    assert reads[-1] == 2000.0


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> list[Callable[[], None]]:
    """What would run in threads of their own, not started."""
    made: list[Callable[[], None]] = []

    class Thread:
        def __init__(self, target: Callable[[], None], name: str, daemon: bool) -> None:
            assert daemon
            self.target = target

        def start(self) -> None:
            made.append(self.target)

    monkeypatch.setattr("shared.brakes.refresher.threading.Thread", Thread)
    monkeypatch.setattr(module, "WAIT", 0.001)
    return made


def test_one_thread_reads_from_the_first_use_on(threads: list[Callable[[], None]]) -> None:
    reader = Refresher(lambda: None, clock=Seconds())
    assert threads == []
    reader.use()
    reader.use()
    assert len(threads) == 1


def test_a_use_waits_for_a_reading_only_where_the_last_one_is_old(monkeypatch: pytest.MonkeyPatch) -> None:
    assert module.WAIT == 0.25
    monkeypatch.setattr(module, "WAIT", 10.0)
    seconds, reads, release = Seconds(), [], threading.Event()

    def pause(wanted: threading.Event, _: float) -> None:
        wanted.wait(10)
        if release.is_set():
            seconds.now += 10_000

    reader = Refresher(lambda: reads.append(seconds.now), clock=seconds, pause=pause)
    reader.use()
    assert reads == [1000.0], "the first use"
    seconds.now += 5
    reader.use()
    assert reads == [1000.0], "five seconds are not too old"
    seconds.now += 0.1
    reader.use()
    assert reads == [1000.0, 1005.1], "the instance was frozen"
    release.set()
    reader._wanted.set()


def test_nobody_waits_for_a_storage_that_does_not_answer(
    threads: list[Callable[[], None]], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def read() -> None:
        raise StoreUnavailable("down")

    reader = Refresher(read, clock=Seconds())
    reader.use()
    reader._read_once()
    assert len(caplog.records) == 1
    reader._read_once()
    assert len(caplog.records) == 1, "told once"
    monkeypatch.setattr(reader._condition, "wait_for", lambda *_: pytest.fail("waits"))
    reader.use()


def test_whatever_a_reading_raises_the_next_one_is_tried(caplog: pytest.LogCaptureFixture) -> None:
    seconds, reads = Seconds(), []

    def read() -> None:
        reads.append(seconds.now)
        raise RuntimeError("a bug")

    reader = Refresher(read, clock=seconds, pause=seconds.pause)
    run(reader)
    assert len(reads) == 301
    assert (reader._failing, reader._read_at) == (True, None), "nothing was read"


def test_who_comes_after_an_idle_time_has_it_read_again(threads: list[Callable[[], None]]) -> None:
    seconds = Seconds()
    reader = Refresher(lambda: None, clock=seconds, pause=seconds.pause)
    run(reader)
    reader.use()
    assert len(threads) == 1, "though what was read last is not old"


def test_a_use_of_what_is_fresh_asks_for_nothing(threads: list[Callable[[], None]]) -> None:
    seconds = Seconds()
    reader = Refresher(lambda: None, clock=seconds, pause=seconds.pause)
    reader.use()
    reader._read_once()
    reader.use()
    assert not reader._wanted.is_set()
    seconds.now += 5.1
    reader.use()
    assert reader._wanted.is_set()


def test_who_waits_for_a_reading_waits_no_longer_once_it_fails(
    threads: list[Callable[[], None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    reader, seen = Refresher(lambda: None, clock=Seconds()), []

    def wait_for(done: Callable[[], bool], timeout: float) -> None:
        for failing in (False, True):
            reader._failing = failing
            seen.append((done(), timeout))

    monkeypatch.setattr(reader._condition, "wait_for", wait_for)
    reader.use()
    assert seen == [(False, 0.001), (True, 0.001)]
