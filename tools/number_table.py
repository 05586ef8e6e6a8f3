"""Writes shared/brakes/number_table.py: premium-rate and emergency numbers, from phonenumbers' metadata.

The app could ask phonenumbers itself, but its import costs an answer some 60 ms, and its metadata as many megabytes.
"""

from __future__ import annotations

import textwrap
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import phonenumbers
from phonenumbers import PhoneMetadata, shortdata
from phonenumbers.phonemetadata import PhoneNumberDesc

PAGE = Path(__file__).parents[1] / "shared" / "brakes" / "number_table.py"
WIDTH = 100

_HEAD = '''"""Premium-rate and emergency numbers. Written by `make numbers`; do not edit.

From the metadata of phonenumbers {version}, Google's libphonenumber (Apache License 2.0).
"""

from __future__ import annotations

from collections.abc import Mapping

# fmt: off
'''


def page() -> str:
    """The module as it stands in the file."""
    parts = [
        _HEAD.format(version=phonenumbers.__version__),
        _numbers(
            "ISLANDS",
            _islands(),
            "Area codes of +1 that are neither Canada's nor the United States' or their territories'.",
        ),
        _mapping("PREMIUM", _patterns("premium_rate"), "Premium-rate numbers: national part by country code."),
        _mapping("EMERGENCY", _emergency(), "Emergency numbers by country code."),
    ]
    return "\n".join(parts)


def _islands() -> list[str]:
    """By asking whose numbers each area code has: the metadata does not list them."""
    codes = []
    for code in range(200, 1000):
        numbers = (phonenumbers.PhoneNumber(country_code=1, national_number=code * 10**7 + n) for n in _TRIED)
        regions = {phonenumbers.region_code_for_number(number) for number in numbers} - {None}
        if regions and not regions & DOMESTIC:
            codes.append(str(code))
    return codes


DOMESTIC = {"US", "CA", "AS", "GU", "MP", "PR", "VI"}
"""Canada, the United States and their territories."""

_TRIED = [exchange * 10**4 + 1234 for exchange in range(200, 1000, 37)]


def _regions() -> list[tuple[str, PhoneMetadata]]:
    found = [(region, PhoneMetadata.metadata_for_region(region)) for region in sorted(phonenumbers.SUPPORTED_REGIONS)]
    nowhere = sorted(phonenumbers.COUNTRY_CODES_FOR_NON_GEO_REGIONS)
    found += [("001", PhoneMetadata.metadata_for_nongeo_region(code)) for code in nowhere]
    return [(region, metadata) for region, metadata in found if metadata is not None]


def _patterns(kind: str) -> Mapping[str, str]:
    found: dict[str, set[str]] = defaultdict(set)
    for _, metadata in _regions():
        described: PhoneNumberDesc | None = getattr(metadata, kind)
        if described is not None and described.national_number_pattern:
            found[str(metadata.country_code)].add(described.national_number_pattern)
    return _joined(found)


def _emergency() -> Mapping[str, str]:
    found: dict[str, set[str]] = defaultdict(set)
    for region in sorted(shortdata._AVAILABLE_REGION_CODES):
        metadata = PhoneMetadata.short_metadata_for_region(region)
        described = metadata.emergency if metadata is not None else None
        if described is not None and described.national_number_pattern:
            found[str(phonenumbers.country_code_for_region(region))].add(described.national_number_pattern)
    return _joined(found)


def _joined(found: Mapping[str, set[str]]) -> Mapping[str, str]:
    return {code: "|".join(sorted(patterns)) for code, patterns in sorted(found.items(), key=lambda one: int(one[0]))}


def _numbers(name: str, texts: list[str], meaning: str) -> str:
    lines = textwrap.wrap(", ".join(f'"{text}"' for text in texts), WIDTH)
    return "\n".join([f"{name} = frozenset({{", *(f"    {line}" for line in lines), "})", f'"""{meaning}"""', ""])


def _mapping(name: str, patterns: Mapping[str, str], meaning: str) -> str:
    lines = []
    for code, pattern in patterns.items():
        parts = _parts(pattern)
        if len(parts) == 1:
            lines.append(f'    "{code}": r"{parts[0]}",')
        else:
            lines += [f'    "{code}": (', *(f'        r"{part}"' for part in parts), "    ),"]
    return "\n".join([f"{name}: Mapping[str, str] = {{", *lines, "}", f'"""{meaning}"""', ""])


def _parts(pattern: str) -> list[str]:
    """A pattern in pieces that fit a line; none ends with a backslash, which no raw text can."""
    parts: list[str] = []
    while pattern:
        end = WIDTH - 1 if pattern[WIDTH - 1 : WIDTH] == "\\" else WIDTH
        parts.append(pattern[:end])
        pattern = pattern[end:]
    return parts


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
