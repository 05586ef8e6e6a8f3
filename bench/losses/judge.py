"""Judges each call by what its phone expects, and measures its silences."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bench.losses.gathered import Gathered, Noted, Placed
from bench.report import percentile

RING_SECONDS = 30.0
"""How long an incoming call rings (docs: incoming-call-notification)."""
MEDIAN_SILENCE, LONGEST_SILENCE = 3.0, 10.0
"""Seconds by the wall clock; the longest is beyond the longest outage that was caused."""
NOTICED = 1.0
"""Seconds from which on a silence is one that a caller notices."""
_HEARD = frozenset({"plays", "asks"})
_APP_NOTES = frozenset({"adds", "transfers", "redirects", "rejects"})
_ONCE = frozenset({*_APP_NOTES, "answers", "calls"})
_MEDIA_ENDS = frozenset(
    f"{name}{suffix}" for name in ("Play", "Recognize") for suffix in ("Completed", "Failed", "Canceled")
)


@dataclass(slots=True)
class Silence:
    """A stretch in which somebody who was answered heard nothing and was asked nothing."""

    began: float
    ended: float
    after: str
    until: str

    @property
    def seconds(self) -> float:
        return self.ended - self.began


@dataclass(slots=True)
class Repeated:
    """Something that was said again while the caller had not answered; `why`: what kept the app from knowing."""

    turn: str
    first: float
    again: float
    why: str = ""


@dataclass(slots=True)
class Verdict:
    """One call.

    Attributes:
        wrong: what is not as the phone expects; empty: the call is right.
        twice: what was said again.
        app: the call as the app's API has it.
    """

    placed: Placed
    wrong: list[str] = field(default_factory=list)
    twice: list[Repeated] = field(default_factory=list)
    silences: list[Silence] = field(default_factory=list)
    app: dict[str, Any] = field(default_factory=dict)

    @property
    def longest(self) -> float:
        return max((silence.seconds for silence in self.silences), default=0.0)


@dataclass(slots=True)
class Judgement:
    """All calls of a run."""

    gathered: Gathered
    verdicts: list[Verdict]

    @property
    def wrong(self) -> list[Verdict]:
        return [verdict for verdict in self.verdicts if verdict.wrong]

    @property
    def outage(self) -> float:
        """The longest outage that was caused, in seconds."""
        return max((outage.seconds for outage in self.gathered.outages), default=0.0)

    @property
    def silences(self) -> list[float]:
        """The longest silence of each call in which somebody was answered."""
        return [verdict.longest for verdict in self.verdicts if verdict.silences]

    @property
    def noticed(self) -> list[float]:
        """Every silence that a caller notices."""
        every = (silence.seconds for verdict in self.verdicts for silence in verdict.silences)
        return [seconds for seconds in every if seconds >= NOTICED]

    @property
    def bad(self) -> list[Verdict]:
        """Calls that are not right, or were silent for too long, or said something twice that the app knew of."""
        return [
            verdict
            for verdict in self.verdicts
            if verdict.wrong
            or verdict.longest > LONGEST_SILENCE + self.outage
            or any(not one.why for one in verdict.twice)
        ]

    def problems(self) -> list[str]:
        """What does not hold, a line each; empty: everything does."""
        found = self.gathered
        problems = [f"{one.placed.kind.name} ({one.app.get('id')}): {'; '.join(one.wrong)}" for one in self.wrong]
        limit = LONGEST_SILENCE + self.outage
        for verdict in self.verdicts:
            which = f"{verdict.placed.kind.name} ({verdict.app.get('id')})"
            problems += [f"{which}: said twice: {one.turn}" for one in verdict.twice if not one.why]
            if verdict.longest > limit:
                problems.append(f"{which}: silent for {verdict.longest:.1f} s, more than {limit:.1f}")
        if (median := statistics.median(self.silences or [0.0])) > MEDIAN_SILENCE:
            problems.append(f"half of the calls were silent for {median:.1f} s, more than {MEDIAN_SILENCE:g}")
        problems += [f"left up: {call['id']}" for call in found.left_up]
        problems += [f"left open: {call}" for call in found.left_open]
        return problems

    def figures(self) -> dict[str, Any]:
        """The run in numbers."""
        found = self.gathered
        calls = len(self.verdicts)
        app = {name: count for name, count in found.counted.items() if name != "queue"}
        return {
            "calls": calls,
            "right": calls - len(self.wrong),
            "said twice": sum(len(verdict.twice) for verdict in self.verdicts),
            "though it was known": sum(not one.why for verdict in self.verdicts for one in verdict.twice),
            "left up": len(found.left_up),
            "left open": len(found.left_open),
            "silence of a call, median": round(statistics.median(self.silences or [0.0]), 2),
            "p99": round(percentile(self.silences or [0.0], 0.99), 2),
            "longest": round(max(self.silences, default=0.0), 2),
            "noticed": len(self.noticed),
            "noticed, median": round(statistics.median(self.noticed or [0.0]), 2),
            "longest outage": round(self.outage, 2),
            "lost": {name: len(lost) for name, lost in found.lost.items() if lost},
            "requests per call": {name: round(count / calls, 2) for name, count in app.items()},
            "seconds": round(found.seconds, 1),
        }


def judge(gathered: Gathered) -> Judgement:
    """A verdict on every call."""
    notes: dict[str, list[Noted]] = {}
    for note in gathered.notes:
        notes.setdefault(note.call, []).append(note)
    ends = _media_ends(gathered)
    verdicts = []
    for placed in gathered.placed:
        own = sorted(notes.get(placed.call, []), key=lambda note: note.at)
        app = gathered.calls.get(placed.phone, {})
        verdict = Verdict(placed, app=app)
        _compare(verdict, own)
        for repeated in verdict.twice:
            repeated.why = _why(repeated, gathered, app.get("call_connection_id") or "none")
        _compare_records(verdict, gathered, notes)
        verdict.silences = list(_silences(own, ends.get(placed.phone, []), outbound=not placed.kind.to))
        verdicts.append(verdict)
    return Judgement(gathered, verdicts)


def _compare(verdict: Verdict, notes: Sequence[Noted]) -> None:
    """Hold what happened against the turns that the phone expects."""
    expected, wrong = verdict.placed.kind.turns, verdict.wrong
    position, last = 0, 0.0
    for at, turn in _turns(notes):
        if position < len(expected) and turn == expected[position]:
            position, last = position + 1, at
        elif turn.startswith("> ") and position and turn == expected[position - 1]:
            verdict.twice.append(Repeated(turn, last, at))
        elif turn.startswith("> ") and turn in expected[:position]:
            wrong.append(f"asked again after the answer: {turn}")
        else:
            wrong.append(f"not expected: {turn}")
    needed = verdict.placed.kind.needed
    if missing := expected[position : len(expected) if needed is None else needed]:
        wrong.append(f"{len(missing)} turns did not come, the first is {missing[0]}")
    for what in _ONCE:
        times = sum(note.who == "app" and note.what == what for note in notes)
        if times > 1:
            wrong.append(f"{what} {times} times")
    if notes and not any(note.what == "ends" for note in notes):
        wrong.append("left up")


def _why(repeated: Repeated, gathered: Gathered, connection: str) -> str:
    """What kept the app from knowing that something was being said: a lost response, a death, a stalled storage."""
    first, again = repeated.first - 1, repeated.again
    for lost in gathered.lost.get("emulator", ()):
        if connection in lost.path and first <= lost.at <= again:
            return "its response was lost"
    for outage in gathered.outages:
        if outage.began <= again and outage.ended >= first:
            return outage.what
    return ""


def _turns(notes: Sequence[Noted]) -> Iterator[tuple[float, str]]:
    """What was heard, keyed and said, and when; keys in a row are one turn."""
    keys, at = "", 0.0
    for note in notes:
        if (note.who, note.what) == ("phone", "presses"):
            keys, at = keys + note.text, note.at
            continue
        if keys:
            yield at, f"< {keys}"
            keys = ""
        if note.who == "app" and note.what in _HEARD:
            yield note.at, f"> {note.text}"
        elif note.who == "app" and note.what in _APP_NOTES:
            yield note.at, note.what
        elif (note.who, note.what) == ("phone", "says"):
            yield note.at, f"< {note.text}"
    if keys:
        yield at, f"< {keys}"


def _never_told(placed: Placed, gathered: Gathered) -> bool:
    """Whether two deliveries of the ring or more met a dying host, and none a living one before the ring was over."""
    for delivery in gathered.deliveries:
        data = delivery["body"][0]["data"]
        if delivery["type"].endswith(".IncomingCall") and data.get("correlationId") == placed.correlation_id:
            tries = delivery["attempts"]
            rang_until = tries[0]["at_ms"] + RING_SECONDS * 1000 / gathered.scenario.speed
            in_time = [one for one in tries if one["at_ms"] < rang_until]
            return len(in_time) > 1 and not any(one.get("status") for one in in_time)
    return False


def _compare_records(verdict: Verdict, gathered: Gathered, notes: dict[str, list[Noted]]) -> None:
    """Hold the app's own record of the call against what the phone expects."""
    placed, app, wrong = verdict.placed, verdict.app, verdict.wrong
    if placed.refused:
        wrong.append(f"the app would not call: {placed.refused}")
    if not placed.kind.to:
        times = sum(note.what == "calls" and note.text == placed.phone for own in notes.values() for note in own)
        if times != 1:
            wrong.append(f"called {times} times")
    if not app and _never_told(placed, gathered):
        wrong.clear()  # each host that was told of it while it rang was killed by the harness before it had claimed it
        return
    if not app:
        wrong.append("the app does not list it")
        return
    if app["outcome"] != placed.kind.outcome:
        wrong.append(f"outcome {app['outcome'] or 'none'}, not {placed.kind.outcome}")
    if app["status"] != "ended":
        wrong.append(f"still {app['status']} for the app")
    if app["id"] in gathered.left_open:
        wrong.append("left open")


