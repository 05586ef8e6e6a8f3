"""What a failed delivery means, in words for who wrote the app: what happened, and what to do."""

from __future__ import annotations

from urllib.parse import urlsplit

from acs_emulator.core.problems import Problems
from acs_emulator.events.log import Attempt, Delivery, LogObserver

#: By status of the app's response.
_STATUS = {
    401: "The app does not take the token: its audience is the resource id, the keys are in the OpenID document of the "
    "emulator.",
    403: "The app refuses the sender.",
    404: "The app has no such route.",
    405: "The app's route must take POST.",
}
_NO_TRUST = (
    "The emulator does not trust the app's certificate: start it with SSL_CERT_FILE set to the authority, or give the "
    "app an http address."
)
_NOT_UP = "Is the app up? In a container, 127.0.0.1 is the container itself."


class DeliveryProblems(LogObserver):
    """Reports what the app did not take."""

    def __init__(self, problems: Problems) -> None:
        self._problems = problems

    def attempted(self, delivery: Delivery, attempt: Attempt) -> None:
        if delivery.kind == "validation" or (attempt.status is not None and 200 <= attempt.status < 300):
            return
        what, remedy = explained(attempt)
        self._problems.report(f"{_named(delivery)} {what}", remedy)

    def unanswered(self, delivery: Delivery, seconds: float) -> None:
        if delivery.kind != "validation":
            remedy = "The app must respond before it does its work: the service may send the event again."
            self._problems.report(f"{_named(delivery)} has had no response for {seconds:g} s", remedy)


def explained(attempt: Attempt) -> tuple[str, str]:
    """What came of an attempt that failed, and the remedy."""
    if attempt.status is not None:
        if 300 <= attempt.status < 400:
            return f"was answered {attempt.status}", "Redirects are not followed: give the last address."
        return f"was answered {attempt.status}", _STATUS.get(attempt.status, "See the log of the app.")
    error = attempt.error or ""
    if "CertificateError" in error or "SSL" in error:
        return f"failed in TLS ({error})", _NO_TRUST
    if error.startswith("TimeoutError") or "Timeout" in error.partition(":")[0]:
        return f"got no response in {attempt.ms / 1000:.0f} s", "The app must respond before it does its work."
    if "ConnectorDNSError" in error:
        return f"failed ({error})", "This machine does not know the host's name."
    if "Connect call failed" in error:
        return "found nobody who listens there", _NOT_UP
    return f"failed ({error})", _NOT_UP


def unvalidated(attempt: Attempt) -> str:
    """Why a handshake of an Event Grid subscription failed."""
    if attempt.status == 200:
        return "refused: the response to SubscriptionValidationEvent has no validationResponse with its validationCode"
    if attempt.status is not None:
        return f"refused: {attempt.status}. {_STATUS.get(attempt.status, 'The handshake wants 200.')}"
    what, remedy = explained(attempt)
    return f"unanswered: the request {what}. {remedy}"


def _named(delivery: Delivery) -> str:
    """The event and where it goes, without the query: keys stand there."""
    parts = urlsplit(delivery.url)
    return f"{delivery.type.rpartition('.')[2]} to {parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
