"""Would the calls of yesterday go on with the flows of today? Replays journals of production, before a deployment."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from shared.calls.flow import Flow, flow_of
from shared.calls.journal import Failed, Started, decode
from shared.calls.replay import Session
from shared.errors import FlowChanged, InvalidInput


@dataclass(frozen=True, slots=True)
class Checked:
    """What became of one call.

    Attributes:
        call_id: the call, as its document names it.
        problem: how its flow differs by now; empty: it would go on.
        where, line: the place in the flow.
        remedy: what to write.
    """

    call_id: str
    flow: str
    problem: str = ""
    where: str = ""
    line: str = ""
    remedy: str = ""


def replay_check(documents: Iterable[Mapping[str, Any]], flows: Mapping[str, Flow]) -> list[Checked]:
    """Replay each call under the flows that there are now. Nothing is sent and no side effect runs.

    Args:
        documents: archived calls, or what `GET /api/calls/{id}/journal` gives: objects with a `journal`.

    Raises InvalidInput for what is no such document.
    """
    return [_checked(document, flows) for document in documents]


def _checked(document: Mapping[str, Any], flows: Mapping[str, Flow]) -> Checked:
    call_id = document.get("call_id") or document.get("id")
    if not isinstance(call_id, str) or not call_id:
        raise InvalidInput("id", "is missing.", "Give an archived call, or GET /api/calls/{id}/journal.")
    texts, started = _journal(document)
    flow = flow_of(flows, started.flow)
    if flow is None:
        return Checked(
            call_id,
            started.flow,
            problem="there is no flow of this name any more",
            remedy="Keep the flow until its last call is over; of one that was renamed write: formerly=[the old name].",
        )
    session = Session(flow, call_id)
    session.remember_marks(texts)
    for position, text in enumerate(texts):
        if isinstance(decode(text), Failed):
            return Checked(call_id, started.flow)  # the call failed here; what follows is the fallback's
        session.feed_stored([text])
        if session.changed is not None:
            return _differs(call_id, started.flow, position, session.changed)
    changed = next((entry for entry in session.take() if isinstance(entry, Failed)), None)
    if changed is not None:
        return Checked(
            call_id, started.flow, changed.error, changed.where or "", changed.line or "", changed.remedy or ""
        )
    return Checked(call_id, started.flow)


def _differs(call_id: str, flow: str, position: int, changed: FlowChanged) -> Checked:
    problem = f"entry {position + 1}: {changed.problem}"
    return Checked(call_id, flow, problem, changed.where, changed.line, changed.remedy)


def _journal(document: Mapping[str, Any]) -> tuple[list[str], Started]:
    entries = document.get("journal")
    if not isinstance(entries, list) or not entries:
        raise InvalidInput("journal", "is missing.", "Give an archived call, or GET /api/calls/{id}/journal.")
    texts = [json.dumps(entry, ensure_ascii=False, separators=(",", ":")) for entry in entries]
    try:
        started = decode(texts[0])
    except ValueError as error:
        raise InvalidInput("journal.0", f"is no entry: {error}", "Give the document as it was archived.") from None
    if not isinstance(started, Started):
        raise InvalidInput("journal.0", "is not the start of a call.", "Give the whole journal.")
    return texts, started
