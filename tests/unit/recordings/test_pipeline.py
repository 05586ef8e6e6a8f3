"""The life of a recording, step by step: each fault ends in an archive or in a poison record, nothing is doubled."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.errors import ForeignLocation, SourceUnavailable, StoreUnavailable, UnknownRecording
from shared.recordings.fetching import METADATA_ATTEMPTS
from shared.recordings.leased_records import LEASE
from shared.recordings.pipeline import MESSAGE_LOST
from shared.recordings.report_job import REPORT_ATTEMPTS
from tests.examples import examples
from tests.unit.recordings.world import Crash, World, sound

BROKEN = SourceUnavailable("the service answered 503.", 503)
FOREIGN = ForeignLocation("evil.example", "is not a host that recordings are fetched from.")


# What goes well


def test_an_event_becomes_one_message_for_each_file_and_then_one_report() -> None:
    world = World(3)
    recording = world.announce()
    assert [(name, chunk) for name, chunk, _ in world.queue.sent] == [(recording, 0), (recording, 1), (recording, 2)]
    assert world.run() == ["archived", "archived", "archived", "reported"]
    record = world.record(recording)
    assert record.status == "reported"
    assert record.call_id == "call-1"
    assert [chunk.bytes for chunk in record.chunks] == [len(sound())] * 3
    assert len(world.reports.made) == 1


def test_what_is_archived_is_what_the_service_sent_with_its_metadata_and_its_signal() -> None:
    world = World()
    recording = world.announce()
    world.run()
    folder = f"2026-11-23/{recording}"
    assert world.archive.files[f"{folder}/0.wav"] == sound()
    assert world.archive.types[f"{folder}/0.wav"] == "audio/wav"
    assert set(world.archive.files) == {f"{folder}/0.{kind}" for kind in ("wav", "metadata.json", "signal.json")}
    assert world.record(recording).chunks[0].seconds == pytest.approx(1.0)


def test_the_id_of_a_recording_tells_its_day_and_nothing_else() -> None:
    recording = World().announce()
    assert recording.startswith("20261123-")
    assert "eyJQbGF0Zm9ybSJ9" not in recording


def test_a_second_event_changes_nothing() -> None:
    world = World()
    first = world.announce()
    assert world.pipeline.announce(world.event) == ("duplicate", first)
    world.run()
    assert world.pipeline.announce(world.event) == ("duplicate", first)
    world.run()
    assert len(world.service.opened) == 1
    assert len(world.reports.made) == 1


def test_audio_of_a_kind_that_is_not_read_is_archived_once_and_says_why() -> None:
    world = World()
    recording = world.announce()
    name = f"{world.names[0]}/content/audio"
    world.service.files[name] = sound().replace((16_000).to_bytes(4, "little"), (44_100).to_bytes(4, "little"), 1)
    assert world.run() == ["archived", "reported"]
    chunk = world.record(recording).chunks[0]
    assert (chunk.status, chunk.analysed) == ("archived", False)
    assert "44100 Hz" in chunk.reason
    assert world.archive.files[f"2026-11-23/{recording}/0.wav"] == world.service.files[name]


def test_a_report_waits_for_its_call_to_end() -> None:
    world = World()
    world.announce()
    world.reports.calls_up = True
    assert world.step() == "archived"
    assert world.step() == "early"
    world.reports.calls_up = False
    assert world.run() == ["reported"]


def test_a_report_does_not_wait_for_ever() -> None:
    world = World()
    world.announce()
    world.reports.calls_up = True
    outcomes = world.run(most=2000)
    assert outcomes[-1] == "reported"
    assert outcomes.count("early") > 100


# What goes wrong at the source


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (b"", "0 bytes"),
        (BROKEN, "503"),
        (SourceUnavailable("the service answered 404.", 404), "404"),
        (StoreUnavailable("the storage failed."), "storage"),
    ],
    ids=["empty", "status-503", "status-404", "storage"],
)
def test_a_fault_that_passes_ends_in_an_archive(fault: bytes | Exception, reason: str) -> None:
    world = World()
    recording = world.announce()
    world.service.wrong = [fault, fault]
    assert world.step() == "retried"
    assert reason in world.record(recording).reason
    assert world.run() == ["retried", "archived", "reported"]
    record = world.record(recording)
    assert (record.status, record.reason, record.chunks[0].attempts) == ("reported", "", 3)
    assert world.archive.files[f"{record.folder}/0.wav"] == sound()


@pytest.mark.parametrize("fault", [b"", BROKEN], ids=["empty", "status-503"])
def test_a_fault_that_stays_ends_in_a_poison_record_at_the_deadline(fault: bytes | Exception) -> None:
    world = World(deadline=3600.0)
    recording = world.announce()
    world.service.wrong = [fault] * 100
    outcomes = world.run()
    assert set(outcomes) == {"retried", "failed"}
    assert len(outcomes) < 20, "the waits grow"
    record = world.record(recording)
    assert record.status == "failed"
    assert "given up at the deadline" in record.reason
    assert world.reports.made == []
    assert world.now == pytest.approx(record.deadline / 1000, abs=5)


def test_a_foreign_address_is_given_up_at_once() -> None:
    world = World()
    recording = world.announce()
    world.service.wrong = [FOREIGN]
    assert world.run() == ["failed"]
    assert world.record(recording).status == "failed"
    assert "evil.example" in world.record(recording).reason


def test_audio_is_archived_even_if_its_metadata_can_never_be_had() -> None:
    world = World()
    recording = world.announce()
    world.service.metadata_fails = 100
    assert world.run() == [*["retried"] * (METADATA_ATTEMPTS - 1), "archived", "reported"]
    assert f"2026-11-23/{recording}/0.metadata.json" not in world.archive.files


def test_an_event_without_files_is_a_poison_record() -> None:
    world = World(0)
    recording = world.announce()
    assert world.run() == []
    assert world.record(recording).reason == "the event has no files."


def test_a_file_that_cannot_be_had_leaves_a_report_of_the_rest_and_a_poison_record() -> None:
    world = World(2)
    recording = world.announce()
    world.service.wrong = [FOREIGN]
    assert world.run() == ["failed", "archived", "reported"]
    record = world.record(recording)
    assert record.status == "failed"
    assert record.reason.startswith("chunk 0: refused")
    assert record.reported_at > 0


# Two at once, and crashes


def test_a_second_worker_leaves_a_file_to_the_first() -> None:
    world = World(at_once=2)
    recording = world.announce()
    seen: list[str] = []
    world.service.on_open = lambda: seen.append(world.pipeline.work(recording, 0)) if not seen else None
    assert world.step() == "archived"
    assert seen == ["leased"]
    world.run()
    assert len(world.service.opened) == 1
    assert len(world.reports.made) == 1


def test_an_instance_that_is_busy_puts_work_back_instead_of_holding_a_thread() -> None:
    world = World(2, at_once=1)
    recording = world.announce()
    seen: list[str] = []
    world.service.on_open = lambda: seen.append(world.pipeline.work(recording, 1)) if not seen else None
    assert world.step() == "archived"
    assert seen == ["queued"]
    assert "reported" in world.run()
    assert len(world.service.opened) == 2


def test_a_crash_half_way_leaves_one_archive_and_one_report() -> None:
    world = World()
    recording = world.announce()
    world.service.wrong = [Crash()]
    with pytest.raises(Crash):
        world.step()
    assert world.archive.files.keys() <= {f"2026-11-23/{recording}/0.metadata.json"}, "nobody sees half a file"
    assert world.pipeline.work(recording, 0) == "leased"  # the queue gives the message out again
    assert world.queue.sent[-1][2] <= LEASE + 1
    assert world.run() == ["archived", "reported"]
    assert len(world.reports.made) == 1


def test_what_is_forgotten_is_taken_up_again() -> None:
    world = World()
    recording = world.announce()
    world.queue.sent.clear()
    assert world.pipeline.sweep()["resumed"] == 0
    world.now += MESSAGE_LOST
    assert world.pipeline.sweep()["resumed"] == 1
    assert world.run() == ["archived", "reported"]
    assert world.record(recording).status == "reported"


@settings(max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_whatever_happens_there_is_one_archive_and_one_report_or_a_poison_record(data: st.DataObject) -> None:
    """Faults, crashes, lost and repeated messages in any order; the timer finds what was lost."""
    files = data.draw(st.integers(1, 3), "files")
    world = World(files, deadline=6 * 3600.0)
    recording = world.announce()
    kinds: list[BaseException | bytes | None] = [None, None, Crash(), BROKEN, b"", FOREIGN]
    for _ in range(data.draw(st.integers(0, 30), "steps")):
        fault = data.draw(st.sampled_from(kinds))
        world.service.wrong = [] if fault is None else [fault]
        happening = data.draw(st.sampled_from(["step", "step", "twice", "lost", "event", "hours"]))
        if happening == "event":
            world.announce()
        elif happening == "hours":
            world.now += MESSAGE_LOST
            world.pipeline.sweep()
        elif world.queue.sent:
            index = data.draw(st.integers(0, len(world.queue.sent) - 1))
            if happening == "twice":
                world.queue.sent.append(world.queue.sent[index])
            if happening == "lost":
                world.queue.sent.pop(index)
                continue
            world.deliver(index)
    world.service.wrong = []
    world.run()
    world.now += MESSAGE_LOST
    world.pipeline.sweep()
    world.run()
    record = world.record(recording)
    assert record.status in ("reported", "failed")
    assert all(chunk.status in ("archived", "failed") for chunk in record.chunks)
    archived = [chunk for chunk in record.chunks if chunk.status == "archived"]
    assert all(world.archive.files[chunk.name] == sound() for chunk in archived)
    assert len(world.reports.made) == (1 if archived else 0)
    assert (record.status == "reported") == (len(archived) == files)
    assert all(chunk.reason for chunk in record.chunks if chunk.status == "failed")


# Reports that fail, replay, the poison queue


def test_a_report_that_fails_for_now_is_made_later() -> None:
    world = World()
    recording = world.announce()
    world.reports.fails = 2
    assert world.run() == ["archived", "retried", "retried", "reported"]
    assert world.record(recording).reason == ""


def test_a_report_that_always_fails_becomes_a_poison_record_and_can_be_replayed() -> None:
    world = World()
    recording = world.announce()
    world.reports.fails = REPORT_ATTEMPTS
    assert world.run()[-1] == "failed"
    assert world.record(recording).reason.startswith("report: the speech service")
    assert world.pipeline.replay(recording).status == "waiting"
    assert world.run() == ["reported"]
    assert len(world.service.opened) == 1, "what is archived is not fetched again"


def test_a_poison_record_can_be_replayed() -> None:
    world = World()
    recording = world.announce()
    world.service.wrong = [FOREIGN]
    world.run()
    world.now += 30 * 3600
    world.pipeline.replay(recording)
    assert world.run() == ["archived", "reported"]
    record = world.record(recording)
    assert (record.status, record.reason, record.generation) == ("reported", "", 2)


def test_nobody_replays_a_recording_that_does_not_exist() -> None:
    with pytest.raises(UnknownRecording):
        World().pipeline.replay("20261123-nothing")


def test_a_message_that_the_app_failed_on_too_often_is_a_poison_record() -> None:
    world = World()
    recording = world.announce()
    world.pipeline.mark_poisoned(recording, 0, "the app failed on it.")
    assert (world.record(recording).status, world.record(recording).reason) == (
        "failed",
        "chunk 0: the app failed on it.",
    )
    world.pipeline.replay(recording)
    world.run()
    world.pipeline.mark_poisoned(recording, None, "the app failed on it.")
    assert world.record(recording).status == "reported", "a late poison message does not undo a report"


# The end


def test_the_source_is_deleted_only_once_the_archive_is_verified() -> None:
    world = World(delete_source=True)
    recording = world.announce()
    world.service.wrong = [BROKEN]
    assert world.step() == "retried"
    assert world.service.deleted == []
    world.run()
    assert world.service.deleted == world.names
    assert world.record(recording).chunks[0].deleted


def test_a_source_that_cannot_be_deleted_now_is_deleted_later() -> None:
    world = World(delete_source=True)
    recording = world.announce()
    world.service.delete_fails = 2
    world.run()
    assert world.service.deleted == world.names
    assert len(world.service.opened) == 1
    assert world.record(recording).status == "reported"


def test_nothing_is_deleted_at_the_source_unless_the_settings_say_so() -> None:
    world = World()
    world.announce()
    world.run()
    assert world.service.deleted == []


def test_recordings_are_deleted_after_their_time_and_not_before() -> None:
    world = World(retention_days=30)
    recording = world.announce()
    world.run()
    world.now += 29 * 86400
    assert world.pipeline.sweep()["expired"] == 0
    world.now += 2 * 86400
    assert world.pipeline.sweep()["expired"] == 1
    assert world.archive.files == {}
    with pytest.raises(UnknownRecording):
        world.record(recording)


def test_recordings_are_kept_for_ever_if_the_settings_say_so() -> None:
    world = World(retention_days=0)
    world.announce()
    world.run()
    world.now += 3650 * 86400
    assert world.pipeline.sweep()["expired"] == 0
