"""The stores under test: in memory, and on a real Azurite."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest

from devstack.azurite import ACCOUNT_KEY, Azurite
from devstack.ports import free_port
from shared.azure.call_store import TableStore
from shared.calls.store.base import CallStore
from shared.calls.store.memory import MemoryStore
from shared.storage_account import StorageAccount

_prefixes = itertools.count(1)

Another = Callable[[], CallStore]
"""Gives the store as another instance of the app sees it."""


@pytest.fixture
def tables(azurite: Azurite) -> Callable[[], TableStore]:
    """Makes stores over the same, fresh tables."""
    prefix = f"test{next(_prefixes)}x"
    return lambda: TableStore(StorageAccount(azurite.connection_string), prefix)


@pytest.fixture(params=["memory", pytest.param("tables", marks=pytest.mark.node)])
def another(request: pytest.FixtureRequest) -> Another:
    if request.param == "memory":
        store = MemoryStore()
        return lambda: store
    tables: Another = request.getfixturevalue("tables")
    return tables


@pytest.fixture
def store(another: Another) -> CallStore:
    return another()


@pytest.fixture(scope="module")
def nowhere() -> str:
    """The connection string of a storage account where nobody answers."""
    ports = [free_port() for _ in range(3)]
    endpoints = (
        f"{service}Endpoint=http://127.0.0.1:{port}/devstoreaccount1"
        for service, port in zip(("Blob", "Queue", "Table"), ports, strict=True)
    )
    return f"AccountName=devstoreaccount1;AccountKey={ACCOUNT_KEY};" + ";".join(endpoints)
