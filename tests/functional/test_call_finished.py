"""From a call's end to a receiver's own server: at least once, under one id, whatever breaks on the way."""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import azure.functions as func
import pytest
from azure.functions.timer import TimerRequest

from shared.calls.record import CallRecord
from shared.calls.store.memory import MemoryStore
from shared.composition.notifications import Notifications, announce_campaign_again, targets
from shared.errors import StoreUnavailable
from shared.notifications.event import Event, call_finished
from shared.notifications.memory import MemoryDeadLetters, MemoryNotificationQueue
from shared.notifications.message import Message
from shared.notifications.notifier import LONGEST_WAIT, Notifier
from shared.privacy import NumberHashes
from shared.web.notifications import DeadLetterService
from tests.functional.app import CALLER, NUMBER, App, functions, http_routes, problem, running
from tests.functional.hook_receiver import Receiver
from tests.setting_samples import made_key

KEY = made_key("hook")
HOUR = 3600.0


class Dying(MemoryStore):
    """A store on which closing a call fails so often."""

    def __init__(self) -> None:
        super().__init__(NumberHashes(base64.b64encode(b"n" * 32).decode()))
        self.dies = 0

    def close(self, record: CallRecord, document: dict[str, Any]) -> None:
        if self.dies:
            self.dies -= 1
            raise StoreUnavailable("the instance died before the archive was written")
        super().close(record, document)


class LosingQueue(MemoryNotificationQueue):
    """A queue that is away, or whose response is lost, so often."""

    def __init__(self) -> None:
        super().__init__()
        self.away = self.loses = 0

    def send(self, message: Message, *, delay: float = 0.0) -> None:
        if self.away:
            self.away -= 1
            raise StoreUnavailable("the queue is away")
        super().send(message, delay=delay)
        if self.loses:
            self.loses -= 1
            raise StoreUnavailable("the queue took the message, and its response was lost")


