"""The same HTTP, Event Grid, queue and timer cases on the host's own back end and on Microsoft's."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pytest
import requests
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue import QueueClient

from devstack.azurite import Azurite
from devstack.ports import free_port
from devstack.process import ChildProcess

pytestmark = [pytest.mark.long, pytest.mark.node, pytest.mark.xdist_group("back-ends")]

T = TypeVar("T")
SAMPLE = Path(__file__).parent / "sample"
BACK_ENDS = {"native": "devstack.host", "runtime": "tests.conformance.host.oracle"}
"""The module that is run, by name: ours, and Microsoft's worker."""
NEVER = "0 0 0 1 1 *"
EVENT_GRID = "/runtime/webhooks/EventGrid?functionName="


@dataclass
class Running:
    """One host, with its own queues in the shared storage."""

    name: str
    port: int
    storage: str
    process: ChildProcess
    session: requests.Session = field(default_factory=requests.Session)
    inboxes: dict[str, list[str]] = field(default_factory=dict)

    def ask(self, method: str, path: str, **more: Any) -> requests.Response:
        return self.session.request(method, f"http://127.0.0.1:{self.port}{path}", timeout=20, **more)

    def queue(self, name: str) -> QueueClient:
        return QueueClient.from_connection_string(self.storage, f"{self.name}-{name}")

    def put(self, queue: str, text: str) -> None:
        with self.queue(queue) as client:
            client.send_message(base64.b64encode(text.encode()).decode())

    def take(self, queue: str, wanted: Callable[[str], bool] = lambda text: True) -> str:
        """The first message that fits, removed; waits for it. What does not fit is kept for later."""
        inbox = self.inboxes.setdefault(queue, [])

        def found() -> str | None:
            with self.queue(queue) as client:
                try:
                    for message in client.receive_messages(messages_per_page=32):
                        client.delete_message(message)
                        inbox.append(base64.b64decode(message.content).decode())
                except ResourceNotFoundError:
                    return None
            fitting = next((text for text in inbox if wanted(text)), None)
            if fitting is not None:
                inbox.remove(fitting)
            return fitting

        return until(found)


