"""Two of three hosts are killed in the middle of a call: the third goes on, and the caller hears nothing of it."""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

from devstack.stack import Stack
from devstack.telling import bad_deliveries, get, post
from devstack.up import CHECKED
from devstack.use_demo import Watched, verdict

CALLER, NUMBER = "+14255550123", "+18005550199"
SCRIPT: list[dict[str, Any]] = [
    {"when": "asked", "after": 4.0, "say": "good morning"},
    {"when": "asked", "after": 4.0, "press": "2"},
]
"""The caller first says something that is no choice, and presses 2 when asked again."""
EXPECTED = ["answer", "hang_up", "play", "recognize", "recognize"]
"""What the flow asks for, each once, whoever is killed."""
LONGEST_SILENCE = 5.0
"""Seconds after a key within which the caller hears how it goes on: a person waits so long."""


def run(given: argparse.Namespace) -> int:
    """Run the demo; 0 only if the call went on as if nothing had happened."""
    began = time.monotonic()
    print("Starting Azurite, the emulator and three Functions hosts …", flush=True)
    with tempfile.TemporaryDirectory(prefix="switchboard-demo-") as folder:
        routes = Path(folder) / "routing.yaml"
        routes.write_text(f'rules:\n  - name: front desk\n    to: "{NUMBER}"\n    answer: reception\n')
        environment = {**CHECKED, "ROUTING_FILE": str(routes)}
        with Stack(
            app_root=given.app_root, host="own", hosts=3, failover=True, quiet=True, environment=environment
        ) as up:
            print(
                f"Up after {time.monotonic() - began:.1f} s. {CALLER} calls {NUMBER}; its flow is flows/reception.py."
            )
            problems = [*_call(Watched(up)), *bad_deliveries(up)]
    return verdict(problems, "The call")


def _call(demo: Watched) -> list[str]:
    stack = demo.stack
    print(
        "Requests go to the three hosts in turn, as in Azure. No host keeps anything that another needs.\n", flush=True
    )
    placed = post(stack, "/emulator/calls", {"from": CALLER, "to": NUMBER, "script": SCRIPT})
    demo.until("the app asks", lambda: _done(stack, "asks") == 1)
    stack.kill_host(1)
    print("\n>>> Host 2 is killed (SIGKILL) while the caller listens.\n", flush=True)
    demo.until("the app asks again", lambda: _done(stack, "asks") == 2)
    stack.kill_host(2)
    print("\n>>> Host 3 is killed as well. Host 1 has to go on alone, from what the storage has.\n", flush=True)
    demo.until("the call is over", lambda: not get(stack, "/emulator/state")["calls"])
    return _problems(demo, placed["correlationId"])


def _done(stack: Stack, what: str) -> int:
    return sum(entry["what"] == what for entry in get(stack, "/emulator/timeline")["entries"])


def _problems(demo: Watched, correlation_id: str) -> list[str]:
    (call,) = demo.ask("GET", f"/calls?correlation_id={correlation_id}")["calls"]
    journal = demo.ask("GET", f"/calls/{call['id']}/journal")["journal"]
    asked = sorted(entry["action"]["kind"] for entry in journal if entry["entry"] == "issued")
    timeline = get(demo.stack, "/emulator/timeline")["entries"]
    pressed = next((entry["at"] for entry in timeline if entry["what"] == "presses"), 0.0)
    heard = next((entry["at"] for entry in timeline if entry["what"] == "plays" and entry["at"] > pressed), 1e9)
    print(f"\nThe flow asked for {', '.join(asked)}: nothing twice, nothing forgotten.")
    print(f"The caller pressed 2 and heard the confirmation {heard - pressed:.1f} s later.")
    print(f"Outcome: {call['outcome']}, result: {call['result']}.")
    problems = []
    if asked != EXPECTED:
        problems.append(f"the flow asked for {asked}, not {EXPECTED}")
    if heard - pressed > LONGEST_SILENCE:
        problems.append(f"the caller waited {heard - pressed:.1f} s after a key")
    if (call["outcome"], call["result"]) != ("completed", "call_back"):
        problems.append(f"the call ended {call['outcome']} with the result {call['result']!r}")
    return problems
