"""Settings: read from the environment, checked, and described in docs/settings.md."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Any

import pytest

from acs_emulator.core.config import DEFAULT_PORT, DEVELOPMENT_ACCESS_KEY, Config
from devstack.stack import NUMBER_HASH_KEY, SECRETS_KEY
from shared.errors import SettingsError
from shared.setting_values import setting_name
from shared.settings import NO_STORE, Settings, binding, load_settings, unknown_settings
from tests.setting_samples import REQUIRED, STORAGE, made_key

ROOT = Path(__file__).parents[2]
SAMPLE: dict[str, str] = json.loads((ROOT / "local.settings.sample.json").read_text("utf-8"))["Values"]
HOST_SETTINGS = {"FUNCTIONS_WORKER_RUNTIME"}
"""Settings that only the Functions host reads."""


def described() -> dict[str, str]:
    """Setting and default of each row of the tables in the documentation."""
    rows = re.findall(
        r"^\| `(\w+)` \|.*\| ([^|]*) \| [^|]* \|$", (ROOT / "docs" / "settings.md").read_text("utf-8"), re.MULTILINE
    )
    return dict(rows)


def refusal(**changes: str) -> str:
    with pytest.raises(SettingsError) as caught:
        load_settings({**REQUIRED, **changes})
    return str(caught.value)


def test_the_required_settings_are_enough() -> None:
    settings = load_settings(REQUIRED)
    assert settings.acs_endpoint == "https://contoso.communication.azure.com"
    assert settings.azurewebjobsstorage == STORAGE


@pytest.mark.parametrize("name", REQUIRED)
@pytest.mark.parametrize("empty", [True, False])
def test_a_required_setting_that_is_missing_or_empty_is_named(name: str, empty: bool) -> None:
    given = {key: value for key, value in REQUIRED.items() if key != name} | ({name: ""} if empty else {})
    with pytest.raises(SettingsError) as caught:
        load_settings(given)
    assert caught.value.field == name


def test_every_wrong_setting_is_named() -> None:
    message = refusal(ACS_ENDPOINT="contoso", RING_SECONDS="soon", LOG_LEVEL="LOUD")
    assert all(name in message for name in ("ACS_ENDPOINT", "RING_SECONDS", "LOG_LEVEL"))


def test_an_empty_setting_counts_as_not_set() -> None:
    assert load_settings({**REQUIRED, "VOICE_NAME": ""}).voice_name == "en-US-JennyNeural"


def test_the_base_url_is_that_of_the_web_site_unless_given() -> None:
    given = {**REQUIRED, "CALLBACK_BASE_URL": "", "WEBSITE_HOSTNAME": "app.azurewebsites.net"}
    assert load_settings(given).callback_base_url == "https://app.azurewebsites.net"


@pytest.mark.parametrize(
    "name",
    [
        "CALLBACK_SIGNING_KEY",
        "CALLBACK_SIGNING_KEY_PREVIOUS",
        "NUMBER_HASH_KEY",
        "NUMBER_HASH_KEY_PREVIOUS",
        "SECRETS_KEY",
        "SECRETS_KEY_PREVIOUS",
    ],
)
@pytest.mark.parametrize("value", ["not base64!", "é", base64.b64encode(bytes(31)).decode()])
def test_a_key_that_is_none_is_refused(name: str, value: str) -> None:
    message = refusal(**{name: value})
    assert name in message
    assert "openssl rand -base64 32" in message


@pytest.mark.parametrize("name", ["CALLBACK_SIGNING_KEY", "CALLBACK_SIGNING_KEY_PREVIOUS"])
def test_numbers_are_hashed_with_a_key_of_its_own(name: str) -> None:
    signing = base64.b64encode(b"signing".ljust(32)).decode()
    assert refusal(**{name: signing, "NUMBER_HASH_KEY": signing}).startswith("NUMBER_HASH_KEY: ")


@pytest.mark.parametrize("name", ["NUMBER_HASH_KEY_PREVIOUS", "SECRETS_KEY_PREVIOUS"])
def test_a_key_before_none_is_refused(name: str) -> None:
    earlier = base64.b64encode(b"earlier".ljust(32)).decode()
    message = refusal(**{name: earlier})
    assert message.startswith(f"{name}: is set without {name.removesuffix('_PREVIOUS')}; ")


@pytest.mark.parametrize("name", ["CALLBACK_SIGNING_KEY", "CALLBACK_SIGNING_KEY_PREVIOUS", "NUMBER_HASH_KEY"])
def test_secrets_are_kept_under_a_key_of_its_own(name: str) -> None:
    other = base64.b64encode(b"another".ljust(32)).decode()
    assert refusal(**{name: other, "SECRETS_KEY": other}).startswith("SECRETS_KEY: ")


@pytest.mark.parametrize("name", ["SECRETS_KEY", "SECRETS_KEY_PREVIOUS"])
def test_a_secrets_key_has_32_bytes_exactly(name: str) -> None:
    keys = {"SECRETS_KEY": base64.b64encode(b"the current one".ljust(32)).decode()}
    message = refusal(**{**keys, name: base64.b64encode(bytes(33)).decode()})
    assert message.startswith(f"{name}: has 33 bytes, and AES-256 takes 32; make one with: openssl rand -base64 32")


def test_tokens_are_not_sent_in_the_clear() -> None:
    assert "ACS_ACCESS_KEY" in refusal(ACS_ENDPOINT="http://127.0.0.1:18080")


def test_keys_of_tokens_are_not_fetched_in_the_clear() -> None:
    assert "https://" in refusal(ACS_OPENID_CONFIGURATION_URL="http://anyone.example/openid")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("STORE_PREFIX", "Has-Capitals"),
        ("RING_SECONDS", "0"),
        ("CACHED_CALLS", "-1"),
        ("EVIDENCE_RETENTION_DAYS", "-1"),
        ("OUTREACH_MAX_RECIPIENTS", "0"),
        ("OUTREACH_MAX_RECIPIENTS", "1000001"),
        ("ACTION_TIMEOUT_SECONDS", "-1"),
        ("CALLBACK_BASE_URL", "app.example"),
        ("RECORDING_HOSTS", "http://127.0.0.1:18080/path"),
        ("RECORDING_DEADLINE_HOURS", "25"),
        ("RECORDINGS_AT_ONCE", "0"),
        ("QUALITY_THRESHOLDS", '{"dead_air": 8}'),
        ("QUALITY_THRESHOLDS", '{"silence_ratio": 2}'),
        ("QUALITY_THRESHOLDS", "8"),
        ("TRANSCRIPTION_ENDPOINT", "speech.example"),
        ("TRANSCRIPTION_ENDPOINT", "http://speech.example"),
        ("EVENTS_TOPIC_ENDPOINT", "http://topic.example/api/events"),
        ("HOOK_URL", "http://hooks.example/"),
        ("HOOK_URL", "http://127.0.0.1:9000/"),
        ("HOOK_URL", "https://10.0.0.1/"),
        ("HOOK_URL", "https://user:password@hooks.example/"),
        ("HOOK_KEY", "bm90IGVub3VnaA=="),
        ("HOOK_KEY_PREVIOUS", "not base64!"),
        ("PHONE_REGION", "USA"),
        ("MASKING_COOL_OFF_MINUTES", "-1"),
    ],
)
def test_a_value_out_of_range_is_refused_with_its_setting(name: str, value: str) -> None:
    assert refusal(**{name: value}).startswith(f"{name}: ")


def test_a_hook_needs_a_key_and_says_how_to_make_one() -> None:
    message = refusal(HOOK_URL="https://hooks.example/")
    assert message.startswith("HOOK_KEY: ")
    assert "openssl rand -base64 32" in message
    key = made_key("hook")
    assert load_settings({**REQUIRED, "HOOK_URL": "https://hooks.example/", "HOOK_KEY": key}).hook_key == key


def test_an_app_on_a_developers_machine_may_have_a_hook_there() -> None:
    local = {**REQUIRED, "CALLBACK_BASE_URL": "http://127.0.0.1:7071", "HOOK_KEY": made_key("hook")}
    for url in ("http://127.0.0.1:9000/", "http://localhost:9000/", "https://hooks.example/"):
        assert load_settings({**local, "HOOK_URL": url}).hook_url == url
    with pytest.raises(SettingsError, match="HOOK_URL"):
        load_settings({**local, "HOOK_URL": "http://hooks.example/"})


def test_the_topic_is_read_under_its_earlier_name_too() -> None:
    old = {"REPORT_TOPIC_ENDPOINT": "https://old.example/api/events", "REPORT_TOPIC_KEY": "old"}
    new = {"EVENTS_TOPIC_ENDPOINT": "https://new.example/api/events", "EVENTS_TOPIC_KEY": "new"}
    for given, host, key in ((old, "old", "old"), (new, "new", "new"), (old | new, "new", "new")):
        settings = load_settings({**REQUIRED, **given})
        assert (settings.events_topic_endpoint, settings.events_topic_key) == (
            f"https://{host}.example/api/events",
            key,
        )
    assert "EVENTS_TOPIC_ENDPOINT" in refusal(REPORT_TOPIC_ENDPOINT="http://topic.example/api/events")


def test_no_secret_shows_when_settings_are_printed() -> None:
    secrets = {
        "ACS_ACCESS_KEY": "secret-access",
        "AzureWebJobsStorage": "AccountName=secret-account;AccountKey=secret-storage",
        "CALLBACK_SIGNING_KEY": base64.b64encode(b"secret-signing: abcdefghijklmnopqrstuvwxyz").decode(),
        "CALLBACK_SIGNING_KEY_PREVIOUS": base64.b64encode(b"secret-earlier: abcdefghijklmnopqrstuvwxyz").decode(),
        "NUMBER_HASH_KEY": base64.b64encode(b"secret-hash: abcdefghijklmnopqrstuvwxyz").decode(),
        "NUMBER_HASH_KEY_PREVIOUS": base64.b64encode(b"secret-hash-before: abcdefghijklmnopqrstuvwxyz").decode(),
        "SECRETS_KEY": base64.b64encode(b"secret-wrapping: abcdefghijklmno").decode(),
        "SECRETS_KEY_PREVIOUS": base64.b64encode(b"secret-wrapping-before: abcdefgh").decode(),
        "TRANSCRIPTION_KEY": "secret-speech",
        "REPORT_TOPIC_KEY": "secret-topic",
        "EVENTS_TOPIC_KEY": "secret-events",
        "HOOK_URL": "https://hooks.example/?token=secret-token",
        "HOOK_KEY": base64.b64encode(b"secret-hook: abcdefghijklmnopqrstuvwxyz").decode(),
        "HOOK_KEY_PREVIOUS": base64.b64encode(b"secret-hook-before: abcdefghijklmnopqrstuvwxyz").decode(),
    }
    shown = repr(load_settings({**REQUIRED, **secrets}))
    assert not [value for value in secrets.values() if value in shown]
    assert "secret-" not in shown


@pytest.mark.parametrize("somebody", ["+14255550142", "8:acs:desk", "4:+14255550142"])
def test_who_takes_a_caller_whose_flow_failed_is_a_number_or_a_raw_id(somebody: str) -> None:
    assert load_settings({**REQUIRED, "FALLBACK_TRANSFER_TO": somebody}).fallback_transfer_to == somebody


@pytest.mark.parametrize("nobody", ["the desk", "0142", "tel:+14255550142"])
def test_somebody_who_cannot_be_reached_is_refused_as_the_fallback(nobody: str) -> None:
    with pytest.raises(SettingsError, match=r"FALLBACK_TRANSFER_TO.*8:acs"):
        load_settings({**REQUIRED, "FALLBACK_TRANSFER_TO": nobody})


@pytest.mark.parametrize("nobody", ["the desk", "0142", "8:acs:desk", "4:+14255550142", "+0"])
def test_callers_are_handed_to_a_number(nobody: str) -> None:
    assert load_settings({**REQUIRED, "HANDOFF_NUMBER": "+14255550142"}).handoff_number == "+14255550142"
    with pytest.raises(SettingsError, match=r"HANDOFF_NUMBER: must be a number such as"):
        load_settings({**REQUIRED, "HANDOFF_NUMBER": nobody})


def test_every_setting_is_described_and_nothing_else_is() -> None:
    assert set(described()) == {setting_name(field) for field in Settings.model_fields}


@pytest.mark.parametrize("field", Settings.model_fields)
def test_the_default_that_is_described_is_the_default(field: str) -> None:
    if field == "callback_base_url":
        return
    shown = described()[setting_name(field)]
    info = Settings.model_fields[field]
    default: Any = info.default
    if info.is_required():
        assert shown == "required"
    elif default == "":
        assert shown == "empty"
    else:
        assert shown == f"`{default:g}`" if isinstance(default, float) else shown == f"`{default}`"


def test_every_setting_of_the_sample_is_read() -> None:
    known = {setting_name(field) for field in Settings.model_fields}
    assert set(SAMPLE) - known == HOST_SETTINGS


def test_the_sample_is_right_and_fits_the_emulator() -> None:
    settings = load_settings(SAMPLE)
    emulator = Config(seed=1)
    assert settings.acs_endpoint == f"http://127.0.0.1:{DEFAULT_PORT}"
    assert settings.acs_access_key == DEVELOPMENT_ACCESS_KEY
    assert settings.number_hash_key == NUMBER_HASH_KEY
    assert settings.secrets_key == SECRETS_KEY
    assert settings.acs_resource_id == emulator.resource_id == Config().resource_id


def test_the_storage_of_the_sample_is_taken_by_the_storage_clients() -> None:
    from azure.data.tables import TableServiceClient
    from azure.storage.blob import BlobServiceClient
    from azure.storage.queue import QueueServiceClient

    for client in (TableServiceClient, BlobServiceClient, QueueServiceClient):
        with client.from_connection_string(SAMPLE["AzureWebJobsStorage"]) as made:
            assert made.url.startswith("http://127.0.0.1:1000")


# Names and bindings


@pytest.mark.parametrize(
    ("typed", "meant"), [("RING_SECOND", "RING_SECONDS"), ("Watchdog_Shedule", "WATCHDOG_SCHEDULE")]
)
def test_a_name_that_is_close_to_a_setting_is_told_with_it(typed: str, meant: str) -> None:
    assert unknown_settings({**REQUIRED, typed: "1"}) == {typed: meant}


def test_names_of_the_platform_and_of_the_streams_service_are_close_to_none() -> None:
    from streams.settings import StreamSettings

    others = [f"STREAMS_{field}".upper() for field in StreamSettings.model_fields]
    platform = ["PATH", "HOME", "LANG", "LOG_FILE", "FUNCTIONS_WORKER_RUNTIME", "PYTHON_THREADPOOL_THREAD_COUNT",
                "AzureWebJobsFeatureFlags", "AzureWebJobsScriptRoot", "AzureWebJobsSecretStorageType",
                "WEBSITE_HOSTNAME", "APPLICATIONINSIGHTS_CONNECTION_STRING",
                "AzureWebJobs.watchdog.Disabled"]  # fmt: skip
    assert unknown_settings(dict.fromkeys([*others, *platform, *SAMPLE], "x")) == {}


GOOD_SCHEDULES = ["*/5 * * * * *", "0 */10 * * * *", "0 0 9-17 * * mon-fri", "0,30 * * 1 jan,JUL 0", "*/5 * * * *"]
BAD_SCHEDULES = ["", "often", "* * * *", "* * * * * * *", "60 * * * * *", "* * 24 * * *", "* * * 0 * *", "* * * * 13 *",
                 "* * * * * 7", "*/0 * * * * *", "*/x * * * * *", "1- * * * * *", "-1 * * * * *", "a,b * * * * *",
                 "00:00:05", "%OTHER%", "٣ * * * * *"]  # fmt: skip


@pytest.mark.parametrize("name", ["WATCHDOG_SCHEDULE", "RECORDING_SCHEDULE"])
def test_a_schedule_is_checked_and_a_wrong_one_is_not_bound(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    field = name.lower()
    default = Settings.model_fields[field].default
    for value in GOOD_SCHEDULES:
        assert getattr(load_settings({**REQUIRED, name: value}), field) == value
        monkeypatch.setenv(name, value)
        assert binding(field) == value
    for value in BAD_SCHEDULES:
        if value:
            assert refusal(**{name: value}).startswith(f"{name}: ")
        monkeypatch.setenv(name, value)
        assert binding(field) == default


@pytest.mark.parametrize("value", ["Has-Capitals", "a", "calls\n", "%PREFIX%", "a" * 25])
def test_a_wrong_prefix_binds_queues_that_are_nobodys(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORE_PREFIX", value)
    assert binding("store_prefix") == NO_STORE != Settings.model_fields["store_prefix"].default
    monkeypatch.setenv("STORE_PREFIX", "contoso2")
    assert binding("store_prefix") == "contoso2"
    monkeypatch.delenv("STORE_PREFIX")
    assert binding("store_prefix") == "switchboard"
