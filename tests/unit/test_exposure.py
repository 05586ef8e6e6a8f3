"""What an app must not start with where others reach it: in Azure, or with an endpoint that is not of this machine."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from acs_emulator.core.config import DEVELOPMENT_ACCESS_KEY
from devstack import up
from devstack.host.settings import DEVELOPMENT_STORAGE
from devstack.stack import SECRETS_KEY
from shared.errors import SettingsError
from shared.exposure import PUBLISHED, in_azure
from shared.settings import load_settings
from tests.setting_samples import REQUIRED, STORAGE, made_key

SAMPLE: dict[str, str] = json.loads((Path(__file__).parents[2] / "local.settings.sample.json").read_text())["Values"]
AZURE = {"WEBSITE_INSTANCE_ID": "7f1c"}
LOCAL = {
    "ACS_ENDPOINT": "http://127.0.0.1:18080",
    "ACS_ACCESS_KEY": "a2V5",
    "ACS_OPENID_CONFIGURATION_URL": "http://127.0.0.1:18080/openid",
    "ACS_RESOURCE_ID": REQUIRED["ACS_RESOURCE_ID"],
    "AzureWebJobsStorage": "UseDevelopmentStorage=true",
    "CALLBACK_BASE_URL": "http://localhost:7071",
    "CALLBACK_SIGNING_KEY": made_key("signing"),
    "STREAMS_URL": "ws://[::1]:8090",
}

PUBLISHED_VALUES = {value for name, value in SAMPLE.items() if name.endswith("_KEY")} | {
    DEVELOPMENT_ACCESS_KEY,
    up.ACCESS_KEY,
}


def problems(*given: dict[str, str], **changes: str) -> dict[str, str]:
    """Problem by setting; empty for settings that are taken."""
    merged: dict[str, str] = {}
    for part in given:
        merged |= part
    try:
        load_settings({**merged, **changes})
    except SettingsError as error:
        *lines, last = str(error).splitlines()
        named = error.field.split(", ")
    else:
        return {}
    assert last == "See docs/settings.md."
    found = {name: problem for name, _, problem in (line.partition(": ") for line in lines)}
    assert list(found) == named
    return found


def encoded(key: bytes) -> str:
    return base64.b64encode(key).decode()


def test_a_developers_machine_may_have_all_of_it() -> None:
    assert problems(LOCAL) == {}
    assert problems(SAMPLE) == {}
    assert problems(SAMPLE, WEBSITE_HOSTNAME="localhost:7071") == {}  # as Core Tools set it


def test_a_deployment_without_any_of_it_is_taken() -> None:
    assert problems(REQUIRED) == problems(REQUIRED, AZURE) == {}


def test_the_sample_is_refused_in_azure_with_a_line_for_each_setting() -> None:
    found = problems(SAMPLE, AZURE)
    assert set(found) == {
        "AzureWebJobsStorage",
        "ACS_ENDPOINT",
        "ACS_ACCESS_KEY",
        "ACS_OPENID_CONFIGURATION_URL",
        "CALLBACK_BASE_URL",
        "CALLBACK_SIGNING_KEY",
        "CONSOLE_AUTH",
        "NUMBER_HASH_KEY",
        "SECRETS_KEY",
        "TRANSCRIPTION_ENDPOINT",
        "TRANSCRIPTION_KEY",
        "EVENTS_TOPIC_ENDPOINT",
        "EVENTS_TOPIC_KEY",
    }
    assert "openssl rand -base64 32" in found["CALLBACK_SIGNING_KEY"]
    assert "managed identity" in found["ACS_ACCESS_KEY"]


def test_no_message_shows_a_key() -> None:
    text = json.dumps(problems(SAMPLE, AZURE))
    assert not [value for value in PUBLISHED_VALUES if value in text]


def test_every_published_key_is_known() -> None:
    assert {base64.b64decode(value) for value in PUBLISHED_VALUES} == PUBLISHED


KEYS = [
    "ACS_ACCESS_KEY",
    "CALLBACK_SIGNING_KEY",
    "CALLBACK_SIGNING_KEY_PREVIOUS",
    "NUMBER_HASH_KEY",
    "HOOK_KEY",
    "HOOK_KEY_PREVIOUS",
    "TRANSCRIPTION_KEY",
    "EVENTS_TOPIC_KEY",
    "REPORT_TOPIC_KEY",
]


@pytest.mark.parametrize("value", sorted(PUBLISHED_VALUES))
@pytest.mark.parametrize("name", KEYS)
def test_a_published_key_is_refused_in_each_setting(name: str, value: str) -> None:
    assert "published" in problems(REQUIRED, **{name: value})[name]


OURS = [name for name in KEYS if name.startswith(("CALLBACK", "NUMBER", "HOOK"))]


def test_a_secrets_key_that_is_published_or_can_be_guessed_is_refused() -> None:
    assert problems(REQUIRED, SECRETS_KEY=SECRETS_KEY)["SECRETS_KEY"].startswith("is published with Switchboard")
    guessed = problems(REQUIRED, SECRETS_KEY=encoded(b"ab" * 16))["SECRETS_KEY"]
    assert guessed.startswith("is made of 2 different bytes and can be guessed")


@pytest.mark.parametrize("name", OURS)
@pytest.mark.parametrize(
    "key",
    [bytes(32), b"k" * 64, bytes(range(15)) * 4, b"ab" * 16, b"password".ljust(32)],
    ids=lambda key: repr(key[:9]),
)
def test_a_key_that_can_be_guessed_is_refused(name: str, key: bytes) -> None:
    assert "can be guessed" in problems(REQUIRED, **{name: encoded(key)})[name]


@pytest.mark.parametrize("name", OURS)
def test_a_key_of_sixteen_different_bytes_is_taken(name: str) -> None:
    assert name not in problems(REQUIRED, **{name: encoded(bytes(range(16)) * 2)})


def test_the_services_own_keys_are_not_judged_by_their_looks() -> None:
    assert problems(REQUIRED, ACS_ACCESS_KEY=encoded(b"a" * 40), TRANSCRIPTION_KEY="0" * 32) == {}


@pytest.mark.parametrize(
    "value",
    [
        "UseDevelopmentStorage=true",
        " usedevelopmentstorage=TRUE;",
        DEVELOPMENT_STORAGE,
        STORAGE.replace("contosocalls", "devstoreaccount1"),
        STORAGE.replace("=https;", "=http;"),
        STORAGE + ";BlobEndpoint=http://contosocalls.blob.core.windows.net",
    ],
)
def test_development_storage_and_storage_in_the_clear_are_refused(value: str) -> None:
    assert "AzureWebJobsStorage" in problems(REQUIRED, AzureWebJobsStorage=value)
    assert "AzureWebJobsStorage" not in problems(LOCAL, AzureWebJobsStorage=value)


def test_storage_with_endpoints_of_its_own_is_taken() -> None:
    given = STORAGE + ";BlobEndpoint=https://blobs.example;TableEndpoint=https://tables.example"
    assert problems(REQUIRED, AzureWebJobsStorage=given) == {}


def test_a_key_that_is_not_base64_is_said_to_be_that() -> None:
    assert problems(REQUIRED, NUMBER_HASH_KEY="not")["NUMBER_HASH_KEY"].startswith("is not base64")
    assert problems(REQUIRED, TRANSCRIPTION_KEY="not") == {}


def test_outside_of_azure_a_service_of_this_machine_may_stand_beside_real_ones() -> None:
    assert problems(REQUIRED, TRANSCRIPTION_ENDPOINT="http://127.0.0.1:18080") == {}


@pytest.mark.parametrize(
    "endpoint",
    [
        {"ACS_ENDPOINT": REQUIRED["ACS_ENDPOINT"], "ACS_OPENID_CONFIGURATION_URL": ""},
        {"CALLBACK_BASE_URL": "https://app.example"},
        {"STREAMS_URL": "wss://streams.example"},
        {"WEBSITE_INSTANCE_ID": "7f1c"},
        {"WEBSITE_SITE_NAME": "contoso"},
        {"WEBSITE_SKU": "FlexConsumption"},
        {"WEBSITE_HOSTNAME": "contoso.azurewebsites.net"},
        {"CONTAINER_APP_NAME": "streams"},
    ],
    ids=lambda given: next(iter(given)),
)
def test_one_endpoint_elsewhere_or_one_word_of_azure_is_enough(endpoint: dict[str, str]) -> None:
    found = problems(LOCAL, endpoint, CALLBACK_SIGNING_KEY=SAMPLE["CALLBACK_SIGNING_KEY"])
    assert {"CALLBACK_SIGNING_KEY", "AzureWebJobsStorage"} <= set(found)


@pytest.mark.parametrize(
    "environ",
    [{}, {"WEBSITE_HOSTNAME": "localhost:7071"}, {"WEBSITE_HOSTNAME": "127.0.0.1"}, {"WEBSITE_TIME_ZONE": "UTC"}],
)
def test_what_a_developer_may_have_set_says_nothing_of_azure(environ: dict[str, str]) -> None:
    assert not in_azure(environ)


BASES = {
    "ACS_ENDPOINT": "https",
    "CALLBACK_BASE_URL": "https",
    "ACS_OPENID_CONFIGURATION_URL": "https",
    "COGNITIVE_SERVICES_ENDPOINT": "https",
    "TRANSCRIPTION_ENDPOINT": "https",
    "EVENTS_TOPIC_ENDPOINT": "https",
    "STREAMS_URL": "wss",
}


@pytest.mark.parametrize("name", BASES)
@pytest.mark.parametrize(
    "rest",
    [
        "user@name.example",
        "user:password@name.example",
        ":@name.example",
        "name.example/?query=1",
        "name.example/?",
        "name.example/#fragment",
        "name.example#",
        "",
        "/path",
        "name.example:port",
        "name.example:99999",
        "[::1",
        "name .example",
        "name.example\n",
        "name\\.example",
        "nämé.example",
    ],
)
def test_an_odd_address_is_refused_anywhere(name: str, rest: str) -> None:
    for given in (REQUIRED, LOCAL):
        assert name in problems(given, **{name: f"{BASES[name]}://{rest}"})


@pytest.mark.parametrize("name", BASES)
@pytest.mark.parametrize("host", ["name.example", "10.0.0.1", "127.0.0.1.example", "localhost.example", "0.0.0.0"])
def test_an_address_in_the_clear_is_refused_unless_it_is_of_this_machine(name: str, host: str) -> None:
    clear = "ws" if BASES[name] == "wss" else "http"
    for given in (REQUIRED, LOCAL):
        assert "in the clear" in problems(given, **{name: f"{clear}://{host}"})[name]
    loopback: dict[str, Any] = {name: f"{clear}://127.0.0.1:8080"}
    assert problems(LOCAL, loopback) == {}
    assert "address of this machine" in problems(REQUIRED, AZURE, {"ACS_ACCESS_KEY": "a2V5"}, loopback)[name]


@pytest.mark.parametrize("name", ["ACS_ENDPOINT", "STREAMS_URL"])
def test_other_schemes_are_refused(name: str) -> None:
    for value in ("ftp://name.example", "name.example", "//name.example", "javascript:alert(1)"):
        assert problems(REQUIRED, **{name: value})[name].startswith("must start with ")


@pytest.mark.parametrize(
    "value", ["contoso", "8b3b2565910549f49b61081357959c70", "/subscriptions/s/resourceGroups/g", "{guid}", "8b3b2565-"]
)
def test_a_resource_id_is_a_guid(value: str) -> None:
    for given in (REQUIRED, LOCAL):
        assert "GUID" in problems(given, ACS_RESOURCE_ID=value)["ACS_RESOURCE_ID"]


@pytest.mark.parametrize("value", ["none", "AccountName=a", "AccountKey=a2V5", "DefaultEndpointsProtocol=https"])
def test_what_is_no_connection_string_is_refused(value: str) -> None:
    assert "connection string" in problems(LOCAL, AzureWebJobsStorage=value)["AzureWebJobsStorage"]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("ACS_ENDPIONT", "ACS_ENDPOINT"),
        ("ACS_ENDPOINTS", "ACS_ENDPOINT"),
        ("CALLBACK_SIGNIN_KEY", "CALLBACK_SIGNING_KEY"),
        ("AzureWebJobStorage", "AzureWebJobsStorage"),
    ],
)
def test_a_missing_setting_is_told_with_the_name_that_was_typed(typed: str, meant: str) -> None:
    given = {name: value for name, value in REQUIRED.items() if name != meant}
    assert problems(given, **{typed: REQUIRED[meant]}) == {meant: f"is missing; {typed} is set: a misspelling?"}
