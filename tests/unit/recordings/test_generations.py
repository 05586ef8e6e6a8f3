"""One generation number decides which report counts, under which id it is told, and what is late."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.calls.store.memory import MemoryStore
from shared.notifications.event import Event
from shared.quality.report import Report
from shared.quality.thresholds import Thresholds
from shared.recordings.base import ReportRow
from shared.recordings.leased_records import REPORT_LEASE
from shared.recordings.pipeline import MESSAGE_LOST
from shared.recordings.record import report_name
from shared.recordings.report_job import REPORT_ATTEMPTS
from shared.recordings.reporting import QualityReporter
from tests.examples import examples
from tests.unit.recordings.world import Crash, World, file_event


class CallEvidence:
    """A topic: event id and data of each event, in order."""

    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.on_publish: Callable[[], None] = lambda: None

    def deliver(self, event: Event) -> None:
        self.on_publish()
        self.events.append((event.id, dict(event.data)))


class Room(World):
    """A world whose reports are real, and of which files come one by one."""

    def __init__(self, files: int = 2) -> None:
        self.told = CallEvidence()
        super().__init__(
            files,
            reporter=lambda world: QualityReporter(
                archive=world.archive,
                ledger=world.ledger,
                store=MemoryStore(),
                thresholds=Thresholds(),
                publisher=self.told,
            ),
            at_once=9,
        )
        self.known = 1
        self.event = file_event(self.names[:1])

    def later_file(self) -> None:
        """The session went on: another event names one file more."""
        self.known = min(self.known + 1, len(self.names))
        self.event = file_event(self.names[: self.known])
        self.announce()

    def report(self, recording: str) -> Report:
        return Report.model_validate_json(self.archive.get_text(report_name(recording)))

    def check(self, recording: str) -> None:
        """The report, its row and its event are of one generation, and hold every file."""
        record, report = self.record(recording), self.report(recording)
        (row,) = self.ledger.reports(record.day)
        assert (record.status, record.reason, record.untold) == ("reported", "", False)
        assert len(report.recording.chunks) == self.known
        assert all(chunk.blob for chunk in report.recording.chunks)
        assert report.generation == row.generation == record.generation
        assert report.recording.seconds == row.seconds
        newest = [data for event_id, data in self.told.events if event_id == f"{recording}.{record.generation}"]
        assert newest
        assert all(data["seconds"] == report.recording.seconds for data in newest)
        by_id: dict[str, set[float]] = {}
        for event_id, data in self.told.events:
            assert event_id == f"{recording}.{data['generation']}"
            by_id.setdefault(event_id, set()).add(data["seconds"])
        assert all(len(seconds) == 1 for seconds in by_id.values()), "one id, one report"


def once(act: Callable[[], Any]) -> Callable[..., None]:
    """Does it the first time that it is called."""
    left = [act]

    def doing(*_: object) -> None:
        if left:
            left.pop()()

    return doing


def at(room: Room, moment: str, act: Callable[[], Any]) -> None:
    """Do something at a moment of a report's making."""
    doing = once(act)
    if moment == "before it is kept":
        put = room.archive.put_newest

        def kept(name: str, text: str, generation: int) -> bool:
            doing()
            return put(name, text, generation)

        room.archive.put_newest = kept  # type: ignore[method-assign]
    elif moment == "before its row":
        put_row = room.ledger.put_report

        def kept_row(row: ReportRow) -> bool:
            doing()
            return put_row(row)

        room.ledger.put_report = kept_row  # type: ignore[method-assign]
    else:
        room.told.on_publish = doing


MOMENTS = ["before it is kept", "before its row", "before it is told"]


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_report_that_newer_files_overtake_does_not_replace_the_newer_one(moment: str) -> None:
    room = Room()
    recording = room.announce()
    assert room.step() == "archived"

    def meanwhile() -> None:
        room.later_file()
        assert room.run()[-1] == "reported"

    at(room, moment, meanwhile)
    assert room.step() == "duplicate"
    room.check(recording)


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_replay_while_the_report_is_made_makes_it_late(moment: str) -> None:
    room = Room(1)
    recording = room.announce()
    assert room.step() == "archived"
    at(room, moment, lambda: room.pipeline.replay(recording))
    assert room.step() == "duplicate"
    assert room.run() == ["reported"]
    room.check(recording)
    assert room.record(recording).generation == 2


@pytest.mark.parametrize("moment", [*MOMENTS, "after it is told"])
def test_a_crash_at_any_moment_of_a_report_leaves_one_that_counts(moment: str) -> None:
    room = Room(1)
    recording = room.announce()
    assert room.step() == "archived"

    def die() -> None:
        raise Crash

    if moment == "after it is told":
        save = room.ledger.save
        dying = once(die)

        def saves(record: Any, version: Any) -> Any:
            if record.status == "reported":
                dying()
            return save(record, version)

        room.ledger.save = saves  # type: ignore[method-assign]
    else:
        at(room, moment, die)
    message = room.queue.sent[0]
    with pytest.raises(Crash):
        room.step()
    room.queue.sent.append(message)
    assert room.run()[-1] == "reported"
    room.check(recording)
    assert {event_id for event_id, _ in room.told.events} == {f"{recording}.1"}


