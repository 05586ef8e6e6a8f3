"""Which numbers may be called."""

from __future__ import annotations

import phonenumbers
import pytest
from phonenumbers import PhoneNumberType

from shared.brakes import number_table
from shared.brakes.dialing import Dialing, countries_of, country_code, country_of, never_called, read_prefixes
from shared.identifiers import Identifier
from tools.number_table import PAGE, page

OURS = Identifier.parse("+18005550199")
USER = Identifier.parse("8:acs:11111111-2222-4333-8444-555555555555_0000002a-1111-2222-3333-444444000009")


def test_the_table_is_what_the_metadata_says() -> None:
    assert PAGE.read_text("utf-8") == page(), "run `make numbers`"


def test_each_country_code_is_found() -> None:
    codes = {str(code) for code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE}
    assert len(codes) > 200
    assert {code for code in codes if country_code(f"+{code}2345678") != code} == set()


@pytest.mark.parametrize(
    ("number", "country"),
    [
        ("+14255550123", "+1"),
        ("+14165550123", "+1"),
        ("+17875550123", "+1"),
        ("+18005550199", "+1"),
        ("+18765550123", "+1876"),
        ("+18095550123", "+1809"),
        ("+493012345678", "+49"),
        ("+35312345678", "+353"),
        ("+77012345678", "+7"),
        ("+72421234567", "+7"),  # 242 is of the Bahamas, behind +1 alone
        ("+22461234567", "+224"),
    ],
)
def test_the_country_of_a_number(number: str, country: str) -> None:
    assert country_of(number) == country


@pytest.mark.parametrize(
    "number", ["+19005550123", "+1900", "+19005550", "+190055501234", "+4490912345678", "+449091234567890",
               "+499001123456",
               "+491377123456", "+33899123456", "+979123456789"],
)  # fmt: skip
def test_premium_rate_numbers_are_never_called(number: str) -> None:
    assert never_called(number)
    assert Dialing(("+",)).problem(Identifier.parse(number)) == never_called(number)


def test_a_premium_rate_number_is_told_as_one() -> None:
    assert never_called("+19005550123") == "is a premium-rate number, which this app never calls"
    assert never_called("+4490912345678") == "is a premium-rate number, which this app never calls"
    assert never_called("+19005550") == "is a premium-rate number, which this app never calls", "whatever its length"
    assert never_called("+9791234") == "is a premium-rate number, which this app never calls", "whatever follows"
    assert never_called("+44900123456") == "", "900 is that of North America"


def test_what_is_dialled_beyond_a_premium_rate_number_of_eight_digits_is_ignored() -> None:
    assert never_called("+3290012345") == "is a premium-rate number, which this app never calls"
    assert never_called("+329001234599") == "is a premium-rate number, which this app never calls"
    assert never_called("+2303012345") == "is a premium-rate number, which this app never calls"
    assert never_called("+230301234599") == "", "seven digits may be the beginning of another number"


def test_six_digits_with_the_country_code_are_a_service_number_and_seven_are_not() -> None:
    assert never_called("+441234") == "is an emergency or service number, which this app never calls"
    assert never_called("+4412345") == ""


@pytest.mark.parametrize("number", ["+870773111632", "+881612345678", "+8821655512345", "+883510012345678"])
def test_satellite_numbers_are_never_called(number: str) -> None:
    assert (
        never_called(number) == "is a satellite number or one of an international network, which this app never calls"
    )


@pytest.mark.parametrize(
    "number", ["+112", "+911", "+110", "+999", "+1911", "+1112", "+49112", "+49110", "+44999", "+358112", "+4690000",
               "+691320221", "+227723141"],
)  # fmt: skip
def test_emergency_numbers_are_never_called(number: str) -> None:
    assert never_called(number) == "is an emergency or service number, which this app never calls"


@pytest.mark.parametrize("raw_id", ["4:911", "4:112", "4:110", "4:001900555", "4:anonymous", "4:", "4:+1-900-555-0123"])
def test_who_is_on_a_telephone_without_an_e164_number_is_never_called(raw_id: str) -> None:
    problem = Dialing(("+",)).problem(Identifier(raw_id=raw_id))
    assert problem.startswith("is no telephone number in E.164 form")


@pytest.mark.parametrize(
    "raw_id", ["tel:+19005550123", "sip:+19005550123@carrier.example", " 4:+19005550123", "4\uff1a+1:"]
)
def test_a_raw_id_of_a_shape_that_is_not_known_is_never_called(raw_id: str) -> None:
    assert Dialing(("+",)).problem(Identifier(raw_id=raw_id)) == (
        "is nobody that this app knows how to call; write a number with its plus sign, or the raw id of a user or app"
    )


def test_digits_of_other_scripts_are_no_way_around() -> None:
    assert never_called("+1\u0669\u0660\u06605550123").startswith("is no telephone number in E.164 form")


