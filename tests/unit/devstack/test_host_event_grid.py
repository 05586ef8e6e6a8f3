"""The local host's Event Grid webhook: handshakes, deliveries, keys, and whatever else somebody sends it."""

from __future__ import annotations

import json
from typing import Any, cast

import pytest

from devstack.host.backend import Invocation, Outcome
from devstack.host.eventgrid import EventGridWebhook
from devstack.host.functions import FunctionMetadata
from devstack.host.http import BODY_LIMIT, BodyTooLargeError, DisconnectedError, Headers, KeyCheck, read_body
from devstack.host.invoker import Invoker

NOTIFICATION: Headers = [(b"aeg-event-type", b"Notification")]
HANDSHAKE: Headers = [(b"aeg-event-type", b"SubscriptionValidation")]
CODE = [{"data": {"validationCode": "0000-code", "validationUrl": "http://169.254.169.254/"}}]


class Calls:
    """Takes the place of the invoker; `fails` are the ids of events whose function fails."""

    def __init__(self, *fails: str) -> None:
        self.events: list[Any] = []
        self._fails = fails

    async def invoke(self, invocation: Invocation, reason: str) -> Outcome:
        event = json.loads(invocation.data.value)
        self.events.append(event)
        return cast(Outcome, type("Done", (), {"ok": event.get("id") not in self._fails}))


