"""Settings read and checked: what may be set on a developer's machine may not be where others reach the app."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from shared.setting_values import MAKE_A_KEY, connection_parts, is_loopback

M = TypeVar("M", bound=BaseModel)

PLATFORM = (
    "WEBSITE_INSTANCE_ID",
    "WEBSITE_SITE_NAME",
    "WEBSITE_SKU",
    "WEBSITE_POD_NAME",
    "WEBSITE_OWNER_NAME",
    "WEBSITE_DEPLOYMENT_ID",
    "CONTAINER_APP_NAME",
)
"""Variables that Azure sets and Core Tools do not, on the plans of Functions and on Container Apps."""

ENDPOINTS = ("acs_endpoint", "callback_base_url", "streams_url")
"""Addresses of the service and of the app itself: where one is not of this machine, others reach the app."""

THEIR_KEYS = ("acs_access_key", "transcription_key", "events_topic_key", "report_topic_key")
"""Keys that Azure makes; every other setting that ends with `_key` or `_key_previous` is a key of ours."""

PUBLISHED = frozenset(
    {
        b"switchboard-emulator-development-access-key-0001",
        b"local-development-signing-key-0001",
        b"local-development-number-hash-key-0001",
        b"local-development-secrets-key-01",
    }
)
"""Keys that stand in this repository: local.settings.sample.json, the emulator, the devstack."""

AZURITE_ACCOUNT = "devstoreaccount1"
"""The account of Azurite, whose key is published."""

FEWEST_BYTES = 16
"""Different bytes that a key has at least. Of 32 random bytes fewer are different once in 3 × 10^16 (our choice)."""


def in_azure(environ: Mapping[str, str]) -> bool:
    """Whether this process runs in Azure. Core Tools set WEBSITE_HOSTNAME too: to localhost."""
    hostname = environ.get("WEBSITE_HOSTNAME", "")
    return any(environ.get(name) for name in PLATFORM) or (hostname != "" and not is_loopback(f"http://{hostname}"))


def checked(
    model: type[M], source: Mapping[str, str], *, of_several: str = ""
) -> tuple[M | None, list[tuple[str, str]]]:
    """The settings in an environment; or None, and field and problem of each that is missing, wrong or exposed.

    An empty value counts as not set, as it does in the portal.

    Args:
        of_several: the field that is named where several do not go together.
    """
    values = {name.lower(): value for name, value in source.items() if value != ""}
    given = {name: value for name, value in values.items() if name in model.model_fields}
    exposed = exposed_problems(given, azure=in_azure(source))
    try:
        settings = model.model_validate(values)
    except ValidationError as error:
        problems = [
            (
                str(item["loc"][0]) if item["loc"] else of_several,
                "is missing" if item["type"] == "missing" else item["msg"].removeprefix("Value error, "),
            )
            for item in error.errors()
        ]
        wrong = {field for field, _ in problems}
        return None, problems + [(field, problem) for field, problem in exposed if field not in wrong]
    return (None, exposed) if exposed else (settings, [])


def exposed_problems(values: Mapping[str, str], *, azure: bool) -> list[tuple[str, str]]:
    """Field and problem of each value that an app must not have that others reach.

    Args:
        values: the settings as they were given, by field.
        azure: whether the app runs in Azure; elsewhere it is exposed if one of its endpoints is not loopback.
    """
    if not azure and all(is_loopback(values[name]) for name in ENDPOINTS if values.get(name)):
        return []
    problems: list[tuple[str, str]] = []
    for field, value in values.items():
        if field.endswith(("_key", "_key_previous")):
            problem = _key_problem(value, ours=field not in THEIR_KEYS)
        elif field == "azurewebjobsstorage":
            problem = _storage_problem(value)
        elif field == "console_auth" and value == "local":
            problem = "takes everybody for a developer; others reach this app, so write appservice, keys or off"
        elif azure and is_loopback(value):
            problem = "is an address of this machine; in Azure write that of the service"
        else:
            continue
        if problem:
            problems.append((field, problem))
    return problems


def _key_problem(value: str, *, ours: bool) -> str:
    try:
        key = base64.b64decode(value)
    except ValueError:
        return ""  # said by the setting's own check, if it is a key of ours
    if key in PUBLISHED:
        return "is published with Switchboard and protects nothing; " + (
            MAKE_A_KEY if ours else "take the resource's own, or leave it empty to sign in with the managed identity"
        )
    if ours and len(set(key)) < FEWEST_BYTES:
        return f"is made of {len(set(key))} different bytes and can be guessed; {MAKE_A_KEY}"
    return ""


def _storage_problem(value: str) -> str:
    parts = connection_parts(value)
    if parts.get("usedevelopmentstorage", "").lower() == "true" or parts.get("accountname") == AZURITE_ACCOUNT:
        return "is Azurite's development storage, whose key is published; give the connection string of an account"
    clear = any(text.lower().startswith("http://") for text in parts.values())
    if clear or parts.get("defaultendpointsprotocol", "").lower() == "http":
        return "sends its key's signatures in the clear; write DefaultEndpointsProtocol=https and https:// endpoints"
    return ""
