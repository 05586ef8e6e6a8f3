"""Bytes that came whole are archived once, whatever they are; what their audio says is another question."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from shared.errors import SourceUnavailable, StoreUnavailable
from shared.events import RecordingFileStatusUpdated, parse_event_grid_event
from shared.recordings.base import Download
from shared.recordings.fetching import kind_of
from tests.unit.recordings.world import Crash, World, file_event, sound

MP4 = b"\x00\x00\x00\x18ftypmp42" + bytes(2000)
MP3 = b"ID3\x04" + bytes(1000)
FLOAT = sound().replace((16_000).to_bytes(4, "little"), (44_100).to_bytes(4, "little"), 1)
CUT = sound()[:20_000]
OGG = b"OggS" + bytes(900)
PAGE = b"<html>not a recording</html>"


def event(world: World, **data: Any) -> RecordingFileStatusUpdated:
    """The world's file event with other words in it; None leaves one out."""
    raw = copy.deepcopy(dict(world.event.raw))
    raw["data"] = {key: value for key, value in {**raw["data"], **data}.items() if value is not None}
    found = parse_event_grid_event(raw)
    assert isinstance(found, RecordingFileStatusUpdated)
    return found


def holding(body: bytes, **options: Any) -> World:
    """The service's file holds these bytes."""
    world = World(**options)
    world.service.files = dict.fromkeys(world.service.files, body)
    return world


@pytest.mark.parametrize(
    ("said", "body", "name", "note"),
    [
        (None, MP4, "0.mp4", "not analysed: the file is MP4."),
        (None, sound(), "0.wav", ""),
        ("MP3", MP3, "0.mp3", "not analysed: the file is MP3."),
        ("WAV", sound(), "0.wav", ""),
        ("Mp4", MP4, "0.mp4", "not analysed: the file is MP4."),
        ("Wav", MP3, "0.mp3", "not analysed: the file is MP3, not wav as the service says."),
        ("Mp3", sound(), "0.wav", "the file is WAV, not mp3 as the service says."),
        ("Ogg", OGG, "0.bin", "not analysed: the file is not WAV, MP3 or MP4, not ogg as the service says."),
        ("Wav", FLOAT, "0.wav", "not analysed: fmt .sample_rate: 44100 Hz; 8000 and 16000 can be read"),
        ("Wav", CUT, "0.wav", "the file ends 44044 bytes before its header says; the rest is analysed."),
        ("Wav", sound()[:30], "0.wav", "not analysed: header: the file ends after 30 bytes, before the samples"),
        ("Wav", PAGE, "0.bin", "not analysed: the file is not WAV, MP3 or MP4, not wav as the service says."),
        ("Wav", b"x", "0.bin", "not analysed: the file is not WAV, MP3 or MP4, not wav as the service says."),
    ],
)  # fmt: skip
def test_what_came_whole_is_archived_at_the_first_attempt_under_what_it_is(
    said: str | None, body: bytes, name: str, note: str
) -> None:
    world = holding(body)
    world.event = event(world, recordingFormatType=said)
    recording = world.announce()
    assert world.run() == ["archived", "reported"]
    record = world.record(recording)
    (chunk,) = record.chunks
    assert (record.status, record.reason, record.format) == ("reported", "", name.partition(".")[2])
    assert (chunk.name, chunk.bytes, chunk.reason) == (f"{record.folder}/{name}", len(body), note)
    assert world.archive.files[chunk.name] == body
    assert len(world.service.opened) == 1


