"""What every archive and every ledger does, by one suite run against each: in memory, and on Azurite."""

from __future__ import annotations

from dataclasses import fields

import pytest

from shared.errors import LostRace, UnknownRecording
from shared.recordings.base import Archive, Ledger
from shared.recordings.memory import MemoryRecordingQueue
from shared.recordings.record import ChunkRecord, RecordingRecord
from tests.unit.recordings.conftest import BLOCK
from tests.unit.recordings.samples import DAY, a_chunk, a_record, a_row, an_id

pytestmark = pytest.mark.xdist_group("recordings-contract")


def content(archive: Archive, name: str, start: int = 0) -> bytes:
    return b"".join(archive.read(name, start))


def write(archive: Archive, name: str, body: bytes) -> int:
    writer = archive.writer(name, "audio/wav")
    writer.write(body)
    return writer.commit()


# The archive


def test_what_is_written_in_pieces_is_read_as_one(archive: Archive) -> None:
    body = bytes(range(256)) * 17
    writer = archive.writer("a/b.wav", "audio/wav")
    for start in range(0, len(body), 700):
        writer.write(body[start : start + 700])
    assert writer.commit() == len(body)
    assert content(archive, "a/b.wav") == body
    assert archive.length("a/b.wav") == len(body)


@pytest.mark.parametrize("length", [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK])
def test_a_file_of_any_length_comes_back(archive: Archive, length: int) -> None:
    assert write(archive, "a/b.wav", b"x" * length) == length
    assert content(archive, "a/b.wav") == b"x" * length


@pytest.mark.parametrize("start", [0, 1, BLOCK, 2 * BLOCK + 1, 2500, 2501])
def test_a_file_is_read_from_any_byte_on(archive: Archive, start: int) -> None:
    body = bytes(number % 251 for number in range(2500))
    write(archive, "a/b.wav", body)
    assert content(archive, "a/b.wav", start) == body[start:]


def test_nobody_sees_a_file_before_it_is_committed(archive: Archive) -> None:
    archive.writer("a/b.wav", "audio/wav").write(b"x" * 3 * BLOCK)
    assert archive.length("a/b.wav") is None
    with pytest.raises(KeyError):
        archive.read("a/b.wav")


def test_a_file_that_is_not_there_is_a_key_error_and_has_no_length(archive: Archive) -> None:
    assert archive.length("a/b.wav") is None
    with pytest.raises(KeyError):
        archive.read("a/b.wav")
    with pytest.raises(KeyError):
        archive.get_text("a/b.json")


def test_a_later_writer_replaces_the_whole_file(archive: Archive) -> None:
    write(archive, "a/b.wav", b"old" * BLOCK)
    write(archive, "a/b.wav", b"new")
    assert content(archive, "a/b.wav") == b"new"


@pytest.mark.parametrize("length", [10, 3 * BLOCK], ids=["small", "large"])
@pytest.mark.parametrize("there", [False, True], ids=["new", "replaced"])
def test_of_two_writers_at_once_the_second_to_commit_loses_and_nothing_is_mixed(
    archive: Archive, length: int, there: bool
) -> None:
    if there:
        write(archive, "a/b.wav", b"before")
    one, other = archive.writer("a/b.wav", "audio/wav"), archive.writer("a/b.wav", "audio/wav")
    for writer, letter in ((one, b"1"), (other, b"2"), (one, b"3")):
        writer.write(letter * length)
    assert one.commit() == 2 * length
    with pytest.raises(LostRace):
        other.commit()
    assert content(archive, "a/b.wav") == b"1" * length + b"3" * length


def test_a_writer_whose_predecessor_was_removed_loses(archive: Archive) -> None:
    write(archive, "a/b.wav", b"before")
    writer = archive.writer("a/b.wav", "audio/wav")
    writer.write(b"after")
    archive.remove("a")
    with pytest.raises(LostRace):
        writer.commit()
    assert archive.length("a/b.wav") is None


def test_a_document_is_replaced_and_read_as_it_was_written(archive: Archive) -> None:
    archive.put_text("a/report.json", '{"old":1}')
    archive.put_text("a/report.json", '{"who":"Grüße 😀"}')
    assert archive.get_text("a/report.json") == '{"who":"Grüße 😀"}'


def test_a_document_of_an_older_generation_replaces_no_newer_one(archive: Archive) -> None:
    assert archive.put_newest("a/report.json", "second", 2)
    assert not archive.put_newest("a/report.json", "first", 1)
    assert archive.get_text("a/report.json") == "second"
    assert archive.put_newest("a/report.json", "second, again", 2)
    assert archive.put_newest("a/report.json", "tenth", 10)
    assert archive.get_text("a/report.json") == "tenth"


