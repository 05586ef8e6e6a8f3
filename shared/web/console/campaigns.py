"""Campaigns as their pages show them: states, hours and outcomes in words, progress, and forms read into requests."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, get_args
from zoneinfo import ZoneInfo

from shared.outreach.campaign import Command, State
from shared.outreach.columns import FIELDS
from shared.outreach.decisions import LaterReason
from shared.outreach.dry_run import WORDS
from shared.outreach.person import FINAL, Person
from shared.outreach.rules import Rules
from shared.outreach.windows import CLOSES, DAYS, OPENS, WEEKDAYS
from shared.web.console.words import masked_number, without_number
from shared.web.outreach_models import CampaignView, DryRunView, Progress

STATE: Mapping[State, tuple[str, str]] = {
    "draft": ("nobody in it yet", ""),
    "importing": ("reading the file", "live"),
    "ready": ("ready to start", "some"),
    "running": ("calling", "live"),
    "paused": ("paused", "some"),
    "stopped": ("stopped", ""),
    "finished": ("finished", "good"),
}
"""What is said of a campaign, and the kind of its badge."""

PERSON: Mapping[str, str] = {
    "waiting": "to go",
    "calling": "on the phone now",
    "done": "done",
    "no_contact": "not reached",
    "declined": "declined the call",
    "dead": "number does not exist",
    "opted_out": "asked for no more calls",
    "suppressed": "on a do-not-call list",
    "expired": "appointment over",
    "refused": "may not be called",
    "cancelled": "cancelled",
}
"""Where somebody stands."""

OUTCOME: Mapping[str, str] = {
    "done": "talked",
    "machine": "mailbox",
    "busy": "busy",
    "no_answer": "no answer",
    "declined": "declined",
    "dead": "no such number",
    "not_tried": "not tried",
    "opted_out": "asked for no more calls",
    "window_closed": "outside of the hours",
    "unknown": "not known",
}
"""What came of a call of a campaign; what is not here is shown as it is."""

_DID: Mapping[str, tuple[State, str]] = {
    "made": ("draft", "The campaign is there. Now send a file with people."),
    "uploaded": ("importing", "The file is being read."),
    "start": ("running", "Started. The first calls leave now, as far as people may be called now."),
    "pause": ("paused", "Paused: no further call is placed. Calls that go on end as they end."),
    "resume": ("running", "Goes on."),
    "stop": ("stopped", "Stopped for good."),
}

FIELD: Mapping[str, str] = {
    "id": "Key of person or appointment",
    "number": "Phone number",
    "name": "Name",
    "appointment": "Appointment",
    "date": "Date of the appointment",
    "time": "Time of the appointment",
    "status": "Cancelled or not",
    "consent_at": "Date of consent",
    "consent_source": "Source of consent",
    "country": "Country",
    "zone": "Time zone",
    "language": "Language",
}
"""What a column may be, for people."""

_COMMANDS: Mapping[State, tuple[Command, ...]] = {
    "draft": ("stop",),
    "importing": ("stop",),
    "ready": ("stop",),
    "running": ("pause", "stop"),
    "paused": ("resume", "stop"),
    "stopped": (),
    "finished": (),
}
_STARTS: frozenset[State] = frozenset({"ready"})

MOST_PROBLEMS_SHOWN = 20
"""Bad rows on the page (our choice); the CSV has them all."""
CHECKED_AT_ONCE = 1_000
"""People of a campaign whose dry run a page makes by itself (our choice): two requests each to the storage."""
WIDTH = 1000
"""Units of the bar of progress."""
_PERIODS = ((1_000, 2), (10_000, 15))
_LONGEST_PERIOD = 60
NO_COLUMN = "-"
"""In a form: the file has no such column."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What the part of a campaign's page shows that moves.

    Attributes:
        commands: that there are now, but for the start.
        segments: of the bar: kind, position and width.
        counts: how many people, in words, with the state that a list filters by.
        results: what people said.
        every: seconds until the page asks again.
    """

    view: CampaignView
    flow: str
    state: str
    badge: str
    commands: Sequence[Command]
    starts: bool
    people: int
    final: int
    calling: int
    waiting: int
    segments: Sequence[tuple[str, float, float]]
    counts: Sequence[tuple[str, str, int]]
    results: Sequence[tuple[str, int]]
    next_due: str
    every: int
    version: str


def shown(view: CampaignView, progress: Progress, flow: str, now: datetime, read_to: str = "") -> Shown:
    """What moves of a campaign's page.

    Args:
        flow: its title.
        read_to: how far a file is read.
    """
    states = progress.states
    final = sum(count for state, count in states.items() if state in FINAL)
    calling, waiting = states.get("calling", 0), states.get("waiting", 0)
    told = f"{view.id} {view.state} {view.then} {sorted(states.items())} {progress.results} {view.people} {read_to}"
    due = progress.next_due
    later = view.state == "running" and due is not None and due > now
    words, badge = STATE[view.state]
    return Shown(
        view=view,
        flow=flow,
        state=words,
        badge=badge,
        commands=_COMMANDS[view.state],
        starts=view.state in _STARTS,
        people=progress.people,
        final=final,
        calling=calling,
        waiting=waiting,
        segments=_segments(final, calling, progress.people),
        counts=[(PERSON[one], one, states[one]) for one in PERSON if states.get(one)],
        results=sorted(progress.results.items(), key=lambda one: (-one[1], one[0])),
        next_due=f"{local(due, view.rules.zone)} ({view.rules.zone})" if later and due is not None else "",
        every=period(progress.people),
        version=f'"{hashlib.sha256(told.encode()).hexdigest()[:20]}"',
    )


def did(what: str, state: State) -> str:
    """What a page says after something was done, as long as the campaign is where that has led."""
    led_to, told = _DID.get(what, (state, ""))
    return told if led_to == state else ""


def period(people: int) -> int:
    """Seconds between two looks at a campaign: each reads all of its people."""
    return next((seconds for most, seconds in _PERIODS if people <= most), _LONGEST_PERIOD)


def moves(state: State) -> bool:
    """Whether a campaign's page has something to wait for."""
    return state in ("importing", "running")


