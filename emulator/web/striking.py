"""What faults do to a request before it is looked at."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

from emulator.events.faults import Fault
from emulator.events.log import RequestRecord
from emulator.service import Emulator


async def delay_or_drop(
    service: Emulator, request: web.Request, record: RequestRecord, struck: Mapping[str, Fault]
) -> web.Response | None:
    """Wait if a fault delays the request; a response, on a connection already cut, if one drops it."""
    if "delay" in struck:
        await service.clock.sleep(struck["delay"].seconds)
    if "drop" not in struck:
        return None
    record.note = "dropped by a fault"
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)
