"""The topic, with Azure's own client against the emulator's: what it is sent, and what its refusals mean."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from acs_emulator.testing import Control, Running, running
from devstack.ports import free_port
from shared.azure.topic import TopicPublisher
from shared.notifications.errors import TopicUnavailable
from shared.notifications.event import Event

EVENT = Event(
    "call-1", "Switchboard.CallFinished", "/calls/call-1", datetime(2026, 11, 27, 9, tzinfo=UTC), {"flags": ("a", "b")}
)


@pytest.fixture(scope="module")
def emulator() -> Iterator[Running[Control]]:
    with running() as one:
        yield one


def test_an_event_comes_in_the_event_grid_schema_with_its_id_and_time(emulator: Running[Control]) -> None:
    TopicPublisher(f"{emulator.endpoint}/api/events", emulator.access_key).deliver(EVENT)
    (published,) = emulator.control.topic()
    event = published["event"]
    assert published["schema"] == "EventGridEvent"
    assert (event["id"], event["subject"], event["eventType"], event["dataVersion"]) == (
        "call-1",
        "/calls/call-1",
        "Switchboard.CallFinished",
        "1.0",
    )
    assert datetime.fromisoformat(event["eventTime"]) == EVENT.time
    assert event["data"] == {"flags": ["a", "b"]}, "a tuple is written as JSON has it"


@pytest.mark.parametrize(
    ("status", "lasting"),
    [(400, True), (413, True), (401, False), (403, False), (404, False), (429, False), (503, False)],
)
def test_the_topic_is_asked_again_unless_it_will_never_take_the_event(
    emulator: Running[Control], pauses: list[float], status: int, lasting: bool
) -> None:
    emulator.control.add_faults({"kind": "status", "status": status, "match": {"operation": "PublishEvents"}})
    publisher = TopicPublisher(f"{emulator.endpoint}/api/events", emulator.access_key)
    # Azure's client says of 404 no more than this.
    said = "ResourceNotFoundError" if status == 404 else str(status)
    with pytest.raises(TopicUnavailable, match=said) as caught:
        publisher.deliver(EVENT)
    emulator.control.clear_faults()
    assert sum(pauses) <= 5
    assert caught.value.lasting is lasting


@pytest.mark.usefixtures("pauses")
def test_a_topic_where_nobody_listens_is_unavailable() -> None:
    publisher = TopicPublisher(f"http://127.0.0.1:{free_port()}/api/events", "a2V5")
    with pytest.raises(TopicUnavailable) as caught:
        publisher.deliver(EVENT)
    assert caught.value.retryable
