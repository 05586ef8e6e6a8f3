"""Settings of one emulator, from flags and the environment."""

from __future__ import annotations

import argparse
import base64
import binascii
import importlib.util
import json
import random
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import urlsplit

from acs_emulator import __version__
from acs_emulator.core.event_grid_target import ConfigError as ConfigError
from acs_emulator.core.event_grid_target import EventGridTarget as EventGridTarget
from acs_emulator.core.known_hosts import host_of
from acs_emulator.core.own_number import OwnNumber, parse_number

#: The well-known development access key. It protects nothing: it only lets every SDK sign the same way.
DEVELOPMENT_ACCESS_KEY = base64.b64encode(b"switchboard-emulator-development-access-key-0001").decode()
DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 18080
DEFAULT_HTTPS_PORT = 18443
#: Seed of the resource id when none is given, so that the token audience is the same at every start.
_RESOURCE_SEED = 1

N = TypeVar("N", int, float)


@dataclass(frozen=True)
class Config:
    """Everything that shapes an emulator. ``speed`` divides every emulated wait."""

    host: str = DEFAULT_HOST
    port: int = DEFAULT_PORT
    access_key: str = DEVELOPMENT_ACCESS_KEY
    event_grid: tuple[EventGridTarget, ...] = ()
    speed: float = 1.0
    #: None draws a fresh one at start, so that a restarted emulator never repeats a call's ids.
    seed: int | None = None
    loose: bool = False
    #: Which tokens of Microsoft Entra ID are taken beside the keys: none, or "basic".
    oauth: str = ""
    resource_id: str = field(default="")
    #: Base of recording locations, such as https://emulator.asm.skype.com:18443; empty is the emulator's own address.
    recording_host: str = ""
    #: More hosts that requests may name, and whose pages may send them: names or URLs.
    allowed_hosts: tuple[str, ...] = ()
    #: Whether what the app plays is in recordings.
    record_prompts: bool = False
    #: Longest chunk of a recording in seconds (docs: call recording, 4 hours).
    recording_chunk_seconds: float = 14_400.0
    #: The storage account that recordings may be exported to; stands for the service's managed identity.
    storage_connection_string: str = field(default="", repr=False)
    #: Key of the Event Grid topic under /api/events; empty is the access key.
    topic_key: str = field(default="", repr=False)
    #: Key of the speech resource; empty takes any key.
    speech_key: str = field(default="", repr=False)
    #: Port of https, 0 for any free one; None is without.
    https_port: int | None = None
    #: PEM files of a certificate and its key; empty is the development certificate of the user's data folder.
    certificate: str = ""
    key: str = ""
    #: Where others reach the emulator, such as https://emulator.example:8443; empty is its own address.
    public_url: str = ""
    #: Folder that keeps recordings and topic events over a restart; empty keeps nothing.
    location: str = ""
    #: Whether the terminal shows the conversation of each call.
    verbose: bool = False
    #: The resource's own numbers. A number, or a number and its limit, is enough.
    numbers: tuple[OwnNumber, ...] = ()

    def __post_init__(self) -> None:
        for flag, port in (("--port", self.port), ("--https-port", self.https_port or 0)):
            if not 0 <= port <= 65535:
                raise ConfigError(f"{flag}: {port} is not between 0 and 65535.")
        if self.port and self.port == self.https_port:
            raise ConfigError(f"--https-port: {self.https_port} is the port of http.")
        if self.key and not self.certificate:
            raise ConfigError("--key: needs --certificate.")
        object.__setattr__(self, "numbers", tuple(OwnNumber(*one) for one in self.numbers))
        if self.public_url:
            object.__setattr__(self, "public_url", _origin("--public-url", self.public_url))
        if self.recording_host and "//" not in self.recording_host:
            object.__setattr__(self, "recording_host", f"https://{self.recording_host}")
        if self.recording_host and not host_of(self.recording_host):
            raise ConfigError(f"--recording-host: {self.recording_host!r} is not a host or an address.")
        if wrong := next((host for host in self.allowed_hosts if not host_of(host)), None):
            raise ConfigError(f"--allow-host: {wrong!r} is no host.")
        if not 0.1 <= self.recording_chunk_seconds <= 14_400:
            raise ConfigError(f"--recording-chunk-seconds: {self.recording_chunk_seconds} is not from 0.1 to 14400.")
        if self.storage_connection_string and not _has_storage_client():
            raise ConfigError("--storage-connection-string: needs pip install 'acs-emulator[storage]'.")
        if self.oauth not in ("", "basic"):
            raise ConfigError(f"--oauth: {self.oauth!r} is not basic.")
        if not 0 < self.speed < float("inf"):
            raise ConfigError(f"--speed: {self.speed} is not a positive number.")
        try:
            key = base64.b64decode(self.access_key, validate=True)
        except (binascii.Error, ValueError) as error:
            raise ConfigError(f"--access-key: not base64 ({error}).") from error
        if not key:
            raise ConfigError("--access-key: must not be empty.")
        if not self.topic_key:
            object.__setattr__(self, "topic_key", self.access_key)
        if not self.resource_id:
            object.__setattr__(self, "resource_id", resource_id_of(_RESOURCE_SEED if self.seed is None else self.seed))
        try:
            object.__setattr__(self, "resource_id", str(uuid.UUID(self.resource_id)))
        except ValueError as error:
            raise ConfigError(f"--resource-id: {self.resource_id!r} is not a GUID.") from error


