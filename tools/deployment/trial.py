"""The deployment, tried in a subscription of yours: each step, what came of it, and a report to send back.

Nobody who wrote this could reach Azure. docs/deploy.md#what-could-not-be-tried lists what the report would settle.
"""

from __future__ import annotations

import json
import platform
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tools.deployment.commands import DeploymentError, az, run
from tools.deployment.events import functions_expected, health, references, subscribe
from tools.deployment.place import Place, from_azd

KEYS = ("callback-signing-key", "number-hash-key", "secrets-key")
COST = "A trial costs some euros a day while it stands; deleting it at the end takes some minutes."

_IDS = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_MAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_NUMBERS = re.compile(r"\+\d{6,15}")


@dataclass(slots=True)
class Trial:
    """The steps so far, and what came of each.

    Attributes:
        rows: name, `ok` or `failed`, seconds, and what was seen.
    """

    environment: str
    location: str
    rows: list[tuple[str, str, float, str]] = field(default_factory=list)
    keys: dict[str, str] = field(default_factory=dict)

    @property
    def failed(self) -> bool:
        """Whether any step failed."""
        return any(state == "failed" for _, state, _, _ in self.rows)

    def step(self, name: str, act: Callable[[], object]) -> bool:
        """Do one step; whether it went well."""
        print(f"… {name}", flush=True)
        began = time.monotonic()
        try:
            state, seen = "ok", str(act() or "")
        except (DeploymentError, KeyError, TypeError, ValueError) as error:
            state, seen = "failed", f"{type(error).__name__}: {error}"
        self.rows.append((name, state, time.monotonic() - began, seen))
        print(f"  {state}: {seen.strip()[:300]}" if seen else f"  {state}", flush=True)
        return state == "ok"


def trial(environment: str, location: str, report: str, *, keep: bool, ask: Callable[[str], str] | None) -> int:
    """Deploy, look, deploy again, look again, delete; 0 if all went well."""
    if ask is not None and ask(f"{COST}\nGo on? [y/N] ").strip().lower() not in ("y", "yes"):
        return 1
    tried = Trial(environment, location)
    try:
        _steps(tried)
    finally:
        if not keep:
            tried.step("everything is deleted (azd down)", lambda: _tail(run("azd", "down", "--force", "--purge")))
        Path(report).write_text(written(tried), "utf-8")
        print(f"Read {report}, then send it back. Ids, addresses of mail and numbers are left out.")
    return 1 if tried.failed else 0


def _steps(tried: Trial) -> None:
    tried.step("versions", _versions)
    tried.step("infra/main.bicep compiles", lambda: _compiles("main"))
    tried.step("infra/events.bicep compiles", lambda: _compiles("events"))
    if not tried.step(f"environment {tried.environment}", lambda: _environment(tried)):
        return
    if not tried.step("everything is made and deployed (azd up)", lambda: _tail(run("azd", "up", "--no-prompt"))):
        tried.step("Event Grid, once more", lambda: subscribe(from_azd()))
    try:
        place = from_azd()
    except DeploymentError as error:
        tried.rows.append(("outputs", "failed", 0.0, str(error)))
        return
    for name, act in _looks(tried, place):
        tried.step(name, act)
    tried.step("a second provisioning (azd provision)", lambda: _tail(run("azd", "provision", "--no-prompt")))
    tried.step("the keys are the same as before", lambda: _same_keys(tried, place))
    tried.step("HTTP concurrency is still set", lambda: _scale(place))


def _looks(tried: Trial, place: Place) -> Iterator[tuple[str, Callable[[], object]]]:
    yield "functions", lambda: _functions(place)
    yield "HTTP concurrency and always-ready instances", lambda: _scale(place)
    yield "settings from Key Vault", lambda: _references(place)
    yield "subscriptions", lambda: _subscriptions(place)
    yield "roles of the app", lambda: _roles(place)
    yield "health", lambda: _health(place)
    yield "versions of the keys", lambda: tried.keys.update(_key_versions(place))
    yield "subscriptions once more, which changes nothing", lambda: subscribe(place, say=lambda line: None)
    yield "lines of the app in the log", lambda: _lines(place)


def _versions() -> str:
    azd = run("azd", "version").strip()
    cli = az("version")["azure-cli"]
    return f"{azd}; az {cli}; Bicep {_tail(run('az', 'bicep', 'version'))}; Python {platform.python_version()}"


