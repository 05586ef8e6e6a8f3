"""The marathon: what it says of its rounds, and that nobody runs it by accident."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from bench.__main__ import ALONE, MEASUREMENTS
from bench.losses import marathon
from bench.losses.gathered import Gathered, Outage
from bench.losses.scenario import SCENARIOS
from bench.report import Row
from tests.unit.devstack.test_losses import END, KEYS, judged

DEAD = Outage("host 1 dead", 100.0, 102.5)


def rows(monkeypatch: pytest.MonkeyPatch, *rounds: Gathered, quick: bool = True) -> dict[str, Row]:
    """The rows of a run that has these rounds, by their case."""
    asked: list[dict[str, Any]] = []

    def run(scenario: object, folder: object, **options: Any) -> Iterator[Gathered]:
        asked.append({"scenario": scenario, **options})
        yield from rounds

    monkeypatch.setattr(marathon, "run_in_rounds", run)
    monkeypatch.setattr(marathon, "told", lambda judgement: "; ".join(judgement.problems()))
    found = {row.case: row for row in marathon.measure(quick)}
    assert asked == [{"scenario": SCENARIOS["marathon"], "calls": 500 if quick else 10_000, "of": 800, "at_once": 120}]
    return found


def test_it_runs_only_when_it_is_asked_for() -> None:
    assert "marathon" in ALONE
    assert "marathon" not in MEASUREMENTS


def test_the_scenario_kills_stalls_and_loses_on_several_hosts() -> None:
    scenario = SCENARIOS["marathon"]
    assert scenario.hosts == 3
    assert min(scenario.storage, scenario.service, scenario.kill_every, scenario.stall) > 0
    assert {fault["kind"] for fault in scenario.events} == {"duplicate", "reorder"}


def test_rounds_are_added_up(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    right = judged(*KEYS, *END, outages=[DEAD]).gathered
    wrong = judged(*KEYS, *END, outcome="failed", outages=[DEAD]).gathered
    found = rows(monkeypatch, right, wrong)
    assert (found["round 1: wrong"].holds, found["round 2: wrong"].holds) == (True, False)
    assert (found["calls"].value, found["calls"].more["deaths"]) == (2, 2)
    assert found["calls that did not end as their phone expects"].value == 1
    assert found["longest silence of a call, most"].limit == 12.5
    assert "outcome failed, not completed" in capsys.readouterr().out, "what is wrong is told when it is found"
    assert found["minutes"].limit is None


def test_the_whole_run_has_twenty_five_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    found = rows(monkeypatch, judged(*KEYS, *END).gathered, quick=False)
    assert (found["minutes"].limit, found["minutes"].holds) == (25.0, True)
    assert (found["calls"].limit, found["calls"].holds) == (10_000, False)


def test_what_fills_the_memory_is_let_go_of(monkeypatch: pytest.MonkeyPatch) -> None:
    gathered = judged(*KEYS, *END).gathered
    rows(monkeypatch, gathered)
    assert (gathered.notes, gathered.deliveries, gathered.requests, gathered.calls, gathered.journals) == (
        [], [], [], {}, {},
    )  # fmt: skip
