"""What all HTTP clients of the app share: pooled connections, and whom to trust."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl

    import requests

CONNECTIONS = 64
"""Connections kept to one host: as many as an instance has threads, so that none waits or is thrown away."""


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
