"""Flows that try out every action, and a desk from which they are called and operated over HTTP."""

from __future__ import annotations

import io
import itertools
import re
import threading
import wave
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests

from acs_emulator.testing import Control
from devstack.stack import INCOMING_CALL, Stack
from tests.e2e.line import deployed, until

KEY = "a-function-key"
OWN = "+18005550100"
"""A number of the resource, shown as caller id."""
ANSWERS, DECLINES, BUSY, LATE = "+15550100001", "+15550100002", "+15550100003", "+15550100006"
"""Well-known numbers of the emulator."""
APP_USER = "8:acs:11111111-2222-4333-8444-555555555555_0000002a-1111-2222-3333-999999999999"
"""A user without a phone: the app is rung for them."""
LIFECYCLE = ("call_lifecycle", "CallStarted,CallEnded,CallParticipantAdded,CallParticipantRemoved")

SILENT = {
    "start-continuous-dtmf": "the official client takes no callback URI for it; its tones come to that of the call",
    "unhold": "it has no event of its own; ParticipantsUpdated comes to the URI of the call",
}
"""Callback functions that the service, asked by the official client, sends nothing to, and why."""

_people = itertools.count(1)


def a_number() -> str:
    """A phone that nobody else uses."""
    return f"+1425556{next(_people):04d}"


def a_user() -> str:
    """An ACS user that nobody else is."""
    return f"8:acs:11111111-2222-4333-8444-555555555555_0000002a-1111-2222-3333-{next(_people):012d}"


class Desk:
    """A stack, with flows that are rung by their names, and the app's HTTP API."""

    def __init__(self, stack: Stack, numbers: Mapping[str, str]) -> None:
        self.stack = stack
        self.control = Control(stack.emulator_url)
        self.numbers = numbers
        self._http = requests.Session()
        self._http.headers["x-functions-key"] = KEY

    # The app's HTTP API

    def ask(self, method: str, path: str, body: Any = None, **options: Any) -> requests.Response:
        """Any request, with the function key."""
        return self._http.request(method, f"{self.stack.base_url}/api/{path}", json=body, timeout=30, **options)

    def place(self, flow: str, **what: Any) -> str:
        """Start a call; its id."""
        answer = self.ask("POST", "calls", {"flow": flow, **what})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def act(self, call_id: str, action: str, **body: Any) -> dict[str, Any]:
        """Do something on a live call."""
        answer = self.ask("POST", f"calls/{call_id}/actions/{action}", body)
        assert answer.status_code in (200, 202), answer.text
        done: dict[str, Any] = answer.json()
        assert answer.status_code == (200 if done["done"] else 202)
        return done

    def signal(self, call_id: str, name: str, data: Any = None) -> None:
        answer = self.ask("POST", f"calls/{call_id}/signals/{name}", {"data": data})
        assert answer.status_code == 202, answer.text

    def view(self, call_id: str) -> dict[str, Any]:
        return dict(self.ask("GET", f"calls/{call_id}").json())

    def journal(self, call_id: str) -> list[dict[str, Any]]:
        return list(self.ask("GET", f"calls/{call_id}/journal").json()["journal"])

    def people(self, call_id: str) -> list[dict[str, Any]]:
        return list(self.ask("GET", f"calls/{call_id}/participants").json()["participants"])

    def callbacks(self) -> dict[str, set[int]]:
        """The statuses that each callback function of actions has responded with, by the last part of its route."""
        taken: dict[str, set[int]] = {}
        for one in self.control.deliveries():
            if one["kind"] == "callback":
                *_, before, last = one["url"].partition("?")[0].split("/")
                if before != "callbacks":
                    taken.setdefault(last, set()).update(attempt.get("status", 0) for attempt in one["attempts"])
        return taken

    # Calls

    def ring(self, flow: str, script: Sequence[Mapping[str, Any]] = (), caller: str = "", **more: Any) -> str:
        """A phone calls the number of a flow; the call's id, once the app has it."""
        caller = caller or a_number()
        self.control.place_call(caller, self.numbers[flow], [dict(step) for step in script], **more)
        return self.found(caller)

    def found(self, number: str, flow: str = "") -> str:
        """The newest call with this number, by a search."""
        calls: list[dict[str, Any]] = []

        def listed() -> bool:
            calls[:] = self.ask("POST", "calls/search", {"number": number}).json()["calls"]
            calls[:] = [call for call in calls if not flow or call["flow"] == flow]
            return bool(calls)

        until(listed, 15, lambda: f"no call of {number} is listed; logs in {self.stack.logs}")
        return str(calls[0]["id"])

    def connected(self, call_id: str) -> str:
        """Wait until a call is up; its connection id."""
        self.shows(call_id, "CallConnected")
        return str(self.view(call_id)["call_connection_id"])

    def shows(self, call_id: str, event: str, count: int = 1) -> None:
        """Wait until the journal has this event."""
        until(lambda: self.events(call_id).count(event) >= count, 20, lambda: f"no {event}: {self.told(call_id)}")

    def asks_for(self, call_id: str, kind: str) -> None:
        """Wait until the call has asked for an action."""
        until(lambda: kind in asked(self.journal(call_id)), 20, lambda: f"no {kind}: {self.told(call_id)}")

    def end(self, call_id: str) -> dict[str, Any]:
        """Wait until a call has ended and its flow has said how; its view, with its journal."""

        def over() -> bool:
            view = self.view(call_id)
            return bool(view["status"] == "ended" and view["outcome"])

        until(over, 30, lambda: f"goes on: {self.told(call_id)}")
        return {**self.view(call_id), "journal": self.journal(call_id)}

    def events(self, call_id: str) -> list[str]:
        """The names of the events in a journal, in order."""
        return events(self.journal(call_id))

    def told(self, call_id: str) -> str:
        """A call in one line, for a failure."""
        journal = self.journal(call_id)
        refused = [entry for entry in journal if entry["entry"] in ("refused", "failed")]
        return f"{self.view(call_id)['outcome']} {asked(journal)} {events(journal)} {refused}; {self.stack.logs}"

    def fault(self, operation: str, kind: str = "fail", **more: Any) -> None:
        """The next operation of this kind goes wrong."""
        self.control.add_faults({"kind": kind, "count": 1, "match": {"operation": operation}, **more})


