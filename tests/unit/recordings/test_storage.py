"""What only the real storage can show: rows, blocks, links, round trips, an outage, the app's own blobs."""

from __future__ import annotations

import io
import json
import tracemalloc
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import pytest
from azure.core.exceptions import HttpResponseError
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueClient, TextBase64DecodePolicy

from devstack.azurite import ACCOUNT, ACCOUNT_KEY, Azurite
from shared.azure.archive import BlobArchive
from shared.azure.external_storage import ExternalStorageSource, Sources
from shared.azure.queues import QueueTimers, StorageRecordingQueue
from shared.azure.recording_ledger import TableLedger
from shared.azure.rows import failure
from shared.errors import (
    ForeignLocation,
    InvalidInput,
    LostRace,
    SettingsError,
    SourceUnavailable,
    StoreRefused,
    StoreUnavailable,
    UnreadableAudio,
)
from shared.recordings.base import Download, read_work
from shared.storage_account import StorageAccount
from tests.unit.recordings.conftest import BLOCK
from tests.unit.recordings.samples import DAY, a_chunk, a_record, a_row, an_id

pytestmark = [pytest.mark.node, pytest.mark.xdist_group("recordings-storage")]
NAME = f"{DAY}/{an_id()}/0.wav"


class Requests:
    """Counts what is sent while it is entered."""

    def __init__(self) -> None:
        self.count = 0
        self._patch: Any = None

    def __enter__(self) -> Requests:
        import requests

        send = requests.Session.request

        def counted(*args: Any, **kwargs: Any) -> Any:
            self.count += 1
            return send(*args, **kwargs)

        self._patch = patch.object(requests.Session, "request", counted)
        self._patch.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._patch.stop()


def all_fail(*asked: Callable[[], object]) -> None:
    """Ask all at once, because each takes the SDK's retries, and expect StoreUnavailable of each."""

    def outcome(one: Callable[[], object]) -> type[BaseException]:
        with pytest.raises(Exception) as caught:
            one()
        return caught.type

    with ThreadPoolExecutor(len(asked)) as threads:
        assert list(threads.map(outcome, asked)) == [StoreUnavailable] * len(asked)


# The ledger


def test_registering_loading_and_saving_cost_one_round_trip_each(tables: Callable[[], TableLedger]) -> None:
    ledger = tables()
    ledger.register(a_record(1))  # makes the table
    with Requests() as registering:
        ledger.register(a_record(2))
    with Requests() as loading:
        record, version = ledger.load(an_id(2))
    with Requests() as saving:
        ledger.save(record, version)
    assert (registering.count, loading.count, saving.count) == (1, 1, 1)


def test_a_row_lies_in_the_partition_of_its_day_and_no_property_is_too_large(
    tables: Callable[[], TableLedger],
) -> None:
    ledger = tables()
    ledger.register(a_record(chunks=[a_chunk(n, reason="ü😀" * 300) for n in range(60)]))
    row = ledger._recordings.get_entity(DAY, an_id())
    sizes = {name: len(value.encode("utf-16-le")) for name, value in row.items() if isinstance(value, str)}
    assert sum(name.startswith("chunks") for name in sizes) > 3
    assert max(sizes.values()) <= 65_536  # docs: understanding the table service data model
    assert ledger.load(an_id())[0].chunks == [a_chunk(n, reason="ü😀" * 300) for n in range(60)]


def test_a_reports_row_has_columns_that_other_tools_can_read(tables: Callable[[], TableLedger]) -> None:
    ledger = tables()
    ledger.put_report(a_row(score=None))
    row = ledger._reports.get_entity(DAY, an_id())
    assert (row["flow"], row["seconds"], row["passed"]) == ("reception", 61.0, True)
    assert row["started_at"].value == a_row().started_at
    assert "score" not in row


def test_tables_that_do_not_answer_are_unavailable(nowhere: str) -> None:
    ledger = TableLedger(StorageAccount(nowhere), "gone")
    all_fail(
        lambda: ledger.register(a_record()),
        lambda: ledger.load(an_id()),
        lambda: ledger.save(a_record(), "etag"),
        lambda: list(ledger.listed(DAY)),
        lambda: list(ledger.unsettled()),
        lambda: list(ledger.older(DAY)),
        lambda: ledger.remove(an_id()),
        lambda: ledger.put_report(a_row()),
        lambda: list(ledger.reports(DAY)),
    )


