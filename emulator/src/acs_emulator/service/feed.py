"""What happens, as it happens: the entries of the timeline, deliveries to the app, and requests that were refused."""

from __future__ import annotations

from collections.abc import Iterator, Reversible
from itertools import takewhile
from typing import Any, TypeVar
from urllib.parse import urlsplit

from acs_emulator.calls.resource import Resource
from acs_emulator.events.log import Delivery, RequestRecord

T = TypeVar("T", Delivery, RequestRecord)
#: What somebody is shown who comes later: so many of the last entries, deliveries and refusals each.
BACKLOG = 200
#: Deliveries that are looked at again for another attempt.
_WATCHED = 300


class Feed:
    """One reader's place in the logs."""

    def __init__(self, resource: Resource) -> None:
        self._resource = resource
        log = resource.log
        self._entry = max(0, (entries[-1].n if (entries := resource.timeline.after(0)) else 0) - BACKLOG)
        self._delivery = max(0, (log.deliveries[-1].n if log.deliveries else 0) - BACKLOG)
        self._request = max(0, (log.requests[-1].n if log.requests else 0) - BACKLOG)
        #: Deliveries that may be tried again, with the attempts that were told.
        self._open: dict[int, tuple[Delivery, int]] = {}

    def news(self) -> list[dict[str, Any]]:
        """What is new since the last time, in order of time. A delivery comes again with each attempt."""
        log = self._resource.log
        entries = self._resource.timeline.after(self._entry)
        if entries:
            self._entry = entries[-1].n
        found = [{"entry": entry.n, **entry.wire()} for entry in entries]
        for delivery in _newer(log.deliveries, self._delivery):
            self._delivery = delivery.n
            self._open[delivery.n] = (delivery, 0)
        found += self._deliveries()
        for request in _newer(log.requests, self._request):
            if request.status is None:
                break
            self._request = request.n
            if request.status >= 400:
                found.append(_refusal(request))
        return sorted(found, key=lambda one: float(one["at_ms"]))

    def _deliveries(self) -> Iterator[dict[str, Any]]:
        for number, (delivery, told) in list(self._open.items()):
            if len(delivery.attempts) > told:
                self._open[number] = (delivery, len(delivery.attempts))
                yield _delivery(delivery)
                if delivery.attempts[-1].delivered:
                    del self._open[number]
        while len(self._open) > _WATCHED:
            del self._open[next(iter(self._open))]


def _newer(records: Reversible[T], after: int) -> list[T]:
    """The records behind a number, oldest first; the logs are long, and read from their end."""
    return list(takewhile(lambda record: record.n > after, reversed(records)))[::-1]


def _delivery(delivery: Delivery) -> dict[str, Any]:
    first, last = delivery.attempts[0], delivery.attempts[-1]
    parts = urlsplit(delivery.url)
    return {
        "delivery": delivery.n,
        "at_ms": first.at_ms,
        "kind": delivery.kind,
        "type": delivery.type.rpartition(".")[2],
        "to": f"{parts.scheme}://{parts.netloc}{parts.path}",
        "duplicate": delivery.duplicate,
        "attempts": len(delivery.attempts),
        "delivered": last.delivered,
        "status": last.status,
        "ms": last.ms,
        "error": last.error,
        "fault": last.fault,
        "summary": summary(delivery.body[0].get("data") or {}),
    }


def _refusal(request: RequestRecord) -> dict[str, Any]:
    error = request.answer.get("error") if isinstance(request.answer, dict) else None
    message = error.get("message") if isinstance(error, dict) else None
    return {
        "refusal": request.n,
        "at_ms": request.at_ms,
        "operation": (request.operation_id or f"{request.method} {urlsplit(request.path).path}").rpartition("_")[2],
        "status": request.status,
        "message": str(message or request.note or ""),
    }


def summary(data: dict[str, Any]) -> str:
    """What an event says that a person wants to know: what was chosen, pressed or heard, or why it failed."""
    if choice := data.get("choiceResult"):
        return f"{choice['label']} ({choice['recognizedPhrase'] or 'by key'})"
    if keys := data.get("dtmfResult"):
        return f"keys: {' '.join(keys['tones'])}"
    if speech := data.get("speechResult"):
        return f"“{speech['speech']}”"
    if "tone" in data:
        return f"key: {data['tone']}"
    result = data.get("resultInformation") or {}
    if (result.get("code") or 0) >= 300:
        return f"{result['code']}/{result['subCode']}: {result['message']}"
    return str(data.get("state") or "")
