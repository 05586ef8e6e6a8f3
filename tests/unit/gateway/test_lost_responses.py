"""A response that is lost: what each kind of action makes of it, over the official SDK, on the emulator.

The transport hands a request to the emulator, which carries it out, and then loses the response.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from azure.core.exceptions import ServiceRequestError, ServiceResponseError

import shared.azure.call_automation.gateway as acs
from acs_emulator.testing import Control, Running, running
from shared.azure import clients
from shared.azure.call_automation import AcsGateway
from shared.azure.clients import pooled_transport
from shared.calls import actions, text
from shared.calls.actions import KINDS as DECLARED
from shared.calls.actions import Action
from shared.calls.actions.validate import build
from shared.errors import ActionRefused, ResponseLost
from tests.functional.api import BODIES
from tests.unit.gateway.test_acs import CALLER, COGNITIVE, Line, until_connected
from tests.unit.transports import Wrapped

pytestmark = pytest.mark.xdist_group("gateway")

FREE = "+15550100001"
KINDS = {kind: action for kind, action in DECLARED.items() if action.spec.in_service}
OPENING = {
    "answer": actions.Answer(),
    "create_call": build(actions.CreateCall, targets=(FREE,), caller_id="+18005550199"),
    "connect": build(actions.Connect, locator={"kind": "group_call", "id": "11111111-2222-4333-8444-555555555555"}),
    "reject": actions.Reject(),
    "redirect": build(actions.Redirect, target=FREE),
}
DELETES = {"hang_up", "stop_recording"}
TWICE_THE_SAME = {"cancel_all_media", "pause_recording", "resume_recording"}
"""Carried out twice they do what they do once, so that they are sent again without an id."""


@dataclass
class Losing(Wrapped):
    """A transport that does to the next requests what `plan` says, and lets the others through.

    Attributes:
        plan: `lost`: carried out, and the response does not come; `unreachable`: no connection comes about.
        sent: of each request the method, the last part of its path and its Repeatability-Request-ID.
        responses: status and body of each response that came or was lost.
    """

    plan: list[str] = field(default_factory=list)
    sent: list[tuple[str, str, str | None]] = field(default_factory=list)
    responses: list[tuple[int, str]] = field(default_factory=list)

    def send(self, request: Any, **options: Any) -> Any:
        last = request.url.partition("?")[0].rpartition("/")[2]
        self.sent.append((request.method, last, request.headers.get("Repeatability-Request-ID")))
        fault = self.plan.pop(0) if self.plan else ""
        if fault == "unreachable":
            raise ServiceRequestError("no connection came about")
        response = self.inner.send(request, **options)
        self.responses.append((response.status_code, response.text()))
        if fault == "lost":
            raise ServiceResponseError("the connection broke")
        return response


@dataclass
class LosingLine(Line):
    """A line whose transport loses responses."""

    transport: Losing = field(default_factory=lambda: Losing(None))

    def losing(self, *plan: str) -> Losing:
        """From here on."""
        self.transport.plan[:] = plan
        self.transport.sent.clear()
        self.transport.responses.clear()
        return self.transport


@pytest.fixture(scope="module")
def emulator() -> Iterator[Running[Control]]:
    with running(speed=10) as one:
        yield one


@pytest.fixture
def line(emulator: Running[Control], monkeypatch: pytest.MonkeyPatch) -> Iterator[LosingLine]:
    transports: list[Losing] = []

    def losing(**options: Any) -> Losing:
        transports.append(Losing(pooled_transport(**options)))
        return transports[-1]

    monkeypatch.setattr(clients, "pooled_transport", losing)
    gateway = AcsGateway(emulator.endpoint, emulator.access_key, cognitive_services_endpoint=COGNITIVE)
    yield LosingLine(emulator, gateway, transport=transports[0])
    emulator.control.reset()


def on_the_line(line: LosingLine, name: str) -> tuple[Action, str]:
    """A valid action of this kind and what it needs: a ring, or a call that is up and is recorded."""
    if name in OPENING:
        return OPENING[name], line.ring() if name in ("answer", "reject", "redirect") else ""
    answer = line.gateway.perform(line.request(actions.Answer(), seq=0, ring=line.ring()))
    line.connection_id, line.server_call_id = answer["callConnectionId"], answer["serverCallId"]
    until_connected(line)
    kind, body = KINDS[name], dict(BODIES[name])
    if "participant" in kind.model_fields:
        body.setdefault("participant", CALLER)
    if "recording_id" in body:
        started = line.gateway.perform(line.request(actions.StartRecording(), seq=9))
        body["recording_id"] = started["recordingId"]
    return kind.model_validate(body), ""


def kinds(holds: Callable[[type[Action]], bool]) -> list[str]:
    return sorted(name for name, kind in KINDS.items() if holds(kind))


REPEATABLE = kinds(lambda kind: kind.spec.repeatable)
READING = kinds(lambda kind: kind.spec.reads)
ONCE = sorted(set(KINDS) - set(REPEATABLE) - set(READING) - DELETES - TWICE_THE_SAME)
"""What the service would do a second time, or might: it is sent once, and what became of it is unknown."""


def test_every_kind_of_action_is_of_one_of_these_sorts() -> None:
    assert {"play", "recognize", "hold", "start_continuous_dtmf"} <= set(ONCE)
    assert set(kinds(lambda kind: kind.spec.idempotent)) == TWICE_THE_SAME
    assert {"answer", "create_call", "connect", "reject", "redirect", "add_participant", "transfer"} <= set(REPEATABLE)
    assert len(REPEATABLE) + len(READING) + len(ONCE) + len(DELETES) + len(TWICE_THE_SAME) == len(KINDS)


@pytest.mark.parametrize("name", REPEATABLE)
def test_what_has_a_repeatability_id_is_sent_again_under_it_and_runs_once(line: LosingLine, name: str) -> None:
    action, ring = on_the_line(line, name)
    request = line.request(action, seq=5, ring=ring)
    transport = line.losing("lost", "lost")
    outcome = attempted(line, request)
    assert [sent[2] for sent in transport.sent] == [str(request.repeatability_id)] * 3
    if transport.responses[0][0] < 300:
        assert transport.responses[2] == transport.responses[0], "the service ran it again"
        assert not isinstance(outcome, Exception)
    else:
        assert isinstance(outcome, ActionRefused)
        assert outcome.status == transport.responses[0][0]


def attempted(line: LosingLine, request: Any) -> Any:
    """The response, or the error."""
    try:
        return line.gateway.perform(request)
    except ActionRefused as error:
        return error


@pytest.mark.parametrize("name", ["answer", "create_call"])
def test_a_call_that_came_up_though_its_response_was_lost_is_the_one_that_is_spoken_on(
    line: LosingLine, name: str
) -> None:
    action, ring = on_the_line(line, name)
    line.losing("lost")
    opened = line.gateway.perform(line.request(action, seq=0, ring=ring))
    (call,) = line.emulator.control.state()["calls"]
    assert opened["callConnectionId"] in str(call)


@pytest.mark.parametrize("name", ["answer", "transfer", "start_recording"])
def test_what_is_lost_at_every_sending_is_unknown_and_no_refusal(line: LosingLine, name: str) -> None:
    action, ring = on_the_line(line, name)
    transport = line.losing(*["lost"] * 9)
    with pytest.raises(ResponseLost) as caught:
        line.gateway.perform(line.request(action, seq=5, ring=ring))
    assert len(transport.sent) == acs.TRIES
    assert (caught.value.action, caught.value.status, caught.value.transient) == (name, 0, True)


@pytest.mark.parametrize("name", ONCE)
def test_what_the_service_might_do_twice_is_sent_once_and_what_became_of_it_is_unknown(
    line: LosingLine, name: str
) -> None:
    action, ring = on_the_line(line, name)
    transport = line.losing("lost")
    with pytest.raises(ResponseLost) as caught:
        line.gateway.perform(line.request(action, ring=ring))
    assert [sent[2] for sent in transport.sent] == [None]
    assert (caught.value.action, caught.value.transient) == (name, True)


@pytest.mark.parametrize("name", READING)
def test_a_question_is_asked_again_and_is_refused_for_now_if_nothing_is_heard(line: LosingLine, name: str) -> None:
    action, _ = on_the_line(line, name)
    line.losing("lost", "lost")
    assert line.gateway.perform(line.request(action))
    transport = line.losing(*["lost"] * 9)
    with pytest.raises(ActionRefused) as caught:
        line.gateway.perform(line.request(action))
    assert not isinstance(caught.value, ResponseLost), "nothing can have become of a question"
    assert (caught.value.status, caught.value.transient) == (0, True)
    assert len(transport.sent) == acs.TRIES


@pytest.mark.parametrize("name", sorted(TWICE_THE_SAME))
def test_what_does_the_same_twice_is_sent_again_without_an_id(line: LosingLine, name: str) -> None:
    action, _ = on_the_line(line, name)
    if name == "resume_recording":
        line.gateway.perform(line.request(actions.PauseRecording(recording_id=action.recording_id)))  # type: ignore[attr-defined]
    transport = line.losing("lost", "lost")
    assert line.gateway.perform(line.request(action)) == {}
    assert [sent[2] for sent in transport.sent] == [None] * 3
    transport = line.losing(*["lost"] * 9)
    with pytest.raises(ResponseLost):
        line.gateway.perform(line.request(action))
    assert len(transport.sent) == acs.TRIES


@pytest.mark.parametrize("name", sorted(DELETES))
def test_a_delete_whose_first_sending_was_carried_out_has_succeeded_though_the_second_finds_nothing(
    line: LosingLine, name: str
) -> None:
    action, _ = on_the_line(line, name)
    transport = line.losing("lost")
    assert line.gateway.perform(line.request(action)) == {}
    assert [sent[0] for sent in transport.sent] == ["DELETE"] * 2
    assert transport.responses[0][0] == 204
    assert transport.responses[1][0] in (204, 404)
    if name == "hang_up":
        assert transport.responses[1][0] == 404


@pytest.mark.parametrize("plan", [[], ["unreachable"]])
def test_a_delete_that_nobody_can_have_heard_before_is_refused_where_there_is_nothing(
    line: LosingLine, plan: list[str]
) -> None:
    on_the_line(line, "hang_up")
    line.connection_id = "02004780-0000-4000-8000-00000000beef"
    line.losing(*plan)
    with pytest.raises(ActionRefused) as caught:
        line.gateway.perform(line.request(actions.HangUp()))
    assert (caught.value.status, caught.value.code) == (404, "8522")


@pytest.mark.parametrize("name", sorted(KINDS))
def test_without_a_connection_every_kind_is_sent_again_for_nobody_can_have_heard_it(
    line: LosingLine, name: str
) -> None:
    action, ring = on_the_line(line, name)
    transport = line.losing("unreachable", "unreachable")
    attempted(line, line.request(action, seq=5, ring=ring))
    assert len(transport.sent) == 3
    assert len(transport.responses) == 1
    transport = line.losing(*["unreachable"] * 9)
    refused = attempted(line, line.request(action, seq=6, ring=ring))
    assert isinstance(refused, ActionRefused)
    assert not isinstance(refused, ResponseLost)
    assert (refused.status, refused.transient) == (0, True)


def test_a_play_that_was_not_heard_is_not_sent_again_after_one_that_may_have_been(line: LosingLine) -> None:
    action, _ = on_the_line(line, "play")
    transport = line.losing("unreachable", "lost")
    with pytest.raises(ResponseLost):
        line.gateway.perform(line.request(action))
    assert len(transport.sent) == 2


@pytest.mark.parametrize("status", [500, 503, 504])
@pytest.mark.parametrize("name", ["play", "answer"])
def test_after_a_status_that_leaves_open_what_was_done_only_what_may_come_twice_is_sent_again(
    line: LosingLine, name: str, status: int
) -> None:
    action, ring = on_the_line(line, name)
    operation = {"play": "CallMedia_Play", "answer": "AnswerCall"}[name]
    line.emulator.control.add_faults(
        {"kind": "status", "status": status, "subCode": "8500", "count": 1, "match": {"operation": operation}}
    )
    transport = line.losing()
    outcome = attempted(line, line.request(action, seq=5, ring=ring))
    line.emulator.control.clear_faults()
    if name == "answer":
        assert len(transport.sent) == 2
        assert outcome["callConnectionId"]
    else:
        assert len(transport.sent) == 1
        assert not isinstance(outcome, ResponseLost), "it was refused, in so many words"
        assert (outcome.status, outcome.code, outcome.transient) == (status, "8500", True)


@contextmanager
def breaking_off(responses: list[bytes]) -> Iterator[tuple[str, list[bytes]]]:
    """A service whose responses break off; its address, and the first line of each request."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            for response in responses:
                connection, _ = server.accept()
                with connection:
                    request = b""
                    while b"\r\n\r\n" not in request:
                        request += connection.recv(65_536)
                    head, _, body = request.partition(b"\r\n\r\n")
                    heard.append(head.split(b"\r\n")[0])
                    sizes = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
                    while sizes and len(body) < int(sizes[0].split(b":")[1]):
                        body += connection.recv(65_536)
                    connection.sendall(response)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}", heard
        thread.join(10)
        assert not thread.is_alive()