# The archive


def test_a_file_has_its_content_type_and_is_made_of_blocks(blobs: BlobArchive) -> None:
    writer = blobs.writer(NAME, "audio/wav")
    for _ in range(7):
        writer.write(b"x" * 500)
    writer.commit()
    blob = blobs._blobs.client.get_blob_client(NAME)
    assert blob.get_blob_properties().content_settings.content_type == "audio/wav"
    committed, waiting = blob.get_block_list("all")
    assert [block.size for block in committed] == [BLOCK, BLOCK, BLOCK, 500]
    assert waiting == []


def test_a_writer_that_is_given_up_leaves_nothing_to_list(blobs: BlobArchive) -> None:
    blobs.put_text("other.json", "{}")
    blobs.writer(NAME, "audio/wav").write(b"x" * 3 * BLOCK)
    assert list(blobs._blobs.client.list_blob_names()) == ["other.json"]


def test_a_writer_whose_blocks_were_swept_away_by_another_loses(azurite: Azurite, prefix: str) -> None:
    """Without a condition too: the ids of the blocks hold the writer's token."""
    archives = [BlobArchive(StorageAccount(azurite.connection_string), prefix, block=BLOCK) for _ in range(2)]
    one, other = (archive.writer(NAME, "audio/wav") for archive in archives)
    for writer, letter in ((one, b"1"), (other, b"2")):
        writer.write(letter * 2 * BLOCK)
    one.commit()
    other._etag = one._blob.get_blob_properties().etag
    with pytest.raises(LostRace):
        other.commit()
    assert b"".join(archives[1].read(NAME)) == b"1" * 2 * BLOCK


def test_a_commit_whose_response_was_lost_is_known_again(blobs: BlobArchive) -> None:
    """The SDK sends it a second time, and meets its own first."""
    writer = blobs.writer(NAME, "audio/wav")
    writer.write(b"1" * 2 * BLOCK)
    commit = writer._blob.commit_block_list

    def twice(*args: Any, **more: Any) -> Any:
        commit(*args, **more)
        return commit(*args, **more)

    with patch.object(writer._blob, "commit_block_list", twice):
        assert writer.commit() == 2 * BLOCK


def test_a_report_that_meets_another_writer_looks_again(blobs: BlobArchive) -> None:
    upload = blobs._blobs.client.upload_blob
    others = ["2", "4"]

    def raced(name: str, data: bytes, **more: Any) -> Any:
        if others:
            generation = others.pop(0)
            upload(name, generation.encode(), overwrite=True, metadata={"generation": generation})
        return upload(name, data, **more)

    with patch.object(blobs._blobs.client, "upload_blob", raced):
        assert not blobs.put_newest("a/report.json", "3", 3)
    assert (others, blobs.get_text("a/report.json")) == ([], "4")


def test_a_reports_row_that_meets_another_writer_looks_again(tables: Callable[[], TableLedger]) -> None:
    ledger, other = tables(), tables()
    look, rivals = ledger._reports.get_entity, [2, 4]

    def raced(*args: Any, **more: Any) -> Any:
        try:
            return look(*args, **more)
        finally:
            if rivals:
                assert other.put_report(a_row(generation=rivals.pop(0)))

    with patch.object(ledger._reports, "get_entity", raced):
        assert not ledger.put_report(a_row(generation=3))
    assert [row.generation for row in other.reports(DAY)] == [4]


def test_a_row_that_another_version_of_the_app_wrote_is_read_and_one_that_nobody_can_read_is_passed_over(
    tables: Callable[[], TableLedger], caplog: pytest.LogCaptureFixture
) -> None:
    ledger = tables()
    for number in (1, 2, 3):
        ledger.register(a_record(number, status="waiting"))
    row = ledger._recordings.get_entity(DAY, an_id(1))
    row["chunks00"] = json.dumps([{**json.loads(row["chunks00"])[0], "new_in_a_later_version": 1}])
    row["new_too"] = "x"
    ledger._recordings.update_entity(row)
    broken = ledger._recordings.get_entity(DAY, an_id(2))
    broken["chunks00"] = "{"
    ledger._recordings.update_entity(broken)
    assert [record.id for record in ledger.unsettled()] == [an_id(1), an_id(3)]
    assert an_id(2) in caplog.text
    assert ledger.load(an_id(1))[0].chunks[0].index == 0


