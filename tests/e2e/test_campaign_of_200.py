"""A campaign of two hundred on two hosts, one of which is killed every ten seconds."""

from __future__ import annotations

import csv
import io
import itertools
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import requests

from acs_emulator.testing import Control
from devstack.campaign_demo import presses
from devstack.deployed import deployed
from devstack.stack import INCOMING_CALL, Stack
from tests.fixtures.app import FOLDER

pytestmark = [
    pytest.mark.long,
    pytest.mark.e2e,
    pytest.mark.node,
    pytest.mark.xdist_group("e2e-campaign"),
    pytest.mark.timeout(660),
]
PEOPLE = 200
CALLERS = [f"+18005550{at}" for at in range(150, 160)]
SECONDS = 540.0
KILLED_EVERY = 10.0
MOST_KILLS = 8
"""What the last of them left is made good without another: that takes two minutes and a look at the agenda."""
MOST_ATTEMPTS = 2
LINES = "company: Contoso\ncountry: US\nzone: America/New_York\nnumbers:\n" + "".join(
    f'  - {{number: "{caller}", label: "{caller[-3:]}", reserve: 0, called_back: outreach}}\n' for caller in CALLERS
)
KINDS: dict[str, tuple[dict[str, Any], tuple[str, str], int]] = {
    "answers": (presses("1", "1"), ("done", "interested"), 1),
    "is not interested": (presses("1", "2"), ("done", "not_interested"), 1),
    "opts out": (presses("9"), ("opted_out", "opted_out"), 1),
    "busy": ({"behaviour": "busy"}, ("no_contact", ""), MOST_ATTEMPTS),
    "no answer": ({"behaviour": "noAnswer"}, ("no_contact", ""), MOST_ATTEMPTS),
    "declines": ({"behaviour": "decline"}, ("declined", ""), MOST_ATTEMPTS),
    "mailbox": ({"behaviour": "mailbox", "greeting": "Not at home."}, ("no_contact", ""), MOST_ATTEMPTS),
    "listed": (presses("1", "1"), ("suppressed", ""), 0),
    "other zone": (presses("1", "1"), ("waiting", ""), 0),
    "answers late": ({**presses("1", "1"), "afterSeconds": 12.0}, ("done", "interested"), 1),
}
"""How the phone takes the call, how the person ends, and how many calls there are."""
INVALID = ("X-1,+1206,", "X-2,4.25556E+09,")


def test_everybody_ends_in_the_right_class_after_the_right_number_of_calls(tmp_path: Path) -> None:
    lines = tmp_path / "lines.yaml"
    lines.write_text(LINES)
    environment = {"LINES_FILE": str(lines), "ALLOWED_PREFIXES": "+1"}
    app = deployed(tmp_path, {}, (FOLDER / "routing.yaml").read_text("utf-8"), own=FOLDER)
    with Stack(
        app_root=app,
        hosts=2,
        failover=True,
        speed=20,
        quiet=True,
        subscriptions=(INCOMING_CALL,),
        environment=environment,
    ) as stack:
        control = Control(stack.emulator_url)
        for caller in CALLERS:
            control.declare_number(caller, limit=2)
        people = _people(stack)
        _prepare(stack, people)
        killed = _until_over(stack)
        text = _ask(stack, "GET", "/campaigns/spring/results").content.decode("utf-8-sig")
        found = {row["id"]: row for row in csv.DictReader(io.StringIO(text))}
        requests_made = control.requests(operation="CreateCall")
    assert killed >= 2
    wrong = [
        (kind, found[who]["state"], found[who]["result"])
        for who, _, kind in people
        if (found[who]["state"], found[who]["result"]) != KINDS[kind][1]
    ]
    assert wrong == []
    assert Counter(request["status"] for request in requests_made).keys() == {201}, "the quota was exceeded"
    # A request that is sent again after a crash, under the same repeatability id, is the same call.
    calls = Counter(
        number for number, _ in {(_called(one), one["answer"]["callConnectionId"]) for one in requests_made}
    )
    counted = [(kind, calls[number]) for _, number, kind in people if calls[number] != KINDS[kind][2]]
    assert counted == []


