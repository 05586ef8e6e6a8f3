"""A report as plain text, for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from shared.quality.page.figures import answered, clock, length, points
from shared.quality.page.tables import Cell, metric_groups, together
from shared.quality.report import Report, ScorecardResult
from shared.quality.spans import Span

MOST_TIMES = 5
"""Places of a figure that are named; the others are counted (our choice)."""


def text_of(report: Report) -> str:
    """What a report says, in lines."""
    return "\n".join(_lines(report)).replace("\N{NO-BREAK SPACE}", " ")


def _lines(report: Report) -> Iterator[str]:
    recording = report.recording
    count = f"{len(report.channels)} channel{'s' * (len(report.channels) != 1)} with audio or a participant"
    yield f"{report.id}: {length(recording.seconds)}, {count}, {recording.sample_rate} Hz, {recording.bits} bits"
    yield from (f"  {note}" for note in report.notes)
    for title, rows in metric_groups(report):
        yield ""
        yield from _row(title, [channel.label for channel in report.channels])
        for row in rows:
            yield from _row(f"  {row.label}", map(_cell, row.cells))
    yield ""
    yield "Together"
    for row in together(report):
        yield from _row(f"  {row.label}", [f"{_cell(row.cells[0])}{_times(row.cells[0].spans)}"])
    yield ""
    yield "Flags" if report.flags else "Flags: none"
    for flag in report.flags:
        yield f"  {flag.code:<16} {flag.text}{_times(flag.spans)}"
    for topic in report.topics:
        yield f"Topic {topic.name}: {length(topic.seconds)}{_times(topic.spans)}"
    for card in report.scorecards:
        yield ""
        yield from _card(card)


def _row(label: str, cells: Iterator[str] | Sequence[str]) -> Iterator[str]:
    yield f"{label:<32}" + "".join(f"{cell:<24}" for cell in cells).rstrip()


def _cell(cell: Cell) -> str:
    return f"{cell.text} ({cell.why})" if cell.why else cell.text


def _times(spans: Sequence[Span]) -> str:
    """Where in the recording: ` at 0:33, 1:07 and 4 more`; empty for none."""
    if not spans:
        return ""
    named = ", ".join(clock(span.start) for span in spans[:MOST_TIMES])
    return f"  at {named}" + (f" and {len(spans) - MOST_TIMES} more" if len(spans) > MOST_TIMES else "")


def _card(card: ScorecardResult) -> Iterator[str]:
    verdict = {True: "passed", False: "failed", None: "no verdict"}[card.passed]
    score = "no score" if card.score is None else f"{points(card.score)} of 100"
    yield f"Scorecard {card.title}: {score}, {verdict} (limit {points(card.pass_at)}; {answered(card)})"
    for answer in card.answers:
        worth = "" if answer.answer == "n/a" else f"{points(answer.points)}/{points(answer.of)}"
        yield f"  {answer.answer:<4} {worth:<6} {answer.question} {answer.rationale}"
