"""The stores over a real storage that takes tokens alone: Azurite with https and `--oauth basic`, and the identity of
the devstack, which azure-identity's own credential asks as it asks App Service."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest
import requests
from azure.core.exceptions import HttpResponseError
from azure.storage.queue import QueueClient

from bench.core import BenchCall, conductor
from devstack.azurite import Azurite
from devstack.identity import Identity
from shared.azure import clients, links
from shared.azure.archive import BlobArchive
from shared.azure.call_store import TableStore
from shared.azure.queues import StorageRecordingQueue
from shared.errors import SettingsError, StoreRefused
from shared.settings import load_settings
from shared.storage_account import StorageAccount
from tests.setting_samples import REQUIRED

pytestmark = [pytest.mark.node, pytest.mark.xdist_group("azurite-by-identity")]
NAME = "2026-11-28/a-recording/0.wav"
NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def by_identity(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Identity, StorageAccount]]:
    """An identity, and the account as the settings of an app with that identity name it."""
    folder = tmp_path_factory.mktemp("identity")
    with Identity(folder) as identity, Azurite(log=folder / "azurite.log", identity=identity) as azurite:
        settings = {**REQUIRED, **identity.environment, **azurite.identity_settings}
        account = load_settings({**settings, "ACS_ACCESS_KEY": ""}).storage_account
        with pytest.MonkeyPatch.context() as patch:
            for name, value in identity.environment.items():
                patch.setenv(name, value)
            clients.identity.cache_clear()
            yield identity, account
            clients.identity.cache_clear()
            links.delegation_key.cache_clear()


@pytest.fixture
def account(by_identity: tuple[Identity, StorageAccount]) -> StorageAccount:
    return by_identity[1]


def test_the_settings_hold_addresses_and_no_key(account: StorageAccount) -> None:
    assert account.connection_string == ""
    assert account.managed
    assert all(one.startswith("https://127.0.0.1:") for one in (account.blobs, account.queues, account.tables))


def test_a_call_is_kept_in_tables_and_archived_in_a_blob(account: StorageAccount) -> None:
    store = TableStore(account, "identity")
    board = conductor(store)
    call = BenchCall(board)
    board.deliver(call.call_id, call.connected())
    board.deliver(call.call_id, call.disconnected())
    board.later.flush()
    assert conductor(TableStore(account, "identity")).entries(call.call_id)[-1]["entry"] == "event"
    assert store.is_closed(store.peek(call.call_id))


def test_work_goes_through_a_queue(by_identity: tuple[Identity, StorageAccount]) -> None:
    identity, account = by_identity
    StorageRecordingQueue(account, "identity").send("20261128-a", 3)
    with QueueClient(
        account.queues, "identity-recordings", credential=clients.identity(identity.client_id)
    ) as client:  # as the host does
        (message,) = client.receive_messages()
    assert json.loads(base64.b64decode(message.content))["recording"] == "20261128-a"


def test_a_link_by_a_delegation_key_reads_one_file_and_does_nothing_else(
    by_identity: tuple[Identity, StorageAccount],
) -> None:
    identity, account = by_identity
    archive = BlobArchive(account, "identity")
    for name in (NAME, "other.wav"):
        archive.put_text(name, "0123456789")
    link = archive.link(NAME, 60)
    assert f"skoid={identity.principal_id}" in link.split("&")
    played = requests.get(link, headers={"Range": "bytes=2-4"}, timeout=10)
    assert (played.status_code, played.content) == (206, b"234")
    for response in (
        requests.put(link, data=b"x", headers={"x-ms-blob-type": "BlockBlob"}, timeout=10),
        requests.delete(link, timeout=10),
        requests.get(link.replace(NAME, "other.wav"), timeout=10),
        requests.get(link.partition("?")[0], timeout=10),
        requests.get(archive.link(NAME, -1), timeout=10),
    ):
        assert response.status_code in (403, 404)


def test_all_links_of_an_account_are_signed_with_one_key(account: StorageAccount) -> None:
    links.delegation_key.cache_clear()
    made = [BlobArchive(account, prefix).link(NAME, 60) for prefix in ("one", "two")]
    keys = {tuple(part for part in link.split("&") if part.startswith(("skt=", "ske="))) for link in made}
    assert len(keys) == 1


def test_an_identity_that_gets_no_key_is_told_so(account: StorageAccount, monkeypatch: pytest.MonkeyPatch) -> None:
    refusal = HttpResponseError("AuthorizationPermissionMismatch")
    refusal.status_code, refusal.reason = 403, "Forbidden"
    links.delegation_key.cache_clear()
    monkeypatch.setattr(clients, "blobs", lambda account: Mock(get_user_delegation_key=Mock(side_effect=refusal)))
    with pytest.raises(StoreRefused, match="403 Forbidden; check the connection string and the rights of the app"):
        BlobArchive(account, "identity").link(NAME, 60)


# The key, in time


class Storage:
    """Gives keys, and keeps for when they were asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[datetime, datetime]] = []

    def get_user_delegation_key(self, start: datetime, expiry: datetime) -> Any:
        self.asked.append((start, expiry))
        return SimpleNamespace(number=len(self.asked))


@pytest.fixture
def storage(monkeypatch: pytest.MonkeyPatch) -> Storage:
    found = Storage()
    monkeypatch.setattr(clients, "blobs", lambda account: found)
    return found


def test_a_key_is_asked_for_a_day_and_again_when_a_link_would_outlive_it(storage: Storage) -> None:
    now = [NOW]
    key = links.DelegationKey(StorageAccount(blobs="https://b.example"), lambda: now[0])
    hour = timedelta(hours=1)
    assert key.until(NOW + hour) is key.until(NOW + 24 * hour)
    assert storage.asked == [(NOW - timedelta(minutes=15), NOW + timedelta(hours=24))]
    now[0] = NOW + 23.5 * hour
    key.until(now[0] + hour)
    assert storage.asked[1:] == [(now[0] - timedelta(minutes=15), now[0] + timedelta(hours=24))]


def test_no_key_is_asked_for_longer_than_seven_days(storage: Storage) -> None:
    now = [NOW]
    key = links.DelegationKey(StorageAccount(blobs="https://b.example"), lambda: now[0])
    week = timedelta(days=7)
    key.until(NOW + week)
    assert storage.asked == [(NOW - timedelta(minutes=15), NOW - timedelta(minutes=15) + week)]
    now[0] += timedelta(hours=12)
    key.until(now[0] + week)
    assert len(storage.asked) == 1, "a link as long as can be does not ask for a key each time"
    now[0] += timedelta(hours=13)
    key.until(now[0] + week)
    assert len(storage.asked) == 2


def test_a_link_needs_the_name_of_the_account() -> None:
    blob = Mock(url="https://blobs.example/c/b", container_name="c", blob_name="b")
    with pytest.raises(SettingsError, match="AzureWebJobsStorage__accountName"):
        links.link(blob, StorageAccount(blobs="https://blobs.example", managed=True), 60)
