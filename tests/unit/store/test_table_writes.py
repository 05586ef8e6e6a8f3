"""The writes of a call as the table is asked for them: what is in the row, and on which version it is built."""

from __future__ import annotations

from typing import Any

import pytest
from azure.core import MatchConditions
from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.data.tables import TransactionOperation, UpdateMode

from devstack.azurite import ACCOUNT_KEY
from shared.azure.call_store import TableStore, _Version
from shared.errors import AlreadyClaimed
from shared.storage_account import StorageAccount
from tests.unit.store.test_contract import a_record

NOWHERE = (
    f"AccountName=devstoreaccount1;AccountKey={ACCOUNT_KEY};TableEndpoint=http://127.0.0.1:1/devstoreaccount1;"
    "BlobEndpoint=http://127.0.0.1:1/devstoreaccount1"
)
CONDITION = {"mode": UpdateMode.REPLACE, "etag": "before", "match_condition": MatchConditions.IfNotModified}
POSTED_AGAIN = {"retry_on_methods": frozenset({"POST"})}
LARGE = "x" * 16_001


class Table:
    """Takes what it is asked for; raises what is in `wrong` first."""

    table_name = "calls"

    def __init__(self) -> None:
        self.asked: list[tuple[str, Any, dict[str, Any]]] = []
        self.wrong: list[Exception] = []

    def _ask(self, what: str, rows: Any, options: dict[str, Any]) -> None:
        self.asked.append((what, rows, options))
        if self.wrong:
            raise self.wrong.pop(0)

    def create_entity(self, row: Any, **options: Any) -> dict[str, str]:
        self._ask("create", row, options)
        return {"etag": "after"}

    def update_entity(self, row: Any, **options: Any) -> dict[str, str]:
        self._ask("update", row, options)
        return {"etag": "after"}

    def submit_transaction(self, rows: Any, **options: Any) -> list[dict[str, str]]:
        self._ask("transaction", rows, options)
        return [{"etag": "after"}, {"etag": "of the segment"}]


class Blobs:
    def __init__(self) -> None:
        self.names: list[str] = []

    def put(self, name: str, text: str) -> None:
        self.names.append(name)


@pytest.fixture
def table() -> Table:
    return Table()


@pytest.fixture
def blobs() -> Blobs:
    return Blobs()


@pytest.fixture
def store(table: Table, blobs: Blobs) -> TableStore:
    store = TableStore(StorageAccount(NOWHERE), "test")
    store._calls, store._blobs = table, blobs  # type: ignore[assignment]
    return store


def version(tail: tuple[str, ...] = (), segments: int = 0, sealed: int = 0) -> _Version:
    return _Version("before", tail, segments, sealed)


def position(blobs: Blobs) -> str:
    (name,) = blobs.names
    assert name.startswith("entries/call-1/")
    return name.removeprefix("entries/call-1/").partition("-")[0]


# Claims


def test_a_claim_makes_the_head_with_its_entries(store: TableStore, table: Table) -> None:
    assert store.claim(a_record(), ["a", "b"]) == _Version("after", ("a", "b"), 0, 0)
    ((what, head, options),) = table.asked
    assert (what, options) == ("create", POSTED_AGAIN)
    assert (head["PartitionKey"], head["RowKey"], head["segments"], head["tail"]) == ("call-1", "head", 0, "a\nb")


def test_the_entries_of_a_large_claim_are_put_away_as_the_first(store: TableStore, blobs: Blobs) -> None:
    store.claim(a_record(), [LARGE])
    assert position(blobs) == "000000"


def test_a_call_that_is_claimed_cannot_be_claimed(store: TableStore, table: Table) -> None:
    table.wrong = [ResourceExistsError()]
    with pytest.raises(AlreadyClaimed):
        store.claim(a_record(), ["a"])


def test_the_first_claim_of_a_deployment_makes_the_tables(
    store: TableStore, table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    monkeypatch.setattr(store, "prepare", lambda: made.append("tables"))
    table.wrong = [ResourceNotFoundError()]
    assert store.claim(a_record(), ["a"]) == _Version("after", ("a",), 0, 0)
    assert made == ["tables"]
    (_, first, _), (_, second, options) = table.asked
    assert (first, options) == (second, POSTED_AGAIN)


# Commits


def test_a_commit_replaces_the_head_that_it_was_built_on(store: TableStore, table: Table) -> None:
    assert store.commit(a_record(), ["b"], version(("a",), 2, 60)) == _Version("after", ("a", "b"), 2, 60)
    ((what, head, options),) = table.asked
    assert (what, options) == ("update", CONDITION)
    assert (head["segments"], head["tail"]) == (2, "a\nb")


def test_a_large_commit_is_put_away_by_its_position_in_the_journal(store: TableStore, blobs: Blobs) -> None:
    store.commit(a_record(), [LARGE], version(("a", "b"), 1, 30))
    assert position(blobs) == "000032"


@pytest.mark.parametrize(
    ("tail", "appended", "seals"),
    [
        (("a",) * 31, ["b"], False),
        (("a",) * 32, ["b"], True),
        (("a" * 12_000,), ["b" * 12_000], False),
        (("a" * 12_000,), ["b" * 12_001], True),
        ((), ["b"] * 33, False),
        ((), ["b"] * 32, False),
    ],
    ids=["32 entries", "33", "24,000 characters", "24,001", "33 at once", "32 at once"],
)
def test_a_tail_that_would_grow_too_long_is_sealed_in_the_same_transaction(
    store: TableStore, table: Table, tail: tuple[str, ...], appended: list[str], seals: bool
) -> None:
    done = store.commit(a_record(), appended, version(tail, 4, 100))
    ((what, rows, options),) = table.asked
    if not seals:
        assert what == "update"
        assert done == _Version("after", (*tail, *appended), 4, 100)
        return
    assert (what, options) == ("transaction", POSTED_AGAIN)
    (first, head, condition), (second, segment, mode) = rows
    assert (first, condition) == (TransactionOperation.UPDATE, CONDITION)
    assert (head["segments"], head["tail"]) == (5, "\n".join(appended))
    assert (second, mode) == (TransactionOperation.UPSERT, {"mode": UpdateMode.MERGE})
    assert "p000005" in segment
    assert done == _Version("after", tuple(appended), 5, 100 + len(tail))
