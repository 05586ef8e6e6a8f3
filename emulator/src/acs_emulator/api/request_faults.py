"""What faults do to a request before it is looked at."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from acs_emulator.events.faults import Fault
from acs_emulator.events.log import RequestRecord
from acs_emulator.service.emulator import Emulator


def taken(
    service: Emulator,
    request: web.Request,
    operation: str | None,
    call_connection_id: str | None = None,
    target: Mapping[str, Any] | None = None,
) -> tuple[RequestRecord, dict[str, Fault]]:
    """A request put down in the log, and the faults that strike it: none without an operation."""
    now, path = service.clock.monotonic_ms(), request.raw_path[:2000]
    record = service.log.request(now, request.method, path, operation, call_connection_id)
    if operation is None:
        return record, {}
    faults = service.faults.draw("requests", operation, call_connection_id, target=target)
    return record, {fault.kind: fault for fault in faults}


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


def denied(service: Emulator, record: RequestRecord, reason: str, remedy: str) -> None:
    """Note a request that was refused with 401, and tell it."""
    record.status, record.note = 401, reason
    service.problems.report(f"401 for {record.method} {record.path.partition('?')[0]}: {reason}", remedy)


def answered_by_fault(record: RequestRecord, struck: Mapping[str, Fault]) -> tuple[int, str, str] | None:
    """Status, code and message of the refusal that a `status` fault gives instead of a response."""
    if "status" not in struck:
        return None
    fault = struck["status"]
    record.note = "answered by a fault"
    return fault.status, fault.sub_code or str(fault.status), fault.message or "Injected fault."
