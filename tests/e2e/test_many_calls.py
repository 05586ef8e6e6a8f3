"""Many calls at once, over two hosts, with events twice and out of order; and a host that dies in the middle."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.line import RECEPTION, WATCHFUL, Line, asked, line, until, words

pytestmark = [pytest.mark.long, pytest.mark.e2e, pytest.mark.node]

CALLS = 200
SALES = [{"when": "asked", "after": 1, "press": "1"}]
SUPPORT = [{"when": "asked", "after": 1, "say": "I need help"}]
SECOND_TRY = [{"when": "asked", "after": 1, "press": "9"}, {"when": "asked", "after": 1, "press": "2"}]
SILENT: list[dict[str, Any]] = []
GONE = [{"when": "asked", "after": 1, "hangUp": True}]

# How often, the script, what the flow asks for, how the call ends, and the last words.
KINDS = {
    "sales": (70, SALES, "answer recognize play hang_up", "completed", "sales team"),
    "support": (60, SUPPORT, "answer recognize play hang_up", "completed", "support team"),
    "second try": (30, SECOND_TRY, "answer recognize recognize play hang_up", "completed", "support team"),
    "silent": (10, SILENT, "answer recognize recognize recognize play hang_up", "completed", "could not hear"),
    "gone": (30, GONE, "answer recognize", "caller_left", "Welcome"),
}


@pytest.fixture
def two_hosts(tmp_path: Path) -> Iterator[Line]:
    # At real speed, and with a long grace period: a busy machine must use up neither, for a slow host is no dead
    # one here.
    with line(tmp_path, speed=1, hosts=2, environment={"DISPATCH_GRACE_SECONDS": "20"}) as one:
        yield one
        one.stack.check()


@pytest.mark.xdist_group("e2e-many")
@pytest.mark.timeout(240)
def test_two_hundred_calls_at_once_all_end_right_and_each_action_is_asked_for_once(two_hosts: Line) -> None:
    two_hosts.control.add_faults(
        {"kind": "duplicate", "probability": 0.2}, {"kind": "reorder", "probability": 0.1, "seconds": 1}
    )
    placed = {
        two_hosts.call(RECEPTION, script): kind
        for number in range(max(count for count, *_ in KINDS.values()))
        for kind, (count, script, *_) in KINDS.items()
        if number < count
    }
    assert len(placed) == CALLS
    documents = two_hosts.ended(*placed, within=150)

    wrong = [
        (kind, document["outcome"], asked(document), document["call_id"])
        for kind, document in zip(placed.values(), documents, strict=True)
        if (document["outcome"], " ".join(asked(document))) != (KINDS[kind][3], KINDS[kind][2])
        or KINDS[kind][4] not in words(document)[-1]
    ]
    assert wrong == []
    assert two_hosts.asked_twice() == {}
    operations = Counter(str(request["operationId"]).rpartition("_")[2] for request in two_hosts.control.requests())
    expected = Counter(action for document in documents for action in asked(document))
    assert operations["AnswerCall"] == expected["answer"] == CALLS
    assert operations["Recognize"] == expected["recognize"]
    assert operations["Play"] == expected["play"]
    assert operations["HangupCall"] == expected["hang_up"]
    # A slow host may write a row again that another has removed; the watchdog removes it.
    two_hosts.nothing_is_left_open(within=60)

    # The faults did strike, and both hosts took part.
    deliveries = two_hosts.control.deliveries()
    assert sum(delivery["duplicate"] for delivery in deliveries) > len(deliveries) / 10
    rules = two_hosts.control.request("GET", "/emulator/faults")["faults"]
    assert all(rule["applied"] > CALLS / 4 for rule in rules)
    ids = [entry["event"]["id"] for document in documents for entry in document["journal"] if entry["entry"] == "event"]
    assert len(ids) == len(set(ids))


@pytest.fixture
def two_mortal_hosts(tmp_path: Path) -> Iterator[Line]:
    with line(tmp_path, speed=2, hosts=2, environment=WATCHFUL) as one:
        yield one


@pytest.mark.xdist_group("e2e-many")
@pytest.mark.timeout(150)
def test_when_a_host_is_killed_in_the_middle_every_call_still_ends(two_mortal_hosts: Line) -> None:
    calling = two_mortal_hosts
    # Whatever gets lost, in the end each caller is tired of it and hangs up.
    scripts: list[list[dict[str, Any]]] = [
        [{"when": "asked", "after": 1 + number / 2, "press": "1"}, {"after": 40, "hangUp": True}]
        for number in range(20)
    ]
    placed = [calling.call(RECEPTION, script) for script in scripts]
    until(
        lambda: (
            len(calling.control.requests(operation="Recognize")) == len(placed)
            and calling.control.requests(operation="Play") != []
        ),
        60,
        lambda: "not all callers were asked",
    )
    victim = calling.stack.hosts[1]
    os.kill(victim.pid, signal.SIGKILL)
    until(lambda: not victim.alive, 5, lambda: "the host lives")
    assert len(calling.control.requests(operation="HangupCall")) < 20, "the host died too late to show anything"

    documents = calling.ended(*placed, within=60)
    assert {document["status"] for document in documents} == {"ended"}
    assert {document["outcome"] for document in documents} <= {"completed", "caller_left", "settled", "failed"}
    assert Counter(document["outcome"] for document in documents)["completed"] >= 5
    calling.nothing_is_left_open(within=30)
    # A hang-up carries no operation context: the watchdog may have sent it again.
    twice = {what: count for what, count in calling.asked_twice().items() if "HangupCall" not in what}
    assert twice == {}
    lost = [d for d in calling.control.deliveries() if not any(a.get("status") == 200 for a in d["attempts"])]
    refused = [d for d in calling.control.deliveries() if len(d["attempts"]) > 1]
    assert lost or refused, "no delivery met the dead host: nothing was shown"
