"""Calls are removed with every trace and nobody is forgotten when the key changes: in memory, and on Azurite."""

from __future__ import annotations

import base64
import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError
from azure.data.tables import TableServiceClient
from azure.storage.blob import BlobServiceClient

from devstack.azurite import Azurite
from shared.azure.call_store import TableStore
from shared.calls.store.base import By, CallStore, Found, day_of, listed_row
from shared.calls.store.memory import MemoryStore
from shared.errors import SwitchboardError, UnknownCall
from shared.privacy import NumberHashes
from shared.storage_account import StorageAccount
from tests.unit.store.test_contract import AT, DAY, a_record, entry, grow

pytestmark = pytest.mark.xdist_group("store-removal")

OLD, NEW, LOST = (base64.b64encode(letter * 32).decode() for letter in (b"o", b"n", b"l"))
NUMBER = "+14255550100"
DAY_MS = 86_400_000
AFTER = day_of(AT + DAY_MS)
_prefixes = itertools.count(1)

Under = Callable[..., CallStore]
"""Gives the store under a key, and one before it, as another instance of the app sees it; no key: as one without."""


@pytest.fixture(scope="module")
def azurite(azurite_alone: Azurite) -> Azurite:
    """Everything in it is looked at."""
    return azurite_alone


@pytest.fixture(params=["memory", pytest.param("tables", marks=pytest.mark.node)])
def under(request: pytest.FixtureRequest) -> Under:
    if request.param == "tables":
        azurite: Azurite = request.getfixturevalue("azurite")
        prefix = f"gone{next(_prefixes)}x"
        return lambda *keys: TableStore(
            StorageAccount(azurite.connection_string), prefix, NumberHashes(*keys) if keys else None
        )
    store = MemoryStore()

    def in_memory(*keys: str) -> CallStore:
        store._numbers = NumberHashes(*keys) if keys else None
        return store

    return in_memory


