"""The report's figures in the order in which the page shows them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Literal

from shared.quality.catalogue import CATALOGUE
from shared.quality.page.figures import NOTHING, percent, shown, why_nothing
from shared.quality.page.lanes import Timeline
from shared.quality.report import AppLine, Channel, Metric, Phrase, Report
from shared.quality.spans import Span

_GROUPS = (
    ("Talk", ("talk_seconds", "talk_ratio", "turns", "longest_monologue_seconds")),
    (
        "Turns",
        ("response_median_seconds", "response_p90_seconds", "interruptions", "backchannels", "overtalk_ratio"),
    ),
    ("Words", ("words", "words_per_minute")),
    ("Audio", ("loudness_lufs", "loudness_range_lu", "peak_dbfs", "clipped_ratio", "noise_floor_dbfs")),
)
_LEGEND = (
    ("interruption", "Interruption"),
    ("overlap", "Overlap"),
    ("dead-air", "Dead air"),
    ("hold", "On hold"),
    ("prompt", "App plays"),
    ("listening", "App listens"),
    ("paused", "Recording paused"),
    ("missing", "Audio missing"),
)
_DRAWN = frozenset({"talk_seconds", "talk_ratio", "turns", "words", "words_per_minute", "app_seconds"})
"""Metrics whose spans are on the timeline, not in a list of times."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One metric.

    Attributes:
        why: why there is no value, when that is known.
        spans: where it comes from, as far as a list of times helps.
    """

    text: str
    why: str = ""
    spans: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """One metric of each participant; `cells` as the report's channels."""

    name: str
    label: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Share:
    """A participant's part of all talk, in percent of the bar."""

    channel: Channel
    x: float
    width: float
    text: str


@dataclass(frozen=True, slots=True)
class Said:
    """One line of the transcript; `cut_in`: an interruption of somebody began in it."""

    start: float
    text: str
    cut_in: bool = False


@dataclass(frozen=True, slots=True)
class Turn:
    """Lines of one speaker in a row.

    Attributes:
        kind: `said` by somebody on a channel, by the `app`, or `keyed`.
        who: its name on the page.
        channel: whose; None: the app's, or not known.
    """

    kind: Literal["said", "app", "keyed"]
    who: str
    channel: int | None = None
    lines: tuple[Said, ...] = ()


@dataclass(frozen=True, slots=True)
class Headline:
    """What the first look should catch."""

    shares: tuple[Share, ...]
    figures: tuple[tuple[str, Cell, str], ...]
    """Label, figure, name of the metric."""


def headline(report: Report) -> Headline:
    """Who talks how much, and the figures that a lead asks for first."""
    shares: list[Share] = []
    at = 0.0
    for channel in report.channels:
        metric = channel.metrics.get("talk_ratio")
        if metric is not None and metric.value and len(report.channels) > 1:
            shares.append(Share(channel, round(at, 3), round(100 * metric.value, 3), percent(metric.value)))
            at += 100 * metric.value
    metrics = report.conversation.metrics
    found = [
        (_label(name), _cell(report, name, metrics[name], None), name)
        for name in ("silence_ratio", "all_interruptions", "dead_air", "hold_seconds", "overlap_ratio")
        if name in metrics
    ]
    return Headline(tuple(shares), tuple(found))


def metric_groups(report: Report) -> tuple[tuple[str, tuple[Row, ...]], ...]:
    """The participants' metrics side by side, in groups; a metric that no participant has is left out."""
    known = {name for _, names in _GROUPS for name in names}
    others = tuple(dict.fromkeys(name for channel in report.channels for name in channel.metrics if name not in known))
    groups = ((title, _rows(report, names)) for title, names in (*_GROUPS, ("Other", others)))
    return tuple((title, rows) for title, rows in groups if rows)