def test_the_content_type_in_the_archive_is_that_of_the_file() -> None:
    for body, kind in (
        (MP3, "audio/mpeg"),
        (MP4, "video/mp4"),
        (sound(), "audio/wav"),
        (PAGE, "application/octet-stream"),
    ):
        world = holding(body)
        recording = world.announce()
        world.run()
        assert world.archive.types[world.record(recording).chunks[0].name] == kind


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"RIFF\0\0\0\0WAVE", "wav"),
        (b"RF64\0\0\0\0WAVE", "wav"),
        (b"BW64\0\0\0\0WAVE", "wav"),
        (b"RIFF\0\0\0\0AVI ", "bin"),
        (b"\xff\xfb\x90\x64", "mp3"),
        (b"\xff\xf3\x90\x64", "mp3"),
        (b"\xff\xf1\x50\x80", "bin"),
        (b"\xff", "bin"),
        (b"\0\0\0\x1cftypisom", "mp4"),
        (b"", "bin"),
    ],
)
def test_a_file_shows_its_kind_by_its_first_bytes(head: bytes, kind: str) -> None:
    assert kind_of(head) == kind


def test_the_channel_type_may_be_written_in_any_case() -> None:
    world = World()
    world.event = event(world, recordingChannelType="UNMIXED")
    assert world.record(world.announce()).channel_type == "unmixed"


def test_a_file_that_begins_in_tiny_blocks_is_known_all_the_same() -> None:
    world = World()

    @contextmanager
    def one_by_one(location: str) -> Iterator[Download]:
        yield Sent(len(sound()), [sound()[at : at + 1] for at in range(20)] + [sound()[20:]])

    world.service.open = one_by_one  # type: ignore[method-assign]
    recording = world.announce()
    world.run()
    assert world.archive.files[world.record(recording).chunks[0].name] == sound()


# Damaged files, and those that a replay reads again


def test_a_damaged_file_stays_at_the_source_and_a_replay_fetches_it_again() -> None:
    world = holding(CUT, delete_source=True)
    recording = world.announce()
    world.run()
    assert (world.record(recording).chunks[0].damaged, world.service.deleted) == (True, [])
    world.service.files = dict.fromkeys(world.service.files, sound())
    world.pipeline.replay(recording)
    assert world.run() == ["archived", "reported"]
    (chunk,) = world.record(recording).chunks
    assert (chunk.damaged, chunk.reason, world.service.deleted) == (False, "", world.names)
    assert world.archive.files[chunk.name] == sound()


def test_a_damaged_file_that_cannot_be_fetched_again_is_kept() -> None:
    world = holding(CUT)
    recording = world.announce()
    world.run()
    world.now += 30 * 3600
    world.service.wrong = [SourceUnavailable("the service answered 404.", 404)] * 1000
    world.pipeline.replay(recording)
    assert world.run()[-2:] == ["archived", "reported"]
    (chunk,) = world.record(recording).chunks
    assert chunk.status == "archived"
    assert chunk.reason.startswith("damaged, and not fetched again: given up at the deadline; last: the service")
    assert world.archive.files[chunk.name] == CUT


def test_a_file_that_only_the_archive_knows_of_does_not_end_as_failed() -> None:
    """The process dies between the archive and the ledger; then the service has the file no longer."""
    world = World()
    recording = world.announce()
    save, dying = world.ledger.save, [1]

    def dies(record: Any, version: Any) -> Any:
        if dying and record.chunks[0].status == "archived":
            dying.clear()
            raise Crash
        return save(record, version)

    world.ledger.save = dies  # type: ignore[method-assign]
    message = world.queue.sent[0]
    with pytest.raises(Crash):
        world.step()
    world.queue.sent.append(message)
    world.service.wrong = [SourceUnavailable("the service answered 404.", 404)] * 1000
    assert world.run()[-2:] == ["archived", "reported"]
    (chunk,) = world.record(recording).chunks
    assert (chunk.status, chunk.bytes) == ("archived", len(sound()))
    assert chunk.reason.startswith("not analysed: given up at the deadline; last: the service answered 404")
    world.pipeline.replay(recording)
    assert world.run() == ["archived", "reported"]
    assert world.record(recording).chunks[0].analysed


