"""How the streams service hands signals to the app: what both sides agree on.

    POST /api/streams/{call_id}/signals/{connection}/{sequence}
    X-Switchboard-Signature: v1=<HMAC-SHA256, base64url>
    {"signals": [{"name": "dtmf", "data": {"tone": "5"}}, {"name": "transcript", "data": {…}, "id": "transcript-…"}]}

A connection is one web socket, under a random id. Its signals are numbered from 1; `sequence` is the number of the
first in the body. A signal without an id of its own has the one that follows from connection and number, so whatever is
sent again counts once. The signature covers call, connection, sequence and body, under a key of the call that comes
from CALLBACK_SIGNING_KEY: only who holds that can make it, and it serves for nothing else.
"""

from __future__ import annotations

import base64
import hmac

from shared.errors import Refused
from shared.security import accepted_keys, is_signed

SIGNATURE_HEADER = "X-Switchboard-Signature"

MOST_BYTES = 1024 * 1024
"""Longest body (our choice, as of callbacks). A final phrase has some hundred bytes."""

MOST_SIGNALS = 100
"""Signals of one request (our choice): each costs a run of the flow, all of them one commit."""


def path(call_id: str, connection: str, sequence: int) -> str:
    """Where signals go, from the address of the app on."""
    return f"/api/streams/{call_id}/signals/{connection}/{sequence}"


class SignalSignatures:
    """Makes and checks the signatures. Safe to share between threads.

    Args:
        signing_key: the secret, as bytes or as base64 (the setting CALLBACK_SIGNING_KEY).
        previous_key: an older one that is still accepted and signs nothing.
    """

    def __init__(self, signing_key: bytes | str, *, previous_key: bytes | str = b"") -> None:
        self._accepted = accepted_keys(signing_key, previous_key)

    def sign(self, call_id: str, connection: str, sequence: int, body: bytes) -> str:
        """The value of the header."""
        return _signature(self._accepted[0], call_id, connection, sequence, body)

    def verify(self, call_id: str, connection: str, sequence: int, body: bytes, given: str | None) -> None:
        """Pass if the signature was made for exactly this; raises Refused (403) if not."""
        made = [_signature(key, call_id, connection, sequence, body).encode() for key in self._accepted]
        if not is_signed(given, made):
            raise Refused("the signals are not signed by this app's streams service for this call and sequence", 403)


def _signature(key: bytes, call_id: str, connection: str, sequence: int, body: bytes) -> str:
    # No signature of a URL is ever made of this message: those begin with their version.
    of_call = hmac.digest(key, b"key of stream signals v1\n" + call_id.encode("utf-8", "surrogatepass"), "sha256")
    # The parts cannot run into each other: neither a connection nor a number can hold a line break.
    signed = f"{connection}\n{sequence}\n".encode() + body
    return "v1=" + base64.urlsafe_b64encode(hmac.digest(of_call, signed, "sha256")).rstrip(b"=").decode()
