"""Records and rows with a value in every column."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from shared.recordings.base import ReportRow
from shared.recordings.record import ChunkRecord, RecordingRecord

DAY = "2026-11-23"
AT = 1_795_430_000_000
CALLER, CALLEE = "4:+14255550123", "4:+18005550199"
AGENT, SUPERVISOR = "8:acs:1b5cc06b_0000-aa01", "8:acs:1b5cc06b_0000-bb02"


def an_id(number: int = 0, day: str = DAY) -> str:
    return f"{day.replace('-', '')}-{number:024x}"


def a_chunk(index: int = 0, **values: Any) -> ChunkRecord:
    filled = ChunkRecord(
        index=index,
        document_id=f"0-wjp-d3-{index:032x}",
        content_location=f"https://x.asm.skype.com/v1/objects/0-wjp-d3-{index:032x}/content/audiowavmultichannel",
        metadata_location=f"https://x.asm.skype.com/v1/objects/0-wjp-d3-{index:032x}/content/acsmetadata",
        delete_location=f"https://x.asm.skype.com/v1/objects/0-wjp-d3-{index:032x}",
        status="archived",
        reason="the service answered 503, “später” 😀",
        attempts=3,
        leased_until=AT + 1,
        holder="00112233aabbccdd",
        name=f"{DAY}/{an_id()}/{index}.wav",
        bytes=2_300_000_044,
        seconds=14_400.25,
        analysed=True,
        damaged=True,
        deleted=True,
    )
    return replace(filled, **values)


def a_record(number: int = 0, day: str = DAY, **values: Any) -> RecordingRecord:
    filled = RecordingRecord(
        id=an_id(number, day),
        recording_id="eyJQbGF0Zm9ybUVuZHBvaW50SWQiOi",
        server_call_id="aHR0cHM6Ly9h/b+c==",
        call_id="call-1",
        status="archived",
        reason="it waits, 'quoted'",
        channel_type="mixed",
        format="mp3",
        content_type="audioVideo",
        end_reason="CallEnded",
        started_at=AT,
        duration_ms=2**31 + 5,
        announced_at=AT + 2,
        deadline=AT + 3,
        updated_at=AT + 4,
        reported_at=AT + 5,
        generation=3,
        attempts=2,
        leased_until=AT + 6,
        holder="0f1e2d3c4b5a6978",
        note="one chunk is missing",
        untold=True,
        mark="8796a5b4c3d2e1f0",
        chunks=[a_chunk(0), a_chunk(1, status="failed")],
    )
    return replace(filled, **values)


def a_row(number: int = 0, day: str = DAY, **values: Any) -> ReportRow:
    filled = ReportRow(
        id=an_id(number, day),
        call_id="call-1",
        flow="reception",
        direction="inbound",
        outcome="completed",
        started_at=AT,
        created_at=AT + 1,
        seconds=61.0,
        channels=2,
        conversation_seconds=58.5,
        silence_ratio=0.25,
        overlap_ratio=0.0,
        dead_air=1,
        interruptions=3,
        hold_seconds=4.5,
        agent_talk_ratio=0.5,
        flags=("dead_air", "silence"),
        score=87.5,
        passed=True,
        scorecard="service",
        questions=10,
        answered=6,
        generation=2,
    )
    return replace(filled, **values)
