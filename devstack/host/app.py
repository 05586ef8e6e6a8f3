"""The ASGI front: sends a request to the app's routes, the Event Grid webhook or the admin endpoints."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Protocol

from acs_emulator.core.known_hosts import KnownHosts
from devstack.host.eventgrid import PATH as EVENT_GRID_PATH
from devstack.host.http import (
    BodyTooLargeError,
    DisconnectedError,
    Headers,
    HttpFunctions,
    KeyCheck,
    Receive,
    Scope,
    Send,
    decoded_path,
    read_body,
    respond,
)

_JSON: Headers = [(b"content-type", b"application/json; charset=utf-8")]
_TEXT: Headers = [(b"content-type", b"text/plain; charset=utf-8")]
_HTML: Headers = [(b"content-type", b"text/html; charset=utf-8")]
_FUNCTIONS = "/admin/functions/"


class Endpoint(Protocol):
    """Something that answers one kind of request."""

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None: ...


class Host:
    """The ASGI application that uvicorn serves.

    Args:
        functions: the app's HTTP routes.
        event_grid: the webhook.
        run: invokes a function by name with an input text, for the admin endpoint; None when there is no such name.
        keys: function keys; the webhook and the admin endpoints ask for them as Azure asks for system keys.
        known: the hosts that requests may name; others are refused, because a web page may have sent them.
        start, stop: the triggers that poll.
    """

    def __init__(
        self,
        functions: HttpFunctions,
        event_grid: Endpoint,
        run: Callable[[str, str], Awaitable[bool | None]],
        keys: KeyCheck,
        known: KnownHosts,
        start: Callable[[], Awaitable[None]],
        stop: Callable[[], Awaitable[None]],
    ) -> None:
        self._functions = functions
        self._event_grid = event_grid
        self._run = run
        self._keys = keys
        self._known = known
        self._start = start
        self._stop = stop

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            path = scope["path"].lower()
            if reason := self._refusal(scope):
                await respond(send, 403, f"{reason} The host takes it with --allow-host.".encode(), headers=_TEXT)
            elif path.startswith(("/runtime/", "/admin/")) or path == "/":
                await self._serve_built_in(path.rstrip("/"), scope, receive, send)
            else:
                await self._functions.serve(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._live(receive, send)

    def _refusal(self, scope: Scope) -> str:
        """Why a request is refused before its path is looked at; empty if it is not."""
        headers: Headers = scope["headers"]
        hosts, origins = (
            [value.decode("latin-1") for name, value in headers if name == wanted] for wanted in (b"host", b"origin")
        )
        return self._known.refusal(hosts, origins, (scope.get("server") or ("",))[0])

    async def _serve_built_in(self, path: str, scope: Scope, receive: Receive, send: Send) -> None:
        if path == "":
            await respond(send, 200, b"<h1>Your Functions app is up and running</h1>", headers=_HTML)
        elif path == "/admin/host/status":
            await respond(send, 200, json.dumps({"state": "Running", "version": "4"}).encode(), headers=_JSON)
        elif not self._keys.allows("admin", scope["headers"], scope["query_string"].decode("latin-1")):
            await respond(send, 401)
        elif path == EVENT_GRID_PATH:
            await self._event_grid.serve(scope, receive, send)
        elif path.startswith(_FUNCTIONS) and scope["method"] == "POST":
            await self._invoke(decoded_path(scope)[len(_FUNCTIONS) :].strip("/"), scope, receive, send)
        else:
            await respond(send, 404)

    async def _invoke(self, name: str, scope: Scope, receive: Receive, send: Send) -> None:
        """`POST /admin/functions/NAME` with `{"input": "..."}`: run a function that HTTP does not reach."""
        try:
            document = json.loads(await read_body(scope["headers"], receive) or b"{}")
        except (ValueError, RecursionError):
            await respond(send, 400)
            return
        except DisconnectedError:
            return
        except BodyTooLargeError:
            await respond(send, 413, headers=[(b"connection", b"close")])
            return
        given = document.get("input", "") if isinstance(document, dict) else ""
        done = await self._run(name, given if isinstance(given, str) else json.dumps(given))
        await respond(send, 404 if done is None else 202 if done else 500)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            await self._start()
        except Exception as error:
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._stop()
        await send({"type": "lifespan.shutdown.complete"})
