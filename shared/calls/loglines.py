"""What the log says of a call: failures as they are committed, and its end. Nothing about a person."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping
from typing import Any

from shared.calls.failures import explained_end, refusal
from shared.calls.free_text import SECRET
from shared.calls.journal import Entry, Failed, Logged, RefusedEntry
from shared.calls.record import CallRecord
from shared.calls.replay import Session
from shared.errors import ActionFailed
from shared.logs import logger

log = logger("switchboard.calls")

OF_THE_OTHER_SIDE = frozenset(
    {"no_input", "no_match", "partial_input", "declined", "busy", "no_answer", "unreachable", "canceled", "ended"}
)
"""Outcomes that the other side makes; what else fails, the app or its resources may be to blame for."""

BRINGS_A_PERSON = (".AddParticipantSucceeded", ".CallTransferAccepted")
"""Events after which the caller has a person on the line."""


def log_failures(
    session: Session, entries: Iterable[Entry], failed: Iterable[ActionFailed] = (), *, in_full: bool = False
) -> None:
    """The actions that failed or were refused, in plain words, and the flow, if it did.

    Args:
        entries: what was committed.
        failed: the actions that failed by it.
        in_full: with what a flow raised, which may name the caller.
    """
    record = session.record
    for error in failed:
        log.log(
            logging.INFO if error.outcome in OF_THE_OTHER_SIDE else logging.WARNING,
            "failed %s call=%s %d/%d %s retryable=%s: %s",
            error.action,
            record.call_id,
            error.code,
            error.sub_code,
            error.outcome,
            error.retryable,
            error.plain,
        )
    for entry in entries:
        if isinstance(entry, RefusedEntry):
            refused = refusal(session.operation(entry.seq).action, entry)
            log.warning(
                "refused %s call=%s %d %s retryable=%s: %s",
                refused.action,
                record.call_id,
                refused.status,
                SECRET if session.hides(entry) else refused.code,
                refused.retryable,
                refused.plain,
            )
        if isinstance(entry, Failed):
            # What the error says may name the caller: that stays in the journal.
            kind = entry.error.partition(":")[0]
            log.error(
                "flow %s failed call=%s: %s%s%s",
                record.flow,
                record.call_id,
                entry.error if in_full else kind,
                f" | {entry.where}: {entry.line}" if entry.where else "",
                f" | {entry.remedy}" if entry.remedy else "",
            )
        if isinstance(entry, Logged):
            fields = json.dumps(entry.fields, ensure_ascii=False) if entry.fields else ""
            log.info("flow %s says call=%s: %s %s", record.flow, record.call_id, entry.message, fields)


def log_closed(record: CallRecord, entries: Iterable[Mapping[str, Any]]) -> None:
    """The end of a call: one line that is counted, and one with words where they help.

    Args:
        entries: its journal, oldest first.
    """
    from shared.telemetry import write

    over = record.ended_at or record.updated_at
    person = next((int(one["at"]) for one in entries if _brings_a_person(one)), None)
    write(
        "call",
        call=record.call_id,
        flow=record.flow,
        direction=record.direction,
        outcome=record.outcome,
        code=record.code,
        sub_code=record.sub_code,
        result=record.result or None,
        ring_ms=max(0, (record.connected_at or over) - record.started_at),
        talk_ms=max(0, over - record.connected_at) if record.connected_at else 0,
        person_ms=max(0, person - record.connected_at) if person and record.connected_at else None,
        recorded=bool(record.recording_ids),
        flow_failed=bool(record.failure),
    )
    if (words := explained_end(record)) is None:
        return
    log.info(
        "closed call=%s outcome=%s result=%s entries=%d %d/%d %s",
        record.call_id,
        record.outcome,
        record.result,
        record.entries,
        record.code,
        record.sub_code,
        words.plain,
    )


def _brings_a_person(entry: Mapping[str, Any]) -> bool:
    """Whether an entry says that somebody was added to the call, or took it over."""
    return str((entry.get("event") or {}).get("type", "")).endswith(BRINGS_A_PERSON)
