"""The service's recordings, fetched under its own signature.

The SDK refuses every host but the service's own, and so the local emulator; here a setting adds hosts. The address
is judged before each request, and once more where the credentials are attached.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from email.utils import formatdate
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.auth import AuthBase

from shared.azure import clients
from shared.errors import ForeignLocation, SourceUnavailable, UnreadableAudio
from shared.numbers import whole_number
from shared.recordings.location import Address, Locations
from shared.transport import TRANSIENT, retry_after

SCOPE = "https://communication.azure.com//.default"
"""What a token for the service is asked for (the Call Automation SDK 1.6.0)."""
MOST_REDIRECTS = 3
MOST_METADATA = 1_000_000
"""Bytes of a metadata document; the recorded one has 957."""
STEADY = 16 * 2**20
"""Bytes after which the count of interruptions of a download starts again."""

LONGEST_RETRY_AFTER = 1_000_000.0
"""Seconds; a service that asks for more is waited for as if it had not said how long (our choice)."""

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_EMPTY_HASH = base64.b64encode(hashlib.sha256(b"").digest()).decode()
_CONTENT_RANGE = re.compile(r"bytes (?P<first>\d{1,18})-(?P<last>\d{1,18})/(?P<total>\d{1,18})", re.ASCII)
_SENTENCES = {
    401: "The service does not take the app's credentials for the recording: check ACS_ACCESS_KEY.",
    403: "The service does not let the app have the recording.",
    404: "The service has no such file: it was deleted, or its time is over.",
    429: "The service asks to wait.",
}


class ServiceSource:
    """Recordings as the service keeps them for 24 hours. Safe to share between threads.

    Args:
        endpoint: the resource's endpoint; requests are signed with its host.
        access_key: the resource's key; empty: tokens of the app's identity are sent, over https alone.
        extra_hosts: see `Locations`.
        timeout: seconds without a byte after which a response counts as interrupted.
        breaks: interruptions of a download in a row before it is given up.
        backoff: seconds before a download is resumed, doubled with each further interruption.
        block: bytes handed out at once.
    """

    def __init__(
        self,
        endpoint: str,
        access_key: str,
        *,
        extra_hosts: Iterable[str] = (),
        timeout: float = 30.0,
        breaks: int = 5,
        backoff: float = 0.5,
        block: int = 256 * 1024,
    ) -> None:
        self._locations = Locations(extra_hosts)
        self._auth: AuthBase
        if access_key:
            self._auth = _Signature(self._locations, urlsplit(endpoint).netloc, access_key)
        else:
            self._auth = _Token(self._locations)
        self._timeout = (min(timeout, 10.0), timeout)
        self._breaks = breaks
        self._backoff = backoff
        self._block = block
        self._session = requests.Session()
        self._session.headers["Accept-Encoding"] = "identity"
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))

    @contextmanager
    def open(self, location: str) -> Iterator[ServiceDownload]:
        """Begin to fetch a file. A first request that fails is not repeated here: the caller knows the deadline."""
        address = self._locations.checked(location)
        download = ServiceDownload(lambda at: self._part(address, at), self._breaks, self._backoff, self._block)
        try:
            yield download
        finally:
            download.close()

    def metadata(self, location: str) -> dict[str, Any]:
        body = bytearray()
        with self.open(location) as download:
            for block in download:
                body += block
                if len(body) > MOST_METADATA:
                    raise UnreadableAudio("acsmetadata", "is larger than a metadata document can be.")
        return read_metadata(bytes(body))

    def delete(self, location: str) -> None:
        with self._response("DELETE", self._locations.checked(location), {}) as response:
            if response.status_code not in (200, 202, 204, 404):
                raise _refusal(response)

    def _part(self, address: Address, start: int) -> requests.Response:
        """The response with a file from byte `start` on; SourceUnavailable unless it is a success."""
        response = self._response("GET", address, {"Range": f"bytes={start}-"} if start else {})
        if response.status_code in (200, 206):
            return response
        with response:
            raise _refusal(response)

    def _response(self, method: str, address: Address, headers: dict[str, str]) -> requests.Response:
        """The response to a request after its redirects, each checked and signed; its body is not read yet."""
        for _ in range(MOST_REDIRECTS + 1):
            try:
                response = self._session.request(
                    method,
                    str(address),
                    headers=headers,
                    auth=self._auth,  # with one of its own, requests looks for none in a .netrc file
                    # Plain http is for loopback addresses: never through a proxy.
                    proxies={"http": ""},
                    timeout=self._timeout,
                    allow_redirects=False,
                    stream=True,
                )
            except requests.RequestException as error:
                raise _no_response(error) from None  # the text of the error has the address
            target = response.headers.get("Location")
            if response.status_code not in _REDIRECTS or not target:
                return response
            with response:
                address = self._locations.followed(address, target)
        raise SourceUnavailable(f"The service redirects more than {MOST_REDIRECTS} times.", response.status_code)


class ServiceDownload:
    """A file on its way. It goes on where it broke off, as long as the service still has the same file.

    Attributes:
        length: bytes that the service promises; None: it does not say.
    """

    def __init__(self, part: Callable[[int], requests.Response], breaks: int, backoff: float, block: int) -> None:
        self._part = part
        self._breaks = breaks
        self._backoff = backoff
        self._block = block
        self._position = 0
        self._current = part(0)
        try:
            self.length = _total(self._current, 0)
        except SourceUnavailable:
            self._current.close()
            raise
        self._etag = self._current.headers.get("ETag")

    def __iter__(self) -> Iterator[bytes]:
        breaks, counted_from = 0, 0
        while True:
            try:
                for block in self._current.iter_content(self._block):
                    self._position += len(block)
                    if self.length is not None and self._position > self.length:
                        raise SourceUnavailable("The service sent more of the recording than it promised.")
                    yield block
                if self.length is None or self._position == self.length:
                    return
                broken = SourceUnavailable("The service ended its response before the end of the recording.")
            except requests.RequestException as error:
                broken = _no_response(error)
            self.close()
            if self._position - counted_from >= STEADY:
                breaks, counted_from = 0, self._position
            breaks = self._resumed(broken, breaks)

    def close(self) -> None:
        """Let go of the connection."""
        self._current.close()

    def _resumed(self, broken: SourceUnavailable, breaks: int) -> int:
        """Take the file up at the position that it broke off at; gives how often it has broken off in a row."""
        while (breaks := breaks + 1) <= self._breaks:
            time.sleep(self._backoff * 2 ** (breaks - 1))
            try:
                self._current = self._part(self._position)
            except SourceUnavailable as error:
                if error.status is not None and error.status not in TRANSIENT:
                    raise
                broken = error
                continue
            self._check_same()
            return breaks
        raise broken

    def _check_same(self) -> None:
        """Raise SourceUnavailable if the response does not continue the file: the caller starts again."""
        if self._position and self._current.status_code != 206 and "Content-Range" not in self._current.headers:
            raise SourceUnavailable("The service does not continue a recording that broke off.")
        total, etag = _total(self._current, self._position), self._current.headers.get("ETag")
        if self.length is None:
            self.length = total
        if total != self.length or (None not in (etag, self._etag) and etag != self._etag):
            raise SourceUnavailable("The recording changed at the service while it was fetched.")


class _Signature(AuthBase):
    """Signs with the resource's key: HMAC-SHA256 of the request's line, its date, the resource's host and its body.

    The file lies at another host than the resource; `x-ms-host` says whose signature it is.
    """

    def __init__(self, locations: Locations, host: str, access_key: str) -> None:
        self._locations = locations
        self._host = host
        self._key = base64.b64decode(access_key)

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        self._locations.checked(str(request.url))
        date = formatdate(usegmt=True)
        text = f"{request.method}\n{request.path_url}\n{date};{self._host};{_EMPTY_HASH}"
        signature = base64.b64encode(hmac.digest(self._key, text.encode(), "sha256")).decode()
        request.headers.update(
            {
                "x-ms-date": date,
                "x-ms-content-sha256": _EMPTY_HASH,
                "x-ms-host": self._host,
                "Authorization": f"HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature={signature}",
            }
        )
        return request


class _Token(AuthBase):
    """Sends a token of the app's identity, over https alone."""

    def __init__(self, locations: Locations) -> None:
        self._locations = locations

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        address = self._locations.checked(str(request.url))
        if address.scheme != "https":
            raise ForeignLocation(address.authority, "tokens are not sent in the clear.", "Set ACS_ACCESS_KEY.")
        token = clients.token(
            SCOPE, lambda problem: SourceUnavailable(f"The app's identity gets no token ({problem}).")
        )
        request.headers["Authorization"] = f"Bearer {token}"
        return request


