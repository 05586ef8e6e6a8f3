"""What a running app says: its health, which needs no key, and its own findings, which need one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

import requests

from shared.diagnostics import Finding
from shared.setting_values import connection_parts

SECONDS = 15.0
"""How long a response may take (our choice): a cold start takes some seconds."""


SKEW_SECONDS, REFUSED_SECONDS = 30, 15 * 60
"""Difference of clocks from which it is told (our choice: RING_SECONDS), and from which the storage refuses what is
signed with its key (azure-docs storageservices/authorize-with-shared-key)."""


class Answer(NamedTuple):
    """What came back.

    Attributes:
        status: of the response; 0: there was none.
        error: the class of what kept it from coming.
    """

    status: int
    body: Any = None
    error: str = ""
    location: str = ""


def ask(url: str, *, key: str = "", method: str = "GET", timeout: float = SECONDS, **more: Any) -> Answer:
    """Ask an address; redirects are not followed."""
    headers = {**more.pop("headers", {}), **({"x-functions-key": key} if key else {})}
    try:
        response = requests.request(method, url, headers=headers, timeout=timeout, allow_redirects=False, **more)
    except requests.RequestException as error:
        return Answer(0, error=type(error).__name__)
    try:
        body = response.json()
    except ValueError:
        body = None
    return Answer(response.status_code, body, location=response.headers.get("Location", ""))


def storage_address(settings: Mapping[str, str]) -> str:
    """Where the blobs of the app's storage are; empty: the settings do not tell."""
    parts = connection_parts(settings.get("AzureWebJobsStorage", ""))
    if "usedevelopmentstorage" in parts:
        return "http://127.0.0.1:10000"
    given = parts.get("blobendpoint") or settings.get("AzureWebJobsStorage__blobServiceUri", "")
    name = parts.get("accountname") or settings.get("AzureWebJobsStorage__accountName", "")
    suffix = parts.get("endpointsuffix", "core.windows.net")
    return given or (f"https://{name}.blob.{suffix}/" if name else "")


def clock_of(url: str) -> datetime | None:
    """What time it is at a server, by the `Date` of its response; None: it does not say."""
    try:
        response = requests.get(url, timeout=SECONDS, allow_redirects=False)
        return parsedate_to_datetime(response.headers["Date"])
    except (requests.RequestException, KeyError, ValueError):
        return None


def clock_findings(theirs: datetime | None, now: datetime) -> list[Finding]:
    """Whether this machine's clock is right.

    Args:
        theirs: the time at the storage; None: it does not say.
    """
    if theirs is None:
        return []
    skew = round(abs((now - theirs).total_seconds()))
    if skew <= SKEW_SECONDS:
        return [Finding("clock.right", "fine", "The clock is that of the storage.")]
    return [
        Finding(
            "clock.skew",
            "wrong" if skew >= REFUSED_SECONDS else "look",
            f"The clock of this machine and that of the storage are {skew} s apart.",
            "Signed requests are refused from 15 minutes on, and calls that ring count as stale.",
            "Set the clock: timedatectl set-ntp true",
        )
    ]


def health_findings(base: str, answer: Answer) -> list[Finding]:
    """What the health of an app tells of the way to it, and of the app."""
    if answer.status == 0:
        return [
            Finding(
                "app.unreachable",
                "wrong",
                f"{base} does not respond ({answer.error}).",
                "Neither calls nor callbacks reach the app.",
                "Check the address, DNS, certificate and access restrictions: az functionapp show --query state",
            )
        ]
    status = answer.body.get("status") if isinstance(answer.body, dict) else None
    if answer.status == 200 and status == "ok":
        return [Finding("app.well", "fine", f"The app at {base} is well.")]
    if answer.status in (301, 302, 307, 308):
        seen = f"{base} redirects to {answer.location or 'somewhere else'}."
        remedy = "Set CALLBACK_BASE_URL to the address that responds itself, or take the sign-in off /api/callbacks."
        return [Finding("app.redirects", "wrong", seen, "The service does not follow redirects of callbacks.", remedy)]
    if answer.status in (401, 403):
        seen = f"{base} responds {answer.status} to everybody."
        remedy = "Exclude /api/callbacks, /api/health and /runtime/webhooks from sign-in and access restrictions."
        return [Finding("app.closed", "wrong", seen, "Callbacks and Event Grid are refused before the app.", remedy)]
    if answer.status == 404:
        return [
            Finding(
                "functions.none",
                "wrong",
                f"{base}/api/health is 404.",
                "The app has no functions: nothing was indexed, though the deployment said success.",
                "make doctor says why; then deploy again.",
            )
        ]
    if status == "misconfigured":
        return [
            Finding(
                "app.misconfigured",
                "wrong",
                f"The app at {base} is misconfigured.",
                "Every trigger is refused and retried.",
                "GET /api/diagnostics with a key names the settings: --key",
            )
        ]
    if status == "degraded":
        return [
            Finding(
                "storage.silent",
                "wrong",
                f"The storage of the app at {base} does not answer.",
                "No call can be answered or placed without it.",
                "Check AzureWebJobsStorage, the account's network rules, and the roles of the app's identity.",
            )
        ]
    return [
        Finding(
            "app.ill",
            "wrong",
            f"{base}/api/health responds {answer.status}.",
            "The app does not start.",
            "See its log: az webapp log tail, or Application Insights, table AppExceptions.",
        )
    ]


def own_findings(answer: Answer) -> list[Finding]:
    """What the app found itself (`GET /api/diagnostics`)."""
    if answer.status == 200 and isinstance(answer.body, dict):
        return [Finding(**one) for one in answer.body["findings"]]
    if answer.status == 401:
        return [
            Finding(
                "app.key",
                "look",
                "The app says no more without a function key.",
                "Its own findings are left out.",
                "--key, or SWITCHBOARD_KEY: az functionapp keys list --query functionKeys.default",
            )
        ]
    return [
        Finding(
            "app.diagnostics",
            "look",
            f"GET /api/diagnostics responds {answer.status or answer.error}.",
            "The app's own findings are left out.",
            "Deploy this version of the app.",
        )
    ]
