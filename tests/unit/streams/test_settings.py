"""The service's own settings and their page."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from shared.errors import SettingsError
from shared.setting_values import setting_name
from shared.settings import Settings
from streams.settings import AppSettings, StreamSettings, load_app_settings
from tests.setting_samples import STORAGE, made_key

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "streams.md").read_text("utf-8")


@pytest.mark.parametrize("name", StreamSettings.model_fields)
def test_each_setting_is_on_its_page_with_its_default(name: str) -> None:
    default = StreamSettings.model_fields[name].default
    shown = "none" if default == "" else f"`{str(default).lower()}`"
    assert f"| `STREAMS_{name.upper()}` | {shown} |" in PAGE


def test_the_page_names_no_setting_that_does_not_exist() -> None:
    rows = [line.split("`")[1] for line in PAGE.splitlines() if line.startswith("| `STREAMS_")]
    assert rows == [f"STREAMS_{name.upper()}" for name in StreamSettings.model_fields]


# What it needs of the app's settings

APP = {
    "ACS_RESOURCE_ID": "0f6b3f2e-9c54-4d0e-8d1c-1f2e3d4c5b6a",
    "AzureWebJobsStorage": STORAGE,
    "CALLBACK_BASE_URL": "https://app.example/",
    "CALLBACK_SIGNING_KEY": made_key("signing"),
}
SAMPLE = json.loads((ROOT / "local.settings.sample.json").read_text("utf-8"))["Values"]


def test_the_app_s_settings_are_read_under_their_names_and_with_their_defaults() -> None:
    found = load_app_settings({**APP, "STORE_PREFIX": "", "MAX_CALLS": "nonsense is no business of this service"})
    assert found.callback_base_url == "https://app.example"
    for name, field in AppSettings.model_fields.items():
        of_the_app = Settings.model_fields[name]
        assert (field.default, field.repr) == (of_the_app.default, of_the_app.repr), name
    assert made_key("signing") not in repr(found)


def test_each_of_the_app_s_settings_stands_on_the_service_s_page() -> None:
    (line,) = [line for line in PAGE.splitlines() if line.startswith("Of [the app's settings]")]
    assert set(re.findall(r"`([A-Za-z_]+)`", line)) == {setting_name(name) for name in AppSettings.model_fields}


@pytest.mark.parametrize("name", APP)
def test_a_setting_that_is_missing_is_named(name: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load_app_settings({**APP, name: ""})
    assert str(caught.value).splitlines()[0] == f"{name}: is missing"


WRONG = {
    "ACS_RESOURCE_ID": "x",
    "ACS_OPENID_CONFIGURATION_URL": "http://issuer.example",
    "AzureWebJobsStorage": "x",
    "STORE_PREFIX": "A",
    "CALLBACK_BASE_URL": "http://app.example",
    "CALLBACK_SIGNING_KEY": "c2hvcnQ=",
    "CALLBACK_SIGNING_KEY_PREVIOUS": "c2hvcnQ=",
    "STREAMS_URL": "https://streams.example",
}


@pytest.mark.parametrize(("name", "value"), WRONG.items(), ids=WRONG)
def test_a_setting_that_is_wrong_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load_app_settings({**APP, name: value})
    assert name in str(caught.value).splitlines()[0]


def test_published_keys_and_development_storage_are_refused_where_others_reach_the_service() -> None:
    assert load_app_settings(SAMPLE).callback_signing_key == SAMPLE["CALLBACK_SIGNING_KEY"]
    with pytest.raises(SettingsError) as caught:
        load_app_settings({**SAMPLE, "CONTAINER_APP_NAME": "streams"})
    named = {line.partition(":")[0] for line in str(caught.value).splitlines()}
    assert {"AzureWebJobsStorage", "CALLBACK_SIGNING_KEY", "CALLBACK_BASE_URL"} <= named
