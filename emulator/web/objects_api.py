"""Recording files: content, metadata and delete, as the service's storage host answers them."""

from __future__ import annotations

import json

from aiohttp import web

from emulator.errors import Unauthorized
from emulator.events.faults import DOWNLOAD_KINDS
from emulator.recording.archive import Document
from emulator.service import Emulator
from emulator.web.auth import SignatureChecker
from emulator.web.striking import delay_or_drop

_METADATA = "acsmetadata"


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
        """The sound, or the metadata document. Takes Range."""
        refusal = await self._refusal(request, "CallRecording_Download")
        if refusal is not None:
            return refusal
        document = self._service.archive.get(request.match_info["document"])
        name = request.match_info["name"]
        if document is None or name not in (_METADATA, document.content_name):
            return web.Response(status=404)
        if name == _METADATA:
            return _part(request, json.dumps(document.metadata, separators=(",", ":")).encode())
        return await self._sound(request, document)

    async def delete(self, request: web.Request) -> web.StreamResponse:
        refusal = await self._refusal(request, "CallRecording_Delete")
        if refusal is not None:
            return refusal
        deleted = self._service.archive.delete(request.match_info["document"])
        return web.Response(status=200 if deleted else 404)

    async def _sound(self, request: web.Request, document: Document) -> web.StreamResponse:
        faults = self._service.faults.draw("downloads", "CallRecording_Download", None, DOWNLOAD_KINDS)
        struck = {fault.kind for fault in faults}
        if "empty" in struck:
            return web.Response(status=200, content_type="application/octet-stream")
        if struck & {"short", "truncate"}:
            body = document.path.read_bytes()
            half = body[: len(body) // 2]
            if "short" in struck:
                return web.Response(body=half, content_type="application/octet-stream")
            return await _broken(request, half, len(body))
        return web.FileResponse(document.path, headers={"Content-Type": "application/octet-stream"})

    async def _refusal(self, request: web.Request, operation: str) -> web.StreamResponse | None:
        service = self._service
        record = service.log.request(
            service.clock.monotonic_ms(), request.method, request.raw_path[:2000], operation, None
        )
        struck = {fault.kind: fault for fault in service.faults.draw("requests", operation)}
        if (dropped := await delay_or_drop(service, request, record, struck)) is not None:
            return dropped
        if not service.config.loose:
            try:
                authority = service.origin.partition("//")[2]
                self._signatures.check(request.method, request.raw_path, request.headers, b"", authority)
            except Unauthorized as error:
                record.status, record.note = 401, error.reason
                return web.Response(status=401)
        if "status" in struck:
            record.status, record.note = struck["status"].status, "answered by a fault"
            return web.Response(status=struck["status"].status)
        return None


async def _broken(request: web.Request, body: bytes, promised: int) -> web.StreamResponse:
    """An answer that breaks off before its promised length."""
    response = web.StreamResponse(headers={"Content-Type": "application/octet-stream"})
    response.content_length = promised
    await response.prepare(request)
    await response.write(body)
    if request.transport is not None:
        request.transport.close()
    return response


def _part(request: web.Request, body: bytes) -> web.Response:
    """A small document, whole or in part; 206 for a range (recorded)."""
    headers = {"Content-Type": "application/octet-stream", "Accept-Ranges": "bytes"}
    try:
        wanted = request.http_range
    except ValueError:
        return web.Response(status=416, headers={"Content-Range": f"bytes */{len(body)}"})
    if wanted.start is None and wanted.stop is None:
        return web.Response(body=body, headers=headers)
    low, high, _ = wanted.indices(len(body))
    if low >= high:
        return web.Response(status=416, headers={"Content-Range": f"bytes */{len(body)}"})
    headers["Content-Range"] = f"bytes {low}-{high - 1}/{len(body)}"
    return web.Response(status=206, body=body[low:high], headers=headers)