async def sent(
    body: Any, headers: Headers = NOTIFICATION, *, calls: Calls | None = None, method: str = "POST", name: str = "Ring"
) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of the response."""
    function = cast(FunctionMetadata, type("Function", (), {"name": "ring"}))
    webhook = EventGridWebhook([function], cast(Invoker, calls or Calls()))
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    message: dict[str, Any] = {"type": "http.request", "body": raw}
    said: list[Any] = []

    async def receive() -> dict[str, Any]:
        return message

    async def send(message: Any) -> None:
        said.append(message)

    await webhook.serve(
        {"method": method, "query_string": f"functionName={name}".encode(), "headers": headers}, receive, send
    )
    assert [message["type"] for message in said] == ["http.response.start", "http.response.body"], "one response"
    fields = {name.decode(): value.decode() for name, value in said[0]["headers"]}
    return said[0]["status"], fields, said[1]["body"]


async def test_a_handshake_is_answered_with_its_code_and_asks_for_no_address() -> None:
    calls = Calls()
    status, fields, body = await sent(CODE, HANDSHAKE, calls=calls)
    assert (status, json.loads(body)) == (200, {"validationResponse": "0000-code"})
    assert fields["content-type"].startswith("application/json")
    assert calls.events == []


@pytest.mark.parametrize("body", [[], {}, [{}], [{"data": None}], [{"data": {"validationCode": 7}}], [{"data": []}]])
async def test_a_handshake_without_a_code_is_refused(body: Any) -> None:
    status, _, said = await sent(body, HANDSHAKE)
    assert (status, b"validationCode" in said) == (400, True)


async def test_the_cloudevents_handshake_allows_who_names_itself() -> None:
    status, fields, _ = await sent(b"", [(b"webhook-request-origin", b"eventgrid.azure.net")], method="OPTIONS")
    assert (status, fields["webhook-allowed-origin"], fields["webhook-allowed-rate"]) == (
        200,
        "eventgrid.azure.net",
        "*",
    )
    assert (await sent(b"", [], method="OPTIONS"))[0] == 400


async def test_each_event_of_a_batch_reaches_the_function() -> None:
    calls = Calls()
    assert (await sent([{"id": "1"}, {"id": "2"}], calls=calls))[0] == 202
    assert calls.events == [{"id": "1"}, {"id": "2"}]
    assert (await sent({"id": "3"}, calls=calls))[0] == 202
    assert calls.events[2:] == [{"id": "3"}]


async def test_a_batch_of_which_one_fails_is_asked_for_again() -> None:
    assert (await sent([{"id": "1"}, {"id": "2"}], calls=Calls("1")))[0] == 500


@pytest.mark.parametrize("body", [b"", b"{", b"[1]", b"null", b"\xff", b"[" * 100_000, b"[" + b"9" * 5000 + b"]"])
async def test_what_is_no_event_reaches_nobody(body: bytes) -> None:
    calls = Calls()
    assert (await sent(body, calls=calls))[0] == 400
    assert calls.events == []


@pytest.mark.parametrize("kind", [b"", b"\xff", b"Notification, Unsubscribe", b"Other"])
async def test_a_kind_of_request_that_there_is_not_is_refused(kind: bytes) -> None:
    calls = Calls()
    assert (await sent([{"id": "1"}], [(b"aeg-event-type", kind)], calls=calls))[0] == 400
    assert calls.events == []


async def test_other_methods_and_other_functions_are_refused_and_an_end_is_taken() -> None:
    status, fields, _ = await sent(b"", method="GET")
    assert (status, fields["allow"]) == (405, "OPTIONS, POST")
    status, _, said = await sent([], name="place_call")
    assert (status, said) == (404, b"cannot find function: 'place_call', available function names: [ring]")
    assert (await sent([], [(b"aeg-event-type", b"Unsubscribe")]))[0] == 202
    status, _, said = await sent([], [])
    assert (status, said) == (400, b"the header aeg-event-type is '', not Notification or SubscriptionValidation")


async def test_a_notification_that_is_too_long_is_refused_and_its_connection_closed() -> None:
    calls = Calls()
    status, fields, _ = await sent([{"id": "1"}], [*NOTIFICATION, (b"content-length", b"104857601")], calls=calls)
    assert (status, fields["connection"], calls.events) == (413, "close", [])


async def test_who_went_away_gets_no_response() -> None:
    function = cast(FunctionMetadata, type("Function", (), {"name": "ring"}))

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        raise AssertionError(message)

    webhook = EventGridWebhook([function], cast(Invoker, Calls()))
    await webhook.serve(
        {"method": "POST", "query_string": b"functionName=ring", "headers": NOTIFICATION}, receive, send
    )


@pytest.mark.parametrize(
    ("headers", "query", "allowed"),
    [
        ([(b"x-functions-key", b"secret")], "", True),
        ([], "code=secret", True),
        ([(b"x-functions-key", b"secret")], "code=wrong", True),
        ([(b"x-functions-key", b"wrong")], "code=secret", False),
        ([], "", False),
        ([], "code=", False),
        ([], "code=secre", False),
        ([], "code=%ed%a0%80", False),
        ([(b"x-functions-key", b"")], "", False),
        ([(b"x-functions-key", b"\xff")], "", False),
        ([(b"authorization", b"Bearer secret")], "", False),
    ],
)
def test_a_key_that_is_set_is_asked_for(headers: Headers, query: str, allowed: bool) -> None:
    for level in ("function", "admin"):
        assert KeyCheck("secret").allows(level, headers, query) is allowed
    assert KeyCheck("secret").allows("anonymous", headers, query)
    assert KeyCheck(None).allows("admin", headers, query)


async def read(messages: list[dict[str, Any]], *announced: bytes) -> bytes:
    async def receive() -> dict[str, Any]:
        return messages.pop(0)

    return await read_body([(b"content-length", one) for one in announced], receive)


def part(body: bytes, more: bool = False) -> dict[str, Any]:
    return {"type": "http.request", "body": body, "more_body": more}


async def test_a_body_is_read_to_its_end() -> None:
    assert await read([part(b"ab")], b"2") == b"ab"
    assert await read([part(b"ab", True), part(b"cd", True), part(b"")]) == b"abcd"
    assert await read([{"type": "http.request", "body": b"ab"}]) == b"ab"
    assert await read([part(b"ab", True), {"type": "http.request", "body": b"cd"}]) == b"abcd"
    for messages in ([], [part(b"ab", True)]):
        with pytest.raises(DisconnectedError):
            await read([*messages, {"type": "http.disconnect"}])


@pytest.mark.parametrize("announced", [b"", b"abc", b"-104857601", b"0" * 9 + b"2", b"0" * 17 + b"2", b"104857600"])
async def test_a_body_is_read_whatever_is_said_of_its_length(announced: bytes) -> None:
    assert await read([part(b"ab")], announced) == b"ab"


@pytest.mark.parametrize("announced", [b"104857601", b"0" * 18 + b"2", b"9" * 5000])
async def test_a_body_that_says_that_it_is_too_long_is_not_read(announced: bytes) -> None:
    with pytest.raises(BodyTooLargeError):
        await read([], announced)


async def test_a_body_that_is_longer_than_it_says_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    assert BODY_LIMIT == 104_857_600
    monkeypatch.setattr("devstack.host.http.BODY_LIMIT", 4)
    assert await read([part(b"ab", True), part(b"cd")]) == b"abcd"
    with pytest.raises(BodyTooLargeError):
        await read([part(b"ab", True), part(b"cde", True), part(b"")])
