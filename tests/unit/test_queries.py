"""The shipped queries: each is right by Microsoft's own parser, and gives the right figures over known lines."""

from __future__ import annotations

import json
import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from shutil import which
from typing import Any

import pytest

from tests.kusto.workspace import HERE, QUERIES, Workspace
from tests.telemetry_lines import found

ROOT = Path(__file__).parents[2]
ALL = sorted(path.stem for path in QUERIES.glob("*.kql"))
OF_THE_SERVICE = {"media-failures", "service-requests"}
"""Those that read the service's own logs, which nothing here writes: rows by the published columns stand for them."""

AT = datetime(2026, 11, 28, 10, 2, 3)
BIN_5, BIN_15, BIN_30 = AT.replace(minute=0, second=0), AT.replace(minute=0, second=0), AT.replace(minute=0, second=0)


def diagnostics(*files: Path) -> list[dict[str, Any]]:
    node = which("node")
    assert node, "Node.js 20 is needed: make setup"
    modules = os.pathsep.join([str(ROOT / "node_modules"), os.environ.get("NODE_PATH", "")])
    done = subprocess.run(
        [node, str(HERE / "check.cjs"), *map(str, files)],
        env={**os.environ, "NODE_PATH": modules},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return list(json.loads(done.stdout))


@pytest.mark.node
def test_every_query_is_right_by_microsofts_own_parser() -> None:
    files = sorted((ROOT / "infra").rglob("*.kql"))
    assert len(files) >= 10
    assert diagnostics(*files) == []


@pytest.mark.node
def test_the_parser_finds_a_wrong_operator_a_wrong_column_and_a_wrong_function(tmp_path: Path) -> None:
    for name, text in (
        ("operator", "AppTraces\n| wher Message == 'x'"),
        ("column", "AppTraces\n| where Mesage == 'x'"),
        ("function", "AppTraces\n| summarize cuont()"),
    ):
        (tmp_path / f"{name}.kql").write_text(text)
    wrong = diagnostics(*sorted(tmp_path.glob("*.kql")))
    assert {Path(one["file"]).stem for one in wrong} == {"operator", "column", "function"}
    assert "The name 'Mesage' does not refer to any known column" in wrong[0]["message"]


def line(event: str, **fields: object) -> str:
    return "switchboard " + json.dumps({"event": event, **fields})


def delivery(function: str, outcome: str, **fields: object) -> str:
    return line("delivery", function=function, outcome=outcome, **{"ms": 4.0, "cold": False, **fields})


def call(name: str, outcome: str, **fields: object) -> str:
    values = {
        "flow": "support",
        "direction": "inbound",
        "code": 200,
        "sub_code": 0,
        "ring_ms": 1000,
        "talk_ms": 60_000,
        "recorded": False,
        "flow_failed": False,
        **fields,
    }
    return line("call", call=name, outcome=outcome, **values)


LINES = [
    delivery("incoming_call", "claimed", call="c1", lag_ms=400, action="answer", rule="x", cold=True),
    delivery("incoming_call", "claimed", call="c2", lag_ms=800, action="answer", rule="x"),
    delivery("call_events", "advanced", call="c1", lag_ms=100, type="CallConnected", events=1, ms=6.0),
    delivery("call_events", "refused", status=403),
    delivery("call_events", "refused", status=401),
    delivery("wake_up", "unavailable"),
    line("watch", open=2, done=0),
    line("watch", open=5, done=1),
    call("c1", "caller_left", person_ms=4000),
    call("c1", "caller_left", person_ms=4000),  # a second time, after a crash
    call("c2", "caller_left", talk_ms=30_000),
    call("c3", "completed", person_ms=25_000, talk_ms=90_000),
    call("c4", "failed", flow="reminders", direction="outbound", code=486, sub_code=10018, talk_ms=0),
    "advanced PlayCompleted call=c1",
]
"""What an app might write within a minute."""


@pytest.fixture(scope="module")
def workspace() -> Workspace:
    assert len(found(LINES)) == 13
    one = Workspace()
    one.trace(LINES, AT)
    for operation, kind, code, sub_code in (("Play", "Failed", 400, 8536), ("Play", "Succeeded", 200, 0)):
        one.add(
            "ACSCallAutomationMediaSummary",
            TimeGenerated=AT,
            OperationName=operation,
            OperationId="o1",
            ResultType=kind,
            ResultCode=code,
            ResultSubcode=sub_code,
            ResultMessage="m",
        )
    for status in ("202", "404", "404"):
        one.add(
            "ACSCallAutomationIncomingOperations",
            TimeGenerated=AT,
            OperationName="Play",
            OperationId="o1",
            CallConnectionId="x",
            SubOperationName="PlayToAll",
            ResultSignature=status,
            DurationMs="12",
        )
    return one


EXPECTED: dict[str, list[dict[str, Any]]] = {
    "deliveries": [
        {"handler": "call_events", "outcome": "advanced", "deliveries": 1, "p50_ms": 6.0, "lag_p95_ms": 100.0},
        {"handler": "call_events", "outcome": "refused", "deliveries": 2, "p50_ms": 4.0, "cold": 0},
        {"handler": "incoming_call", "outcome": "claimed", "deliveries": 2, "cold": 1, "TimeGenerated": BIN_5},
        {"handler": "wake_up", "outcome": "unavailable", "deliveries": 1},
    ],
    "refused": [
        {"handler": "call_events", "outcome": "refused", "status": 401, "deliveries": 1},
        {"handler": "call_events", "outcome": "refused", "status": 403, "deliveries": 1},
        {"handler": "wake_up", "outcome": "unavailable", "deliveries": 1},
    ],
    "calls": [
        {"flow": "reminders", "direction": "outbound", "calls": 1, "left": 0, "failed": 1, "talk_minutes": 0.0},
        {"flow": "support", "calls": 3, "left": 2, "failed": 0, "talk_minutes": 3.0, "left_percent": 66.7},
    ],
    "outcomes": [
        {"outcome": "caller_left", "code": 200, "sub_code": 0, "calls": 2, "TimeGenerated": BIN_15},
        {"outcome": "completed", "calls": 1},
        {"outcome": "failed", "code": 486, "sub_code": 10018, "calls": 1},
    ],
    "answer-time": [{"flow": "support", "calls": 2, "p95_ms": 1800.0}],
    "persons": [
        {"flow": "support", "calls": 3, "with_person": 2, "within_20_s": 1, "left_before": 1,
         "service_level_percent": 50.0, "TimeGenerated": BIN_30},
    ],
    "open-calls": [{"most_open": 5, "watchdog_acted": 1}],
    "minutes": [
        {"flow": "reminders", "direction": "outbound", "calls": 1, "talk_minutes": 0.0},
        {"flow": "support", "direction": "inbound", "calls": 3, "talk_minutes": 3.0},
    ],
    "media-failures": [{"OperationName": "Play", "SubOperationName": "PlayToAll", "ResultSubcode": 8536}],
    "service-requests": [{"OperationName": "Play", "ResultSignature": "404", "requests": 2, "p95_ms": 12.0}],
}  # fmt: skip


def test_the_figures_of_every_query_are_known() -> None:
    assert sorted(EXPECTED) == ALL
    assert set(ALL) >= OF_THE_SERVICE


@pytest.mark.parametrize("name", ALL)
def test_a_query_gives_the_right_figures(workspace: Workspace, name: str) -> None:
    rows = workspace.run(name)
    key = sorted(EXPECTED[name][0])[:1]
    assert len(rows) == len(EXPECTED[name]), rows
    ordered = sorted(rows, key=lambda row: [str(row.get(one)) for one in ("handler", "flow", "outcome", "status")])
    for row, expected in zip(ordered, EXPECTED[name], strict=True):
        assert {one: row[one] for one in expected} == expected, (key, row)


def test_lines_that_were_sampled_at_ingestion_count_as_often_as_they_stand_for() -> None:
    one = Workspace()
    one.trace([delivery("call_events", "refused", status=403)], datetime.now(UTC).replace(tzinfo=None), count=5)
    assert one.run("deliveries")[0]["deliveries"] == 5
    assert one.run("refused")[0]["deliveries"] == 5
