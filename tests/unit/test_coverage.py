"""docs/coverage.md is as the markers have it, and has no hole; docs/api.md has the actions as they are declared."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from emulator.tests.conformance.python_sdk.operations import ON_A_CALL, OTHERS
from shared.calls.actions import KINDS
from tools import coverage


def test_the_page_is_as_the_markers_have_it() -> None:
    assert coverage.PAGE.read_text("utf-8") == coverage.page(), "docs/coverage.md is stale: run `make coverage`"


def test_the_table_of_actions_says_what_each_needs_and_does() -> None:
    assert coverage.API.read_text("utf-8") == coverage.api_page(), "docs/api.md is stale: run `make coverage`"
    rows = coverage.api_page().partition(coverage.ACTIONS_HEAD)[2].partition("\n\n")[0].splitlines()
    assert len(rows) == 29
    assert "| `mute` | `target` | Mute an ACS user; only that user can unmute. |" in rows
    assert "| `stop_continuous_dtmf` |  | Stop reporting keys. |" in rows


def test_no_row_has_a_hole() -> None:
    assert coverage.holes() == []


def test_nothing_is_left_out_that_is_shown() -> None:
    assert [claim for claim in coverage.LEFT_OUT if claim in coverage.shown()] == []


def test_the_page_has_34_operations_38_callbacks_and_6_events_of_event_grid() -> None:
    published = coverage.published()
    assert [len(coverage.published_operations()), len(published["events"]), len(coverage.grid_events())] == [34, 38, 6]


def test_each_action_is_one_operation_and_each_operation_one_action() -> None:
    assert set(coverage.actions()) == set(coverage.published_operations())
    assert sorted(coverage.actions().values()) == sorted(k for k, action in KINDS.items() if action.spec.in_service)


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
