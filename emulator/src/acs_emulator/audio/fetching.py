"""Downloading prompt files."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from acs_emulator.audio.errors import PromptFormatError, PromptUnreachable

if TYPE_CHECKING:
    import aiohttp

MAX_BYTES = 50 * 1024 * 1024
CONNECT_TIMEOUT = 5.0  # seconds
TOTAL_TIMEOUT = 30.0  # seconds, for the whole file


async def download(session: aiohttp.ClientSession, url: str, *, max_bytes: int = MAX_BYTES) -> bytes:
    """The body behind an http or https URL, at most `max_bytes` of it.

    Raises PromptUnreachable where there is none, and PromptFormatError where it is larger.
    """
    import aiohttp

    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise PromptUnreachable(url, f"it is not a URL ({error})") from error
    if parts.scheme.lower() not in ("http", "https") or not parts.hostname:
        raise PromptUnreachable(url, "only http and https URLs can be fetched")
    try:
        async with session.get(url) as response:
            if response.status != 200:
                status = f"{response.status} {response.reason or ''}".strip()
                raise PromptUnreachable(url, f"the server answered {status}, not 200")
            return await _read(response, url, max_bytes)
    except TimeoutError as error:
        raise PromptUnreachable(url, "the server did not answer in time") from error
    except aiohttp.ClientConnectorDNSError as error:
        raise PromptUnreachable(url, f"the host name {error.host!r} is unknown") from error
    except aiohttp.ClientConnectorCertificateError as error:
        raise PromptUnreachable(url, f"the server's certificate is not accepted ({error})") from error
    except aiohttp.ClientConnectorError as error:
        if isinstance(error.os_error, ConnectionRefusedError):
            raise PromptUnreachable(url, f"{error.host}:{error.port} refused the connection") from error
        raise PromptUnreachable(url, f"{error.host}:{error.port} can not be reached ({error.os_error})") from error
    except (aiohttp.ClientError, ValueError) as error:
        raise PromptUnreachable(url, f"the download failed ({type(error).__name__}: {error})") from error


async def _read(response: aiohttp.ClientResponse, url: str, max_bytes: int) -> bytes:
    body = bytearray()
    if (response.content_length or 0) <= max_bytes:
        async for chunk in response.content.iter_any():
            body += chunk
            if len(body) > max_bytes:
                break
        else:
            return bytes(body)
    raise PromptFormatError(url, f"it is larger than {max_bytes} bytes")


def open_session() -> aiohttp.ClientSession:
    import aiohttp

    return aiohttp.ClientSession(
        timeout=aiohttp.ClientTimeout(total=TOTAL_TIMEOUT, sock_connect=CONNECT_TIMEOUT),
    )
