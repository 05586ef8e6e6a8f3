"""Orders are written once each, whatever is done twice, and kept by the caller's number."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.azure.partition_rows import TableRows
from shared.composition.order import order_tables
from shared.errors import NotFound, StoreUnavailable
from shared.identifiers import Identifier
from shared.orders.order import day_of, is_card, is_expiry, made_id
from shared.orders.service import Orders
from shared.orders.store import REMEMBERED, OrderStore
from shared.privacy import NumberHashes
from shared.rows import Change, Changed, MemoryRows, Rows
from shared.storage_account import StorageAccount
from tests.setting_samples import made_key

NOW = datetime(2026, 11, 28, 9, 0, tzinfo=UTC)
ADA = "+14255550123"
PRICES = {"roses": 350, "tulips": 200}
CARD = "4111111111111111"
_prefixes = itertools.count(1)


class Till:
    """Takes what it is told to."""

    is_set_up = True

    def __init__(self) -> None:
        self.charged: list[tuple[str, int, str, str]] = []

    def charge(self, key: str, cents: int, card: str, expiry: str) -> bool:
        self.charged.append((key, cents, card, expiry))
        return True


def orders_over(rows: Rows, clock: Callable[[], datetime] = lambda: NOW) -> Orders:
    return Orders(OrderStore(rows), NumberHashes(made_key("numbers")), Till(), clock=clock)


@pytest.fixture(params=["memory", pytest.param("tables", marks=pytest.mark.node)])
def rows(request: pytest.FixtureRequest) -> Rows:
    if request.param == "memory":
        return MemoryRows()
    azurite = request.getfixturevalue("azurite")
    return TableRows(StorageAccount(azurite.connection_string), order_tables(f"order{next(_prefixes)}x"))


def test_an_order_is_written_once_for_each_call(rows: Rows) -> None:
    orders = orders_over(rows)
    basket = {"roses": 3, "tulips": 2, "none": 0}
    first = orders.place("call-1", ADA, basket, PRICES, "card")
    assert first == {"order": "20261128-000001", "number": 1, "total": 1450}
    assert orders.place("call-1", ADA, basket, PRICES, "card") == first
    assert orders.place("call-2", "", {"roses": 1}, PRICES, "on_delivery")["number"] == 2
    one, two = orders.store.of_day("2026-11-28")
    assert [(item.name, item.quantity, item.price) for item in one.items] == [("roses", 3, 350), ("tulips", 2, 200)]
    assert (one.caller, one.pay, one.at, one.call_id) == (ADA, "card", NOW, "call-1")
    assert (two.caller, two.pay) == ("", "on_delivery")


def test_a_write_that_is_done_again_after_midnight_stays_on_its_day() -> None:
    rows = MemoryRows()
    first = orders_over(rows, lambda: NOW.replace(hour=23, minute=59)).place("c", ADA, {"roses": 1}, PRICES, "card")
    later = orders_over(rows, lambda: NOW + timedelta(days=1))
    assert later.place("c", ADA, {"roses": 1}, PRICES, "card") == first
    assert list(later.store.of_day("2026-11-29")) == []


@given(st.lists(st.tuples(st.integers(1, 6), st.integers(0, 4)), max_size=30))
def test_whatever_breaks_off_no_number_is_given_twice(steps: list[tuple[int, int]]) -> None:
    """Each call tries to write; a try breaks off before the storage has done so many things, or after the next."""

    class Breaking(MemoryRows):
        left = 99

        def _count(self) -> None:
            if self.left == 0:
                raise StoreUnavailable("down")
            self.left -= 1

        def change(
            self,
            table: str,
            partition: str,
            changes: Mapping[str, Change],
            before: Callable[[Changed], None] | None = None,
        ) -> Changed:
            changed = super().change(table, partition, changes, before)
            self._count()  # carried out, and the response is lost
            return changed

    rows = Breaking()
    orders = orders_over(rows)
    written: dict[int, int] = {}
    for call, left in steps:
        rows.left = left
        try:
            number = orders.place(f"call-{call}", ADA, {"roses": call}, PRICES, "card")["number"]
        except StoreUnavailable:
            continue
        assert written.setdefault(call, number) == number
    rows.left = 99
    assert len(set(written.values())) == len(written)
    kept = list(orders.store.of_day("2026-11-28"))
    assert len({one.call_id for one in kept}) == len(kept)
    assert {one.number for one in kept} >= set(written.values())


def test_so_many_calls_are_remembered() -> None:
    orders = orders_over(MemoryRows())
    for number in range(REMEMBERED):
        orders.place(f"call-{number}", ADA, {"roses": 1}, PRICES, "card")
    assert orders.place("call-0", ADA, {"roses": 1}, PRICES, "card")["number"] == 1
    assert REMEMBERED == 200


def test_an_order_is_seen_to_once(rows: Rows) -> None:
    orders = orders_over(rows)
    order_id = orders.place("c", ADA, {"roses": 1}, PRICES, "card")["order"]
    assert orders.handle(order_id).handled_at == NOW
    assert orders_over(rows, lambda: NOW + timedelta(hours=1)).handle(order_id).handled_at == NOW
    for wrong in ("20261128-000002", "x", "../..", "20261128-1"):
        with pytest.raises(NotFound):
            orders.handle(wrong)
        with pytest.raises(NotFound):
            orders.order(wrong)


def test_orders_are_exported_erased_and_expire(rows: Rows) -> None:
    orders, ada = orders_over(rows), Identifier.parse(ADA)
    for number, caller in enumerate((ADA, ADA, "+14255550177")):
        orders.place(f"call-{number}", caller, {"roses": 1}, PRICES, "card")
    exported = orders.export(ada)["orders"]
    assert [one["number"] for one in exported] == [1, 2]
    assert "person" not in exported[0]
    assert orders.erase(ada) == (2, "")
    assert orders.erase(ada) == (0, "")
    assert orders.export(ada) == {}
    assert orders.expire(NOW + timedelta(days=90)) == 0
    assert orders.expire(NOW + timedelta(days=91)) == 1
    assert list(orders.store.of_day("2026-11-28")) == []


def test_only_what_can_be_a_card_is_charged() -> None:
    till = Till()
    orders = Orders(OrderStore(MemoryRows()), NumberHashes(made_key("numbers")), till, clock=lambda: NOW)
    assert orders.charge("c", 1, 1450, CARD, "1126")
    for card, expiry in (
        (CARD[:-1] + "2", "1230"),
        (CARD, "1026"),
        (CARD, "1330"),
        (CARD, "0030"),
        (CARD, "12"),
        ("0" * 11, "1230"),
    ):
        assert not orders.charge("c", 2, 1450, card, expiry)
    assert till.charged == [("c-1", 1450, CARD, "1126")]


@pytest.mark.parametrize(
    ("digits", "right"),
    [
        (CARD, True),
        ("378282246310005", True),
        ("4111111111111112", False),
        ("1" * 20, False),
        ("", False),
        ("٤" * 16, False),
    ],
)
def test_a_card_number_is_known_by_its_sum(digits: str, right: bool) -> None:
    assert is_card(digits) is right


def test_a_card_is_good_to_the_end_of_its_month() -> None:
    assert is_expiry("1126", NOW)
    assert not is_expiry("1026", NOW)
    assert not is_expiry("1125", NOW)
    assert is_expiry("0127", NOW)


def test_an_id_says_its_day() -> None:
    assert made_id("2026-11-28", 17) == "20261128-000017"
    assert day_of("20261128-000017") == "2026-11-28"
    assert day_of("20261128-1234567") == "2026-11-28"
    assert day_of("20261128-17") is None


def test_what_the_upkeep_left_half_removed_is_removed_the_next_time(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = MemoryRows()
    orders_over(rows).place("call-1", ADA, {"roses": 3}, PRICES, "card")
    put, left = rows.put, [1]

    def dies(*given: Any) -> None:
        if not left:
            raise StoreUnavailable("down")
        left.pop()
        put(*given)

    monkeypatch.setattr(rows, "put", dies)
    with pytest.raises(StoreUnavailable):
        orders_over(rows).expire(NOW + timedelta(days=100))
    monkeypatch.setattr(rows, "put", put)
    orders_over(rows).expire(NOW + timedelta(days=100))
    assert [row.partition for row in rows.first("orders", "", "~")] == ["numbers"]