def test_a_large_file_goes_through_in_little_memory(azurite: Azurite, prefix: str) -> None:
    archive, size = BlobArchive(StorageAccount(azurite.connection_string), prefix, block=2**20), 48 * 2**20
    piece = bytes(range(256)) * 256
    tracemalloc.start()
    try:
        writer = archive.writer(NAME, "audio/wav")
        for _ in range(size // len(piece)):
            writer.write(piece)
        assert writer.commit() == size
        assert sum(len(block) for block in archive.read(NAME)) == size
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 12 * 2**20


def test_a_link_reads_one_file_and_does_nothing_else(blobs: BlobArchive) -> None:
    for name in (NAME, "other.json"):
        blobs.put_text(name, "0123456789")
    link = blobs.link(NAME, 60)
    ranged = urllib.request.Request(link, headers={"Range": "bytes=2-4"})
    with urllib.request.urlopen(ranged, timeout=10) as answer:
        assert (answer.status, answer.read()) == (206, b"234")
    for request in (
        urllib.request.Request(link, data=b"x", method="PUT", headers={"x-ms-blob-type": "BlockBlob"}),
        urllib.request.Request(link, method="DELETE"),
        urllib.request.Request(link.replace(NAME, "other.json")),
        urllib.request.Request(link.partition("?")[0]),
        urllib.request.Request(blobs.link(NAME, -1)),
    ):
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(request, timeout=10)
        caught.value.close()
        assert caught.value.code in (403, 404)


def test_a_link_over_https_is_for_https_alone() -> None:
    archive = BlobArchive(
        StorageAccount(f"AccountName=x;AccountKey={ACCOUNT_KEY};EndpointSuffix=core.windows.net"), "app"
    )
    link = archive.link(NAME, 60)
    assert link.startswith(f"https://x.blob.core.windows.net/app-recordings/{NAME}?")
    assert "spr=https" in link.split("&")
    assert "sp=r" in link.split("&")


def test_without_an_account_key_there_are_no_links() -> None:
    archive = BlobArchive(
        StorageAccount("BlobEndpoint=https://x.blob.core.windows.net;SharedAccessSignature=sv=1&sig=x"), "app"
    )
    with pytest.raises(SettingsError, match="AzureWebJobsStorage"):
        archive.link(NAME, 60)


def test_blobs_and_queues_that_do_not_answer_are_unavailable(nowhere: str) -> None:
    archive = BlobArchive(StorageAccount(nowhere), "gone")
    all_fail(
        lambda: archive.writer(NAME, "audio/wav"),
        lambda: archive.read(NAME),
        lambda: archive.length(NAME),
        lambda: archive.put_text(NAME, "x"),
        lambda: archive.get_text(NAME),
        lambda: archive.remove(DAY),
        lambda: StorageRecordingQueue(StorageAccount(nowhere), "gone").send(an_id(), 0),
    )


# The queue


def test_work_comes_back_through_the_queue_when_its_time_has_come(azurite: Azurite, prefix: str) -> None:
    queue = StorageRecordingQueue(StorageAccount(azurite.connection_string), prefix)
    queue.send(an_id(), 3)
    queue.send(an_id(), None)
    queue.send(an_id(), 4, delay=3600)
    queue.send(an_id(), 5, delay=400 * 24 * 3600)  # longer than a message may hide
    with QueueClient.from_connection_string(
        azurite.connection_string, f"{prefix}-recordings", message_decode_policy=TextBase64DecodePolicy()
    ) as client:
        seen = [read_work(message.content.encode()) for message in client.receive_messages()]
        assert sorted(seen, key=str) == [(an_id(), 3), (an_id(), None)]
        assert client.get_queue_properties().approximate_message_count == 4


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"recording":"x"}', b'{"recording":"x","chunk":"y"}', b"\xff"])
def test_a_message_that_is_no_work_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidInput):
        read_work(body)


