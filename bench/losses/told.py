"""A run for people: its figures, and each wrong call with its story."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime

from bench.losses.judge import Judgement, Verdict

_SHOWN = 12
"""Wrong calls whose story is told in full."""


def told(judgement: Judgement, silent: int = 0) -> str:
    """The figures, then every call that is not right, and so many of those that were silent longest."""
    found = judgement.gathered
    lines = [json.dumps({"scenario": found.scenario.name, **judgement.figures()}, ensure_ascii=False)]
    lines += [f"{outage.what} from {_clock(outage.began)} for {outage.seconds:.1f} s" for outage in found.outages]
    lines += [f"PROBLEM: {problem}" for problem in judgement.problems()]
    bad = judgement.bad
    for verdict in bad[:_SHOWN]:
        lines += ["", *story(judgement, verdict)]
    if len(bad) > _SHOWN:
        lines.append(f"({len(bad) - _SHOWN} more calls are not told)")
    for verdict in sorted(judgement.verdicts, key=lambda one: one.longest, reverse=True)[:silent]:
        lines += ["", *story(judgement, verdict)]
    lines.append(f"logs in {found.logs}")
    return "\n".join(lines)


def story(judgement: Judgement, verdict: Verdict) -> Iterator[str]:
    """Everything about one call: verdict, timeline, journal, what was lost of it."""
    found, placed, app = judgement.gathered, verdict.placed, verdict.app
    wrong = "; ".join(verdict.wrong) or "right"
    yield f"== {placed.kind.name}, phone {placed.phone}, call {app.get('id') or 'unknown to the app'}: {wrong}"
    silences = [silence for silence in verdict.silences if silence.seconds >= 1]
    for silence in silences:
        yield f"   silent for {silence.seconds:.1f} s after '{silence.after}' until '{silence.until}'"
    for said in verdict.twice:
        why = said.why or "the app could know"
        yield f"   said twice: {said.turn}, again after {said.again - said.first:.1f} s ({why})"
    for note in sorted((note for note in found.notes if note.call == placed.call), key=lambda note: note.at):
        yield f"   {_clock(note.at)} {note.who} {note.what} {note.text[:60]}"
    if app:
        yield f"   the app: {app['status']} {app['outcome']} {app['code']}/{app['sub_code']}"
    connection = app.get("call_connection_id") or "none"
    marks = [mark for mark in (app.get("call_connection_id"), app.get("id"), placed.phone) if mark]
    for name, lost in found.lost.items():
        for one in lost:
            if any(mark.encode() in one.request for mark in marks):
                yield f"   {_clock(one.at)} lost towards {name}: {one.method} {one.path[:110]} ({one.status})"
    for delivery in found.deliveries:
        data = delivery["body"][0]["data"]
        if data.get("correlationId") == placed.correlation_id or delivery["callConnectionId"] == connection:
            tries = [
                f"{one['at_ms']:.0f} ms {one.get('status') or one.get('error') or one}" for one in delivery["attempts"]
            ]
            yield f"   delivered: {delivery['type'].rpartition('.')[2]} {', '.join(tries)}"
    for request in found.requests:
        if request["callConnectionId"] == connection:
            context = (request["body"] or {}).get("operationContext", "") if isinstance(request["body"], dict) else ""
            yield f"   asked: {request['operationId']} {context.rpartition(':')[0][-6:]} → {request['status']}"
    for entry in found.journals.get(app.get("id", ""), ()):
        yield f"   journal: {_entry(entry)}"


def _entry(entry: dict[str, object]) -> str:
    event = entry.get("event")
    if isinstance(event, dict):
        data = event.get("data") or {}
        name = str(event.get("type") or event.get("eventType")).rpartition(".")[2]
        return f"{entry['entry']} {name} {str(data.get('operationContext') or '')[-12:]} {event.get('time', '')}"
    return json.dumps(entry, ensure_ascii=False)[:260]


def _clock(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%H:%M:%S.%f")[:-3]
