"""A breakpoint in a flow stops a call there, over the Debug Adapter Protocol, as an editor sets it."""

from __future__ import annotations

import itertools
import json
import socket
from collections.abc import Callable, Iterator
from io import BufferedRWPair
from pathlib import Path
from typing import Any

import pytest

from devstack.ports import LOOPBACK, free_port
from devstack.up import debugged
from tests.e2e.line import Line, line

pytestmark = [pytest.mark.long, pytest.mark.e2e, pytest.mark.node, pytest.mark.xdist_group("e2e-debugging")]

STATEMENT = 'call.result("call_back", team=team)'


class Debugger:
    """An editor's side of the Debug Adapter Protocol: https://microsoft.github.io/debug-adapter-protocol."""

    def __init__(self, stream: BufferedRWPair[Any, Any]) -> None:
        self._stream = stream
        self._numbers = itertools.count(1)
        self._came: list[dict[str, Any]] = []

    def send(self, command: str, **arguments: Any) -> int:
        number = next(self._numbers)
        body = json.dumps({"seq": number, "type": "request", "command": command, "arguments": arguments}).encode()
        self._stream.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self._stream.flush()
        return number

    def ask(self, command: str, **arguments: Any) -> dict[str, Any]:
        """A request's response."""
        number = self.send(command, **arguments)
        response = self._take(lambda message: message.get("request_seq") == number)
        assert response["success"], response
        return dict(response.get("body") or {})

    def event(self, name: str) -> dict[str, Any]:
        """An event that came, or comes."""
        return dict(self._take(lambda message: message.get("event") == name).get("body") or {})

    def _take(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        found: dict[str, Any] | None
        while (found := next(filter(wanted, self._came), None)) is None:
            length = 0
            while (header := self._stream.readline().strip()) or not length:
                assert header, "the debugger is gone"
                length = int(header.rpartition(b":")[2])
            self._came.append(dict(json.loads(self._stream.read(length))))
        self._came.remove(found)
        return found


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def debugged_line(tmp_path: Path, port: int) -> Iterator[Line]:
    with line(tmp_path, own_host=debugged(port)) as one:
        yield one


@pytest.fixture
def debugger(debugged_line: Line, port: int) -> Iterator[Debugger]:
    with socket.create_connection((LOOPBACK, port), timeout=60) as connection, connection.makefile("rwb") as stream:
        yield Debugger(stream)


def test_a_breakpoint_in_a_flow_stops_the_call_there_and_it_goes_on(
    debugged_line: Line, debugger: Debugger, tmp_path: Path
) -> None:
    flow = tmp_path / "flows" / "reception.py"
    number = next(n for n, text in enumerate(flow.read_text("utf-8").splitlines(), 1) if STATEMENT in text)
    debugger.ask("initialize", adapterID="test", linesStartAt1=True, pathFormat="path")
    debugger.send("attach", justMyCode=True)
    debugger.event("initialized")
    (set_,) = debugger.ask("setBreakpoints", source={"path": str(flow)}, breakpoints=[{"line": number}])["breakpoints"]
    assert set_["verified"]
    debugger.ask("configurationDone")

    call = debugged_line.call(script=[{"when": "asked", "after": 1, "press": "2"}])
    stopped = debugger.event("stopped")
    assert stopped["reason"] == "breakpoint"
    top = debugger.ask("stackTrace", threadId=stopped["threadId"])["stackFrames"][0]
    assert (Path(top["source"]["path"]).name, top["name"], top["line"]) == ("reception.py", "reception", number)
    assert debugger.ask("evaluate", expression="team", frameId=top["id"])["result"] == "'support'"

    debugger.ask("setBreakpoints", source={"path": str(flow)}, breakpoints=[])
    debugger.ask("continue", threadId=stopped["threadId"])
    assert debugged_line.end(call)["outcome"] == "completed"
    debugger.ask("disconnect", terminateDebuggee=False)
