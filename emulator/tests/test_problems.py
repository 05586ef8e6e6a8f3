"""What goes wrong towards the app is one line with the remedy, and the conversation is shown to who asks for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from acs_emulator.core.problems import Problems
from acs_emulator.events import posting
from acs_emulator.events.log import Attempt
from acs_emulator.events.remedies import explained, unvalidated
from acs_emulator.terminal import Terminal
from acs_emulator.testing import AsyncControl, ControlError, Running, running_async
from emulator.tests.support import CALLER, OWNED, SPEED, Application

NOBODY = "http://127.0.0.1:9"
OK, CALLS = "+15550100001", "/calling/callConnections"


class Lines(list[str]):
    """Lines that can be waited for."""

    async def like(self, *parts: str) -> str:
        async with asyncio.timeout(10):
            while True:
                for line in self:
                    if all(part in line for part in parts):
                        return line
                await asyncio.sleep(0.01)


@pytest.fixture
def lines(emulator: Running[AsyncControl]) -> Lines:
    told = Lines()
    emulator.service.problems.listeners.append(told.append)
    return told


def test_a_line_is_told_once_in_ten_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("acs_emulator.core.problems.time.monotonic", lambda: now[0])
    told: list[str] = []
    one = Problems()
    one.report("Lost", "Nobody listens.")
    one.listeners.append(told.append)
    for at in (100.0, 109.9, 110.1, 111.0):
        now[0] = at
        one.report("It is\nbroken", "Mend it.")
    assert told == ["It is broken. Mend it.", "It is broken. Mend it."]
    one.clear()
    one.report("It is broken", "Mend it.")
    assert len(told) == 3


@pytest.mark.parametrize("event_grid", [(), f"{NOBODY}/events#CallStarted"], ids=["no subscription", "another type"])
async def test_a_call_that_no_subscription_takes_is_told(event_grid: Any) -> None:
    async with running_async(speed=SPEED, event_grid=event_grid) as emulator:
        told = Lines()
        emulator.service.problems.listeners.append(told.append)
        await emulator.control.place_call(CALLER, OWNED)
        line = await told.like("IncomingCall")
        assert line.startswith(
            f"IncomingCall for {OWNED} goes nowhere: no subscription takes it. Start with --event-grid"
        )


async def test_a_call_that_a_subscription_takes_is_not_told(
    emulator: Running[AsyncControl], application: Application, lines: Lines
) -> None:
    await emulator.control.place_call(CALLER, OWNED)
    await application.incoming()
    assert [line for line in lines if "IncomingCall" in line] == []


async def test_a_control_request_that_is_not_there_leads_to_those_that_are(emulator: Running[AsyncControl]) -> None:
    with pytest.raises(ControlError) as refused:
        await emulator.control.request("GET", "/emulator/calls")
    assert refused.value.status == 404
    assert "GET /emulator/openapi.json lists what there is" in refused.value.body["error"]["message"]


async def test_a_callback_that_is_refused_is_told(application: Application, answered: Any, lines: Lines) -> None:
    application.statuses[:] = [500]
    await answered()
    line = await lines.like("500")
    assert line.endswith(f" to {application.base}/api/calls was answered 500. See the log of the app.")
    assert line.startswith(("CallConnected ", "ParticipantsUpdated "))
    assert len([line for line in lines if "500" in line]) == 1


@pytest.mark.parametrize(
    ("attempt", "what", "remedy"),
    [
        (Attempt(0, status=302), "was answered 302", "Redirects are not followed: give the last address."),
        (Attempt(0, status=404), "was answered 404", "The app has no such route."),
        (Attempt(0, status=401), "was answered 401", "The app does not take the token"),
        (Attempt(0, status=503), "was answered 503", "See the log of the app."),
        (Attempt(0, 30_000, error="TimeoutError: "), "got no response in 30 s", "before it does its work"),
        (
            Attempt(0, error="ClientConnectorError: Cannot connect [Connect call failed ('127.0.0.1', 9)]"),
            "found nobody who listens there",
            "Is the app up? In a container, 127.0.0.1 is the container itself.",
        ),
        (Attempt(0, error="ClientConnectorCertificateError: self-signed"), "failed in TLS", "SSL_CERT_FILE"),
        (Attempt(0, error="ClientConnectorDNSError: x"), "failed (ClientConnectorDNSError", "does not know"),
        (Attempt(0, error="ServerDisconnectedError: x"), "failed (ServerDisconnectedError: x)", "Is the app up?"),
    ],
)
def test_what_came_of_an_attempt_is_explained(attempt: Attempt, what: str, remedy: str) -> None:
    said = explained(attempt)
    assert said[0].startswith(what)
    assert remedy in said[1]


async def test_a_callback_that_nobody_takes_is_told(emulator: Running[AsyncControl], wire: Any, lines: Lines) -> None:
    body = {
        "targets": [{"phoneNumber": {"value": OK}}],
        "sourceCallerIdNumber": {"value": "+18005551212"},
        "callbackUri": f"{NOBODY}/api/calls?code=secret",
    }
    assert (await wire.send("POST", CALLS, body))[0] == 201
    assert await lines.like("CallConnected") == (
        f"CallConnected to {NOBODY}/api/calls found nobody who listens there. "
        "Is the app up? In a container, 127.0.0.1 is the container itself."
    )


async def test_an_app_that_does_not_answer_is_told_of_while_it_is_waited_for(
    emulator: Running[AsyncControl], wire: Any, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert posting.UNANSWERED_AFTER == 2.0
    monkeypatch.setattr(posting, "UNANSWERED_AFTER", 0.2)
    held = asyncio.Event()

    async def hold(request: web.Request) -> web.Response:
        await held.wait()
        return web.Response()

    async with serving(hold) as base:
        body = {
            "targets": [{"phoneNumber": {"value": OK}}],
            "sourceCallerIdNumber": {"value": "+18005551212"},
            "callbackUri": f"{base}/api/calls",
        }
        assert (await wire.send("POST", CALLS, body))[0] == 201
        line = await lines.like("has had no response")
        held.set()
    assert line.endswith(
        f" to {base}/api/calls has had no response for 0.2 s. "
        "The app must respond before it does its work: the service may send the event again."
    )


@asynccontextmanager
async def serving(handler: Callable[[web.Request], Any]) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def test_a_socket_that_is_refused_is_told(
    application: Application, emulator: Running[AsyncControl], wire: Any, lines: Lines
) -> None:
    await emulator.control.place_call("+14255550100", "+18005551212")
    incoming = await application.incoming()
    streaming = {
        "transportUrl": f"{application.base.replace('http', 'ws')}/nowhere?key=secret",
        "transportType": "websocket",
        "contentType": "audio",
        "audioChannelType": "mixed",
        "startMediaStreaming": True,
    }
    body = {
        "incomingCallContext": incoming["incomingCallContext"],
        "callbackUri": f"{application.base}/api/calls",
        "mediaStreamingOptions": streaming,
    }
    status, answer, _ = await wire.send("POST", f"{CALLS}:answer", body)
    assert status == 200, answer
    assert await lines.like("MediaStreaming") == (
        f"MediaStreaming cannot connect to {application.base.replace('http', 'ws')}/nowhere: the server answered 404. "
        "transportUrl must be a web socket of the app that takes the connection; a token is in Authorization."
    )


async def test_the_state_of_each_subscription_is_shown_as_it_changes() -> None:
    state: dict[str, Any] = {"status": 404, "body": {}}
    code = ""

    async def handshake(request: web.Request) -> web.Response:
        nonlocal code
        code = (await request.json())[0]["data"]["validationCode"]
        body = state["body"] if state["body"] != "right" else {"validationResponse": code}
        return web.json_response(body, status=state["status"])

    async with serving(handshake) as base:
        async with running_async(speed=SPEED, event_grid=(f"{base}/x#IncomingCall", f"{NOBODY}/y?code=k")) as emulator:
            shown = Lines()
            Terminal(emulator.service, shown.append).follow()
            assert (await shown.like("refused: 404")).endswith(
                f"Event Grid {base}/x (IncomingCall): refused: 404. The app has no such route."
            )
            assert (await shown.like("unanswered")).endswith(
                f"Event Grid {NOBODY}/y (all types): unanswered: the request found nobody who listens there. "
                "Is the app up? In a container, 127.0.0.1 is the container itself."
            )
            state["status"] = 200
            assert "has no validationResponse" in await shown.like("refused: the response")
            state["body"] = "right"
            assert (await shown.like("validated")).endswith(f"{base}/x (IncomingCall): validated")
            states = (await emulator.control.state())["subscriptions"]
            assert [(one["validated"], bool(one["problem"])) for one in states] == [(True, False), (False, True)]
            assert len(shown) == 4


def test_a_handshake_that_failed_says_why() -> None:
    assert unvalidated(Attempt(0, status=500)) == "refused: 500. The handshake wants 200."
    assert unvalidated(Attempt(0, 30_000, error="TimeoutError: ")).startswith(
        "unanswered: the request got no response in 30 s."
    )


async def test_verbose_shows_the_conversation(application: Application, answered: Any) -> None:
    async with running_async(speed=SPEED, verbose=True, event_grid=f"{application.base}/eventgrid") as emulator:
        shown = Lines()
        Terminal(emulator.service, shown.append).follow()
        call = await emulator.control.place_call("+14255550100", "+18005551212", [{"say": "good\nday"}])
        assert await shown.like(call["id"][:8], "phone")
        await shown.like("event", "→ IncomingCall: 200,")
        assert (await emulator.control.request("GET", "/emulator/health"))["status"] == "ok"
        assert not any("\n" in line for line in shown)


async def test_what_the_app_asks_and_is_told_is_shown_by_call(emulator: Running[AsyncControl], answered: Any) -> None:
    shown = Lines()
    emulator.service.log.observers.append(Terminal(emulator.service, shown.append))
    desk = await answered()
    await desk.act(":cancelAllMediaOperations")
    await shown.like(f" {desk.call[:8]} → CallConnected: 200,")
    await shown.like(f" {desk.call[:8]} ← CancelAllMediaOperations: 202")
    await emulator.control.hang_up(desk.call)
    await shown.like(f" {desk.call[:8]} → CallDisconnected: 200,")
    await shown.like("request", "← AnswerCall: 200")