def _segments(final: int, calling: int, people: int) -> list[tuple[str, float, float]]:
    if not people:
        return []
    done = round(final * WIDTH / people, 1)
    return [("done", 0.0, done), ("calling", done, round(calling * WIDTH / people, 1))]


@dataclass(frozen=True, slots=True)
class Checked:
    """Who would be called today, later, and not at all, with the reasons and counts."""

    today: int
    later: Sequence[tuple[str, int]]
    never: Sequence[tuple[str, int]]


def checked(run: DryRunView) -> Checked:
    """A dry run for people."""
    by_count = sorted(run.not_called.items(), key=lambda one: (-one[1], one[0]))
    told: Mapping[str, str] = {str(reason): words for reason, words in WORDS.items()}
    later = [(told.get(reason, reason), count) for reason, count in by_count if reason in get_args(LaterReason)]
    never = [(told.get(reason, reason), count) for reason, count in by_count if reason not in get_args(LaterReason)]
    return Checked(run.called, later, never)


def hours(rules: Rules) -> str:
    """When people are called: `Mon–Sat 9:00–20:00`."""
    days = sorted(rules.days)
    in_a_row = days == list(range(days[0], days[-1] + 1)) and len(days) > 2
    named = f"{WEEKDAYS[days[0]]}–{WEEKDAYS[days[-1]]}" if in_a_row else ", ".join(WEEKDAYS[day] for day in days)
    return f"{named} {_clock(rules.opens)}–{_clock(rules.closes)}"


def _clock(minutes: int) -> str:
    return f"{minutes // 60}:{minutes % 60:02}"


def at_once(view: CampaignView) -> str:
    """How many calls there are at the same time."""
    return f"{view.at_once} at once" if view.at_once else "as many at once as the numbers have lines"


def local(at: datetime | None, zone: str) -> str:
    """A time as a wall clock in a zone shows it."""
    return f"{at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}" if at is not None else ""


@dataclass(frozen=True, slots=True)
class PersonRow:
    """Somebody in the table of results.

    Attributes:
        call_id: of the last call; empty: none was placed.
    """

    key: str
    id: str
    number: str
    name: str
    state: str
    result: str
    appointment: str
    calls: int
    last: str
    outcome: str
    call_id: str


