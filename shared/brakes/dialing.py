"""Which telephone numbers the app may call: by country, by prefix, and some never.

Pure, and without phonenumbers, whose import no call waits for: `number_table` has what is needed of its metadata.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from shared.brakes.number_table import EMERGENCY, ISLANDS, PREMIUM
from shared.identifiers import Identifier

SATELLITE = ("870", "881", "882", "883")
"""Country codes of satellite and other international networks (ITU-T E.164, list of assigned country codes)."""
INTERNATIONAL_PREMIUM = "979"
"""Country code of the international premium-rate service (the same list)."""

UNKNOWN = "is nobody that this app knows how to call; write a number with its plus sign, or the raw id of a user or app"
"""Of a raw id that is not plainly that of a user or an app: the service might read a telephone number in it."""

SHORTEST = 7
"""Digits of the shortest telephone numbers with their country code (+683 4002, +290 2xxxx). What is shorter is an
emergency or another service number."""

_ONE_DIGIT = ("1", "7")
_TWO_DIGITS = frozenset(
    {"20", "27", "30", "31", "32", "33", "34", "36", "39", "40", "41", "43", "44", "45", "46", "47", "48", "49", "51",
     "52", "53", "54", "55", "56", "57", "58", "60", "61", "62", "63", "64", "65", "66", "81", "82", "84", "86", "90",
     "91", "92", "93", "94", "95", "98"}
)  # fmt: skip
"""Country codes of fewer than three digits: of all others, the first three digits are the code (ITU-T E.164)."""

_E164 = re.compile(r"\+[1-9][0-9]{1,14}")
_PREFIX = re.compile(r"\+([1-9][0-9]{0,14})?")
_OF_NORTH_AMERICA = re.compile(r"(?!.11)[2-9][0-9]{9}")
"""The national part of a number of +1: ten digits, and 911 and the like are no area codes."""


def country_code(number: str) -> str:
    """The country code of an E.164 number or its beginning, without the plus sign."""
    digits = number[1:]
    if digits[:1] in _ONE_DIGIT:
        return digits[:1]
    return digits[:2] if digits[:2] in _TWO_DIGITS else digits[:3]


def country_of(number: str) -> str:
    """The prefix of a number's country: `+49`. +1 is shared by some twenty-five countries: `+1876` is Jamaica, and `+1`
    what belongs to the United States or Canada, or to no country, such as +1800."""
    code = country_code(number)
    return f"+1{number[2:5]}" if code == "1" and number[2:5] in ISLANDS else f"+{code}"


def never_called(number: str) -> str:
    """Why a number is never called, whatever the settings say; empty: it may be."""
    if not _E164.fullmatch(number):
        return "is no telephone number in E.164 form; write +, the country code and the number"
    code = country_code(number)
    national = number[1 + len(code) :]
    if len(number) - 1 < SHORTEST or _pattern(EMERGENCY.get(code, NOTHING)).fullmatch(national):
        return "is an emergency or service number, which this app never calls"
    if code in SATELLITE:
        return "is a satellite number or one of an international network, which this app never calls"
    if code == INTERNATIONAL_PREMIUM or (code == "1" and national.startswith("900")) or _is_premium(code, national):
        return "is a premium-rate number, which this app never calls"
    if code == "1" and not _OF_NORTH_AMERICA.fullmatch(national):
        return "is no telephone number of +1, which have ten digits and no 911 or the like as area code"
    return ""


@dataclass(frozen=True, slots=True)
class Dialing:
    """Which numbers may be called.

    Attributes:
        prefixes: of the numbers that may be called; empty: those of `countries` and of the app's own number on the
            call.
        countries: as `country_of` gives them.
    """

    prefixes: tuple[str, ...] = ()
    countries: frozenset[str] = frozenset()

    def problem(self, target: Identifier, own: Iterable[Identifier | None] = ()) -> str:
        """Why somebody may not be called; empty: they may. Users and apps always may.

        Args:
            own: numbers of the app on this call: the caller id, or the number that was called.
        """
        number = target.phone_number
        if number is None:
            return UNKNOWN if target.kind == "unknown" else ""
        if never := never_called(number):
            return never
        if self.prefixes:
            allowed = number.startswith(self.prefixes)
        else:
            allowed = country_of(number) in self.countries | countries_of(one for one in own if one is not None)
        return (
            "" if allowed else f"begins with {country_of(number)}, which is not allowed; ALLOWED_PREFIXES says what is"
        )


def countries_of(people: Iterable[Identifier]) -> frozenset[str]:
    """The countries of those who are on a telephone."""
    numbers = (one.phone_number or "" for one in people)
    return frozenset(country_of(number) for number in numbers if _E164.fullmatch(number))


def read_prefixes(value: str) -> tuple[str, ...]:
    """The prefixes of a comma-separated list; ValueError says which is none."""
    prefixes = tuple(one for part in value.split(",") if (one := part.strip().replace(" ", "")))
    for begin in prefixes:
        if not _PREFIX.fullmatch(begin):
            raise ValueError(f"{begin[:20]!r} is no prefix; write + and the first digits, such as +49, +1425; + is all")
        if never := _never_prefix(begin):
            raise ValueError(f"{begin} {never}; take it out")
    return prefixes


def _never_prefix(prefix: str) -> str:
    """Why no number that begins so is ever called; empty: some may be."""
    code = country_code(prefix)
    if code in SATELLITE:
        return "is that of satellite numbers, which are never called"
    if code == INTERNATIONAL_PREMIUM or prefix.startswith("+1900"):
        return "is that of premium-rate numbers, which are never called"
    return ""


NOTHING = r"(?!)"
"""Matches no number."""


LONG = 8
"""Digits of a national part of which networks ignore what is dialled beyond it (our choice): the beginning decides.
What is shorter may be the beginning of another number, as it is in Andorra."""


def _is_premium(code: str, national: str) -> bool:
    found = _pattern(PREMIUM.get(code, NOTHING)).match(national)
    return found is not None and (found.end() == len(national) or found.end() >= LONG)


@lru_cache(maxsize=512)
def _pattern(patterns: str) -> re.Pattern[str]:
    """Compiled for the countries that are called, no others."""
    return re.compile(f"(?:{patterns})", re.ASCII)
