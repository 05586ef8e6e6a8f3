"""A journal as a conversation: who said, heard and did what, with what came of it, in words.

Pure: from the entries of the HTTP API to lines. What only a developer asks for is marked technical, and folded by the
page; every line names the entries that it is made of.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from shared.calls.actions import KINDS, Opening
from shared.calls.operation_context import read_context
from shared.events import CallEvent, explain
from shared.events.callbacks import (
    CallConnected,
    CallDisconnected,
    ContinuousDtmfRecognitionToneReceived,
    ParticipantsUpdated,
    PlayStarted,
    RecognizeCompleted,
    RecordingStateChanged,
)
from shared.events.journaled import journaled_callback
from shared.identifiers import key_of
from shared.numbers import whole_number
from shared.web.console.asked import Kind, asked, expected, key_presses
from shared.web.console.words import is_app, person, seconds, without_numbers

Span = Literal["on the line", "speaks", "listens", "on hold", "recorded"]

CONSOLE_KEY = "console-"
"""What the idempotency keys of this console begin with: so its actions are told from those over the HTTP API."""

MOST_CHARACTERS = 400
"""Of a text that a line shows (our choice); its entry as JSON has it whole."""


@dataclass(slots=True)
class Line:
    """One line of the conversation.

    Attributes:
        who: who speaks or acts.
        text: what happened; may be empty where somebody is quoted.
        quote: what was said, keyed or heard.
        result: what came of it.
        secret: something of it is left out.
        numbers: the entries that it is made of, from 0.
    """

    at: int
    kind: Kind
    who: str
    text: str
    quote: str = ""
    result: str = ""
    failed: bool = False
    secret: bool = False
    numbers: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Something that lasted; `end` 0: it goes on."""

    lane: str
    span: Span
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class History:
    """The conversation, and what lasted in it."""

    lines: Sequence[Line]
    stretches: Sequence[Stretch]


def history(entries: Iterable[Mapping[str, Any]], caller: str, callee: str, direction: str, *, shown: bool) -> History:
    """The conversation of a call.

    Args:
        entries: the journal, as the HTTP API gives it.
        caller, callee: raw ids.
        shown: phone numbers are shown.
    """
    teller = _Teller(caller if direction == "inbound" else callee, direction, shown=shown)
    for number, entry in enumerate(entries):
        teller.take(number, entry)
    return History(teller.lines, list(teller.stretches()))


@dataclass(slots=True)
class _Operation:
    line: Line
    action: Mapping[str, Any]
    started: int = 0
    ended: int = 0

    @property
    def kind(self) -> str:
        return str(self.action["kind"])


