"""The queries of the alerts: each gives a row for lines that are wrong, and none for those of a good day."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb_kql
import pytest

from tests.kusto.workspace import Workspace
from tests.unit.test_queries import call, delivery, line

ALERTS = Path(__file__).parents[3] / "infra" / "alerts"
ALL = sorted(path.stem for path in ALERTS.glob("*.kql"))
AT = datetime(2026, 11, 28, 10, 2, 3)

GOOD_DAY = [
    line("watch", open=20, done=0),
    *(delivery("incoming_call", "claimed", call=f"c{n}", lag_ms=300) for n in range(40)),
    *(delivery("play_events", "advanced", call=f"c{n}", ms=8.0) for n in range(40)),
    *(call(f"c{n}", "completed", person_ms=4000) for n in range(38)),
    call("c38", "caller_left"),
    call("c39", "failed", code=486, sub_code=10018, direction="outbound", talk_ms=0),
    delivery("call_events", "refused", status=403),  # a stranger
]
WRONG: dict[str, list[str]] = {
    "answers-slow": [
        *(delivery("incoming_call", "claimed", call=f"s{n}", lag_ms=2500) for n in range(40)),
        *(call(f"s{n}", "completed") for n in range(40)),
    ],
    "callbacks-slow": [delivery("play_events", "advanced", ms=1500.0)] * 10,
    "calls-abandoned": [call(f"left{n}", "caller_left") for n in range(3)],
    "calls-failed": [call("x", "failed", code=403, sub_code=7507)],
    "deliveries-refused": [delivery("wake_up", "unavailable")],
    "flows-failed": [call("x", "completed", flow_failed=True)],
    "minutes-a-day": [call(f"long{n}", "completed", talk_ms=3_600_000) for n in range(17)],
    "persons-late": [call(f"late{n}", "completed", person_ms=30_000) for n in range(11)],
    "watchdog-acted": [line("watch", open=5, done=5)],
}
"""What is added to a good day, by alert; those of other tables and of lines that are no JSON are below."""


def rows(name: str, workspace: Workspace) -> list[dict[str, Any]]:
    relation: Any = duckdb_kql.query(workspace._connection, (ALERTS / f"{name}.kql").read_text("utf-8"))
    return [dict(zip(relation.columns, row, strict=True)) for row in relation.fetchall()]


def with_lines(lines: Iterable[str]) -> Workspace:
    workspace = Workspace()
    workspace.trace(lines, AT)
    workspace.add("AppRequests", TimeGenerated=AT, Name="watchdog", Success=True)
    return workspace


@pytest.fixture(scope="module")
def good_day() -> Workspace:
    return with_lines(GOOD_DAY)


@pytest.mark.parametrize("name", ALL)
def test_no_alert_fires_on_a_good_day(good_day: Workspace, name: str) -> None:
    assert rows(name, good_day) == []


@pytest.mark.parametrize("name", WRONG)
def test_an_alert_fires(name: str) -> None:
    assert len(rows(name, with_lines([*GOOD_DAY, *WRONG[name]]))) == 1


def test_five_refusals_are_no_stranger() -> None:
    refused = [delivery("call_events", "refused", status=403)] * 4
    (row,) = rows("deliveries-refused", with_lines([*GOOD_DAY, *refused]))
    assert row["deliveries"] == 5


def test_a_watchdog_that_does_not_run_is_the_first_alert() -> None:
    silent = Workspace()
    assert rows("app-silent", silent) == [{"runs": 0}]


def test_error_lines_and_poison_messages_and_failures_of_speech_fire() -> None:
    workspace = with_lines(GOOD_DAY)
    workspace.add("AppTraces", TimeGenerated=AT, Message="given up recording=r1", SeverityLevel=3, ItemCount=1)
    uri = "https://st.queue.core.windows.net/switchboard-recordings-poison/messages"
    workspace.add("StorageQueueLogs", TimeGenerated=AT, OperationName="PutMessage", StatusText="Success", Uri=uri,
                  ObjectKey="/st/switchboard-recordings-poison")  # fmt: skip
    workspace.add("ACSCallAutomationMediaSummary", TimeGenerated=AT, OperationName="Play", ResultSubcode=8565)
    assert rows("app-errors", workspace) == [{"begins": "given up recording=r1", "lines": 1}]
    assert rows("poison-messages", workspace) == [{"queue": "switchboard-recordings-poison", "messages": 1}]
    assert rows("media-refused", workspace) == [{"OperationName": "Play", "sub_code": 8565, "failures": 1}]


def test_every_alert_is_shown_to_fire() -> None:
    elsewhere = {"app-silent", "app-errors", "poison-messages", "media-refused"}
    assert set(ALL) == WRONG.keys() | elsewhere
