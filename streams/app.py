"""The ASGI application: two sockets for the service, two requests that play audio into a call."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

from shared.logs import logger
from streams.admission import refuse
from streams.audio import audio_socket
from streams.play_audio import play, stop
from streams.service import Service, compose_service
from streams.transcript import transcript_socket

log = logger("switchboard.streams")


def create_app(compose: Callable[[], Service] = compose_service) -> Starlette:
    """The application; its parts are made when the server starts it."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        service = await asyncio.to_thread(compose)
        app.state.service = service
        try:
            yield
        finally:
            # The server has closed the sockets and waited for them: what they held is in the storage.
            await asyncio.to_thread(service.close)

    routes = [
        Route("/health", health),
        WebSocketRoute("/streams/{call_id}/audio", audio_socket),
        WebSocketRoute("/streams/{call_id}/transcript", transcript_socket),
        Route("/streams/{call_id}/audio/play", play, methods=["POST"]),
        Route("/streams/{call_id}/audio/stop", stop, methods=["POST"]),
    ]
    return Starlette(routes=routes, lifespan=lifespan, middleware=[Middleware(OfKnownHosts)])


class OfKnownHosts:
    """Refuses requests and sockets with a foreign host in `Host` or `Origin`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        service: Service = scope["app"].state.service
        headers, address = Headers(scope=scope), (scope.get("server") or ("",))[0]
        reason = service.hosts.refusal(headers.getlist("host"), headers.getlist("origin"), address)
        if not reason:
            await self._app(scope, receive, send)
            return
        log.warning("refused host=%s origin=%s: %s", headers.get("host"), headers.get("origin"), reason)
        reason = f"{reason} STREAMS_URL and STREAMS_ALLOWED_HOSTS say which hosts are accepted."
        if scope["type"] == "websocket":
            await refuse(WebSocket(scope, receive, send), 403, reason)
        else:
            await PlainTextResponse(reason, 403)(scope, receive, send)


async def health(request: Request) -> JSONResponse:
    """GET /health"""
    service: Service = request.app.state.service
    return JSONResponse({"status": "ok", **service.sockets.by_kind})
