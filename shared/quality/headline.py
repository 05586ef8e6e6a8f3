"""The headline of a report: its row in the table of reports."""

from __future__ import annotations

from shared.quality.report import Report
from shared.recordings.base import ReportRow


def row(report: Report) -> ReportRow:
    """What a list of reports shows of this one."""
    metrics = report.conversation.metrics
    started_at = report.recording.started_at or report.call.started_at
    agents = [channel.metrics["talk_ratio"].value for channel in report.channels if channel.role == "agent"]
    shares = [share for share in agents if share is not None]
    graded = next((card for card in report.scorecards if card.passed is not None), None)
    return ReportRow(
        id=report.id,
        call_id=report.call.id or "",
        flow=report.call.flow or "",
        direction=report.call.direction or "",
        outcome=report.call.outcome or "",
        started_at=int(started_at.timestamp() * 1000) if started_at else 0,
        created_at=int(report.created_at.timestamp() * 1000),
        seconds=report.recording.seconds,
        channels=len(report.channels),
        conversation_seconds=metrics["conversation_seconds"].value,
        silence_ratio=metrics["silence_ratio"].value,
        overlap_ratio=metrics["overlap_ratio"].value,
        dead_air=int(metrics["dead_air"].value or 0),
        interruptions=int(metrics["all_interruptions"].value or 0),
        hold_seconds=metrics["hold_seconds"].value or 0.0,
        agent_talk_ratio=round(sum(shares), 4) if shares else None,
        flags=tuple(dict.fromkeys(flag.code for flag in report.flags)),
        score=graded.score if graded else None,
        passed=graded.passed if graded else None,
        scorecard=graded.name if graded else "",
        questions=graded.questions if graded else 0,
        answered=graded.answered if graded else 0,
        generation=report.generation,
        result=report.call.result or "",
    )
