"""Only recordings of this app's calls are fetched, and deleted at the service, unless the options say all."""

from __future__ import annotations

import pytest

from shared.calls.store.base import Version
from shared.errors import LostRace
from shared.recordings.claiming import FIRST_LOOK
from shared.recordings.pipeline import MESSAGE_LOST
from shared.recordings.record import RecordingRecord
from tests.unit.recordings.world import BEGAN, SERVER_CALL, Crash, World, file_event


class Calls(dict[str, str]):
    """The calls that the app knows, and how often it looked."""

    looks = 0

    def find(self, recording: str, server_call: str) -> str | None:
        self.looks += 1
        return self.get(server_call)


def test_a_recording_of_another_application_is_neither_fetched_nor_deleted() -> None:
    calls = Calls()
    world = World(call_of=calls.find, delete_source=True)
    recording = world.announce()
    assert world.record(recording).status == "unclaimed"
    outcomes = world.run()
    assert set(outcomes) == {"unclaimed", "foreign"}
    record = world.record(recording)
    assert (record.status, record.call_id) == ("foreign", "")
    assert "RECORDING_SCOPE=all" in record.reason
    assert (world.service.opened, world.service.deleted, world.archive.files) == ([], [], {})
    assert world.now == pytest.approx(record.deadline / 1000, abs=1), "for as long as the service keeps the files"
    assert calls.looks < 20, "at ever longer intervals"


@pytest.mark.parametrize("looks", [0, 1, 5, 10])
def test_a_recording_whose_call_becomes_known_later_is_fetched_then(looks: int) -> None:
    calls = Calls()
    world = World(call_of=calls.find, delete_source=True)
    recording = world.announce()
    assert [world.step() for _ in range(looks)] == ["unclaimed"] * looks
    before = world.now
    calls[SERVER_CALL] = "call-1"
    assert world.run() == ["claimed", "archived", "reported"]
    assert world.now - before <= max(FIRST_LOOK, before - BEGAN), "it waits no longer than it has waited"
    record = world.record(recording)
    assert (record.status, record.call_id, record.generation) == ("reported", "call-1", 1)
    assert world.service.deleted == world.names


def test_a_second_event_looks_again() -> None:
    calls = Calls()
    world = World(call_of=calls.find)
    recording = world.announce()
    world.queue.sent.clear()
    calls[SERVER_CALL] = "call-1"
    world.announce()
    assert world.run() == ["claimed", "archived", "reported"]
    assert world.record(recording).status == "reported"


def test_a_look_whose_message_was_lost_is_taken_up_by_the_timer_and_not_each_time() -> None:
    calls = Calls()
    world = World(call_of=calls.find)
    world.announce()
    for _ in range(6):
        world.step()
    quiet = world.queue.sent[-1][2]
    assert world.pipeline.sweep()["resumed"] == 0
    world.queue.sent.clear()
    world.now += quiet * 2 + MESSAGE_LOST
    assert [world.pipeline.sweep()["resumed"] for _ in range(2)] == [1, 0]
    calls[SERVER_CALL] = "call-1"
    assert world.run() == ["claimed", "archived", "reported"]


def test_a_look_that_is_not_due_yet_is_not_taken_for_a_lost_one() -> None:
    world = World(call_of=lambda recording, server_call: None)
    recording = world.announce()
    while world.now < BEGAN + 4 * MESSAGE_LOST:
        assert world.step() == "unclaimed"
    assert world.queue.sent[-1][2] > MESSAGE_LOST
    world.now += MESSAGE_LOST + 1
    assert world.pipeline.sweep()["resumed"] == 0
    assert world.record(recording).status == "unclaimed"


def test_two_looks_at_once_fetch_it_once() -> None:
    calls = Calls()
    world = World(call_of=calls.find)
    recording = world.announce()
    world.queue.sent *= 2
    calls[SERVER_CALL] = "call-1"
    assert world.run().count("reported") == 1
    assert len(world.service.opened) == 1
    assert world.record(recording).chunks[0].attempts == 1


def test_a_look_whose_response_is_lost_and_that_another_wrote_over_has_the_files_fetched_at_once() -> None:
    calls = Calls()
    world = World(call_of=calls.find)
    recording = world.announce()
    calls[SERVER_CALL] = "call-1"
    save, lost = world.ledger.save, [1]

    def loses(record: RecordingRecord, version: Version) -> Version:
        done = save(record, version)
        if lost and record.status == "waiting":
            lost.clear()
            stored, newest = world.ledger.load(recording)
            stored.mark = "another's"
            save(stored, newest)
            raise LostRace("the SDK's retry met our own write")
        return done

    world.ledger.save = loses  # type: ignore[method-assign]
    assert world.run() == ["claimed", "archived", "reported"]
    assert not lost


def test_a_crash_between_the_claim_and_the_request_for_its_files_forgets_none() -> None:
    calls = Calls()
    world = World(2, call_of=calls.find)
    recording = world.announce()
    calls[SERVER_CALL] = "call-1"
    message, send = world.queue.sent[0], world.queue.send

    def dies(*_: object, **__: object) -> None:
        raise Crash

    world.queue.send = dies  # type: ignore[method-assign]
    with pytest.raises(Crash):
        world.step()
    world.queue.send = send  # type: ignore[method-assign]
    assert world.record(recording).status == "waiting"
    world.queue.sent.append(message)
    assert world.run() == ["claimed", "archived", "archived", "reported"]


def test_a_replay_looks_for_the_call_once_more() -> None:
    calls = Calls()
    world = World(call_of=calls.find)
    recording = world.announce()
    world.run()
    assert world.pipeline.replay(recording).status == "unclaimed"
    world.run()
    assert world.record(recording).status == "foreign"
    calls[SERVER_CALL] = "call-1"
    world.pipeline.replay(recording)
    assert world.run()[-1] == "reported"


def test_a_later_file_of_another_applications_recording_is_not_fetched_either() -> None:
    world = World(2, call_of=lambda recording, server_call: None)
    whole, world.event = world.event, file_event(world.names[:1])
    recording = world.announce()
    world.run()
    world.event = whole
    world.announce()
    world.run()
    assert (world.record(recording).status, world.service.opened) == ("foreign", [])


def test_all_recordings_are_fetched_and_deleted_if_the_options_say_so() -> None:
    world = World(call_of=lambda recording, server_call: None, all_recordings=True, delete_source=True)
    recording = world.announce()
    assert world.run() == ["archived", "reported"]
    assert world.record(recording).call_id == ""
    assert world.service.deleted == world.names


def test_what_was_archived_for_all_is_not_deleted_at_the_source_once_only_own_ones_are() -> None:
    world = World(call_of=lambda recording, server_call: None, all_recordings=True)
    recording = world.announce()
    world.run()
    narrowed = World(call_of=lambda recording, server_call: None, delete_source=True)
    narrowed.pipeline._records._ledger = world.ledger
    narrowed.pipeline._archive = narrowed.pipeline._fetcher._archive = world.archive
    assert narrowed.pipeline.work(recording, 0) == "duplicate"
    assert narrowed.service.deleted == []
    assert narrowed.pipeline.replay(recording).status == "waiting", "there is nothing to fetch"


def test_a_report_of_what_is_archived_already_can_be_made_anew_though_its_call_is_forgotten() -> None:
    calls = Calls({SERVER_CALL: "call-1"})
    world = World(call_of=calls.find)
    recording = world.announce()
    world.run()
    calls.clear()
    assert world.pipeline.replay(recording).status == "waiting"
    assert world.run() == ["reported"]