def together(report: Report) -> tuple[Row, ...]:
    """The metrics of the whole conversation."""
    return tuple(
        Row(name, _label(name), (_cell(report, name, metric, None),))
        for name, metric in report.conversation.metrics.items()
    )


def definitions(report: Report) -> tuple[tuple[str, str, str], ...]:
    """Name, label and meaning of each metric that the page shows."""
    here = {name: None for channel in report.channels for name in channel.metrics}
    here |= dict.fromkeys(report.conversation.metrics)
    return tuple((name, _label(name), report.definitions.get(name, "Not defined.")) for name in here)


def tones(report: Report) -> dict[int, int]:
    """Which of the five colours a channel has: the first customer 1, the first agent 2, whatever their order."""
    found: dict[int, int] = {}
    for role, tone in (("customer", 1), ("agent", 2)):
        first = next((one.channel for one in report.channels if one.role == role), None)
        if first is not None:
            found[first] = tone
    left = [tone for tone in (3, 4, 5, 1, 2) if tone not in found.values()]
    for index, channel in enumerate(one.channel for one in report.channels if one.channel not in found):
        found[channel] = left[index % len(left)]
    return found


def limits(report: Report) -> tuple[tuple[str, float, str], ...]:
    """Name, value and meaning of each threshold that the report went by."""
    fields = type(report.thresholds).model_fields
    return tuple((name, value, fields[name].description or "") for name, value in report.thresholds)


def turns(report: Report) -> tuple[Turn, ...]:
    """The transcript, with what the app said and what was keyed; what one says without another in between belongs
    together."""
    labels = {one.channel: one.label for one in report.channels}
    cuts = {one.channel: _starts(one.metrics.get("interruptions")) for one in report.channels}

    def said(phrase: Phrase) -> tuple[Turn, Said]:
        cut_in = any(phrase.start <= at < phrase.end for at in cuts.get(phrase.channel, ()))
        who = labels.get(phrase.channel, f"Channel {phrase.channel}")
        return Turn("said", who, phrase.channel if phrase.channel in labels else None), Said(
            phrase.start, phrase.text, cut_in
        )

    def told(line: AppLine) -> tuple[Turn, Said]:
        if line.kind == "said":
            return Turn("app", "App"), Said(line.at, line.text)
        known = line.channel if line.channel in labels else None
        return Turn("keyed", labels.get(known, "Keys") if known is not None else "Keys", known), Said(
            line.at, line.text
        )

    lines = [*map(said, report.transcript.phrases if report.transcript else ()), *map(told, report.app_lines)]
    lines.sort(key=lambda line: line[1].start)
    return tuple(
        replace(turn, lines=tuple(line for _, line in several))
        for turn, several in groupby(lines, key=lambda line: line[0])
    )


def _starts(metric: Metric | None) -> tuple[float, ...]:
    return tuple(span.start for span in metric.spans) if metric else ()


def legend(timeline: Timeline) -> tuple[tuple[str, str], ...]:
    """Look and name of what the timeline shows beside speech."""
    return tuple((kind, label) for kind, label in _LEGEND if kind in timeline.kinds)


def _rows(report: Report, names: tuple[str, ...]) -> tuple[Row, ...]:
    return tuple(
        Row(name, _label(name), tuple(_of(report, channel, name) for channel in report.channels))
        for name in names
        if any(name in channel.metrics for channel in report.channels)
    )


def _of(report: Report, channel: Channel, name: str) -> Cell:
    metrics: Mapping[str, Metric] = channel.metrics
    return _cell(report, name, metrics.get(name), channel)


def _cell(report: Report, name: str, metric: Metric | None, channel: Channel | None) -> Cell:
    if metric is None or metric.value is None:
        return Cell(NOTHING, why_nothing(report, name, channel))
    return Cell(shown(metric), spans=() if name in _DRAWN else metric.spans)


def _label(name: str) -> str:
    kind = CATALOGUE.get(name)
    return kind.label if kind else name.replace("_", " ")
