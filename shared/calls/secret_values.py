"""The secret values of a call, to find them in what the flow goes on to say, send, log or raise."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from shared.calls.actions import TONE_OF_KEY
from shared.calls.free_text import SECRET

LONG = 4
"""Digits from which on a number is found anywhere, also within another; a shorter one only by itself (our choice)."""

_DIGITS: Mapping[str, str] = {tone: key for key, tone in TONE_OF_KEY.items() if key.isdigit()}
_TOKEN = re.compile(r"\d+|[^\W\d_]+")


class SecretValues:
    """Numbers and words that must not be shown.

    A number is found however it is written: in one, with spaces or dashes, digit by digit, as an integer, in the
    service's words for tones. Words are found as they were said. What a flow makes of either otherwise (a part, a
    hash, a translation) is not found.
    """

    def __init__(self) -> None:
        self._numbers: set[str] = set()
        self._words: set[str] = set()
        self._keyed: dict[str, frozenset[str]] = {}

    def learn(self, value: str) -> None:
        """This is secret: keys, or words, in which a number may be said."""
        tokens = _tokens(value)
        digits = "".join(token for token in tokens if token.isdigit())
        if digits and (len(digits) >= LONG or digits == "".join(tokens)):
            self._numbers |= _ways(digits)
        if digits != "".join(tokens):
            self._words.add(" ".join(tokens))

    def learn_keys(self, series: str, keys: str) -> None:
        """These keys came one by one: the numbers between `*` and `#` are secret, in place of what the series was."""
        self._keyed[series] = frozenset[str]().union(*map(_ways, re.findall(r"\d+", keys)))

    def learn_numbers(self, value: Any) -> None:
        """The numbers of a JSON value are secret, and texts in it that hold a digit: not every `ok` beside them."""
        for text in texts_in(value):
            if any(character.isdigit() for character in text):
                self.learn(text)

    def held_by(self, text: str) -> bool:
        """Whether a text holds one of them."""
        if not self:
            return False
        tokens = _tokens(text)
        together, apart = "".join(tokens), f" {' '.join(tokens)} "
        if any(f" {words} " in apart for words in self._words):
            return True
        numbers = self._numbers.union(*self._keyed.values())
        return any(number in together if len(number) >= LONG else _stands_alone(number, tokens) for number in numbers)

    def __bool__(self) -> bool:
        return bool(self._numbers or self._words or self._keyed)

    def in_json(self, value: Any) -> bool:
        """Whether a JSON value holds one of them, perhaps spread over a list."""
        return bool(self) and any(map(self.held_by, texts_in(value)))

    def masked(self, value: Any) -> Any:
        """A JSON value with each text or number that holds one of them replaced as a whole."""
        if isinstance(value, dict):
            return {self.masked(key): self.masked(part) for key, part in value.items()}
        if isinstance(value, list):
            parts = [self.masked(part) for part in value]
            return [SECRET] if parts == value and self.in_json(value) else parts
        return SECRET if self.held_by(" ".join(texts_in(value))) else value


def texts_in(value: Any) -> Iterator[str]:
    """The texts and numbers in a JSON value; those of a list together."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield str(value)
    elif isinstance(value, Mapping):
        for key, part in value.items():
            yield str(key)
            yield from texts_in(part)
    elif isinstance(value, list | tuple):
        parts = [text for part in value for text in texts_in(part)]
        yield from parts
        if len(parts) > 1:
            yield " ".join(parts)


def _tokens(text: str) -> list[str]:
    """Its numbers and words, without what stands between them; a digit that is spelled out as the digit."""
    found = _TOKEN.findall(text.casefold())
    return [_ascii(token) if token.isdecimal() else _DIGITS.get(token, token) for token in found]


def _ways(digits: str) -> set[str]:
    """A number as it was keyed, and as an integer."""
    return {digits, digits.lstrip("0") or digits}


def _ascii(digits: str) -> str:
    """Digits of any script as those of ASCII."""
    return "".join(str(unicodedata.decimal(digit)) for digit in digits)


def _stands_alone(number: str, tokens: Sequence[str]) -> bool:
    """Whether tokens one after the other are this number."""
    for start in range(len(tokens)):
        taken = ""
        for token in tokens[start:]:
            taken += token
            if not number.startswith(taken) or taken == number:
                break
        if taken == number:
            return True
    return False
