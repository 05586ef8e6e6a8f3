"""Events as the Event Grid binding delivers them."""

from __future__ import annotations

import logging

import azure.functions as func

from shared.errors import MalformedEvent
from shared.events import EventGridEvent, parse_event_grid_event

log = logging.getLogger("switchboard.doors")


def parsed(event: func.EventGridEvent) -> EventGridEvent | None:
    """The event, typed; None for a malformed one, which is logged: the same event again would be as malformed."""
    try:
        return parse_event_grid_event(_as_delivered(event))
    except MalformedEvent as error:
        log.error("malformed event id=%s field=%s: %s", event.id, error.field, error.problem)
        return None


def _as_delivered(event: func.EventGridEvent) -> dict[str, object]:
    """The event as it came: the binding takes it apart."""
    return {
        "id": event.id,
        "topic": event.topic,
        "subject": event.subject,
        "eventType": event.event_type,
        "eventTime": event.event_time.isoformat() if event.event_time else None,
        "data": event.get_json(),
    }