def test_a_poison_message_does_not_make_a_file_fail_that_is_in_the_archive() -> None:
    world = World()
    recording = world.announce()
    world.archive.writer(f"{world.record(recording).folder}/0.mp4", "video/mp4").commit()
    writer = world.archive.writer(f"{world.record(recording).folder}/0.wav", "audio/wav")
    writer.write(sound())
    writer.commit()
    world.pipeline.mark_poisoned(recording, 0, "the app failed on it.")
    (chunk,) = world.record(recording).chunks
    assert (chunk.status, chunk.name.rpartition("/")[2]) == ("archived", "0.wav"), "an empty file is none"
    assert chunk.reason == "not analysed: the app failed on it."


# Nothing is deleted at the source that is not whole in the archive


class Sent:
    """A download that promises a length, and ends without a word after these blocks."""

    def __init__(self, length: int | None, blocks: list[bytes]) -> None:
        self.length = length
        self._blocks = blocks

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._blocks)


@pytest.mark.parametrize("difference", [-1, 1])
def test_a_file_of_another_length_than_promised_is_neither_archived_nor_deleted(difference: int) -> None:
    world = World(delete_source=True, deadline=3600.0)

    @contextmanager
    def other(location: str) -> Iterator[Download]:
        yield Sent(len(sound()) + difference, [sound()])

    world.service.open = other  # type: ignore[method-assign]
    recording = world.announce()
    assert set(world.run()) == {"retried", "failed"}
    assert (
        f"{len(sound()) + difference} bytes were announced and {len(sound())} received."
        in world.record(recording).reason
    )
    assert not [name for name in world.archive.files if name.endswith(".wav")]
    assert world.service.deleted == []


def test_a_file_of_which_no_length_is_promised_is_archived() -> None:
    world = World()

    @contextmanager
    def unknown(location: str) -> Iterator[Download]:
        yield Sent(None, [sound()])

    world.service.open = unknown  # type: ignore[method-assign]
    world.announce()
    assert world.run() == ["archived", "reported"]


def test_a_file_that_the_archive_did_not_take_whole_is_not_deleted(monkeypatch: pytest.MonkeyPatch) -> None:
    from shared.recordings.memory import MemoryWriter

    world = World(delete_source=True)
    recording = world.announce()
    with monkeypatch.context() as patched:
        patched.setattr(MemoryWriter, "commit", lambda self: len(self._written) - 1)
        assert world.step() == "retried"
    assert "bytes were written and the archive has" in world.record(recording).reason
    assert (world.record(recording).chunks[0].status, world.service.deleted) == ("waiting", [])
    world.run()
    assert world.service.deleted == world.names


@pytest.mark.parametrize("harm", ["shorter", "gone"])
def test_a_file_that_the_archive_lost_before_the_deletion_is_not_deleted(harm: str) -> None:
    world = World(delete_source=True)
    recording = world.announce()
    world.service.delete_fails = 1
    assert world.step() == "archived"
    name = world.record(recording).chunks[0].name
    if harm == "gone":
        del world.archive.files[name]
    else:
        world.archive.files[name] = sound()[:-1]
    world.run()
    assert (world.service.deleted, world.record(recording).chunks[0].deleted) == ([], False)


def test_what_the_audio_says_is_kept_before_the_file_so_that_the_file_is_fetched_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World()
    recording = world.announce()
    put, failing = world.archive.put_text, [1]

    def fails(name: str, text: str) -> None:
        if name.endswith("signal.json") and failing:
            failing.clear()
            raise StoreUnavailable("the storage answered 503 Server Busy")
        put(name, text)

    monkeypatch.setattr(world.archive, "put_text", fails)
    assert world.step() == "retried"
    assert not [name for name in world.archive.files if name.endswith(".wav")]
    world.run()
    assert world.record(recording).chunks[0].analysed


def test_an_event_may_name_the_files_of_a_format_in_capitals() -> None:
    world = World()
    world.event = file_event(world.names, "WAV")
    world.announce()
    assert world.run() == ["archived", "reported"]
