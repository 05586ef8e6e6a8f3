"""local.settings.json, host.json and setting names."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from devstack.azurite import ROOT
from devstack.host.errors import StartupError
from devstack.host.settings import (
    DEVELOPMENT_STORAGE,
    HostSettings,
    StorageConnection,
    apply_local_settings,
    load_host_settings,
    resolve_setting_names,
    storage_connection,
)


def test_values_become_variables_and_an_existing_variable_wins(tmp_path: Path) -> None:
    path = tmp_path / "local.settings.json"
    values = {"KEPT": "file", "NEW": "file", "FLAG": True, "NUMBER": 3}
    path.write_text(json.dumps({"IsEncrypted": False, "Values": values, "Host": {"LocalHttpPort": 7100}}))
    environment = {"KEPT": "here"}
    said: list[str] = []
    assert apply_local_settings(path, environment, said.append) == {"LocalHttpPort": 7100}
    assert environment == {"KEPT": "here", "NEW": "file", "FLAG": "true", "NUMBER": "3"}
    assert len(said) == 1
    assert said[0].startswith("Skipping 'KEPT' from local settings")


def test_a_settings_file_that_cannot_be_used_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "local.settings.json"
    path.write_text('{"IsEncrypted": true}')
    with pytest.raises(StartupError, match="encrypted"):
        apply_local_settings(path, {}, print)
    path.write_text("{")
    with pytest.raises(StartupError, match="not valid JSON"):
        apply_local_settings(path, {}, print)
    assert apply_local_settings(tmp_path / "absent.json", {}, print) == {}


def test_host_json_is_read_and_its_mistakes_are_named(tmp_path: Path) -> None:
    assert load_host_settings(tmp_path) == HostSettings()
    path = tmp_path / "host.json"
    path.write_text(
        json.dumps(
            {
                "version": "2.0",
                "extensions": {
                    "http": {"routePrefix": ""},
                    "queues": {"maxPollingInterval": "00:00:02", "batchSize": 4},
                },
            }
        )
    )
    settings = load_host_settings(tmp_path)
    assert (settings.route_prefix, settings.queues.max_polling_interval) == ("", 2.0)
    assert (settings.queues.batch_size, settings.queues.new_batch_threshold) == (4, 2)
    for queues, message in (({"batchSize": 33}, "batchSize"), ({"visibilityTimeout": 3}, "visibilityTimeout")):
        path.write_text(json.dumps({"version": "2.0", "extensions": {"queues": queues}}))
        with pytest.raises(StartupError, match=message):
            load_host_settings(tmp_path)


def test_the_host_json_of_this_repository_can_be_read() -> None:
    settings = load_host_settings(ROOT)
    assert settings.route_prefix == "api"
    assert settings.queues.base64


def test_setting_names_are_resolved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUEUE_NAME", "work")
    assert resolve_setting_names("%QUEUE_NAME%-x", "f") == "work-x"
    with pytest.raises(StartupError, match="'ABSENT'"):
        resolve_setting_names("%ABSENT%", "f")


def test_a_connection_is_found_by_its_name_or_with_the_prefix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AzureWebJobsStorage", "UseDevelopmentStorage=true")
    monkeypatch.setenv("AzureWebJobsOther", "AccountName=a;AccountKey=b")
    assert storage_connection("", "f") == StorageConnection(DEVELOPMENT_STORAGE)
    assert storage_connection("Other", "f") == StorageConnection("AccountName=a;AccountKey=b")
    with pytest.raises(StartupError, match="'Absent' is not set"):
        storage_connection("Absent", "f")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"accountName": "contoso"}, StorageConnection(queues="https://contoso.queue.core.windows.net")),
        (
            {"queueServiceUri": "https://127.0.0.1:1/dev/", "accountName": "x", "credential": "ManagedIdentity"},
            StorageConnection(queues="https://127.0.0.1:1/dev", managed=True),
        ),
        (
            {"QUEUESERVICEURI": "https://q.example", "credential": "managedidentity", "clientId": "an-id"},
            StorageConnection(queues="https://q.example", managed=True, client_id="an-id"),
        ),
    ],
)
def test_an_account_is_reached_by_its_address_and_an_identity(
    given: dict[str, str], expected: StorageConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AzureWebJobsStorage", "")
    for name, value in given.items():
        monkeypatch.setenv(f"AzureWebJobsStorage__{name}", value)
    assert storage_connection("AzureWebJobsStorage", "f") == storage_connection("", "f") == expected


def test_a_way_to_sign_in_that_the_host_does_not_have_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("Files__accountName", "contoso")
    monkeypatch.setenv("Files__credential", "workloadidentity")
    with pytest.raises(StartupError, match="'Files__credential' must be managedidentity, found 'workloadidentity'"):
        storage_connection("Files", "f")


def test_a_blob_s_address_alone_is_no_account_for_queues(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("Files__blobServiceUri", "https://b.example")
    with pytest.raises(StartupError, match="the storage connection 'Files' is not set"):
        storage_connection("Files", "f")
