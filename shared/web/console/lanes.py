"""Who was on the line when, as one lane each: positions for the page to draw, and the same in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shared.web.console.history import Span, Stretch
from shared.web.console.words import length

WIDTH = 1000
"""Units of the picture from the start of a call to its end."""
NARROWEST = 3.0
"""Units that a stretch has at least, so that it can be seen (our choice)."""

_LAST = ("App", "Recording")
_UNDER: tuple[Span, ...] = ("on the line",)


@dataclass(frozen=True, slots=True)
class Bar:
    """A stretch as it is drawn; `kind` is a class of the style sheet."""

    x: float
    width: float
    kind: str


@dataclass(frozen=True, slots=True)
class Lane:
    """A participant, the app or the recording."""

    name: str
    bars: Sequence[Bar]
    told: str


def lanes(stretches: Sequence[Stretch], start: int, end: int) -> list[Lane]:
    """The lanes of a call, people first.

    Args:
        start, end: of the picture, Unix time in milliseconds; what goes on ends with it.
    """
    whole = max(1, end - start)
    names = sorted(dict.fromkeys(one.lane for one in stretches), key=lambda name: (name in _LAST, _LAST[0] != name))
    return [_lane(name, [one for one in stretches if one.lane == name], start, end, whole) for name in names]


def _lane(name: str, stretches: list[Stretch], start: int, end: int, whole: int) -> Lane:
    bars, told = [], []
    for one in sorted(stretches, key=lambda one: (one.span not in _UNDER, one.start)):
        begins, ends = (min(max(at, start), end) - start for at in (one.start, one.end or end))
        x = begins * WIDTH / whole
        width = min(max((ends - begins) * WIDTH / whole, NARROWEST), WIDTH)
        bars.append(Bar(round(min(x, WIDTH - width), 1), round(width, 1), one.span.replace(" ", "-")))
        told.append(f"{one.span} {length(begins)} to {length(ends)}")
    return Lane(name, bars, "; ".join(told))
