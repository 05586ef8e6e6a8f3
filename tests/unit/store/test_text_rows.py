"""Rows of text that all instances share, by one suite run against both sides: in memory, and a table on Azurite."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest

from devstack.azurite import Azurite
from shared.azure.text_rows import TableTextRows
from shared.errors import LostRace, StoreUnavailable
from shared.storage_account import StorageAccount
from shared.text_rows import MemoryTextRows, TextRows

pytestmark = pytest.mark.xdist_group("store-text-rows")

_prefixes = itertools.count(1)

Another = Callable[[], TextRows]
"""Gives the rows as another instance of the app sees them."""


@pytest.fixture(params=["memory", pytest.param("tables", marks=pytest.mark.node)])
def another(request: pytest.FixtureRequest) -> Another:
    if request.param == "tables":
        azurite: Azurite = request.getfixturevalue("azurite")
        prefix = f"text{next(_prefixes)}x"
        return lambda: TableTextRows(StorageAccount(azurite.connection_string), f"{prefix}brakes")
    rows = MemoryTextRows()
    return lambda: rows


def test_where_nothing_was_written_there_is_nothing(another: Another) -> None:
    assert another().read() == {}


def test_what_one_instance_writes_another_reads(another: Another) -> None:
    one, other = another(), another()
    one.put("figures", "a")
    one.put("figures", "b ä")
    one.replace("switches", "c", None)
    assert {name: row.text for name, row in other.read().items()} == {"figures": "b ä", "switches": "c"}


def test_a_row_is_replaced_at_the_version_that_was_read_and_no_other(another: Another) -> None:
    one, other = another(), another()
    one.replace("switches", "a", None)
    for version in (None, one.read()["switches"].version):
        if version is None:
            with pytest.raises(LostRace):
                other.replace("switches", "b", version)
        else:
            other.replace("switches", "b", version)
            with pytest.raises(LostRace):
                one.replace("switches", "c", version)
    assert one.read()["switches"].text == "b"


def test_rows_are_apart(another: Another) -> None:
    one = another()
    one.replace("switches", "a", None)
    version = one.read()["switches"].version
    one.put("figures", "x")
    one.replace("switches", "b", version)


def test_a_write_gives_the_version_for_the_next(another: Another) -> None:
    one, other = another(), another()
    version = one.replace("+18005550199", "a", None)
    version = one.replace("+18005550199", "b", version)
    assert other.read()["+18005550199"].version == version
    assert other.replace("+18005550199", "c", version) != version
    with pytest.raises(LostRace):
        one.replace("+18005550199", "d", version)


def test_a_row_is_removed_at_the_version_that_was_read_and_no_other(another: Another) -> None:
    one = another()
    first = one.replace("calendar office", "a", None)
    second = one.replace("calendar office", "b", first)
    with pytest.raises(LostRace):
        one.remove("calendar office", first)
    one.remove("calendar office", second)
    assert one.read() == {}
    one.remove("calendar office", second)  # it is gone
    with pytest.raises(LostRace):
        one.replace("calendar office", "c", second)


def test_a_row_of_thirty_thousand_characters_is_taken(another: Another) -> None:
    one = another()
    one.put("switches", "ä" * 30_000)
    assert len(one.read()["switches"].text) == 30_000


def test_a_storage_that_does_not_answer_is_told_as_one() -> None:
    connection = (
        "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey=a2V5;"
        "TableEndpoint=http://127.0.0.1:9/devstoreaccount1;"
    )
    with pytest.raises(StoreUnavailable):
        TableTextRows(StorageAccount(connection), "brakes").read()
