"""HMAC-SHA256 signatures of the official clients, in every variant they were measured to send."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import parse_qsl, quote, unquote, urlencode

from acs_emulator.core.errors import Unauthorized

#: How far x-ms-date may be off (docs: HMAC authentication, 15 minutes).
ALLOWED_SKEW = timedelta(minutes=15)
_AUTHORIZATION = re.compile(
    r"HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=(?P<signature>[A-Za-z0-9+/=]+)\Z"
)
_ID = re.compile(r"(?P<front>/(?:participants|identities)/)(?P<who>[^/?]+)")


class SignatureChecker:
    """Checks the signature of a request against one access key."""

    def __init__(self, access_key: str) -> None:
        self._key = base64.b64decode(access_key)

    def check(self, method: str, path_and_query: str, headers: Mapping[str, str], body: bytes, authority: str) -> None:
        """Raise Unauthorized unless the request is signed with the key.

        ``path_and_query`` is the request line as received; ``authority`` is the emulator's own host:port.
        """
        match = _AUTHORIZATION.match(headers.get("Authorization", ""))
        if match is None:
            raise Unauthorized("no HMAC-SHA256 Authorization header of the expected form")
        date = headers.get("x-ms-date", "")
        _check_date(date)
        content_hash = headers.get("x-ms-content-sha256", "")
        if not hmac.compare_digest(content_hash.encode(), base64.b64encode(hashlib.sha256(body).digest())):
            raise Unauthorized("x-ms-content-sha256 is not the hash of the body")
        signature = match["signature"].encode()
        for path in _paths(path_and_query):
            for host in _hosts(headers, authority):
                text = f"{method}\n{path}\n{date};{host};{content_hash}"
                if hmac.compare_digest(signature, self._sign(text)):
                    return
        raise Unauthorized("the signature does not match")

    def _sign(self, text: str) -> bytes:
        digest = hmac.new(self._key, text.encode("utf-8", "surrogateescape"), hashlib.sha256).digest()
        return base64.b64encode(digest)


def _check_date(text: str) -> None:
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError, IndexError, OverflowError) as error:
        raise Unauthorized("x-ms-date is missing or not a date") from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    if abs(datetime.now(UTC) - moment) > ALLOWED_SKEW:
        raise Unauthorized("x-ms-date is more than 15 minutes off")


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


def _hosts(headers: Mapping[str, str], authority: str) -> Iterator[str]:
    host = headers.get("Host", "")
    yield host
    yield f"{host}/"
    if host != authority:
        yield authority
    # Downloads go to the storage host, signed with the resource's: x-ms-host has it, from Python without the port.
    named = headers.get("x-ms-host")
    if named:
        yield named
        yield f"{named}:{authority.rpartition(':')[2]}"
