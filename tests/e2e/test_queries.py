"""What whole calls write is counted right by the queries that are shipped (docs/telemetry.md)."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from devstack.stack import Stack
from shared.security import CallbackUrls
from tests.e2e.line import APOLOGY, BROKEN, REDIRECTED, REJECTED, WATCHFUL, Line, deployed, until
from tests.kusto.workspace import Workspace
from tests.telemetry_lines import found

pytestmark = [pytest.mark.e2e, pytest.mark.node, pytest.mark.xdist_group("e2e-queries")]

PRESSES = [{"when": "asked", "after": 1, "press": "1"}]
LEAVES = [{"when": "asked", "after": 1, "hangUp": True}]
LINE = re.compile(r"^\[([0-9T:.-]+)Z\] (.*)$")


@dataclass
class Run:
    """What the calls wrote, and what the service delivered for it."""

    lines: list[dict[str, Any]]
    workspace: Workspace
    deliveries: list[dict[str, Any]]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Two calls that come to an end, one whose caller leaves, one whose flow fails, one rejected, one redirected, and
    three callbacks that are refused."""
    folder = tmp_path_factory.mktemp("app")
    environment = {"FALLBACK_PROMPT": APOLOGY, "LOG_LEVEL": "WARNING", **WATCHFUL}
    with Stack(app_root=deployed(folder), host="own", speed=10, seed=7, environment=environment) as stack:
        line = Line(stack)
        for script in (PRESSES, PRESSES, LEAVES):
            line.end(line.call(script=script))
        line.end(line.call(BROKEN))
        line.ended(line.call(REJECTED), line.call(REDIRECTED))
        refuse(stack)
        until(lambda: not line.open_calls(), 10, lambda: f"still open: {line.open_calls()}")
        log = stack.logs / "host.log"
        until(lambda: len(found(messages(log), "call")) == 6, 10, lambda: str(found(messages(log), "call")))
        deliveries = line.control.deliveries()
    workspace = Workspace()
    for at, message in stamped(log):
        workspace.trace([message], at)
    return Run(found(messages(log)), workspace, deliveries)


def refuse(stack: Stack) -> None:
    url = f"{stack.base_url}/api/callbacks/nobody?sig=wrong"
    assert [requests.post(url, json=[], timeout=10).status_code for _ in range(2)] == [403, 403]
    assert requests.post(CallbackUrls(stack.base_url, stack.signing_key).url("x"), timeout=10).status_code == 401


def stamped(log: Path) -> list[tuple[datetime, str]]:
    lines = (LINE.match(line) for line in log.read_text("utf-8").splitlines())
    return [(datetime.fromisoformat(one[1]), without_logger(one[2])) for one in lines if one]


def messages(log: Path) -> list[str]:
    return [message for _, message in stamped(log)]


def without_logger(text: str) -> str:
    """The message alone: our host prints the logger before it, Application Insights has it in a column."""
    return text[text.index("switchboard {") :] if "switchboard {" in text else text


def test_each_call_has_one_line_whatever_the_log_level_is(run: Run) -> None:
    calls = Counter((one["flow"], one["outcome"], one["flow_failed"]) for one in run.lines if one["event"] == "call")
    assert calls == {
        ("reception", "completed", False): 2,
        ("reception", "caller_left", False): 1,
        ("broken", "failed", True): 1,
        ("-", "rejected", False): 1,
        ("-", "redirected", False): 1,
    }


def test_each_delivery_has_one_line(run: Run) -> None:
    """Against what the service says that it delivered: no retry, and the refused ones were not its own."""
    written = [one for one in run.lines if one["event"] == "delivery"]
    came = Counter(one["function"] for one in written if one["outcome"] not in ("refused",))
    attempts = sum(len(one["attempts"]) for one in run.deliveries if one["kind"] != "validation")
    queue = came["wake_up"] + came["use_case_work"] + came["notification_work"]
    assert sum(came.values()) - queue == attempts
    assert came["incoming_call"] == 6
    assert [one["cold"] for one in written].count(True) == 1


def test_the_queries_count_the_calls(run: Run) -> None:
    rows = run.workspace.run("calls")
    sums = {what: sum(row[what] for row in rows) for what in ("calls", "left", "failed")}
    assert sums == {"calls": 6, "left": 1, "failed": 1}
    outcomes: Counter[str] = Counter()
    for row in run.workspace.run("outcomes"):
        outcomes[row["outcome"]] += row["calls"]
    assert outcomes == {"completed": 2, "caller_left": 1, "failed": 1, "rejected": 1, "redirected": 1}
    assert sum(row["calls"] for row in run.workspace.run("minutes")) == 6


def test_the_queries_count_the_deliveries_and_what_was_refused(run: Run) -> None:
    rows = run.workspace.run("deliveries")
    counted = Counter((one["function"], one["outcome"]) for one in run.lines if one["event"] == "delivery")
    assert sum(row["deliveries"] for row in rows) == sum(counted.values())
    claimed = [row for row in rows if (row["handler"], row["outcome"]) == ("incoming_call", "claimed")]
    assert sum(row["deliveries"] for row in claimed) == 6
    refused: Counter[tuple[str, int]] = Counter()
    for row in run.workspace.run("refused"):
        refused[row["handler"], row["status"]] += row["deliveries"]
    assert refused == {("call_events", 403): 2, ("call_events", 401): 1}


def test_the_answer_time_is_that_of_the_calls_that_were_answered(run: Run) -> None:
    rows = run.workspace.run("answer-time")
    assert sum(row["calls"] for row in rows) == 4
    assert all(0 < row["p50_ms"] < 10_000 for row in rows)


def test_the_open_calls_are_those_of_the_watchdog(run: Run) -> None:
    rows = run.workspace.run("open-calls")
    assert max((row["most_open"] for row in rows), default=0) >= 1
    assert sum(row["watchdog_acted"] for row in rows) == sum(
        one["done"] for one in run.lines if one["event"] == "watch"
    )


def test_no_person_came_to_these_calls(run: Run) -> None:
    assert run.workspace.run("persons") == []