def _people(stack: Stack) -> list[tuple[str, str, str]]:
    people = []
    for at, kind in zip(range(PEOPLE), itertools.cycle(KINDS), strict=False):
        number = f"+1206556{at:04}"
        people.append((f"P-{at:03}", number, kind))
        requests.post(f"{stack.emulator_url}/emulator/phones", json={"number": number, **KINDS[kind][0]}, timeout=30)
    return people


def _prepare(stack: Stack, people: list[tuple[str, str, str]]) -> None:
    """The list, the campaign, its file with two bad rows, and its start."""
    listed = "\n".join(number for _, number, kind in people if kind == "listed")
    _ask(stack, "PUT", "/do-not-call/lists/robinson?source=test&as_of=2026-01-02&purposes=service", data=listed)
    rules = {
        "purpose": "service",
        "days": [0, 1, 2, 3, 4, 5, 6],
        "most_attempts": MOST_ATTEMPTS,
        "retry": {"busy": 2, "no_answer": 2, "machine": 2, "declined": 2, "not_tried": 1},
    }
    body = {"id": "spring", "flow": "outreach", "callers": CALLERS, "rules": rules, "files": {"country": "US"}}
    _ask(stack, "POST", "/campaigns", json=body)
    # Where it is noon, and where it is midnight.
    west = time.gmtime().tm_hour - 12
    noon, midnight = _zone(west), _zone(west - 12 if west >= 0 else west + 12)
    rows = [f"{who},{number},{midnight if kind == 'other zone' else noon}" for who, number, kind in people]
    file = "\n".join(["id,phone,zone", *rows, rows[0], *INVALID]) + "\n"
    href = _ask(stack, "POST", "/campaigns/spring/uploads", data=file.encode()).json()["href"].removeprefix("/api")
    deadline = time.monotonic() + 60
    while (report := _ask(stack, "GET", href).json()["report"])["state"] == "importing":
        assert time.monotonic() < deadline, report
        time.sleep(0.5)
    assert (report["new"], report["same"], report["bad"]) == (PEOPLE, 1, len(INVALID))
    assert _ask(stack, "POST", "/campaigns/spring/commands/start").json()["state"] == "running"


def _zone(west: int) -> str:
    """So many hours west of Greenwich, by the IANA database."""
    return f"Etc/GMT{west:+d}" if west else "Etc/GMT"


def _until_over(stack: Stack) -> int:
    """Kill a host after the other until nobody is left to be called; how many were killed."""
    killed, deadline, next_kill = 0, time.monotonic() + SECONDS, time.monotonic() + KILLED_EVERY
    waiting = sum(kind == "other zone" for _, kind in zip(range(PEOPLE), itertools.cycle(KINDS), strict=False))
    while time.monotonic() < deadline:
        if killed < MOST_KILLS and time.monotonic() > next_kill:
            stack.kill_host(killed % 2)
            stack.revive_host(killed % 2)
            killed, next_kill = killed + 1, time.monotonic() + KILLED_EVERY
        states = _ask(stack, "GET", "/campaigns/spring/progress").json()["states"]
        if states.get("calling", 0) == 0 and states.get("waiting", 0) == waiting:
            return killed
        time.sleep(0.5)
    raise AssertionError(f"not over after {SECONDS:.0f} s, {killed} kills: {states}; logs in {stack.logs}")


def _ask(stack: Stack, method: str, path: str, **body: Any) -> requests.Response:
    """A request, again where the host died under it."""
    for _ in range(20):
        try:
            response = requests.request(method, f"{stack.base_url}/api{path}", timeout=60, **body)
        except requests.ConnectionError:
            time.sleep(0.5)
            continue
        if response.status_code not in (502, 503):
            break
        time.sleep(0.5)
    assert response.status_code < 400, response.text
    return response


def _called(request: dict[str, Any]) -> str:
    return str(request["body"]["targets"][0]["phoneNumber"]["value"])
