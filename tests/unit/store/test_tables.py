"""What only the real store can show: rows, round trips, races between processes, an outage."""

from __future__ import annotations

import base64
import json
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError
from azure.data.tables import UpdateMode

from shared.azure.call_store import TableStore
from shared.azure.queues import QueueTimers
from shared.azure.rows import storage_errors
from shared.calls.store.base import listed_row
from shared.calls.timers import read_wake_up
from shared.errors import AlreadyClaimed, LostRace, StoreError, StoreRefused, StoreUnavailable, UnknownCall
from shared.storage_account import StorageAccount
from tests.found_calls import newest_call
from tests.unit.store.test_contract import a_record, entry, grow

pytestmark = [pytest.mark.node, pytest.mark.xdist_group("store-tables")]
Tables = Callable[[], TableStore]


def rows(store: TableStore, call_id: str = "call-1") -> list[dict[str, Any]]:
    return [dict(row) for row in store._calls.query_entities(f"PartitionKey eq '{call_id}'")]


def test_a_long_journal_is_a_head_and_sealed_segments(tables: Tables) -> None:
    store = tables()
    grow(store, a_record(), store.claim(a_record(), [entry(0)]), 1, 130)
    head, row = rows(store)
    assert (head["RowKey"], row["RowKey"]) == ("head", "s000001")
    assert [name for name in row if name[0] == "p"] == [f"p{n:06d}" for n in range(1, head["segments"] + 1)]
    assert 3 <= head["segments"] <= 6


def test_eight_segments_share_a_row(tables: Tables) -> None:
    store = tables()
    grow(store, a_record(), store.claim(a_record(), [entry(0)]), 1, 600)
    head, *sealed = rows(store)
    assert [row["RowKey"] for row in sealed] == ["s000001", "s000009", "s000017"][: len(sealed)]
    assert [sum(name[0] == "p" for name in row) for row in sealed[:-1]] == [8] * (len(sealed) - 1)
    assert head["segments"] > 8
    assert tables().load("call-1").journal == [entry(n) for n in range(601)]


def test_a_call_whose_segments_were_stored_one_to_a_row_as_plain_text_goes_on(tables: Tables) -> None:
    """As the rows were up to November 2026: a call that is up during an upgrade has them."""
    store = tables()
    entries = [entry(n) for n in range(100)]
    store.claim(a_record(), entries[90:])
    for number in (1, 2, 3):
        lines = entries[(number - 1) * 30 : number * 30]
        row = {"PartitionKey": "call-1", "RowKey": f"s{number:06d}", "entries": "\n".join(lines)}
        store._calls.create_entity(row)
    store._calls.update_entity({"PartitionKey": "call-1", "RowKey": "head", "segments": 3})
    stored = tables().load("call-1")
    assert stored.journal == entries
    grow(tables(), a_record(), stored.version, 100, 400)
    assert tables().load("call-1").journal == [entry(n) for n in range(500)]


def test_no_property_of_a_row_grows_past_what_the_service_takes(tables: Tables) -> None:
    """64 KiB a string, in UTF-16 (docs: understanding the table service data model); Azurite lets more pass."""
    store = tables()
    version = store.claim(a_record(), [entry(0)])
    for size in (15_900, 15_900, 9_000, 100, 15_900):
        version = store.commit(a_record(), [entry(1, size)], version)
    version = store.commit(a_record(), [entry(n, 15_900) for n in range(5)], version)
    version = store.commit(a_record(), [entry(n, 700) for n in range(100)], version)
    for _ in range(3):
        version = store.commit(a_record(), ['{"t":"' + "😀" * 9_000 + '"}'], version)
    dense = random.Random(1)
    for _ in range(20):  # what no packing makes small
        text = "".join(map(chr, dense.choices(range(0x4E00, 0x9FFF), k=7_900)))
        version = store.commit(a_record(), [json.dumps({"t": text}, ensure_ascii=False)], version)
    store.commit(a_record(), ['{"t":"' + "😀" * 9_000 + '"}'] * 3, version)
    largest = {
        (row["RowKey"], name): len(value.encode("utf-16-le") if isinstance(value, str) else value)
        for row in rows(store)
        for name, value in row.items()
        if isinstance(value, str | bytes)
    }
    assert {where: size for where, size in largest.items() if size > 65_536} == {}