def _origin(flag: str, text: str) -> str:
    """Scheme and authority of a URL that has no more than that."""
    try:
        parts = urlsplit(text)
        named = parts.scheme in ("http", "https") and host_of(text) and parts.port != 0
        named = named and not (parts.path.strip("/") or parts.query or parts.fragment or parts.username is not None)
    except ValueError:
        named = False
    if not named:
        raise ConfigError(f"{flag}: {text!r} is not an address such as https://emulator.example:8443.")
    return f"{parts.scheme}://{parts.netloc.lower()}"


def _has_storage_client() -> bool:
    try:
        return importlib.util.find_spec("azure.storage.blob") is not None
    except ModuleNotFoundError:
        return False


def resource_id_of(seed: int) -> str:
    """The resource id that belongs to a seed when none is given."""
    return str(uuid.UUID(int=random.Random(f"resource-{seed}").getrandbits(128), version=4))


_ON, _OFF = ("1", "true", "yes", "on"), ("", "0", "false", "no", "off")
_SWITCH: dict[str, Any] = {"action": "store_true", "default": None}
_OPTIONS: dict[str, tuple[str | None, dict[str, Any]]] = {
    "--version": (None, {"action": "version", "version": f"acs-emulator {__version__}"}),
    "--host": (f"address to listen on (default {DEFAULT_HOST})", {}),
    "--port": (f"port to listen on, 0 for any free one (default {DEFAULT_PORT})", {}),
    "--https-port": (
        f"port of https, 0 for any free one (default {DEFAULT_HTTPS_PORT}; beside another --port, a free one)",
        {},
    ),
    "--no-https": ("listen on http alone", _SWITCH),
    "--certificate": ("PEM file of a certificate for https (default: one that is made for this user)", {}),
    "--key": ("PEM file of its key (default: the file of the certificate)", {}),
    "--public-url": ("where others reach it, in containers and behind tunnels: https://emulator.example:8443", {}),
    "--location": ("folder that keeps recordings and topic events over a restart", {}),
    "--verbose": ("show the conversation of each call", _SWITCH),
    "--access-key": ("base64 access key (default: the development key)", {}),
    "--event-grid": (
        "Event Grid webhook URL, may repeat; '#IncomingCall,CallStarted' at the end picks event types; "
        "or a subscription with filters as JSON",
        {"action": "append"},
    ),
    "--number": (
        "a number of the resource, may repeat; '+18005550199:10=Support' may have 10 outbound calls at once "
        "(default 2) and is called Support on the phone's page",
        {"dest": "numbers", "action": "append"},
    ),
    "--speed": ("divides every wait (default 1)", {}),
    "--seed": ("seed of every random choice (default: a fresh one at every start)", {}),
    "--resource-id": ("GUID of the resource, the audience of callback tokens", {}),
    "--loose": ("do not insist on signatures and schemas", _SWITCH),
    "--oauth": ("basic: take tokens of Microsoft Entra ID as well, without a look at who signed them", {}),
    "--recording-host": ("host or address in recording locations (default: the emulator's own)", {}),
    "--recording-chunk-seconds": ("longest chunk of a recording (default 14400)", {}),
    "--record-prompts": ("have what the app plays in recordings", _SWITCH),
    "--storage-connection-string": ("account that recordings with externalStorage may be written to", {}),
    "--topic-key": ("key of the Event Grid topic under /api/events (default: the access key)", {}),
    "--speech-key": ("key of the speech resource (default: any key is taken)", {}),
    "--allow-host": (
        "host or URL, beside this machine, that requests may name and whose pages may send them; may repeat",
        {"dest": "allowed_hosts", "action": "append"},
    ),
}
"""Each flag with its help, and how argparse takes it."""


