"""Numbers as people and spreadsheets write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.brakes.dialing import never_called
from shared.errors import InvalidInput
from shared.outreach.numbers import read_country, read_number, zones_of


@pytest.mark.parametrize(
    ("written", "country", "number"),
    [
        ("0171 2345678", "DE", "+491712345678"),
        ("0171/2345678", "DE", "+491712345678"),
        ("+49 (0)171 2345678", "", "+491712345678"),
        ("0049 171 234 56 78", "DE", "+491712345678"),
        ("'0171 2345678", "DE", "+491712345678"),
        ('="01712345678"', "DE", "+491712345678"),
        ("tel:+49-171-2345678", "", "+491712345678"),
        ("\u202a+49 171 2345678\u202c", "", "+491712345678"),  # pasted from an address book
        ("0171\u00a0234\u20115678", "DE", "+491712345678"),
        ("(425) 555-0123", "US", "+14255550123"),
        ("1 425 555 0123", "US", "+14255550123"),
        ("06 6982 0000", "IT", "+390669820000"),  # the zero is a part of it
        ("020 7946 0958", "GB", "+442079460958"),
        ("+12065550101", "DE", "+12065550101"),
    ],
)
def test_a_number_is_read_as_people_write_it(written: str, country: str, number: str) -> None:
    assert read_number(written, country) == number


@pytest.mark.parametrize(
    ("written", "country", "problem"),
    [
        ("", "DE", "is empty"),
        ("4.91712E+11", "DE", "shortened by a spreadsheet"),
        ("4,91712E+11", "DE", "shortened by a spreadsheet"),
        ("491712345678.0", "DE", "made a decimal number"),
        ("#####", "DE", "too narrow"),
        ("#N/A", "DE", "error of the spreadsheet"),
        ("=A2+B2", "DE", "is a formula"),
        ("1712345678", "DE", "lost its leading 0 or its +"),
        ("491712345678", "DE", "lost its leading 0 or its +"),  # 0491 is the area code of Leer
        ("7946 0958", "GB", "lost its leading 0 or its +"),
        ("0171 2345678", "", "has no country code"),
        ("0171 2345678 or 0172", "DE", "signs that no single telephone number has"),
        ("0171-CALLME", "DE", "signs that no single telephone number has"),
        ("0171 2345678 ext 5", "DE", "signs that no single telephone number has"),
        ("+49+171", "DE", "signs that no single telephone number has"),
        ("+49 171 234", "DE", "no number that its country gives out"),
        ("0000", "DE", "emergency or service number"),
        ("6 6982 0000", "IT", "no number that its country gives out"),
        ("112", "", "has no country code"),
        ("0900 1 234567", "DE", "premium-rate"),
        ("+881612345678", "", "satellite"),
    ],
)
def test_what_is_wrong_with_a_number_is_said_without_the_number(written: str, country: str, problem: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_number(written, country, "Telefon")
    assert caught.value.field == "Telefon"
    assert problem in caught.value.problem
    assert caught.value.remedy
    assert "2345678" not in str(caught.value)


def test_an_italian_number_that_lost_its_zero_gets_the_remedy() -> None:
    with pytest.raises(InvalidInput, match="takes leading zeros away"):
        read_number("6 6982 0000", "IT")


@given(st.text(max_size=40), st.sampled_from(["", "DE", "US", "IT"]))
def test_whatever_is_written_gives_a_number_that_may_be_called_or_an_error(written: str, country: str) -> None:
    try:
        number = read_number(written, country)
    except InvalidInput:
        return
    assert never_called(number) == ""
    assert read_number(number) == number


@pytest.mark.parametrize(("written", "code"), [("de", "DE"), (" US ", "US"), ("UK", "GB"), ("usa", "US")])
def test_a_country_is_read(written: str, code: str) -> None:
    assert read_country(written) == code


@pytest.mark.parametrize("written", ["Germany", "", "XX", "049"])
def test_no_country_is_refused(written: str) -> None:
    with pytest.raises(InvalidInput, match="two letters"):
        read_country(written)


def test_the_zones_of_a_number() -> None:
    assert zones_of("+12125550123") == ("America/New_York",)
    assert zones_of("+16235550123") == ("America/Phoenix",)
    assert len(zones_of("+79123456789")) > 8
    assert len(zones_of("+18005550199")) > 40
    assert zones_of("+9991234567") == ()
