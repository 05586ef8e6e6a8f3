"""Conversations made by hand, and what is to be found in them."""

from __future__ import annotations

import pytest

from shared.quality.signal import Hole
from shared.quality.spans import Span
from tests.unit.quality.made import spans, talk

# Turns


def test_a_turn_lasts_over_short_pauses_until_somebody_else_speaks() -> None:
    found = talk([(0, 4), (5, 8), (12, 14)], [(9, 11)])
    assert found.speakers[0].turns == spans((0, 8), (12, 14))
    assert found.speakers[1].turns == spans((9, 11))


def test_a_pause_longer_than_the_limit_ends_a_turn() -> None:
    assert talk([(0, 4), (7, 8)]).speakers[0].turns == spans((0, 8))
    assert talk([(0, 4), (7.1, 8)]).speakers[0].turns == spans((0, 4), (7.1, 8))
    assert talk([(0, 4), (7, 8)], turn_pause_seconds=2.9).speakers[0].turns == spans((0, 4), (7, 8))


def test_a_response_is_the_time_between_two_turns_of_different_speakers() -> None:
    found = talk([(0, 4), (5, 8), (13, 14)], [(9.5, 11)])
    assert found.speakers[1].responses == spans((8, 9.5))
    assert found.speakers[0].responses == spans((11, 13))


def test_who_goes_on_after_a_long_pause_responds_to_nobody() -> None:
    assert talk([(0, 4), (20, 24)], []).speakers[0].responses == []


def test_a_response_that_begins_before_the_other_has_ended_takes_no_time() -> None:
    found = talk([(0, 4)], [(3.8, 6)])
    assert found.speakers[1].responses == spans((3.8, 3.8))
    assert found.speakers[1].interruptions == []


# Who takes the floor


def test_an_interruption_is_speech_over_somebody_that_goes_on_when_they_stop() -> None:
    found = talk([(0, 5)], [(4, 9)])
    assert found.speakers[1].interruptions == spans((4, 5))
    assert found.speakers[1].turns == spans((4, 9))
    assert found.speakers[0].turns == spans((0, 5))
    assert found.speakers[0].interruptions == found.speakers[0].backchannels == []


@pytest.mark.parametrize(("start", "count"), [(4.5, 1), (4.51, 0)])
def test_it_takes_overlap_of_the_limit_to_interrupt(start: float, count: int) -> None:
    assert len(talk([(0, 5)], [(start, 9)]).speakers[1].interruptions) == count


def test_speech_inside_of_somebody_elses_is_a_back_channel_and_breaks_no_turn() -> None:
    found = talk([(0, 5), (6, 10)], [(2, 2.4), (7, 8.5)])
    assert found.speakers[1].backchannels == spans((2, 2.4), (7, 8.5))
    assert found.speakers[1].turns == found.speakers[1].interruptions == found.speakers[1].responses == []
    assert found.speakers[0].turns == spans((0, 10))


@pytest.mark.parametrize(("end", "taken"), [(5.11, False), (5.12, True)])
def test_the_floor_is_taken_by_what_is_still_speech_after_the_other_stopped(end: float, taken: bool) -> None:
    found = talk([(0, 5), (6, 9)], [(4, end)])
    assert len(found.speakers[1].interruptions) == taken
    assert len(found.speakers[1].backchannels) == (not taken)
    assert len(found.speakers[0].turns) == (2 if taken else 1)


def test_speech_in_a_pause_takes_the_floor_however_short() -> None:
    found = talk([(0, 5), (6, 9)], [(5.3, 5.6)])
    assert found.speakers[0].turns == spans((0, 5), (6, 9))
    assert found.speakers[1].turns == spans((5.3, 5.6))
    assert found.speakers[1].backchannels == []


def test_two_can_interrupt_each_other_in_turn() -> None:
    found = talk([(0, 5), (7, 12)], [(4, 8)])
    assert found.speakers[1].interruptions == spans((4, 5))
    assert found.speakers[0].interruptions == spans((7, 8))
    assert [one.turns for one in found.speakers] == [spans((0, 5), (7, 12)), spans((4, 8))]


def test_of_two_who_begin_at_once_the_one_who_speaks_longer_has_the_floor() -> None:
    for found in (talk([(3, 9)], [(3, 5)]), talk([(3, 5)], [(3, 9)])):
        one, other = sorted(found.speakers, key=lambda speaker: len(speaker.turns))
        assert one.backchannels == spans((3, 5))
        assert other.turns == spans((3, 9))


