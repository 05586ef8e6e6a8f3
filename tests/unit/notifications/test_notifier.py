"""From a closed call to everybody who should learn of it: when it is tried again, and when it is given up."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.calls.record import CallRecord
from shared.calls.store.memory import MemoryStore
from shared.errors import StoreUnavailable, UnknownCall
from shared.notifications.base import DeadLetter
from shared.notifications.errors import ForbiddenAddress, NotDelivered, UnknownDeadLetter
from shared.notifications.event import Event, call_finished
from shared.notifications.memory import MemoryDeadLetters, MemoryNotificationQueue
from shared.notifications.message import Message
from shared.notifications.notifier import (
    AT_ONCE,
    DEADLINE,
    FAULT,
    FIRST_WAIT,
    LONGEST_RETRY_AFTER,
    LONGEST_WAIT,
    SPREAD,
    Notifier,
    wait_before,
)

START = 1_790_000_000_000
HOUR = 3600.0


class Recipient:
    """A target: keeps what it took; `fails` says what it does to the next attempt."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.attempts = 0
        self.fails: Callable[[], None] = lambda: None

    def deliver(self, event: Event) -> None:
        self.attempts += 1
        self.fails()
        self.events.append(event)


def failing(problem: str = "the hook responded 503", **more: float | bool | None) -> Callable[[], None]:
    def fail() -> None:
        raise NotDelivered(problem, **more)  # type: ignore[arg-type]

    return fail


class Room:
    """A notifier with a topic and a hook, one finished call, and a clock that moves as messages wait."""

    def __init__(self, at_once: int = AT_ONCE) -> None:
        self.now = START / 1000 + 100
        self.topic, self.hook = Recipient(), Recipient()
        self.queue, self.letters, self.store = MemoryNotificationQueue(), MemoryDeadLetters(), MemoryStore()
        self.record = CallRecord("call-1", flow="menu", status="ended", started_at=START, ended_at=START + 9_000)
        self.store.claim(self.record, [])
        self.notifier = Notifier(
            targets={"topic": self.topic, "hook": self.hook},
            store=self.store,
            queue=self.queue,
            letters=self.letters,
            event_of=call_finished,
            clock=lambda: self.now,
            at_once=at_once,
        )

    def message(self, target: str = "hook", attempts: int = 0) -> Message:
        return Message("call-1", target, round(self.now * 1000), attempts)

    def step(self) -> str:
        """Do the message that is due first, when its time has come."""
        message, delay = min(self.queue.sent, key=lambda sent: sent[1])
        self.queue.sent.remove((message, delay))
        self.queue.sent[:] = [(other, max(0.0, waits - delay)) for other, waits in self.queue.sent]
        self.now += delay
        return self.notifier.work(message)

    def run(self) -> list[str]:
        outcomes = []
        while self.queue.sent:
            outcomes.append(self.step())
            assert len(outcomes) < 500
        return outcomes

    @property
    def given_up(self) -> list[DeadLetter]:
        return list(self.letters.listed())


def test_each_target_is_given_the_event_once() -> None:
    room = Room()
    room.notifier.announce(room.record)
    assert room.run() == ["delivered", "delivered"]
    assert [[event.id for event in one.events] for one in (room.topic, room.hook)] == [["call-1"], ["call-1"]]


def test_one_target_that_fails_has_nothing_sent_to_the_other_again() -> None:
    room = Room()
    room.hook.fails = failing()
    room.notifier.announce(room.record)
    for _ in range(12):
        room.step()
    room.hook.fails = lambda: None
    room.run()
    assert (room.topic.attempts, len(room.hook.events)) == (1, 1)
    assert room.hook.attempts > 5


def test_a_hook_that_is_down_for_an_hour_loses_nothing_and_learns_of_it_within_a_quarter_of_an_hour() -> None:
    room = Room()
    began = room.now

    def down() -> None:
        if room.now - began < HOUR:
            raise NotDelivered("the hook did not respond (ConnectionRefusedError)")

    room.hook.fails = down
    room.notifier.announce(room.record)
    assert room.run()[-1] == "delivered"
    assert room.now - began < HOUR + LONGEST_WAIT * (1 + SPREAD)
    assert 8 <= room.hook.attempts <= 20
    assert room.given_up == []


