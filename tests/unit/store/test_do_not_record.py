"""The do-not-record list, by one suite run against both sides: in memory, and a table on Azurite."""

from __future__ import annotations

import base64
import itertools
from collections.abc import Callable

import pytest
from azure.data.tables import TableServiceClient

from devstack.azurite import Azurite
from shared.azure.do_not_record import TableDoNotRecord
from shared.calls.store.base import DoNotRecord
from shared.calls.store.memory import MemoryDoNotRecord
from shared.errors import StoreUnavailable
from shared.privacy import NumberHashes
from shared.storage_account import StorageAccount

pytestmark = pytest.mark.xdist_group("store-do-not-record")

OLD, NEW, LOST = (base64.b64encode(letter * 32).decode() for letter in (b"o", b"n", b"l"))
ADA, BOB = "4:+14255550100", "4:+14255550101"
_prefixes = itertools.count(1)

Listed = Callable[..., DoNotRecord]
"""Gives the list under a key, and one before it, as another instance of the app sees it."""


@pytest.fixture(params=["memory", pytest.param("tables", marks=pytest.mark.node)])
def listed(request: pytest.FixtureRequest) -> Listed:
    if request.param == "tables":
        azurite: Azurite = request.getfixturevalue("azurite")
        prefix = f"list{next(_prefixes)}x"
        return lambda *keys: TableDoNotRecord(StorageAccount(azurite.connection_string), prefix, NumberHashes(*keys))
    rows: set[str] = set()

    def in_memory(*keys: str) -> DoNotRecord:
        one = MemoryDoNotRecord(NumberHashes(*keys))
        one.rows = rows
        return one

    return in_memory


def test_nobody_is_on_a_list_that_was_never_written(listed: Listed) -> None:
    assert not listed(NEW).holds_any([ADA])
    assert not listed(NEW).holds_any([])
    listed(NEW).remove(ADA)


def test_a_number_is_on_the_list_from_add_to_remove_however_often_each_comes(listed: Listed) -> None:
    for _ in range(2):
        listed(NEW).add(ADA)
        assert listed(NEW).holds_any([ADA])
    assert not listed(NEW).holds_any([BOB])
    for _ in range(2):
        listed(NEW).remove(ADA)
        assert not listed(NEW).holds_any([ADA])


def test_one_of_many_is_found(listed: Listed) -> None:
    many = [f"4:+142555502{number:02d}" for number in range(40)]
    listed(NEW).add(ADA)
    assert not listed(NEW).holds_any(many)
    assert listed(NEW).holds_any([*many[:20], ADA, *many[20:]])


@pytest.mark.parametrize("written", ["4:14255550100", "4:+14255550100_a1b2", "+14255550100"])
def test_a_number_is_the_same_however_it_is_written(listed: Listed, written: str) -> None:
    listed(NEW).add(ADA)
    assert listed(NEW).holds_any([written])
    listed(NEW).remove(written)
    assert not listed(NEW).holds_any([ADA])


def test_a_user_can_be_listed_too(listed: Listed) -> None:
    user = "8:acs:11111111-2222-'4333'/x_0000002a"
    listed(NEW).add(user)
    assert listed(NEW).holds_any([user])


def test_a_number_that_was_listed_under_the_key_before_is_found_and_can_be_removed(listed: Listed) -> None:
    listed(OLD).add(ADA)
    assert listed(NEW, OLD).holds_any([BOB, ADA])
    listed(NEW, OLD).add(ADA)
    assert listed(NEW).holds_any([ADA])
    listed(NEW, OLD).remove(ADA)
    assert not listed(NEW, OLD).holds_any([ADA])
    assert not listed(OLD).holds_any([ADA])


def test_a_number_that_is_looked_up_is_listed_under_the_new_key_from_then_on(listed: Listed) -> None:
    listed(OLD).add(ADA)
    listed(OLD).add(BOB)
    assert not listed(NEW).holds_any([ADA])
    assert listed(NEW, OLD).holds_any(["4:+14255550199", ADA])
    assert listed(NEW).holds_any([ADA])
    assert not listed(NEW).holds_any([BOB])
    assert not listed(NEW).holds_any(["4:+14255550199"])


def test_keys_of_numbers_that_are_not_set_are_told(listed: Listed) -> None:
    assert listed(NEW).unknown_keys() == set()
    for number in range(3):
        listed(OLD).add(f"4:+1425555020{number}")
        listed(NEW).add(f"4:+1425555020{number}")
    assert listed(NEW).unknown_keys() == set(NumberHashes(OLD).key_ids)
    assert listed(OLD).unknown_keys() == set(NumberHashes(NEW).key_ids)
    assert listed(NEW, OLD).unknown_keys() == set()
    assert listed(LOST).unknown_keys() == {*NumberHashes(NEW, OLD).key_ids}


@pytest.mark.node
def test_a_number_that_is_listed_under_both_keys_is_not_written_again_when_it_is_looked_up(azurite: Azurite) -> None:
    def listed(*keys: str) -> TableDoNotRecord:
        return TableDoNotRecord(StorageAccount(azurite.connection_string), "both", NumberHashes(*keys))

    listed(OLD).add(ADA)
    assert listed(NEW, OLD).holds_any([ADA])
    service = TableServiceClient.from_connection_string(azurite.connection_string)
    table = service.get_table_client("bothdonotrecord")
    written = {row["RowKey"]: row.metadata["etag"] for row in table.list_entities()}
    assert len(written) == 2
    assert listed(NEW, OLD).holds_any([ADA])
    assert {row["RowKey"]: row.metadata["etag"] for row in table.list_entities()} == written


@pytest.mark.node
def test_a_row_says_nothing_but_the_hash(azurite: Azurite) -> None:
    TableDoNotRecord(StorageAccount(azurite.connection_string), "bare", NumberHashes(NEW)).add(ADA)
    service = TableServiceClient.from_connection_string(azurite.connection_string)
    (row,) = service.get_table_client("baredonotrecord").list_entities()
    assert dict(row) == {"PartitionKey": "number", "RowKey": NumberHashes(NEW).of(ADA)}


@pytest.mark.parametrize(
    "ask",
    [lambda listed: listed.add(ADA), lambda listed: listed.remove(ADA), lambda listed: listed.holds_any([ADA])],
    ids=["add", "remove", "look"],
)
def test_a_storage_that_does_not_respond_is_an_error_and_no_empty_list(
    nowhere: str, ask: Callable[[DoNotRecord], object]
) -> None:
    with pytest.raises(StoreUnavailable):
        ask(TableDoNotRecord(StorageAccount(nowhere), "x", NumberHashes(NEW)))