def a_call(store: CallStore, call_id: str = "call-1", *, closed: bool = True, count: int = 80, **values: Any) -> Found:
    """A call with sealed segments, entries that are too large for a row, and rows in the index."""
    values = {"status": "ended" if closed else "connected", "indexed": (), **values}
    record = a_record(call_id, **values)
    version = store.claim(record, [entry(0)])
    version = grow(store, record, version, 1, count, step=max(3, count // 4))
    record.indexed = store.index(a_record(call_id, **{**values, "status": "connected"}))
    store.commit(record, [entry(count + 1, 40_000)], version)
    if closed:
        store.close(record, {"call_id": call_id})
    return Found(call_id, listed_row(record).position)


def found_by_number(store: CallStore, number: str = NUMBER) -> list[str]:
    return [one.call_id for one in store.search("number", number)]


@contextmanager
def lines_kept(azurite: Azurite) -> Iterator[Callable[[], list[str]]]:
    """Every row and blob of the account that names a call."""

    def kept() -> list[str]:
        tables = TableServiceClient.from_connection_string(azurite.connection_string)
        blobs = BlobServiceClient.from_connection_string(azurite.connection_string)
        rows = [
            str(row) for table in tables.list_tables() for row in tables.get_table_client(table.name).list_entities()
        ]
        names = [
            blob for one in blobs.list_containers() for blob in blobs.get_container_client(one.name).list_blob_names()
        ]
        return [*rows, *names]

    yield kept


def test_older_calls_are_those_of_the_days_before_the_oldest_day_first(under: Under) -> None:
    store = under(NEW)
    assert list(store.older(AFTER)) == []
    a_call(store, "newest", started_at=AT + DAY_MS)
    second = a_call(store, "second")
    first = a_call(store, "first", started_at=AT - DAY_MS)
    assert list(store.older(AFTER)) == [first, second]
    assert list(store.older(DAY)) == [first]


def test_a_removed_call_is_found_by_nothing(under: Under) -> None:
    store = under(NEW)
    other = a_call(store, "call-2", server_call_id="other", correlation_id="other", call_connection_id="other")
    found = a_call(store)
    assert store.remove(found) is True
    with pytest.raises(UnknownCall):
        store.load("call-1")
    record = a_record()
    ids: tuple[tuple[By, str], ...] = (
        ("server_call_id", record.server_call_id),
        ("correlation_id", record.correlation_id),
        ("connection_id", record.call_connection_id),
        ("connection_id", "a/b+c=="),
    )
    for by, value in ids:
        assert "call-1" not in [one.call_id for one in store.search(by, value)], by
    assert found_by_number(store) == ["call-2"]
    assert [one.call_id for one in store.listed(DAY)] == ["call-2"]
    assert store.is_closed(record) is False
    assert list(store.older(AFTER)) == [other]
    assert store.load("call-2").journal[0] == entry(0)
    assert store.remove(found) is True


def test_a_call_that_goes_on_is_not_removed(under: Under) -> None:
    store = under(NEW)
    found = a_call(store, closed=False)
    assert store.is_open("call-1") is True
    assert store.remove(found) is False
    assert len(store.load("call-1").journal) == 82
    assert found_by_number(store) == ["call-1"]


def test_a_call_may_be_found_by_number_after_it_is_gone_until_that_is_removed_too(under: Under) -> None:
    store = under(NEW)
    found = a_call(store)
    store.remove(found, keep_numbers=True)
    with pytest.raises(UnknownCall):
        store.peek("call-1")
    assert list(store.older(AFTER)) == []
    assert found_by_number(store) == found_by_number(store, "+14255550101") == ["call-1"]
    assert list(store.forgettable(AFTER)) == [found]
    assert list(store.forgettable(DAY)) == []
    store.rehash()
    store.remove(found)
    assert list(store.forgettable(AFTER)) == []
    assert found_by_number(store) == found_by_number(store, "+14255550101") == []


@pytest.mark.node
@pytest.mark.long
@pytest.mark.timeout(300)
def test_nothing_is_left_in_the_storage_wherever_a_removal_broke_off(
    azurite: Azurite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each delete in turn fails once; the next removal, which knows the call by the day's list alone, finishes."""
    from azure.core.pipeline.transport import HttpTransport, RequestsTransport

    left = {"deletes": 10**6}
    send = RequestsTransport.send

    def broken(self: HttpTransport[Any, Any], request: Any, **options: Any) -> Any:
        if request.method == "DELETE":
            left["deletes"] -= 1
            if left["deletes"] < 0:
                raise HttpResponseError("the process ends here")
        return send(self, request, **options)

    monkeypatch.setattr(RequestsTransport, "send", broken)
    with lines_kept(azurite) as kept:
        for number in itertools.count():
            store = TableStore(StorageAccount(azurite.connection_string), f"cut{number}x", NumberHashes(NEW, OLD))
            call_id = f"cut-call-{number}"
            a_call(store, call_id, count=40)
            assert any(call_id in line for line in kept())
            left["deletes"] = number
            try:
                store.remove(next(iter(store.older(AFTER))))
                whole = True
            except (SwitchboardError, HttpResponseError):
                whole = False
            left["deletes"] = 10**6
            for found in store.older(AFTER):
                store.remove(found)
            assert [line for line in kept() if call_id in line] == []
            if whole:
                break
    assert number > 10


# A change of the key


def test_calls_are_put_under_the_new_key_and_found_when_the_old_one_is_gone(under: Under) -> None:
    a_call(under(OLD))
    a_call(under(OLD), "call-2", started_at=AT + 1)
    assert under(NEW).unknown_keys() == set(NumberHashes(OLD).key_ids)
    assert under(NEW, OLD).unknown_keys() == set()
    assert under(NEW, OLD).rehash() == 10
    assert under(NEW, OLD).rehash() == 0
    for number in (NUMBER, "+14255550101"):
        assert found_by_number(under(NEW), number) == ["call-2", "call-1"]
        assert found_by_number(under(OLD), number) == []
    assert under(NEW).unknown_keys() == set()


def test_calls_whose_key_was_lost_are_found_again(under: Under) -> None:
    a_call(under(LOST))
    assert found_by_number(under(NEW)) == []
    assert under(NEW).rehash() == 5
    assert found_by_number(under(NEW)) == ["call-1"]


def test_the_hash_of_a_call_that_is_gone_stays_under_its_key_while_its_recordings_need_it(under: Under) -> None:
    under(OLD).remove(a_call(under(OLD)), keep_numbers=True)
    assert under(NEW, OLD).rehash() == 0
    assert found_by_number(under(NEW, OLD)) == ["call-1"]
    assert under(NEW).unknown_keys() == set(NumberHashes(OLD).key_ids)


def test_hashes_without_any_key_are_told_of(under: Under) -> None:
    assert under().unknown_keys() == set()
    a_call(under(OLD))
    a_call(under(NEW), "call-2")
    assert under().unknown_keys() == {NumberHashes(OLD).key_ids[0], NumberHashes(NEW).key_ids[0]}
    assert under().rehash() == 0


def test_a_removal_takes_the_rows_under_the_key_before_too(under: Under) -> None:
    store = under(NEW, OLD)
    found = a_call(under(OLD))
    under(NEW, OLD).remove(found)
    assert found_by_number(store) == []
    assert under(NEW).unknown_keys() == set()


def test_the_storage_says_that_nothing_was_kept_before_the_first_call(under: Under) -> None:
    store = under(NEW)
    assert (list(store.older(AFTER)), list(store.forgettable(AFTER)), store.rehash()) == ([], [], 0)
    assert store.unknown_keys() == set()
    assert store.remove(Found("nobody", listed_row(a_record("nobody")).position)) is True
