"""Telephone numbers as people and spreadsheets write them.

What a spreadsheet broke is called so and never guessed: `491712345678` without its plus would be read as a number of
the German town Leer, whose area code is 0491. An error names no number: it may get into a log.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING

from shared.brakes.dialing import never_called
from shared.errors import InvalidInput
from shared.outreach.spreadsheet import damage, unwrapped

if TYPE_CHECKING:
    from phonenumbers import PhoneNumber

_OTHER_NAMES = {"UK": "GB", "EL": "GR", "USA": "US"}
_ALLOWED = re.compile(r"\+?[\d\s()./-]+")
_DASHES = str.maketrans(dict.fromkeys("‐‑‒–—−", "-") | {"+": "+"})  # noqa: RUF001 (that is what people paste)
_UNKNOWN_ZONE = "Etc/Unknown"


def read_number(text: str, country: str = "", field: str = "number") -> str:
    """A number in E.164 form, `+491712345678`.

    Args:
        country: where a number without plus and country code is (ISO 3166, `DE`); empty: every number must have its
            own.

    Raises InvalidInput, with what is wrong and what to do, for what is no number that may be called.
    """
    written = _plain(text)
    if not written:
        raise InvalidInput(field, "is empty.", "Give the person's telephone number.")
    if problem := damage(written):
        raise InvalidInput(field, *problem)
    if not _ALLOWED.fullmatch(written) or "+" in written[1:]:
        raise InvalidInput(field, "has signs that no single telephone number has.", "Write one number, without words.")
    _check_beginning(written, country, field)
    return _callable(written, country, field)


def read_country(text: str, field: str = "country") -> str:
    """A country as two letters, `DE`; InvalidInput."""
    from phonenumbers import SUPPORTED_REGIONS

    code = text.strip().upper()
    code = _OTHER_NAMES.get(code, code)
    if code not in SUPPORTED_REGIONS:
        raise InvalidInput(field, f"{text.strip()[:20]!r} is no country.", "Write its two letters, such as DE or US.")
    return code


@lru_cache(maxsize=4096)
def zones_of(number: str) -> tuple[str, ...]:
    """Every time zone that an E.164 number may have, by libphonenumber; empty: none is known.

    A mobile number has the zones of its whole country, +1 800 has more than forty.
    """
    import phonenumbers
    from phonenumbers import timezone

    try:
        found = timezone.time_zones_for_number(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:
        return ()
    return tuple(zone for zone in found if zone != _UNKNOWN_ZONE)


def _plain(text: str) -> str:
    """Without what cannot be seen, the apostrophe by which spreadsheets mark text, and `=\"…\"` around it."""
    seen = "".join(sign for sign in unwrapped(text) if unicodedata.category(sign) != "Cf").translate(_DASHES)
    return seen.strip().removeprefix("'").removeprefix("tel:").strip()


def _check_beginning(written: str, country: str, field: str) -> None:
    """A number without its plus must begin as numbers of its country do when they are dialled there."""
    digits = re.sub(r"\D", "", written)
    if written.startswith("+"):
        return
    if not country:
        raise InvalidInput(field, "has no country code.", "Write it with + and the country code, or give a country.")
    trunk = _trunk(country)
    if trunk.startswith("0") and not digits.startswith("0"):
        remedy = "Format the column as text and export again, or write the number with + and the country code."
        raise InvalidInput(field, f"has lost its leading {trunk} or its +, as in a spreadsheet.", remedy)


@lru_cache(maxsize=256)
def _trunk(country: str) -> str:
    """What is dialled before a number within its country; empty: nothing, as in Italy."""
    from phonenumbers import PhoneMetadata

    metadata = PhoneMetadata.metadata_for_region(country)
    if metadata is None:
        raise InvalidInput("country", f"{country!r} is no country.", "Write its two letters, such as DE or US.")
    return metadata.national_prefix or ""


def _callable(written: str, country: str, field: str) -> str:
    import phonenumbers

    try:
        parsed: PhoneNumber = phonenumbers.parse(written, country or None)
    except phonenumbers.NumberParseException:
        raise InvalidInput(field, "is no telephone number.", _remedy(country)) from None
    number = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    if never := never_called(number):
        raise InvalidInput(field, f"{never}.", "Take the row out.")
    if not phonenumbers.is_valid_number(parsed):
        raise InvalidInput(field, "is no number that its country gives out.", _remedy(country))
    return number


def _remedy(country: str) -> str:
    if country and not _trunk(country):
        return "Look for a missing digit; a spreadsheet takes leading zeros away."
    return "Look for a digit too many or too few."