class Covered:
    """What a test says it covers, held against what the emulator was asked and what the journals hold."""

    def __init__(self, desk: Desk, claims: Sequence[str]) -> None:
        self._desk = desk
        self._claims = set(claims)
        self._before = [entry["n"] for entry in desk.control.requests()][-1:]

    def by(self, *call_ids: str) -> None:
        """Fails for an operation that the emulator did not take, or an event that no journal has."""
        after = {"after": self._before[0]} if self._before else {}
        taken = {request["operationId"] for request in self._desk.control.requests(**after) if request["status"] < 300}
        self._desk.control.clear_faults()

        def missing() -> set[str]:
            news = {event for call_id in call_ids for event in self._desk.events(call_id)}
            rung = (
                {"IncomingCall"} if any(self._desk.view(one)["direction"] == "inbound" for one in call_ids) else set()
            )
            return self._claims - taken - news - rung

        until(lambda: not missing(), 15, lambda: f"not covered: {missing()} {[self._desk.told(c) for c in call_ids]}")


@pytest.fixture
def covered(desk: Desk, request: pytest.FixtureRequest) -> Covered:
    """The claims of a test's `covers` markers."""
    return Covered(desk, [claim for marker in request.node.iter_markers("covers") for claim in marker.args])


def asked(journal: Sequence[Mapping[str, Any]]) -> list[str]:
    """The actions of a journal, in order."""
    return [entry["action"]["kind"] for entry in journal if entry["entry"] == "issued"]


def spoken(document: Mapping[str, Any]) -> list[str]:
    """The texts that were to be heard."""
    issued = [entry["action"] for entry in document["journal"] if entry["entry"] == "issued"]
    return [prompt["text"] for action in issued for prompt in action.get("prompts", ()) if "text" in prompt]


def events(journal: Sequence[Mapping[str, Any]]) -> list[str]:
    """The events of a journal, in order, those of Event Grid as well."""
    return [
        (entry["event"].get("type") or entry["event"]["eventType"]).rpartition(".")[2]
        for entry in journal
        if entry["entry"] in ("event", "noticed")
    ]


@contextmanager
def desk_with(
    folder: Path,
    *flows: str,
    users: Mapping[str, str] | None = None,
    texts: Mapping[str, str] | None = None,
    placed: Collection[str] = (),
    speed: float = 10,
    lines: str = "",
    **more: Any,
) -> Iterator[Desk]:
    """A stack that runs what is deployed and these flows, each under a number of its own.

    `users` names the flow for each ACS user that the app answers for, `texts` are the files beside the flows by name,
    and `placed` names the flows that take no call, because they need input. `lines` is the file of own numbers, and
    `more` is for the stack.
    Each text of flows is a module. `{sound}` in it is the address of a sound file, as is everything at
    contoso.example; `{nothing}` leads nowhere.
    """
    names = [name for name in re.findall(r'@flow\("([^"]+)"', "".join(flows)) if name not in placed]
    numbers = {name: f"+1800555{2000 + index}" for index, name in enumerate(names)}
    rung = [*numbers.items(), *((name, user) for user, name in (users or {}).items())]
    rules = "".join(f'  - {{name: {name} {number[-3:]}, to: "{number}", answer: {name}}}\n' for name, number in rung)
    with _sound() as address:
        root = deployed(folder)
        for number, code in enumerate(flows):
            code = code.replace("{sound}", f"{address}/sound.wav").replace("{nothing}", f"{address}/nothing.wav")
            code = code.replace("https://contoso.example", address)
            (root / "flows" / f"trial_{number}.py").write_text(code)
        for name, written in (texts or {}).items():
            (root / "flows" / name).write_text(written, "utf-8")
        (root / "routing.yaml").write_text(f"rules:\n{rules}  - {{name: nobody, reject: busy}}\n")
        if lines:
            (root / "lines.yaml").write_text(lines)
        with Stack(
            app_root=root,
            host="own",
            speed=speed,
            seed=7,
            quiet=True,
            streams=True,
            subscriptions=(INCOMING_CALL, LIFECYCLE),
            environment={
                "DEVSTACK_FUNCTION_KEY": KEY,
                "FALLBACK_PROMPT": "We are sorry.",
                **more.pop("environment", {}),
            },
            **more,
        ) as stack:
            yield Desk(stack, numbers)


@contextmanager
def _sound() -> Iterator[str]:
    """Serves half a second of silence."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(bytes(16_000))

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = self.path != "/nothing.wav"
            self.send_response(200 if found else 404)
            self.send_header("Content-Type", "audio/wav")
            self.end_headers()
            self.wfile.write(out.getvalue() if found else b"")

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
