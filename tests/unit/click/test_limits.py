"""Limits hold for every stretch of an hour and of a day, in whatever order calls are asked for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.click.limits import (
    DAY,
    HOUR,
    Entry,
    Limits,
    Refusal,
    full_since,
    read_entries,
    refusal,
    without_old,
    written,
)

NOW = 1_800_000_000
AMPLE = dict.fromkeys(Limits.model_fields, 500)


def limits(**these: int) -> Limits:
    return Limits(**{**AMPLE, **these})


def entry(at: int, number: str = "n", address: str = "a") -> Entry:
    return Entry(NOW + at, "call", number, address)


@given(
    st.lists(st.tuples(st.integers(0, 3 * DAY), st.sampled_from("123"), st.sampled_from("ab")), max_size=60),
    st.fixed_dictionaries({name: st.integers(1, 6) for name in Limits.model_fields}),
)
def test_no_stretch_of_time_has_more_than_the_limit(asked: list[tuple[int, str, str]], most: dict[str, int]) -> None:
    granted: list[Entry] = []
    for at, number, address in asked:  # not in the order of their times: some ask to be called later
        if refusal(granted, Limits(**most), NOW + at, {number}, {address}) is None:
            granted.append(entry(at, number, address))
    groups = [("site", granted)]
    groups += [("number", [one for one in granted if one.number == number]) for number in "123"]
    groups += [("address", [one for one in granted if one.address == address]) for address in "ab"]
    for of, entries in groups:
        for name, seconds in (("hour", 3600), ("day", 86_400)):
            for first in entries:
                within = [one for one in entries if first.at <= one.at < first.at + seconds]
                assert len(within) <= most[f"{of}_{name}"]


@pytest.mark.parametrize("of", ["number", "address", "site"])
def test_a_limit_is_said_with_the_time_after_which_it_is_over(of: str) -> None:
    two = [entry(0), entry(600)]
    assert refusal(two, limits(**{f"{of}_hour": 2}), NOW + 900, {"n"}, {"a"}) == Refusal(of, 2706)
    assert refusal(two, limits(**{f"{of}_hour": 2}), NOW + 3605, {"n"}, {"a"}) == Refusal(of, 1)
    assert refusal(two, limits(**{f"{of}_hour": 2}), NOW + 3606, {"n"}, {"a"}) is None
    assert refusal(two, limits(**{f"{of}_day": 2}), NOW + 3606, {"n"}, {"a"}) == Refusal(of, 82_800)
    assert refusal(two, limits(**{f"{of}_hour": 3, f"{of}_day": 3}), NOW + 900, {"n"}, {"a"}) is None


def test_others_do_not_count_against_a_number_or_an_address() -> None:
    one = [entry(0)]
    assert refusal(one, limits(number_hour=1), NOW + 1, {"other"}, {"a"}) is None
    assert refusal(one, limits(address_hour=1), NOW + 1, {"n"}, {"other"}) is None
    assert refusal(one, limits(number_hour=1), NOW + 1, {"new key", "n"}, {"a"}) == Refusal("number", 3605)


def test_calls_that_are_to_come_count_at_their_time() -> None:
    assert full_since([NOW + 1800], NOW, HOUR, 1) == NOW
    assert full_since([NOW + 3600], NOW, HOUR, 1) is None
    assert full_since([NOW - 3599, NOW + 3599], NOW, HOUR, 2) is None


def test_what_is_a_day_old_counts_no_more() -> None:
    kept = entry(1)
    assert without_old([entry(0), kept, entry(2 * DAY)], NOW + DAY) == (kept, entry(2 * DAY))


def test_a_ledger_comes_back_as_it_was_written() -> None:
    entries = (Entry(NOW, "c", "n", "a", "k", "s"), entry(5))
    assert read_entries(written(entries)) == entries
    assert read_entries(None) == ()


def test_usual_limits_are_those_of_a_small_firm() -> None:
    assert Limits().model_dump() == {
        "number_hour": 2,
        "number_day": 4,
        "address_hour": 5,
        "address_day": 15,
        "site_hour": 30,
        "site_day": 120,
    }
    with pytest.raises(ValidationError):
        Limits(site_day=501)
