"""Spans of time: union, intersection and difference of lists of them, and their length."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Span(NamedTuple):
    """A span of a recording, in wall-clock seconds since its start: pauses count."""

    start: float
    end: float

    @property
    def seconds(self) -> float:
        return self.end - self.start


def union(spans: Iterable[Span], *, gap: float = 0.0) -> list[Span]:
    """The spans in order; those that overlap, or are at most `gap` seconds apart, are merged."""
    joined: list[Span] = []
    for span in sorted(spans):
        if joined and span.start - joined[-1].end <= gap:
            joined[-1] = Span(joined[-1].start, max(joined[-1].end, span.end))
        else:
            joined.append(span)
    return joined


def intersection(one: Sequence[Span], other: Sequence[Span]) -> list[Span]:
    """What is in both lists, each of which is in order and without overlaps."""
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


def difference(spans: Sequence[Span], holes: Sequence[Span]) -> list[Span]:
    """The spans minus the holes, both in order and without overlaps."""
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
    """Their total length in seconds."""
    return sum(span.end - span.start for span in spans)


def rounded(spans: Iterable[Span]) -> list[Span]:
    """The spans, rounded to milliseconds."""
    return [Span(round(span.start, 3), round(span.end, 3)) for span in spans]
