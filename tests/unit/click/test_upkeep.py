"""What the upkeep of the button removes, also where it broke off."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from shared.click.limits import read_entries
from shared.click.store import LEDGER, TABLE
from shared.errors import StoreUnavailable
from tests.unit.click.conftest import MONDAY, OTHER, World


def ledgers(world: World) -> dict[str, int]:
    """How many calls each ledger holds."""
    rows = world.rows.first(TABLE, LEDGER, LEDGER + "~")
    return {row.key: len(read_entries(row.text)) for row in rows}


def test_hashes_of_numbers_and_addresses_go_a_day_after_the_call_though_nobody_asks_again(world: World) -> None:
    world.site()
    world.ask()
    world.ask(OTHER, at=MONDAY + timedelta(hours=30))
    world.click.expire(MONDAY + timedelta(hours=23))
    assert ledgers(world) == {"shop": 2}
    world.click.expire(MONDAY + timedelta(hours=24))
    assert ledgers(world) == {"shop": 1}
    world.click.expire(MONDAY + timedelta(hours=54))
    assert ledgers(world) == {}


def test_the_ledger_of_a_site_that_is_gone_goes_though_its_removal_broke_off(world: World) -> None:
    world.site()
    world.ask()
    world.click.store.change_site("shop", lambda was: None)
    world.click.expire(MONDAY + timedelta(hours=24))
    assert ledgers(world) == {}


def test_what_the_upkeep_left_half_removed_is_removed_the_next_time(world: World, monkeypatch: Any) -> None:
    world.site()
    world.ask()
    late = MONDAY + timedelta(days=400)
    for at in (1, 0):
        put, done = world.rows.put, iter(range(at))

        def dies(*given: Any, put: Any = put, done: Any = done) -> None:
            if next(done, None) is None:
                raise StoreUnavailable("down")
            put(*given)

        monkeypatch.setattr(world.rows, "put", dies)
        with pytest.raises(StoreUnavailable):
            world.click.expire(late)
        monkeypatch.setattr(world.rows, "put", put)
    world.click.expire(late)
    assert [row.partition for row in world.rows.first(TABLE, "", "~") if row.partition != "sites"] == []