class Topic:
    """A topic that keeps what it is sent."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def deliver(self, event: Event) -> None:
        self.events.append(event)


class Room:
    """The app with a hook and a topic; its queue and its clock are driven by the test."""

    def __init__(self, folder: Path, receiver: Receiver, stack: ExitStack, **settings: str) -> None:
        self.now = 1_790_000_000.0
        self.receiver, self.topic = receiver, Topic()
        self.queue, self.letters, self.store = LosingQueue(), MemoryDeadLetters(), Dying()
        given: Any = {"HOOK_URL": receiver.url, "HOOK_KEY": KEY, **settings}
        self.app: App = stack.enter_context(
            running(
                folder,
                notifications=self.compose,
                store=self.store,
                CALLBACK_BASE_URL="http://127.0.0.1:7071",
                **given,
            )
        )

    def compose(self, store: MemoryStore) -> Notifications:
        notifier = Notifier(
            targets={**targets(self.app.board.settings), "topic": self.topic},
            store=store,
            queue=self.queue,
            letters=self.letters,
            event_of=partial(call_finished, personal=self.app.board.settings.events_personal_data),
            clock=lambda: self.now,
        )
        return Notifications(notifier, DeadLetterService(notifier, self.letters, announce_campaign_again))

    def call(self) -> str:
        """A call comes, is answered and ends; its id."""
        self.app.ring()
        self.app.run()
        return self.app.call_ids[-1]

    def watch(self) -> None:
        """The watchdog comes, when the grace period is over."""
        self.app.clock.pass_seconds(20)
        self.app.tick()

    def step(self) -> None:
        """The message that is due first reaches its function, when its time has come."""
        message, delay = min(self.queue.sent, key=lambda sent: sent[1])
        self.queue.sent.remove((message, delay))
        self.queue.sent[:] = [(other, max(0.0, waits - delay)) for other, waits in self.queue.sent]
        self.now += delay
        functions()["notification_work"](func.QueueMessage(id="m", body=json.dumps(message.as_json())))

    def run(self, until: float | None = None) -> None:
        """Until the queue is empty, or nothing is due before a time."""
        while self.queue.sent:
            if until is not None and self.now + min(delay for _, delay in self.queue.sent) > until:
                return
            self.step()

    def get(self, query: str = "") -> dict[str, Any]:
        answer = self.app.request("GET", f"/api/notifications/dead-letters{query}")
        assert answer.status_code == 200
        found: dict[str, Any] = json.loads(answer.get_body())
        return found

    def replay(self, call_id: str) -> func.HttpResponse:
        return self.app.request("POST", f"/api/notifications/dead-letters/{call_id}/replay")


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    with ExitStack() as stack:
        yield Room(tmp_path, stack.enter_context(Receiver(KEY)), stack)


def test_a_finished_call_reaches_the_hook_and_the_topic_once_under_its_id(room: Room) -> None:
    room.receiver.up()
    call_id = room.call()
    room.run()
    (event,) = room.receiver.events
    assert (room.receiver.ids, [told.id for told in room.topic.events]) == ([call_id], [call_id])
    assert (event["type"], event["source"]) == ("Switchboard.CallFinished", "http://127.0.0.1:7071")
    assert room.receiver.content_types == ["application/cloudevents+json"]
    stored = room.store.load(call_id).record
    said = event["data"]
    assert (said["callId"], said["flow"], said["outcome"]) == (call_id, "reception", stored.outcome)
    assert said["totalMs"] == stored.ended_at - stored.started_at
    assert said["connectedMs"] == stored.ended_at - stored.connected_at
    assert room.receiver.refused == []


def test_nothing_about_a_person_leaves_unless_a_setting_says_so(room: Room, tmp_path: Path) -> None:
    room.receiver.up()
    room.call()
    room.run()
    said = json.dumps([room.receiver.events, [dict(event.data) for event in room.topic.events]])
    assert room.receiver.events
    assert not [word for word in (CALLER[1:], NUMBER[1:], "Ada") if word in said]


def test_with_the_setting_the_event_says_who_called_whom(tmp_path: Path) -> None:
    with ExitStack() as stack:
        room = Room(tmp_path, stack.enter_context(Receiver(KEY)), stack, EVENTS_PERSONAL_DATA="true")
        room.receiver.up()
        room.call()
        room.run()
        (event,) = room.receiver.events
        assert (event["data"]["caller"], event["data"]["callee"]) == (f"4:{CALLER}", f"4:{NUMBER}")


def test_a_hook_that_is_down_for_an_hour_and_then_comes_up_loses_nothing(room: Room) -> None:
    """Nobody listens at first; the clock is moved, the connections are real."""
    call_id = room.call()
    began = room.now
    room.run(until=began + HOUR)
    assert room.receiver.events == []
    assert [event.id for event in room.topic.events] == [call_id], "the topic did not wait for the hook"
    room.receiver.up()
    room.run()
    assert room.receiver.ids == [call_id]
    assert room.now - began < HOUR + 1.2 * LONGEST_WAIT
    assert room.get() == {"dead_letters": [], "next": None}


def test_news_of_a_call_that_was_closed_is_no_second_event(room: Room) -> None:
    room.receiver.up()
    call_id = room.call()
    entries = room.store.load(call_id).record.entries
    record = room.store.load(call_id).record
    room.app.board.conductor.deliver_lifecycle_event(
        record.server_call_id, "news-1", {"eventType": "Microsoft.Communication.CallEnded"}
    )
    assert room.store.load(call_id).record.entries > entries, "the call was closed again, with the news"
    room.run()
    assert (room.receiver.ids, len(room.topic.events)) == ([call_id], 1)


def test_a_crash_between_the_message_and_the_close_gives_the_event_again_under_the_same_id(room: Room) -> None:
    room.receiver.up()
    room.store.dies = 1
    call_id = room.call()
    assert call_id not in room.store.archive
    room.watch()
    assert call_id in room.store.archive
    room.run()
    assert room.receiver.ids == [call_id, call_id]
    assert room.receiver.events[0] == room.receiver.events[1]


def test_a_crash_before_the_message_leaves_the_call_open_and_the_watchdog_sends_it(room: Room) -> None:
    room.receiver.up()
    room.queue.away = 1
    call_id = room.call()
    assert (room.queue.sent, list(room.store.open_calls())) == ([], [call_id])
    room.watch()
    assert list(room.store.open_calls()) == []
    room.run()
    assert (room.receiver.ids, len(room.topic.events)) == ([call_id], 1)


def test_a_message_whose_response_is_lost_comes_twice_under_the_same_id(room: Room) -> None:
    room.receiver.up()
    room.queue.loses = 1
    call_id = room.call()
    room.watch()
    room.run()
    assert set(room.receiver.ids) == {call_id} == {event.id for event in room.topic.events}
    assert sorted([len(room.receiver.ids), len(room.topic.events)]) == [1, 2]


def test_a_call_that_is_only_rejected_is_told_of_too(room: Room) -> None:
    room.receiver.up()
    room.app.ring(to="+18005550166")
    room.run()
    (event,) = room.receiver.events
    assert (event["data"]["flow"], event["data"]["outcome"]) == ("-", "rejected")


def test_what_the_receiver_refuses_is_a_dead_letter_that_is_listed_and_replayed(room: Room) -> None:
    room.receiver.up()
    room.receiver.status = lambda number: 422 if number == 1 else 204
    call_id = room.call()
    room.run()
    (letter,) = room.get()["dead_letters"]
    assert (letter["call_id"], letter["target"], letter["reason"]) == (call_id, "hook", "the hook responded 422")
    assert letter["attempts"] == 1
    answer = room.replay(call_id)
    assert (answer.status_code, json.loads(answer.get_body())) == (202, {"call_id": call_id, "targets": ["hook"]})
    room.run()
    assert room.receiver.ids == [call_id, call_id]
    assert (room.get()["dead_letters"], len(room.topic.events)) == ([], 1)
    gone = room.replay(call_id)
    assert gone.status_code == 404
    assert problem(gone)["title"] == "Unknown dead letter"
    assert room.replay("nobody").status_code == 404


def test_dead_letters_come_page_by_page(room: Room) -> None:
    room.receiver.up()
    room.receiver.status = lambda number: 410
    for number in range(3):
        room.app.ring(correlation_id=f"3b2a1908-0000-4000-8000-00000000010{number}", context=f"context-{number}")
        room.app.run()
    room.run()
    first = room.get("?limit=2")
    assert len(first["dead_letters"]) == 2
    last = room.get(f"?limit=2&after={first['next'].replace(' ', '%20')}")
    assert (len(last["dead_letters"]), last["next"]) == (1, None)
    found = {letter["call_id"] for page in (first, last) for letter in page["dead_letters"]}
    assert found == set(room.app.call_ids)
    assert room.app.request("GET", "/api/notifications/dead-letters?limit=0").status_code == 400


def test_what_the_app_itself_fails_on_is_a_dead_letter_too(room: Room) -> None:
    call_id = room.call()
    message = json.dumps(Message(call_id, "hook", round(room.now * 1000), 2).as_json())
    functions()["notification_poison"](func.QueueMessage(id="m", body=message))
    (letter,) = room.get()["dead_letters"]
    assert (letter["target"], letter["attempts"], letter["reason"]) == (
        "hook",
        2,
        "the app failed on it; its log says how",
    )


@pytest.mark.parametrize("body", ["", "{}", "[]", "null", '{"call_id": "c", "target": "hook", "since": "x"}'])
@pytest.mark.parametrize("name", ["notification_work", "notification_poison"])
def test_a_message_that_cannot_be_read_or_whose_call_is_gone_is_dropped_with_a_line(
    room: Room, name: str, body: str, caplog: pytest.LogCaptureFixture
) -> None:
    functions()[name](func.QueueMessage(id="m", body=body))
    assert "notification dropped" in caplog.text
    caplog.clear()
    gone = json.dumps(Message("gone", "hook", 0).as_json())
    functions()[name](func.QueueMessage(id="m", body=gone))
    assert "notification dropped: no call gone" in caplog.text


def test_dead_letters_expire(room: Room, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    room.receiver.up()
    room.receiver.status = lambda number: 410
    room.call()
    room.run()
    room.now = room.app.clock.time_ns() / 1e9 + 32 * 24 * HOUR
    functions()["notification_upkeep"](TimerRequest())
    assert "dead letters expired=1" in caplog.text
    assert room.get()["dead_letters"] == []


def test_the_log_names_call_target_and_attempt_and_nothing_secret(room: Room, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    call_id = room.call()
    room.run(until=room.now + 8)
    room.receiver.up()
    room.run()
    assert f"retried CallFinished call={call_id} target=hook attempt=1" in caplog.text
    assert f"delivered CallFinished call={call_id} target=hook attempt=" in caplog.text
    assert "not delivered" in caplog.text
    assert not [secret for secret in ("a-secret", KEY, CALLER, "signature") if secret in caplog.text]


def test_where_nobody_is_to_be_told_nothing_is_asked_queued_or_composed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def compose(store: MemoryStore) -> Notifications:
        raise AssertionError("nobody asked for notifications")

    def asked(record: CallRecord) -> bool:
        raise AssertionError("a round trip for nothing")

    with running(tmp_path, notifications=compose) as app:
        monkeypatch.setattr(app.store, "is_closed", asked)
        app.ring()
        app.run()
        assert list(app.store.open_calls()) == []
        (use_cases,) = app.board.conductor.afterwards.closing
        assert not use_cases.concerns(CallRecord("one", flow="reception"))


def test_an_earlier_name_of_a_setting_is_said_in_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with running(tmp_path, REPORT_TOPIC_ENDPOINT="https://topic.example/api/events", REPORT_TOPIC_KEY="k"):
        pass
    assert "REPORT_TOPIC_ENDPOINT is called EVENTS_TOPIC_ENDPOINT now" in caplog.text
    assert "REPORT_TOPIC_KEY is called EVENTS_TOPIC_KEY now" in caplog.text


def test_the_routes_need_a_function_key() -> None:
    levels = {route.auth_level for route in http_routes() if route.template.startswith("notifications")}
    assert levels == {"function"}
