"""Event Grid: the subscription handshake, delivery, retry schedule and time to live."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Any

import aiohttp

from acs_emulator.core.clock import Clock, utc_now
from acs_emulator.core.config import EventGridTarget
from acs_emulator.core.ids import Ids
from acs_emulator.core.tasks import Tasks
from acs_emulator.events.envelopes import cloud_event, event_grid_event
from acs_emulator.events.faults import Faults
from acs_emulator.events.log import Attempt, Delivery, Log
from acs_emulator.events.posting import ask, post
from acs_emulator.events.remedies import unvalidated

#: Waits before each retry in seconds, the last one repeating (docs: Event Grid delivery and retry).
RETRY_SCHEDULE = (10.0, 30.0, 60.0, 300.0, 600.0, 1800.0, 3600.0)
#: Attempts and life in seconds of an event when the subscription does not say (same page).
MAX_ATTEMPTS = 30
TIME_TO_LIVE = 24 * 3600.0
#: Wall-clock seconds that an endpoint has to respond in (same page).
RESPONSE_TIMEOUT = 30.0
#: Statuses that count as delivered (same page).
DELIVERED = frozenset(range(200, 205))
#: Least wait after some statuses, in seconds (same page); any other failure waits at least 10 s.
LEAST_WAIT = {400: 300.0, 401: 300.0, 403: 300.0, 404: 300.0, 408: 120.0, 503: 30.0}
#: Seconds between handshake attempts while the endpoint is not up. Chosen.
HANDSHAKE_WAIT = 1.0
VALIDATION_EVENT = "Microsoft.EventGrid.SubscriptionValidationEvent"
_VALIDATION_RESPONSE = re.compile(r"""(["'])validationResponse\1\s*:\s*(["'])(?P<code>[^"']*)\2""", re.IGNORECASE)
#: Who asks for consent to send CloudEvents (docs).
_ORIGIN = "eventgrid.azure.net"
VALIDATION_PATH = "/emulator/eventgrid/validate"
_TOPIC = (
    "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/emulator"
    "/providers/Microsoft.Communication/communicationServices/emulator"
)


class Subscription:
    """One endpoint. Events wait until its handshake has succeeded."""

    def __init__(self, target: EventGridTarget, name: str, code: str) -> None:
        self.target = target
        self.name = name
        self.code = code
        self.validated = asyncio.Event()
        #: Why the last handshake failed, in words for people; empty before the first and after success.
        self.problem = ""

    def state(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "url": self.target.url,
            "eventTypes": sorted(self.target.event_types),
            "filters": [
                {"operatorType": one.operator, "key": one.key, "values": one.values}
                for one in self.target.advanced_filters
            ],
            "validated": self.validated.is_set(),
            "problem": self.problem,
        }


class EventGrid:
    """All subscriptions of the emulated resource."""

    def __init__(
        self, session: aiohttp.ClientSession, ids: Ids, clock: Clock, log: Log, faults: Faults, tasks: Tasks
    ) -> None:
        self._session = session
        self._ids = ids
        self._clock = clock
        self._log = log
        self._faults = faults
        self._tasks = tasks
        self.subscriptions: list[Subscription] = []
        #: Told when a subscription is validated, or when a handshake fails for another reason than the one before.
        self.on_handshake: list[Callable[[Subscription], None]] = []

    def subscribe(self, target: EventGridTarget, origin: str, handshakes: Tasks) -> Subscription:
        """Add an endpoint and start its handshake; ``origin`` is the emulator's own address."""
        name = f"SUBSCRIPTION-{len(self.subscriptions) + 1}"
        subscription = Subscription(target, name, self._ids.guid())
        self.subscriptions.append(subscription)
        handshakes.start(self._handshake(subscription, origin), f"handshake of {target.url}")
        return subscription

    def confirm(self, code: str) -> bool:
        """Manual validation by GET on the validation URL."""
        for subscription in self.subscriptions:
            if subscription.code == code:
                self._settled(subscription, "")
                return True
        return False

    def publish(self, name: str, subject: str, data: dict[str, Any]) -> int:
        """Send one event to every subscription that takes it; how many these are."""
        event_type = f"Microsoft.Communication.{name}"
        moment = utc_now()
        event_id = self._ids.guid()
        event = event_grid_event(event_id, _TOPIC, subject, event_type, data, moment)
        taken = 0
        for subscription in self.subscriptions:
            sent = cloud_event(event) if subscription.target.cloud_events else event
            if subscription.target.wants(sent):
                self._tasks.start(self._deliver(subscription, sent), f"Event Grid {name}")
                taken += 1
        return taken

    def forward(self, event: dict[str, Any]) -> None:
        """Send what an app has published to the subscriptions that name its type: the others are of this resource."""
        event_type = _type_of(event)
        for subscription in self.subscriptions:
            if subscription.target.takes_published(event):
                self._tasks.start(self._deliver(subscription, event), f"Event Grid {event_type}")

    async def _handshake(self, subscription: Subscription, origin: str) -> None:
        delivery: Delivery | None = None
        while not subscription.validated.is_set():
            code = subscription.code
            data = {"validationCode": code, "validationUrl": f"{origin}{VALIDATION_PATH}?code={code}"}
            if delivery is None:
                event = event_grid_event(self._ids.guid(), _TOPIC, "", VALIDATION_EVENT, data, utc_now())
                delivery = self._log.delivery("validation", subscription.target.url, event)
            problem = await (self._consent if subscription.target.cloud_events else self._validate)(
                subscription, delivery
            )
            self._settled(subscription, problem)
            if not problem:
                return
            await self._clock.sleep(HANDSHAKE_WAIT)

    async def _validate(self, subscription: Subscription, delivery: Delivery) -> str:
        """The handshake of the Event Grid schema; why it failed, or nothing."""
        response = await self._post(subscription, delivery, "SubscriptionValidation", 0)
        attempt = delivery.attempts[-1]
        passed = attempt.status == 200 and _validation_response(response) == subscription.code
        return "" if passed else unvalidated(attempt)

    async def _consent(self, subscription: Subscription, delivery: Delivery) -> str:
        """The handshake of the CloudEvents schema (docs: endpoint validation); why it failed, or nothing."""
        asked = {"WebHook-Request-Origin": _ORIGIN, "WebHook-Request-Rate": "120"}
        response = await ask(self._session, self._clock, delivery, asked, RESPONSE_TIMEOUT)
        attempt = delivery.attempts[-1]
        if attempt.status is None or not 200 <= attempt.status < 300:
            return unvalidated(attempt)
        allowed = response.get("WebHook-Allowed-Origin", "")
        return "" if allowed in ("*", _ORIGIN) else f"refused: OPTIONS got no WebHook-Allowed-Origin: {_ORIGIN} (or *)"

    def _settled(self, subscription: Subscription, problem: str) -> None:
        """Note how a handshake ended: well if there is no problem."""
        changed = problem != subscription.problem or not problem
        subscription.problem = problem
        if not problem:
            subscription.validated.set()
        for listener in self.on_handshake if changed else ():
            listener(subscription)

    async def _deliver(self, subscription: Subscription, event: dict[str, Any]) -> None:
        expires = self._clock.now() + TIME_TO_LIVE
        try:
            async with asyncio.timeout(self._clock.real(TIME_TO_LIVE)):
                await subscription.validated.wait()
        except TimeoutError:
            return
        struck = {fault.kind: fault for fault in self._faults.draw("eventgrid", _type_of(event))}
        delivery = self._log.delivery("eventGrid", subscription.target.url, event)
        if "drop" in struck:
            delivery.attempts.append(Attempt(self._clock.monotonic_ms(), fault="drop"))
            return
        if "delay" in struck or "reorder" in struck:
            await self._clock.sleep((struck.get("delay") or struck["reorder"]).seconds)
        if "duplicate" in struck:
            copy = self._log.delivery("eventGrid", subscription.target.url, event, duplicate=True)
            self._tasks.start(self._post(subscription, copy, "Notification", 0), "duplicate Event Grid event")
        pretend = struck.get("status")
        for count in range(MAX_ATTEMPTS):
            if pretend is not None and count == 0:
                delivery.attempts.append(Attempt(self._clock.monotonic_ms(), status=pretend.status, fault="status"))
            else:
                await self._post(subscription, delivery, "Notification", count)
            status = delivery.attempts[-1].status
            if status in DELIVERED:
                return
            wait = retry_wait(count, status)
            if self._clock.now() + wait > expires:
                return
            await self._clock.sleep(wait)

    async def _post(self, subscription: Subscription, delivery: Delivery, event_type: str, count: int) -> bytes:
        """Post once and note the attempt; the body of the response."""
        body: Any = delivery.body
        content_type = "application/json"
        if "specversion" in delivery.body[0]:
            body, content_type = delivery.body[0], "application/cloudevents+json"
        headers = {
            "Content-Type": f"{content_type}; charset=utf-8",
            "aeg-event-type": event_type,
            "aeg-subscription-name": subscription.name,
            "aeg-data-version": "1.0",
            "aeg-metadata-version": "1",
            "aeg-delivery-count": str(count),
        }
        return await post(self._session, self._clock, delivery, body, headers, RESPONSE_TIMEOUT)


def retry_wait(count: int, status: int | None) -> float:
    """Seconds to wait after failed attempt number ``count`` (from 0) that ended with ``status``."""
    scheduled = RETRY_SCHEDULE[min(count, len(RETRY_SCHEDULE) - 1)]
    return max(scheduled, LEAST_WAIT.get(status or 0, 10.0))


def _type_of(event: dict[str, Any]) -> str:
    """The type of an event of either schema."""
    return str(event.get("eventType") or event["type"])


def _validation_response(body: bytes) -> str | None:
    """The code that an endpoint gave back, also as the text of a Python dictionary, which official samples send."""
    found = _VALIDATION_RESPONSE.search(body.decode("utf-8", "replace"))
    return found["code"] if found else None
