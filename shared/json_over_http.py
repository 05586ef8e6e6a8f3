"""A small JSON document from an address of the settings: bounded in time and size, and no redirect followed.

Not by `requests`: its time-outs restart with each byte, so that a server that drips holds a thread for as long as
it likes.
"""

from __future__ import annotations

import http.client
import json
import time
from base64 import b64encode
from contextlib import closing
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from shared.setting_values import LOOPBACK
from shared.transport import certificates, cut_off

WHOLE_SECONDS = 2.5
"""How long one document may take in all, from the request on (our choice; usual are 0.2 s)."""

CONNECT_SECONDS = 2.0
"""How long one address of the host may take to accept a connection."""

MOST_BYTES = 256 * 1024
"""Longest document. The service's keys have 3 KB, Microsoft's longest public set 20 KB."""


def get_json(url: str, *, seconds: float = WHOLE_SECONDS) -> Any:
    """The JSON document at an http or https URL; raises OSError or ValueError where there is none."""
    parts = urlsplit(url)
    deadline = time.monotonic() + seconds
    with closing(_connection(parts)) as connection:
        try:
            connection.connect()
            return _document(connection, parts, deadline)
        except http.client.HTTPException as error:
            raise OSError(f"the response is not HTTP ({type(error).__name__})") from error


def _document(connection: http.client.HTTPConnection, parts: SplitResult, deadline: float) -> Any:
    with cut_off(connection.sock, deadline - time.monotonic()) as late:
        try:
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            connection.request("GET", target, headers={"Accept": "application/json", "Accept-Encoding": "identity"})
            with connection.getresponse() as response:
                if response.status != 200:
                    raise OSError(f"the response is HTTP {response.status}")
                body = response.read(MOST_BYTES + 1)
        finally:
            # What ended early because it was cut off must not be taken for whole.
            if late.is_set():
                raise TimeoutError("the response takes too long")
    if len(body) > MOST_BYTES:
        raise ValueError(f"the response is longer than {MOST_BYTES} bytes")
    try:
        return json.loads(body)
    except RecursionError:
        raise ValueError("the response is nested too deeply") from None


def _connection(parts: SplitResult) -> http.client.HTTPConnection:
    """To the host, or to the proxy that the environment names for it."""
    from urllib.request import getproxies, proxy_bypass

    host, port = parts.hostname or "", parts.port
    if parts.scheme == "http":
        return http.client.HTTPConnection(host, port, timeout=CONNECT_SECONDS)
    proxy = getproxies().get("https", "")
    if not proxy or host in LOOPBACK or proxy_bypass(host):
        return http.client.HTTPSConnection(host, port, timeout=CONNECT_SECONDS, context=certificates())
    way = urlsplit(proxy if "//" in proxy else f"http://{proxy}")
    connection = http.client.HTTPSConnection(
        way.hostname or "", way.port or 80, timeout=CONNECT_SECONDS, context=certificates()
    )
    headers = {}
    if way.username is not None:
        login = f"{unquote(way.username)}:{unquote(way.password or '')}"
        headers["Proxy-Authorization"] = f"Basic {b64encode(login.encode()).decode()}"
    connection.set_tunnel(host, port, headers)
    return connection
