"""The topic, with Azure's own client against the emulator's: what it is sent, and what its refusals mean."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from acs_emulator.testing import running
from shared.azure.topic import TopicPublisher
from shared.notifications.errors import TopicUnavailable
from shared.notifications.event import Event

EVENT = Event(
    "call-1", "Switchboard.CallFinished", "/calls/call-1", datetime(2026, 11, 27, 9, tzinfo=UTC), {"flags": ("a", "b")}
)


def test_an_event_comes_in_the_event_grid_schema_with_its_id_and_time() -> None:
    with running() as emulator:
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
def test_the_topic_is_asked_again_unless_it_will_never_take_the_event(status: int, lasting: bool) -> None:
    with running() as emulator:
        emulator.control.add_faults({"kind": "status", "status": status, "match": {"operation": "PublishEvents"}})
        publisher = TopicPublisher(f"{emulator.endpoint}/api/events", emulator.access_key)
        # Azure's client says of 404 no more than this.
        said = "ResourceNotFoundError" if status == 404 else str(status)
        with pytest.raises(TopicUnavailable, match=said) as caught:
            publisher.deliver(EVENT)
    assert caught.value.lasting is lasting


def test_a_topic_where_nobody_listens_is_unavailable() -> None:
    with running() as emulator:
        publisher = TopicPublisher(f"{emulator.endpoint}/api/events", emulator.access_key)
    with pytest.raises(TopicUnavailable) as caught:
        publisher.deliver(EVENT)
    assert caught.value.retryable
