"""What the editor and the dev container are told names targets, ports, modules and versions that there are."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

from devstack.__main__ import make_parser
from devstack.stack import USUAL_PORTS

ROOT = Path(__file__).parents[2]


def read(name: str) -> dict[str, Any]:
    return dict(json.loads((ROOT / name).read_text("utf-8")))


TASKS = {task["label"]: task for task in read(".vscode/tasks.json")["tasks"]}
LAUNCH = read(".vscode/launch.json")["configurations"]
CONTAINER = read(".devcontainer/devcontainer.json")


def test_every_task_is_a_make_target() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    assert {shlex.split(task["command"])[1] for task in TASKS.values()} <= targets


def test_the_debugger_goes_to_the_port_at_which_the_task_before_it_listens() -> None:
    attach = next(one for one in LAUNCH if one["request"] == "attach")
    _, target, given = shlex.split(TASKS[attach["preLaunchTask"]]["command"])
    assert target == "up"
    arguments = make_parser().parse_args(["up", *given.removeprefix("ARGS=").split()])
    assert (attach["connect"]["host"], attach["connect"]["port"]) == ("127.0.0.1", arguments.debug)
    assert CONTAINER["forwardPorts"] == [USUAL_PORTS.host, USUAL_PORTS.emulator, arguments.debug]


def test_the_task_is_up_when_the_devstack_says_so() -> None:
    matcher = TASKS["up, with a debugger"]["problemMatcher"]["background"]
    source = "".join((ROOT / "devstack" / name).read_text("utf-8") for name in ("up.py", "restarts.py"))
    assert matcher["endsPattern"].removeprefix("^") in source
    assert matcher["beginsPattern"].removeprefix("^.*") in source


def test_the_container_has_the_python_and_node_that_the_project_needs() -> None:
    needed = "You need Python 3.11, Node 20 and make"
    assert needed in (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    assert ":3.11-" in CONTAINER["image"]
    assert [one["version"] for one in CONTAINER["features"].values()] == ["20"]
    assert CONTAINER["postCreateCommand"] == "make setup"


def test_the_container_has_the_extensions_that_are_recommended() -> None:
    recommended = read(".vscode/extensions.json")["recommendations"]
    assert CONTAINER["customizations"]["vscode"]["extensions"] == recommended
