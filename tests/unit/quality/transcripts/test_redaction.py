"""Card numbers, phone numbers and e-mail addresses leave the transcript, and nothing else does."""

from __future__ import annotations

import re
from itertools import product
from typing import Any

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.quality.report import Redactions
from shared.quality.transcripts.redaction import redact, redact_all, transcript
from tests.examples import examples
from tests.unit.quality.transcripts.said import said

VISA = "4111111111111111"
WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def luhn(digits: str) -> bool:
    """Written apart from the one under test: the usual table of doubled digits."""
    doubled = dict(zip("0123456789", (0, 2, 4, 6, 8, 1, 3, 5, 7, 9), strict=True))
    return sum(doubled[d] if i % 2 else int(d) for i, d in enumerate(reversed(digits))) % 10 == 0


def with_check_digit(digits: str) -> str:
    return next(number for d in "0123456789" if luhn(number := digits + d))


def spoken(digits: str) -> str:
    return " ".join(WORDS[int(digit)] for digit in digits)


def in_digits_of(zero: int) -> str:
    return "4111 1111 1111 1111".translate({ord("0") + digit: chr(zero + digit) for digit in range(10)})


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("my card is 4111 1111 1111 1111, thanks", "my card is [card], thanks"),
        ("4111-1111-1111-1111", "[card]"),
        ("4111. 1111. 1111. 1111.", "[card]."),
        ("it is 378282246310005", "it is [card]"),
        ("4222222222222", "[card]"),
        ("order 7 4111 1111 1111 1111 then", "order 7 [card] then"),
        (in_digits_of(0x0660), "[card]"),
        (in_digits_of(0xFF10), "[card]"),
        ("5500 0000 0000 0004 and 4111 1111 1111 1111", "[card] and [card]"),
        ("4111, uh, 1111 and then 1111 1111", "[card]"),
        (f"it's {spoken(VISA)}, okay", "it's [card], okay"),
        ("four triple one double one double one four-one-one-one oh", None),
        ("my number ends in four one one one", "my number ends in four one one one"),
        ("order 1234 5678 9012 3456", "order 1234 5678 9012 3456"),
        ("IBAN DE89 3704 0044 0532 0130 00", "IBAN DE89 3704 0044 0532 0130 00"),
        ("0000 0000 0000 0000", "0000 0000 0000 0000"),
    ],
    ids=[
        "spaces", "dashes", "full-stops", "amex", "thirteen", "behind-another-number", "arabic-digits", "wide-digits",
        "two", "hesitation", "spoken", "spoken-no-card", "last-four", "order-number", "iban", "noughts",
    ],
)  # fmt: skip
def test_card_numbers_are_taken_out(text: str, redacted: str | None) -> None:
    assert redact(text)[0] == (text if redacted is None else redacted)


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("call 425 555 0100.", "call [phone]."),
        ("(425) 555-0123", "[phone]"),
        ("it's 234-554 and then 9312.", "it's [phone]."),
        ("425, 555, 0100", "[phone]"),
        ("4 2 5 5 5 5 0 1 0 0", "[phone]"),
        ("+44 20 7946 0958 or +82 10 1234 5678", "[phone] or [phone]"),
        ("plus four four two oh seven nine four six oh nine five eight", "[phone]"),
        ("two oh two, five five five, oh one double two", "[phone]"),
        ("425 555 0100 425 555 0101", "[phone] [phone]"),
        ("on 2024-10-05 at 10:15 for $1,234.50", "on 2024-10-05 at 10:15 for $1,234.50"),
        ("press one or two", "press one or two"),
    ],
    ids=[
        "plain", "brackets", "pieces", "commas", "single-digits", "abroad", "spoken-abroad", "spoken", "two-in-a-row",
        "dates-and-sums", "choices",
    ],
)  # fmt: skip
def test_phone_numbers_are_taken_out(text: str, redacted: str) -> None:
    assert redact(text)[0] == redacted


def test_a_national_number_is_known_in_the_region_that_is_set() -> None:
    assert redact("010-1234-5678", "KR")[0] == "[phone]"
    assert redact("010-1234-5678", "US")[0] == "010-1234-5678"


@pytest.mark.parametrize("address", ["mary.a.sm78@gmail.com", "m@müller.example", "a+b@x-y.co.uk"])
def test_addresses_are_taken_out(address: str) -> None:
    assert redact(f"write to {address}, please") == ("write to [email], please", Redactions(email=1))


def test_an_address_with_a_card_number_in_it_is_one_address() -> None:
    assert redact(f"{VISA}@example.com") == ("[email]", Redactions(email=1))


def test_a_number_that_goes_over_two_utterances_is_one_number() -> None:
    texts, counts = redact_all(["My card is 4111 1111", "1111 1111. And call 425 555", "0100, yes."])
    assert texts == ["My card is [card]", "[card]. And call [phone]", "[phone], yes."]
    assert counts == Redactions(card=1, phone=1)