class _Teller:
    def __init__(self, other: str, direction: str, *, shown: bool) -> None:
        self.lines: list[Line] = []
        self._shown = shown
        self._other, self._other_name = key_of(other), "Caller" if direction == "inbound" else "Person called"
        self._operations: dict[int, _Operation] = {}
        self._since: dict[tuple[str, Span], int] = {}
        self._lasted: list[Stretch] = []
        self._connected = self._ended = self._number = 0
        self._tell: Mapping[str, Callable[[Mapping[str, Any]], None]] = {
            "started": self._started,
            "issued": self._issued,
            "event": self._event,
            "noticed": self._noticed,
            "resent": lambda entry: self._technical(entry, "sent again: nothing showed that it had left"),
            "accepted": lambda entry: self._technical(entry, "taken by the service"),
            "timer": lambda entry: self._technical(entry, "is over"),
            "answered": self._answered,
            "refused": self._refused,
            "signal": self._signalled,
            "marked": lambda entry: self._note(entry, "technical", f"Version {entry['name']} of the flow", None),
            "logged": lambda entry: self._note(entry, "note", f"Noted: {entry['message']}", entry.get("fields")),
            "result": lambda entry: self._note(entry, "note", f"Result: {entry['result']}", entry.get("details")),
            "gave_up": lambda entry: self._fail(entry, entry["seq"], "gave up: no outcome came in its time"),
            "settled": self._settled,
            "failed": self._flow_failed,
        }

    def take(self, number: int, entry: Mapping[str, Any]) -> None:
        """Tell one entry."""
        self._number = number
        self._tell[entry["entry"]](entry)

    def stretches(self) -> Iterator[Stretch]:
        """What lasted, or goes on."""
        yield from self._lasted
        for (name, span), since in self._since.items():
            yield Stretch(name, span, since, self._ended)
        spans = {span for _, span in self._since} | {one.span for one in self._lasted}
        if self._connected and "on the line" not in spans:  # the service sent no list of participants
            yield Stretch(self._other_name, "on the line", self._connected, self._ended)
        for one in self._operations.values():
            if one.kind in ("play", "recognize") and not one.line.failed:
                does: Span = "speaks" if one.kind == "play" else "listens"
                yield Stretch("App", does, one.started or one.line.at, one.ended or self._ended)

    def _add(
        self, entry: Mapping[str, Any], kind: Kind, who: str, text: str, *, quote: str = "", result: str = ""
    ) -> Line:
        secret = bool(entry.get("secret"))
        line = Line(int(entry["at"]), kind, who, text, quote, result, secret=secret, numbers=[self._number])
        self.lines.append(line)
        return line

    def _name(self, raw_id: Any) -> str:
        if not raw_id or key_of(str(raw_id)) == self._other:
            return self._other_name
        return person(str(raw_id), shown=self._shown)

    def _whom(self, raw_id: Any) -> str:
        """The same within a sentence."""
        name = self._name(raw_id)
        return f"the {name.lower()}" if name == self._other_name else name

    def _side(self, raw_id: str) -> str:
        """Who called whom: of the two the app's own number is no secret."""
        return person(raw_id, shown=self._shown or bool(raw_id and key_of(raw_id) != self._other))

    def _words(self, value: Any) -> str:
        """A value as this reader may see it, and no longer than a line takes."""
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        text = text if self._shown else without_numbers(text)
        return text if len(text) <= MOST_CHARACTERS else f"{text[:MOST_CHARACTERS]}…"

    # Entries

    def _started(self, entry: Mapping[str, Any]) -> None:
        caller, callee = (self._side(str(entry.get(side) or "")) for side in ("caller", "callee"))
        text = f"{caller} called {callee}" if entry["direction"] == "inbound" else f"To be placed: {caller} to {callee}"
        given = entry.get("input")
        self._add(entry, "people", "Switchboard", text, quote="" if given is None else self._words(given))

    def _issued(self, entry: Mapping[str, Any]) -> None:
        action, command = entry["action"], entry.get("command")
        kind, text, quote = asked(action, self._whom, self._words)
        line = self._add(entry, kind, _asker(command) if command else "App", text, quote=quote)
        if quote and action["kind"] == "recognize":
            line.result = f"asks for {expected(action, self._words)}"
        self._operations[int(entry["seq"])] = _Operation(line, action)

    def _answered(self, entry: Mapping[str, Any]) -> None:
        operation, at = self._operations.get(int(entry["seq"])), int(entry["at"])
        if operation is not None:
            operation.ended = at
            if operation.kind in ("hold", "unhold"):
                held = (self._name(operation.action.get("participant")), "on hold")
                self._begin(held[0], "on hold", at) if operation.kind == "hold" else self._over(held[0], "on hold", at)
            if operation.kind == "run" and not entry.get("secret"):
                operation.line.result = f"gave {self._words(entry.get('value'))}"
        self._technical(entry, "responded")

    def _refused(self, entry: Mapping[str, Any]) -> None:
        status, code = int(entry["status"]), str(entry.get("code") or "")
        number = whole_number(code)
        plain = explain(status, number).plain if number is not None else self._words(entry.get("message") or "")
        self._fail(entry, entry["seq"], f"refused: {plain} ({status}/{self._words(code)})")

    def _signalled(self, entry: Mapping[str, Any]) -> None:
        data = entry.get("data")
        text = f"Signal {self._words(entry['name'])}"
        self._add(entry, "did", _asker(entry["id"]), text, quote="" if data is None else self._words(data))

    def _note(self, entry: Mapping[str, Any], kind: Kind, text: str, more: Any) -> None:
        self._add(entry, kind, "App", self._words(text), quote=self._words(more) if more else "")

    def _settled(self, entry: Mapping[str, Any]) -> None:
        self._end(int(entry["at"]))
        self._add(entry, "error", "Switchboard", f"Closed after silence: {self._words(entry['reason'])}")

    def _flow_failed(self, entry: Mapping[str, Any]) -> None:
        where = f" at {entry['where']}" if entry.get("where") else ""
        text = f"The flow failed{where}: {self._words(entry['error'])}"
        line, remedy = self._words(entry.get("line") or ""), self._words(entry.get("remedy") or "")
        self._add(entry, "error", "Switchboard", text, quote=line, result=remedy)

    def _noticed(self, entry: Mapping[str, Any]) -> None:
        kind = str(entry["event"].get("type") or entry["event"].get("eventType") or "an event").rpartition(".")[2]
        self._add(entry, "technical", "Azure", f"{kind}, by Event Grid")

    # Events

    def _event(self, entry: Mapping[str, Any]) -> None:
        event = journaled_callback(entry["event"])
        at, seq = int(entry["at"]), read_context(event.operation_context or "")[1]
        operation = self._operations.get(seq)
        if isinstance(event, CallDisconnected):
            self._end(at)
            self._add(entry, "people", "Switchboard", "The call ended", result=_explained(event))
        elif isinstance(event, ParticipantsUpdated):
            self._participants(entry, event)
        elif isinstance(event, RecordingStateChanged):
            self._recording(entry, on=event.state == "active")
        elif isinstance(event, ContinuousDtmfRecognitionToneReceived):
            self._add(entry, "heard", self._other_name, "pressed", quote=key_presses([event.tone]))
        elif operation is None:
            if isinstance(event, CallConnected):
                self._connected = self._connected or at
            self._add(entry, "technical", "Azure", event.name)
        elif operation.ended:
            self._add(entry, "technical", "Azure", f"{event.name}: arrived twice, or too late")
        else:
            self._outcome(entry, event, operation, seq)

    def _outcome(self, entry: Mapping[str, Any], event: CallEvent, operation: _Operation, seq: int) -> None:
        at, line, role = int(entry["at"]), operation.line, KINDS[operation.kind].spec.events.get(event.name)
        took = seconds(at - line.at)
        if role == "failed":
            self._fail(entry, seq, _explained(event))
            return
        if role not in ("succeeded", "canceled"):
            operation.started = at if isinstance(event, PlayStarted) else operation.started
            self._add(entry, "technical", "Azure", event.name)
            return
        operation.ended = at
        if isinstance(event, RecognizeCompleted):
            self._heard(entry, event, took)
            return
        line.numbers.append(self._number)
        if role == "canceled":
            line.result = "cut off"
        elif issubclass(KINDS[operation.kind], Opening):
            self._connected = self._connected or at
            line.result = f"after {took}"
        elif operation.kind == "add_participant":
            line.result = f"joined after {took}"
        elif operation.kind == "transfer":
            line.result = f"taken after {took}"

    def _heard(self, entry: Mapping[str, Any], event: RecognizeCompleted, took: str) -> None:
        phrase = event.choice_result.recognized_phrase if event.choice_result else None
        said = phrase or event.speech
        text = "said" if said else "pressed" if event.tones else "answered"
        quote = self._words(said) if said else key_presses(event.tones)
        meant = f"→ {self._words(event.choice)} · " if event.choice else ""
        self._add(entry, "heard", self._other_name, text, quote=quote, result=f"{meant}{took} after the question began")

    def _participants(self, entry: Mapping[str, Any], event: ParticipantsUpdated) -> None:
        at = int(entry["at"])
        others = (one.identifier.raw_id for one in event.participants if not is_app(one.identifier.raw_id))
        now = dict.fromkeys(map(self._name, others))
        before = {name for name, span in self._since if span == "on the line"}
        for name in now:
            self._begin(name, "on the line", at)
        for name in before - now.keys():
            self._over(name, "on the line", at)
            self._over(name, "on hold", at)
        told = [f"{name} is on the line" for name in sorted(now.keys() - before)]
        told += [f"{name} left" for name in sorted(before - now.keys())]
        if told:
            self._add(entry, "people", "Switchboard", "; ".join(told))
        else:
            self._add(entry, "technical", "Azure", "ParticipantsUpdated: nobody came or left")

    def _recording(self, entry: Mapping[str, Any], *, on: bool) -> None:
        at, was_on = int(entry["at"]), ("Recording", "recorded") in self._since
        self._begin("Recording", "recorded", at) if on else self._over("Recording", "recorded", at)
        # The service says `inactive` before a recording begins, too.
        kind: Kind = "note" if on != was_on else "technical"
        self._add(entry, kind, "Switchboard", "Recording is on" if on else "Recording is off")

    # What lasts, and what fails

    def _begin(self, name: str, span: Span, at: int) -> None:
        self._since.setdefault((name, span), at)

    def _over(self, name: str, span: Span, at: int) -> None:
        if (since := self._since.pop((name, span), 0)) != 0:
            self._lasted.append(Stretch(name, span, since, at))

    def _end(self, at: int) -> None:
        self._ended = self._ended or at

    def _technical(self, entry: Mapping[str, Any], what: str) -> None:
        operation = self._operations.get(int(entry["seq"]))
        name = operation.kind.replace("_", " ") if operation else f"operation {entry['seq']}"
        self._add(entry, "technical", "Switchboard", f"{name} {what}")

    def _fail(self, entry: Mapping[str, Any], seq: int, why: str) -> None:
        operation = self._operations.get(int(seq))
        if operation is None:
            self._add(entry, "error", "Switchboard", why)
            return
        operation.ended = operation.ended or int(entry["at"])
        operation.line.failed, operation.line.result = True, why
        operation.line.numbers.append(self._number)
        if operation.line.kind == "technical":
            operation.line.kind = "error"


def _asker(key: Any) -> str:
    """Who asked for what is not the flow's, by its idempotency key."""
    return "Console" if str(key).startswith(CONSOLE_KEY) else "HTTP API"


def _explained(event: CallEvent) -> str:
    result = event.result
    if result is None:
        return ""
    return f"{explain(result.code, result.sub_code).plain} ({result.code}/{result.sub_code})"
