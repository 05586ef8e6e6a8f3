"""Recording files: content, metadata and delete, as the service's storage host answers them."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter

from acs_emulator.api.auth import SignatureChecker
from acs_emulator.api.download_faults import readable_range, spoiled
from acs_emulator.api.entra import COMMUNICATION, token_checker
from acs_emulator.api.request_faults import answered_by_fault, delay_or_drop, denied, taken
from acs_emulator.api.routes import DELETE, DOWNLOAD
from acs_emulator.core.errors import Unauthorized
from acs_emulator.events.faults import DOWNLOAD_KINDS, METADATA, SOUND, Fault
from acs_emulator.events.log import RequestRecord
from acs_emulator.recording.archive import Document
from acs_emulator.service.emulator import Emulator

_METADATA_NAME = "acsmetadata"


class _LoggedFile(web.FileResponse):
    """A file, or the part that a readable Range takes of it. Its status is known only when it goes out."""

    def __init__(self, path: Path, record: RequestRecord) -> None:
        super().__init__(path, headers={"Content-Type": "application/octet-stream"})
        self._record = record

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        try:
            return await super().prepare(readable_range(request))
        finally:
            self._record.status = self.status


class Objects:
    """Handlers under /v1/objects. Refusals have no body (recorded)."""

    def __init__(self, service: Emulator) -> None:
        self._service = service
        tokens = token_checker(service.config, COMMUNICATION)
        self._signatures = SignatureChecker(service.config.access_key, tokens=tokens)

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/v1/objects/{document}/content/{name}", self.content, allow_head=False),
            web.delete("/v1/objects/{document}", self.delete),
        ]

    async def content(self, request: web.Request) -> web.StreamResponse:
        """The sound, or the metadata document. Takes Range; 206 for a range (recorded)."""
        document = self._service.recordings.archive.get(request.match_info["document"])
        name = request.match_info["name"]
        target = _target(request, document) | {"content": METADATA if name == _METADATA_NAME else SOUND}

        async def serve(record: RequestRecord) -> web.StreamResponse:
            if document is None or name not in (_METADATA_NAME, document.content_name):
                return web.Response(status=404)
            path = document.metadata_path if name == _METADATA_NAME else document.path
            faults = self._service.faults.draw("downloads", DOWNLOAD, None, DOWNLOAD_KINDS, target)
            struck = await spoiled(request, path, {fault.kind: fault for fault in faults})
            return struck if struck is not None else _LoggedFile(path, record)

        return await self._logged(request, DOWNLOAD, target, serve)

    async def delete(self, request: web.Request) -> web.StreamResponse:
        document = self._service.recordings.archive.get(request.match_info["document"])

        async def remove(record: RequestRecord) -> web.StreamResponse:
            deleted = document is not None and self._service.recordings.archive.delete(document.id)
            return web.Response(status=200 if deleted else 404)

        return await self._logged(request, DELETE, _target(request, document), remove)

    async def _logged(
        self,
        request: web.Request,
        operation: str,
        target: dict[str, Any],
        respond: Callable[[RequestRecord], Awaitable[web.StreamResponse]],
    ) -> web.StreamResponse:
        """Refuse the request or respond to it, and write the status down."""
        service, started = self._service, time.perf_counter()
        record, struck = taken(service, request, operation, target=target)
        if (dropped := await delay_or_drop(service, request, record, struck)) is not None:
            return dropped
        response = self._refusal(request, record, struck) or await respond(record)
        record.status, record.ms = response.status, round((time.perf_counter() - started) * 1000, 3)
        return response

    def _refusal(
        self, request: web.Request, record: RequestRecord, struck: dict[str, Fault]
    ) -> web.StreamResponse | None:
        service = self._service
        if not service.config.loose:
            try:
                self._signatures.check(request.method, request.raw_path, request.headers, b"", service.authorities)
            except Unauthorized as error:
                denied(service, record, error.reason, error.remedy)
                return web.Response(status=401)
        if given := answered_by_fault(record, struck):
            return web.Response(status=given[0])
        return None


def _target(request: web.Request, document: Document | None) -> dict[str, Any]:
    """What a fault may name of the request."""
    target: dict[str, Any] = {"document": request.match_info["document"]}
    return target if document is None else target | {"recording": document.recording_id, "chunk": document.chunk}