@pytest.mark.parametrize("number", ["+19115550123", "+1425555", "+142555501234", "+11234567890", "+15115550123"])
def test_what_is_no_number_of_north_america_is_never_called(number: str) -> None:
    assert (
        never_called(number)
        == "is no telephone number of +1, which have ten digits and no 911 or the like as area code"
    )


def test_an_asserted_id_hides_no_number() -> None:
    assert Dialing(("+",)).problem(Identifier(raw_id="4:+19005550123_2f1c")) != ""
    assert Dialing(("+",)).problem(Identifier(raw_id="4:19005550123")) != ""


KINDS = {
    PhoneNumberType.FIXED_LINE, PhoneNumberType.MOBILE, PhoneNumberType.TOLL_FREE, PhoneNumberType.FIXED_LINE_OR_MOBILE,
}  # fmt: skip


def examples_of(*kinds: int) -> set[str]:
    """Numbers of these kinds, of every country that has them."""
    regions = [(region, kind) for region in phonenumbers.SUPPORTED_REGIONS for kind in kinds]
    found = [phonenumbers.example_number_for_type(region, kind) for region, kind in regions]
    return {phonenumbers.format_number(one, phonenumbers.PhoneNumberFormat.E164) for one in found if one is not None}


def test_ordinary_numbers_of_each_country_may_be_called() -> None:
    ordinary = examples_of(*KINDS)
    assert len(ordinary) > 500
    assert {number for number in ordinary if never_called(number)} == set()


def test_premium_rate_numbers_of_each_country_are_never_called() -> None:
    premium = examples_of(PhoneNumberType.PREMIUM_RATE)
    assert len(premium) > 100
    assert {number for number in premium if not never_called(number)} == set()


def test_the_islands_of_north_america_are_countries_of_their_own() -> None:
    assert {"242", "246", "876", "809", "868"} <= number_table.ISLANDS
    assert not {"212", "425", "416", "787", "340", "671", "800", "900"} & number_table.ISLANDS


# What is allowed


def test_without_a_setting_the_countries_of_the_apps_own_numbers_are_allowed() -> None:
    dialing = Dialing(countries=frozenset({"+49"}))
    assert dialing.problem(Identifier.parse("+493012345678")) == ""
    assert dialing.problem(Identifier.parse("+14255550123"), [OURS, None]) == ""
    assert dialing.problem(Identifier.parse("+14255550123")) == (
        "begins with +1, which is not allowed; ALLOWED_PREFIXES says what is"
    )
    assert dialing.problem(Identifier.parse("+18765550123"), [OURS]).startswith("begins with +1876,")


def test_prefixes_of_the_setting_count_alone() -> None:
    dialing = Dialing(("+4930", "+1425"), frozenset({"+44"}))
    assert dialing.problem(Identifier.parse("+493012345678")) == ""
    assert dialing.problem(Identifier.parse("+498912345678"), [Identifier.parse("+498911111111")]) != ""
    assert dialing.problem(Identifier.parse("+14255550123")) == ""
    assert dialing.problem(Identifier.parse("+12065550123"), [OURS]) != ""
    assert dialing.problem(Identifier.parse("+442079460123")) != ""


def test_a_plus_sign_allows_all_but_what_is_never_called() -> None:
    assert Dialing(("+",)).problem(Identifier.parse("+442079460123")) == ""
    assert Dialing(("+",)).problem(Identifier.parse("+19005550123")) != ""


def test_who_is_on_no_telephone_is_no_matter_of_prefixes() -> None:
    assert Dialing(("+49",)).problem(USER) == ""


def test_countries_of_those_on_a_telephone() -> None:
    people = [OURS, USER, Identifier(raw_id="4:anonymous"), Identifier.parse("+493012345678")]
    assert countries_of(people) == {"+1", "+49"}


def test_a_list_of_prefixes_is_read() -> None:
    assert read_prefixes("") == ()
    assert read_prefixes(" +49, +1 425,+ ,") == ("+49", "+1425", "+")


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("49", "'49' is no prefix; write + and the first digits, such as +49, +1425; + is all"),
        ("+49;+44", "'+49;+44' is no prefix; write + and the first digits, such as +49, +1425; + is all"),
        ("+0", "'+0' is no prefix; write + and the first digits, such as +49, +1425; + is all"),
        ("+1, +1900", "+1900 is that of premium-rate numbers, which are never called; take it out"),
        ("+8816", "+8816 is that of satellite numbers, which are never called; take it out"),
        ("+979", "+979 is that of premium-rate numbers, which are never called; take it out"),
    ],
)
def test_a_wrong_prefix_is_named_with_what_to_do(value: str, problem: str) -> None:
    with pytest.raises(ValueError, match=r".") as raised:
        read_prefixes(value)
    assert str(raised.value) == problem
