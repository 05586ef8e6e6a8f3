"""Recording files: content, metadata and delete, as the service's storage host answers them."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter

from acs_emulator.api.auth import SignatureChecker
from acs_emulator.api.download_faults import readable_range, spoiled
from acs_emulator.api.request_faults import answered_by_fault, delay_or_drop, denied, taken
from acs_emulator.core.errors import Unauthorized
from acs_emulator.events.faults import DOWNLOAD_KINDS, METADATA, SOUND
from acs_emulator.recording.archive import Document
from acs_emulator.service.emulator import Emulator

_METADATA_NAME = "acsmetadata"
_DOWNLOAD, _DELETE = "CallRecording_Download", "CallRecording_Delete"


class _File(web.FileResponse):
    """A file, of which a readable Range takes a part."""

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        return await super().prepare(readable_range(request))


class Objects:
    """Handlers under /v1/objects. Refusals have no body (recorded)."""

    def __init__(self, service: Emulator) -> None:
        self._service = service
        self._signatures = SignatureChecker(service.config.access_key)

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
        refusal = await self._refusal(request, _DOWNLOAD, target)
        if refusal is not None:
            return refusal
        if document is None or name not in (_METADATA_NAME, document.content_name):
            return web.Response(status=404)
        path = document.metadata_path if name == _METADATA_NAME else document.path
        faults = self._service.faults.draw("downloads", _DOWNLOAD, None, DOWNLOAD_KINDS, target)
        struck = await spoiled(request, path, {fault.kind: fault for fault in faults})
        if struck is not None:
            return struck
        return _File(path, headers={"Content-Type": "application/octet-stream"})

    async def delete(self, request: web.Request) -> web.StreamResponse:
        document = self._service.recordings.archive.get(request.match_info["document"])
        refusal = await self._refusal(request, _DELETE, _target(request, document))
        if refusal is not None:
            return refusal
        return web.Response(status=200 if document and self._service.recordings.archive.delete(document.id) else 404)

    async def _refusal(self, request: web.Request, operation: str, target: dict[str, Any]) -> web.StreamResponse | None:
        service = self._service
        record, struck = taken(service, request, operation, target=target)
        if (dropped := await delay_or_drop(service, request, record, struck)) is not None:
            return dropped
        if not service.config.loose:
            try:
                self._signatures.check(request.method, request.raw_path, request.headers, b"", service.authorities)
            except Unauthorized as error:
                denied(service, record, error.reason, error.remedy)
                return web.Response(status=401)
        if given := answered_by_fault(record, struck):
            record.status = given[0]
            return web.Response(status=given[0])
        return None


def _target(request: web.Request, document: Document | None) -> dict[str, Any]:
    """What a fault may name of the request."""
    target: dict[str, Any] = {"document": request.match_info["document"]}
    return target if document is None else target | {"recording": document.recording_id, "chunk": document.chunk}