def until(condition: Callable[[], T | None], seconds: float = 20) -> T:
    """The first true value of the condition."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, "the condition did not come true"
        time.sleep(0.02)
    return value


def start(storage: str, back_end: str, folder: Path, *flags: str, **environment: str) -> Running:
    port = free_port()
    values = {
        "PYTHON_SCRIPT_FILE_NAME": "sample_app.py",
        "PREFIX": back_end,
        "TIMER_SCHEDULE": NEVER,
        "AzureWebJobsStorage": storage,
        **environment,
    }
    command = [sys.executable, "-m", BACK_ENDS[back_end], "--port", str(port), "--app-root", str(SAMPLE)]
    process = ChildProcess(
        f"host {back_end}",
        [*command, *flags],
        log=folder / f"{back_end}-{port}.log",
        environment=values,
    )
    running = Running(back_end, port, storage, process)
    process.wait_until(lambda: serves(running), 30)
    return running


def serves(running: Running) -> bool:
    try:
        return running.ask("GET", "/admin/host/status").status_code == 200
    except requests.ConnectionError:
        return False


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with Azurite(log=tmp_path_factory.mktemp("azurite") / "azurite.log") as azurite:
        yield azurite.connection_string


@pytest.fixture(scope="module")
def both(storage: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Running]]:
    folder = tmp_path_factory.mktemp("hosts")
    hosts: dict[str, Running] = {}
    try:
        for name in BACK_ENDS:
            hosts[name] = start(storage, name, folder)
        yield hosts
    finally:
        for host in hosts.values():
            host.session.close()
            host.process.stop()


@pytest.fixture(params=BACK_ENDS)
def host(both: dict[str, Running], request: pytest.FixtureRequest) -> Running:
    return both[request.param]


ALL_BYTES = bytes(range(256)) * 40

# (method, path, arguments of requests, expected status)
HTTP_CASES: list[tuple[str, str, dict[str, Any], int]] = [
    ("GET", "/api/hello/world", {}, 200),
    ("POST", "/API/Hello/w%20%C3%B6?a=1&a=2&empty=&b=%26", {"data": b"text"}, 200),
    ("POST", "/api/hello/a%2Fb", {"data": ALL_BYTES, "headers": {"X-Sample": "yes"}}, 200),
    ("DELETE", "/api/hello/world", {}, 405),
    ("GET", "/api/hello", {}, 404),
    ("GET", "/api/calls/12", {}, 200),
    ("GET", "/api/calls/12/end", {}, 200),
    ("GET", "/api/calls/twelve", {}, 404),
    ("GET", "/api/files", {}, 200),
    ("GET", "/api/files/a/b.c", {}, 200),
    ("POST", "/api/echo?status=201", {"data": ALL_BYTES}, 201),
    ("POST", "/api/echo?status=204", {"data": b""}, 204),
    ("POST", "/api/echo", {"data": b""}, 200),
    ("POST", "/api/json", {"data": b'{"b": [1, null], "a": "\xc3\xb6"}'}, 200),
    ("POST", "/api/json", {"data": b"{"}, 400),
    ("POST", "/api/json", {"data": b"\xff"}, 400),
    ("GET", "/api/text", {}, 200),
    ("GET", "/api/none", {}, 500),
    ("GET", "/api/dict", {}, 500),
    ("GET", "/api/raise", {}, 500),
    ("GET", "/api/araise", {}, 500),
    ("GET", "/api/context", {"headers": {"traceparent": f"00-{'1' * 32}-{'2' * 16}-01"}}, 200),
    ("GET", "/api/locked", {}, 200),
    ("GET", "/elsewhere", {}, 404),
]


@pytest.mark.parametrize(("method", "path", "more", "status"), HTTP_CASES)
def test_both_back_ends_answer_alike(
    both: dict[str, Running], method: str, path: str, more: dict[str, Any], status: int
) -> None:
    answers = []
    for name in BACK_ENDS:
        answer = both[name].ask(method, path, **more)
        headers = {key: value for key, value in answer.headers.items() if key != "date"}
        answers.append((answer.status_code, headers, answer.content))
    assert answers[0] == answers[1]
    assert answers[0][0] == status


def test_a_function_learns_everything_of_its_request(host: Running) -> None:
    answer = host.ask("POST", "/api/hello/w%C3%B6?a=1&a=2&empty=", data=ALL_BYTES, headers={"X-Sample": "yes"})
    assert answer.json() == {
        "method": "POST",
        "path": "api/hello/w%C3%B6?a=1&a=2&empty=",
        "route": {"name": "wö"},
        "query": {"a": "1,2"},
        "header": "yes",
        "body": hashlib.sha256(ALL_BYTES).hexdigest(),
        "length": len(ALL_BYTES),
    }


def test_a_response_keeps_its_status_headers_cookies_and_bytes(host: Running) -> None:
    answer = host.ask("POST", "/api/echo?status=207", data=ALL_BYTES)
    assert (answer.status_code, answer.content) == (207, ALL_BYTES)
    assert answer.headers["x-one"] == "1"
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.cookies.get_dict() == {"a": "1", "b": "2"}


def test_a_function_gets_its_context(host: Running) -> None:
    trace = f"00-{'1' * 32}-{'2' * 16}-01"
    answer = host.ask("GET", "/api/context", headers={"traceparent": trace}).json()
    assert answer == {
        "name": "context_of",
        "id": 36,
        "thread": True,
        "trace": trace,
        "retry": 0,
        "directory": "sample",
    }


def test_a_body_over_the_limit_is_refused_before_it_is_read(host: Running) -> None:
    answer = host.ask("POST", "/api/echo", headers={"content-length": str(104_857_601)}, data=b"")
    assert answer.status_code == 413


def test_output_bindings_are_written_to_their_queues(host: Running) -> None:
    assert host.ask("POST", "/api/send", data="one\ntwo ✓".encode()).status_code == 202
    assert host.take("seen", lambda text: text.startswith("one")) == "one\ntwo ✓"
    assert {host.take("many"), host.take("many")} == {"one", "two ✓"}


def event(identifier: str, **data: Any) -> dict[str, Any]:
    return {
        "id": identifier,
        "topic": "/subscriptions/x",
        "subject": "a/b",
        "eventType": "Sample.Happened",
        "eventTime": "2024-05-01T10:00:00.1234567Z",
        "data": data,
        "dataVersion": "1.0",
        "metadataVersion": "1",
    }


def notify(host: Running, function: str, body: Any, kind: str = "Notification") -> requests.Response:
    return host.ask("POST", EVENT_GRID + function, json=body, headers={"aeg-event-type": kind})


def test_a_notification_invokes_the_function_once_for_each_event(host: Running) -> None:
    assert notify(host, "on_event", [event("n1", x=1), event("n2", x=2)]).status_code == 202
    seen = [json.loads(host.take("seen", lambda text: '"kind": "event"' in text)) for _ in range(2)]
    assert sorted(seen, key=lambda found: str(found["id"])) == [
        {"kind": "event", "id": "n1", "type": "Sample.Happened", "subject": "a/b", "data": {"x": 1}},
        {"kind": "event", "id": "n2", "type": "Sample.Happened", "subject": "a/b", "data": {"x": 2}},
    ]


def test_a_failed_event_asks_for_another_delivery(host: Running) -> None:
    assert notify(host, "on_event", [event("f1", fail=True)]).status_code == 500


def test_cloud_events_arrive_singly_and_as_a_batch(host: Running) -> None:
    cloud = {"specversion": "1.0", "id": "c1", "type": "T", "source": "/s", "data": {"y": 1}}
    assert notify(host, "on_cloud_event", cloud).status_code == 202
    assert notify(host, "on_cloud_event", [{**cloud, "id": "c2"}]).status_code == 202
    seen = {json.loads(host.take("seen", lambda text: '"cloud"' in text))["id"] for _ in range(2)}
    assert seen == {"c1", "c2"}


def test_the_subscription_handshake_gives_the_code_back(host: Running) -> None:
    answer = notify(host, "on_event", [event("v", validationCode="abc")], "SubscriptionValidation")
    assert (answer.status_code, answer.json()) == (200, {"validationResponse": "abc"})


def test_the_cloud_events_handshake_allows_the_origin(host: Running) -> None:
    answer = host.ask("OPTIONS", EVENT_GRID + "on_event", headers={"WebHook-Request-Origin": "eventgrid"})
    assert (answer.status_code, answer.headers["webhook-allowed-origin"]) == (200, "eventgrid")


@pytest.mark.parametrize("body", [b"", b"{", b"[1]", b"\xff\xfe", b"[" * 100_000])
def test_junk_on_the_webhook_is_a_bad_request(host: Running, body: bytes) -> None:
    answer = host.ask("POST", EVENT_GRID + "on_event", data=body, headers={"aeg-event-type": "Notification"})
    assert answer.status_code == 400


def test_an_unknown_function_on_the_webhook_is_not_found(host: Running) -> None:
    assert notify(host, "nobody", [event("x")]).status_code == 404


def test_a_queue_message_arrives_with_its_metadata_and_is_removed(host: Running) -> None:
    host.put("work", "good ✓")
    seen = json.loads(host.take("seen", lambda text: "good" in text))
    assert seen == {"kind": "message", "body": "good ✓", "count": 1, "times": True, "named": True}

    def empty() -> bool:
        with host.queue("work") as client:
            return client.get_queue_properties().approximate_message_count == 0

    until(empty)


def test_a_failed_queue_message_is_tried_again(host: Running) -> None:
    host.put("work", "once")
    assert json.loads(host.take("seen", lambda text: '"once"' in text))["count"] == 2


def test_a_queue_message_goes_to_the_poison_queue_after_its_last_try(host: Running) -> None:
    host.put("work", "poison")
    assert host.take("work-poison") == "poison"


def test_a_message_that_is_not_base64_goes_to_the_poison_queue(host: Running) -> None:
    with host.queue("work") as client:
        client.send_message("not base64!")

    def poison() -> bool:
        with host.queue("work-poison") as client:
            try:
                return any(found.content == "not base64!" for found in client.peek_messages(32))
            except ResourceNotFoundError:
                return False

    until(poison)


def test_a_value_returned_without_a_binding_fails(host: Running) -> None:
    host.put("returns", "x")
    assert host.take("returns-poison") == "x"
    assert "without a $return binding returned a non-None value" in host.process.log.read_text()


def test_a_timer_runs_at_startup_and_when_asked(host: Running) -> None:
    expected = {"kind": "timer", "past_due": False, "status": ["Last", "LastUpdated", "Next"]}
    assert json.loads(host.take("ticks")) == expected
    assert host.ask("POST", "/admin/functions/on_time", json={}).status_code == 202
    assert json.loads(host.take("ticks")) == expected


@pytest.mark.parametrize("back_end", BACK_ENDS)
def test_a_timer_keeps_its_schedule_and_keys_are_checked_when_configured(
    storage: str, back_end: str, tmp_path: Path
) -> None:
    more = {"TIMER_SCHEDULE": "* * * * * *", "DEVSTACK_FUNCTION_KEY": "secret", "PREFIX": f"{back_end}-keys"}
    host = start(storage, back_end, tmp_path, "--quiet", **more)
    host.name = f"{back_end}-keys"
    try:
        assert [host.take("ticks") for _ in range(2)]
        assert host.ask("GET", "/api/locked").status_code == 401
        assert host.ask("GET", "/api/locked?code=wrong").status_code == 401
        assert host.ask("GET", "/api/locked?code=secret").status_code == 200
        assert host.ask("GET", "/api/locked", headers={"x-functions-key": "secret"}).status_code == 200
        assert host.ask("GET", "/api/text").status_code == 200
        assert notify(host, "on_event", [event("k")]).status_code == 401
        assert notify(host, "on_event&code=secret", [event("k")]).status_code == 202
        assert "Executing" not in host.process.log.read_text()
    finally:
        host.session.close()
        host.process.stop()


BROKEN = {
    "two functions of one name": (
        '@app.route("a")\ndef f(req: func.HttpRequest) -> str:\n    return ""\n'
        '@app.function_name("f")\n@app.route("b")\ndef g(req: func.HttpRequest) -> str:\n    return ""\n',
        "Two functions are called 'f'",
    ),
    "two functions of one route": (
        '@app.route("a/{x}", methods=["GET", "POST"])\ndef f(req: func.HttpRequest) -> str:\n    return ""\n'
        '@app.route("A/{y}", methods=["POST"])\ndef g(req: func.HttpRequest) -> str:\n    return ""\n',
        "The functions 'f' and 'g' have the same route: POST api/",
    ),
    "an import that fails": ("import nothing_of_this_name\n", "No module named 'nothing_of_this_name'"),
    "a parameter without a binding": (
        '@app.route("a")\ndef f(req: func.HttpRequest, extra: str) -> str:\n    return ""\n',
        "extra",
    ),
    "an annotation that the worker refuses": (
        '@app.route("a")\n@app.queue_output(arg_name="o", queue_name="q", connection="")\n'
        'def f(req: func.HttpRequest, o: func.Out[list[str]]) -> str:\n    return ""\n',
        "annotation",
    ),
    "a schedule that cannot be read": (
        '@app.timer_trigger(arg_name="t", schedule="nonsense")\ndef f(t: func.TimerRequest) -> None: ...\n',
        "nonsense",
    ),
    "a storage setting that is missing": (
        '@app.queue_trigger(arg_name="m", queue_name="q", connection="Nowhere")\n'
        "def f(m: func.QueueMessage) -> None: ...\n",
        "'Nowhere' is not set",
    ),
}


@pytest.mark.parametrize("back_end", BACK_ENDS)
@pytest.mark.parametrize("what", BROKEN)
def test_the_host_does_not_start_with(what: str, back_end: str, tmp_path: Path) -> None:
    code, message = BROKEN[what]
    (tmp_path / "function_app.py").write_text(f"import azure.functions as func\n\napp = func.FunctionApp()\n{code}")
    command = [sys.executable, "-m", BACK_ENDS[back_end], "--port", "0", "--app-root", str(tmp_path)]
    process = ChildProcess("host", command, log=tmp_path / "host.log")
    try:
        until(lambda: not process.alive)
    finally:
        process.stop()
    assert "error:" in process.tail()
    assert message in process.tail()
    assert "PYTHON_SCRIPT_FILE_NAME" not in os.environ
