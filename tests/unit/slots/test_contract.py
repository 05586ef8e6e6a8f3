"""The ledger over both sides of its rows: in memory, and a table on Azurite."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from bench.core import counted_requests
from devstack.azurite import Azurite
from shared.azure.text_rows import TableTextRows
from shared.calls.slots.ledger import read_leases
from shared.storage_account import StorageAccount
from shared.text_rows import MemoryTextRows, TextRows
from tests.unit.calls.world import Clock
from tests.unit.slots.service import NUMBER, Number, ledger
from tests.unit.slots.test_ledger import take

pytestmark = pytest.mark.xdist_group("store-slots")

_prefixes = itertools.count(1)
FIVE = {NUMBER: Number(concurrent_out=5)}

Another = Callable[[], TextRows]
"""Gives the rows as another instance of the app sees them."""


@pytest.fixture(params=["memory", pytest.param("tables", marks=pytest.mark.node)])
def another(request: pytest.FixtureRequest) -> Another:
    if request.param == "tables":
        azurite: Azurite = request.getfixturevalue("azurite")
        table = f"slots{next(_prefixes)}x"
        return lambda: TableTextRows(StorageAccount(azurite.connection_string), table)
    rows = MemoryTextRows()
    return lambda: rows


def test_of_many_calls_at_once_on_four_instances_as_many_go_as_there_are_slots(another: Another) -> None:
    instances = [ledger(another(), Clock(), FIVE) for _ in range(4)]
    with ThreadPoolExecutor(8) as threads:
        met = list(threads.map(lambda number: take(instances[number % 4], f"call {number}"), range(16)))
    assert sorted(met) == [("", False)] * 5 + [("no_free_slot", True)] * 11
    taken = {lease.call_id for lease in read_leases(another().read()[NUMBER])}
    assert taken == {f"call {number}" for number, (code, _) in enumerate(met) if not code}


def test_what_one_instance_gives_back_another_takes(another: Another) -> None:
    one, other = (ledger(another(), Clock(), {NUMBER: Number(concurrent_out=1)}) for _ in range(2))
    assert take(one, "a") == ("", False)
    assert take(other, "b") == ("no_free_slot", True)
    other._give_back("a", {0: NUMBER}, settled=True)
    assert take(other, "b", seq=4) == ("", False)
    assert take(one, "a") == ("no_free_slot", True)


@pytest.mark.node
def test_a_slot_costs_one_request(azurite: Azurite) -> None:
    slots = ledger(TableTextRows(StorageAccount(azurite.connection_string), "slotcosts"), Clock(), FIVE)
    take(slots, "a")
    with counted_requests() as counts:
        take(slots, "b")
        assert counts.total() == 1
        slots._give_back("b", {0: NUMBER}, settled=True)
        assert counts.total() == 2
        take(slots, "c", seq=1)
        assert counts.total() == 3
