"""The requests that play audio into a call: play a WAV file, stop."""

from __future__ import annotations

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from shared.errors import InvalidInput, LimitReached, Refused
from shared.logs import logger
from streams.limits import Budget
from streams.playback import Playback
from streams.service import Service
from streams.urls import PLAY
from streams.wav import samples

log = logger("switchboard.streams")

MOST_BYTES = 32 * 1024 * 1024
"""Longest body: eleven minutes at 24 kHz."""


async def play(request: Request) -> Response:
    """POST /streams/{call_id}/audio/play"""
    playback = _allowed(request)
    if isinstance(playback, Response):
        return playback
    service: Service = request.app.state.service
    held = service.held.share("request", 2 * MOST_BYTES)
    try:
        body = await _body(request, held)
        if body is None:
            return _problem(413, "The body is too large", f"At most {MOST_BYTES} bytes are taken.")
        playback = _allowed(request)  # the socket may have closed meanwhile
        if isinstance(playback, Response):
            return playback
        rate = playback.rate
        pcm = await service.in_key_thread(lambda: samples(body, rate))
        playback.play(pcm)
    except InvalidInput as error:
        return _problem(400, "The audio cannot be played", str(error))
    except ClientDisconnect:
        return _problem(400, "The body is incomplete", "The client went away.")
    except LimitReached as limit:
        log.warning("audio refused call=%s status=503: %s", request.path_params["call_id"], limit)
        return _problem(503, "Too much audio waits", f"{limit} Try again later.")
    finally:
        held.close()
    seconds = round(len(pcm) / rate / 2, 3)
    log.info("audio queued call=%s seconds=%.2f", request.path_params["call_id"], seconds)
    return JSONResponse({"seconds": seconds, "waitingSeconds": round(playback.waiting_seconds, 3)}, 202)


async def stop(request: Request) -> Response:
    """POST /streams/{call_id}/audio/stop"""
    playback = _allowed(request)
    if isinstance(playback, Response):
        return playback
    await playback.stop()
    log.info("audio stopped call=%s", request.path_params["call_id"])
    return Response(status_code=204)


def _allowed(request: Request) -> Playback | Response:
    service: Service = request.app.state.service
    call_id = str(request.path_params["call_id"])
    try:
        service.urls.verify(call_id, PLAY, request.query_params.get("sig"))
    except Refused as refusal:
        log.warning("audio refused status=%d: %s", refusal.status, refusal)
        return _problem(refusal.status, "Refused", "The address is not one that this app signed for this call.")
    session = service.open.get(call_id)
    if session is None or session.playback is None:
        return _problem(404, "No stream", "This instance has no open audio stream of the call.")
    return session.playback


async def _body(request: Request, held: Budget) -> bytes | None:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            return None
        # Twice: the body, and the audio in it.
        if (full := held.take(2 * len(chunk))) is not None:
            raise LimitReached(f"the memory limit of the {full.name} is reached.")
    return bytes(body)


def _problem(status: int, title: str, detail: str) -> JSONResponse:
    content = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return JSONResponse(content, status, media_type="application/problem+json")
