"""Looks for digits in everything that is kept or shown, however they may be written there."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

TONES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
"""The service's words."""


def assert_nowhere(digits: str, *kept: Any) -> None:
    """AssertionError if these digits stand in any of this: as a string, spaced, as tone words, or in base64."""
    text = json.dumps(kept, default=_plain, ensure_ascii=False)
    assert list(_found(digits, text)) == [], f"{digits} stands in {text[:4000]}"


def _plain(kept: object) -> object:
    return kept.decode("latin-1") if isinstance(kept, bytes) else str(kept)


def _found(digits: str, text: str) -> Iterator[str]:
    as_digits, as_tones, as_base64 = _patterns(digits)
    if as_digits.search(text):
        yield "as digits"
    if as_tones.search(text):
        yield "as tones"
    if any(way in text for way in as_base64):
        yield "in base64"


@lru_cache
def _patterns(digits: str) -> tuple[re.Pattern[str], re.Pattern[str], tuple[str, ...]]:
    words = [TONES[int(digit)] for digit in digits]
    forms = (digits, '","'.join(words), '", "'.join(words), " ".join(words))
    coded = tuple(way for form in forms for way in _base64(form))
    return re.compile("[^0-9A-Za-z]*".join(digits)), re.compile("[^a-z]*".join(words), re.IGNORECASE), coded


def _base64(plain: str) -> Iterator[str]:
    """The middle of what base64 makes of it, at each of the three places where it may begin."""
    for shift in range(3):
        coded = base64.b64encode(b"\0" * shift + plain.encode()).decode()
        whole = coded[4 if shift else 0 : -4]
        if len(whole) >= 6:
            yield whole
            yield whole.replace("+", "-").replace("/", "_")
