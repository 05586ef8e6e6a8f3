"""Fetches what is set up in Azure, and gives it to the checks."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from shared.diagnostics import Finding
from tools.doctor.app import look_inside
from tools.doctor.azure import events, neighbours, site
from tools.doctor.azure.arm import Arm, NotThere, az, azd_values, named
from tools.doctor.errors import CouldNotLook

PROVIDERS = ("Microsoft.Communication", "Microsoft.EventGrid", "Microsoft.Web")
STREAMS_PROVIDER = "Microsoft.App"
"""Of Container Apps, where the streams service runs."""


def look(root: Path, given: argparse.Namespace) -> list[Finding]:
    """Everything that can be read there. CouldNotLook.

    Args:
        root: the folder of the app, which says which functions there should be.
        given: the command line.
    """
    values = azd_values()
    group = named(given.resource_group, "AZURE_RESOURCE_GROUP", values, "--resource-group")
    name = named(given.app, "AZURE_FUNCTION_APP_NAME", values, "--app")
    arm = _signed_in(given, values)
    expected = look_inside(root, {})
    if not expected.functions:
        raise CouldNotLook("this copy of the app has no functions to compare with: make doctor says why.")
    found = provider_findings({one: _registration(arm, one) for one in PROVIDERS})
    path = f"{arm.root}/resourceGroups/{group}/providers/Microsoft.Web/sites/{name}"
    try:
        app = arm.get(path, "Microsoft.Web")
    except NotThere:
        return [
            *found,
            Finding(
                "site.missing",
                "wrong",
                f"There is no Function App {name} in {group}, or you may not see it.",
                "Nothing takes calls.",
                "azd up, or: az functionapp list --output table",
            ),
        ]
    settings = dict(arm.post(f"{path}/config/appsettings/list", "Microsoft.Web").get("properties") or {})
    if settings.get("STREAMS_URL"):
        found += provider_findings({STREAMS_PROVIDER: _registration(arm, STREAMS_PROVIDER)})
    references = list(arm.list(f"{path}/config/configreferences/appsettings", "Microsoft.Web"))
    functions = [str(one.get("name", "")).rpartition("/")[2] for one in arm.list(f"{path}/functions", "Microsoft.Web")]
    found += site.site_findings(app)
    found += site.setting_findings(settings, references, app)
    found += site.function_findings(functions, expected.functions)
    resource = _communication(arm, settings)
    found += neighbours.communication_findings(resource, settings, _diagnostics(arm, resource))
    if resource is not None:
        topics, subscriptions = _events(arm, resource)
        found += events.subscription_findings(subscriptions, app, expected.numbers, str(resource["id"]))
        found += events.delivery_findings(_metrics(arm, topics))
    speech = _by_endpoint(arm, settings)
    found += neighbours.speech_findings(speech, settings)
    storage = _storage(arm, settings)
    found += neighbours.storage_findings(storage, settings, app)
    found += neighbours.role_findings(
        _roles(arm, app, resource), app, resource, speech, storage, settings, datetime.now(UTC)
    )
    return found


def provider_findings(states: Mapping[str, str]) -> list[Finding]:
    """Whether the resource providers are registered in the subscription."""
    missing = {name: state for name, state in states.items() if state != "Registered"}
    return [
        Finding(
            "providers.unregistered",
            "wrong",
            f"The provider {name} is {state or 'unknown'} in this subscription.",
            "Without it no resource of it works: events do not come, though nothing fails.",
            f"az provider register --namespace {name}",
        )
        for name, state in missing.items()
    ] or [Finding("providers.registered", "fine", "The resource providers are registered.")]


def _signed_in(given: argparse.Namespace, values: Mapping[str, str]) -> Arm:
    account = az("account", "show")
    subscription = given.subscription or values.get("AZURE_SUBSCRIPTION_ID", "") or str(account["id"])
    token = az("account", "get-access-token", "--resource", given.arm.rstrip("/") + "/")
    return Arm(given.arm, str(token["accessToken"]), subscription)


def _registration(arm: Arm, provider: str) -> str:
    try:
        return str(arm.get(f"{arm.root}/providers/{provider}", "providers").get("registrationState", ""))
    except NotThere:
        return ""


def _communication(arm: Arm, settings: Mapping[str, str]) -> dict[str, Any] | None:
    """The Communication Services resource of ACS_ENDPOINT, wherever it is in the subscription."""
    host = neighbours.host_of(settings.get("ACS_ENDPOINT", ""))
    path = f"{arm.root}/providers/Microsoft.Communication/communicationServices"
    return next(
        (
            one
            for one in arm.list(path, "Microsoft.Communication")
            if str(one.get("properties", {}).get("hostName", "")).lower() == host
        ),
        None,
    )


def _diagnostics(arm: Arm, resource: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    if resource is None:
        return []
    path = f"{resource['id']}/providers/Microsoft.Insights/diagnosticSettings"
    return list(arm.list(path, "Microsoft.Insights/diagnosticSettings"))


def _events(arm: Arm, resource: Mapping[str, Any]) -> tuple[list[str], list[dict[str, Any]]]:
    """The system topics of a resource, and their subscriptions."""
    topics = [
        str(one["id"])
        for one in arm.list(f"{arm.root}/providers/Microsoft.EventGrid/systemTopics", "Microsoft.EventGrid")
        if str(one.get("properties", {}).get("source", "")).lower() == str(resource["id"]).lower()
    ]
    lists = [f"{topic}/eventSubscriptions" for topic in topics] or [
        f"{resource['id']}/providers/Microsoft.EventGrid/eventSubscriptions"
    ]
    return topics, [one for path in lists for one in arm.list(path, "Microsoft.EventGrid")]


def _metrics(arm: Arm, topics: list[str]) -> dict[str, float]:
    """Sums of the last day, by metric."""
    now = datetime.now(UTC)
    span = f"{now - timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}/{now:%Y-%m-%dT%H:%M:%SZ}"
    sums: dict[str, float] = {}
    for topic in topics:
        path = f"{topic}/providers/Microsoft.Insights/metrics"
        names = ",".join(events.METRICS)
        query = {"timespan": span, "interval": "PT1H", "aggregation": "Total", "metricnames": names}
        for metric in arm.list(path, "Microsoft.Insights/metrics", **query):
            points = [point for series in metric.get("timeseries", []) for point in series.get("data", [])]
            name = str(metric["name"]["value"])
            sums[name] = sums.get(name, 0.0) + sum(float(point.get("total") or 0) for point in points)
    return sums


def _by_endpoint(arm: Arm, settings: Mapping[str, str]) -> dict[str, Any] | None:
    """The AI resource of COGNITIVE_SERVICES_ENDPOINT."""
    host = neighbours.host_of(settings.get("COGNITIVE_SERVICES_ENDPOINT", ""))
    if not host:
        return None
    path = f"{arm.root}/providers/Microsoft.CognitiveServices/accounts"
    for one in arm.list(path, "Microsoft.CognitiveServices"):
        properties = one.get("properties", {})
        addresses = [properties.get("endpoint", ""), *(properties.get("endpoints") or {}).values()]
        if host in {neighbours.host_of(str(address)) for address in addresses}:
            return one
    return None


def _storage(arm: Arm, settings: Mapping[str, str]) -> dict[str, Any] | None:
    name = neighbours.storage_name(settings)
    path = f"{arm.root}/providers/Microsoft.Storage/storageAccounts"
    return next((one for one in arm.list(path, "Microsoft.Storage") if one.get("name") == name), None)


def _roles(arm: Arm, app: Mapping[str, Any], resource: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """The role assignments of the identities of the app and of the resource."""
    principals = [*neighbours.principals(app), *(neighbours.principals(resource) if resource else [])]
    path = f"{arm.root}/providers/Microsoft.Authorization/roleAssignments"
    return [
        one
        for principal in principals
        for one in arm.list(path, "Microsoft.Authorization", **{"$filter": f"principalId eq '{principal}'"})
    ]
