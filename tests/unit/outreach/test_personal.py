"""What is kept of a number: exported, erased but for what keeps it from being called, and gone in time."""

from __future__ import annotations

from datetime import timedelta

from shared.identifiers import Identifier
from tests.unit.outreach.engine import OPTED_OUT, World, answered
from tests.unit.outreach.people import BERLIN, NEW_YORK

ADA = Identifier.parse(BERLIN)


def called(**how: object) -> World:
    """Somebody was called."""
    world = World()
    world.campaign()
    world.add("1", BERLIN)
    world.add("2", NEW_YORK)
    world.calls.most = 2
    world.dial()
    for attempt in list(world.calls.going_on):
        world.end(attempt, **how)
    return world


def test_all_of_a_number_is_exported_and_of_nobody_else() -> None:
    kept = called(**OPTED_OUT).outreach.export(ADA)
    assert {name: len(found) for name, found in kept.items()} == {
        "people": 1,
        "calls": 1,
        "do_not_call": 1,
        "evidence": 1,
    }
    assert NEW_YORK not in str(kept)
    assert World().outreach.export(ADA) == {}


def test_what_keeps_somebody_from_being_called_outlives_their_erasure() -> None:
    world = called(**OPTED_OUT)
    erased = world.outreach.erase(ADA)
    assert (erased.rows, "no calls are wanted" in erased.stays) == (2, True)
    assert set(world.outreach.export(ADA)) == {"calls", "do_not_call"}
    assert set(world.outreach.export(Identifier.parse(NEW_YORK))) == {"people", "calls", "do_not_call", "evidence"}
    nothing = World().outreach.erase(ADA)
    assert (nothing.rows, nothing.stays) == (0, "")


def test_nobody_is_known_by_a_withheld_number_or_as_a_user() -> None:
    world = called(**answered())
    for raw_id in ("4:anonymous", "8:acs:somebody"):
        assert world.outreach.export(Identifier(raw_id=raw_id)) == {}
        assert world.outreach.erase(Identifier(raw_id=raw_id)).rows == 0


def test_calls_are_forgotten_after_a_week_and_evidence_after_its_days() -> None:
    world = called(**answered())
    assert world.outreach.expire(world.now + timedelta(days=7, hours=23)) == 0
    assert world.outreach.expire(world.now + timedelta(days=8, hours=1)) == 0, "an instance looks once a day"
    assert world.outreach.expire(world.now + timedelta(days=9)) == 2
    assert set(world.outreach.export(ADA)) == {"people", "evidence"}
    assert world.outreach.expire(world.now + timedelta(days=1826)) == 2
    assert set(world.outreach.export(ADA)) == {"people"}
