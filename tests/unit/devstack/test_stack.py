"""The stack: what it starts, how it ends, and what it says when something is wrong."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from devstack import azurite, process
from devstack.__main__ import main
from devstack.azurite import ROOT, Azurite
from devstack.errors import ChildDiedError, DevstackError, MissingToolError, PortTakenError
from devstack.process import ChildProcess
from devstack.restarts import matters, watched
from devstack.stack import Ports, Stack

APP = """
import json, os, time
import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)


@app.route("who")
def who(req: func.HttpRequest) -> func.HttpResponse:
    facts = {name: value for name, value in os.environ.items() if name.startswith(("ACS", "CALLBACK"))}
    return func.HttpResponse(json.dumps({"pid": os.getpid(), **facts}))


@app.route("slow")
def slow(req: func.HttpRequest) -> func.HttpResponse:
    time.sleep(0.5)
    return func.HttpResponse("done")
"""

# Answers as the emulator does at its start; keeps its arguments for the test.
EMULATOR = """
import http.server, json, sys
from pathlib import Path

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/emulator/health" else 404)
        self.send_header("content-length", "0")
        self.end_headers()
    def log_message(self, *arguments):
        pass

Path(__file__).with_suffix(".json").write_text(json.dumps(sys.argv[1:]))
port = int(sys.argv[sys.argv.index("--port") + 1])
server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
print(f"Emulator listening on http://127.0.0.1:{server.server_port}", flush=True)
server.serve_forever()
"""


@pytest.fixture(autouse=True)
def no_guard_is_left() -> Iterator[None]:
    yield
    process.stop_guard()


@pytest.fixture
def app(tmp_path: Path) -> Path:
    (tmp_path / "function_app.py").write_text(APP)
    (tmp_path / "emulator.py").write_text(EMULATOR)
    return tmp_path


def stack(app: Path, **more: object) -> Stack:
    emulator = (sys.executable, str(app / "emulator.py"))
    return Stack(app_root=app, logs=app / "logs", host="own", emulator=emulator, **more)  # type: ignore[arg-type]


def ask(connection: http.client.HTTPConnection, path: str) -> bytes:
    connection.request("GET", path)
    return connection.getresponse().read()


def until(condition: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true"
        time.sleep(0.02)


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    # A zombie whose parent is gone too is as good as gone.
    return "Z" in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


@pytest.mark.node
def test_the_stack_starts_everything_and_leaves_nothing(app: Path) -> None:
    with stack(app, hosts=2, quiet=True, speed=10, environment={"ACS_EXTRA": "more"}) as running:
        port = int(running.base_url.rpartition(":")[2])
        connection = http.client.HTTPConnection("127.0.0.1", port)
        facts = [json.loads(ask(connection, "/api/who")) for _ in range(4)]
        connection.close()
        arguments = json.loads((app / "emulator.json").read_text())
        pids = [child.pid for child in running.hosts]
        running.check()
        azurite_process = running.azurite.process if running.azurite else None
        assert azurite_process is not None
        children = [azurite_process, *running.hosts]

    # One kept connection reaches both hosts in turn.
    assert [found["pid"] for found in facts] in ([pids[0], pids[1]] * 2, [pids[1], pids[0]] * 2)
    assert facts[0]["CALLBACK_BASE_URL"] == running.base_url
    assert facts[0]["ACS_ENDPOINT"] == running.emulator_url
    assert facts[0]["ACS_EXTRA"] == "more"
    assert facts[0]["ACS_OPENID_CONFIGURATION_URL"].startswith(running.emulator_url)
    assert arguments[arguments.index("--access-key") + 1] == facts[0]["ACS_ACCESS_KEY"]
    assert arguments[arguments.index("--resource-id") + 1] == facts[0]["ACS_RESOURCE_ID"]
    assert arguments[arguments.index("--speed") + 1] == "10"
    subscription = f"{running.base_url}/runtime/webhooks/EventGrid?functionName=incoming_call#IncomingCall"
    assert arguments[arguments.index("--event-grid") + 1] == subscription
    assert not any(child.alive for child in children)


@pytest.mark.node
def test_a_host_finishes_what_runs_and_its_end_is_told_to_whoever_asks_or_fails(app: Path) -> None:
    with pytest.raises(RuntimeError) as caught:  # noqa: PT012
        with stack(app) as running:
            connection = http.client.HTTPConnection("127.0.0.1", int(running.base_url.rpartition(":")[2]))
            connection.request("GET", "/api/slow")
            host = running.hosts[0]
            until(lambda: "Executing 'Functions.slow'" in host.log.read_text())
            host.terminate()
            assert connection.getresponse().read() == b"done"
            connection.close()
            until(lambda: not host.alive)
            with pytest.raises(ChildDiedError, match=r"host ended by itself \(exit code 0\)[\s\S]*Listening on"):
                running.check()
            raise RuntimeError("connection refused")
    assert ["host ended by itself" in note for note in caught.value.__notes__] == [True]


@pytest.mark.node
def test_an_app_that_does_not_load_stops_the_start_and_everything_else(app: Path) -> None:
    (app / "function_app.py").write_text("def")
    running = stack(app)
    with pytest.raises(ChildDiedError, match="SyntaxError"):
        running.start()
    assert running.azurite is None
    assert running.emulator is None
    assert running.hosts == []


@pytest.mark.node
def test_no_service_outlives_a_killed_parent(app: Path) -> None:
    code = f"""
        import sys
        from pathlib import Path
        from devstack.stack import Stack
        app = Path({str(app)!r})
        emulator = (sys.executable, str(app / "emulator.py"))
        stack = Stack(app_root=app, logs=app / "logs", host="own", emulator=emulator).start()
        print(*(child.pid for child in stack._children()), flush=True)
        sys.stdin.read()
    """
    parent = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with parent:
        assert parent.stdout is not None
        pids = [int(pid) for pid in parent.stdout.readline().split()]
        assert len(pids) == 3
        parent.send_signal(signal.SIGKILL)
    until(lambda: all(gone(pid) for pid in pids))


@pytest.mark.node
@pytest.mark.parametrize(
    ("ports", "setting"), [("host", "--host-port"), ("emulator", "--emulator-port"), ("queue", "--queue-port")]
)
def test_a_taken_port_is_named_with_its_service_and_setting(app: Path, ports: str, setting: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortTakenError, match=rf"Port {port} is taken, but .* needs it.*{setting}"):
            stack(app, ports=Ports(**{ports: port})).start()


def test_missing_tools_are_named_with_the_command_that_brings_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(azurite, "ROOT", tmp_path)
    with pytest.raises(MissingToolError, match="make setup"):
        Azurite(log=tmp_path / "log")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(MissingToolError, match=r"Node\.js .*make setup"):
        Azurite(log=tmp_path / "log")
    with pytest.raises(MissingToolError, match="Core Tools"):
        Stack(host="func")
    monkeypatch.setenv("DEVSTACK_HOST", "nonsense")
    with pytest.raises(DevstackError, match="DEVSTACK_HOST"):
        Stack()


def test_a_command_that_does_not_serve_in_time_is_reported(tmp_path: Path) -> None:
    child = ChildProcess("sleeper", [sys.executable, "-c", "import time; time.sleep(60)"], log=tmp_path / "log")
    try:
        with pytest.raises(ChildDiedError, match=r"sleeper does not serve after 0\.05 s"):
            child.wait_until(lambda: False, 0.05)
    finally:
        child.stop()
    assert not child.alive


def test_the_output_of_a_child_reaches_its_log_and_its_listener(tmp_path: Path) -> None:
    lines: list[str] = []
    command = [sys.executable, "-c", "print('one'); print('two')"]
    child = ChildProcess("printer", command, log=tmp_path / "log", echo=lines.append)
    until(lambda: len(lines) == 2)
    child.stop()
    assert lines == ["one", "two"]
    assert (tmp_path / "log").read_text() == "one\ntwo\n"


def test_only_files_of_the_app_restart_the_host(tmp_path: Path) -> None:
    for name in ("flows", "node_modules", ".venv", "tests"):
        (tmp_path / name).mkdir()
    assert watched(tmp_path) == [tmp_path / "flows"]
    assert [matters(name) for name in ("a/b.py", "routes.yaml", "host.json", "x.pyc", "package.json")] == [
        True,
        True,
        True,
        False,
        False,
    ]


def test_help_tells_what_up_does(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["up", "--help"])
    printed = capsys.readouterr().out
    assert "--emulator-port" in printed
    assert "until Ctrl-C" in printed