def test_a_removed_document_may_begin_again(archive: Archive) -> None:
    archive.put_newest("a/report.json", "second", 2)
    archive.remove("a")
    assert archive.put_newest("a/report.json", "first", 1)


def test_removing_a_folder_takes_its_files_and_no_others(archive: Archive) -> None:
    for name in ("2026/a/0.wav", "2026/a/deep/1.json", "2026/ab/0.wav", "2026/a.json"):
        archive.put_text(name, "x")
    archive.remove("2026/a")
    left = [archive.length(name) for name in ("2026/a/0.wav", "2026/a/deep/1.json", "2026/ab/0.wav", "2026/a.json")]
    assert left == [None, None, 1, 1]
    archive.remove("2026/a")


def test_the_names_in_a_folder_are_listed(archive: Archive) -> None:
    assert archive.names("day/one") == []
    for name in ("day/one/b", "day/one/a", "day/one/deep/c", "day/one1/d", "day/other"):
        archive.put_text(name, "x")
    assert archive.names("day/one") == ["day/one/a", "day/one/b", "day/one/deep/c"]


def test_removing_from_an_archive_that_never_held_anything_is_no_error(archive: Archive) -> None:
    archive.remove("2026/a")
    assert archive.length("2026/a/0.wav") is None


# Records


def test_the_example_fills_every_column() -> None:
    record, chunk = a_record(), a_chunk(1)
    empty, bare = RecordingRecord("", "", ""), ChunkRecord(0, "", "", "", "")
    assert [f.name for f in fields(record) if getattr(record, f.name) == getattr(empty, f.name)] == []
    assert [f.name for f in fields(chunk) if getattr(chunk, f.name) == getattr(bare, f.name)] == []


def test_a_registered_record_comes_back_whole(ledger: Ledger) -> None:
    assert ledger.register(a_record())
    found, _ = ledger.load(an_id())
    assert found == a_record()
    assert [type(getattr(found, f.name)) for f in fields(found)] == [
        type(getattr(a_record(), f.name)) for f in fields(found)
    ]


def test_a_second_registration_is_told_so_and_changes_nothing(ledger: Ledger) -> None:
    assert ledger.register(a_record(note="first"))
    assert not ledger.register(a_record(note="second"))
    assert ledger.load(an_id())[0].note == "first"


@pytest.mark.parametrize("recording", [an_id(), "", "x", "20261123-../'", "20261123-#?%", "٢٠٢٦١١٢٣-a"])
def test_an_id_that_nobody_registered_is_unknown(ledger: Ledger, recording: str) -> None:
    with pytest.raises(UnknownRecording):
        ledger.load(recording)
    ledger.remove(recording)


def test_a_saved_record_replaces_the_one_before(ledger: Ledger) -> None:
    ledger.register(a_record(chunks=[a_chunk(n) for n in range(40)]))
    record, version = ledger.load(an_id())
    record.note, record.chunks = "", record.chunks[:1]
    version = ledger.save(record, version)
    record.status = "reported"
    ledger.save(record, version)
    assert ledger.load(an_id())[0] == record


def test_of_two_who_save_the_same_version_the_second_loses(ledger: Ledger) -> None:
    ledger.register(a_record())
    one, version = ledger.load(an_id())
    other, same = ledger.load(an_id())
    one.note, other.note = "one", "other"
    ledger.save(one, version)
    with pytest.raises(LostRace):
        ledger.save(other, same)
    assert ledger.load(an_id())[0].note == "one"


def test_a_record_that_was_removed_cannot_be_saved(ledger: Ledger) -> None:
    ledger.register(a_record())
    record, version = ledger.load(an_id())
    ledger.remove(an_id())
    with pytest.raises(LostRace):
        ledger.save(record, version)
    with pytest.raises(UnknownRecording):
        ledger.load(an_id())


def test_what_was_loaded_is_a_copy(ledger: Ledger) -> None:
    record = a_record()
    ledger.register(record)
    record.chunks[0].attempts = 99
    ledger.load(an_id())[0].chunks[0].attempts = 98
    assert ledger.load(an_id())[0] == a_record()


def test_a_day_is_listed_by_id_by_status_and_from_an_id_on(ledger: Ledger) -> None:
    for number, status in ((3, "failed"), (1, "waiting"), (2, "failed")):
        ledger.register(a_record(number, status=status))
    ledger.register(a_record(0, "2026-11-22"))
    assert [record.id for record in ledger.listed(DAY)] == [an_id(1), an_id(2), an_id(3)]
    assert [record.id for record in ledger.listed(DAY, status="failed")] == [an_id(2), an_id(3)]
    assert [record.id for record in ledger.listed(DAY, after=an_id(1))] == [an_id(2), an_id(3)]
    assert [record.id for record in ledger.listed(DAY, status="failed", after=an_id(2))] == [an_id(3)]
    assert list(ledger.listed("2026-11-21")) == []


