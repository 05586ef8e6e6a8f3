"""What goes wrong in the app itself, and what happens at the same time: nothing is lost or doubled."""

from __future__ import annotations

import copy
import logging
from typing import Any

import pytest

from shared.errors import ForeignLocation, SourceUnavailable, StoreUnavailable, UnknownRecording
from shared.events import RecordingFileStatusUpdated, parse_event_grid_event
from shared.quality.audio.signal import AudioPass
from shared.recordings.pipeline import MESSAGE_LOST
from shared.recordings.record import day_of_id
from shared.recordings.report_job import REPORT_ATTEMPTS
from tests.unit.recordings.world import SERVER_CALL, Crash, World, file_event, sound

SAID = "Ada Lovelace said +14255550123"
FOREIGN = ForeignLocation("evil.example", "is not a host that recordings are fetched from.")
BROKEN = SourceUnavailable("the service answered 503.", 503)


def outage(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next access to the ledger fails."""
    load = world.ledger.load

    def fails(recording: str) -> Any:
        monkeypatch.setattr(world.ledger, "load", load)
        raise StoreUnavailable("the storage answered 503 Server Busy")

    monkeypatch.setattr(world.ledger, "load", fails)


# Faults of the app's own


def test_a_bug_in_the_report_ends_in_a_poison_record_and_not_in_one_transcription_after_another(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = World()
    recording = world.announce()
    world.reports.error, world.reports.fails = ValueError(SAID), 100
    assert world.run() == ["archived", *["retried"] * (REPORT_ATTEMPTS - 1), "failed"]
    record = world.record(recording)
    assert (record.status, record.reason) == (
        "failed",
        "report: the app failed on it (ValueError); its log says where.",
    )
    assert "world.py" in caplog.text, "where it failed"
    assert SAID not in caplog.text
    world.reports.fails = 0
    world.pipeline.replay(recording)
    assert world.run() == ["reported"]


def test_a_report_that_kills_its_process_is_given_up() -> None:
    world = World()
    recording = world.announce()
    assert world.step() == "archived"
    begun: list[str] = []

    def die() -> None:
        begun.append(recording)
        assert len(begun) <= REPORT_ATTEMPTS
        raise Crash

    world.reports.on_make = die
    while world.queue.sent:
        world.deliver()
    assert len(begun) == REPORT_ATTEMPTS
    record = world.record(recording)
    assert (record.status, record.reason.startswith("report: every attempt broke off")) == ("failed", True)


def test_a_bug_in_the_analysis_costs_the_report_and_neither_the_audio_nor_another_download(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def feed(*_: object) -> None:
        raise IndexError(SAID)

    world = World()
    recording = world.announce()
    with monkeypatch.context() as patched:
        patched.setattr(AudioPass, "feed", feed)
        assert world.run() == ["archived", "reported"]
    chunk = world.record(recording).chunks[0]
    assert chunk.reason == "not analysed: the app failed on it (IndexError); its log says where."
    assert world.archive.files[chunk.name] == sound()
    assert SAID not in caplog.text
    world.service.files.clear()  # the service keeps nothing for long
    world.pipeline.replay(recording)
    assert world.run() == ["archived", "reported"]
    chunk = world.record(recording).chunks[0]
    assert (chunk.analysed, chunk.reason) == (True, "")
    assert chunk.seconds == pytest.approx(1.0)
    assert len(world.service.opened) == 1


def test_a_ledger_that_fails_for_a_while_sends_no_message_to_the_poison_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    recording = world.announce()
    outage(world, monkeypatch)
    assert world.step() == "retried"
    assert world.queue.sent[0][:2] == (recording, 0)
    assert 30 <= world.queue.sent[0][2] <= 60
    assert world.run() == ["archived", "reported"]


def test_a_renewal_that_fails_does_not_break_a_download_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.recordings.leased_records.RENEWAL", 0.0)
    world = World()
    world.announce()
    change = world.ledger.save
    renewals: list[str] = []

    def save(record: Any, version: Any) -> Any:
        if world.service.opened and not renewals:
            renewals.append(record.id)
            raise StoreUnavailable("the storage answered 503 Server Busy")
        return change(record, version)

    monkeypatch.setattr(world.ledger, "save", save)
    assert world.run() == ["archived", "reported"]
    assert renewals


# Telling of a report


def test_a_topic_that_fails_for_now_is_told_later_of_the_report_that_is_kept() -> None:
    world = World()
    recording = world.announce()
    world.reports.telling_fails = 3
    assert world.run() == ["archived", "retried", "retried", "retried", "reported"]
    assert (len(world.reports.made), len(world.reports.told)) == (1, 1)
    record = world.record(recording)
    assert (record.status, record.reason, record.note, record.untold) == ("reported", "", "made", False)


def test_a_topic_that_always_fails_leaves_a_report_and_a_note() -> None:
    world = World()
    recording = world.announce()
    world.reports.telling_fails = 100
    assert world.run()[-1] == "reported"
    assert len(world.reports.made) == 1
    assert world.record(recording).note.startswith("no event was published: the topic of reports")
    world.reports.telling_fails = 0
    world.pipeline.replay(recording)
    world.run()
    assert (len(world.reports.made), len(world.reports.told)) == (2, 1)


# Events


def later_event(world: World, chunks: int) -> RecordingFileStatusUpdated:
    """The same recording's event, with more files."""
    names = [f"https://eu.asm.skype.com/v1/objects/doc-{index}" for index in range(chunks)]
    world.service.files |= {f"{name}/content/audio": sound() for name in names}
    return file_event(names)


@pytest.mark.parametrize("before", ["announced", "reported"])
def test_files_that_a_later_event_names_are_not_lost(before: str) -> None:
    world = World()
    recording = world.announce()
    if before == "reported":
        world.run()
    assert world.pipeline.announce(later_event(world, 3)) == ("duplicate", recording)
    world.run()
    record = world.record(recording)
    assert [(chunk.index, chunk.status) for chunk in record.chunks] == [(n, "archived") for n in range(3)]
    assert (record.status, len(world.service.opened)) == ("reported", 3)
    assert len(world.reports.made[-1].chunks) == 3


def test_a_call_that_becomes_known_after_the_event_is_in_the_record() -> None:
    known: dict[str, str] = {}
    world = World(call_of=lambda recording, server_call: known.get(server_call))
    recording = world.announce()
    assert world.record(recording).call_id == ""
    known[SERVER_CALL] = "call-1"
    world.run()
    assert world.record(recording).call_id == "call-1"


def test_of_two_files_with_one_index_the_first_counts() -> None:
    world = World(2)
    for chunk in world.event.recording_storage_info.recording_chunks:
        object.__setattr__(chunk, "index", 0)
    recording = world.announce()
    assert world.run() == ["archived", "reported"]
    assert [chunk.document_id for chunk in world.record(recording).chunks] == ["doc-0"]


def test_an_event_of_which_nothing_can_be_fetched_stays_a_poison_record() -> None:
    world = World(0)
    recording = world.announce()
    assert world.queue.sent == []
    replayed = world.pipeline.replay(recording)
    assert (replayed.status, replayed.reason, world.queue.sent) == ("failed", "the event has no files.", [])


def test_an_event_without_metadata_is_archived_without() -> None:
    world = World()
    object.__setattr__(world.event.recording_storage_info.recording_chunks[0], "metadata_location", None)
    world.announce()
    assert world.run() == ["archived", "reported"]


# At the same time


def test_a_replay_is_not_undone_by_the_report_that_was_being_made() -> None:
    world = World(2)
    recording = world.announce()
    world.service.wrong = [FOREIGN]
    assert world.step() == "failed"
    assert world.step() == "archived"
    replayed: list[str] = []

    def replay() -> None:
        if not replayed:
            replayed.append(world.pipeline.replay(recording).status)

    world.reports.on_make = replay
    assert world.step() == "duplicate"
    world.run()
    record = world.record(recording)
    assert record.status == "reported"
    assert [chunk.status for chunk in world.reports.made[-1].chunks] == ["archived", "archived"]


def test_a_late_poison_message_of_a_report_changes_no_record_that_asks_for_none() -> None:
    world = World(2)
    recording = world.announce()
    world.pipeline.mark_poisoned(recording, None, "the app failed on it.")
    assert world.record(recording).status == "waiting"
    world.service.wrong = [FOREIGN]
    assert world.run() == ["failed", "archived", "reported"]
    world.pipeline.mark_poisoned(recording, None, "the app failed on it.")
    assert world.record(recording).reason.startswith("chunk 0: refused")


def test_a_download_that_is_under_way_at_the_deadline_is_finished() -> None:
    world = World(deadline=100.0, at_once=2)
    recording = world.announce()
    seen: list[str] = []

    def deadline() -> None:
        world.now += 110
        seen.append(world.pipeline.work(recording, 0))

    world.service.on_open = deadline
    assert world.step() == "archived"
    assert seen == ["leased"]
    assert "reported" in world.run()


def test_a_file_that_was_given_up_and_comes_after_all_is_reported() -> None:
    world = World()
    recording = world.announce()
    world.service.on_open = lambda: world.pipeline.mark_poisoned(recording, 0, "the app failed on it.")
    assert world.step() == "archived"
    assert world.run() == ["reported"]
    assert world.record(recording).reason == ""


def test_what_has_waited_long_for_room_asks_less_often() -> None:
    world = World(2, at_once=1)
    recording = world.announce()
    delays: list[float] = []

    def ask() -> None:
        for _ in range(2):
            assert world.pipeline.work(recording, 1) == "queued"
            delays.append(world.queue.sent.pop()[2])
            world.now += 100

    world.service.on_open = ask
    world.step()
    assert delays[0] < 5 < delays[1] < 40


def test_what_is_forgotten_is_taken_up_once_and_not_each_time_that_the_timer_comes() -> None:
    world = World()
    world.announce()
    world.now += MESSAGE_LOST
    assert [world.pipeline.sweep()["resumed"] for _ in range(3)] == [1, 0, 0]


def test_a_recording_that_somebody_works_on_is_deleted_later() -> None:
    world = World(retention_days=1)
    recording = world.announce()
    world.now += 3 * 86400
    world.pipeline.replay(recording)
    expired: list[int] = []
    world.service.on_open = lambda: expired.append(world.pipeline.sweep()["expired"])
    assert world.step() == "archived"
    assert expired == [0]
    assert world.pipeline.sweep()["expired"] == 1
    assert world.archive.files == {}
    with pytest.raises(UnknownRecording):
        world.step()


def another(world: World) -> str:
    """A second recording; its id."""
    raw = copy.deepcopy(dict(world.event.raw))
    raw["subject"] = raw["subject"].replace("eyJQ", "fzKQ")
    event = parse_event_grid_event(raw)
    assert isinstance(event, RecordingFileStatusUpdated)
    return world.pipeline.announce(event)[1]


@pytest.mark.parametrize(
    ("error", "failed"), [(UnknownRecording("gone"), 0), (StoreUnavailable("503"), 1), (ValueError(SAID), 1)]
)
@pytest.mark.parametrize("what", ["resumed", "expired"])
def test_one_recording_that_cannot_be_swept_does_not_keep_the_others_from_it(
    what: str, error: Exception, failed: int, caplog: pytest.LogCaptureFixture
) -> None:
    world = World(retention_days=1)
    first, second = sorted([world.announce(), another(world)])
    if what == "expired":
        world.run()
    world.now += MESSAGE_LOST if what == "resumed" else 5 * 86400
    load = world.ledger.load

    def fails(recording: str) -> Any:
        if recording == first:
            raise error
        return load(recording)

    world.ledger.load = fails  # type: ignore[method-assign]
    done = world.pipeline.sweep()
    assert (done[what], done["failed"]) == (1, failed)
    assert (first in caplog.text) == bool(failed)
    assert SAID not in caplog.text
    if what == "expired":
        with pytest.raises(UnknownRecording):
            world.record(second)


# Deleting at the source


def test_a_crash_while_the_source_is_deleted_does_not_delay_the_report(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(delete_source=True)
    recording = world.announce()

    def crash(location: str) -> None:
        raise Crash

    with monkeypatch.context() as patched:
        patched.setattr(world.service, "delete", crash)
        with pytest.raises(Crash):
            world.step()
    assert world.pipeline.work(recording, 0) == "archived"
    assert world.run() == ["reported"]
    assert world.service.deleted == world.names


def test_a_source_that_can_never_be_deleted_is_asked_less_and_less() -> None:
    world = World(delete_source=True)
    recording = world.announce()
    world.service.delete_fails = 10_000
    world.run()
    assert 10 < world.service.deletions < 60
    assert world.record(recording).status == "reported"
    assert len(world.reports.made) == 1


def test_what_is_not_deleted_does_not_count_as_deleted(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(location: str) -> None:
        raise FOREIGN

    world = World(delete_source=True)
    recording = world.announce()
    monkeypatch.setattr(world.service, "delete", refuse)
    caplog.set_level(logging.ERROR)
    assert world.run() == ["archived", "reported"]
    assert not world.record(recording).chunks[0].deleted
    assert "not deleted at the source" in caplog.text


@pytest.mark.parametrize(
    "name",
    [
        "",
        "nothing",
        "20261123",
        "20261123-",
        "20261123-../x",
        "20261123-a/b",
        "20261123-A",
        "\u0662\u0660\u0662\u0666\u0661\u0661\u0662\u0663-a",
        "20261123-a\n",
    ],
)
def test_what_is_no_id_of_a_recording_has_no_day(name: str) -> None:
    assert day_of_id(name) == ""
    assert day_of_id("20261123-5d41402abc") == "2026-11-23"
