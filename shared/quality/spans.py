"""Stretches of time, as lists of spans: joined, cut out of one another, counted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Span(NamedTuple):
    """A stretch of a recording, in seconds since its start; pauses count, so it is the time of the wall clock."""

    start: float
    end: float

    @property
    def seconds(self) -> float:
        return self.end - self.start


def united(spans: Iterable[Span], *, gap: float = 0.0) -> list[Span]:
    """The spans in order, those that overlap or lie at most `gap` seconds apart made one."""
    joined: list[Span] = []
    for span in sorted(spans):
        if joined and span.start - joined[-1].end <= gap:
            joined[-1] = Span(joined[-1].start, max(joined[-1].end, span.end))
        else:
            joined.append(span)
    return joined


def common(one: Sequence[Span], other: Sequence[Span]) -> list[Span]:
    """What lies in both lists; each is in order and does not overlap itself."""
    found: list[Span] = []
    i = j = 0
    while i < len(one) and j < len(other):
        low, high = max(one[i].start, other[j].start), min(one[i].end, other[j].end)
        if low < high:
            found.append(Span(low, high))
        if one[i].end < other[j].end:
            i += 1
        else:
            j += 1
    return found


def without(spans: Sequence[Span], holes: Sequence[Span]) -> list[Span]:
    """The spans less the holes; both in order, neither overlaps itself."""
    left: list[Span] = []
    at = 0
    for span in spans:
        start = span.start
        while at < len(holes) and holes[at].end <= start:
            at += 1
        look = at
        while look < len(holes) and holes[look].start < span.end:
            if holes[look].start > start:
                left.append(Span(start, holes[look].start))
            start = max(start, holes[look].end)
            look += 1
        if start < span.end:
            left.append(Span(start, span.end))
    return left


def total(spans: Iterable[Span]) -> float:
    """Seconds in all."""
    return sum(span.end - span.start for span in spans)


def rounded(spans: Iterable[Span]) -> list[Span]:
    """The spans to the millisecond."""
    return [Span(round(span.start, 3), round(span.end, 3)) for span in spans]
