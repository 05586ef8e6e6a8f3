"""Bodies of events, property by property in the recorded order."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from acs_emulator.core.clock import ticks_text
from acs_emulator.core.outcomes import Outcome

#: `version` in the data of every recorded event, whatever api-version the client sends (recorded 2025).
EVENT_VERSION = "2024-09-01-preview"
PREFIX = "Microsoft.Communication."
#: Types whose resultInformation stands before `version` (recorded 2025).
_RESULT_FIRST = frozenset(
    {"ParticipantsUpdated", "HoldAudioStarted", "HoldAudioPaused", "HoldAudioResumed", "HoldAudioCompleted"}
    | {"RecordingStateChanged"}
)


def callback_event(
    *,
    event_id: str,
    name: str,
    source: str,
    moment: datetime,
    specific: dict[str, Any],
    outcome: Outcome,
    operation_context: str | None,
    call: dict[str, str],
) -> dict[str, Any]:
    """One CloudEvent of a callback. ``call`` holds callConnectionId, serverCallId, correlationId in order."""
    result = {"resultInformation": outcome.wire()}
    version = {"version": EVENT_VERSION}
    context = {} if operation_context is None else {"operationContext": operation_context}
    common = {**result, **version, **context} if name in _RESULT_FIRST else {**version, **context, **result}
    return {
        "id": event_id,
        "source": source,
        "type": PREFIX + name,
        "data": {**specific, **common, **call, "publicEventType": PREFIX + name},
        "time": ticks_text(moment),
        "specversion": "1.0",
        "datacontenttype": "application/json",
        "subject": source,
    }


def cloud_event(event: dict[str, Any]) -> dict[str, Any]:
    """An event of the Event Grid schema as Event Grid delivers it in the CloudEvents schema (docs)."""
    return {
        "id": event["id"],
        "source": event["topic"],
        "subject": event["subject"],
        "data": event["data"],
        "type": event["eventType"],
        "time": event["eventTime"],
        "specversion": "1.0",
    }


def event_grid_event(
    event_id: str, topic: str, subject: str, event_type: str, data: dict[str, Any], moment: datetime
) -> dict[str, Any]:
    """One event in the Event Grid schema."""
    return {
        "id": event_id,
        "topic": topic,
        "subject": subject,
        "data": data,
        "eventType": event_type,
        "dataVersion": "1.0",
        "metadataVersion": "1",
        "eventTime": ticks_text(moment, "Z"),
    }
