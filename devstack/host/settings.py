"""What the host reads before it loads the app: `local.settings.json`, `host.json`, `%SETTING%` names."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from devstack.host.errors import StartupError

# Azurite's published account; `UseDevelopmentStorage=true` stands for it in every Azure tool.
DEVELOPMENT_STORAGE = (
    "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;"
    "AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==;"
    "BlobEndpoint=http://127.0.0.1:10000/devstoreaccount1;"
    "QueueEndpoint=http://127.0.0.1:10001/devstoreaccount1;"
    "TableEndpoint=http://127.0.0.1:10002/devstoreaccount1;"
)

_SETTING_NAME = re.compile(r"%([^%\s]+)%")
_TIME_SPAN = re.compile(
    r"(?:(?P<days>\d+)[.:](?=\d+:\d+:))?(?P<first>\d{1,2}):(?P<second>\d{1,2})(?::(?P<third>\d{1,2}(?:\.\d{1,7})?))?"
)


def parse_time_span(text: str) -> float | None:
    """Seconds of a .NET TimeSpan (`[d.]hh:mm[:ss[.fffffff]]`), or None when the text is not one.

    As in .NET, a first part of 24 or more counts days: `24:00:00` is 24 days.
    Source: https://learn.microsoft.com/azure/azure-functions/functions-bindings-timer#timespan
    """
    match = _TIME_SPAN.fullmatch(text.strip())
    if match is None:
        return None
    days, first, second, third = (
        int(match["days"] or 0),
        int(match["first"]),
        int(match["second"]),
        match["third"],
    )
    if match["days"] is None and first >= 24 and third is not None and "." not in third:
        days, hours, minutes, seconds = first, second, int(third), 0.0
    else:
        hours, minutes, seconds = first, second, float(third or 0)
    if hours > 23 or minutes > 59 or seconds >= 60:
        return None
    return days * 86_400 + hours * 3_600 + minutes * 60 + seconds


@dataclass(frozen=True, slots=True)
class QueueSettings:
    """`extensions.queues` of host.json, with the host's own defaults; durations in seconds.

    Source: https://learn.microsoft.com/azure/azure-functions/functions-bindings-storage-queue#host-json
    """

    batch_size: int = 16
    new_batch_threshold: int = 8
    max_polling_interval: float = 60.0
    visibility_timeout: float = 0.0
    max_dequeue_count: int = 5
    base64: bool = True


@dataclass(frozen=True, slots=True)
class HostSettings:
    """The parts of host.json that this host understands."""

    route_prefix: str = "api"
    queues: QueueSettings = field(default_factory=QueueSettings)
    log_levels: dict[str, str] = field(default_factory=dict)


def load_host_settings(app_root: Path) -> HostSettings:
    """Read `host.json`; a missing file gives the defaults.

    Raises:
        StartupError: the file is not JSON, not version 2.0, or a value has the wrong type.
    """
    path = app_root / "host.json"
    if not path.exists():
        return HostSettings()
    document = _read_json(path)
    if document.get("version") != "2.0":
        raise StartupError(f'{path}: "version" must be "2.0", found {document.get("version")!r}.')
    extensions = document.get("extensions", {})
    queues = extensions.get("queues", {})
    where = f"{path}: extensions.queues"
    encoding = str(queues.get("messageEncoding", "base64")).lower()
    if encoding not in ("base64", "none"):
        raise StartupError(f'{where}.messageEncoding must be "base64" or "none", found {encoding!r}.')
    batch_size = _integer(queues, "batchSize", 16, where, 1, 32)
    return HostSettings(
        route_prefix=str(extensions.get("http", {}).get("routePrefix", "api")).strip("/"),
        queues=QueueSettings(
            batch_size=batch_size,
            new_batch_threshold=_integer(queues, "newBatchThreshold", batch_size // 2, where, 0, 1_000),
            max_polling_interval=max(0.1, _duration(queues, "maxPollingInterval", 60.0, where)),
            visibility_timeout=_duration(queues, "visibilityTimeout", 0.0, where),
            max_dequeue_count=_integer(queues, "maxDequeueCount", 5, where, 1, 1_000),
            base64=encoding == "base64",
        ),
        log_levels={k: str(v) for k, v in document.get("logging", {}).get("logLevel", {}).items()},
    )


def apply_local_settings(
    path: Path, environment: MutableMapping[str, str], say: Callable[[str], None]
) -> dict[str, Any]:
    """Put the `Values` of local.settings.json into the environment; a variable that exists wins.

    Returns the file's `Host` section (LocalHttpPort is the one this host uses), or {} without a file.

    Raises:
        StartupError: the file is not JSON, or is encrypted.
    """
    if not path.exists():
        return {}
    document = _read_json(path)
    if document.get("IsEncrypted"):
        raise StartupError(f"{path} is encrypted. Run `func settings decrypt`, or set IsEncrypted to false.")
    for name, value in document.get("Values", {}).items():
        if name in environment:
            say(f"Skipping '{name}' from local settings as it's already defined in current environment variables.")
        elif isinstance(value, bool):
            environment[name] = "true" if value else "false"
        else:
            environment[name] = str(value)
    host = document.get("Host", {})
    return dict(host) if isinstance(host, dict) else {}


def resolve_setting_names(text: str, where: str) -> str:
    """Replace each `%NAME%` by the app setting NAME.

    Raises:
        StartupError: a named setting does not exist.
    """

    def value(match: re.Match[str]) -> str:
        name = match[1]
        if name not in os.environ:
            raise StartupError(f"{where}: the app setting '{name}' (in '{text}') is not set.")
        return os.environ[name]

    return _SETTING_NAME.sub(value, text)


@dataclass(frozen=True, slots=True)
class StorageConnection:
    """A storage account that a binding names: by a connection string, or by the address of its queues.

    Attributes:
        queues: the address; empty with a connection string.
        managed, client_id: whether a managed identity signs in, and which one; otherwise the developer's sign-in.
    """

    string: str = field(default="", repr=False)
    queues: str = ""
    managed: bool = False
    client_id: str = ""


def storage_connection(setting: str | None, where: str) -> StorageConnection:
    """The storage account behind a binding's `connection` setting.

    An empty name means AzureWebJobsStorage; `X` is also looked up as `AzureWebJobsX`, as the host does. Without a
    connection string, `X__queueServiceUri` or `X__accountName` names the account, and an identity signs in
    (https://learn.microsoft.com/azure/azure-functions/functions-reference#connections).

    Raises:
        StartupError: no such setting, or one that names no account.
    """
    name = setting or "AzureWebJobsStorage"
    given = {key.lower(): value for key, value in os.environ.items()}  # .NET reads them in any case
    for prefix in (name, f"AzureWebJobs{name}"):
        if value := given.get(prefix.lower()):
            return StorageConnection(_connection_string(value, name, where))
        if (identity := _identity_connection(given, prefix, where)) is not None:
            return identity
    raise StartupError(
        f"{where}: the storage connection '{name}' is not set. Put it into local.settings.json or the environment."
    )


def _connection_string(value: str, name: str, where: str) -> str:
    if value.strip().rstrip(";").lower() == "usedevelopmentstorage=true":
        return DEVELOPMENT_STORAGE
    if "AccountName=" not in value and "SharedAccessSignature=" not in value:
        raise StartupError(f"{where}: the setting '{name}' is not a storage connection string.")
    return value


def _identity_connection(given: Mapping[str, str], prefix: str, where: str) -> StorageConnection | None:
    """The account that settings under this prefix name; None if none does."""

    def part(name: str) -> str:
        return given.get(f"{prefix}__{name}".lower(), "").strip()

    address, account = part("queueServiceUri"), part("accountName")
    if not address and not account:
        return None
    if (credential := part("credential").lower()) not in ("", "managedidentity"):
        raise StartupError(f"{where}: '{prefix}__credential' must be managedidentity, found {credential!r}.")
    queues = address.rstrip("/") or f"https://{account}.queue.core.windows.net"
    return StorageConnection(queues=queues, managed=bool(credential), client_id=part("clientId"))


def _read_json(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8-sig"))
    except ValueError as error:
        raise StartupError(f"{path} is not valid JSON: {error}") from error
    if not isinstance(document, dict):
        raise StartupError(f"{path} must hold a JSON object.")
    return document


def _integer(section: dict[str, Any], name: str, default: int, where: str, low: int, high: int) -> int:
    value = section.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise StartupError(f"{where}.{name} must be a whole number from {low} to {high}, found {value!r}.")
    return value


def _duration(section: dict[str, Any], name: str, default: float, where: str) -> float:
    value = section.get(name)
    if value is None:
        return default
    seconds = parse_time_span(value) if isinstance(value, str) else None
    if seconds is None:
        raise StartupError(f'{where}.{name} must be a time span such as "00:00:02", found {value!r}.')
    return seconds
