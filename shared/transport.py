"""What the HTTP clients of the app share: connections, whom to trust, and what a response says of trying again."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl

    import requests

CONNECTIONS = 64
"""Connections kept to one host: as many as an instance has threads, so that none waits or is thrown away."""

TRANSIENT = frozenset({408, 429, 500, 502, 503, 504})
"""Statuses after which the same request may succeed."""


def retry_after(text: str, clock: Callable[[], float] = time.time) -> float | None:
    """The header Retry-After (RFC 9110: seconds or a date) in seconds; None for what is neither.

    Args:
        clock: Unix time in seconds.
    """
    from email.utils import parsedate_to_datetime

    if text.isascii() and text.isdecimal():
        return float(text[:9])
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(0.0, at.timestamp() - clock())


@contextmanager
def cut_off(connected: socket.socket, seconds: float) -> Iterator[threading.Event]:
    """Shut a connection down if it is still in use after so many seconds: time-outs of a socket restart with each
    byte. Gives what tells whether it was."""
    late = threading.Event()

    def shut_down() -> None:
        late.set()
        with suppress(OSError):  # it was closed meanwhile
            # Not SSLSocket's own, which takes the encryption away under the reader.
            socket.socket.shutdown(connected, socket.SHUT_RDWR)

    limit = threading.Timer(max(0.0, seconds), shut_down)
    limit.daemon = True
    limit.start()
    try:
        yield late
    finally:
        limit.cancel()


def pooled_session() -> requests.Session:
    """A session that keeps a connection for every thread and repeats nothing by itself.

    A proxy or a bundle of certificates that the environment names is used; one that it names later is not.
    """
    from urllib.request import getproxies

    import requests
    from requests.adapters import HTTPAdapter

    session = requests.Session()
    # Else requests reads every variable of the environment with every request, a tenth of what a request costs.
    session.trust_env = bool(getproxies())
    session.verify = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or True
    for scheme in ("https://", "http://"):
        # The SDKs retry by their own policy; urllib3 must not.
        session.mount(scheme, HTTPAdapter(pool_connections=4, pool_maxsize=CONNECTIONS, max_retries=0))
    return session


def certificates() -> ssl.SSLContext:
    """Whom a client that is none of `requests` trusts: the same."""
    import ssl

    from requests.utils import DEFAULT_CA_BUNDLE_PATH

    bundle = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or DEFAULT_CA_BUNDLE_PATH
    return ssl.create_default_context(cafile=bundle)
