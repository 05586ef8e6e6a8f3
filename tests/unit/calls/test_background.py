"""Work that may wait: several at once, those of one key in turn."""

from __future__ import annotations

import threading
import time

import pytest

from shared.calls.background import WORKERS, Background

PATIENCE = 30.0


def test_jobs_of_several_calls_run_side_by_side() -> None:
    later, together, done = Background(), threading.Barrier(WORKERS, timeout=PATIENCE), threading.Semaphore(0)

    def meet() -> None:
        together.wait()
        done.release()

    for number in range(WORKERS):
        later.soon(f"call {number}", meet)
    for _ in range(WORKERS):
        assert done.acquire(timeout=PATIENCE)


def test_jobs_of_one_call_run_one_after_the_other_and_a_newer_one_takes_the_place_of_one_that_waits() -> None:
    later, ran = Background(), []
    running, go_on, over = threading.Event(), threading.Event(), threading.Event()

    def first() -> None:
        running.set()
        assert go_on.wait(PATIENCE)
        ran.append("first")

    later.soon("call", first)
    assert running.wait(PATIENCE)

    def third() -> None:
        ran.append("third")
        over.set()

    later.soon("call", lambda: ran.append("second"))
    later.soon("call", third)
    other = threading.Event()
    later.soon("another call", other.set)  # what is due behind it need not wait
    assert other.wait(PATIENCE)
    assert ran == []
    go_on.set()
    assert over.wait(PATIENCE)
    assert ran == ["first", "third"]


def test_a_job_that_fails_is_logged_and_the_next_one_runs(caplog: pytest.LogCaptureFixture) -> None:
    later, over = Background(), threading.Event()

    def fail() -> None:
        raise RuntimeError("no")

    later.soon("call", fail)
    later.soon("other", over.set, delay=0.001)
    assert over.wait(PATIENCE)
    later.flush()
    deadline = time.monotonic() + PATIENCE
    while not caplog.records and time.monotonic() < deadline:  # another thread may still be at it
        time.sleep(0.001)
    later.soon("call", fail, delay=60)
    later.flush()
    assert [record.message for record in caplog.records] == ["background work failed; the watchdog will do it"] * 2


def test_flush_runs_what_waits_in_the_order_in_which_it_came() -> None:
    later, ran = Background(), []
    for name in ("one", "two", "three"):
        later.soon(name, lambda name=name: ran.append(name), delay=60)  # type: ignore[misc]
    later.soon("one", lambda: ran.append("one again"), delay=60)
    later.flush()
    assert ran == ["two", "three", "one again"]
    later.flush()
    assert len(ran) == 3