def test_a_finished_call_is_archived_as_one_document(tables: Tables) -> None:
    store = tables()
    store.claim(a_record(), [])
    store.index(a_record())
    store.close(a_record(status="ended"), {"call_id": "call-1", "words": "grüß dich"})
    day = "2026/09/21"
    assert json.loads(store._blobs.get(f"{day}/call-1.json")) == {"call_id": "call-1", "words": "grüß dich"}


def test_two_instances_hammering_one_call_lose_no_update(tables: Tables) -> None:
    tables().claim(a_record(), [])
    each, barrier = 60, threading.Barrier(2)

    def hammer(name: int) -> int:
        store, races = tables(), 0
        barrier.wait(10)
        version = store.load("call-1").version
        for number in range(each):
            while True:
                try:
                    version = store.commit(a_record(), [entry(name * 1000 + number)], version)
                    break
                except LostRace:
                    races += 1
                    version = store.load("call-1").version
        return races

    with ThreadPoolExecutor(2) as pool:
        races = sum(pool.map(hammer, (1, 2)))
    journal = tables().load("call-1").journal
    assert races > 0, "the two never met: nothing was shown"
    assert len(journal) == 2 * each
    for name in (1, 2):
        assert [e for e in journal if json.loads(e)["n"] // 1000 == name] == [
            entry(name * 1000 + n) for n in range(each)
        ]


def test_many_claims_at_once_make_one_call(tables: Tables) -> None:
    stores = [tables() for _ in range(4)]
    stores[0].prepare()
    barrier = threading.Barrier(8)

    def claim(number: int) -> bool:
        barrier.wait(10)
        try:
            stores[number % 4].claim(a_record(flow=f"flow{number}"), [entry(number)])
        except AlreadyClaimed:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(claim, range(8)))
    assert won.count(True) == 1
    assert stores[0].load("call-1").journal == [entry(won.index(True))]


def test_the_first_claims_of_a_new_deployment_make_the_tables(tables: Tables) -> None:
    barrier = threading.Barrier(4)

    def claim(number: int) -> None:
        barrier.wait(10)
        tables().claim(a_record(f"call-{number}"), [entry(number)])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(claim, range(4)))
    assert [tables().load(f"call-{n}").journal for n in range(4)] == [[entry(n)] for n in range(4)]


def test_the_list_of_a_new_deployment_is_empty(tables: Tables) -> None:
    assert list(tables().listed("2026-11-23")) == []


def test_an_unknown_server_call_id_in_a_new_deployment_is_no_failure_of_the_storage(tables: Tables) -> None:
    with suppress(UnknownCall):  # the table is not there yet, nor is the call
        assert newest_call(tables(), "anything") is None


@pytest.mark.parametrize(
    "what",
    [
        lambda store: store.claim(a_record(), [entry(0)]),
        lambda store: store.load("call-1"),
        lambda store: store.peek("call-1"),
        lambda store: store.index(a_record()),
        lambda store: store.close(a_record(), {}),
        lambda store: list(store.open_calls()),
        lambda store: newest_call(store, "server"),
        lambda store: list(store.search("recording_id", "recording")),
        lambda store: store.peek_all(["call-1"]),
        lambda store: list(store.listed("2026-11-23")),
        lambda store: store.healthy(),
        lambda store: store.claim(a_record(), [entry(0, 100_000)]),
    ],
    ids=[
        "claim",
        "load",
        "peek",
        "index",
        "close",
        "open",
        "find",
        "search",
        "heads",
        "listed",
        "healthy",
        "claim check",
    ],
)
def test_a_storage_that_does_not_answer_is_unavailable_and_told_so_soon(
    nowhere: str, pauses: list[float], what: Callable[[TableStore], object]
) -> None:
    store = TableStore(StorageAccount(nowhere), "gone")
    with pytest.raises(StoreUnavailable) as caught:
        what(store)
    assert caught.value.retryable
    assert sum(pauses) <= 2


