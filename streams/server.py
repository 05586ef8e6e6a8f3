"""How the server under the application is set up."""

from __future__ import annotations

import uvicorn
from starlette.applications import Starlette

LONGEST_FRAME_BYTES = 1024 * 1024
"""A longer message closes its socket (1009); the service's are about a kilobyte."""

CLOSING_SECONDS = 25
"""What open sockets have to bring their sound home when the process is asked to end."""


def configured(app: Starlette, host: str, port: int) -> uvicorn.Config:
    """The settings of the server, of which the sockets depend on several."""
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        ws="websockets-sansio",
        ws_max_size=LONGEST_FRAME_BYTES,
        ws_per_message_deflate=False,  # sound in base64 hardly shrinks, and it costs most of a core
        # Pings keep the way open. A peer that only sends may not answer them (.NET's does while it reads only), and
        # must not be cut off for that: its sound shows that it lives, and a dead one ends with the connection.
        ws_ping_interval=20.0,
        ws_ping_timeout=None,
        # Its lines hold the addresses with their signatures.
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=CLOSING_SECONDS,
    )
