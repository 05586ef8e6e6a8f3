"""From a raw HTTP request to the response of an operation, with every check on the way."""

from __future__ import annotations

import json
import logging
import re
import time
from dataclasses import replace
from typing import Any

import aiohttp
from aiohttp import web

from acs_emulator.api.auth import SignatureChecker
from acs_emulator.api.entra import COMMUNICATION, token_checker
from acs_emulator.api.older_versions import CALL_VERSIONS, IDENTITY_VERSIONS, status_in
from acs_emulator.api.operations import Operation, Request, Response, Router
from acs_emulator.api.repeat import Repeats, request_id
from acs_emulator.api.request_faults import answered_by_fault, delay_or_drop, denied, taken
from acs_emulator.api.routes import IDENTITY_OPERATIONS, OPERATIONS, PREVIEW_OPERATIONS
from acs_emulator.api.validation import check, in_newest_version, read_json, request_schemas
from acs_emulator.core.errors import BadRequest, NotEmulated, ServiceError, Unauthorized
from acs_emulator.events.faults import Fault
from acs_emulator.events.log import RequestRecord
from acs_emulator.service.emulator import Emulator

#: Largest body that is read.
BODY_LIMIT = 4 * 1024 * 1024
_ECHO = re.compile(r"[\x21-\x7e][\x20-\x7e]{0,500}\Z")
_log = logging.getLogger("emulator")


class Dispatcher:
    """The data plane."""

    def __init__(self, service: Emulator) -> None:
        self._service = service
        self._router = Router(OPERATIONS + PREVIEW_OPERATIONS + IDENTITY_OPERATIONS)
        tokens = token_checker(service.config, COMMUNICATION)
        self._signatures = SignatureChecker(service.config.access_key, tokens=tokens)
        self._repeats = Repeats()
        service.on_reset.append(self._repeats.clear)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        service = self._service
        started = time.perf_counter()
        raw_path = request.raw_path.partition("?")[0]
        match = self._router.match(request.method, raw_path)
        operation = match.operation
        name, connection = operation.id if operation else None, match.parameters.get("callConnectionId")
        record, struck = taken(service, request, name, connection)
        try:
            if (dropped := await delay_or_drop(service, request, record, struck)) is not None:
                return dropped
            response = await self._respond(
                request, raw_path, operation, match.parameters, match.allowed, record, struck
            )
        except ServiceError as error:
            response = Response(error.status, error.body())
            if isinstance(error, Unauthorized):
                denied(service, record, error.reason, error.remedy)
        except web.HTTPRequestEntityTooLarge:
            too_large = ServiceError(413, "RequestTooLarge", f"The body is larger than {BODY_LIMIT} bytes.")
            response = Response(413, too_large.body())
        except Exception:
            _log.exception("operation failed", extra={"operation": name})
            response = Response(500, ServiceError(500, "InternalServerError", "The emulator failed.").body())
        record.status, record.answer = response.status, response.body
        record.ms = round((time.perf_counter() - started) * 1000, 3)
        service.log.answered(record)
        return self._on_the_wire(request, operation, response)

    async def _respond(
        self,
        request: web.Request,
        raw_path: str,
        operation: Operation | None,
        parameters: dict[str, str],
        allowed: tuple[str, ...],
        record: RequestRecord,
        struck: dict[str, Fault],
    ) -> Response:
        try:
            body = await request.read()
        except (web.RequestPayloadError, aiohttp.ClientPayloadError) as error:
            raise BadRequest("The request body cannot be read.") from error
        service = self._service
        if operation is None and not allowed:
            hint = " GET /emulator/openapi.json lists what there is." if raw_path.startswith("/emulator") else ""
            raise ServiceError(404, "NotFound", f"The requested resource does not exist.{hint}", raw_path[:500])
        if not service.config.loose:
            self._signatures.check(request.method, request.raw_path, request.headers, body, service.authorities)
        if operation is None:
            refusal = ServiceError(405, "MethodNotAllowed", "The method is not allowed for this resource.", raw_path)
            return Response(405, refusal.body(), headers={"Allow": ", ".join(allowed)})
        _check_version(request, operation)
        if given := answered_by_fault(record, struck):
            raise ServiceError(*given, raw_path)
        return self._carry_out(request, raw_path, operation, parameters, body, record)

    def _carry_out(
        self,
        request: web.Request,
        raw_path: str,
        operation: Operation,
        parameters: dict[str, str],
        body: bytes,
        record: RequestRecord,
    ) -> Response:
        service = self._service
        value: dict[str, Any] = {}
        if operation.body == "required" or (operation.body == "optional" and body):
            value = read_json(body, request.headers.get("Content-Type", ""))
            record.body = value
            schema = request_schemas().get(operation.id)
            if schema:
                value = in_newest_version(schema, value)
                check(schema, value, loose=service.config.loose)
        repeat = request_id(request.headers) if operation.repeatable else None
        key = (operation.id, raw_path, repeat or "")
        if repeat and (earlier := self._repeats.get(key)):
            record.note = "repeated: answered as before"
            return earlier
        if operation.handler is None:
            raise NotEmulated(operation.id)
        response = operation.handler(Request(service, raw_path, parameters, value))
        response = replace(response, status=status_in(operation.id, response.status, request.query.get("api-version")))
        if repeat:
            self._repeats.put(key, response)
        return response

    def _on_the_wire(self, request: web.Request, operation: Operation | None, response: Response) -> web.Response:
        ids = self._service.ids
        headers = {
            "X-Microsoft-Skype-Chain-ID": response.chain_id or ids.guid(),
            "X-Azure-Ref": ids.azure_ref(),
            "X-Cache": "CONFIG_NOCACHE",
            **response.headers,
        }
        agent, client_id = request.headers.get("User-Agent", ""), request.headers.get("x-ms-client-request-id", "")
        if _ECHO.match(agent):
            headers["X-Microsoft-Skype-Client"] = agent
        if _ECHO.match(client_id):
            headers["x-ms-client-request-id"] = client_id
        if operation is not None:
            versions = IDENTITY_VERSIONS if operation in IDENTITY_OPERATIONS else CALL_VERSIONS
            headers["api-supported-versions"] = ", ".join(versions)
            if operation.says_accepted and response.status < 300:
                headers["Repeatability-Result"] = "accepted"
        if response.body is None:
            return web.Response(status=response.status, headers=headers)
        body = json.dumps(response.body, separators=(",", ":")).encode()
        headers["Content-Type"] = "application/json; charset=utf-8"
        return web.Response(status=response.status, headers=headers, body=body)


def _check_version(request: web.Request, operation: Operation) -> None:
    versions = IDENTITY_VERSIONS if operation in IDENTITY_OPERATIONS else CALL_VERSIONS
    given = request.query.get("api-version")
    if not given:
        raise BadRequest("The query parameter 'api-version' is required.", "api-version")
    if given not in versions:
        raise BadRequest(f"The api-version is not supported; supported are {', '.join(versions)}.", "api-version")
