"""docs/coverage.md is as the markers have it, and has no hole; the table of events is as the service publishes it."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import get_args

import pytest

from emulator.tests.conformance.python_sdk.operations import ON_A_CALL, OTHERS
from handlers.callbacks import FAMILIES
from shared.calls.actions import ServiceAction
from shared.events import ACTION_KINDS, ROLES
from tools import coverage

KINDS = {str(kind.model_fields["kind"].default): kind for kind in get_args(ServiceAction)}
ASKING = {"get_call", "list_participants", "get_participant", "get_recording_state"}


def test_the_page_is_as_the_markers_have_it() -> None:
    assert coverage.PAGE.read_text("utf-8") == coverage.page(), "docs/coverage.md is stale: run `make coverage`"


def test_no_row_has_a_hole() -> None:
    assert coverage.holes() == []


def test_nothing_is_left_out_that_is_shown() -> None:
    assert [claim for claim in coverage.LEFT_OUT if claim in coverage.shown()] == []


def test_the_page_has_34_operations_38_callbacks_and_6_events_of_event_grid() -> None:
    published = coverage.published()
    assert [len(coverage.published_operations()), len(published["events"]), len(coverage.grid_events())] == [34, 38, 6]


def test_each_action_is_one_operation_and_each_operation_one_action() -> None:
    assert set(coverage.actions()) == set(coverage.published_operations())
    assert sorted(coverage.actions().values()) == sorted(KINDS)


def test_the_official_python_client_sends_each_operation_to_the_emulator() -> None:
    assert sorted([*ON_A_CALL, *OTHERS]) == sorted(coverage.published_operations())


def test_what_end_to_end_tests_claim_exists() -> None:
    known = {*coverage.published_operations(), *coverage.published()["events"], *coverage.grid_events()}
    assert {name for name, _ in coverage.shown()} - known == set()


def test_a_claim_without_the_test_that_holds_it_against_what_happened_does_not_count() -> None:
    """Against the journal, or, for what no journal has, against what the emulator delivered."""
    claiming = [(path, test, claim) for path, test in coverage.tests() for claim in coverage.claims(path, test)]
    assert len(claiming) > 100
    for path, test, (name, over) in claiming:
        checked = "covered.by(" in ast.unparse(test) or f"deliveries(type='{name}')" in ast.unparse(test)
        assert checked, f"{path.name}: {test.name} claims {name} ({over}) and never checks it"


def test_a_hole_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coverage, "LEFT_OUT", {})
    assert coverage.holes() == [("AnswerCall", "http"), ("RedirectCall", "http"), ("RejectCall", "http")]
    assert coverage.main(["--check"]) == 1


def test_a_stale_page_is_told_and_mended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "coverage.md"
    monkeypatch.setattr(coverage, "PAGE", copy)
    assert coverage.main(["--check"]) == 1
    assert "is stale" in capsys.readouterr().out
    assert coverage.main([]) == 0
    assert copy.read_text("utf-8") == coverage.page()
    assert coverage.main(["--check"]) == 0


# The table of events


def test_the_table_of_events_has_the_published_events_and_the_actions_that_there_are() -> None:
    assert set(ROLES) == set(coverage.published()["events"])
    assert set(KINDS) - ASKING == ACTION_KINDS


@pytest.mark.parametrize("event", sorted(ROLES))
def test_an_events_name_and_what_it_says_agree(event: str) -> None:
    role = ROLES[event].role
    if event.endswith("Failed"):
        assert role == "failed"
    elif event.endswith("Canceled"):
        assert role == "canceled"
    elif event.endswith(("Succeeded", "Completed", "Accepted", "Stopped")):
        assert role == "succeeded"
    else:
        assert role in ("succeeded", "progress", "state")


@pytest.mark.parametrize("kind", sorted(set(KINDS) - ASKING))
def test_an_action_whose_outcome_is_an_event_has_one_for_success_and_the_others_have_their_answer(kind: str) -> None:
    says = {role.role for role in ROLES.values() if kind in role.action_kinds}
    if KINDS[kind].ends_with == "event":
        assert "succeeded" in says
        assert "failed" in says or kind in ("hang_up", "terminate", "stop_continuous_dtmf")
    else:
        assert "succeeded" not in says


def test_an_action_with_a_callback_of_its_own_has_a_function_for_its_events() -> None:
    taken = frozenset[str]().union(*FAMILIES.values())
    for kind, action in KINDS.items():
        if action.calls_back and kind in ACTION_KINDS:
            assert kind in taken, kind