# The app's own blobs as a source


@pytest.fixture
def folder(azurite: Azurite, prefix: str) -> str:
    """The address of a folder of recordings that the service wrote."""
    with BlobServiceClient.from_connection_string(azurite.connection_string) as service:
        container = service.create_container(f"{prefix}-own")
        container.upload_blob("20261123/call-1/0-audio wav.doc.wav", b"R" * 9_000_000)
        container.upload_blob("20261123/call-1/0-acsmetadata.doc.json", b'{"chunkIndex":0}')
        container.upload_blob("20261123/call-1/list.json", b"[1]")
        container.upload_blob("20261123/call-1/large.json", json.dumps("x" * 1_000_000).encode())
        return f"{container.url}/20261123/call-1"


@pytest.fixture
def own(azurite: Azurite, folder: str) -> ExternalStorageSource:
    return ExternalStorageSource(StorageAccount(azurite.connection_string), [folder.split("/")[4]])


def test_a_blob_of_the_apps_own_account_is_read_in_blocks(folder: str, own: ExternalStorageSource) -> None:
    for location in (f"{folder}/0-audio%20wav.doc.wav", f"{folder}/0-audio%20wav.doc.wav?sv=1&sig=of-somebody"):
        assert own.owns(location)
        with own.open(location) as download:
            assert download.length == 9_000_000
            blocks = list(download)
        assert len(blocks) > 1
        assert b"".join(blocks) == b"R" * 9_000_000


def test_metadata_in_the_apps_own_account_is_read_and_judged(folder: str, own: ExternalStorageSource) -> None:
    assert own.metadata(f"{folder}/0-acsmetadata.doc.json") == {"chunkIndex": 0}
    for name in ("list.json", "large.json", "0-audio%20wav.doc.wav"):
        with pytest.raises(UnreadableAudio):
            own.metadata(f"{folder}/{name}")


def test_a_blob_is_deleted_once_and_then_it_is_gone(folder: str, own: ExternalStorageSource) -> None:
    location = f"{folder}/0-acsmetadata.doc.json"
    own.delete(location)
    own.delete(location)
    with pytest.raises(SourceUnavailable) as caught:
        own.metadata(location)
    assert caught.value.status == 404
    assert "acsmetadata" not in str(caught.value)
    with pytest.raises(SourceUnavailable):
        own.open(location).__enter__()


def test_only_the_containers_that_are_named_are_read(azurite: Azurite, folder: str) -> None:
    location = f"{folder}/0-acsmetadata.doc.json"
    container = folder.split("/")[4]
    assert ExternalStorageSource(StorageAccount(azurite.connection_string), (container,)).metadata(location) == {
        "chunkIndex": 0
    }
    with pytest.raises(ForeignLocation):
        ExternalStorageSource(StorageAccount(azurite.connection_string), ("recordings",)).metadata(location)


@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.1:1/devstoreaccount1/c/b",
        "http://127.0.0.1:{port}/anotheraccount/c/b",
        "http://127.0.0.1:{port}/devstoreaccount12/c/b",
        "http://127.0.0.1:{port}/{account}",
        "https://127.0.0.1:{port}/{account}/c/b",
        "http://localhost:{port}/{account}/c/b",
        "http://127.0.0.1:{port}@evil.example/{account}/c/b",
        "https://x.asm.skype.com/v1/objects/x",
        "no address",
    ],
)
def test_what_lies_elsewhere_is_not_the_apps_own(azurite: Azurite, own: ExternalStorageSource, location: str) -> None:
    address = location.format(port=azurite.ports["blob"], account=ACCOUNT)
    assert not own.owns(address)
    with Requests() as sent, pytest.raises(ForeignLocation):
        own.delete(address)
    assert sent.count == 0