def parse_config(argv: Sequence[str], environ: Mapping[str, str]) -> Config:
    """Read the command line; a flag wins over its environment variable, which wins over the default.

    Raises ConfigError with the name of the flag or variable when a value cannot be used.
    """
    parser = argparse.ArgumentParser(
        prog="acs-emulator",
        description="A local Azure Communication Services Call Automation service.",
        epilog="Each option is also a variable: EMULATOR_HTTPS_PORT. Of those that may repeat: EMULATOR_EVENT_GRID, "
        "EMULATOR_NUMBERS, EMULATOR_ALLOWED_HOSTS (commas between several).",
    )
    for flag, (text, more) in _OPTIONS.items():
        parser.add_argument(flag, help=text, **more)
    flags = parser.parse_args(argv)

    def setting(name: str, default: str) -> str:
        given = getattr(flags, name)
        return str(given) if given is not None else environ.get(f"EMULATOR_{name.upper()}", default)

    def switch(name: str) -> bool:
        variable = f"EMULATOR_{name.upper()}"
        text = environ.get(variable, "").strip().lower()
        if text not in _ON + _OFF:
            raise ConfigError(f"{variable}: {text!r} is not one of {', '.join(filter(None, _ON + _OFF))}.")
        return bool(getattr(flags, name)) or text in _ON

    port = _number(int, "--port", setting("port", str(DEFAULT_PORT)))
    https_port = setting("https_port", str(DEFAULT_HTTPS_PORT if port == DEFAULT_PORT else 0))
    return Config(
        host=setting("host", DEFAULT_HOST),
        port=port,
        https_port=None if switch("no_https") else _number(int, "--https-port", https_port),
        certificate=setting("certificate", ""),
        key=setting("key", ""),
        public_url=setting("public_url", ""),
        location=setting("location", ""),
        verbose=switch("verbose"),
        access_key=setting("access_key", DEVELOPMENT_ACCESS_KEY),
        event_grid=_subscriptions(flags.event_grid, environ.get("EMULATOR_EVENT_GRID", "")),
        speed=_number(float, "--speed", setting("speed", "1")),
        seed=_number(int, "--seed", seed) if (seed := setting("seed", "")) else None,
        loose=switch("loose"),
        oauth=setting("oauth", ""),
        resource_id=setting("resource_id", ""),
        recording_host=setting("recording_host", ""),
        allowed_hosts=tuple(
            host.strip()
            for host in flags.allowed_hosts or environ.get("EMULATOR_ALLOWED_HOSTS", "").split(",")
            if host.strip()
        ),
        record_prompts=switch("record_prompts"),
        storage_connection_string=setting("storage_connection_string", ""),
        topic_key=setting("topic_key", ""),
        speech_key=setting("speech_key", ""),
        numbers=tuple(
            parse_number(number)
            for number in flags.numbers or environ.get("EMULATOR_NUMBERS", "").split(",")
            if number.strip()
        ),
        recording_chunk_seconds=_number(
            float, "--recording-chunk-seconds", setting("recording_chunk_seconds", "14400")
        ),
    )


def _subscriptions(given: list[str] | None, environment: str) -> tuple[EventGridTarget, ...]:
    """Those of the flags, or of the environment: URLs with commas between them, one subscription, or a JSON list."""
    if given:
        return tuple(map(EventGridTarget.parse, given))
    text = environment.strip()
    if text.startswith("["):
        try:
            return tuple(EventGridTarget.parse(json.dumps(one)) for one in json.loads(text))
        except ValueError as error:
            raise ConfigError(f"EMULATOR_EVENT_GRID: {error}") from error
    first, *rest = [text] if text.startswith("{") else text.split(",http")
    return tuple(EventGridTarget.parse(url) for url in (first, *(f"http{one}" for one in rest)) if url.strip())


def _number(kind: type[N], flag: str, text: str) -> N:
    try:
        return kind(text)
    except ValueError as error:
        raise ConfigError(f"{flag}: {text!r} is not a number.") from error
