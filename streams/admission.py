"""Who may open a socket: its URL has our signature for this call, and the service sends its token."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager

from starlette.responses import PlainTextResponse
from starlette.websockets import WebSocket

from shared.errors import KeysUnavailable, LimitReached, Refused
from shared.logs import logger
from streams.limits import TRY_AGAIN_LATER
from streams.service import Service
from streams.urls import Kind

log = logger("switchboard.streams")

CONNECTION_HEADER = "x-ms-call-connection-id"
CORRELATION_HEADER = "x-ms-call-correlation-id"
POLICY_VIOLATION = 1008

_CALL_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


@asynccontextmanager
async def admitted(websocket: WebSocket, service: Service, kind: Kind) -> AsyncIterator[str | None]:
    """The call's id while its accepted socket is served; None if it was refused, which is logged."""
    call_id = await _allowed(websocket, service, kind)
    if call_id is None:
        yield None
        return
    with ExitStack() as place:
        try:
            place.enter_context(service.sockets.one_more(kind, call_id))
        except LimitReached as limit:
            log.warning("socket refused kind=%s call=%s status=%d: %s", kind, call_id, limit.status, limit)
            await refuse(websocket, limit.status, f"{limit}; try again later", TRY_AGAIN_LATER)
            yield None
            return
        await websocket.accept()
        connection = websocket.headers[CONNECTION_HEADER]
        log.info("socket open kind=%s call=%s connection=%s", kind, call_id, _printable(connection))
        yield call_id


async def _allowed(websocket: WebSocket, service: Service, kind: Kind) -> str | None:
    """The call's id if this peer may have a socket of it."""
    call_id = str(websocket.path_params["call_id"])
    try:
        if not _CALL_ID.fullmatch(call_id):
            raise Refused("the call id is malformed", 403)
        service.urls.verify(call_id, kind, websocket.query_params.get("sig"))
        authorization = websocket.headers.get("authorization")
        await service.in_key_thread(lambda: service.tokens.verify(authorization))
        for header in (CONNECTION_HEADER, CORRELATION_HEADER):
            if not websocket.headers.get(header):
                raise Refused(f"the header {header} is missing", 400)
    except Refused as refusal:
        known = call_id if _CALL_ID.fullmatch(call_id) else "-"
        log.warning("socket refused kind=%s call=%s status=%d: %s", kind, known, refusal.status, refusal)
        await refuse(websocket, refusal.status, refusal.reason)
        return None
    except KeysUnavailable:
        log.warning("socket refused kind=%s call=%s status=503: no keys", kind, call_id)
        await refuse(websocket, 503, "try again", TRY_AGAIN_LATER)
        return None
    return call_id


async def refuse(websocket: WebSocket, status: int, reason: str, code: int = POLICY_VIOLATION) -> None:
    """Refuse a socket before it is accepted."""
    if "websocket.http.response" in websocket.scope.get("extensions", {}):
        await websocket.send_denial_response(PlainTextResponse(reason, status))
    else:  # a server that can only respond 403
        await websocket.close(code, reason)


def _printable(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9-]", "?", text[:64])
