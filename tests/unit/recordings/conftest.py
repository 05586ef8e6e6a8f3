"""What keeps recordings, under test: in memory, and on a real Azurite."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from devstack.azurite import Azurite
from shared.azure.archive import BlobArchive
from shared.azure.recording_ledger import TableLedger
from shared.recordings.base import Archive, Ledger
from shared.recordings.memory import MemoryArchive, MemoryLedger
from shared.storage_account import StorageAccount
from tests.unit.store.conftest import nowhere as nowhere

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC).timestamp()
BLOCK = 1000
"""Bytes of a block of the archive under test."""

_prefixes = itertools.count(1)


@pytest.fixture
def prefix() -> str:
    """Of tables and containers that are this test's own."""
    return f"rec{next(_prefixes)}x"


@pytest.fixture
def tables(azurite: Azurite, prefix: str) -> Callable[[], TableLedger]:
    """Gives the ledger as another instance of the app sees it."""
    return lambda: TableLedger(StorageAccount(azurite.connection_string), prefix, clock=lambda: NOW)


@pytest.fixture
def blobs(azurite: Azurite, prefix: str) -> BlobArchive:
    return BlobArchive(StorageAccount(azurite.connection_string), prefix, block=BLOCK)


@pytest.fixture(params=["memory", pytest.param("tables", marks=pytest.mark.node)])
def ledger(request: pytest.FixtureRequest) -> Ledger:
    if request.param == "memory":
        return MemoryLedger(clock=lambda: NOW)
    made: TableLedger = request.getfixturevalue("tables")()
    return made


@pytest.fixture(params=["memory", pytest.param("blobs", marks=pytest.mark.node)])
def archive(request: pytest.FixtureRequest) -> Archive:
    if request.param == "memory":
        return MemoryArchive()
    made: BlobArchive = request.getfixturevalue("blobs")
    return made
