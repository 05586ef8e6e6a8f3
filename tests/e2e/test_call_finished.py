"""A finished call through everything: the storage's queue, the emulator's topic, and a receiver's own server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.e2e.line import RECEPTION, REJECTED, WATCHFUL, Line, line, until
from tests.functional.hook_receiver import Receiver
from tests.setting_samples import made_key

pytestmark = [pytest.mark.e2e, pytest.mark.node, pytest.mark.xdist_group("e2e-call-finished")]

KEY = made_key("hook")


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with Receiver(KEY) as one:
        yield one


@pytest.fixture(scope="module")
def phone_line(tmp_path_factory: pytest.TempPathFactory, receiver: Receiver) -> Iterator[Line]:
    environment = {**WATCHFUL, "HOOK_URL": receiver.url, "HOOK_KEY": KEY}
    with line(tmp_path_factory.mktemp("app"), environment=environment) as one:
        yield one


def published(phone_line: Line, call_id: str) -> list[dict[str, Any]]:
    return [one["event"] for one in phone_line.control.topic(type="CallFinished", subject=f"/calls/{call_id}")]


def dead_letters(phone_line: Line) -> list[dict[str, Any]]:
    response = requests.get(f"{phone_line.stack.base_url}/api/notifications/dead-letters", timeout=10)
    found: list[dict[str, Any]] = response.json()["dead_letters"]
    return found


def test_a_finished_call_reaches_the_topic_at_once_and_a_hook_that_was_down_when_it_comes_up(
    phone_line: Line, receiver: Receiver
) -> None:
    document = phone_line.end(phone_line.call(RECEPTION, [{"when": "asked", "after": 1, "press": "1"}]))
    call_id = document["call_id"]
    until(lambda: bool(published(phone_line, call_id)), 20, lambda: f"nothing published; {phone_line.stack.logs}")
    assert receiver.events == []
    receiver.up()
    until(lambda: bool(receiver.events), 40, lambda: f"{receiver.refused}; {phone_line.stack.logs}")
    (event,), (told,) = receiver.events, published(phone_line, call_id)
    assert (event["id"], told["id"]) == (call_id, call_id)
    assert (event["type"], told["eventType"]) == ("Switchboard.CallFinished", "Switchboard.CallFinished")
    assert event["data"] == told["data"]
    assert event["data"]["outcome"] == document["outcome"]
    assert event["data"]["totalMs"] == document["ended_at"] - document["started_at"]
    assert receiver.refused == []


def test_what_the_receiver_refuses_is_a_dead_letter_until_it_is_replayed(phone_line: Line, receiver: Receiver) -> None:
    receiver.down()
    receiver.up()
    receiver.events.clear()
    receiver.status = lambda number: 422 if number == 1 else 204
    call_id = phone_line.end(phone_line.call(REJECTED))["call_id"]
    until(lambda: bool(dead_letters(phone_line)), 20, lambda: f"no dead letter; {phone_line.stack.logs}")
    (letter,) = dead_letters(phone_line)
    assert (letter["call_id"], letter["target"], letter["reason"]) == (call_id, "hook", "the hook responded 422")
    replayed = requests.post(f"{phone_line.stack.base_url}/api/notifications/dead-letters/{call_id}/replay", timeout=10)
    assert (replayed.status_code, replayed.json()["targets"]) == (202, ["hook"])
    until(lambda: receiver.ids == [call_id, call_id], 20, lambda: f"{receiver.ids}; {phone_line.stack.logs}")
    assert dead_letters(phone_line) == []
    assert len(published(phone_line, call_id)) == 1


def test_no_number_and_no_secret_of_the_hook_stands_in_the_log(phone_line: Line) -> None:
    logged = "\n".join(path.read_text(errors="replace") for path in Path(phone_line.stack.logs).glob("host*.log"))
    assert "delivered CallFinished" in logged
    assert not [secret for secret in ("a-secret", KEY, RECEPTION[1:], "+1425555") if secret in logged]