@pytest.mark.parametrize(
    "out",
    ["../private/0.wav", "%2e%2e/private/0.wav", "..%2fprivate%2f0.wav", "a/../../private/0.wav", "..%5cprivate/0"],
)
def test_no_address_leads_out_of_its_container(azurite: Azurite, prefix: str, folder: str, out: str) -> None:
    """The SDK would unquote it, and the storage resolve it."""
    with BlobServiceClient.from_connection_string(azurite.connection_string) as service:
        private = service.create_container(f"{prefix}-private")
        private.upload_blob("0.wav", b"secret")
        container = folder.rpartition("/20261123")[0]
        own = ExternalStorageSource(StorageAccount(azurite.connection_string), [container.rpartition("/")[2]])
        address = f"{container}/{out.replace('private', f'{prefix}-private')}"
        for ask in (own.delete, own.metadata, lambda location: own.open(location).__enter__()):
            with Requests() as sent, pytest.raises(ForeignLocation):
                ask(address)
            assert sent.count == 0
        assert private.download_blob("0.wav").readall() == b"secret"


def test_an_account_or_a_container_is_no_recording(azurite: Azurite, own: ExternalStorageSource) -> None:
    for path in ("", "container", "container/", "/0.wav"):
        with pytest.raises(ForeignLocation, match="is not a blob of the app's own storage account"):
            own.delete(f"http://127.0.0.1:{azurite.ports['blob']}/{ACCOUNT}/{path}")


def test_the_sources_choose_by_the_address(folder: str, own: ExternalStorageSource) -> None:
    class Service:
        def open(self, location: str) -> AbstractContextManager[Download]:
            raise ForeignLocation("service", location)

        def metadata(self, location: str) -> dict[str, Any]:
            return {"service": location}

        def delete(self, location: str) -> None:
            raise ForeignLocation("service", location)

    sources = Sources(Service(), own)
    elsewhere = "https://x.asm.skype.com/v1/objects/x"
    assert sources.metadata(elsewhere) == {"service": elsewhere}
    for asked in (sources.open, sources.delete):
        with pytest.raises(ForeignLocation, match="service"):
            asked(elsewhere)
    assert sources.metadata(f"{folder}/0-acsmetadata.doc.json") == {"chunkIndex": 0}
    with sources.open(f"{folder}/list.json") as download:
        assert b"".join(download) == b"[1]"
    sources.delete(f"{folder}/list.json")
    with pytest.raises(SourceUnavailable):
        sources.metadata(f"{folder}/list.json")


@pytest.mark.parametrize("status", [400, 403, 413])
def test_what_the_storage_refuses_is_not_tried_again(azurite: Azurite, status: int) -> None:
    """Nor what it takes later: 409 and 412 say that somebody else is at it."""
    archive = BlobArchive(StorageAccount(azurite.connection_string), f"refused{status}")
    archive.put_text(NAME, "{}")
    queue = StorageRecordingQueue(StorageAccount(azurite.connection_string), f"refused{status}")
    looks: list[Callable[[], object]] = [
        lambda: archive.length(NAME),
        lambda: archive.put_text(NAME, "{}"),
        lambda: archive.put_newest(NAME, "{}", 1),
        lambda: archive.get_text(NAME),
        lambda: archive.remove(DAY),
        lambda: queue.send(an_id(), 0),
        lambda: QueueTimers(StorageAccount(azurite.connection_string), f"refused{status}").schedule("call-1", 1, 0),
    ]
    with answering(status):
        for look in looks:
            with pytest.raises(StoreRefused) as caught:
                look()
            assert not caught.value.retryable
            assert str(status) in str(caught.value)


@pytest.mark.parametrize("status", [408, 409, 412, 429, 500, 503])
def test_what_the_storage_takes_later_is_tried_again(status: int) -> None:
    answer = SimpleNamespace(status_code=status, reason="because", headers={}, text=lambda: "")
    assert failure(HttpResponseError(response=answer)).retryable


@contextmanager
def answering(status: int) -> Iterator[None]:
    """The storage refuses every request with this status."""
    import requests

    def refuse(session: Any, method: str, url: str, **options: Any) -> requests.Response:
        response = requests.Response()
        response.status_code, response.reason, response.raw = status, "refused", io.BytesIO()
        response.request = requests.Request(method, url).prepare()
        return response

    with patch.object(requests.Session, "request", refuse):
        yield
