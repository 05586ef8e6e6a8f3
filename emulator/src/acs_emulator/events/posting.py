"""One attempt to deliver an event."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from typing import Any

import aiohttp
from yarl import URL

from acs_emulator.core.clock import Clock
from acs_emulator.events.log import Attempt, Delivery

#: Wall-clock seconds after which an app that has not responded is told of. Chosen: apps should respond at once.
UNANSWERED_AFTER = 2.0


async def ask(
    session: aiohttp.ClientSession, clock: Clock, delivery: Delivery, headers: Mapping[str, str], limit: float
) -> Mapping[str, str]:
    """Send OPTIONS and add the attempt to the delivery; the headers of the response, none if there was none."""
    _, given = await _exchange(session, "OPTIONS", clock, delivery, None, headers, limit)
    return given


async def post(
    session: aiohttp.ClientSession,
    clock: Clock,
    delivery: Delivery,
    body: Any,
    headers: Mapping[str, str],
    limit: float,
) -> bytes:
    """Post the body as JSON and add the attempt to the delivery; the body of the response, empty if there was none.

    ``limit`` is in wall-clock seconds.
    """
    data = json.dumps(body, separators=(",", ":")).encode()
    text, _ = await _exchange(session, "POST", clock, delivery, data, headers, limit)
    return text


async def _exchange(
    session: aiohttp.ClientSession,
    method: str,
    clock: Clock,
    delivery: Delivery,
    data: bytes | None,
    headers: Mapping[str, str],
    limit: float,
) -> tuple[bytes, Mapping[str, str]]:
    started = time.perf_counter()
    waiting = asyncio.get_running_loop().call_later(UNANSWERED_AFTER, delivery.unanswered, UNANSWERED_AFTER)
    attempt = Attempt(clock.monotonic_ms())
    text: bytes = b""
    given: Mapping[str, str] = {}
    try:
        async with session.request(
            method,
            URL(delivery.url, encoded=True),
            data=data,
            headers=headers,
            timeout=aiohttp.ClientTimeout(total=limit, sock_connect=limit / 2),
            allow_redirects=False,
        ) as response:
            text, given = await response.read(), response.headers
            attempt.status = response.status
    except TimeoutError as error:
        # Where it was the connection that took too long, nobody has the event.
        attempt.unanswered = not isinstance(error, aiohttp.ClientError)
        reason = f"no response within {limit:.0f} s" if attempt.unanswered else str(error)
        attempt.error = f"{type(error).__name__}: {reason}"
    except (aiohttp.ClientError, OSError, ValueError) as error:
        attempt.error = f"{type(error).__name__}: {error}"
    finally:
        waiting.cancel()
    attempt.ms = round((time.perf_counter() - started) * 1000, 3)
    delivery.attempted(attempt)
    return text, given