def _media_ends(gathered: Gathered) -> dict[str, list[float]]:
    """When plays and recognitions ended, by the number of the phone: no event's delay counts."""
    phones = {placed.correlation_id: placed.phone for placed in gathered.placed if placed.correlation_id}
    for request in gathered.requests:
        if request["operationId"] == "CreateCall" and request["callConnectionId"]:
            phones[request["callConnectionId"]] = request["body"]["targets"][0]["phoneNumber"]["value"]
    ends: dict[str, list[float]] = {}
    for delivery in gathered.deliveries:
        if delivery["kind"] != "callback" or delivery["duplicate"]:
            continue
        event = delivery["body"][0]
        data = event["data"]
        phone = phones.get(data["correlationId"]) or phones.get(data["callConnectionId"])
        if phone and event["type"].rpartition(".")[2] in _MEDIA_ENDS:
            ends.setdefault(phone, []).append(datetime.fromisoformat(event["time"]).timestamp())
    return {phone: sorted(times) for phone, times in ends.items()}


def _silences(notes: Sequence[Noted], ends: Sequence[float], *, outbound: bool) -> Iterator[Silence]:
    """Stretches between what is heard, from the answer to the end. Ringing and talk with people do not count."""
    quiet_since: float | None = None
    after = "answered"
    people = 0
    for note in notes:
        who, what = note.who, note.what
        begins = (who, what) == (("phone", "answers") if outbound else ("app", "answers"))
        if begins and after == "answered" and quiet_since is None:
            quiet_since = note.at
            continue
        stops = (
            (who == "app" and what in _HEARD | {"adds", "transfers", "hangs up", "redirects"})
            or what == "ends"
            or (who, what) == ("phone", "hangs up")
        )
        if stops and quiet_since is not None and note.at >= quiet_since:
            yield Silence(quiet_since, note.at, after, f"{what} {note.text}".strip())
        if stops:
            quiet_since = None
        if who == "app" and what in _HEARD:
            later = [end for end in ends if end > note.at]
            quiet_since, after = (min(later), f"{what} {note.text}") if later else (None, "")
        elif what in ("declines", "is busy", "cannot be reached") and people == 0 and not outbound:
            quiet_since, after = note.at, what
        elif (who, what) == ("phone", "answers") and not outbound:
            people += 1
        elif (who, what) == ("phone", "hangs up") and people:
            # An agent has left; the caller is alone with the app again, unless it was the caller.
            people -= 1
            quiet_since, after = note.at, "the agent left"
        if what == "ends":
            return
