"""Would the calls of yesterday go on with the flows of today? Replays journals of production, before a deployment."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from shared.calls.actions import Recognize
from shared.calls.flow import Flow, flow_of
from shared.calls.free_text import SECRET
from shared.calls.journal import Failed, Started, decode
from shared.calls.operation_context import read_context
from shared.calls.replay import Session
from shared.calls.sealing import is_shown
from shared.errors import FlowChanged, InvalidInput

USUAL_KEYS = 16
"""Keys that stand for a secret number where its question has no limit (our choice)."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What became of one call.

    Attributes:
        call_id: the call, as its document names it.
        problem: how its flow differs by now; empty: it would go on.
        where, line: the place in the flow.
        remedy: what to write.
        secret_from: the position, from 1, of the first secret entry, if what the flow does after it cannot be compared:
            it does something else with a stand-in for the secret than it did with the secret. 0: all was compared.
    """

    call_id: str
    flow: str
    problem: str = ""
    where: str = ""
    line: str = ""
    remedy: str = ""
    secret_from: int = 0


def replay_check(documents: Iterable[Mapping[str, Any]], flows: Mapping[str, Flow]) -> list[Checked]:
    """Replay each call under the flows that there are now. Nothing is sent and no side effect runs.

    What was secret is not in the documents. In its place the flow gets a stand-in: as many keys as it collects, each 0;
    the word `secret`; the first of its choices; null.

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
    secret_from = 0
    for position, text in enumerate(texts):
        if is_shown(text):
            secret_from = secret_from or position + 1
            text = _with_stand_in(text, session)
        if isinstance(decode(text), Failed):
            return Checked(call_id, started.flow)  # the call failed here; what follows is the fallback's
        session.feed_stored([text])
        if session.changed is not None and secret_from:
            return Checked(call_id, started.flow, secret_from=secret_from)
        if session.changed is not None:
            return _differs(call_id, started.flow, position, session.changed)
    changed = next((entry for entry in session.take() if isinstance(entry, Failed)), None)
    if changed is not None and secret_from:
        return Checked(call_id, started.flow, secret_from=secret_from)
    if changed is not None:
        return Checked(
            call_id, started.flow, changed.error, changed.where or "", changed.line or "", changed.remedy or ""
        )
    return Checked(call_id, started.flow)


def _with_stand_in(text: str, session: Session) -> str:
    """An entry with something in the place of what was secret."""
    entry = json.loads(text)
    data = entry.get("event", {}).get("data", {})
    position = read_context(str(data.get("operationContext")))[1]
    question = next((one.action for one in session.operations if one.seq == position), None)
    if isinstance(question, Recognize) and str(entry["event"].get("type")).endswith("RecognizeCompleted"):
        kind = data.get("recognitionType", question.input)
        if kind == "choices" and question.choices:
            data["choiceResult"] = {"label": question.choices[0].label}
        elif kind == "speech":
            data["speechResult"] = {"speech": SECRET}
        else:
            data["dtmfResult"] = {"tones": ["zero"] * (question.max_tones or USUAL_KEYS)}
    elif entry["entry"] == "event" and str(entry["event"].get("type")).endswith("ToneReceived"):
        data |= {"tone": "zero", "sequenceId": len(text)}
    return json.dumps(entry, ensure_ascii=False, separators=(",", ":"))


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
        raise InvalidInput("journal.0", f"is not an entry: {error}", "Give the document as it was archived.") from None
    if not isinstance(started, Started):
        raise InvalidInput("journal.0", "is not the start of a call.", "Give the whole journal.")
    return texts, started
