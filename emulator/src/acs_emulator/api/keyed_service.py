"""Services beside Call Automation that are reached with a key of their own: the topic, and speech."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from acs_emulator.api.control import json_response
from acs_emulator.api.request_faults import answered_by_fault, delay_or_drop, denied, taken
from acs_emulator.core.errors import ServiceError
from acs_emulator.events.log import RequestRecord
from acs_emulator.service.emulator import Emulator


@dataclass(frozen=True)
class KeyedService:
    """One operation of such a service, and how it refuses.

    Args:
        operation: its name, for the request log and for faults.
        injected: the refusal of a `status` fault, from status, code and message.
        reason: why a request without the right key was refused; ``remedy`` is what to do.
        says_when: whether 429 and 503 of a fault have Retry-After.
    """

    operation: str
    injected: Callable[[int, str, str], ServiceError]
    reason: str
    remedy: str
    says_when: bool = False

    async def handle(
        self,
        service: Emulator,
        request: web.Request,
        authorize: Callable[[web.Request], None],
        carry_out: Callable[[web.Request, RequestRecord], Awaitable[web.Response]],
    ) -> web.StreamResponse:
        """Log a request, let the faults strike it, authorize it and carry it out; refusals in the service's body."""
        record, struck = taken(service, request, self.operation)
        if (dropped := await delay_or_drop(service, request, record, struck)) is not None:
            return dropped
        try:
            authorize(request)
            if given := answered_by_fault(record, struck):
                raise self.injected(*given)
            response = await carry_out(request, record)
        except ServiceError as error:
            if error.status == 401 and record.note is None:
                denied(service, record, self.reason, self.remedy)
            response = json_response(error.body(), error.status)
            if self.says_when and error.status in (429, 503) and "status" in struck:
                response.headers["Retry-After"] = str(round(struck["status"].seconds))
        record.status = response.status
        return response