def _compiles(name: str) -> str:
    run("az", "bicep", "build", "--file", f"infra/{name}.bicep", "--stdout")
    return _tail(run("az", "bicep", "lint", "--file", f"infra/{name}.bicep"))


def _environment(tried: Trial) -> None:
    subscription = str(az("account", "show", "--query", "id"))
    run(
        "azd",
        "env",
        "new",
        tried.environment,
        "--subscription",
        subscription,
        "--location",
        tried.location,
        "--no-prompt",
    )


def _functions(place: Place) -> str:
    listed = az("functionapp", "function", "list", "--resource-group", place.group, "--name", place.app) or []
    found = {str(one["name"]).rpartition("/")[2] for one in listed}
    if missing := functions_expected() - found:
        raise DeploymentError(f"{len(found)} are there, without {', '.join(sorted(missing))}")
    return f"{len(found)}"


def _scale(place: Place) -> str:
    found = az("functionapp", "scale", "config", "show", "--resource-group", place.group, "--name", place.app)
    if found["triggers"]["http"]["perInstanceConcurrency"] != 16:
        raise DeploymentError(f"perInstanceConcurrency is not 16: {found}")
    return str(found)


def _references(place: Place) -> str:
    states = references(place)
    if not states or any(state != "Resolved" for state in states.values()):
        raise DeploymentError(f"not resolved: {states}")
    return str(states)


def _subscriptions(place: Place) -> str:
    listed = az(
        "eventgrid", "system-topic", "event-subscription", "list",
        "--resource-group", place.group, "--system-topic-name", place.topic,
    )  # fmt: skip
    return "; ".join(
        f"{one['name']} {one['provisioningState']} {one['filter']['includedEventTypes']} {one['retryPolicy']}"
        for one in listed
    )


def _roles(place: Place) -> str:
    listed = az("role", "assignment", "list", "--all", "--query", f"[?contains(scope, '{place.group}')]") or []
    return "; ".join(sorted(f"{one['roleDefinitionName']} on {one['scope'].rpartition('/')[2]}" for one in listed))


def _health(place: Place) -> str:
    state = health(place.address)
    if state != "ok":
        raise DeploymentError(state)
    return state


def _key_versions(place: Place) -> dict[str, str]:
    versions = {}
    vault = az("keyvault", "show", "--name", place.vault, "--query", "id")
    for key in KEYS:
        found = az("rest", "--method", "get", "--url", f"{vault}/secrets/{key}?api-version=2023-07-01")
        versions[key] = str(found["properties"]["secretUriWithVersion"]).rpartition("/")[2]
    return versions


def _same_keys(tried: Trial, place: Place) -> None:
    now = _key_versions(place)
    if now != tried.keys or set(now) != set(KEYS):
        raise DeploymentError("a second provisioning has replaced keys: every call that was up is lost")


def _lines(place: Place) -> str:
    workspace = az("monitor", "log-analytics", "workspace", "list", "--resource-group", place.group)[0]["customerId"]
    body = json.dumps({"query": "AppTraces | summarize lines = count() by AppRoleName"})
    url = f"https://api.loganalytics.io/v1/workspaces/{workspace}/query"
    return str(
        az("rest", "--method", "post", "--url", url, "--resource", "https://api.loganalytics.io", "--body", body)
    )


def _tail(out: str) -> str:
    return " ".join(out.split())[-600:]


def written(tried: Trial) -> str:
    """The report, without ids, numbers and addresses."""
    lines = [
        "# A trial of the deployment to Azure",
        "",
        f"{time.strftime('%Y-%m-%d')}, {tried.location}, {platform.system()}.",
        "",
        "| step | came to | seconds | seen |",
        "|---|---|---|---|",
    ]
    for name, state, seconds, seen in tried.rows:
        shown = " ".join(seen.split()).replace("|", "\\|")[:1500]
        lines.append(f"| {name} | {state} | {seconds:.0f} | {shown} |")
    lines += [
        "",
        "To be added by hand, after a call to the number: how often it rang, what was heard, and whether",
        "`/api/console` or `GET /api/calls` shows the call.",
    ]
    text = "\n".join(lines) + "\n"
    for pattern, instead in ((_IDS, "(id)"), (_MAIL, "(mail)"), (_NUMBERS, "(number)")):
        text = pattern.sub(instead, text)
    return text
