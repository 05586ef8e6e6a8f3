"""`python -m devstack demo`: one whole call through the real parts, told as it happens, and its quality report."""

from __future__ import annotations

import argparse
import ast
import importlib
import json
import pkgutil
import time
from pathlib import Path
from typing import Any

from devstack import demos
from devstack.azurite import ROOT
from devstack.demo_report import save_journal, save_report, tell_report
from devstack.errors import DevstackError
from devstack.stack import INCOMING_CALL, RECORDING_FILE, Stack
from devstack.telling import bad_deliveries, line, post, timeline
from devstack.up import CHECKED

CALLER = "+14255550123"
NUMBER = "+18005550177"
AGENT = "+14255550142"

CALLER_SCRIPT: list[dict[str, Any]] = [
    {"when": "asked", "after": 1.5, "say": "good morning"},
    {"when": "asked", "after": 1.0, "press": "2"},
    {"when": "joined"},
    {
        "at": 6.0,
        "say": "Hello. My invoice is wrong. I was charged twice for the same order, and I have written to you "
        "three times about it",
    },
    {"at": 15.5, "say": "My card is 4111 1111 1111 1111. My number is 425 555 0123."},
    {"at": 45.5, "say": "No, thank you. Goodbye."},
    {"after": 2.5, "hangUp": True},
]
"""The caller first says something that is no choice, presses 2 when asked again, and talks to the agent."""

AGENT_SCRIPT: list[dict[str, Any]] = [
    {"at": 1.0, "say": "Contoso support, my name is Ada. How can I help you?"},
    {"at": 11.0, "say": "I am so sorry about that. Let me look into it right away."},
    {"at": 39.5, "say": "I have found it. You get the money back within five days. Is there anything else?"},
    {"at": 47.5, "say": "Goodbye, and thank you for calling."},
]
"""The agent interrupts once, and is silent for more than ten seconds."""

EXPECTED = ("answer", "may_record", "play", "start_recording", "recognize", "recognize", "play", "add_participant",
            "terminate")  # fmt: skip
"""What the flow must have asked for, in any order but for the sleeps that it needs."""

CALL_SECONDS = 120.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `demo` can be told."""
    parser.add_argument("--app-root", type=Path, default=ROOT, help="folder of the function app (this repository)")
    parser.add_argument("--use", choices=sorted(others()), help="show something else instead of the sample call")


def run(given: argparse.Namespace) -> int:
    """Run the demo; 0 only if the call and its report came out as scripted."""
    if given.use:
        code = int(importlib.import_module(f"devstack.demos.{given.use}").run(given))
        _tell_others(given.use)
        return code
    started = time.monotonic()
    print("Starting Azurite, the emulator and a Functions host …", flush=True)
    events = (INCOMING_CALL, RECORDING_FILE)
    with Stack(app_root=given.app_root, quiet=True, subscriptions=events, environment=CHECKED) as stack:
        print(f"Up after {time.monotonic() - started:.1f} s. {CALLER} calls {NUMBER}; its flow is flows/support.py.\n")
        post(stack, "/emulator/phones", {"number": AGENT, "afterSeconds": 1.0, "script": AGENT_SCRIPT})
        placed = post(stack, "/emulator/calls", {"from": CALLER, "to": NUMBER, "script": CALLER_SCRIPT})
        for entry in timeline(stack, CALL_SECONDS):
            print(line(entry), flush=True)
        document = _journal(stack, placed["correlationId"])
        asked = tuple(entry["action"]["kind"] for entry in document["journal"] if entry["entry"] == "issued")
        print(f"\nThe flow asked for: {', '.join(asked)}. Outcome: {document['outcome']}.")
        kept = save_journal(document)
        print(f"Its journal of {document['entries']} entries is in {kept}; the storage of the demo goes with it.\n")
        report = save_report(stack)
        problems = [*_problems(stack, document, asked), *tell_report(report)]
    for problem in problems:
        print(f"NOT AS SCRIPTED: {problem}")
    if not problems:
        print("The call and its report went as scripted.")
    _tell_others("")
    return 1 if problems else 0


def others() -> dict[str, str]:
    """The other demos by name, each with a sentence."""
    found = {}
    for module in pkgutil.iter_modules(demos.__path__):
        text = (Path(demos.__path__[0]) / f"{module.name}.py").read_text("utf-8")
        found[module.name] = (ast.get_docstring(ast.parse(text)) or "").partition("\n")[0]
    return found


def _tell_others(shown: str) -> None:
    print("\nThere is more to see:" if shown else "\nOne more call, by yourself: make up. And there is more to see:")
    for name, sentence in others().items():
        if name != shown:
            print(f"  make demo USE={name:<10} {sentence}")


def _journal(stack: Stack, correlation_id: str) -> dict[str, Any]:
    """The archived document of the call."""
    from azure.core.exceptions import ResourceNotFoundError
    from azure.storage.blob import ContainerClient

    with ContainerClient.from_connection_string(stack.connection_string, "switchboard-calls") as container:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                for blob in container.list_blobs():
                    document: dict[str, Any] = json.loads(container.download_blob(blob.name).readall())
                    if document.get("correlation_id") == correlation_id:
                        return document
            except ResourceNotFoundError:
                pass  # the container is made with the first archive
            time.sleep(0.1)
    raise DevstackError("The call was not archived within 20 s. See the logs in .switchboard/logs.")


def _problems(stack: Stack, document: dict[str, Any], asked: tuple[str, ...]) -> list[str]:
    problems = []
    if sorted(kind for kind in asked if kind != "sleep") != sorted(EXPECTED):
        problems.append(f"the flow asked for {asked}, not {EXPECTED}")
    if document["outcome"] not in ("completed", "caller_left"):
        problems.append(f"the outcome is {document['outcome']}")
    problems += bad_deliveries(stack)
    return problems
