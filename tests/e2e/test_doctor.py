"""Doctor finds nothing in a healthy `make up`, and what is wrong with one that is not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import requests
from azure.storage.queue import QueueClient, TextBase64EncodePolicy

from acs_emulator.testing import Control
from devstack.ports import free_port
from devstack.process import ChildProcess
from devstack.stack import INCOMING_CALL, RECORDING_FILE, Stack
from tests.e2e.line import until
from tools.doctor.report import SCHEMA

pytestmark = [pytest.mark.e2e, pytest.mark.node, pytest.mark.long, pytest.mark.xdist_group("e2e-doctor")]

ROOT = Path(__file__).parents[2]
PORTS = ("host", "emulator", "blob", "queue", "table", "streams")


def doctor(*arguments: str, **environment: str) -> tuple[int, dict[str, Any]]:
    """Exit code and findings, by id."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ACS_")}
    done = subprocess.run(
        [sys.executable, "-m", "tools.doctor", *arguments, "--json"],
        cwd=ROOT,
        env={**kept, **environment},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.stdout, done.stderr
    printed = json.loads(done.stdout)
    jsonschema_rs.validate(json.loads(SCHEMA.read_text("utf-8")), printed)
    return done.returncode, {one["id"]: one for one in printed["findings"]}


def bad(found: dict[str, Any]) -> dict[str, str]:
    return {id_: one["level"] for id_, one in found.items() if one["level"] != "fine"}


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the app of `make up`, on ports of its own."""
    log, ports = tmp_path_factory.mktemp("up") / "up.log", {name: free_port() for name in PORTS}
    command = [sys.executable, "-m", "devstack", "up", "--quiet", "--no-reload", "--host", "own"]
    for name, port in ports.items():
        command += [f"--{name}-port", str(port)]
    child = ChildProcess("make up", command, log=log, cwd=ROOT)
    try:
        child.wait_until(lambda: "Switchboard is up." in log.read_text("utf-8"), 60)
        yield f"http://127.0.0.1:{ports['host']}"
    finally:
        child.terminate()
        child.stop(10)


def test_a_healthy_make_up_has_nothing_to_look_at(up: str) -> None:
    code, found = doctor("local", "--url", up, "--strict")
    assert (code, bad(found)) == (0, {})
    assert {"functions.indexed", "app.well", "settings.right", "storage.answers", "ports.right"} <= found.keys()


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with Stack(
        host="own",
        quiet=True,
        speed=10,
        streams=True,
        subscriptions=(INCOMING_CALL, RECORDING_FILE),
    ) as one:
        yield one


def live(stack: Stack, *more: str, **environment: str) -> tuple[int, dict[str, Any]]:
    return doctor("live", "--yes", "--url", stack.base_url, *more, **{**stack.environment, **environment})


def test_the_level_live_has_nothing_against_a_right_app(stack: Stack) -> None:
    code, found = live(stack)
    assert (code, bad(found)) == (0, {})
    assert {"app.well", "callbacks.reach", "keys.reach", "streams.reach"} <= found.keys()


def test_a_test_call_is_placed_and_what_became_of_it_is_said(stack: Stack) -> None:
    control = Control(stack.emulator_url)
    control.register_phone("+14255550190", afterSeconds=0.2)
    call = ("--call", "+14255550190", "--call-from", "+18005550199", "--key", "x")
    code, found = live(stack, *call)
    assert (code, found["call.done"]["level"]) == (0, "fine")
    control.register_phone("+14255550190", behaviour="busy")
    code, found = live(stack, *call)
    assert (code, bad(found).get("call.failed")) == (1, "wrong")
    assert found["call.failed"]["why"]


def test_another_signing_key_than_the_apps_is_found(stack: Stack) -> None:
    code, found = live(stack, CALLBACK_SIGNING_KEY="bG9jYWwtZGV2ZWxvcG1lbnQtc2lnbmluZy1rZXktMDAwMQ==")
    assert code == 1
    assert "CALLBACK_SIGNING_KEY" in found["callbacks.key"]["seen"]


def test_messages_that_failed_are_found_through_the_app_and_put_back(stack: Stack) -> None:
    policy = TextBase64EncodePolicy()
    queue = QueueClient.from_connection_string(
        stack.connection_string, "switchboard-timers-poison", message_encode_policy=policy
    )
    queue.create_queue()
    queue.send_message(json.dumps({"call_id": "0" * 32, "seq": 1, "due": 1}))
    code, found = doctor("local", "--url", stack.base_url)
    assert (code, found["queues.poison.timers"]["level"]) == (0, "look")
    assert "/api/diagnostics/queues/timers/put-back" in found["queues.poison.timers"]["remedy"]
    answer = requests.post(f"{stack.base_url}/api/diagnostics/queues/timers/put-back", timeout=30)
    assert answer.json() == {"queue": "timers", "messages": 1}
    until(lambda: queue.get_queue_properties().approximate_message_count == 0, 20, lambda: "it is still there")
    _, found = doctor("local", "--url", stack.base_url)
    assert "queues.poison.timers" not in found


def test_the_service_s_callbacks_that_are_refused_are_found_with_the_setting() -> None:
    """The resource id is another one, so that every callback's token is for somebody else."""
    environment = {"ACS_RESOURCE_ID": "11111111-2222-4333-8444-555555555555"}
    with Stack(host="own", quiet=True, speed=10, environment=environment) as one:
        control = Control(one.emulator_url)
        control.place_call("+14255550123", "+18005550199", [{"after": 20, "hangUp": True}])

        def refused() -> dict[str, Any]:
            found = requests.get(f"{one.base_url}/api/diagnostics", timeout=10).json()["findings"]
            return {each["id"]: each for each in found}

        until(lambda: refused().get("callbacks.refused", {}).get("level") == "wrong", 40, lambda: str(bad(refused())))
        code, found = doctor("local", "--url", one.base_url)
    assert code == 1
    assert "ACS_RESOURCE_ID" in found["callbacks.refused"]["remedy"]