def test_another_number_behind_a_pause_hides_none() -> None:
    assert redact_all(["call 425 555 0100.", "425 555 0101"]) == (["call [phone].", "[phone]"], Redactions(phone=2))


def test_nothing_said_is_nothing_redacted() -> None:
    assert redact_all([]) == ([], Redactions())
    assert redact_all(["", " "]) == (["", " "], Redactions())


def test_the_transcript_is_redacted_channel_by_channel_and_ordered_by_time() -> None:
    found = transcript(
        [
            said("1111 1111", 6, channel=1),
            said("mhm", 4, channel=0),
            said("it is 4111 1111", 1, channel=1),
            said("write to a@b.example", 9, channel=0),
        ],
        "en-US",
    )
    assert [(one.channel, one.start, one.text) for one in found.phrases] == [
        (1, 1, "it is [card]"),
        (0, 4, "mhm"),
        (1, 6, "[card]"),
        (0, 9, "write to [email]"),
    ]
    assert found.redactions == Redactions(card=1, email=1)
    assert found.locale == "en-US"
    assert found.phrases[0].confidence == 0.9


CARDS = st.from_regex(r"[3-6]\d{14}", fullmatch=True).map(lambda digits: with_check_digit(str(int(digits))))
SEPARATORS = st.lists(st.sampled_from(["", "", "", " ", "-", ". ", ", "]), min_size=15, max_size=15)
PROSE = st.text(st.characters(categories=["L", "P", "Z"], exclude_characters="@+"), max_size=20)


@settings(max_examples=examples(200), deadline=None)
@given(card=CARDS, separators=SEPARATORS, before=PROSE, after=PROSE)
def test_no_card_number_survives(card: str, separators: list[str], before: str, after: str) -> None:
    written = "".join(digit + separator for digit, separator in zip(card, [*separators, ""], strict=True))
    redacted, counts = redact(f"{before} {written} {after}")
    assert counts.card == 1
    assert re.search(r"\d", redacted) is None


@settings(max_examples=examples(100), deadline=None)
@given(card=CARDS, cut=st.integers(1, 15))
def test_no_card_number_survives_a_pause(card: str, cut: int) -> None:
    texts, counts = redact_all([f"it is {card[:cut]}.", f"{card[cut:]}, okay"])
    assert counts.card == 1
    assert re.search(r"\d", "".join(texts)) is None


@settings(max_examples=examples(50), deadline=None)
@given(card=CARDS)
def test_no_spoken_card_number_survives(card: str) -> None:
    assert redact(f"it is {spoken(card)} thanks")[0] == "it is [card] thanks"


@settings(max_examples=examples(300), deadline=None)
@given(text=st.text(st.sampled_from("0123456789 -."), max_size=60))
def test_no_run_of_digits_hides_a_card_number(text: str) -> None:
    redacted, _ = redact(text)
    for run in re.findall(r"\d(?:[ .-]{0,4}\d)*", redacted):
        digits = re.sub(r"\D", "", run)
        windows = [digits[i : i + 16] for i in range(len(digits) - 15)]
        assert [window for window in windows if window[0] in "3456" and luhn(window)] == []


@settings(max_examples=examples(200), deadline=None)
@given(text=PROSE)
def test_a_text_without_digits_and_addresses_stays_as_it_is(text: str) -> None:
    assert redact(text) == (text, Redactions())


@settings(max_examples=examples(100), deadline=None)
@given(texts=st.lists(st.text(st.sampled_from("one 4111425550@.ab "), max_size=25), max_size=5))
def test_a_text_changes_only_where_it_is_marked(texts: list[str]) -> None:
    once, _ = redact_all(texts)
    assert len(once) == len(texts)
    assert all(a == b or "[" in b for a, b in zip(texts, once, strict=True))


@pytest.mark.parametrize(("first", "second"), list(product(["my card", "[x] 7"], repeat=2)))
def test_marks_stand_where_the_numbers_stood(first: str, second: str) -> None:
    assert redact(f"{first} {VISA} {second}")[0] == f"{first} [card] {second}"


def test_somebody_who_reads_digits_out_for_an_hour_costs_the_matcher_next_to_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It takes what it is given apart in a dozen ways, and was asked 14 times for each digit."""
    asked: list[str] = []

    class Matcher(phonenumbers.PhoneNumberMatcher):
        def __init__(self, text: str, *args: Any, **more: Any) -> None:
            asked.append(text)
            super().__init__(text, *args, **more)

    monkeypatch.setattr(phonenumbers, "PhoneNumberMatcher", Matcher)
    text = " ".join("1" * 500)
    assert redact(text) == (text, Redactions())
    assert len(asked) <= 2


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("4 2 5 5 5 5 0 1 0 0", "[phone]"),
        ("+2065-5500-75 and 212 55 5 3 2 78 and 4242868837", "+[phone] and [phone] and [phone]"),
    ],
)
def test_numbers_are_found_among_the_groups_of_a_run(text: str, redacted: str) -> None:
    assert redact(text)[0] == redacted
