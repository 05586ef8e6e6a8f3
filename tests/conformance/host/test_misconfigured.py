"""Microsoft's worker indexes the app whatever its settings are, and each function then refuses."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.setting_samples import REQUIRED

ROOT = Path(__file__).parents[3]

# One process of the worker holds one app: each look at it has a process of its own.
LOOK = """
import asyncio, json, logging, sys
from pathlib import Path
from azure.functions.meta import Datum
from devstack.host.backend import Invocation
from tests.conformance.host.oracle import RuntimeBackend

EVENT = {"id": "e", "topic": "/t", "subject": "s", "eventType": "Microsoft.Communication.CallStarted",
         "eventTime": "2026-11-27T20:00:00Z", "dataVersion": "1.0", "metadataVersion": "1",
         "data": {"startedBy": {"communicationIdentifier": {"rawId": "8:acs:a"}}, "serverCallId": "s",
                  "group": {"id": "g"}, "isTwoParty": True, "correlationId": "c", "isRoomsCall": False}}

def given(function):
    kind = function.trigger_type
    if kind == "httpTrigger":
        parameters = {name: Datum("x", "string") for name in ("call_id", "recording_id", "action", "name", "position",
                      "campaign", "upload", "command", "session_id", "case_id", "connection", "sequence", "queue")}
        return Datum({"method": Datum("POST", "string"), "url": Datum("http://h/api/x", "string"), "headers": {},
                      "query": {}, "params": parameters, "body": Datum(b"{}", "bytes")}, "http"), {}
    if kind == "eventGridTrigger":
        return Datum(json.dumps(EVENT), "json"), {"data": Datum(json.dumps(EVENT["data"]), "json")}
    if kind == "queueTrigger":
        return Datum("{}", "string"), {"Id": Datum("m", "string"), "DequeueCount": Datum("1", "json")}
    return Datum(json.dumps({"Schedule": {"AdjustForDST": True}, "IsPastDue": False}), "json"), {}

async def look():
    backend = RuntimeBackend()
    found = {}
    for function in await backend.load(Path.cwd()):
        data, metadata = given(function)
        outcome = await backend.invoke(Invocation(function, data, metadata)) if "invoke" in sys.argv else None
        returned = outcome and outcome.returned
        found[function.name] = {
            "binding": function.trigger,
            "ok": outcome and outcome.ok,
            "error": outcome and outcome.error,
            "status": returned.value["status_code"].value if returned is not None else None,
        }
    print("FOUND" + json.dumps(found))

asyncio.run(look())
"""


def look(*arguments: str, **environment: str) -> dict[str, Any]:
    """What the worker finds with these settings alone; functions by name."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    done = subprocess.run(
        [sys.executable, "-c", LOOK, *arguments],
        cwd=ROOT,
        env={**kept, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert "FOUND" in done.stdout, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.rpartition("FOUND")[2])
    return found


AZURE = {"WEBSITE_INSTANCE_ID": "7f1c", "FUNCTIONS_WORKER_RUNTIME": "python"}


TELLS = {"button_script", "button_demo", "diagnostics"}
"""Two files of the call-me button, which know nothing of the app, and what says what is wrong with it."""


@pytest.fixture(scope="module")
def right() -> dict[str, Any]:
    return look(**REQUIRED)


def test_with_every_setting_missing_the_worker_finds_the_same_functions_and_each_refuses(right: dict[str, Any]) -> None:
    found = look("invoke", **AZURE)
    assert {name: one["binding"] for name, one in found.items()} == {
        name: one["binding"] for name, one in right.items()
    }
    for name, one in found.items():
        if one["binding"]["type"] == "httpTrigger":
            expected = "404" if name.startswith("console_") else "200" if name in TELLS else "503"
            assert (one["ok"], one["status"]) == (True, expected), name
        else:
            assert one["ok"] is False, f"{name} lost what it was given"
            assert "settings, routing or flows are wrong" in one["error"]


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WATCHDOG_SCHEDULE", "often"),
        ("RECORDING_SCHEDULE", "* * *"),
        ("STORE_PREFIX", "Has-Capitals"),
        ("ACS_RESOURCE_ID", "contoso"),
        ("CALLBACK_SIGNING_KEY", "not base64!"),
        ("AzureWebJobsStorage", "UseDevelopmentStorage=true"),
        ("HOOK_URL", "http://10.0.0.1"),
        ("QUALITY_THRESHOLDS", "8"),
    ],
)
def test_with_a_wrong_setting_the_worker_finds_the_same_functions(right: dict[str, Any], name: str, value: str) -> None:
    found = look(**{**REQUIRED, **AZURE, name: value})
    assert set(found) == set(right)
    schedules = {key: one["binding"]["schedule"] for key, one in found.items() if "schedule" in one["binding"]}
    assert schedules == {key: one["binding"]["schedule"] for key, one in right.items() if key in schedules}
    queues = {key: one["binding"]["queueName"] for key, one in found.items() if "queueName" in one["binding"]}
    assert len(queues) > 3
    for queue in queues.values():
        assert queue.startswith("misconfigured-" if name == "STORE_PREFIX" else "switchboard-")