HALF = b'HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{"callConnectionId":'
NOTHING = b""


@pytest.mark.parametrize("broken", [HALF, NOTHING], ids=["in the middle", "before it began"])
def test_a_response_that_breaks_off_counts_as_lost(broken: bytes) -> None:
    play = actions.Play(prompts=(text("hello"),))
    with breaking_off([broken]) as (address, heard):
        gateway = AcsGateway(address, "a2V5")
        with pytest.raises(ResponseLost):
            gateway.perform(Line(None, gateway, "connection").request(play))  # type: ignore[arg-type]
        assert len(heard) == 1


@pytest.mark.parametrize("broken", [HALF, NOTHING], ids=["in the middle", "before it began"])
def test_after_a_response_that_broke_off_an_answer_is_sent_again(broken: bytes) -> None:
    with breaking_off([broken, broken, broken]) as (address, heard):
        gateway = AcsGateway(address, "a2V5")
        with pytest.raises(ResponseLost):
            gateway.perform(Line(None, gateway).request(actions.Answer(), ring="ring"))  # type: ignore[arg-type]
        assert len(heard) == acs.TRIES


def response(status: str, body: str, *headers: str) -> bytes:
    """A whole response."""
    lines = [f"HTTP/1.1 {status}", "Content-Type: application/json", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([*lines, "Connection: close", "", body]).encode()


def test_a_response_that_nobody_can_read_counts_as_lost() -> None:
    """Its status says that the service has carried it out."""
    with breaking_off([response("200 OK", '{"callConnectionId')]) as (address, heard):
        gateway = AcsGateway(address, "a2V5")
        with pytest.raises(ResponseLost):
            gateway.perform(Line(None, gateway).request(actions.Answer(), ring="ring"))  # type: ignore[arg-type]
        assert len(heard) == 1


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        ('{"error":{"code":"8501","message":"not while it rings"}}', "8501", "not while it rings"),
        ('{"error":{"code":"","message":""}}', "400", "Bad"),
        ('{"error":{"message":"no code"}}', "400", "no code"),
        ('{"error":{"code":"8501"}}', "8501", "8501"),
        ("{}", "400", "Bad"),
        ("", "400", "Bad"),
    ],
)
def test_a_refusal_has_the_services_words_or_else_the_status(body: str, code: str, message: str) -> None:
    with breaking_off([response("400 Bad", body)]) as (address, _):
        gateway = AcsGateway(address, "a2V5")
        with pytest.raises(ActionRefused) as caught:
            gateway.perform(Line(None, gateway, "connection").request(actions.HangUp()))  # type: ignore[arg-type]
    assert (caught.value.status, caught.value.code, caught.value.transient) == (400, code, False)
    assert message in caught.value.message


def test_what_the_service_asks_to_send_later_is_sent_later_whatever_it_is() -> None:
    play = actions.Play(prompts=(text("hello"),))
    later, taken = response("429 Too many", "{}", "Retry-After: 0"), response("202 Accepted", "")
    with breaking_off([later, taken]) as (address, heard):
        gateway = AcsGateway(address, "a2V5")
        assert gateway.perform(Line(None, gateway, "connection").request(play)) == {}  # type: ignore[arg-type]
        assert len(heard) == 2


def test_a_delete_that_is_forbidden_the_second_time_has_not_succeeded() -> None:
    with breaking_off([NOTHING, response("403 Forbidden", "{}")]) as (address, heard):
        gateway = AcsGateway(address, "a2V5")
        with pytest.raises(ActionRefused) as caught:
            gateway.perform(Line(None, gateway, "connection").request(actions.HangUp()))  # type: ignore[arg-type]
        assert len(heard) == 2
    assert caught.value.status == 403
