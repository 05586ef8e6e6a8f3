"""Event Grid's subscriptions, once the functions are there: what azd runs after each deployment.

Azure says that a deployment succeeded even if it finds no function in it (azure-functions-python-worker#1338), and
Event Grid refuses a subscription whose function does not exist. So the functions are counted first.
"""

from __future__ import annotations

import json
import re
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping

from tools.deployment.commands import ROOT, DeploymentError, az
from tools.deployment.place import Place

WAIT_SECONDS, EVERY_SECONDS = 300, 10
"""Flex Consumption lists functions after the first start of the app (our choice of how long to wait for that)."""
REFERENCES_VERSION = "2022-03-01"
"""API version of the state of Key Vault references (https://learn.microsoft.com/azure/app-service/app-service-key-vault-references)."""

_NAMED = re.compile(r'function_name\("(\w+)"\)')
_ENDPOINT = re.compile(r"/functions/(\w+)'")
_SUBSCRIPTION = re.compile(r"systemTopics/eventSubscriptions@[^\n]*\n(?:  parent: \w+\n)?  name: '([\w-]+)'")

Say = Callable[[str], None]


def functions_expected() -> frozenset[str]:
    """The functions that the handlers name. (A few more are made in a loop: those of callback URIs.)"""
    handlers = (ROOT / "handlers").glob("*.py")
    return frozenset(name for handler in handlers for name in _NAMED.findall(handler.read_text("utf-8")))


def functions_subscribed() -> frozenset[str]:
    """The functions that infra/events.bicep sends events to."""
    return frozenset(_ENDPOINT.findall(_template()))


def _template() -> str:
    return (ROOT / "infra" / "events.bicep").read_text("utf-8")


def subscribe(place: Place, say: Say = print, *, wait: float = WAIT_SECONDS) -> None:
    """Wait for the functions, deploy the subscriptions, and look at what may still be wrong. Safe to run again.

    Raises:
        DeploymentError: with what is wrong and how to go on.
    """
    count = _await_functions(place, say, wait)
    say(f"{count} functions are there.")
    # Roles take minutes to count: the app may have started before it could read the vault.
    if wrong := unresolved(references(place)):
        say(f"Key Vault is read again: {wrong}")
        refresh_references(place)
    _deploy(place)
    names = _check_subscriptions(place)
    say(f"Event Grid sends: {', '.join(names)}; {_of_numbers(place)}.")
    _await_health(place, say, wait)
    say("Ring now. No number yet? docs/deploy.md#a-number")


def _await_health(place: Place, say: Say, wait: float) -> None:
    until = time.monotonic() + wait
    while (state := health(place.address)) != "ok":
        if time.monotonic() >= until:
            raise DeploymentError(
                f"the subscriptions are there, but {place.address}/api/health says {state}: docs/settings.md tells "
                f"what the log has then, docs/deploy.md#troubleshooting what else it may be. Afterwards: {place.again}"
            )
        say(f"{place.address}/api/health says {state}; asking again in {EVERY_SECONDS} s.")
        time.sleep(EVERY_SECONDS)
    say(f"{place.address}/api/health says ok.")


def _await_functions(place: Place, say: Say, wait: float) -> int:
    expected, until = functions_expected(), time.monotonic() + wait
    while True:
        listed = az("functionapp", "function", "list", "--resource-group", place.group, "--name", place.app) or []
        found = {str(function["name"]).rpartition("/")[2] for function in listed}
        missing = sorted(expected - found)
        if not missing:
            return len(found)
        if time.monotonic() >= until:
            break
        say(f"{len(found)} functions are there, {len(missing)} are missing; looking again in {EVERY_SECONDS} s.")
        time.sleep(EVERY_SECONDS)
    if not found:
        raise DeploymentError(
            f"{place.app} has no functions, though it was deployed: an error while function_app.py is imported does "
            f"this, and so does a package without its requirements. Look at its live metrics (`func azure functionapp "
            f"logstream {place.app} --browser`), run `make check` here, deploy again, then: {place.again}"
        )
    raise DeploymentError(
        f"{place.app} has {len(found)} functions, without {', '.join(missing[:8])}"
        f"{' and more' if len(missing) > 8 else ''}: deploy again, then: {place.again}"
    )


def _deploy(place: Place) -> None:
    parameters = {
        "topicName": place.topic,
        "appName": place.app,
        "storageName": place.storage,
        "deadLetterContainer": place.dead_letters,
        "numbers": json.dumps(place.numbers),
    }
    given = [f"{name}={value}" for name, value in parameters.items()]
    try:
        az(
            "deployment", "group", "create", "--resource-group", place.group, "--name", "switchboard-events",
            "--template-file", "infra/events.bicep", "--parameters", *given,
        )  # fmt: skip
    except DeploymentError as error:
        raise DeploymentError(f"{error}\nThe functions are there, so try again: {place.again}") from None


def _check_subscriptions(place: Place) -> list[str]:
    expected = set(_SUBSCRIPTION.findall(_template()))
    listed = az(
        "eventgrid", "system-topic", "event-subscription", "list",
        "--resource-group", place.group, "--system-topic-name", place.topic,
    ) or []  # fmt: skip
    states = {str(one["name"]): str(one.get("provisioningState")) for one in listed}
    wrong = [f"{name} is {states.get(name, 'missing')}" for name in sorted(expected) if states.get(name) != "Succeeded"]
    if wrong:
        raise DeploymentError(f"{'; '.join(wrong)}. Try again: {place.again}")
    return sorted(expected)


def _of_numbers(place: Place) -> str:
    return f"calls to {', '.join(place.numbers)}" if place.numbers else "calls to all numbers of the resource"


def _site(place: Place) -> str:
    """The id of the app."""
    return str(az("functionapp", "show", "--resource-group", place.group, "--name", place.app, "--query", "id"))


def references(place: Place) -> dict[str, str]:
    """The state of each setting that is in Key Vault: `Resolved`, or what is wrong."""
    url = f"{_site(place)}/config/configreferences/appsettings?api-version={REFERENCES_VERSION}"
    found = az("rest", "--method", "get", "--url", url) or {}
    return {
        str(one.get("name")): str(one.get("properties", one).get("status", "unknown")) for one in found.get("value", [])
    }


def refresh_references(place: Place) -> dict[str, str]:
    """Have the vault read again, now and not within 24 hours, and give the state of each setting that is there."""
    url = f"{_site(place)}/config/configreferences/appsettings/refresh?api-version={REFERENCES_VERSION}"
    az("rest", "--method", "post", "--url", url)
    states = references(place)
    if wrong := unresolved(states):
        raise DeploymentError(
            f"settings that cannot be read from Key Vault: {wrong}. New roles take some minutes: wait, then: "
            f"{place.again}"
        )
    return states


def unresolved(states: Mapping[str, str]) -> str:
    """Those that are not resolved, each with its state; empty: all are."""
    return ", ".join(f"{name} ({state})" for name, state in sorted(states.items()) if state != "Resolved")


def health(address: str, *, seconds: float = 60) -> str:
    """What /api/health says: `ok`, `degraded`, `misconfigured`, or why it could not be asked."""
    try:
        with urllib.request.urlopen(f"{address}/api/health", timeout=seconds) as response:  # noqa: S310 - https, of the output
            return str(json.load(response).get("status"))
    except urllib.error.HTTPError as error:
        try:
            return f"{json.load(error).get('status')} ({error.code})"
        except ValueError:
            return f"HTTP {error.code}"
    except (OSError, ValueError) as error:
        return f"no answer: {error}"
