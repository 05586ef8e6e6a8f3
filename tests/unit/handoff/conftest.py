"""The rows under test: in memory, and on a real Azurite."""

from __future__ import annotations

import itertools

import pytest

from shared.azure.partition_rows import TableRows
from shared.composition.handoff import handoff_tables
from shared.rows import MemoryRows, Rows
from shared.storage_account import StorageAccount

_prefixes = itertools.count(1)


@pytest.fixture(params=["memory", pytest.param("tables", marks=pytest.mark.node)])
def rows(request: pytest.FixtureRequest) -> Rows:
    if request.param == "memory":
        return MemoryRows()
    azurite = request.getfixturevalue("azurite")
    return TableRows(StorageAccount(azurite.connection_string), handoff_tables(f"hand{next(_prefixes)}x"))
