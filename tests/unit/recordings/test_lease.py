"""One instance at a time works on a thing, whatever the clocks say; what is late does not count."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.errors import LostRace, StoreUnavailable
from shared.recordings.leased_records import LEASE, RENEWAL, Lease, Leased, LeasedRecords, Superseded
from shared.recordings.memory import MemoryLedger
from shared.recordings.record import RecordingRecord
from tests.examples import examples
from tests.unit.recordings.samples import a_chunk, a_record, an_id
from tests.unit.recordings.world import BEGAN, World, sound

ID = an_id()


class Desk:
    """A ledger with one recording, and instances whose clocks are set by hand."""

    def __init__(self) -> None:
        self.ledger = MemoryLedger()
        chunk = a_chunk(status="waiting", attempts=0, leased_until=0, holder="")
        self.ledger.register(a_record(attempts=0, leased_until=0, holder="", mark="", chunks=[chunk]))

    def records(self, now: list[float]) -> LeasedRecords:
        return LeasedRecords(self.ledger, lambda: now[0])

    @property
    def chunk(self) -> Any:
        return self.ledger.load(ID)[0].chunks[0]


def chunk(record: RecordingRecord) -> Leased:
    return record.chunks[0]


def recording(record: RecordingRecord) -> Leased:
    return record


@pytest.mark.parametrize("pick", [chunk, recording])
def test_a_lease_is_had_by_one_until_it_runs_out(pick: Callable[[RecordingRecord], Leased]) -> None:
    now, desk = [BEGAN], Desk()
    records = desk.records(now)
    first = records.take(ID, pick, LEASE)
    with pytest.raises(Superseded):
        records.take(ID, pick, LEASE)
    now[0] += LEASE - 1
    assert records.busy(pick(records.load(ID)), LEASE) == pytest.approx(1)
    with pytest.raises(Superseded):
        records.take(ID, pick, LEASE)
    now[0] += 1
    second = records.take(ID, pick, LEASE)
    assert pick(second.record).attempts == 2
    with pytest.raises(Superseded):
        first.settle(lambda _: None)
    with pytest.raises(Superseded):
        first.change(lambda _: None)
    settled = second.settle(lambda _: None)
    assert settled is second.record
    assert (pick(records.load(ID)).leased_until, pick(records.load(ID)).holder) == (0, "")


def test_a_lease_is_renewed_by_the_clock_that_it_was_given_by() -> None:
    now, desk = [BEGAN], Desk()
    lease = desk.records(now).take(ID, chunk, LEASE)
    until = desk.chunk.leased_until
    now[0] += RENEWAL - 1
    lease.alive()
    assert desk.chunk.leased_until == until, "not yet: each renewal costs two round trips"
    now[0] += 1
    lease.alive()
    assert desk.chunk.leased_until == until + RENEWAL * 1000
    now[0] += RENEWAL - 1
    lease.alive()
    assert desk.chunk.leased_until == until + RENEWAL * 1000, "it counts from the last renewal"


def test_a_clock_that_is_set_back_makes_a_renewal_due() -> None:
    now, desk = [BEGAN], Desk()
    lease = desk.records(now).take(ID, chunk, LEASE)
    now[0] -= 3600
    lease.alive()
    assert desk.chunk.leased_until == (now[0] + LEASE) * 1000


def test_a_lease_of_a_clock_that_was_far_ahead_does_not_hold_for_years() -> None:
    ahead, now, desk = [BEGAN + 10 * 365 * 86400], [BEGAN], Desk()
    desk.records(ahead).take(ID, chunk, LEASE)
    desk.records(now).take(ID, chunk, LEASE)
    assert desk.chunk.attempts == 2


def test_who_was_taken_over_learns_it_at_the_next_renewal() -> None:
    now, desk = [BEGAN], Desk()
    first = desk.records(now).take(ID, chunk, LEASE)
    now[0] += LEASE
    desk.records(now).take(ID, chunk, LEASE)
    with pytest.raises(Superseded):
        first.alive()


def test_a_lease_that_ran_out_while_nobody_else_came_goes_on() -> None:
    now, desk = [BEGAN], Desk()
    lease = desk.records(now).take(ID, chunk, LEASE)
    now[0] += 10 * LEASE
    lease.alive()
    assert desk.records(now).busy(desk.chunk, LEASE) == LEASE


def test_a_lease_that_was_taken_away_is_taken_again_as_long_as_nobody_else_has_it() -> None:
    """As of a file that was given up while it still came: what has come is not thrown away."""
    now, desk = [BEGAN], Desk()
    records = desk.records(now)
    lease = records.take(ID, chunk, LEASE)

    def taken_away(record: RecordingRecord) -> None:
        record.chunks[0].leased_until, record.chunks[0].holder = 0, ""

    records.change(ID, taken_away)
    now[0] += RENEWAL
    lease.alive()
    assert records.busy(desk.chunk, LEASE) == LEASE
    with pytest.raises(Superseded):
        records.take(ID, chunk, LEASE)


def test_attempts_that_are_counted_anew_do_not_give_a_lease_back_to_who_lost_it() -> None:
    now, desk = [BEGAN], Desk()
    records = desk.records(now)
    first = records.take(ID, chunk, LEASE)

    def again(record: RecordingRecord) -> None:
        record.chunks[0].attempts, record.chunks[0].leased_until, record.chunks[0].holder = 0, 0, ""

    records.change(ID, again)
    records.take(ID, chunk, LEASE)
    assert desk.chunk.attempts == 1
    now[0] += RENEWAL
    with pytest.raises(Superseded):
        first.alive()


@pytest.mark.parametrize("error", [StoreUnavailable("503"), LostRace("raced")])
def test_a_renewal_that_fails_is_tried_again_at_the_next(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    now, desk = [BEGAN], Desk()
    lease = desk.records(now).take(ID, chunk, LEASE)

    def fails(*_: object) -> Any:
        raise error

    with monkeypatch.context() as patched:
        patched.setattr(desk.ledger, "save", fails)
        now[0] += RENEWAL
        lease.alive()
    now[0] += RENEWAL
    lease.alive()
    assert desk.records(now).busy(desk.chunk, LEASE) == LEASE


@pytest.mark.parametrize("step", ["take", "settle"])
def test_a_write_that_was_carried_out_though_its_response_was_lost_is_known_again(step: str) -> None:
    now, desk = [BEGAN], Desk()
    records = desk.records(now)
    held = records.take(ID, chunk, LEASE) if step == "settle" else None
    save, lost = desk.ledger.save, [1]

    def saves(record: Any, version: Any) -> Any:
        done = save(record, version)
        if lost:
            lost.clear()
            raise LostRace("the SDK's retry met our own write")
        return done

    desk.ledger.save = saves  # type: ignore[method-assign]
    if held is None:
        lease = records.take(ID, chunk, LEASE)
        lease.settle(lambda _: None)
        assert desk.chunk.attempts == 1
    else:
        edits: list[str] = []
        held.settle(lambda record: edits.append(record.id))
        assert len(edits) == 1


def test_a_lease_whose_response_was_lost_is_ours_though_somebody_else_changed_the_record_meanwhile() -> None:
    now, desk = [BEGAN], Desk()
    records = desk.records(now)
    save, lost = desk.ledger.save, [1]

    def saves(record: Any, version: Any) -> Any:
        done = save(record, version)
        if lost:
            lost.clear()
            desk.records(now).change(ID, lambda other: setattr(other, "note", "changed"))
            raise LostRace("the SDK's retry met a later write than ours")
        return done

    desk.ledger.save = saves  # type: ignore[method-assign]
    lease = records.take(ID, chunk, LEASE)
    lease.settle(lambda _: None)
    assert (desk.chunk.attempts, desk.ledger.load(ID)[0].note) == (1, "changed")


@pytest.mark.parametrize(("left", "seconds"), [(1, 0.001), (240_000, 240.0), (240_001, 0.0), (0, 0.0), (-1, 0.0)])
def test_a_lease_holds_to_its_last_millisecond_and_none_for_more_than_twice_its_length(
    left: int, seconds: float
) -> None:
    desk = Desk()
    records = desk.records([BEGAN])
    leased = a_chunk(leased_until=records.now() + left, holder="somebody")
    assert records.busy(leased, 120.0) == pytest.approx(seconds)


def test_a_lease_is_not_renewed_in_the_moment_in_which_it_was_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk()
    lease = desk.records([BEGAN]).take(ID, chunk, LEASE)
    saved: list[Any] = []
    monkeypatch.setattr(desk.ledger, "save", lambda *args: saved.append(args))
    lease.alive()
    assert saved == []


def test_a_lease_is_not_taken_of_what_is_not_due_though_nobody_holds_it() -> None:
    desk = Desk()
    with pytest.raises(Superseded):
        desk.records([BEGAN]).take(ID, chunk, LEASE, due=lambda record: False)
    assert desk.chunk.attempts == 0


def test_a_change_that_lost_its_race_is_made_again_on_what_is_there_then(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk()
    records, save, races = desk.records([BEGAN]), desk.ledger.save, [1]

    def raced(record: Any, version: Any) -> Any:
        if races:
            races.clear()
            records.change(ID, lambda other: setattr(other, "reason", "theirs"))
            raise LostRace("somebody was quicker")
        return save(record, version)

    monkeypatch.setattr(desk.ledger, "save", raced)
    changed = records.change(ID, lambda mine: setattr(mine, "note", "ours"))
    stored = desk.ledger.load(ID)[0]
    assert (stored.reason, stored.note) == (changed.reason, changed.note) == ("theirs", "ours")


def test_a_change_that_loses_every_race_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk()

    def raced(record: Any, version: Any) -> Any:
        raise LostRace("somebody was quicker")

    monkeypatch.setattr(desk.ledger, "save", raced)
    with pytest.raises(LostRace, match="changed 50 times"):
        desk.records([BEGAN]).change(ID, lambda record: None)


def test_holders_and_marks_are_long_enough_to_be_nobody_elses() -> None:
    desk = Desk()
    desk.records([BEGAN]).take(ID, chunk, LEASE)
    assert (len(desk.chunk.holder), len(desk.ledger.load(ID)[0].mark)) == (16, 16)


def test_a_download_that_another_instance_has_archived_meanwhile_is_broken_off() -> None:
    world = World(at_once=2)
    world.service.files[f"{world.names[0]}/content/audio"] = sound(30.0)
    recording, open_writer = world.announce(), world.archive.writer
    written: list[int] = []

    def slow(name: str, kind: str) -> Any:
        world.archive.writer = open_writer  # type: ignore[method-assign]
        writer = open_writer(name, kind)
        write = writer.write

        def held_up(block: bytes) -> None:
            write(block)
            written.append(len(block))
            if len(written) == 1:
                world.now += LEASE + 1
                assert world.pipeline.work(recording, 0) == "archived"

        writer.write = held_up  # type: ignore[method-assign]
        return writer

    world.archive.writer = slow  # type: ignore[method-assign,assignment]
    assert world.step() == "duplicate"
    assert len(written) == 1


def test_a_download_of_half_an_hour_keeps_its_lease() -> None:
    world = World()
    world.service.files[f"{world.names[0]}/content/audio"] = sound(60.0)
    recording, open_writer = world.announce(), world.archive.writer
    taken: list[float] = []

    def slow(name: str, kind: str) -> Any:
        writer = open_writer(name, kind)
        write = writer.write

        def later(block: bytes) -> None:
            write(block)
            world.now += 5
            if world.record(recording).chunks[0].leased_until / 1000 <= world.now:
                taken.append(world.now)

        writer.write = later  # type: ignore[method-assign]
        return writer

    world.archive.writer = slow  # type: ignore[method-assign,assignment]
    began = world.now
    assert world.step() == "archived"
    assert world.now - began > 1800
    assert taken == []


@settings(max_examples=examples(150), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_of_two_instances_whose_clocks_jump_only_the_holder_settles(data: st.DataObject) -> None:
    """It is settled by who holds it, or by the last who did; nobody who was taken over settles it."""
    desk = Desk()
    clocks = [[BEGAN], [BEGAN]]
    held: list[Lease | None] = [None, None]
    taken = 0
    for _ in range(data.draw(st.integers(1, 25), "steps")):
        who = data.draw(st.integers(0, 1), "who")
        act = data.draw(st.sampled_from(["take", "alive", "settle", "crash", "time", "jump"]), "act")
        lease = held[who]
        try:
            if act == "take":
                held[who] = desk.records(clocks[who]).take(ID, chunk, LEASE)
                taken += 1
                other = held[1 - who]
                assert other is None or other._holder != desk.chunk.holder
            elif act == "alive" and lease is not None:
                lease.alive()
            elif act == "settle" and lease is not None:
                holder = desk.chunk.holder
                held[who] = None
                lease.settle(lambda _: None)
                assert holder in ("", lease._holder), "it was somebody else's"
            elif act == "crash":
                held[who] = None
            elif act == "time":
                for clock in clocks:
                    clock[0] += data.draw(st.sampled_from([1.0, RENEWAL, LEASE]), "seconds")
            elif act == "jump":
                clocks[who][0] += data.draw(st.sampled_from([-86400.0, -LEASE, -1.0, 1.0, LEASE, 86400.0]), "jump")
        except Superseded:
            if act != "take":
                held[who] = None
        assert desk.chunk.attempts == taken
    # Whatever happened: once the clocks are right and everybody is gone, somebody gets it within two leases.
    right = [BEGAN + 30 * 86400]
    records = desk.records(right)
    right[0] += records.busy(desk.chunk, LEASE)
    records.take(ID, chunk, LEASE)


@settings(max_examples=examples(50), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.floats(0.1, RENEWAL), min_size=1, max_size=30))
def test_who_renews_in_time_is_never_taken_over(gaps: list[float]) -> None:
    now, desk = [BEGAN], Desk()
    mine, other = desk.records(now), desk.records(now)
    lease = mine.take(ID, chunk, LEASE)
    for gap in gaps:
        now[0] += gap
        lease.alive()
        with pytest.raises(Superseded):
            other.take(ID, chunk, LEASE)
    lease.settle(lambda _: None)
