"""An Event Grid custom topic: what an app publishes is kept, and goes to the subscriptions that name its type."""

from __future__ import annotations

import errno
import json
import os
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from acs_emulator.core.errors import DetailedRefusal
from acs_emulator.core.event_grid_target import ConfigError
from acs_emulator.core.files import replace
from acs_emulator.core.problems import Problems
from acs_emulator.events.eventgrid import EventGrid
from acs_emulator.events.log import RING_SIZE

#: Largest request, and largest event in it, in bytes (docs: post to a custom topic, 1 MB).
SIZE_LIMIT = 1024 * 1024
_TOPIC = (
    "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/emulator"
    "/providers/Microsoft.EventGrid/topics/emulator"
)
#: What an event must have, as text (docs: Event Grid event schema; CloudEvents 1.0).
_REQUIRED = {
    "EventGridEvent": ("id", "subject", "eventType", "eventTime"),
    "CloudEventV10": ("id", "source", "type", "specversion"),
}


class TopicRefusal(DetailedRefusal):
    """A refusal in the body of the topic's own API."""

    def body(self) -> dict[str, object]:
        details = [{"code": self.detail, "message": self.message}]
        return {"error": {"code": self.code, "message": self.message, "details": details}}


@dataclass(frozen=True)
class Published:
    """One event as it came."""

    n: int
    at_ms: float
    schema: str
    type: str
    event: dict[str, Any]

    def wire(self) -> dict[str, Any]:
        return {"n": self.n, "at_ms": self.at_ms, "schema": self.schema, "type": self.type, "event": self.event}


class Topic:
    """Takes both input schemas. Numbers go on after ``clear``.

    Args:
        file: where published events are kept over a restart, a line each; None keeps nothing.

    Raises OSError and ConfigError for a file that cannot be used.
    """

    def __init__(self, event_grid: EventGrid, problems: Problems, file: Path | None = None) -> None:
        self._event_grid = event_grid
        self._problems = problems
        self._file = file
        self.published: deque[Published] = deque(_kept(file), maxlen=RING_SIZE)
        self._count = self.published[-1].n if self.published else 0
        if file is not None:
            # Those that have fallen out of the ring go, and so does a line that was not finished.
            replace(file, "".join(map(_line, self.published)).encode())

    def publish(self, events: list[dict[str, Any]], schema: str, at_ms: float) -> None:
        for event in events:
            self._count += 1
            kind = str(event["eventType" if schema == "EventGridEvent" else "type"])
            published = Published(self._count, at_ms, schema, kind, event)
            self.published.append(published)
            self._keep(published)
            sent = {**event, "topic": _TOPIC, "metadataVersion": "1"} if schema == "EventGridEvent" else event
            self._event_grid.forward(sent)

    def _keep(self, published: Published) -> None:
        if self._file is None:
            return
        try:
            with self._file.open("ab", buffering=0) as kept:
                end, line = kept.tell(), _line(published).encode()
                if kept.write(line) < len(line):
                    kept.truncate(end)  # a disk that is full has taken half of it
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as error:
            self._problems.report(
                f"An event of the topic was not kept: {error.strerror} ({self._file})",
                "It was delivered all the same; make room for --location.",
            )

    def clear(self) -> None:
        self.published.clear()
        if self._file is not None:
            self._file.write_text("", "utf-8")


def _line(published: Published) -> str:
    return json.dumps(published.wire(), separators=(",", ":")) + "\n"


def _kept(file: Path | None) -> Iterator[Published]:
    """The events that an emulator before this one has kept. Its last line may be cut off, if it was killed."""
    if file is None or not file.exists():
        return
    for number, line in enumerate(file.read_text("utf-8").splitlines(keepends=True), 1):
        if not line.endswith("\n"):
            return
        try:
            yield Published(**json.loads(line))
        except (ValueError, TypeError) as error:
            raise ConfigError(f"--location: line {number} of {file} is no event; remove it. ({error})") from error


def read_events(body: bytes, media_type: str) -> tuple[list[dict[str, Any]], str]:
    """The events of a request and the name of their schema. Raises TopicRefusal."""
    if len(body) > SIZE_LIMIT:
        raise TopicRefusal(
            413, "PayloadTooLarge", "PayloadTooLarge", f"The maximum size ({SIZE_LIMIT}) has been exceeded."
        )
    cloud = media_type.startswith("application/cloudevents")
    single = media_type == "application/cloudevents+json"
    schema = "CloudEventV10" if cloud else "EventGridEvent"
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise _not_conforming(schema, "The JSON received is not valid.") from error
    given = "StartObject" if isinstance(value, dict) else "StartArray" if isinstance(value, list) else "Value"
    expected = "StartObject" if single else "StartArray"
    if expected != given:
        raise _not_conforming(schema, f"Token Expected: {expected}, Actual Token Received: {given}.")
    events = [value] if single else value
    for event in events:
        _check(event, schema)
    return events, schema


def _check(event: Any, schema: str) -> None:
    if not isinstance(event, dict):
        raise _not_conforming(schema, "Token Expected: StartObject.")
    for name in _REQUIRED[schema]:
        if not isinstance(event.get(name), str) or not event[name]:
            raise _not_conforming(schema, f"Property '{name}' is required and must be text.")


def _not_conforming(schema: str, reason: str) -> TopicRefusal:
    message = (
        f"This resource is configured to receive event in '{schema}' schema. The JSON received does not conform to "
        f"the expected schema. {reason}"
    )
    return TopicRefusal(400, "BadRequest", "InputJsonInvalid", message)