def test_unsettled_are_those_that_wait_or_lack_a_report_and_are_not_long_gone(ledger: Ledger) -> None:
    for number, status in enumerate(("waiting", "archived", "reported", "failed", "unclaimed", "foreign")):
        ledger.register(a_record(number, status=status))
    ledger.register(a_record(0, "2026-11-15", status="waiting"))
    ledger.register(a_record(0, "2026-11-14", status="waiting"))
    assert [record.id for record in ledger.unsettled()] == [an_id(0, "2026-11-15"), an_id(0), an_id(1), an_id(4)]


def test_the_recordings_of_a_call_are_those_of_its_id_or_of_its_conversation(ledger: Ledger) -> None:
    for number, (call_id, server_call_id) in enumerate(
        [("call-1", "s/1"), ("call-2", "s/1"), ("", "s/2"), ("", ""), ("call-2", "s/3")]
    ):
        ledger.register(a_record(number, call_id=call_id, server_call_id=server_call_id))
    ledger.register(a_record(9, "2026-11-24", call_id="call-1"))

    def found(call_id: str, server_call_id: str, day: str = DAY) -> list[str]:
        return [record.id for record in ledger.of_call(day, call_id, server_call_id)]

    assert found("call-1", "s/1") == [an_id(0), an_id(1)]
    assert found("call-2", "") == [an_id(1), an_id(4)]
    assert found("call-3", "s/2") == [an_id(2)]
    assert found("call-1", "", "2026-11-24") == [an_id(9, "2026-11-24")]
    assert found("nobody", "") == []


def test_older_recordings_come_oldest_first(ledger: Ledger) -> None:
    days = ("2026-11-23", "2025-12-31", "2026-11-22", "2026-01-02")
    for day in days:
        ledger.register(a_record(0, day))
    assert list(ledger.older(DAY)) == [an_id(0, day) for day in ("2025-12-31", "2026-01-02", "2026-11-22")]


def test_a_ledger_that_never_held_anything_lists_nothing(ledger: Ledger) -> None:
    lists = (ledger.listed(DAY), ledger.unsettled(), ledger.older(DAY), ledger.reports(DAY))
    assert [list(found) for found in lists] == [[], [], [], []]


# Rows of reports


def test_a_reports_row_comes_back_whole(ledger: Ledger) -> None:
    ledger.put_report(a_row())
    (found,) = ledger.reports(DAY)
    assert found == a_row()
    assert [type(getattr(found, f.name)) for f in fields(found)] == [
        type(getattr(a_row(), f.name)) for f in fields(found)
    ]


def test_what_cannot_be_said_stays_unsaid_also_when_a_row_is_replaced(ledger: Ledger) -> None:
    ledger.put_report(a_row())
    without = a_row(
        conversation_seconds=None,
        silence_ratio=None,
        overlap_ratio=None,
        agent_talk_ratio=None,
        score=None,
        passed=None,
    )
    ledger.put_report(without)
    assert list(ledger.reports(DAY)) == [without]


def test_a_row_of_an_older_generation_replaces_no_newer_one(ledger: Ledger) -> None:
    assert ledger.put_report(a_row(generation=2, score=10.0))
    assert not ledger.put_report(a_row(generation=1, score=20.0))
    assert [row.score for row in ledger.reports(DAY)] == [10.0]
    assert ledger.put_report(a_row(generation=2, score=30.0))
    assert ledger.put_report(a_row(generation=10, score=40.0))
    assert [row.score for row in ledger.reports(DAY)] == [40.0]


def test_reports_of_a_day_are_listed_by_id_and_from_an_id_on(ledger: Ledger) -> None:
    for number in (2, 1, 3):
        ledger.put_report(a_row(number))
    ledger.put_report(a_row(1, "2026-11-22"))
    assert [row.id for row in ledger.reports(DAY)] == [an_id(1), an_id(2), an_id(3)]
    assert [row.id for row in ledger.reports(DAY, after=an_id(1))] == [an_id(2), an_id(3)]


def test_removing_a_recording_takes_its_row_and_no_others(ledger: Ledger) -> None:
    for number in (1, 2):
        ledger.register(a_record(number))
        ledger.put_report(a_row(number))
    ledger.remove(an_id(1))
    ledger.remove(an_id(1))
    assert [record.id for record in ledger.listed(DAY)] == [an_id(2)]
    assert [row.id for row in ledger.reports(DAY)] == [an_id(2)]


# The queue


def test_the_queue_in_memory_keeps_what_was_sent_in_order() -> None:
    queue = MemoryRecordingQueue()
    queue.send(an_id(), 0)
    queue.send(an_id(), None, delay=2.5)
    assert queue.sent == [(an_id(), 0, 0.0), (an_id(), None, 2.5)]
