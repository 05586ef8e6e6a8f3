"""What the README shows is run as it stands there: the commands, the apps, and the tests of an app."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from acs_emulator.testing import Control

README = Path(__file__).parents[1] / "README.md"
ROOT = README.parents[1]
FENCE = re.compile(r"^```(?P<info>[^\n`]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
NODE = shutil.which("node")
APP, HTTP, HTTPS = "8000", "18080", "18443"
#: The README's commands: to install and start, what an app is told, and how it is called; those of Docker are not run.
START, SETTINGS, CALL, DOCKER = (
    match["text"] for match in FENCE.finditer(README.read_text("utf-8")) if match["info"] == "sh"
)


def example(name: str) -> str:
    """The code of the block that is named so, such as `app.py`."""
    [found] = [m["text"] for m in FENCE.finditer(README.read_text("utf-8")) if m["info"].split()[1:] == [name]]
    return found


@dataclass(frozen=True)
class Ports:
    """Free ports in place of those of the README."""

    app: int
    http: int
    https: int

    @classmethod
    def free(cls) -> Ports:
        listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(3)]
        ports = [int(listener.getsockname()[1]) for listener in listeners]
        for listener in listeners:
            listener.close()
        return cls(*ports)

    def put(self, text: str) -> str:
        for shown, free in ((APP, self.app), (HTTP, self.http), (HTTPS, self.https)):
            text = re.sub(rf"\b{shown}\b", str(free), text)
        return text


@contextmanager
def shell(script: str, folder: Path, **more: str) -> Iterator[subprocess.Popen[str]]:
    """A script as somebody's terminal runs it; everything that it started ends with the block."""
    kept = {name: os.environ[name] for name in ("HOME", "LANG", "PYTHONPATH") if name in os.environ}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**kept, "PATH": path, "XDG_DATA_HOME": str(folder / "data"), **more}
    with subprocess.Popen(
        ["bash", "-euc", script],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)


@pytest.fixture
def ports() -> Ports:
    return Ports.free()


@pytest.fixture
def emulator(ports: Ports, tmp_path: Path) -> Iterator[Control]:
    """The emulator by the README's own command."""
    [command] = [line for line in START.splitlines() if line.startswith("acs-emulator ")]
    ready = f"{ports.put(command).partition('   #')[0]} --port {ports.http} --https-port {ports.https} --speed 4"
    with shell(f"exec {ready}", tmp_path) as process:
        assert process.stdout is not None
        printed = ""
        while "waiting for its handshake" not in printed:
            line = process.stdout.readline()
            assert line, printed
            printed += line
        [connection] = re.findall(r"^export ACS_CONNECTION_STRING='(.+)'$", SETTINGS, re.MULTILINE)
        assert f"Connection string: {ports.put(connection)}\n" in printed
        for name in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"):
            [told] = set(re.findall(rf"{name}=(\S+)", printed))
            [shown] = re.findall(rf"{name}=(\S+)", SETTINGS)
            assert told == shown.replace("$DATA", str(tmp_path / "data" / "acs-emulator"))
        yield Control(f"http://127.0.0.1:{ports.http}")


def carried(control: Control, ports: Ports, folder: Path, command: str) -> None:
    """Start an app as the README says, call it as the README says, and wait until the call has ended."""
    with shell(f"{ports.put(SETTINGS)}\nexec {command}", folder) as app:
        deadline = time.monotonic() + 30
        while not all(one["validated"] for one in control.state()["subscriptions"]):
            assert time.monotonic() < deadline, "the subscription was not validated"
            assert app.poll() is None, app.stdout and app.stdout.read()
            time.sleep(0.1)
        called = subprocess.run(
            ["bash", "-euc", ports.put(CALL)], capture_output=True, text=True, timeout=30, check=True
        )
        assert '"entries"' in called.stdout
        while control.state()["endedCalls"] == 0:
            assert time.monotonic() < deadline + 30, control.timeline()
            time.sleep(0.1)
    said = [(one["who"], one["what"], one["text"]) for one in control.timeline()]
    assert ("phone", "presses", "1") in said
    assert ("app", "plays", "You pressed one.") in said
    asked = [request["operationId"].rpartition("_")[2] for request in control.requests()]
    assert asked == ["AnswerCall", "GetParticipants", "Recognize", "Play", "TerminateCall"]
    assert all(
        attempt["status"] == 200 for one in control.deliveries(type="PlayCompleted") for attempt in one["attempts"]
    )


@pytest.mark.parametrize("name", ["app.py", "aio_app.py"])
def test_an_app_in_python_carries_a_call(emulator: Control, ports: Ports, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(ports.put(example(name)), "utf-8")
    carried(emulator, ports, tmp_path, f"python {name}")


@pytest.mark.node
@pytest.mark.skipif(NODE is None, reason="Node.js is not installed")
def test_an_app_in_javascript_carries_a_call(emulator: Control, ports: Ports, tmp_path: Path) -> None:
    (tmp_path / "app.mjs").write_text(ports.put(example("app.mjs")), "utf-8")
    (tmp_path / "node_modules").symlink_to(ROOT / "node_modules")
    carried(emulator, ports, tmp_path, "node app.mjs")


def test_the_tests_of_an_app_pass_and_fail_where_the_app_is_wrong(tmp_path: Path) -> None:
    def run() -> subprocess.CompletedProcess[str]:
        command = f"{sys.executable} -m pytest -q -p no:cacheprovider --rootdir=. test_app.py"
        with shell(command, tmp_path, PYTHONDONTWRITEBYTECODE="1") as process:
            output, _ = process.communicate(timeout=100)
            return subprocess.CompletedProcess(command, process.returncode, output)

    (tmp_path / "test_app.py").write_text(example("test_app.py"), "utf-8")
    (tmp_path / "app.py").write_text(example("app.py"), "utf-8")
    assert run().returncode == 0, run().stdout
    wrong = example("app.py").replace("You pressed", "You said")
    (tmp_path / "app.py").write_text(wrong, "utf-8")
    assert "1 failed, 1 passed" in run().stdout


def test_what_was_not_run_says_so() -> None:
    languages = {match["info"].split()[0] for match in FENCE.finditer(README.read_text("utf-8")) if match["info"]}
    text = README.read_text("utf-8")
    assert languages - {"sh", "python", "js", "text"} == {"csharp", "java"}
    assert "No Docker engine was at hand" in text
    assert {line.partition(" -f ")[0] for line in DOCKER.splitlines()} == {"docker compose"}
    for section in (".NET", "Java"):
        assert text.partition(f"### {section}\n\n")[2].startswith("Not run. ")