def test_a_report_that_is_kept_is_not_made_again_when_only_telling_broke_off() -> None:
    world = World()
    recording = world.announce()
    world.step()
    message, publish = world.queue.sent[0], world.reports.publish

    def dies(record: Any) -> None:
        world.reports.publish = publish  # type: ignore[method-assign]
        raise Crash

    world.reports.publish = dies  # type: ignore[method-assign]
    with pytest.raises(Crash):
        world.step()
    assert world.record(recording).untold
    world.queue.sent.append(message)
    assert world.run()[-1] == "reported"
    assert (len(world.reports.made), len(world.reports.told)) == (1, 1)


def test_a_report_that_is_kept_does_not_fail_because_telling_kills_the_process() -> None:
    world = World()
    recording = world.announce()
    world.step()
    message = world.queue.sent.pop()

    def dies(record: Any) -> None:
        raise Crash

    world.reports.publish = dies  # type: ignore[method-assign]
    for _ in range(REPORT_ATTEMPTS):
        with pytest.raises(Crash):
            world.pipeline.work(recording, None)
        world.now += REPORT_LEASE + 1
    assert world.pipeline.work(*message[:2]) == "reported"
    record = world.record(recording)
    assert (record.status, len(world.reports.made)) == ("reported", 1)
    assert record.note.startswith("no event was published: every attempt broke off")


def test_a_last_attempt_that_fails_does_not_give_up_the_generation_that_a_replay_began_meanwhile() -> None:
    world = World()
    recording = world.announce()
    world.reports.fails = REPORT_ATTEMPTS
    while world.record(recording).attempts < REPORT_ATTEMPTS - 1 or world.record(recording).status != "archived":
        world.step()
    world.reports.on_make = once(lambda: world.pipeline.replay(recording))
    assert world.step() == "duplicate"
    assert world.record(recording).status == "archived"
    assert world.run() == ["reported"]


def test_a_file_that_comes_after_it_was_given_up_is_in_a_report_of_its_own_generation() -> None:
    room = Room(2)
    room.later_file()
    recording = room.announce()
    room.queue.sent.clear()
    assert room.pipeline.work(recording, 0) == "archived"

    def given_up() -> None:
        room.service.on_open = lambda: None
        room.now += 24 * 3600
        assert room.pipeline.work(recording, 1) == "failed"
        assert room.run()[-1] == "reported"
        assert room.record(recording).status == "failed"
        assert len([one for one in room.report(recording).recording.chunks if one.blob]) == 1

    room.service.on_open = given_up
    assert room.pipeline.work(recording, 1) == "archived"
    assert room.run()[-1] == "reported"
    room.check(recording)
    assert len(room.told.events) == 2


def test_each_report_that_is_made_anew_is_told_under_an_id_of_its_own() -> None:
    room = Room(3)
    recording = room.announce()
    room.run()
    room.later_file()
    room.run()
    room.pipeline.replay(recording)
    room.run()
    room.later_file()
    room.run()
    room.check(recording)
    assert [event_id for event_id, _ in room.told.events] == [f"{recording}.{n}" for n in (1, 2, 3, 4)]


@settings(max_examples=examples(40), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_whatever_happens_while_reports_are_made_the_last_one_holds_everything(data: st.DataObject) -> None:
    """Later files, replays, a second instance, lost leases and crashes, between any two writes of a report."""
    room = Room(3)
    recording = room.announce()
    left = [data.draw(st.integers(0, 12), "happenings")]

    def happens(*_: object) -> None:
        if left[0] <= 0:
            return
        left[0] -= 1
        what = data.draw(st.sampled_from(["nothing", "file", "replay", "other", "taken over", "crash", "hours"]))
        if what == "file":
            room.later_file()
        elif what == "replay":
            room.pipeline.replay(recording)
        elif what == "crash":
            raise Crash
        elif what == "hours":
            room.now += MESSAGE_LOST
            room.pipeline.sweep()
        elif what in ("other", "taken over"):
            room.now += REPORT_LEASE + 1 if what == "taken over" else 0
            work()

    def work() -> None:
        if room.queue.sent:
            room.deliver()

    put, put_row = room.archive.put_newest, room.ledger.put_report

    def kept(name: str, text: str, generation: int) -> bool:
        happens()
        return put(name, text, generation)

    def kept_row(row: ReportRow) -> bool:
        happens()
        return put_row(row)

    room.archive.put_newest = kept  # type: ignore[method-assign]
    room.ledger.put_report = kept_row  # type: ignore[method-assign]
    room.told.on_publish = happens
    room.service.on_open = happens
    for _ in range(40):
        work()
    left[0] = 0
    room.run()
    room.now += MESSAGE_LOST
    room.pipeline.sweep()
    room.run()
    room.check(recording)