def test_after_a_day_it_is_given_up_with_the_reason_and_the_attempts() -> None:
    room = Room()
    room.hook.fails = failing()
    room.notifier.announce(room.record)
    assert room.run()[-1] == "given_up"
    (letter,) = room.given_up
    assert (letter.day, letter.call_id, letter.target) == ("2026-09-21", "call-1", "hook")
    assert (letter.reason, letter.attempts) == ("the hook responded 503", room.hook.attempts)
    assert letter.at - letter.since == pytest.approx(DEADLINE, abs=1000)
    assert room.topic.attempts == 1


@pytest.mark.parametrize(
    "fails", [failing("the hook responded 422", lasting=True), failing("the hook responded 301", lasting=True)]
)
def test_what_will_never_be_taken_is_given_up_at_once(fails: Callable[[], None]) -> None:
    room = Room()
    room.hook.fails = fails
    assert room.notifier.work(room.message()) == "given_up"
    assert (room.queue.sent, len(room.given_up)) == ([], 1)


def test_a_forbidden_address_is_given_up_at_once_and_said_without_the_address() -> None:
    room = Room()

    def forbidden() -> None:
        raise ForbiddenAddress("leads to an address that is not public.")

    room.hook.fails = forbidden
    room.notifier.work(room.message())
    assert [letter.reason for letter in room.given_up] == ["the hook's URL leads to an address that is not public."]


def test_retry_after_is_honoured_up_to_an_hour() -> None:
    room = Room()
    for asked, waited in ((120.0, 120.0), (HOUR, HOUR), (10 * HOUR, LONGEST_RETRY_AFTER)):
        room.hook.fails = failing(retry_after=asked)
        room.notifier.work(room.message())
        assert [delay for _, delay in room.queue.sent] == [waited]
        room.queue.sent.clear()


@given(st.integers(1, 10_000), st.floats(0, 1), st.none() | st.floats(0, 1e9))
def test_a_wait_is_never_shorter_than_asked_for_and_never_longer_than_the_bounds(
    attempts: int, spread: float, retry_after: float | None
) -> None:
    wait = wait_before(attempts, retry_after, lambda: spread)
    own = wait_before(attempts, None, lambda: 0.5)
    assert own == min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(attempts - 1, 20))
    assert own * (1 - SPREAD) <= wait or wait == retry_after
    assert wait >= min(retry_after or 0, LONGEST_RETRY_AFTER)
    assert wait <= max(LONGEST_WAIT * (1 + SPREAD), LONGEST_RETRY_AFTER)


@pytest.mark.parametrize("left", [10.0, 0.5])
def test_the_last_attempt_comes_when_the_day_is_over(left: float) -> None:
    room = Room()
    room.hook.fails = failing()
    since = round((room.now + left) * 1000) - DEADLINE
    assert room.notifier.work(replace(room.message(attempts=50), since=since)) == "retried"
    assert [delay for _, delay in room.queue.sent] == [pytest.approx(left, abs=1e-6)]
    assert room.run() == ["given_up"]


def test_waits_are_off_by_a_fifth_at_most() -> None:
    assert (wait_before(1, None, lambda: 0.0), wait_before(1, None, lambda: 1.0)) == pytest.approx((4, 6))


def test_waits_double() -> None:
    waits = [wait_before(attempts, None, lambda: 0.5) for attempts in range(1, 10)]
    assert waits == [5, 10, 20, 40, 80, 160, 320, 640, 900]


def test_more_than_fit_at_once_wait_their_turn_and_count_no_attempt() -> None:
    """The threads are those that answer calls: hooks that hang must not take them all."""
    room = Room(at_once=1)

    def another_meanwhile() -> None:
        room.hook.fails = lambda: None
        assert room.notifier.work(room.message("topic")) == "queued"

    room.hook.fails = another_meanwhile
    assert room.notifier.work(room.message()) == "delivered"
    ((message, delay),) = room.queue.sent
    assert (message.target, message.attempts, room.topic.attempts) == ("topic", 0, 0)
    assert 1 <= delay <= 3
    assert room.run() == ["delivered"]


