"""A recording's file as a fault spoils it. What is left of it is still served by range, with the same ETag."""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from email.utils import formatdate
from pathlib import Path

from aiohttp import web

from acs_emulator.events.faults import Fault

_BLOCK = 256 * 1024
#: Bytes of the header of a WAV file as the emulator writes it; the sizes stand at 4 and at 40.
_WAV_HEADER = 44
_RANGE = re.compile(r"bytes=(?:[0-9]+-[0-9]*|-[0-9]+)")


def readable_range(request: web.BaseRequest) -> web.BaseRequest:
    """The request, without a Range that cannot be read: such a one is left out of account (RFC 9110, 14.2).

    The Python SDKs up to 1.5 send `bytes=None` for a whole file.
    """
    given = request.headers.get("Range")
    if given is None or _RANGE.fullmatch(given.strip()):
        return request
    headers = request.headers.copy()
    del headers["Range"]
    return request.clone(headers=headers)


async def spoiled(request: web.BaseRequest, path: Path, faults: Mapping[str, Fault]) -> web.StreamResponse | None:
    """The response that the faults make of a download; None when they leave it as it is."""
    if "redirect" in faults:
        fault = faults["redirect"]
        return web.Response(status=fault.status, headers={"Location": fault.location or ""})
    request = readable_range(request)
    size = path.stat().st_size
    if "empty" in faults:
        return web.Response(content_type="application/octet-stream")
    if "short" in faults:
        return await _serve(request, path, size // 2, size // 2)
    if "truncate" in faults:
        return await _serve(request, path, size, size, broken=True)
    if "wrong length" in faults:
        return await _serve(request, path, size, size + faults["wrong length"].bytes)
    if "wrong header" in faults:
        return await _serve(request, path, size, size, _promising(path, faults["wrong header"].bytes))
    return None


def _promising(path: Path, more: int) -> bytes:
    """The header of a WAV file that says there is more sound than there is; empty for other files."""
    with path.open("rb") as file:
        header = bytearray(file.read(_WAV_HEADER))
    if header[:4] != b"RIFF" or header[36:40] != b"data":
        return b""
    for place in (4, 40):
        struct.pack_into("<I", header, place, struct.unpack_from("<I", header, place)[0] + more)
    return bytes(header)


async def _serve(
    request: web.BaseRequest, path: Path, available: int, promised: int, header: bytes = b"", *, broken: bool = False
) -> web.StreamResponse:
    """Promise so many bytes, send what is available of them; ``broken`` sends half of that.

    The connection ends where the bytes do.
    """
    stat = path.stat()
    headers = {
        "Content-Type": "application/octet-stream",
        "Accept-Ranges": "bytes",
        "ETag": f'"{stat.st_mtime_ns:x}-{stat.st_size:x}"',
        "Last-Modified": formatdate(stat.st_mtime, usegmt=True),
    }
    try:
        low, high, _ = request.http_range.indices(promised)
    except ValueError:
        low = high = promised
    if low >= high:
        return web.Response(status=416, headers={"Content-Range": f"bytes */{promised}"})
    ranged = "Range" in request.headers
    if ranged:
        headers["Content-Range"] = f"bytes {low}-{high - 1}/{promised}"
    response = web.StreamResponse(status=206 if ranged else 200, headers=headers)
    response.content_length = high - low
    await response.prepare(request)
    end = min(high, available)
    if broken:
        end = low + (end - low) // 2
    with path.open("rb") as file:
        for start in range(low, end, _BLOCK):
            file.seek(start)
            block = file.read(min(_BLOCK, end - start))
            if start < len(header):
                block = header[start : start + len(block)] + block[max(0, len(header) - start) :]
            await response.write(block)
    if end < high and request.transport is not None:
        request.transport.close()
    return response
