"""Must hold: every fault of a download ends in an archive or in a poison record with a plain reason, on real parts.

The emulator, Azurite, and everything between them are real; the clock and the queue are driven by hand, so that a
day of attempts takes no time.
"""

from __future__ import annotations

import base64
import logging
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from azure.storage.queue import QueueClient

from acs_emulator.testing import Control, Running, running
from devstack.azurite import Azurite
from shared.azure.recording_source import ServiceDownload
from shared.calls.store.memory import MemoryStore
from shared.composition.recordings import compose_recordings
from shared.errors import UnknownRecording
from shared.events import RecordingFileStatusUpdated, parse_event_grid_event
from shared.quality.report import Report
from shared.recordings.base import read_work
from shared.recordings.leased_records import LEASE, REPORT_LEASE
from shared.settings import load_settings
from tests.functional.recordings.rooms import FILES, PHONES, SPEED, Crash, Room, Subscriber, record_a_call, wait_for
from tests.functional.recordings.storage_host import StorageHost
from tests.setting_samples import made_key

pytestmark = [pytest.mark.long, pytest.mark.node, pytest.mark.xdist_group("recordings-faults")]

Rooms = Callable[..., Room]

FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "zero-bytes": ({"kind": "empty"}, "the service sent 0 bytes"),
    "status-503": ({"kind": "status", "status": 503}, r"cannot give the recording now\. \(HTTP 503\)"),
    "status-404": ({"kind": "status", "status": 404}, r"no such file.* its time is over\. \(HTTP 404\)"),
    "wrong-length": ({"kind": "wrong length"}, "broke off"),
    "truncated": ({"kind": "truncate"}, "broke off"),
    "dropped": ({"kind": "drop"}, "does not respond"),
}
"""A fault, and the words in which it is told. Faults of requests strike the metadata first: it is asked for first."""
METADATA_FAULTS: dict[str, dict[str, Any]] = {
    "zero-bytes": {"kind": "empty", "match": {"content": "metadata"}},
    "status-503": {"kind": "status", "status": 503, "match": {"content": "metadata"}},
    "short": {"kind": "short", "match": {"content": "metadata"}},
    "dropped": {"kind": "drop", "match": {"content": "metadata"}},
}


@pytest.fixture(scope="module")
def subscriber() -> Iterator[Subscriber]:
    with Subscriber() as one:
        yield one


@pytest.fixture(scope="module")
def azurite(azurite_alone: Azurite) -> Azurite:
    return azurite_alone


@pytest.fixture(scope="module")
def emulator(azurite: Azurite, subscriber: Subscriber) -> Iterator[Running[Control]]:
    storage = azurite.connection_string
    with running(speed=SPEED, event_grid=(subscriber.url,), storage_connection_string=storage) as one:
        yield one


@pytest.fixture(scope="module")
def event(emulator: Running[Control], subscriber: Subscriber) -> dict[str, Any]:
    """RecordingFileStatusUpdated of a call that was recorded, as it was delivered."""
    return record_a_call(emulator, subscriber)


@pytest.fixture(scope="module")
def audio(emulator: Running[Control], event: dict[str, Any]) -> bytes:
    document = emulator.service.recordings.archive.get(
        event["data"]["recordingStorageInfo"]["recordingChunks"][0]["documentId"]
    )
    assert document is not None
    return document.path.read_bytes()


