"""Event Grid subscriptions as they are asked for: where events go, and which."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from acs_emulator.core.event_grid_filter import AdvancedFilter, FilterError, parse_advanced_filters

#: Event Grid's names of the schemas that events can be delivered in.
DELIVERY_SCHEMAS = _EVENT_GRID_SCHEMA, _CLOUD_EVENTS = "EventGridSchema", "CloudEventSchemaV1_0"
FIELDS = {
    "endpointUrl",
    "eventDeliverySchema",
    "includedEventTypes",
    "subjectBeginsWith",
    "subjectEndsWith",
    "isSubjectCaseSensitive",
    "enableAdvancedFilteringOnArrays",
    "advancedFilters",
}


class ConfigError(ValueError):
    """A setting cannot be used; the message names the flag and says what is expected."""


@dataclass(frozen=True)
class EventGridTarget:
    """One Event Grid subscription: an endpoint and, if given, the event types it wants and its filters."""

    url: str
    event_types: frozenset[str] = frozenset()
    subject_begins_with: str = ""
    subject_ends_with: str = ""
    case_sensitive: bool = False
    advanced_filters: tuple[AdvancedFilter, ...] = ()
    #: Whether the resource's events are delivered as CloudEvents.
    cloud_events: bool = False

    @classmethod
    def parse(cls, text: str) -> EventGridTarget:
        """Read ``http://host/path?query#IncomingCall,CallEnded``, or JSON with the properties of a subscription.

        Without a fragment all types are sent.
        """
        text = text.strip()
        if text.startswith("{"):
            try:
                return cls.read(json.loads(text))
            except json.JSONDecodeError as error:
                raise ConfigError(f"--event-grid: not valid JSON ({error}).") from error
        url, _, fragment = text.partition("#")
        return cls(_checked(url), frozenset(name.strip() for name in fragment.split(",") if name.strip()))

    @classmethod
    def read(cls, body: Any) -> EventGridTarget:
        """Read the properties of a subscription, in Event Grid's own names. Raises ConfigError."""
        if not isinstance(body, dict):
            raise ConfigError("--event-grid: a subscription must be an object.")
        unknown = sorted(set(body) - FIELDS)
        if unknown:
            raise ConfigError(f"--event-grid: '{unknown[0]}' is not known; known are {', '.join(sorted(FIELDS))}.")
        types = body.get("includedEventTypes", [])
        if not isinstance(types, list) or not all(isinstance(one, str) for one in types):
            raise ConfigError("--event-grid: 'includedEventTypes' must be a list of text.")
        begins, ends = body.get("subjectBeginsWith", ""), body.get("subjectEndsWith", "")
        if not isinstance(begins, str) or not isinstance(ends, str):
            raise ConfigError("--event-grid: 'subjectBeginsWith' and 'subjectEndsWith' must be text.")
        switches = [body.get(name, False) for name in ("isSubjectCaseSensitive", "enableAdvancedFilteringOnArrays")]
        if not all(isinstance(one, bool) for one in switches):
            raise ConfigError(
                "--event-grid: 'isSubjectCaseSensitive' and 'enableAdvancedFilteringOnArrays' must be true or false."
            )
        schema = body.get("eventDeliverySchema", _EVENT_GRID_SCHEMA)
        if schema not in DELIVERY_SCHEMAS:
            raise ConfigError(f"--event-grid: 'eventDeliverySchema' must be {' or '.join(DELIVERY_SCHEMAS)}.")
        try:
            filters = parse_advanced_filters(body.get("advancedFilters", []), on_arrays=switches[1])
        except FilterError as error:
            raise ConfigError(f"--event-grid: {error}") from error
        url = _checked(body.get("endpointUrl"), "'endpointUrl' ")
        return cls(url, frozenset(types), begins, ends, switches[0], filters, schema == _CLOUD_EVENTS)

    def wants(self, event: dict[str, Any]) -> bool:
        """Whether this subscription takes an event of the resource."""
        return (not self.event_types or self.names(_type_of(event))) and self._passes(event)

    def takes_published(self, event: dict[str, Any]) -> bool:
        """Whether it takes an event that an app has published: its type must be asked for."""
        return self.names(_type_of(event)) and self._passes(event)

    def names(self, event_type: str) -> bool:
        """Whether this subscription asks for the event type, in full or by its last part."""
        return bool({event_type, event_type.rpartition(".")[2]} & self.event_types)

    def _passes(self, event: dict[str, Any]) -> bool:
        subject, begins, ends = (
            text if self.case_sensitive else text.casefold()
            for text in (str(event.get("subject", "")), self.subject_begins_with, self.subject_ends_with)
        )
        return (
            subject.startswith(begins)
            and subject.endswith(ends)
            and all(one.passes(event) for one in self.advanced_filters)
        )


def _type_of(event: dict[str, Any]) -> str:
    return str(event.get("eventType") or event.get("type"))


def _checked(url: Any, name: str = "") -> str:
    try:
        parts = urlsplit(url if isinstance(url, str) else "")
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise ConfigError(f"--event-grid: {name}{url!r} is not an absolute http(s) URL.")
    return str(url)
