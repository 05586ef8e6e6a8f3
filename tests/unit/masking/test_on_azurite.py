"""Sessions in memory and in real tables: one contract."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest

from shared.azure.partition_rows import TableRows
from shared.composition.masking import masking_tables
from shared.composition.parts import agenda_tables
from shared.identifiers import Identifier
from shared.rows import MemoryRows, Rows
from shared.storage_account import StorageAccount
from tests.unit.masking.test_service import record
from tests.unit.masking.world import ADA, BOB, CLEO, Instance, assert_reachable

_prefixes = itertools.count(1)


@pytest.fixture(params=["memory", pytest.param("tables", marks=pytest.mark.node)])
def rows(request: pytest.FixtureRequest) -> Rows:
    if request.param == "memory":
        return MemoryRows()
    azurite = request.getfixturevalue("azurite")
    prefix = f"mask{next(_prefixes)}x"
    return TableRows(StorageAccount(azurite.connection_string), {**masking_tables(prefix), **agenda_tables(prefix)})


def test_a_session_lives_from_its_opening_to_its_removal(rows: Rows) -> None:
    app = Instance(rows)
    assert app.masking.look_up("+18005550177", ADA)["state"] == "unknown"
    assert list(app.masking.listed("", "")) == []
    session = app.open(key="order-4711", label="order 4711")
    other = app.open(ADA, CLEO)
    assert app.open(key="order-4711", label="order 4711") == session
    app.masking.replace(other.id, "b", "+14255550166", "")
    assert_reachable(app)
    assert app.masking.begin(session.id, "a", "call-1", "connection-1", f"4:{ADA}") == []
    assert app.masking.begin(session.id, "b", "call-2", "connection-2", f"4:{BOB}") == [f"4:{ADA}", "connection-1"]
    app.masking.closing(record(session.id))
    assert [call.outcome for _, call in app.masking.interactions(session.id, "")] == ["joined"]
    assert app.masking.export(Identifier.parse(BOB))["sessions"][0]["id"] == session.id
    app.masking.erase(Identifier.parse(BOB))
    assert app.masking.look_up(session.a.shows, ADA)["state"] == "closed"
    app.time += timedelta(days=4)
    app.tick()
    app.time += timedelta(days=31)
    app.tick()
    assert list(app.masking.listed("", "")) == []
    assert app.claims.of(ADA) == []
