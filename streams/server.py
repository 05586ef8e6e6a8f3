"""The configuration of the server that runs the application."""

from __future__ import annotations

import uvicorn
from starlette.applications import Starlette

LONGEST_FRAME_BYTES = 1024 * 1024
"""A longer message closes its socket (1009); the service's are about a kilobyte."""

CLOSING_SECONDS = 25
"""Seconds that open sockets have to write what they hold when the process is asked to end."""


def configured(app: Starlette, host: str, port: int) -> uvicorn.Config:
    """The settings of the server, of which the sockets depend on several."""
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        ws="websockets-sansio",
        ws_max_size=LONGEST_FRAME_BYTES,
        ws_per_message_deflate=False,  # audio in base64 hardly shrinks, and compression costs most of a core
        # Pings keep the connection open. A peer that only sends may not answer them (.NET's does only while it reads),
        # and must not be disconnected for that: its audio shows that it is alive, and a dead one ends with TCP.
        ws_ping_interval=20.0,
        ws_ping_timeout=None,
        # Its lines hold the addresses with their signatures.
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=CLOSING_SECONDS,
    )
