"""A campaign's states."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.errors import CampaignState
from shared.outreach.campaign import (
    Campaign,
    Command,
    FileOptions,
    State,
    all_done,
    command,
    import_begun,
    import_over,
    read_so,
    start_problem,
)
from shared.outreach.lists import ListHead
from tests.unit.outreach.people import MARKETING, MONDAY, SERVICE

LATER = MONDAY + timedelta(hours=1)


def campaign(state: State = "draft", **more: object) -> Campaign:
    made = Campaign(
        id="spring", name="Spring", secret="s", flow="news", callers=("+1800",), rules=MARKETING, created=MONDAY
    )
    return made.model_copy(update={"state": state, **more})


def test_the_usual_way() -> None:
    one = import_begun(campaign(), "u1")
    assert (one.state, one.calls) == ("importing", False)
    one = import_over(one, "u1", 412)
    assert (one.state, one.people, one.calls) == ("ready", 412, False)
    one = command(one, "start", LATER)
    assert (one.state, one.started, one.calls) == ("running", LATER, True)
    one = command(one, "pause", LATER)
    assert (one.state, one.calls) == ("paused", False)
    one = command(one, "resume", LATER + timedelta(hours=1))
    assert (one.state, one.started) == ("running", LATER)
    assert all_done(one, LATER).state == "finished"
    assert command(one, "stop", LATER).state == "stopped"


@pytest.mark.parametrize(
    ("state", "what"),
    [
        ("draft", "start"),
        ("importing", "start"),
        ("paused", "start"),
        ("stopped", "start"),
        ("finished", "start"),
        ("draft", "pause"),
        ("ready", "pause"),
        ("stopped", "resume"),
        ("ready", "resume"),
        ("finished", "stop"),
    ],
)
def test_what_cannot_be_done_is_refused_with_what_can(state: State, what: Command) -> None:
    with pytest.raises(CampaignState) as caught:
        command(campaign(state), what, LATER)
    assert str(caught.value).startswith(f"the campaign is {state} and cannot {what}. ")
    assert not str(caught.value).endswith(f"{what}. ")


@pytest.mark.parametrize(("state", "what"), [("running", "start"), ("paused", "pause"), ("running", "resume"),
                                             ("stopped", "stop")])  # fmt: skip
def test_what_is_asked_twice_changes_nothing(state: State, what: Command) -> None:
    one = campaign(state)
    assert command(one, what, LATER) == one


def test_a_running_campaign_waits_while_a_file_is_imported_and_goes_on() -> None:
    one = import_begun(campaign("running", people=5), "u2")
    assert not one.calls
    assert import_over(one, "u2", 7).state == "running"
    paused = command(one, "pause", LATER)
    assert paused.state == "importing"
    assert import_over(paused, "u2", 7).state == "paused"
    resumed = command(paused, "resume", LATER)
    assert import_over(resumed, "u2", 7).state == "running"
    stopped = command(one, "stop", LATER)
    assert import_over(stopped, "u2", 7).state == "stopped"


def test_a_refused_file_leaves_all_as_it_was() -> None:
    usual: tuple[State, ...] = ("draft", "ready", "running", "paused", "finished")
    for state in usual:
        before = campaign(state, people=5)
        after = import_over(import_begun(before, "u2"), "u2", 5, whole=False)
        assert (after.state, after.people) == (state, 5)


def test_a_finished_campaign_takes_more_people_and_is_started_again() -> None:
    one = import_over(import_begun(campaign("finished"), "u2"), "u2", 7)
    assert command(one, "start", LATER).state == "running"


def test_an_upload_that_comes_again_is_known_and_another_waits() -> None:
    one = import_begun(campaign(), "u1")
    assert import_begun(one, "u1") == one
    with pytest.raises(CampaignState, match="importing and takes no file"):
        import_begun(one, "u2")
    over = import_over(one, "u1", 3)
    assert import_begun(over, "u1") == over
    assert import_over(over, "u1", 4) == over
    with pytest.raises(CampaignState, match="stopped and takes no file"):
        import_begun(campaign("stopped"), "u1")


def test_a_marketing_campaign_does_not_start_by_a_list_older_than_31_days() -> None:
    one = campaign("ready", people=3)
    fresh = ListHead(name="TPS", source="Ofcom", as_of=date(2026, 2, 6))
    old = ListHead(name="DNC", source="FTC", as_of=date(2026, 2, 5))
    assert start_problem(one, (fresh,), MONDAY) == ""
    assert start_problem(one, (fresh, old), MONDAY) == (
        "the do-not-call list DNC is of 2026-02-05, more than 31 days old. Import it again."
    )
    service = one.model_copy(update={"rules": SERVICE})
    assert start_problem(service, (old,), MONDAY) == ""
    assert "nobody was imported" in start_problem(campaign("ready"), (), MONDAY)


def test_the_newest_fifty_uploads_are_known_again() -> None:
    one = campaign("ready")
    for n in range(51):
        one = import_over(import_begun(one, f"u{n}"), f"u{n}", 1)
    assert (len(one.imported), one.imported[0]) == (50, "u1")


@pytest.mark.parametrize("id", ["", "Spring", "a.b", "a b", "-a", "x" * 61])
def test_an_id_fits_into_keys_and_urls(id: str) -> None:
    with pytest.raises(ValidationError, match="id"):
        Campaign(id=id, name="", secret="", flow="", callers=("",), rules=SERVICE, created=MONDAY)


STEPS = st.lists(st.sampled_from(["start", "pause", "resume", "stop", "begin a", "begin b", "over a", "over b",
                                  "refused a", "done"]), max_size=30)  # fmt: skip


@given(STEPS)
def test_whatever_comes_nobody_is_called_by_half_a_file_nor_after_a_stop(steps: list[str]) -> None:
    one, open_upload, stopped = campaign(), "", False
    for step in steps:
        try:
            match step.split():
                case ["begin", upload]:
                    known = upload in one.imported
                    one = import_begun(one, upload)
                    open_upload = open_upload if known else upload
                case ["over" | "refused" as how, upload]:
                    one = import_over(one, upload, 5, whole=how == "over")
                    open_upload = "" if upload == open_upload else open_upload
                case ["done"]:
                    one = all_done(one, LATER)
                case _:
                    one = command(one, step, LATER)  # type: ignore[arg-type]
                    stopped = stopped or step == "stop"
        except CampaignState:
            continue
        assert not (one.calls and (open_upload or stopped))
        assert not stopped or one.state == "stopped"


def test_the_next_file_is_read_otherwise_but_not_the_one_that_is_being_read() -> None:
    german = FileOptions(country="DE", date_format="DD.MM.YYYY")
    for state in ("draft", "ready", "running", "paused", "finished"):
        assert read_so(campaign(state), german) == campaign(state, files=german)
    not_now: tuple[State, ...] = ("importing", "stopped")
    for state in not_now:
        assert read_so(campaign(state), FileOptions()) == campaign(state), "nothing changes"
        with pytest.raises(CampaignState, match=f"{state} and reads no other file"):
            read_so(campaign(state), german)
