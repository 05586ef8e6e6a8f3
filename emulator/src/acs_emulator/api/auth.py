"""HMAC-SHA256 signatures of the official clients, in every variant they were measured to send."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import parse_qsl, quote, unquote, urlencode

from acs_emulator.api.entra import TokenChecker
from acs_emulator.core.clock import utc_now
from acs_emulator.core.errors import Unauthorized

#: How far x-ms-date may be off (docs: HMAC authentication, 15 minutes).
ALLOWED_SKEW = timedelta(minutes=15)
_AUTHORIZATION = re.compile(
    r"HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=(?P<signature>[A-Za-z0-9+/=]+)\Z"
)
_HOST = re.compile(r"(?P<name>.*?)(?::(?P<port>[0-9]+))?\Z", re.DOTALL)
#: Headers in which a client or a proxy names the host that a request was signed for, when `Host` is another's.
_OTHER_HOSTS = ("x-ms-host", "X-Forwarded-Host")
_ID = re.compile(r"(?P<front>/(?:participants|identities)/)(?P<who>[^/?]+)")


class SignatureChecker:
    """Checks the signature of a request against one access key, or its token where tokens are taken."""

    def __init__(
        self, access_key: str, now: Callable[[], datetime] = utc_now, tokens: TokenChecker | None = None
    ) -> None:
        self._key = base64.b64decode(access_key)
        self._now = now
        self._tokens = tokens

    def check(
        self, method: str, path_and_query: str, headers: Mapping[str, str], body: bytes, authorities: Iterable[str]
    ) -> None:
        """Raise Unauthorized unless the request is signed with the key, or has a token that is taken.

        ``path_and_query`` is the request line as received; ``authorities`` are the emulator's own, each host:port.
        """
        given = headers.get("Authorization", "")
        match = _AUTHORIZATION.match(given)
        if match is None:
            if given.lower().startswith("bearer "):
                if self._tokens is not None:
                    self._tokens.check(given)
                    return
                raise Unauthorized("a token, which is not taken", "Use the access key, or start with --oauth basic.")
            raise Unauthorized(
                "no HMAC-SHA256 Authorization header of the expected form",
                "Make the client from the connection string that is printed at the start.",
            )
        date = headers.get("x-ms-date", "")
        _check_date(date, self._now())
        content_hash = headers.get("x-ms-content-sha256", "")
        if not hmac.compare_digest(content_hash.encode(), base64.b64encode(hashlib.sha256(body).digest())):
            raise Unauthorized(
                "x-ms-content-sha256 is not the hash of the body",
                "Sign the very bytes that are sent, after every proxy that changes them.",
            )
        signature = match["signature"].encode()
        for path in _paths(path_and_query):
            for host in _hosts(headers, authorities):
                text = f"{method}\n{path}\n{date};{host};{content_hash}"
                if hmac.compare_digest(signature, self._sign(text)):
                    return
        raise Unauthorized(
            "the signature does not match",
            "Use the access key of the connection string that is printed at the start; behind a proxy that changes "
            "host or path, start with --public-url.",
        )

    def _sign(self, text: str) -> bytes:
        return base64.b64encode(hmac.digest(self._key, text.encode("utf-8", "surrogateescape"), "sha256"))


def _check_date(text: str, now: datetime) -> None:
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError, IndexError, OverflowError) as error:
        raise Unauthorized("x-ms-date is missing or not a date", "Send it as RFC 1123 has it, in GMT.") from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    if abs(now - moment) > ALLOWED_SKEW:
        raise Unauthorized("x-ms-date is more than 15 minutes off", "Set the clock of the client's machine.")


def _paths(raw: str) -> Iterator[str]:
    """The path and query as received, then as other clients sign them."""
    path, mark, query = raw.partition("?")
    seen: set[str] = set()
    paths = (path, _ID.sub(_encoded, path), unquote(path, errors="surrogateescape"))
    queries = (query, urlencode(parse_qsl(query, keep_blank_values=True), errors="surrogateescape"))
    for one_path in paths:
        for one_query in queries:
            candidate = f"{one_path}{mark}{one_query}"
            if candidate not in seen:
                seen.add(candidate)
                yield candidate


def _encoded(match: re.Match[str]) -> str:
    """The id's segment percent-encoded, as the Python async clients sign it but do not send it."""
    return match["front"] + quote(unquote(match["who"], errors="surrogateescape"), safe="", errors="surrogateescape")


def _hosts(headers: Mapping[str, str], authorities: Iterable[str]) -> Iterator[str]:
    """The host as the clients sign it: with its port or without (Java), or with the port that the request came to.

    Downloads go to the storage host, signed with the resource's: x-ms-host has it, from Python without the port. A TLS
    proxy has a port of its own, which stands in Host.
    """
    host = headers.get("Host", "")
    yield host
    named = dict.fromkeys((host, *(headers[name] for name in _OTHER_HOSTS if name in headers), *authorities))
    split = [_split(name) for name in named]
    ports = dict.fromkeys(port or "443" for _, port in split)
    for name in named:
        yield f"{name}/"
    yield from named
    for bare in dict.fromkeys(name for name, _ in split):
        yield bare
        yield from (f"{bare}:{port}" for port in ports)


def _split(host: str) -> tuple[str, str]:
    """Name and port; the port is empty where there is none."""
    match = _HOST.match(host)
    assert match is not None
    return match["name"], match["port"] or ""