@pytest.fixture
def rooms(
    emulator: Running[Control], azurite: Azurite, event: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> Iterator[Rooms]:
    """Makes instances of the app's recordings. No log line holds a number of the call."""
    caplog.set_level(logging.INFO, "switchboard")
    yield lambda **options: Room(emulator, azurite.connection_string, event, **options)
    emulator.control.clear_faults()
    assert not [phone for phone in PHONES if phone[-7:] in caplog.text]


@pytest.fixture
def foreign() -> Iterator[StorageHost]:
    """A host that nothing may be sent to."""
    with StorageHost(b"RIFF") as one:
        yield one
        assert one.seen == []


def test_without_a_fault_there_is_one_archive_one_report_and_one_event(rooms: Rooms, audio: bytes) -> None:
    case = rooms().announced()
    assert case.room.run() == ["archived", "reported"]
    case.check_whole(audio)
    report = Report.model_validate_json(case.room.service.report(case.id))
    assert [bool(channel.speech) for channel in report.channels] == [True, True]
    assert case.told[0]["data"]["flags"] == [flag.code for flag in report.flags]


# Faults of the download


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_that_passes_ends_in_one_archive_and_one_report(
    rooms: Rooms, audio: bytes, fault: str, times: int
) -> None:
    room = rooms()
    room.strike(**FAULTS[fault][0], count=times)
    case = room.announced()
    outcomes = room.run()
    assert outcomes[-2:] == ["archived", "reported"]
    assert set(outcomes[:-2]) <= {"retried"}
    assert [rule["applied"] for rule in room.emulator.control.request("GET", "/emulator/faults")["faults"]] == [times]
    case.check_whole(audio)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_that_lasts_ends_in_a_poison_record_that_can_be_replayed(
    rooms: Rooms, audio: bytes, fault: str
) -> None:
    rule, words = FAULTS[fault]
    room = rooms()
    room.strike(**rule)
    case = room.announced()
    assert room.run()[-1] == "failed"
    shown = case.failed
    assert shown is not None
    assert shown.reason.startswith("chunk 0: given up at the deadline; last: ")
    assert pytest.approx(case.record.deadline / 1000, abs=2) == room.now
    assert re.search(words, shown.files[0].reason), shown
    assert "127.0.0.1" not in shown.reason
    assert (case.rows, case.told) == (0, [])
    room.emulator.control.clear_faults()
    assert room.service.replay(case.id).status == "waiting"
    assert room.run() == ["archived", "reported"]
    assert case.record.generation == 2
    case.check_whole(audio)


@pytest.mark.parametrize("fault", ["short", "wrong header"])
def test_a_file_that_ends_before_its_header_says_is_archived_and_reported_once_and_a_replay_fetches_it_again(
    rooms: Rooms, audio: bytes, fault: str
) -> None:
    room = rooms()
    room.strike(fault, 1)
    case = room.announced()
    assert room.run() == ["archived", "reported"]
    (chunk,) = case.record.chunks
    assert re.fullmatch(r"the file ends \d+ bytes before its header says; the rest is analysed\.", chunk.reason)
    assert (case.record.status, len(case.audio)) == ("reported", chunk.bytes)
    report = Report.model_validate_json(room.service.report(case.id))
    assert report.recording.chunks[0].note == chunk.reason
    room.service.replay(case.id)
    assert room.run() == ["archived", "reported"]
    case.check_whole(audio, events=2)


def test_an_answer_that_is_late_is_waited_for(rooms: Rooms, audio: bytes) -> None:
    room = rooms()
    room.strike("delay", 2, seconds=4)
    case = room.announced()
    assert room.run() == ["archived", "reported"]
    case.check_whole(audio)


def test_an_answer_that_never_comes_is_not_waited_for_for_ever(rooms: Rooms, audio: bytes) -> None:
    room = rooms(deadline=65.0, timeout=0.5)
    room.strike("delay", seconds=60)
    case = room.announced()
    assert room.run()[-1] == "failed"
    assert "does not respond, or its response broke off (ReadTimeout)" in case.record.reason
    room.emulator.control.clear_faults()
    asked = room.emulator.service.clock.now()
    wait_for(lambda: room.emulator.service.clock.now() > asked + 60)  # nobody waits for these answers any more
    room.service.replay(case.id)
    room.source._timeout = (10.0, 10.0)
    assert room.run() == ["archived", "reported"]
    case.check_whole(audio)


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("fault", METADATA_FAULTS)
def test_metadata_that_cannot_be_had_for_a_while_is_waited_for(
    rooms: Rooms, audio: bytes, fault: str, times: int
) -> None:
    room = rooms()
    room.strike(**METADATA_FAULTS[fault], count=times)
    case = room.announced()
    assert room.run() == [*["retried"] * times, "archived", "reported"]
    case.check_whole(audio)


@pytest.mark.parametrize("fault", METADATA_FAULTS)
def test_metadata_that_can_never_be_had_does_not_keep_the_audio_from_its_archive(
    rooms: Rooms, audio: bytes, fault: str
) -> None:
    room = rooms()
    room.strike(**METADATA_FAULTS[fault])
    case = room.announced()
    assert room.run()[-2:] == ["archived", "reported"]
    assert (case.record.status, case.audio) == ("reported", audio)
    assert case.files == FILES - {"0.metadata.json"}
    report = Report.model_validate_json(room.service.report(case.id))
    assert any("metadata is missing" in note for note in report.notes)


# Time


@pytest.mark.parametrize("hours", [1, 22])
def test_an_event_that_comes_late_is_in_time_until_the_deadline(rooms: Rooms, audio: bytes, hours: int) -> None:
    room = rooms(deadline=23 * 3600.0)
    room.now += hours * 3600
    case = room.announced()
    assert room.run() == ["archived", "reported"]
    case.check_whole(audio)


def test_an_event_that_comes_after_the_deadline_is_a_poison_record(rooms: Rooms, audio: bytes) -> None:
    room = rooms(deadline=23 * 3600.0)
    room.now += 25 * 3600
    case = room.announced()
    assert room.run() == ["failed"]
    assert case.failed is not None
    assert case.failed.reason == "chunk 0: given up at the deadline; last: it was never tried."
    room.service.replay(case.id)
    assert room.run() == ["archived", "reported"]
    case.check_whole(audio)


def test_a_file_that_has_expired_at_the_service_is_a_poison_record(rooms: Rooms) -> None:
    room = rooms()
    locations = room.copied()
    room.expire(locations["documentId"])
    case = room.announced(**locations)
    assert room.run()[-1] == "failed"
    assert case.failed is not None
    assert "it was deleted, or its time is over. (HTTP 404)" in case.failed.reason


# Addresses


@pytest.mark.parametrize("content", ["sound", "metadata"])
def test_a_redirect_to_a_foreign_host_is_refused_before_a_request_goes_out(
    rooms: Rooms, audio: bytes, foreign: StorageHost, content: str
) -> None:
    room = rooms()
    room.strike("redirect", 1, location=f"{foreign.url}/file", match={"content": content})
    case = room.announced()
    assert room.run() == ["failed"]
    assert case.failed is not None
    problem = "is not a host that recordings are fetched from. RECORDING_HOSTS adds hosts."
    assert case.failed.reason == f"chunk 0: refused: {foreign.authority}: {problem}"
    room.service.replay(case.id)
    assert room.run() == ["archived", "reported"]
    case.check_whole(audio)


def test_a_redirect_on_the_same_host_is_followed(rooms: Rooms, audio: bytes) -> None:
    room = rooms()
    room.strike("redirect", 1, location=room.copied()["contentLocation"])
    case = room.announced()
    assert room.run() == ["archived", "reported"]
    case.check_whole(audio)


@pytest.mark.parametrize("name", ["contentLocation", "metadataLocation"])
def test_an_address_outside_the_allow_list_is_refused_before_a_request_goes_out(
    rooms: Rooms, foreign: StorageHost, name: str
) -> None:
    room = rooms()
    case = room.announced(**{name: f"{foreign.url}/v1/objects/one"})
    for _ in range(2):
        assert room.run() == ["failed"]
        assert case.failed is not None
        assert case.failed.reason.startswith(f"chunk 0: refused: {foreign.authority}: is not a host")
        assert (case.rows, case.told) == (0, [])
        room.service.replay(case.id)


def test_nothing_is_deleted_at_an_address_outside_the_allow_list(
    rooms: Rooms, audio: bytes, foreign: StorageHost
) -> None:
    room = rooms(delete_source=True)
    case = room.announced(deleteLocation=f"{foreign.url}/v1/objects/one")
    assert room.run() == ["archived", "reported"]
    case.check_whole(audio)
    assert not case.record.chunks[0].deleted


# Deleting at the source

DELETE_FAULTS: dict[str, dict[str, Any]] = {
    "status-503": {"kind": "status", "status": 503},
    "dropped": {"kind": "drop"},
    "late": {"kind": "delay", "seconds": 4},
}


@pytest.mark.parametrize("fault", DELETE_FAULTS)
def test_a_source_that_cannot_be_deleted_for_a_while_is_deleted_later(rooms: Rooms, audio: bytes, fault: str) -> None:
    room = rooms(delete_source=True)
    locations = room.copied()
    room.strike(**DELETE_FAULTS[fault], count=2, match={"operation": "CallRecording_Delete"})
    case = room.announced(**locations)
    room.run()
    case.check_whole(audio)
    assert case.record.chunks[0].deleted
    assert room.emulator.service.recordings.archive.get(locations["documentId"]) is None


def test_a_source_that_can_never_be_deleted_does_not_keep_the_report_back(rooms: Rooms, audio: bytes) -> None:
    room = rooms(delete_source=True)
    locations = room.copied()
    room.strike("status", status=503, match={"operation": "CallRecording_Delete"})
    case = room.announced(**locations)
    room.run()
    case.check_whole(audio)
    assert not case.record.chunks[0].deleted


def test_a_damaged_file_is_not_deleted_at_the_source(rooms: Rooms) -> None:
    room = rooms(delete_source=True)
    locations = room.copied()
    room.strike("wrong header")
    case = room.announced(**locations)
    assert room.run() == ["archived", "reported"]
    assert case.record.chunks[0].damaged
    assert room.emulator.service.recordings.archive.get(locations["documentId"]) is not None


# Twice, half-way, and at the same time


def test_an_event_that_is_delivered_again_and_again_makes_nothing_twice(rooms: Rooms, audio: bytes) -> None:
    room = rooms()
    case = room.announced()
    assert case.announce() == "duplicate"
    assert room.step() == "archived"
    assert case.announce() == "duplicate"
    assert room.run().count("reported") == 1
    assert case.announce() == "duplicate"
    assert room.run() == []
    assert case.record.chunks[0].attempts == 1
    case.check_whole(audio)


def _dies(room: Room, where: str, patched: pytest.MonkeyPatch) -> None:
    """The process dies at a place, the first time that it comes there."""
    died: list[str] = []

    def dying(target: Any, name: str, when: Callable[..., bool]) -> None:
        real = getattr(target, name)

        def wrapped(*args: Any, **more: Any) -> Any:
            if not died and when(*args):
                died.append(where)
                raise Crash
            return real(*args, **more)

        patched.setattr(target, name, wrapped)

    blocks: list[int] = []

    def half(self: ServiceDownload) -> Iterator[bytes]:
        for block in whole(self):
            blocks.append(len(block))
            if not died and sum(blocks) > 150_000:
                died.append(where)
                raise Crash
            yield block

    whole = ServiceDownload.__iter__
    if where == "download":
        patched.setattr(ServiceDownload, "__iter__", lambda self: half(self) if self.length != 0 else whole(self))
    elif where in ("metadata", "signal"):
        dying(room.archive, "put_text", lambda name, _: name.endswith(f"{where}.json"))
    elif where == "report":
        dying(room.archive, "put_newest", lambda name, *_: True)
    elif where == "row":
        dying(room.ledger, "put_report", lambda _: True)
    elif where == "told":
        dying(room.reporter, "publish", lambda _: True)
    else:
        dying(room.queue, "send", lambda _, chunk: chunk is None)


@pytest.mark.parametrize("where", ["metadata", "download", "signal", "asking for the report", "report", "row", "told"])
def test_a_crash_half_way_leaves_one_archive_and_one_report(
    rooms: Rooms, audio: bytes, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    room = rooms()
    case = room.announced()
    with monkeypatch.context() as patched:
        _dies(room, where, patched)
        outcomes = [room.step(), room.step()]
        assert "crashed" in outcomes
        if where == "download":
            visible = [blob.name for blob in room.container.list_blobs(f"{case.record.folder}/")]
            assert not [name for name in visible if name.endswith(".wav")]
            assert "0.wav" in case.files, "blocks that nobody committed"
    outcomes += room.run()
    assert outcomes.count("reported") == 1
    case.check_whole(audio)


def test_two_instances_that_work_on_the_same_messages_make_one_archive_and_one_report(
    rooms: Rooms, audio: bytes
) -> None:
    instances = rooms(), rooms()
    case = instances[0].announced()
    for index in (0, None):
        instances[0].queue.sent.clear()
        outcomes: list[str] = []
        together = threading.Barrier(4)

        def work(room: Room, index: int | None, outcomes: list[str], together: threading.Barrier) -> None:
            together.wait()
            outcomes.append(room.pipeline.work(case.id, index))

        threads = [
            threading.Thread(target=work, args=(room, index, outcomes, together)) for room in (*instances, *instances)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert outcomes.count("archived" if index == 0 else "reported") == 1, outcomes
    for room in instances:
        assert "reported" not in room.run()
    assert case.record.chunks[0].attempts == 1
    case.check_whole(audio)


def test_an_instance_that_outlives_its_lease_does_not_overwrite_what_another_archived(
    rooms: Rooms, audio: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow, quick = rooms(), rooms()
    case = slow.announced()
    real = slow.source.open
    passed: list[str] = []

    def committed() -> str:
        """The version of the archived file."""
        name = f"{case.record.folder}/0.wav"
        return str(slow.container.get_blob_client(name).get_blob_properties().etag)

    @contextmanager
    def held_up(location: str) -> Iterator[ServiceDownload]:
        with real(location) as download:
            yield download
            if not passed and location.endswith("audiowavmultichannel"):
                passed.append(location)
                quick.now = slow.now + LEASE + 1
                passed.append(quick.pipeline.work(case.id, 0))
                passed.append(committed())

    monkeypatch.setattr(slow.source, "open", held_up)
    assert slow.step() == "duplicate"
    assert passed[1:] == ["archived", committed()]
    assert quick.run() == ["reported"]
    assert slow.run() == []
    case.check_whole(audio)


def test_a_report_that_two_instances_make_is_one(rooms: Rooms, audio: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    slow, quick = rooms(), rooms()
    case = slow.announced()
    assert slow.step() == "archived"
    real = slow.reporter.publish
    passed: list[str] = []

    def held_up(record: Any) -> None:
        if not passed:
            quick.now = slow.now + REPORT_LEASE + 1
            passed.append(quick.pipeline.work(case.id, None))
        real(record)

    monkeypatch.setattr(slow.reporter, "publish", held_up)
    assert slow.step() == "duplicate"
    assert passed == ["reported"]
    case.check_whole(audio, events=2)
    assert len({event["id"] for event in case.told}) == 1, "one event, told twice"


# Storage of the app's own, the composition, retention


def test_a_recording_in_the_apps_own_storage_is_archived_from_there_by_the_composed_app(
    emulator: Running[Control], subscriber: Subscriber, azurite: Azurite, rooms: Rooms
) -> None:
    from azure.storage.blob import ContainerClient

    prefix = "composed"
    with ContainerClient.from_connection_string(azurite.connection_string, "own") as own:
        own.create_container()
        event = record_a_call(emulator, subscriber, own.url)
    (chunk,) = event["data"]["recordingStorageInfo"]["recordingChunks"]
    assert chunk["contentLocation"].startswith(f"{own.url}/")
    settings = load_settings(
        {
            "ACS_ENDPOINT": emulator.endpoint,
            "ACS_ACCESS_KEY": emulator.access_key,
            "ACS_RESOURCE_ID": emulator.resource_id,
            "AZUREWEBJOBSSTORAGE": azurite.connection_string,
            "CALLBACK_BASE_URL": "http://127.0.0.1:7071",
            "CALLBACK_SIGNING_KEY": made_key("signing"),
            "STORE_PREFIX": prefix,
            "RECORDING_CONTAINERS": "own",
            "RECORDING_SCOPE": "all",
        }
    )
    recordings = compose_recordings(settings, MemoryStore(), ["support"])
    parsed = parse_event_grid_event(event)
    assert isinstance(parsed, RecordingFileStatusUpdated)
    before = len(emulator.control.requests())
    _, recording = recordings.pipeline.announce(parsed)
    outcomes = []
    with QueueClient.from_connection_string(azurite.connection_string, f"{prefix}-recordings") as queue:
        for _ in range(2):
            message = queue.receive_message()
            assert message is not None
            outcomes.append(recordings.pipeline.work(*read_work(base64.b64decode(message.content))))
            queue.delete_message(message)
        assert queue.receive_message() is None
    assert outcomes == ["archived", "reported"]
    assert len(emulator.control.requests()) == before, "the service was not asked"
    document = emulator.service.recordings.archive.get(chunk["documentId"])
    assert document is not None
    report = Report.model_validate_json(recordings.service.report(recording))
    with ContainerClient.from_connection_string(azurite.connection_string, f"{prefix}-recordings") as archive:
        assert archive.download_blob(str(report.recording.chunks[0].blob)).readall() == document.path.read_bytes()
    assert [bool(channel.speech) for channel in report.channels] == [True, True]


def test_own_storage_that_no_setting_names_is_refused(rooms: Rooms, azurite: Azurite) -> None:
    room = rooms()
    location = f"{room.container.url.rpartition('/')[0]}/private/0.wav"
    case = room.announced(contentLocation=location)
    assert room.run() == ["failed"]
    assert case.failed is not None
    assert case.failed.reason.endswith("RECORDING_CONTAINERS names them.")


def test_what_has_expired_leaves_no_file_and_no_row(rooms: Rooms, audio: bytes) -> None:
    room = rooms(retention_days=30)
    case, other = room.announced(), room.announced()
    room.run()
    record = case.record
    assert room.pipeline.remove(case.id)
    assert [blob.name for blob in room.container.list_blobs(f"{record.folder}/")] == []
    assert not [row for row in room.ledger.reports(record.day) if row.id == case.id]
    for gone in (room.service.recording, room.service.report, room.service.page):
        with pytest.raises(UnknownRecording):
            gone(case.id)
    other.check_whole(audio)
    room.now += 32 * 86400
    assert room.pipeline.sweep()["expired"] >= 1
    assert list(room.container.list_blobs()) == []
    assert list(room.ledger.listed(record.day)) == []
    assert list(room.ledger.reports(record.day)) == []
