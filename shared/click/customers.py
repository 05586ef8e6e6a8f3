"""Whom a button may have called: numbers as people type them, of allowed countries and ordinary kinds."""

from __future__ import annotations

import ipaddress
import unicodedata
from collections.abc import Sequence

from shared.errors import InvalidInput
from shared.outreach.numbers import read_country, read_number

__all__ = ["address_of", "read_country", "read_customer", "read_name"]

MOST_NAME = 60
_NAME_SIGNS = " .'-’"  # noqa: RUF001 (that is what people type)


def read_customer(text: str, countries: Sequence[str]) -> str:
    """A number in E.164 form; InvalidInput for what is none, or of another country or kind.

    Args:
        countries: the allowed ones, by two letters; the first is that of numbers without + and country code.
    """
    import phonenumbers
    from phonenumbers import PhoneNumberType as Kind

    try:
        number = read_number(text, countries[0])
    except InvalidInput as error:  # its remedies are those for a file
        raise InvalidInput("number", error.problem, "Give another number.") from None
    parsed = phonenumbers.parse(number)
    if phonenumbers.region_code_for_number(parsed) not in countries:
        raise InvalidInput("number", "is of a country that is not called.", f"Allowed: {', '.join(countries)}.")
    ordinary = (Kind.FIXED_LINE, Kind.MOBILE, Kind.FIXED_LINE_OR_MOBILE, Kind.VOIP)
    if phonenumbers.number_type(parsed) not in ordinary:
        raise InvalidInput("number", "is no ordinary telephone.", "Give a landline or a mobile.")
    return number


def read_name(text: str) -> str:
    """A name that is read out to the agent; InvalidInput for what is none.

    Letters only, so that a form says nothing else to them: no numbers, links or markup.
    """
    name = " ".join(text.split())
    if len(name) > MOST_NAME:
        raise InvalidInput("name", f"has {len(name)} characters.", f"Give at most {MOST_NAME}.")
    if not all(sign in _NAME_SIGNS or unicodedata.category(sign)[0] in "LM" for sign in name):
        raise InvalidInput("name", "has signs that no name has.", "Write letters only.")
    return name


def address_of(forwarded: str, proxies: int) -> str:
    """The address of a client out of X-Forwarded-For; empty: it is not known.

    Each proxy adds at the end whom it was reached by, so that only what your own have added can be believed: the last
    one, or the one before it where another proxy of yours stands before the app. What the client wrote itself stands
    before that. Of IPv6 the first 64 bits count: a household has all the rest.

    Args:
        proxies: of your own before the platform's.
    """
    parts = [part.strip() for part in forwarded.split(",") if part.strip()]
    if len(parts) <= proxies:
        return ""
    text = parts[-1 - proxies]
    host = (
        text[1:].partition("]")[0] if text.startswith("[") else text.partition(":")[0] if text.count(":") == 1 else text
    )
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return ""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 64), strict=False).network_address)
    return str(address)
