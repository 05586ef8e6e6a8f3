"""Checks of Event Grid: whether the service's events can come to the functions, and whether they did."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

from shared.diagnostics import Finding

METRICS = ("DeliveryAttemptFailCount", "DeadLetteredCount", "DroppedEventCount")
"""Metrics of a system topic that should be 0 (azure-docs event-grid/metrics.md)."""

PREFIX = "Microsoft.Communication."
MOST_MINUTES = 5
"""Minutes for which an IncomingCall may be delivered (our choice): a call rings for some 30 seconds."""
_NUMBER_KEYS = ("data.to.phonenumber.value", "data.to.rawid")


class Wanted(NamedTuple):
    """A subscription that there should be.

    Attributes:
        serious: calls do not work without it.
    """

    types: tuple[str, ...]
    serious: bool
    why: str


WANTED = {
    "incoming_call": Wanted(("IncomingCall",), True, "No call reaches the app, and nothing says so."),
    "call_lifecycle": Wanted(
        ("CallStarted", "CallEnded", "CallParticipantAdded", "CallParticipantRemoved"),
        False,
        "Calls whose last callback is lost are settled later, by the watchdog.",
    ),
    "recording_file": Wanted(
        ("RecordingFileStatusUpdated",), False, "Recordings are not fetched: the service deletes them after 24 hours."
    ),
}
"""By function."""


def subscription_findings(
    subscriptions: Collection[Mapping[str, Any]], app: Mapping[str, Any], numbers: Collection[str], source: str
) -> list[Finding]:
    """Whether there is a subscription for each function, and what it lets through.

    Args:
        subscriptions: those of the Communication Services resource.
        numbers: what routing.yaml names in `to`.
        source: the id of the resource.
    """
    found = []
    for function, wanted in WANTED.items():
        mine = [one for one in subscriptions if leads_to(one, app, function)]
        missing = [kind for kind in wanted.types if not any(_lets(one, kind) for one in mine)]
        if missing:
            name = function.replace("_", "-")
            found.append(
                Finding(
                    f"events.{function}",
                    "wrong" if wanted.serious else "look",
                    f"No subscription brings {', '.join(missing)} to the function {function}.",
                    wanted.why,
                    f"azd hooks run postdeploy, or: az eventgrid event-subscription create --name {name} "
                    f"--source-resource-id {source} --endpoint-type azurefunction "
                    f"--endpoint {app['id']}/functions/{function} "
                    f"--included-event-types {' '.join(PREFIX + kind for kind in wanted.types)}",
                )
            )
            continue
        found += [one for subscription in mine for one in _state_findings(subscription, function)]
        if function == "incoming_call":
            found += [one for subscription in mine for one in _ringing_findings(subscription, numbers)]
    return found or [Finding("events.subscribed", "fine", "Event Grid brings the service's events to the functions.")]


def delivery_findings(sums: Mapping[str, float]) -> list[Finding]:
    """Whether deliveries failed within the last day.

    Args:
        sums: by metric.
    """
    bad = {name: int(sums.get(name, 0)) for name in METRICS if sums.get(name, 0)}
    if bad:
        shown = ", ".join(f"{name} {count}" for name, count in bad.items())
        return [
            Finding(
                "events.failed",
                "look",
                f"Deliveries failed within the last day: {shown}.",
                "An endpoint that fails often gets new events late, too: callers hang up before.",
                "infra/queries/refused.kql shows which function, and why.",
            )
        ]
    return [Finding("events.delivered", "fine", "No delivery failed within the last day.")] if sums else []


def leads_to(subscription: Mapping[str, Any], app: Mapping[str, Any], function: str) -> bool:
    """Whether a subscription delivers to a function of the app, as a function or by the host's web hook."""
    properties = subscription.get("properties", {})
    destination = (
        properties.get("destination") or (properties.get("deliveryWithResourceIdentity") or {}).get("destination") or {}
    )
    given = destination.get("properties") or {}
    if destination.get("endpointType") == "AzureFunction":
        return str(given.get("resourceId", "")).lower() == f"{app['id']}/functions/{function}".lower()
    address = str(given.get("endpointBaseUrl") or given.get("endpointUrl") or "").lower()
    host = str(app.get("properties", {}).get("defaultHostName", "")).lower()
    # The base URL has no query: any web hook at the app's own host may be that of the function.
    return bool(host) and f"//{host}/runtime/webhooks/eventgrid" in address


def _lets(subscription: Mapping[str, Any], kind: str) -> bool:
    types = (subscription.get("properties", {}).get("filter") or {}).get("includedEventTypes")
    return not types or any(str(one).lower() == (PREFIX + kind).lower() for one in types)


def _state_findings(subscription: Mapping[str, Any], function: str) -> list[Finding]:
    state = subscription.get("properties", {}).get("provisioningState")
    if state in (None, "Succeeded"):
        return []
    return [
        Finding(
            "events.state",
            "wrong",
            f"The subscription {subscription.get('name')} is {state}.",
            "Event Grid delivers by none that is not ready.",
            f"Make sure that the function {function} is there, then: azd hooks run postdeploy",
        )
    ]


def _ringing_findings(subscription: Mapping[str, Any], numbers: Collection[str]) -> list[Finding]:
    properties, name = subscription.get("properties", {}), subscription.get("name")
    found = []
    minutes = (properties.get("retryPolicy") or {}).get("eventTimeToLiveInMinutes")
    if minutes is None or minutes > MOST_MINUTES:
        found.append(
            Finding(
                "events.late",
                "look",
                f"{name} delivers IncomingCall for up to {minutes or 1440} minutes.",
                "Nobody rings that long; what fails is repeated, and delays what is new.",
                "--max-delivery-attempts 2 --event-ttl 1",
            )
        )
    shut_out = [number for number in numbers if not _passes(properties.get("filter") or {}, number)]
    if shut_out:
        found.append(
            Finding(
                "events.filter",
                "wrong",
                f"The filter of {name} keeps out {len(shut_out)} numbers of routing.yaml.",
                "Calls to them ring, and no event comes.",
                "Add them to the advanced filter, or call once without it.",
            )
        )
    return found


def _passes(filters: Mapping[str, Any], number: str) -> bool:
    """Whether a call to a number passes the filters on it; those on anything else are not judged."""
    return all(
        _matches(str(one.get("operatorType", "")).lower(), _texts(one), number)
        for one in filters.get("advancedFilters") or ()
        if str(one.get("key", "")).lower() in _NUMBER_KEYS
    )


def _texts(one: Mapping[str, Any]) -> list[str]:
    return [str(text).removeprefix("4:") for text in one.get("values") or ()]


def _matches(operator: str, texts: Iterable[str], number: str) -> bool:
    if operator == "stringin":
        return number in texts
    if operator == "stringbeginswith":
        return any(number.startswith(text) for text in texts)
    if operator == "stringnotin":
        return number not in texts
    return True
