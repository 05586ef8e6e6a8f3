"""Campaigns in words and figures, and their forms as requests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pytest

from shared.outreach.campaign import Campaign, State
from shared.outreach.decisions import LaterReason, NeverReason
from shared.outreach.outcomes import OutcomeClass
from shared.outreach.person import State as PersonState
from shared.outreach.person import begin, finish
from shared.outreach.rules import Rules
from shared.web.console import campaigns
from shared.web.console.words import without_number
from shared.web.outreach_models import CampaignView, DryRunView, Progress
from tests.unit.outreach.people import BERLIN, MONDAY, SERVICE, person

NOW = datetime(2026, 3, 9, 14, tzinfo=UTC)


def view(**changes: Any) -> CampaignView:
    made = Campaign(
        id="spring", name="Spring", secret="s", flow="news", callers=("+18005550144",), rules=SERVICE, created=NOW
    )
    return CampaignView.of(made.model_copy(update=changes))


def shown(states: dict[str, int], *, due: datetime | None = None, **changes: Any) -> campaigns.Shown:
    found = view(**changes)
    progress = Progress(state=found.state, people=sum(states.values()), states=states, results={}, next_due=due)
    return campaigns.shown(found, progress, "News", NOW)


def test_people_are_done_on_the_phone_or_to_go() -> None:
    found = shown({"done": 3, "dead": 1, "calling": 2, "waiting": 4}, state="running")
    assert (found.people, found.final, found.calling, found.waiting) == (10, 4, 2, 4)
    assert found.segments == [("done", 0.0, 400.0), ("calling", 400.0, 200.0)]
    assert found.counts == [("to go", "waiting", 4), ("on the phone now", "calling", 2), ("done", "done", 3),
                            ("number does not exist", "dead", 1)]  # fmt: skip
    assert shown({}).segments == []


def test_results_are_in_the_order_of_how_many_there_are() -> None:
    progress = Progress(state="running", people=6, states={"done": 6}, results={"b": 1, "a": 1, "c": 4}, next_due=None)
    assert campaigns.shown(view(), progress, "", NOW).results == [("c", 4), ("a", 1), ("b", 1)]


def test_the_next_call_is_told_where_it_is_not_now() -> None:
    later = NOW + timedelta(hours=3)
    assert shown({"waiting": 1}, due=later, state="running").next_due == "2026-03-09 18:00 (Europe/Berlin)"
    assert shown({"waiting": 1}, due=NOW, state="running").next_due == ""
    assert shown({"waiting": 1}, due=later, state="paused").next_due == ""


@pytest.mark.parametrize(
    ("state", "commands", "starts", "moves"),
    [
        ("draft", ("stop",), False, False),
        ("importing", ("stop",), False, True),
        ("ready", ("stop",), True, False),
        ("running", ("pause", "stop"), False, True),
        ("paused", ("resume", "stop"), False, False),
        ("stopped", (), False, False),
        ("finished", (), False, False),
    ],
)
def test_each_state_has_its_commands(state: State, commands: tuple[str, ...], starts: bool, moves: bool) -> None:
    found = shown({}, state=state)
    assert (tuple(found.commands), found.starts, campaigns.moves(state)) == (commands, starts, moves)


def test_the_version_changes_with_what_is_shown() -> None:
    before = shown({"waiting": 2}).version
    assert before == shown({"waiting": 2}).version
    others = [
        shown({"waiting": 1, "calling": 1}),
        shown({"waiting": 2}, state="paused"),
        shown({"waiting": 2}, people=3),
    ]
    progress = Progress(state="draft", people=2, states={"waiting": 2}, results={"yes": 1}, next_due=None)
    others += [campaigns.shown(view(), progress, "News", NOW), campaigns.shown(view(), progress, "News", NOW, "7")]
    assert len({before, *(one.version for one in others)}) == 6


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ({}, "Mon–Sat 9:00–20:00"),
        ({"days": [0, 1, 2, 3, 4, 5, 6], "opens": 0, "closes": 1440}, "Mon–Sun 0:00–24:00"),
        ({"days": [0, 2, 4], "opens": 10 * 60 + 5}, "Mon, Wed, Fri 10:05–20:00"),
        ({"days": [5, 6]}, "Sat, Sun 9:00–20:00"),
        ({"days": [3]}, "Thu 9:00–20:00"),
    ],
)
def test_hours_are_said_in_words(rules: dict[str, Any], words: str) -> None:
    assert campaigns.hours(Rules.model_validate({"purpose": "service", **rules})) == words


def test_everything_that_is_counted_has_words() -> None:
    assert set(campaigns.PERSON) == set(get_args(PersonState))
    assert set(campaigns.OUTCOME) == set(get_args(OutcomeClass))
    assert set(campaigns.STATE) == set(get_args(State))


def test_who_is_not_called_is_called_later_or_never() -> None:
    later, never = get_args(LaterReason), get_args(NeverReason)
    run = DryRunView(called=9, not_called=dict.fromkeys((*later, *never), 1) | {"listed": 5}, text="")
    found = campaigns.checked(run)
    assert found.today == 9
    assert (len(found.later), len(found.never)) == (6, 8)
    assert found.never[0] == ("are on a do-not-call list", 5)
    assert ("are not due today", 1) in found.later


def test_a_person_is_a_row_with_their_last_call() -> None:
    called = finish(begin(person("A-1", name="Ada"), MONDAY), person("A-1").next_attempt, "busy", MONDAY, SERVICE)
    row = campaigns.person_row(called, "Europe/Berlin", lambda attempt: f"call of {attempt[-1]}", numbers=False)
    assert (row.id, row.number, row.state, row.calls) == ("A-1", "+49 ••• 56", "to go", 1)
    assert (row.last, row.outcome, row.call_id) == ("2026-03-09 15:00", "busy", "call of 1")
    not_tried = finish(begin(person("A-1"), MONDAY), person("A-1").next_attempt, "not_tried", MONDAY, SERVICE)
    row = campaigns.person_row(not_tried, "UTC", lambda attempt: "never", numbers=True)
    assert (row.number, row.call_id, row.outcome) == (BERLIN, "", "not tried")
    assert campaigns.person_row(begin(person(), MONDAY), "UTC", str, numbers=False).outcome == "goes on"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("A-17", "A-17"),
        ("20261128", "20261128"),
        ("030 123456", "+49 ••• 56"),
        ("Ada 004930123456", "+49 ••• 56"),
        ("+1 425 555 0123", "+1 ••• 23"),
        ("1+1", "1+1"),
    ],
)
def test_what_somebody_called_a_person_does_not_tell_their_number(text: str, shown: str) -> None:
    assert without_number(text, "+4930123456") == shown


def test_a_form_becomes_the_request_of_a_campaign() -> None:
    form = {"name": " March ", "flow": "news", "purpose": "service", "caller-002": "+2", "caller-001": "+1", "zone": "",
            "country": "de", "date_format": "DD.MM.YYYY", "at_once": "3", "agent": "+1 425 555 0142", "calendar": " x ",
            "opens": "09:30", "closes": "20:00", "day-6": "1", "day-0": "1"}  # fmt: skip
    assert campaigns.make_request(form, reminders=True) == {
        "name": "March",
        "flow": "news",
        "callers": ["+1", "+2"],
        "rules": {
            "purpose": "service",
            "reminders": True,
            "zone": "UTC",
            "opens": 570,
            "closes": 1200,
            "days": [0, 6],
            "calendar": "x",
        },
        "at_once": 3,
        "agent": "+14255550142",
        "files": {"country": "DE", "date_format": "DD.MM.YYYY"},
    }


def test_a_form_says_how_a_file_is_read() -> None:
    form = {"date_format": "", "country": "us", "language": " en-US ", "column-number": "Tel", "column-name": "-",
            "column-id": "", "keep-002": "b", "keep-001": "a"}  # fmt: skip
    assert campaigns.read_so_request(form) == {
        "country": "US",
        "date_format": "",
        "language": "en-US",
        "columns": {"number": "Tel", "name": ""},
        "keep": ["a", "b"],
    }


@pytest.mark.parametrize(
    ("rules", "first"),
    [
        ({"purpose": "service"}, ["id", "number", "name"]),
        ({"purpose": "marketing"}, ["id", "number", "consent_at", "consent_source", "name"]),
        ({"purpose": "service", "reminders": True}, ["id", "number", "appointment", "date", "time", "status", "name"]),
    ],
)
def test_a_file_has_the_fields_that_its_campaign_needs_first(rules: dict[str, Any], first: list[str]) -> None:
    assert campaigns.fields_of(Rules.model_validate(rules)) == [*first, "language", "country", "zone"]


def test_what_was_done_is_said_as_long_as_it_is_so() -> None:
    assert campaigns.did("pause", "paused").startswith("Paused")
    assert campaigns.did("pause", "running") == ""
    assert campaigns.did("<b>", "running") == ""
