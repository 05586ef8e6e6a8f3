"""The local host, which needs no key, takes nothing from a web page."""

from __future__ import annotations

from typing import Any, cast

import pytest

from acs_emulator.core.known_hosts import KnownHosts
from devstack.host.__main__ import make_parser
from devstack.host.app import Host
from devstack.host.eventgrid import EventGridWebhook
from devstack.host.http import Headers, HttpFunctions, KeyCheck
from devstack.host.invoker import Invoker

FOREIGN: list[Headers] = [
    [(b"host", b"attacker.example:7071")],
    [(b"host", b"127.0.0.1"), (b"host", b"attacker.example")],
    [(b"host", b"127.0.0.1"), (b"origin", b"https://attacker.example")],
    [(b"host", b"127.0.0.1"), (b"origin", b"null")],
]
PATHS = ["/api/calls", "/admin/functions/watchdog", "/runtime/webhooks/EventGrid", "/admin/host/status", "/"]


class Ran(Exception):
    """The request reached a function."""


async def asked(method: str, path: str, headers: Headers, *known: str, body: bytes = b"{}") -> tuple[int, bytes]:
    """Status and body of the response to a request that came to 127.0.0.1."""

    async def run(name: str, text: str) -> bool | None:
        raise Ran

    async def nothing() -> None:
        raise AssertionError("not called")

    keys, invoker = KeyCheck(None), cast(Invoker, None)
    host = Host(
        HttpFunctions([], "api", invoker, keys),
        EventGridWebhook([], invoker),
        run,
        keys,
        KnownHosts(known),
        nothing,
        nothing,
    )
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": headers,
        "server": ("127.0.0.1", 7071),
    }
    await host(scope, receive, send)
    return sent[0]["status"], sent[1]["body"]


@pytest.mark.parametrize("headers", FOREIGN)
@pytest.mark.parametrize("path", PATHS)
async def test_a_foreign_page_reaches_no_function_and_no_endpoint(path: str, headers: Headers) -> None:
    for method in ("GET", "POST", "OPTIONS"):
        status, body = await asked(method, path, headers)
        assert status == 403
        assert b"--allow-host" in body


@pytest.mark.parametrize("headers", [[], [(b"host", b"localhost:7071"), (b"origin", b"http://127.0.0.1:3000")]])
async def test_programs_and_pages_of_this_machine_are_taken(headers: Headers) -> None:
    assert (await asked("GET", "/admin/host/status", headers))[0] == 200
    assert (await asked("GET", "/api/calls", headers))[0] == 404
    with pytest.raises(Ran):
        await asked("POST", "/admin/functions/watchdog", headers)


async def test_the_public_address_of_the_app_is_taken() -> None:
    headers: Headers = [(b"host", b"tunnel.example"), (b"origin", b"https://tunnel.example")]
    assert (await asked("GET", "/admin/host/status", headers, "https://tunnel.example"))[0] == 200


@pytest.mark.parametrize("body", [b"{", b"[" * 100_000, b"9" * 5000], ids=["cut", "deep", "digits"])
async def test_a_body_that_python_cannot_read_is_refused(body: bytes) -> None:
    assert (await asked("POST", "/admin/functions/watchdog", [], body=body))[0] == 400


def test_more_hosts_are_given_by_a_flag() -> None:
    assert make_parser().parse_args(["--allow-host", "a", "--allow-host", "b"]).allow_host == ["a", "b"]
