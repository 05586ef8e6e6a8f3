"""docs/coverage.md is as the code has it, and has no hole."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from shared.calls import Call
from shared.calls.actions import KINDS
from tools.coverage import app, rows, service, suites
from tools.coverage.__main__ import main
from tools.coverage.page import ACTIONS_HEAD, API, PAGE, api_page, page
from tools.coverage.source import ROOT

OF_THE_SERVICE = {kind for kind, action in KINDS.items() if action.spec.in_service}


def test_the_pages_are_as_the_code_has_them() -> None:
    assert PAGE.read_text("utf-8") == page(), "docs/coverage.md is stale: run `make coverage`"
    assert API.read_text("utf-8") == api_page(), "docs/api.md is stale: run `make coverage`"


def test_the_table_of_actions_says_what_each_needs_and_does() -> None:
    rows = api_page().partition(ACTIONS_HEAD)[2].partition("\n\n")[0].splitlines()
    assert len(rows) == 29
    assert "| `mute` | `target` | Mute an ACS user; only that user can unmute. |" in rows
    assert "| `stop_continuous_dtmf` |  | Stop reporting keys. |" in rows


def test_no_row_has_a_hole() -> None:
    assert rows.holes() == []


def test_no_exception_is_made_for_what_is_covered() -> None:
    assert rows.needless() == []


def test_the_page_has_34_operations_38_callbacks_and_6_events_of_event_grid() -> None:
    assert [len(table) for table in (rows.operation_rows(), rows.event_rows(), rows.grid_rows())] == [34, 38, 6]


def test_each_action_is_one_operation_and_each_operation_one_action() -> None:
    assert set(app.operations()) == set(service.published_operations())
    assert sorted(map(app.kind_of, app.operations().values())) == sorted(OF_THE_SERVICE)


def test_the_methods_that_issue_an_action_are_those_of_the_call() -> None:
    assert {name for names in app.methods().values() for name in names if not hasattr(Call, name)} == set()
    assert "off_record" in app.methods()["pause_recording"], "what a block does is done by the method that gives it"


def test_what_end_to_end_tests_claim_exists() -> None:
    known = {*service.published_operations(), *service.published_events(), *service.grid_events()}
    assert {name for name, _ in suites.end_to_end()} - known == set()


def test_a_claim_without_the_test_that_holds_it_against_what_happened_does_not_count() -> None:
    """Against the journal, or, for what no journal has, against what the emulator delivered."""
    for (name, over), covering in suites.end_to_end().items():
        for test in covering:
            (function,) = [f for t, f in suites.tests("tests/e2e") if t == test]
            checked = "covered.by(" in ast.unparse(function) or f"deliveries(type='{name}')" in ast.unparse(function)
            assert checked, f"{test.name} claims {name} ({over}) and never checks it"


def test_a_hole_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "EXCEPTIONS", {})
    assert ("RejectCall", "HTTP API") in rows.holes()


def test_a_stale_page_is_told_and_mended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "coverage.md"
    monkeypatch.setattr("tools.coverage.__main__.PAGE", copy)
    assert main(["--check"]) == 1
    assert "is stale" in capsys.readouterr().out
    assert main([]) == 0
    assert copy.read_text("utf-8") == page()
    assert main(["--check"]) == 0


def test_the_page_stands_where_the_documentation_is() -> None:
    assert PAGE.parent == API.parent == ROOT / "docs"
