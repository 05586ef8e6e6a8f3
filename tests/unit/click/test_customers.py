"""Whom a button may have called, and from where somebody asks."""

from __future__ import annotations

import pytest

from shared.click.customers import address_of, read_customer, read_name
from shared.errors import InvalidInput


@pytest.mark.parametrize(
    ("text", "countries", "number"),
    [
        ("(425) 555-0123", ["US"], "+14255550123"),
        ("+1 604 555 0123", ["US", "CA"], "+16045550123"),
        ("020 7946 0018", ["GB"], "+442079460018"),
        ("07400 123456", ["GB"], "+447400123456"),
        ("030 901820", ["DE", "US"], "+4930901820"),
    ],
)
def test_landlines_and_mobiles_of_allowed_countries_are_called(text: str, countries: list[str], number: str) -> None:
    assert read_customer(text, countries) == number


@pytest.mark.parametrize(
    ("text", "countries", "problem"),
    [
        ("+1 604 555 0123", ["US"], "of a country that is not called"),
        ("+1 876 555 0123", ["US"], "of a country that is not called"),
        ("+44 70 1234 5678", ["GB"], "no ordinary telephone"),
        ("+44 845 464 0123", ["GB"], "premium"),
        ("+1 800 555 0199", ["US"], "no ordinary telephone"),
        ("+881 6 1234 5678", ["US"], "satellite"),
        ("+1 900 555 0123", ["US"], "premium"),
        ("112", ["DE"], "."),
        ("0171", ["DE"], "."),
        ("drop table", ["US"], "signs"),
    ],
)
def test_all_others_are_refused(text: str, countries: list[str], problem: str) -> None:
    with pytest.raises(InvalidInput, match=problem) as refused:
        read_customer(text, countries)
    assert refused.value.field == "number"
    assert text not in str(refused.value)


def test_a_name_is_letters_on_one_line() -> None:
    assert read_name("  Ada   King-Noel, ".replace(",", "")) == "Ada King-Noel"
    assert read_name("José O’Neill Jr.") == "José O’Neill Jr."  # noqa: RUF001 (that is what people type)
    assert read_name("") == ""
    assert read_name("a" * 60) == "a" * 60
    for wrong in ("a" * 61, "Ada 1", "Ada; DROP", "<b>", "ada@example.com", "a/b"):
        with pytest.raises(InvalidInput, match="name"):
            read_name(wrong)


@pytest.mark.parametrize(
    ("forwarded", "proxies", "address"),
    [
        ("203.0.113.9", 0, "203.0.113.9"),
        ("203.0.113.9:51234", 0, "203.0.113.9"),
        ("9.9.9.9, 203.0.113.9:51234", 0, "203.0.113.9"),
        ("9.9.9.9, 203.0.113.9, 10.0.0.1:443", 1, "203.0.113.9"),
        ("203.0.113.9", 1, ""),
        ("[2001:db8:1:2:3:4:5:6]:51234", 0, "2001:db8:1:2::"),
        ("2001:db8:1:2:ffff::1", 0, "2001:db8:1:2::"),
        ("::ffff:203.0.113.9", 0, "203.0.113.9"),
        ("", 0, ""),
        (" , ", 0, ""),
        ("unknown", 0, ""),
        ("203.0.113.9, for=x", 0, ""),
    ],
)
def test_an_address_is_what_the_last_proxies_have_added(forwarded: str, proxies: int, address: str) -> None:
    assert address_of(forwarded, proxies) == address
