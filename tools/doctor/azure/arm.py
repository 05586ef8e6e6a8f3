"""Reads over the management REST of Azure, as whoever is signed in to `az`."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from shutil import which
from typing import Any

import requests

from tools.doctor.errors import CouldNotLook

SECONDS = 30.0
"""How long a response may take (our choice)."""
AZ_SECONDS = 60

VERSIONS = {
    "Microsoft.Authorization": "2022-04-01",
    "Microsoft.CognitiveServices": "2024-10-01",
    "Microsoft.Communication": "2025-09-01",
    "Microsoft.EventGrid": "2025-02-15",
    "Microsoft.Insights/diagnosticSettings": "2021-05-01-preview",
    "Microsoft.Insights/metrics": "2018-01-01",
    "Microsoft.Storage": "2023-05-01",
    "Microsoft.Web": "2025-05-01",
    "providers": "2021-04-01",
}
"""The api-version by what is asked for: those of infra/*.bicep, and defaults of the management SDKs. Older ones would
leave out disableLocalAuth of Communication Services and siteUpdateStrategy."""


class NotThere(Exception):
    """There is no such resource, or whoever asks may not see it."""


class Arm:
    """The management endpoint of a subscription.

    Args:
        base: of the cloud.
        token: of whoever is signed in.
    """

    def __init__(self, base: str, token: str, subscription: str) -> None:
        self._base = base.rstrip("/")
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {token}"
        self.root = f"/subscriptions/{subscription}"

    def get(self, path: str, version: str, **query: str) -> dict[str, Any]:
        """A resource, by its id. NotThere, CouldNotLook."""
        return self._ask("GET", path, version, query)

    def post(self, path: str, version: str) -> dict[str, Any]:
        """A list that ARM gives for a POST only, as app settings are. NotThere, CouldNotLook."""
        return self._ask("POST", path, version, {})

    def list(self, path: str, version: str, **query: str) -> Iterator[dict[str, Any]]:
        """All members of a list, page by page; none where there is no such thing."""
        try:
            page = self.get(path, version, **query)
        except NotThere:
            return
        while True:
            yield from page.get("value", [])
            if not page.get("nextLink"):
                return
            if not str(page["nextLink"]).startswith(self._base + "/"):
                raise CouldNotLook("the next page of a list is at another host than the management endpoint.")
            page = self._read(self._session.get(page["nextLink"], timeout=SECONDS), path)

    def _ask(self, method: str, path: str, version: str, query: dict[str, str]) -> dict[str, Any]:
        given = {"api-version": VERSIONS[version], **query}
        try:
            response = self._session.request(method, self._base + path, params=given, timeout=SECONDS)
        except requests.RequestException as error:
            raise CouldNotLook(f"{self._base} does not respond ({type(error).__name__}).") from None
        return self._read(response, path)

    def _read(self, response: requests.Response, path: str) -> dict[str, Any]:
        if response.status_code == 404:
            raise NotThere(path)
        if response.status_code == 401:
            raise CouldNotLook("the management endpoint takes no token of yours. Run: az login")
        if response.status_code == 403:
            raise CouldNotLook(
                f"you may not read {path}. Ask for the role Reader (and Website Contributor for settings)."
            )
        if not response.ok:
            raise CouldNotLook(f"the management endpoint responds {response.status_code} for {path}.")
        return dict(response.json())


def az(*arguments: str) -> Any:
    """What a command of `az` says, as JSON. CouldNotLook."""
    program = which("az")
    if program is None:
        raise CouldNotLook("the Azure CLI (az) is not on the PATH. Install it, then: az login")
    command = [program, *arguments, "--output", "json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=AZ_SECONDS, check=False)  # noqa: S603
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        raise CouldNotLook(f"az {' '.join(arguments[:2])} failed: {last} Run: az login")
    try:
        return json.loads(done.stdout)
    except ValueError:
        raise CouldNotLook(f"az {' '.join(arguments[:2])} gave no JSON.") from None


def azd_values() -> dict[str, str]:
    """The outputs of infra/main.bicep by the selected azd environment; none without azd."""
    program = which("azd")
    if program is None:
        return {}
    command = [program, "env", "get-values", "--output", "json"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=AZ_SECONDS, check=False)  # noqa: S603
        return {str(name): str(value) for name, value in json.loads(done.stdout or "{}").items()}
    except (OSError, subprocess.TimeoutExpired, ValueError, AttributeError):
        return {}


def named(given: str, variable: str, values: dict[str, str], flag: str) -> str:
    """A name by its flag, the environment or azd. CouldNotLook."""
    found = given or os.environ.get(variable, "") or values.get(variable, "")
    if not found:
        raise CouldNotLook(
            f"{flag} is not given, and {variable} is neither in the environment nor in an azd environment."
        )
    return found
