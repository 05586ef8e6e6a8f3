"""What handlers of deliveries share: the line that tells of one, events as the Event Grid binding has them, in either
schema, and the log line on fields that are unreadable."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import TYPE_CHECKING

import azure.functions as func

from shared.composition import switchboard
from shared.errors import MalformedEvent
from shared.events import CallEvent, EventGridEvent, parse_event_grid_event
from shared.logs import logger

if TYPE_CHECKING:
    from shared.telemetry import Delivery

log = logger("switchboard.handlers")

MAX_NAMED = 10
"""Fields that a log line names; it counts them all."""


def delivery(function: str) -> AbstractContextManager[Delivery]:
    """Tell of a delivery to a function once it has been worked on, whatever became of it."""
    from shared import telemetry

    return telemetry.delivery(function)


def parsed(event: func.EventGridEvent | func.CloudEvent, told: Delivery) -> EventGridEvent | None:
    """The typed event, or None if it is malformed or of another topic: that is logged, and not delivered again."""
    try:
        typed = parse_event_grid_event(_as_delivered(event))
    except MalformedEvent as error:
        told.outcome = "malformed"
        log.error("malformed event id=%s field=%s: %s", event.id, error.field, error.problem)
        return None
    told.events = [typed]
    topic = switchboard().settings.event_grid_topic
    if topic and not typed.is_of(topic):
        told.outcome, told.reason = "refused", "the event is not of the topic in EVENT_GRID_TOPIC"
        log.error("refused %s id=%s: it is not of the topic in EVENT_GRID_TOPIC", typed.name, typed.id)
        return None
    log_unread_fields([typed])
    return typed


def log_unread_fields(events: Sequence[CallEvent | EventGridEvent]) -> None:
    """Log the names of the fields that could not be read, without their values."""
    for event in events:
        if event.unread:
            names = ", ".join(event.unread[:MAX_NAMED])
            log.warning("left out of %s id=%s: %d unreadable: %s", event.name, event.id, len(event.unread), names)


def _as_delivered(event: func.EventGridEvent | func.CloudEvent) -> dict[str, object]:
    """The event as JSON, from the fields that the binding makes of it."""
    if isinstance(event, func.EventGridEvent):
        return {
            "id": event.id,
            "topic": event.topic,
            "subject": event.subject,
            "eventType": event.event_type,
            "eventTime": _text(event.event_time),
            "data": event.get_json(),
        }
    return {
        "id": event.id,
        "source": event.source,
        "subject": event.subject,
        "type": event.type,
        "time": _text(event.time),
        "specversion": event.specversion,
        "data": event.get_json(),
    }


def _text(time: datetime | None) -> str | None:
    return time.isoformat() if time else None
