"""The client of the app: the request that takes signals (`shared.stream_signals`)."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from shared.errors import InvalidInput, SwitchboardError, UnknownCall
from shared.stream_signals import SIGNATURE_HEADER, SignalSignatures, path
from shared.transport import pooled_session

if TYPE_CHECKING:
    import requests

TIMEOUT_SECONDS = (3.0, 10.0)
"""To connect, and from one byte to the next. The app responds when the signals are committed and the actions
that the flow then requests are sent, each of which may take 8 s (ACTION_TIMEOUT_SECONDS)."""


class AppUnavailable(SwitchboardError):
    """The app cannot be reached, or does not take signals now. What was sent may have been taken all the same."""

    retryable = True


class AppClient:
    """Sends signals to the app. Safe to share between threads.

    Args:
        base_url: public address of the app, without a path (the setting CALLBACK_BASE_URL).
    """

    def __init__(self, base_url: str, signatures: SignalSignatures) -> None:
        self._base_url = base_url.rstrip("/")
        self._signatures = signatures
        self._lock = threading.Lock()
        self._session: requests.Session | None = None

    def __call__(self, call_id: str, connection: str, sequence: int, signals: Sequence[Mapping[str, Any]]) -> str:
        """Send signals; blocks.

        Args:
            sequence: the number of the first of them on this connection.

        Returns:
            their outcome, as the app names it: `advanced`, `duplicate`, `late`.

        Raises:
            UnknownCall: the app has no such call.
            InvalidInput: the app will never take one of these.
            AppUnavailable: it may take them later.
        """
        import requests

        body = json.dumps({"signals": signals}, ensure_ascii=False, allow_nan=False).encode()
        headers = {
            "Content-Type": "application/json",
            SIGNATURE_HEADER: self._signatures.sign(call_id, connection, sequence, body),
        }
        try:
            response = self._http().post(
                self._base_url + path(call_id, connection, sequence),
                data=body,
                headers=headers,
                timeout=TIMEOUT_SECONDS,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            raise AppUnavailable(type(error).__name__) from None
        return _outcome(response, call_id)

    def _http(self) -> requests.Session:
        with self._lock:
            if self._session is None:
                self._session = pooled_session()
            return self._session


def _outcome(response: requests.Response, call_id: str) -> str:
    try:
        document = response.json()
    except ValueError:
        document = None
    document = document if isinstance(document, dict) else {}
    if response.status_code == 200 and isinstance(document.get("outcome"), str):
        return str(document["outcome"])
    # A host that is starting, or an app from before this route, responds 404 as well.
    if response.status_code == 404 and document.get("title") == "Unknown call":
        raise UnknownCall(call_id)
    if response.status_code == 400 and document.get("field"):
        raise InvalidInput(str(document["field"]), "is not what the app takes.")
    raise AppUnavailable(f"the app responded {response.status_code}")
