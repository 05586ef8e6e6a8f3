"""What the timeline draws: spans as SVG paths that stay small, whatever the length of the call."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from shared.quality.page.figures import clock, length
from shared.quality.report import AppSpan, Channel, Report
from shared.quality.signal import LOWEST_DBFS
from shared.quality.spans import Span, total, union

_FINEST = 0.01
_UNITS = 100_000
"""Units that the time axis has at most. Spans nearer than one unit become one: in a call of 8 hours that is
0.3 s, less than a pixel at every zoom, and 72,000 spans come to half a megabyte."""

WAVE_HEIGHT = 200

_MARKS = 2_000
"""As `_UNITS`, for what is drawn as an element of its own."""


@dataclass(frozen=True, slots=True)
class Band:
    """A stretch that is drawn as an element of its own.

    Attributes:
        kind: `dead-air`, `paused`, `missing`, `hold`, `prompt` or `listening`; names its look in the style sheet.
        x, width: in percent of the recording.
        title: in words.
    """

    kind: str
    start: float
    x: float
    width: float
    title: str


@dataclass(frozen=True, slots=True)
class Lane:
    """One participant's lane.

    Attributes:
        speech: an SVG path, stroked: one `h` for each span.
        cuts: the same; a dot where each interruption begins.
        wave: an SVG path, filled, in a box of `steps` times WAVE_HEIGHT; empty: how loud the channel is is not known.
        text: what the lane shows, in words.
    """

    channel: Channel
    speech: str
    cuts: str
    wave: str
    steps: int
    holds: tuple[Band, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """The whole picture.

    Attributes:
        seconds: length of the time axis.
        units: width of the paths' coordinate system.
        overlap: an SVG path, stroked, across all lanes.
        across: what concerns everybody.
        app: what the app plays and hears.
        text: what lies across the lanes, in words.
    """

    seconds: float
    units: int
    lanes: tuple[Lane, ...]
    overlap: str
    across: tuple[Band, ...]
    app: tuple[Band, ...]
    text: str

    @property
    def kinds(self) -> frozenset[str]:
        """What there is to explain in the legend."""
        drawn = (*self.across, *self.app, *(band for lane in self.lanes for band in lane.holds))
        lines = {"overlap": self.overlap, "interruption": any(lane.cuts for lane in self.lanes)}
        return frozenset({band.kind for band in drawn} | {kind for kind, drawn in lines.items() if drawn})


def timeline(report: Report) -> Timeline:
    """The lanes of a report."""
    seconds = max(report.recording.seconds, _FINEST)
    across = [
        *_bands("dead-air", report.conversation.dead_air, seconds, "Dead air"),
        *_holes(report, "paused", seconds, "Recording paused"),
        *_holes(report, "missing", seconds, "Audio missing"),
    ]
    app = [
        *_bands("listening", _of(report.app, "listening"), seconds, "The app listens"),
        *_bands("prompt", _of(report.app, "prompt"), seconds, "The app plays"),
    ]
    units = _units(seconds)
    return Timeline(
        seconds=seconds,
        units=units,
        lanes=tuple(_lane(report, channel, seconds, units) for channel in report.channels),
        overlap=path(report.conversation.overlap, seconds, units),
        across=tuple(across),
        app=tuple(app),
        text=_across_in_words(report, across),
    )


def path(spans: Iterable[Span], seconds: float, units: int, *, dots: bool = False) -> str:
    """Spans as a path to stroke, in `units` on `seconds`: a gap, then a line; or a dot at the start of each."""
    marks: list[tuple[int, int]] = []
    for span in spans:
        if span.start >= seconds:
            break
        start = min(units - 1, round(max(span.start, 0.0) / seconds * units))
        end = min(units, max(start + 1, round(span.end / seconds * units)))
        if marks and start <= marks[-1][1]:
            marks[-1] = (marks[-1][0], max(marks[-1][1], end))
        else:
            marks.append((start, end))
    drawn: list[str] = []
    at = 0
    for start, end in marks:
        drawn.append(f"m{start - at} 0h{0 if dots else end - start}")
        at = start if dots else end
    return "M0 0" + "".join(drawn) if drawn else ""


def wave(envelope: Sequence[int]) -> str:
    """How loud a channel is, as the outline of a waveform around the middle of WAVE_HEIGHT.

    Heights are the square of the level, so that a voice stands out from the noise of a line.
    """
    heights = [round(WAVE_HEIGHT / 2 * (level / -LOWEST_DBFS) ** 2) for level in envelope]
    if not any(heights):
        return ""
    runs = [(height, len(list(several))) for height, several in groupby(heights)]
    middle = WAVE_HEIGHT // 2
    upper = "".join(f"V{middle - height}h{width}" for height, width in runs)
    lower = "".join(f"V{middle + height}h-{width}" for height, width in reversed(runs))
    return f"M0 {middle}{upper}{lower}z"


def _units(seconds: float) -> int:
    return max(1, min(_UNITS, round(seconds / _FINEST)))


def _lane(report: Report, channel: Channel, seconds: float, units: int) -> Lane:
    metric = channel.metrics.get("interruptions")
    cuts = metric.spans if metric else ()
    mine = _of(report.app, "hold", channel.channel)
    words = [f"{channel.label} does not speak."]
    if channel.speech:
        words = [f"{channel.label} speaks {length(total(channel.speech))}; stretches: {len(channel.speech):,}."]
    if cuts:
        words.append(f"Interruptions: {len(cuts):,}.")
    if mine:
        words.append(f"Is on hold for {length(total(mine))}.")
    return Lane(
        channel=channel,
        speech=path(channel.speech, seconds, units),
        cuts=path(cuts, seconds, units, dots=True),
        wave=wave(channel.envelope),
        steps=len(channel.envelope),
        holds=tuple(_bands("hold", mine, seconds, "On hold")),
        text=" ".join(words),
    )


def _of(app: Iterable[AppSpan], kind: Literal["prompt", "listening", "hold"], channel: int | None = None) -> list[Span]:
    """The app's spans of a kind; of a channel, with those that are everybody's."""
    found = (one for one in app if one.kind == kind and (channel is None or one.channel in (None, channel)))
    return union(Span(one.start, one.end) for one in found)


def _holes(report: Report, reason: str, seconds: float, title: str) -> Iterable[Band]:
    spans = (Span(hole.start, hole.end) for hole in report.recording.holes if hole.reason == reason)
    return _bands(reason, spans, seconds, title)


def _bands(kind: str, spans: Iterable[Span], seconds: float, title: str) -> list[Band]:
    return [
        Band(
            kind=kind,
            start=span.start,
            x=round(100 * span.start / seconds, 4),
            width=round(100 * min(span.seconds, seconds - span.start) / seconds, 4),
            title=f"{title}, {clock(span.start)} to {clock(span.end)} ({length(span.seconds)})",
        )
        for span in union(spans, gap=seconds / _MARKS)
        if span.start < seconds
    ]


def _across_in_words(report: Report, across: Iterable[Band]) -> str:
    words = [f"{band.title}." for band in across]
    if report.conversation.overlap:
        overlap = report.conversation.overlap
        words.insert(0, f"Overlap: {len(overlap):,}, in all {length(total(overlap))}.")
    return " ".join(words) or "No overlap, no dead air, nothing missing."