@pytest.mark.parametrize("status", [400, 401, 403, 413, 405, 408, 429, 500, 502, 503, 504])
def test_only_what_may_go_better_the_next_time_is_worth_another_try(status: int) -> None:
    answer = SimpleNamespace(status_code=status, reason="because", headers={}, text=lambda: "")
    with pytest.raises(StoreError) as caught, storage_errors("call-1", UnknownCall):
        raise HttpResponseError(response=answer)
    assert caught.value.retryable is (status in (408, 429) or status >= 500)
    assert str(status) in str(caught.value)
    assert ("rights" in str(caught.value)) is (status in (401, 403))


def test_a_storage_that_does_not_know_the_app_is_no_matter_of_trying_again(azurite: Any) -> None:
    key = next(part for part in azurite.connection_string.split(";") if part.startswith("AccountKey="))
    other = base64.b64encode(b"another key" * 6).decode()
    store = TableStore(StorageAccount(azurite.connection_string.replace(key, f"AccountKey={other}")), "strange")
    looks: list[Callable[[], object]] = [
        lambda: store.peek("call-1"),
        lambda: store.claim(a_record(), []),
        lambda: store.index(a_record()),
    ]
    for look in looks:
        with pytest.raises(StoreRefused):
            look()


def test_a_head_that_an_earlier_version_wrote_can_be_read(tables: Tables) -> None:
    store = tables()
    store.claim(a_record(), [entry(0)])
    row = rows(store)[0]
    for column in ("indexed", "recording_ids"):
        del row[column]
    store._calls.update_entity(row, mode=UpdateMode.REPLACE)
    assert tables().load("call-1").record == a_record(indexed=(), recording_ids=())


def test_a_list_that_an_earlier_version_wrote_can_be_read(tables: Tables) -> None:
    """Its rows had a status, and were replaced rather than merged."""
    store = tables()
    store.prepare()
    seen = listed_row(a_record())
    columns = {name: str(getattr(seen, name)) for name in ("call_id", "started_at", "flow", "direction", "caller")}
    for status, outcome in (("ringing", ""), ("ended", "failed")):
        old = {"PartitionKey": f"day {seen.day}", "RowKey": seen.position, "status": status, "outcome": outcome}
        store._index.upsert_entity({**columns, **old}, mode=UpdateMode.REPLACE)
        (row,) = store.listed(seen.day)
        assert (row.status, row.outcome) == (status, outcome)
        store.index(a_record())
        (row,) = store.listed(seen.day)
        assert row.status == ("connected" if status == "ringing" else "ended")


def test_a_commit_on_a_storage_that_went_away_is_unavailable(tables: Tables, nowhere: str) -> None:
    store = tables()
    version = store.claim(a_record(), [entry(0)])
    gone = TableStore(StorageAccount(nowhere), "gone")
    with pytest.raises(StoreUnavailable):
        gone.commit(a_record(), [entry(1)], version)
    store.commit(a_record(), [entry(1)], version)


def test_a_call_whose_large_entry_cannot_be_fetched_now_is_unavailable(azurite: Any, nowhere: str) -> None:
    TableStore(StorageAccount(azurite.connection_string), "checked").claim(a_record(), [entry(0, 50_000)])
    blob = next(part for part in nowhere.split(";") if part.startswith("BlobEndpoint"))
    parts = [part for part in azurite.connection_string.strip(";").split(";") if not part.startswith("BlobEndpoint")]
    half = TableStore(StorageAccount(";".join([*parts, blob])), "checked")
    assert half.peek("call-1") == a_record()
    with pytest.raises(StoreUnavailable):
        half.load("call-1")


def test_a_wake_up_comes_back_through_the_queue_at_its_time(azurite: Any) -> None:
    from azure.storage.queue import QueueClient, TextBase64DecodePolicy

    timers = QueueTimers(StorageAccount(azurite.connection_string), "wake")
    now = int(time.time() * 1000)
    timers.schedule("call-1", 3, now - 5)
    timers.schedule("call-1", 4, now + 3_600_000)
    timers.schedule("call-1", 5, now + 400 * 24 * 3_600_000)  # longer than a message may hide
    with QueueClient.from_connection_string(
        azurite.connection_string, "wake-timers", message_decode_policy=TextBase64DecodePolicy()
    ) as queue:
        seen = [read_wake_up(message.content.encode()) for message in queue.receive_messages()]
        assert seen == [("call-1", 3, now - 5)]
        assert queue.get_queue_properties().approximate_message_count == 3
