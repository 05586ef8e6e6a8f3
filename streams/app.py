"""The ASGI application: two sockets for the service, two requests for whoever speaks into a call."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route, WebSocketRoute

from shared.logs import logger
from streams.audio import audio_socket
from streams.service import Service, compose_service
from streams.speaking import play, stop
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
    return Starlette(routes=routes, lifespan=lifespan)


async def health(request: Request) -> JSONResponse:
    """GET /health"""
    service: Service = request.app.state.service
    return JSONResponse({"status": "ok", **service.sockets.by_kind})
