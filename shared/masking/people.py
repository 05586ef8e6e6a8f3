"""The numbers of the two people, as requests have them."""

from __future__ import annotations

from collections.abc import Collection

from shared.brakes.dialing import never_called
from shared.errors import InvalidInput


def read_person(number: str, field: str, own: Collection[str]) -> str:
    """Somebody's number, which calls can go to. InvalidInput; it says no number.

    Args:
        own: numbers of the app, which are nobody's.
    """
    written = number.strip()
    if problem := never_called(written):
        raise InvalidInput(field, f"{problem}.", "Write +, the country code and the number, without spaces.")
    if written in own:
        raise InvalidInput(field, "is a number of the app itself.", "Give the person's own number.")
    if not country_of(written):
        raise InvalidInput(field, "has a country code that no country has.", "Look for a wrong digit.")
    return written


def country_of(number: str) -> str:
    """The country of a number by libphonenumber, two letters; empty: none is known."""
    import phonenumbers

    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return ""
    found = phonenumbers.region_code_for_number(parsed) or phonenumbers.region_code_for_country_code(
        parsed.country_code or 0
    )
    return "" if found in (None, "ZZ", "001") else str(found)
