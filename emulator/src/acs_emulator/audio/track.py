"""What one participant sounds like over time: clips with the moment they began, never the samples of a whole call.

Positions are samples of the emulated clock: emulated seconds times the sample rate.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from acs_emulator.audio.clip import SAMPLE_BYTES, SAMPLE_RATE, Clip

#: Samples for which a span is kept after its end when nobody records: streams read what has just been heard.
_KEPT = 10 * SAMPLE_RATE


@dataclass(eq=False)
class Span:
    """A stretch of sound. ``kind`` is speech, keys, tone, prompt or stream; ``text`` is what is said or pressed.

    Only ``audience`` hears it (raw ids); None is everyone.
    """

    start: int
    samples: bytes | bytearray = field(repr=False)
    kind: str
    text: str = ""
    audience: frozenset[str] | None = None
    #: Samples that are heard: fewer than there are when the sound was cut off.
    length: int = -1

    def __post_init__(self) -> None:
        if self.length < 0:
            self.length = len(self.samples) // SAMPLE_BYTES

    @property
    def end(self) -> int:
        return self.start + self.length

    def cut(self, at: int) -> None:
        """Nothing of it is heard from ``at`` on."""
        self.length = max(0, min(self.length, at - self.start))

    def part(self, start: int, end: int) -> bytes:
        """The samples from position ``start`` to position ``end``, both inside the span.

        A copy: a view would forbid a span that still grows to do so, and recordings are made in another thread.
        """
        return bytes(self.samples[(start - self.start) * SAMPLE_BYTES : (end - self.start) * SAMPLE_BYTES])


class Track:
    """The spans of one participant in one call. ``now`` gives the current position."""

    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now
        self._spans: list[Span] = []
        self._pins = 0
        #: Stretches that nobody hears: muted, or on hold.
        self._closed: list[tuple[int, int]] = []
        self._closed_since: int | None = None

    def add(
        self,
        clip: Clip,
        kind: str,
        text: str = "",
        *,
        audience: Iterable[str] | None = None,
        start: int | None = None,
    ) -> Span:
        """Sound that begins now, or at ``start``."""
        heard_by = None if audience is None else frozenset(audience)
        return self.append(Span(self._now() if start is None else start, clip.samples, kind, text, heard_by))

    def append(self, span: Span) -> Span:
        self._prune()
        self._spans.append(span)
        return span

    def cut(self, *kinds: str) -> None:
        """Stop what sounds, and what is yet to sound, of these kinds; without kinds, everything."""
        now = self._now()
        for span in self._spans:
            if span.end > now and (not kinds or span.kind in kinds):
                span.cut(now)

    def close(self) -> None:
        """From now on nobody hears this participant."""
        if self._closed_since is None:
            self._closed_since = self._now()

    def open(self) -> None:
        if self._closed_since is not None:
            self._closed.append((self._closed_since, self._now()))
            self._closed_since = None

    def pin(self) -> None:
        """Keep every span from now on, for a recording."""
        self._pins += 1

    def unpin(self) -> None:
        self._pins -= 1

    def pieces(self, start: int, end: int, listener: str | None = None) -> list[tuple[int, bytes]]:
        """What ``listener`` hears from ``start`` to ``end``: offsets in samples, and samples."""
        return [(low - start, span.part(low, high)) for span, low, high in self._heard(start, end, listener)]

    def spans(self, start: int, end: int) -> list[Span]:
        """The spans that sound between two positions."""
        return [span for span in self._spans if span.start < end and span.end > start and span.length > 0]

    def first_heard(self, start: int, end: int) -> int | None:
        """Where the first sound between two positions begins."""
        return min((low for _, low, _ in self._heard(start, end)), default=None)

    def _heard(self, start: int, end: int, listener: str | None = None) -> Iterator[tuple[Span, int, int]]:
        """The audible stretches between two positions: what ``listener`` hears, and what a recording has."""
        for span in self._spans:  # not by `spans`: this runs for every frame of every stream
            if span.start >= end or span.end <= start or span.length <= 0:
                continue
            if span.audience is None or listener in span.audience:
                for low, high in self._opened(max(start, span.start), min(end, span.end)):
                    yield span, low, high

    def _opened(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        closed = self._closed if self._closed_since is None else [*self._closed, (self._closed_since, end)]
        for low, high in closed:
            if low >= end or high <= start:
                continue
            if low > start:
                yield start, low
            start = max(start, high)
        if start < end:
            yield start, end

    def _prune(self) -> None:
        if self._pins:
            return
        oldest = self._now() - _KEPT
        if self._spans and self._spans[0].end < oldest:
            self._spans = [span for span in self._spans if span.end >= oldest]
            self._closed = [stretch for stretch in self._closed if stretch[1] >= oldest]

    def wire(self, start: int, end: int, offset: int = 0) -> list[dict[str, Any]]:
        """What is heard, as the control API shows it, in seconds; ``start`` is shown as ``offset``.

        Speech in the middle of which its speaker is muted or held is shown twice.
        """
        return [
            {
                "start": round((low - start + offset) / SAMPLE_RATE, 3),
                "end": round((high - start + offset) / SAMPLE_RATE, 3),
                "kind": span.kind,
                "text": span.text,
            }
            for span, low, high in self._heard(start, end)
        ]
