"""One call as its page shows it: a sentence, its people as lanes, the conversation, and what support asks for."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.calls.claims import placed_id
from shared.web.console.acting import other_side, own_side
from shared.web.console.history import History, Line, history
from shared.web.console.lanes import Lane, lanes
from shared.web.console.words import OUTCOME, STATUS, length, moment, person, without_numbers
from shared.web.models import CallView

_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,59}")


@dataclass(frozen=True, slots=True)
class CallPage:
    """What the part of the page shows that moves while the call goes on.

    Attributes:
        sentence: the whole call in one sentence.
        state: how it ended, or where it is.
        result, error: what its flow said of it, and how it failed.
        technical: how many of the lines are.
        newest: the last line in words, for those who hear the page.
        campaign, connection: ids of the campaign that placed it, and of the masked numbers that it was a call of.
    """

    view: CallView
    sentence: str
    state: str
    result: str
    error: str
    live: bool
    lanes: Sequence[Lane]
    lasted: str
    lines: Sequence[Line]
    technical: int
    newest: str
    support: str
    campaign: str
    connection: str


def version_of(view: CallView) -> str:
    """An ETag of what the page shows of a call: it changes with every entry of the journal, and with its end."""
    told = f"{view.id} {view.entries} {view.status} {view.outcome} {view.result} {view.ended_at}"
    return f'"{hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()[:20]}"'


def call_page(view: CallView, journal: Sequence[Mapping[str, Any]], title: str, now: int, *, shown: bool) -> CallPage:
    """The page of a call.

    Args:
        journal: as the HTTP API gives it.
        title: of its flow.
        now: Unix time in milliseconds, up to which a call that goes on is drawn.
        shown: phone numbers are shown.
    """
    told = history(journal, view.caller, view.callee, view.direction, shown=shown)
    end = view.ended_at or now
    newest = next((line for line in reversed(told.lines) if line.kind != "technical"), None)
    return CallPage(
        view=view,
        sentence=_sentence(view, title, shown=shown),
        state=OUTCOME.get(view.outcome, view.outcome) if view.status == "ended" else STATUS[view.status],
        result=view.result if shown else without_numbers(view.result),
        error=view.failure.get("error", "") if shown else without_numbers(view.failure.get("error", "")),
        live=view.status != "ended",
        lanes=lanes(told.stretches, view.started_at, end),
        lasted=length(end - view.started_at),
        lines=told.lines,
        technical=sum(line.kind == "technical" for line in told.lines),
        newest=" ".join(filter(None, (newest.who, newest.text, newest.quote, newest.result))) if newest else "",
        support=support_text(view, told),
        campaign=campaign_of(journal, view.id),
        connection=_id(view.details.get("session")) if view.details.get("by") in ("a", "b") else "",
    )


def campaign_of(journal: Sequence[Mapping[str, Any]], call_id: str) -> str:
    """The campaign that has placed a call; empty: none. An input that only says so does not count."""
    given = journal[0].get("input") if journal else None
    attempt = given.get("attempt") if isinstance(given, Mapping) else None
    if not isinstance(attempt, str) or placed_id(attempt) != call_id:
        return ""
    return _id(attempt.partition(":")[0])


def _id(value: Any) -> str:
    return value if isinstance(value, str) and _ID.fullmatch(value) else ""


def _sentence(view: CallView, title: str, *, shown: bool) -> str:
    other = person(other_side(view), shown=shown)
    own = person(own_side(view), shown=True)
    verb = f"{other} called {own}" if view.direction == "inbound" else f"Switchboard called {other} from {own}"
    if view.direction == "outbound" and view.status == "waiting":
        verb = f"Switchboard is to call {other}"
    parts = [f"{verb} at {moment(view.started_at)[11:16]} UTC on {moment(view.started_at)[:10]}"]
    parts.append(f"and got {title}" if view.direction == "inbound" else f"for {title}")
    sentence = " ".join(parts)
    if view.status != "ended":
        return f"{sentence}. It is {STATUS[view.status]}."
    if not view.connected_at:
        return f"{sentence}. It never connected: {OUTCOME.get(view.outcome, view.outcome) or 'no outcome is known'}."
    talked = length(view.ended_at - view.connected_at)
    return f"{sentence}. It lasted {talked}; {OUTCOME.get(view.outcome, view.outcome)}."


def support_text(view: CallView, told: History) -> str:
    """What Microsoft's support and a developer ask for: ids, times and codes; no number and no word of the call."""
    rows = [
        ("call", view.id),
        ("flow", view.flow),
        ("direction", view.direction),
        ("started", _time(view.started_at)),
        ("connected", _time(view.connected_at)),
        ("ended", _time(view.ended_at)),
        ("outcome", view.outcome),
        ("code/sub-code", f"{view.code}/{view.sub_code} {view.explanation}".strip()),
        ("call connection id", view.call_connection_id),
        ("server call id", view.server_call_id),
        ("correlation id", view.correlation_id),
        ("recording ids", ", ".join(view.recording_ids)),
        ("flow failed at", view.failure.get("where", "")),
    ]
    failures = [
        without_numbers(f"{_time(line.at)}  {line.text or 'say a text'}: {line.result}")
        for line in told.lines
        if line.failed
    ]
    width = max(len(name) for name, _ in rows)
    text = "\n".join(f"{name.ljust(width)}  {value or '–'}" for name, value in rows)
    return text + ("\n\nfailures\n" + "\n".join(failures) if failures else "")


def _time(at: int) -> str:
    return f"{moment(at)} UTC" if at else ""
