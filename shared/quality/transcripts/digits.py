"""Text as it looks when every digit is written as one: what the search for numbers reads."""

from __future__ import annotations

import re
from itertools import pairwise

_SPOKEN = {
    word: str(digit)
    for digit, word in enumerate(("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"))
}
_NOUGHT = frozenset({"oh", "o"})
_TIMES = {"double": 2, "triple": 3, "treble": 3}
_TOKEN = re.compile(r"\d|[^\W\d_]+")
_GAP = re.compile(r"(?:[\s,.;…‐-―-]|\b(?:u[hm]+|er|erm|ah|eh|hm+|and|then|okay|ok|dash|hyphen|space)\b)+", re.I)
"""What people and transcribers put between the digits of one number."""
_HESITATION = re.compile(r"[^\W\d_]|,\s|;|…")
_JOIN = re.compile(r"[\s,-]+")


class DigitView:
    """A text in which spoken English digits, and digits of every script, are ASCII digits.

    “four one double two” becomes `4122`, “4111, uh, 1111” `4111 1111`, “plus four four” `+44`. All else stays.

    Attributes:
        text: the view.
    """

    def __init__(self, original: str) -> None:
        self._original = original
        self._parts: list[tuple[str, int, int]] = []
        digits = list(_digits(original))
        at = 0
        for index, (value, start, end, spoken) in enumerate(digits):
            if index:
                self._between(at, start, both_spoken=spoken and digits[index - 1][3])
            else:
                self._copy(at, start)
            self._plus()
            self._parts += [(value[0], start, end)] * len(value)
            at = end
        self._copy(at, len(original))
        self.text = "".join(part for part, _, _ in self._parts)

    def source(self, start: int, end: int) -> tuple[int, int]:
        """Where in the original the characters from `start` up to `end` of the view come from."""
        return self._parts[start][1], self._parts[end - 1][2]

    def _copy(self, start: int, end: int) -> None:
        self._parts += [(self._original[i], i, i + 1) for i in range(start, end)]

    def _between(self, start: int, end: int, *, both_spoken: bool) -> None:
        gap = self._original[start:end]
        if both_spoken and _JOIN.fullmatch(gap):
            return
        if _GAP.fullmatch(gap) and _HESITATION.search(gap):
            self._parts.append((" ", start, end))
        else:
            self._copy(start, end)

    def _plus(self) -> None:
        """“plus ” before a digit is a `+`."""
        *before, space = (part for part, _, _ in self._parts[-6:]) if self._parts else ("",)
        if space.isspace() and re.fullmatch(r"\W?plus", "".join(before), re.I):
            self._parts[-5:] = [("+", self._parts[-5][1], self._parts[-1][2])]


def _digits(text: str) -> list[tuple[str, int, int, bool]]:
    """Each digit: its value (repeated for “double”), its place, and whether it is spoken."""
    tokens = [(match.group(), match.start(), match.end()) for match in _TOKEN.finditer(text)]
    spoken = [_SPOKEN.get(word.lower(), "") for word, _, _ in tokens]
    near = [bool(_JOIN.fullmatch(text[one[2] : other[1]])) for one, other in pairwise(tokens)] + [False]
    # “oh” is a zero only beside another spoken digit: first those that follow one, then those before one.
    for order in (range(len(tokens)), reversed(range(len(tokens)))):
        for i in order:
            if tokens[i][0].lower() in _NOUGHT and (
                (i > 0 and near[i - 1] and spoken[i - 1]) or (near[i] and spoken[i + 1])
            ):
                spoken[i] = "0"
    found: list[tuple[str, int, int, bool]] = []
    for i, (word, start, end) in enumerate(tokens):
        if word.isdecimal():
            found.append((str(int(word)), start, end, False))
        elif spoken[i]:
            times = _TIMES.get(tokens[i - 1][0].lower(), 1) if i > 0 and near[i - 1] else 1
            found.append((spoken[i] * times, tokens[i - 1][1] if times > 1 else start, end, True))
    return found