def test_a_storage_that_fails_costs_no_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    room = Room()

    def away(call_id: str) -> CallRecord:
        raise StoreUnavailable("the storage did not answer")

    with monkeypatch.context() as patch:
        patch.setattr(room.store, "peek", away)
        assert room.notifier.work(room.message()) == "retried"
    ((message, delay),) = room.queue.sent
    assert (message.attempts, room.hook.attempts) == (0, 0)
    assert 30 <= delay <= 60
    assert room.run() == ["delivered"]


def test_a_fault_of_the_app_raises_so_that_the_queue_brings_the_message_back_and_in_the_end_is_a_dead_letter() -> None:
    room = Room()

    def broken() -> None:
        raise RuntimeError("a bug")

    room.hook.fails = broken
    for _ in range(AT_ONCE + 1):  # and keeps no place
        with pytest.raises(RuntimeError):
            room.notifier.work(room.message())
    room.notifier.mark_poisoned(room.message())
    assert [(letter.target, letter.reason) for letter in room.given_up] == [("hook", FAULT)]


def test_a_message_for_a_target_that_is_set_up_no_more_is_dropped() -> None:
    room = Room()
    assert room.notifier.work(room.message("pigeon")) == "no_target"
    assert (room.queue.sent, room.given_up) == ([], [])


def test_a_message_of_a_call_that_is_gone_says_so() -> None:
    room = Room()
    with pytest.raises(UnknownCall):
        room.notifier.work(replace(room.message(), call_id="gone"))


def test_a_replay_tries_for_another_day_what_was_given_up_and_nothing_else() -> None:
    room = Room()
    room.hook.fails = failing()
    room.notifier.announce(room.record)
    room.run()
    began = room.now
    assert room.notifier.replay("call-1") == ["hook"]
    assert room.given_up == []
    room.run()
    (again,) = room.given_up
    assert again.at - began * 1000 == pytest.approx(DEADLINE, abs=1000)
    room.hook.fails = lambda: None
    room.notifier.replay("call-1")
    assert room.run() == ["delivered"]
    assert (room.given_up, room.topic.attempts, [event.id for event in room.hook.events]) == ([], 1, ["call-1"])
    with pytest.raises(UnknownDeadLetter):
        room.notifier.replay("call-1")
    with pytest.raises(UnknownCall):
        room.notifier.replay("gone")


def test_a_replay_that_breaks_off_leaves_the_letter(monkeypatch: pytest.MonkeyPatch) -> None:
    room = Room()
    room.hook.fails = failing(lasting=True)
    room.notifier.work(room.message())

    def away(message: Message, *, delay: float = 0.0) -> None:
        raise StoreUnavailable("the queue did not take the message")

    with monkeypatch.context() as patch:
        patch.setattr(room.queue, "send", away)
        with pytest.raises(StoreUnavailable):
            room.notifier.replay("call-1")
    assert len(room.given_up) == 1


def test_dead_letters_are_kept_for_thirty_days_from_the_start_of_their_call() -> None:
    room = Room()
    room.hook.fails = failing(lasting=True)
    room.notifier.work(room.message())
    room.now = START / 1000 + 30 * 24 * HOUR
    assert room.notifier.remove_expired() == 0
    room.now += 24 * HOUR
    assert room.notifier.remove_expired() == 1
    assert room.given_up == []


def test_the_log_says_call_target_attempt_and_status(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "switchboard.notifications")
    room = Room()
    room.hook.fails = failing()
    room.notifier.work(room.message(attempts=3))
    room.hook.fails = failing("the hook responded 410", lasting=True)
    room.notifier.work(room.message(attempts=4))
    first, second = caplog.messages
    assert first.startswith("not delivered call=call-1 target=hook attempt=4 wait=")
    assert first.endswith(": the hook responded 503")
    assert second == "given up call=call-1 target=hook attempts=5: the hook responded 410"
