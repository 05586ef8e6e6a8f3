"""The words of the console's pages: nobody's number, times, lengths."""

from __future__ import annotations

import pytest

from shared.web.console.words import length, masked_number, moment, person, seconds, without_numbers

USER = "8:acs:0f6b3f2e-9c54-4d0e-8d1c-1f2e3d4c5b6a_00000001"


@pytest.mark.parametrize(
    ("number", "masked"),
    [
        ("+14255550123", "+1 ••• 23"),
        ("+491701234567", "+49 ••• 67"),
        ("+35312345678", "+353 ••• 78"),
        ("+79161234567", "+7 ••• 67"),
        ("+123456", "•••"),
    ],
)
def test_a_masked_number_keeps_its_country_and_two_digits(number: str, masked: str) -> None:
    assert masked_number(number) == masked


@pytest.mark.parametrize(
    ("raw_id", "masked", "shown"),
    [
        ("4:+14255550123", "+1 ••• 23", "+14255550123"),
        ("4:14255550123_ab", "+1 ••• 23", "+14255550123"),
        ("", "not known", "not known"),
        ("4:anonymous", "number withheld", "number withheld"),
        (USER, "app user …0001", "app user …0001"),
        ("8:orgid:0f6b3f2e-9c54-4d0e-8d1c-1f2e3d4c5b6a", "Teams user …5b6a", "Teams user …5b6a"),
        ("48:strange", "participant …ange", "participant …ange"),
    ],
)
def test_a_person_is_named_without_the_number_unless_it_is_shown(raw_id: str, masked: str, shown: str) -> None:
    assert (person(raw_id, shown=False), person(raw_id, shown=True)) == (masked, shown)


@pytest.mark.parametrize(
    ("text", "without"),
    [
        ("4:+14255550123", "4:+1 ••• 23"),
        ("4:14255550123", "4:+1 ••• 23"),
        ("call +1 (425) 555-0123 please", "call +1 ••• 23 please"),
        ("my number is 4255550123.", "my number is +425 ••• 23."),
        ("sip:+14255550123@contoso", "sip:+1 ••• 23@contoso"),
        ("%2B14255550123", "+1 ••• 23"),
        ("a+14255550123b", "a+1 ••• 23b"),
        ("4:+14255550123|+18005550199", "4:+1 ••• 23|+1 ••• 99"),
        ("+1425555012345678901234", "+1 ••• 34"),
    ],
)
def test_no_text_keeps_a_number(text: str, without: str) -> None:
    assert without_numbers(text) == without


@pytest.mark.parametrize(
    "text",
    [
        USER,
        "2026-11-20T10:00:00.1234567+00:00",
        "b8ca97bf9ff54cfb90a1390f55fb8e3c:1000000:0",
        "2026-11-20 10:00:00",
        "order 17 of 123456",
        "02004780-0000-4000-8000-000000000001",
    ],
)
def test_ids_and_times_are_no_numbers(text: str) -> None:
    assert without_numbers(text) == text


def test_numbers_go_out_of_lists_objects_and_their_keys_and_nothing_else_does() -> None:
    value = {"+14255550123": ["4:+14255550123", 14255550123, None, True], "at": 1795848958599}
    assert without_numbers(value) == {"+1 ••• 23": ["4:+1 ••• 23", 14255550123, None, True], "at": 1795848958599}


def test_times_and_lengths() -> None:
    assert moment(1795860123000) == "2026-11-28 10:02:03"
    assert moment(0) == ""
    assert [length(ms) for ms in (0, 999, 61_000, 3_723_000, -5)] == ["0:00", "0:00", "1:01", "1:02:03", "0:00"]
    assert [seconds(ms) for ms in (440, 9_940, 12_400, -1)] == ["0.4 s", "9.9 s", "12 s", "0.0 s"]
