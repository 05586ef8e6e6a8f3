"""The HTTP transport that the Azure SDKs share here."""

from __future__ import annotations

from typing import Any

CONNECTIONS = 64
"""Connections kept to one host: as many as an instance has threads, so that none waits or is thrown away."""


def pooled_transport(*, timeout: float = 8.0) -> Any:
    """A requests transport that keeps a connection for every thread (the default keeps ten)."""
    import requests
    from azure.core.pipeline.transport import RequestsTransport
    from requests.adapters import HTTPAdapter

    session = requests.Session()
    for scheme in ("https://", "http://"):
        # The SDKs retry by their own policy; urllib3 must not.
        session.mount(scheme, HTTPAdapter(pool_connections=4, pool_maxsize=CONNECTIONS, max_retries=0))
    return RequestsTransport(session=session, session_owner=False, connection_timeout=3.0, read_timeout=timeout)
