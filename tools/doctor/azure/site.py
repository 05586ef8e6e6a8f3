"""Checks of the Function App: how it runs, its settings, its functions."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from shared.diagnostics import Finding, settings_findings
from shared.errors import SettingsError
from shared.setting_values import is_loopback
from shared.settings import load_settings, unknown_settings

LEAST_AT_ONCE = 8
"""HTTP requests that an instance should take side by side, at least; Python apps take one if nothing is said
(azure-docs functions-concurrency.md)."""
ALWAYS_READY = ("http", "function:incoming_call")
"""Groups of functions for which a caller waits."""
NOT_ON_FLEX = (
    "FUNCTIONS_EXTENSION_VERSION",
    "FUNCTIONS_WORKER_RUNTIME",
    "WEBSITE_RUN_FROM_PACKAGE",
    "WEBSITE_CONTENTAZUREFILECONNECTIONSTRING",
    "WEBSITE_CONTENTSHARE",
    "SCM_DO_BUILD_DURING_DEPLOYMENT",
    "ENABLE_ORYX_BUILD",
)
"""Settings that Flex Consumption no longer knows (azure-functions-doctor, rule check_flex_deprecated_settings)."""

_REFERENCE = re.compile(r"@Microsoft\.KeyVault\(", re.IGNORECASE)
_PYTHONS = ("3.11", "3.12", "3.13", "3.14")


def site_findings(app: Mapping[str, Any]) -> list[Finding]:
    """Whether it runs, and how many calls it can take at once without a cold start."""
    properties = app.get("properties", {})
    found = []
    if properties.get("state") not in (None, "Running"):
        found.append(
            Finding(
                "site.stopped",
                "wrong",
                f"The app is {properties['state']}.",
                "Nothing takes calls.",
                f"az functionapp start --ids {app['id']}",
            )
        )
    config = properties.get("functionAppConfig")
    if not config:
        return [
            *found,
            Finding(
                "site.plan",
                "look",
                "The app does not run on Flex Consumption.",
                "What is checked of concurrency and warm instances applies to that plan.",
                "docs/deploy.md, Plans",
            ),
        ]
    runtime = config.get("runtime") or {}
    if runtime.get("name") != "python" or runtime.get("version") not in _PYTHONS:
        found.append(
            Finding(
                "site.runtime",
                "wrong",
                f"The runtime is {runtime.get('name')} {runtime.get('version')}.",
                "The app is not indexed: 0 functions.",
                f"Deploy again with one of Python {', '.join(_PYTHONS)}.",
            )
        )
    scale = config.get("scaleAndConcurrency") or {}
    at_once = ((scale.get("triggers") or {}).get("http") or {}).get("perInstanceConcurrency")
    if at_once is None or at_once < LEAST_AT_ONCE:
        found.append(
            Finding(
                "site.concurrency",
                "wrong",
                f"An instance takes {at_once or 1} HTTP requests at a time.",
                "Two callbacks at the same moment start a second, cold instance; callers hear the pause.",
                f"az functionapp scale config set --ids {app['id']} --trigger-type http "
                "--trigger-settings perInstanceConcurrency=16",
            )
        )
    ready = {str(one.get("name")): int(one.get("instanceCount") or 0) for one in scale.get("alwaysReady") or ()}
    found += [
        Finding(
            "site.cold",
            "look",
            f"No instance is always ready for {name}.",
            "The first caller after a pause hears it ring for a cold start of some seconds.",
            f"az functionapp scale config always-ready set --ids {app['id']} --settings {name}=1",
        )
        for name in ALWAYS_READY
        if not ready.get(name)
    ]
    strategy = (config.get("siteUpdateStrategy") or {}).get("type") or "Recreate"
    found.append(
        Finding(
            "site.strategy",
            "fine",
            f"Deployments go by {strategy}: "
            + (
                "callbacks in flight are cut off, and delivered again."
                if strategy == "Recreate"
                else "instance by instance."
            ),
        )
    )
    if properties.get("httpsOnly") is False:
        found.append(
            Finding(
                "site.http",
                "look",
                "The app takes plain http.",
                "A misdirected request would go in the clear.",
                f"az functionapp update --ids {app['id']} --set httpsOnly=true",
            )
        )
    return found


def setting_findings(
    settings: Mapping[str, str], references: Iterable[Mapping[str, Any]], app: Mapping[str, Any]
) -> list[Finding]:
    """Whether the app could work with its settings, as it would judge them itself.

    Args:
        references: the state of the references to Key Vault.
    """
    host = str(app.get("properties", {}).get("defaultHostName", ""))
    known = {name: _stand_in(name) if _REFERENCE.match(value) else value for name, value in settings.items()}
    environ = {"WEBSITE_HOSTNAME": host, "WEBSITE_INSTANCE_ID": "doctor", **known}
    try:
        load_settings(environ)
        problems: list[str] = []
    except SettingsError as error:
        problems = [line for line in str(error).splitlines() if not line.startswith("See ")]
    found = settings_findings(problems, unknown_settings(known))
    unresolved = [one for one in references if (one.get("properties") or {}).get("status") not in (None, "Resolved")]
    found += [
        Finding(
            "settings.reference",
            "wrong",
            f"{one.get('name', '').rpartition('/')[2]} is not read from Key Vault: {one['properties']['status']}.",
            "The app gets the text of the reference instead of the secret.",
            "Give the app's identity the role Key Vault Secrets User, and name it in keyVaultReferenceIdentity.",
        )
        for one in unresolved
    ]
    base = settings.get("CALLBACK_BASE_URL", "")
    hosts = {host.lower(), *(str(name).lower() for name in app.get("properties", {}).get("hostNames") or ())}
    if base and not is_loopback(base) and base.partition("//")[2].partition("/")[0].lower() not in hosts:
        found.append(
            Finding(
                "callbacks.elsewhere",
                "look",
                "CALLBACK_BASE_URL is not a host name of this app.",
                "Callbacks go there; if it is no gateway of yours, they do not come.",
                f"az functionapp config appsettings set --ids {app['id']} --settings CALLBACK_BASE_URL=https://{host}",
            )
        )
    if not settings.get("APPLICATIONINSIGHTS_CONNECTION_STRING"):
        found.append(
            Finding(
                "logs.none",
                "look",
                "APPLICATIONINSIGHTS_CONNECTION_STRING is not set.",
                "Nobody can see what the app logs, and no alert can be made of it.",
                "az monitor app-insights component create, then set its connection string.",
            )
        )
    if app.get("properties", {}).get("functionAppConfig"):
        old = [name for name in NOT_ON_FLEX if name in settings]
        found += (
            [
                Finding(
                    "settings.deprecated",
                    "look",
                    f"{', '.join(old)} mean nothing on Flex Consumption.",
                    "Some of them make a deployment fail.",
                    f"az functionapp config appsettings delete --ids {app['id']} --setting-names {' '.join(old)}",
                )
            ]
            if old
            else []
        )
    return found


def _stand_in(name: str) -> str:
    """A value for a reference to Key Vault, whose secret nobody is shown: well-formed, and one of its own."""
    key = base64.b64encode(hashlib.sha256(name.encode()).digest()).decode()
    if name.upper() == "AZUREWEBJOBSSTORAGE":
        return f"DefaultEndpointsProtocol=https;AccountName=doctor;AccountKey={key};EndpointSuffix=core.windows.net"
    if name.upper() == "CONSOLE_KEYS":
        return f"doctor:viewer:{hashlib.sha256(name.encode()).hexdigest()}"
    return "https://doctor.example/" if name.upper().endswith("_URL") else key


def function_findings(functions: Sequence[str], expected: Collection[str]) -> list[Finding]:
    """Whether the functions are there."""
    if not functions:
        return [
            Finding(
                "functions.none",
                "wrong",
                "The app has no functions.",
                "The deployment said success; every route is 404, and nothing is logged.",
                "make doctor says what keeps this copy from being indexed; then deploy again.",
            )
        ]
    missing, extra = sorted(set(expected) - set(functions)), sorted(set(functions) - set(expected))
    found = []
    if missing:
        found.append(
            Finding(
                "functions.missing",
                "wrong",
                f"{len(missing)} functions are missing: {', '.join(missing[:5])}.",
                "What comes to them is 404.",
                "Deploy this version again: func azure functionapp publish, or azd deploy.",
            )
        )
    if extra:
        found.append(
            Finding(
                "functions.extra",
                "look",
                f"{len(extra)} functions are not of this version: {', '.join(extra[:5])}.",
                "Another version is deployed than the one here.",
                "Deploy this version, or look with that one.",
            )
        )
    return found or [Finding("functions.listed", "fine", f"All {len(functions)} functions are there.")]