def read_metadata(body: bytes) -> dict[str, Any]:
    """An `acsmetadata` document; UnreadableAudio if it is none."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise UnreadableAudio("acsmetadata", "is not JSON.") from None
    if not isinstance(document, dict):
        raise UnreadableAudio("acsmetadata", "is not a JSON object.")
    return document


def _total(response: requests.Response, start: int) -> int | None:
    """Length of the whole file, from a response that should start at `start`; SourceUnavailable if it does not."""
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise SourceUnavailable("The service sends the recording in an encoding that was not asked for.")
    # The service was recorded sending Content-Range with a 200 too (azure-sdk-for-js, 2021).
    if response.status_code == 206 or "Content-Range" in response.headers:
        match = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
        if match is None or int(match["first"]) != start:
            raise SourceUnavailable("The service sends another part of the recording than was asked for.")
        return int(match["total"])
    promised = response.headers.get("Content-Length", "")
    return whole_number(promised)


def _refusal(response: requests.Response) -> SourceUnavailable:
    status = response.status_code
    problem = _SENTENCES.get(status) or (
        "The service cannot give the recording now." if status >= 500 else "The service refuses to give the recording."
    )
    seconds = retry_after(response.headers.get("Retry-After", ""))
    wait = seconds if seconds is not None and seconds < LONGEST_RETRY_AFTER else None
    return SourceUnavailable(f"{problem} (HTTP {status})", status, wait)


def _no_response(error: requests.RequestException) -> SourceUnavailable:
    return SourceUnavailable(f"The service does not respond, or its response broke off ({type(error).__name__}).")
