"""Clients of the storage: by a connection string, or by the account's name with the app's identity."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jwt
import pytest
import requests
from azure.identity import DefaultAzureCredential, ManagedIdentityCredential
from urllib3 import HTTPResponse

from devstack.identity import Identity
from shared.azure import clients
from shared.errors import SettingsError, StoreUnavailable
from shared.settings import load_settings
from shared.storage_account import StorageAccount
from streams.settings import load_app_settings
from tests.setting_samples import REQUIRED, STORAGE

CLIENT_ID = "1f2e3d4c-5b6a-4798-8a9b-0c1d2e3f4a5b"
BY_NAME = {**REQUIRED, "AzureWebJobsStorage": "", "AzureWebJobsStorage__accountName": "contosocalls"}
PREFIX = "AzureWebJobsStorage__"
ADDRESSES = {
    f"{PREFIX}blobServiceUri": "https://blobs.example/",
    f"{PREFIX}queueServiceUri": "https://queues.example",
    f"{PREFIX}tableServiceUri": "https://127.0.0.1:10002/devstoreaccount1",
}
NAMED = StorageAccount(
    blobs="https://contosocalls.blob.core.windows.net",
    queues="https://contosocalls.queue.core.windows.net",
    tables="https://contosocalls.table.core.windows.net",
    name="contosocalls",
)


# Which account the settings name


def account(**changes: str) -> StorageAccount:
    return load_settings({**BY_NAME, **changes}).storage_account


def test_an_account_is_known_by_its_name() -> None:
    assert account() == NAMED
    assert load_app_settings(BY_NAME).storage_account == NAMED, "the streams service has the same"


def test_a_connection_string_counts_before_a_name() -> None:
    assert account(AzureWebJobsStorage=STORAGE) == StorageAccount(STORAGE)
    assert STORAGE not in repr(StorageAccount(STORAGE))


def test_addresses_count_before_the_name_and_make_it_unnecessary() -> None:
    found = account(**ADDRESSES, AzureWebJobsStorage__accountName="")
    assert found == StorageAccount(
        blobs="https://blobs.example",
        queues="https://queues.example",
        tables="https://127.0.0.1:10002/devstoreaccount1",
    )
    one = account(AzureWebJobsStorage__blobServiceUri="https://blobs.example")
    assert (one.blobs, one.queues) == ("https://blobs.example", NAMED.queues)


@pytest.mark.parametrize(
    ("blobs", "name"),
    [
        ("https://contosocalls.blob.core.windows.net", "contosocalls"),
        ("https://contosocalls.privatelink.blob.core.windows.net/", "contosocalls"),
        ("https://contosocalls.z6.blob.storage.azure.net", "contosocalls"),
        ("https://127.0.0.1:10000/devstoreaccount1", "devstoreaccount1"),
        ("https://files.contoso.example/blob.core.", ""),
    ],
)
def test_the_name_is_in_the_address_of_the_blobs(blobs: str, name: str) -> None:
    given = {**ADDRESSES, f"{PREFIX}accountName": "", f"{PREFIX}blobServiceUri": blobs}
    assert account(**given).name == name
    assert account(**{**given, f"{PREFIX}accountName": "another"}).name == "another"


def test_the_identity_is_the_one_of_the_settings() -> None:
    managed = account(AzureWebJobsStorage__credential="managedidentity", AzureWebJobsStorage__clientId=CLIENT_ID)
    assert (managed.managed, managed.client_id) == (True, CLIENT_ID)


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({f"{PREFIX}accountName": ""}, "AzureWebJobsStorage: is missing"),
        ({f"{PREFIX}accountName": "Contoso.Calls"}, f"{PREFIX}accountName: "),
        ({f"{PREFIX}blobServiceUri": "http://blobs.example"}, f"{PREFIX}blobServiceUri: must start with https://"),
        ({f"{PREFIX}tableServiceUri": "https://a.example?sig=x"}, f"{PREFIX}tableServiceUri: holds a query"),
        ({f"{PREFIX}clientId": "mine"}, f"{PREFIX}clientId: must be a GUID: `az identity show --query clientId`"),
        ({f"{PREFIX}credential": "key"}, f"{PREFIX}credential: "),
        (
            {**ADDRESSES, f"{PREFIX}accountName": "", f"{PREFIX}queueServiceUri": ""},
            f"AzureWebJobsStorage: is not set, and neither is {PREFIX}queueServiceUri; ",
        ),
    ],
)
def test_what_names_no_account_is_told(changes: dict[str, str], line: str) -> None:
    with pytest.raises(SettingsError) as caught:
        account(**changes)
    assert str(caught.value).splitlines()[0].startswith(line)


# The clients


@pytest.mark.parametrize(
    ("of", "where"),
    [
        (StorageAccount(STORAGE), "https://contosocalls"),
        (NAMED, "https://contosocalls"),
    ],
)
def test_each_client_goes_to_its_service(of: StorageAccount, where: str) -> None:
    assert clients.tables(of).url == f"{where}.table.core.windows.net"
    assert clients.blobs(of).url == f"{where}.blob.core.windows.net/"
    assert clients.container(of, "app-calls").url == f"{where}.blob.core.windows.net/app-calls"
    assert clients.queue(of, "app-timers").url == f"{where}.queue.core.windows.net/app-timers"


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Identity]:
    with Identity(tmp_path) as found:
        for name, value in found.environment.items():
            monkeypatch.setenv(name, value)
        clients.identity.cache_clear()
        yield found
        clients.identity.cache_clear()


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str | None]]:
    """Address and credential of each request to the storage, which answers that it is busy."""
    requests_sent: list[tuple[str, str | None]] = []
    send = requests.adapters.HTTPAdapter.send

    def answer(self: Any, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        if "127.0.0.1" in str(request.url):
            return send(self, request, **options)
        requests_sent.append((urlsplit(str(request.url)).hostname or "", request.headers.get("Authorization")))
        response = requests.Response()
        response.status_code, response.reason, response.url = 404, "Not Found", str(request.url)
        response.raw = HTTPResponse(BytesIO(), status=404, preload_content=False)
        return response

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", answer)
    return requests_sent


def test_a_managed_identity_signs_in_to_every_service_and_asks_for_one_token(
    endpoint: Identity, sent: list[tuple[str, str | None]]
) -> None:
    of = account(AzureWebJobsStorage__credential="managedidentity", AzureWebJobsStorage__clientId=endpoint.client_id)
    assert not clients.container(of, "app-calls").exists()
    assert not clients.blobs(of).get_container_client("app-streams").exists()
    clients.tables(of).get_table_client("appcalls").delete_entity("a", "b")
    assert [where for where, _ in sent] == [
        "contosocalls.blob.core.windows.net",
        "contosocalls.blob.core.windows.net",
        "contosocalls.table.core.windows.net",
    ]
    (credential,) = {str(credential) for _, credential in sent}
    claims = jwt.decode(credential.removeprefix("Bearer "), options={"verify_signature": False})
    assert (claims["aud"], claims["oid"]) == ("https://storage.azure.com", endpoint.principal_id)
    asked = [(one["resource"], one["client_id"]) for one in endpoint.asked]
    assert asked == [("https://storage.azure.com", endpoint.client_id)]


def test_no_identity_is_asked_where_a_connection_string_holds_a_key(
    endpoint: Identity, sent: list[tuple[str, str | None]]
) -> None:
    assert not clients.container(StorageAccount(STORAGE), "app-calls").exists()
    assert [str(credential).partition(" ")[0] for _, credential in sent] == ["SharedKey"]
    assert endpoint.asked == []


def test_a_token_is_of_the_app_s_identity(endpoint: Identity, monkeypatch: pytest.MonkeyPatch) -> None:
    token = clients.token("https://cognitiveservices.azure.com/.default", StoreUnavailable)
    assert jwt.decode(token, options={"verify_signature": False})["oid"] == endpoint.principal_id
    assert [one["resource"] for one in endpoint.asked] == ["https://cognitiveservices.azure.com"]


def test_who_signs_in() -> None:
    clients.identity.cache_clear()
    assert isinstance(clients.identity(), DefaultAzureCredential)
    assert isinstance(clients.identity(managed=True), ManagedIdentityCredential)
    assert isinstance(clients.identity(CLIENT_ID), ManagedIdentityCredential)
    assert clients.identity(CLIENT_ID) is clients.identity(CLIENT_ID), "it keeps its tokens"
    clients.identity.cache_clear()


def test_a_key_counts_before_the_identity() -> None:
    clients.identity.cache_clear()
    assert clients.key_or_identity("a2V5").key == "a2V5"  # type: ignore[union-attr]
    assert clients.identity.cache_info().currsize == 0