def test_who_speaks_over_several_takes_the_floor_when_all_of_them_have_stopped() -> None:
    found = talk([(0, 10)], [(2, 4)], [(3, 12)], [(3.5, 11)])
    assert found.speakers[1].backchannels == spans((2, 4))
    assert found.speakers[2].interruptions == spans((3, 10))
    assert found.speakers[3].backchannels == spans((3.5, 11))
    assert [len(speaker.turns) for speaker in found.speakers] == [1, 0, 1, 0]


def test_five_take_turns() -> None:
    found = talk(*([(2.0 * index, 2.0 * index + 1.5)] for index in range(5)))
    assert [speaker.turns for speaker in found.speakers] == [spans((2.0 * i, 2.0 * i + 1.5)) for i in range(5)]
    assert [speaker.responses for speaker in found.speakers[1:]] == [
        spans((2.0 * i - 0.5, 2.0 * i)) for i in range(1, 5)
    ]


# Silence and overlap


def test_silence_is_between_the_first_and_the_last_speech() -> None:
    found = talk([(5, 10)], [(12, 15), (25, 30)])
    assert found.conversation == spans((5, 30))
    assert found.silences == spans((10, 12), (15, 25))
    assert found.dead_air == spans((15, 25))


def test_overlap_is_time_in_which_two_or_more_speak() -> None:
    assert talk([(0, 10)], [(8, 12)], [(9, 11)]).overlap == spans((8, 11))
    assert talk([(0, 10)], [(10, 12)]).overlap == []


def test_nobody_speaks() -> None:
    found = talk([], [])
    assert (found.conversation, found.silences, found.overlap, found.dead_air) == ([], [], [], [])
    assert found.speakers[0].monologue is None


# What leaves the conversation


def test_what_the_app_does_is_neither_speech_nor_silence() -> None:
    found = talk([(0, 4), (6, 8)], [(20, 22)], away=[(7, 15)])
    assert found.speakers[0].speech == spans((0, 4), (6, 7))
    assert found.conversation == spans((0, 7), (15, 22))
    assert found.silences == spans((4, 6), (15, 20))
    assert found.dead_air == []


def test_a_turn_and_a_response_do_not_run_across_what_the_app_does() -> None:
    found = talk([(0, 4), (6, 8)], [(9, 10)], away=[(5, 5.5), (8.3, 8.7)])
    assert found.speakers[0].turns == spans((0, 4), (6, 8))
    assert found.speakers[1].turns == spans((9, 10))
    assert found.speakers[0].responses == found.speakers[1].responses == []


@pytest.mark.parametrize("reason", ["paused", "missing"])
def test_a_turn_does_not_run_across_a_missing_hour_and_the_hour_is_no_silence(reason: str) -> None:
    found = talk([(0, 4), (3606, 3610)], holes=[Hole(Span(5, 3605), reason)])
    assert found.speakers[0].turns == spans((0, 4), (3606, 3610))
    assert found.silences == spans((4, 5), (3605, 3606))
    assert found.conversation == spans((0, 5), (3605, 3610))


def test_a_hole_as_short_as_a_gap_in_speech_is_bridged() -> None:
    found = talk([(0, 4), (4.3, 9)], holes=[Hole(Span(4, 4.3), "missing")])
    assert found.speakers[0].turns == spans((0, 9))
    assert found.conversation == spans((0, 9))


def test_a_rest_of_speech_that_is_too_short_for_speech_is_none() -> None:
    found = talk([(0, 4)], [(4, 10.1), (12, 14)], away=[(4, 10)])
    assert found.speakers[1].speech == spans((12, 14))


def test_silence_on_both_sides_of_a_hold_is_not_added_up() -> None:
    found = talk([(0, 1), (30, 31)], away=[(8, 22)])
    assert found.silences == spans((1, 8), (22, 30))
    assert found.dead_air == []


def test_spans_that_overlap_can_leave_in_any_order() -> None:
    found = talk([(0, 1), (30, 31)], away=[(20, 25), (5, 10), (8, 22)])
    assert found.conversation == spans((0, 5), (25, 31))


def test_the_longest_turn_is_the_monologue() -> None:
    assert talk([(0, 2), (10, 19), (30, 31)]).speakers[0].monologue == Span(10, 19)