def person_row(person: Person, zone: str, call_of: Callable[[str], str], *, numbers: bool) -> PersonRow:
    """A person as the table shows them.

    Args:
        zone: of the times.
        call_of: the id of the call of an attempt.
        numbers: are shown.
    """
    last = person.attempts[-1] if person.attempts else None
    number = person.wanted.number
    return PersonRow(
        key=person.key,
        id=person.wanted.id if numbers else without_number(person.wanted.id, number),
        number=number_of(number, numbers=numbers),
        name=person.wanted.name if numbers else without_number(person.wanted.name, number),
        state=PERSON[person.state],
        result=person.result,
        appointment=local(person.wanted.appointment, zone),
        calls=person.begun,
        last=local(last.begun if last else None, zone),
        outcome=OUTCOME.get(last.outcome or "", last.outcome or "goes on") if last else "",
        call_id=call_of(last.id) if last and last.outcome != "not_tried" else "",
    )


def number_of(number: str, *, numbers: bool) -> str:
    """A person's number as the page has it; empty: somebody who is cancelled need not have one."""
    return number if numbers or not number else masked_number(number)


def hidden(person: Person) -> Person:
    """A person without their number, for those who may not see it."""
    number = person.wanted.number
    told = {"id": without_number(person.wanted.id, number), "name": without_number(person.wanted.name, number)}
    # Without the plus sign, a spreadsheet has no formula to take it for.
    told["number"] = number_of(number, numbers=False).removeprefix("+")
    return person.model_copy(update={"wanted": person.wanted.model_copy(update=told)})


# Forms


USUAL_HOURS: Mapping[str, str] = {
    "opens": f"{OPENS // 60:02}:{OPENS % 60:02}",
    "closes": f"{CLOSES // 60:02}:{CLOSES % 60:02}",
    **{f"day-{day}": "1" for day in DAYS},
}
"""The hours of a form that nobody has filled in."""


def make_request(form: Mapping[str, str], reminders: bool) -> dict[str, Any]:
    """The request that makes a campaign. Args: reminders: its flow reminds of appointments."""
    callers = [value for name, value in sorted(form.items()) if name.startswith("caller-") and value]
    rules = {
        "purpose": form.get("purpose", ""),
        "reminders": reminders,
        "zone": form.get("zone", "").strip() or "UTC",
        **_hours(form),
        **({"calendar": calendar} if (calendar := form.get("calendar", "").strip()) else {}),
    }
    return {
        "name": form.get("name", "").strip(),
        "flow": form.get("flow", ""),
        "callers": callers,
        "rules": rules,
        "at_once": _whole(form.get("at_once", "")),
        "agent": form.get("agent", "").strip().replace(" ", ""),
        "files": {"country": form.get("country", "").strip().upper(), "date_format": form.get("date_format", "")},
    }


def _hours(form: Mapping[str, str]) -> dict[str, Any]:
    """When people are called; what the form does not have is as usual."""
    if "opens" not in form:
        return {}
    days = [day for day in range(len(WEEKDAYS)) if form.get(f"day-{day}")]
    return {"opens": _minutes(form["opens"]), "closes": _minutes(form.get("closes", "")), "days": days}


def _minutes(text: str) -> int | str:
    """A time of day in minutes; what is none is refused as it stands."""
    hour, _, minute = text.strip().partition(":")
    digits = hour + minute
    return int(hour) * 60 + int(minute) if digits.isascii() and digits.isdigit() and len(minute) == 2 else text


def _whole(text: str) -> int | str:
    """A number as it was typed; what is none is refused as it stands. Empty: 0."""
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else text or 0


def read_so_request(form: Mapping[str, str]) -> dict[str, Any]:
    """How a file is to be read, by the form beside its preview."""
    columns = {field: form.get(f"column-{field}", "") for field in FIELDS}
    return {
        "country": form.get("country", "").strip().upper(),
        "date_format": form.get("date_format", ""),
        "language": form.get("language", "").strip(),
        "columns": {field: "" if name == NO_COLUMN else name for field, name in columns.items() if name},
        "keep": [value for name, value in sorted(form.items()) if name.startswith("keep-") and value],
    }


def fields_of(rules: Rules) -> list[str]:
    """What a file of a campaign may have, what it must have first."""
    consent = ["consent_at", "consent_source"] if rules.purpose == "marketing" else []
    appointment = ["appointment", "date", "time", "status"] if rules.reminders else []
    first = ["id", "number", *appointment, *consent]
    return [*first, *(field for field in ("name", "language", "country", "zone") if field not in first)]
