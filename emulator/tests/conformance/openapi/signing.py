"""The signature of the official clients, as an authentication of `requests`."""

from __future__ import annotations

import base64
import hashlib
import hmac
from email.utils import formatdate
from urllib.parse import urlsplit

from requests import PreparedRequest
from requests.auth import AuthBase


class Signed(AuthBase):
    """Signs with an access key."""

    def __init__(self, access_key: str) -> None:
        self._key = base64.b64decode(access_key)

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        body = request.body or b""
        data = body.encode() if isinstance(body, str) else bytes(body)
        content_hash = base64.b64encode(hashlib.sha256(data).digest()).decode()
        date, host = formatdate(usegmt=True), urlsplit(request.url or "").netloc
        text = f"{request.method}\n{request.path_url}\n{date};{host!s};{content_hash}"
        signature = base64.b64encode(hmac.new(self._key, text.encode(), hashlib.sha256).digest()).decode()
        request.headers["x-ms-date"] = date
        request.headers["x-ms-content-sha256"] = content_hash
        request.headers["Authorization"] = (
            f"HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature={signature}"
        )
        return request
