"""Which calls of a campaign go on, and whether there is room for one more."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from shared.outreach.dialing import (
    Dialing,
    OpenCall,
    Slots,
    dialed_by,
    found_again,
    left_by,
    lost,
    opened,
    over,
    still_dialed_by,
    wakes,
)
from tests.unit.outreach.people import MONDAY

ONE, OTHER = "+18005550177", "+18005550188"
LATER = MONDAY + timedelta(minutes=1)


def opens(dialing: Dialing, key: str, slots: Mapping[str, Slots | None], most: int = 0) -> Dialing:
    return opened(dialing, key, f"{key}:1", MONDAY, slots, most)


def test_a_call_takes_the_number_with_the_fewest_of_the_campaign() -> None:
    slots = {ONE: Slots(3, 3), OTHER: Slots(3, 3)}
    dialing = Dialing()
    for key in "abc":
        dialing = opens(dialing, key, slots)
    assert [call.caller for call in dialing.open.values()] == [ONE, OTHER, ONE]
    assert dialing.open["a"] == OpenCall(attempt="a:1", caller=ONE, at=MONDAY)


def test_there_is_no_room_without_a_free_slot_nor_beyond_what_a_number_or_the_pace_allows() -> None:
    one = opens(Dialing(), "a", {ONE: Slots(1, 1)})
    assert opens(one, "b", {ONE: Slots(1, 1)}) == one
    assert opens(one, "b", {ONE: Slots(2, 0)}) == one
    assert opens(one, "b", {ONE: None}, most=1) == one
    assert set(opens(one, "b", {ONE: None}).open) == {"a", "b"}
    assert set(opens(one, "b", {ONE: Slots(2, 1)}, most=2).open) == {"a", "b"}
    assert opens(one, "b", {}) == one


def test_the_same_attempt_keeps_its_place_and_the_next_of_a_person_takes_it() -> None:
    one = opens(Dialing(), "a", {ONE: Slots(1, 1)})
    assert opened(one, "a", "a:1", LATER, {}, 1) == one
    again = opened(one, "a", "a:2", LATER, {ONE: Slots(1, 1)}, 1)
    assert again.open == {"a": OpenCall(attempt="a:2", caller=ONE, at=LATER)}


def test_only_the_attempt_that_is_over_leaves() -> None:
    one = opens(Dialing(), "a", {ONE: None})
    assert over(one, "a", "a:2") == one
    assert over(one, "b", "a:1") == one
    assert over(one, "a", "a:1").open == {}


def test_a_call_is_lost_after_its_time_and_a_stray_is_known_once() -> None:
    call = OpenCall(attempt="a:1", caller=ONE, at=MONDAY)
    one = found_again(Dialing(), "a", call)
    assert one.open == {"a": call}
    assert found_again(one, "a", call.model_copy(update={"attempt": "a:2"})) == one
    assert lost(one, LATER, timedelta(minutes=1)) == {}
    assert lost(one, LATER + timedelta(seconds=1), timedelta(minutes=1)) == {"a": call}


def test_somebody_is_told_to_look_unless_somebody_looks_before() -> None:
    assert wakes(Dialing(), LATER, MONDAY)
    assert not wakes(Dialing(wake=LATER), LATER, MONDAY)
    assert wakes(Dialing(wake=LATER), MONDAY + timedelta(seconds=30), MONDAY)
    assert wakes(Dialing(wake=MONDAY), LATER, MONDAY)


def test_one_dials_and_whoever_comes_meanwhile_has_it_look_again() -> None:
    one = dialed_by(Dialing(), "one", MONDAY)
    assert (one.dialer, one.until, one.again) == ("one", MONDAY + timedelta(seconds=5), False)
    assert dialed_by(one, "one", MONDAY) == one
    both = dialed_by(one, "other", MONDAY + timedelta(seconds=4.9))
    assert both == one.model_copy(update={"again": True})
    kept = left_by(both, "one", LATER)
    assert (kept.dialer, kept.until, kept.again) == ("one", LATER + timedelta(seconds=5), True)
    assert left_by(both, "one", LATER, for_good=True).dialer == ""
    assert left_by(both, "other", LATER) == both
    assert not dialed_by(kept, "one", LATER).again
    gone = left_by(one, "one", LATER)
    assert (gone.dialer, gone.until) == ("", None)
    assert left_by(gone, "one", LATER) == gone


def test_the_lease_of_a_dialer_that_died_ends_and_one_of_a_clock_that_was_wrong_does_not_hold() -> None:
    one = dialed_by(Dialing(), "one", MONDAY)
    assert still_dialed_by(one, "one", LATER).until == LATER + timedelta(seconds=5)
    assert still_dialed_by(one, "other", LATER) == one
    assert dialed_by(one, "other", MONDAY + timedelta(seconds=5)).dialer == "other"
    assert dialed_by(one, "other", MONDAY - timedelta(seconds=1)).dialer == "other"
