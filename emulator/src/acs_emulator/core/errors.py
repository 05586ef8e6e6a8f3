"""Refusals of the data plane, as the service words them.

ServiceError            any refusal: status + error body
├── DetailedRefusal          of Event Grid or Azure AI Speech, with a body of its own
├── Unauthorized        401  missing or wrong signature
├── BadRequest          400  the request is not what the published schema says (8523)
├── CallNotFound        404  unknown or ended call (8522, recorded)
├── NotEstablished      400  media on a call that is not up (8501)
├── ConfigurationMissing 405 speech or streaming without what set-up must give (8522)
├── NotSupported        405  the service does not offer this (8520)
├── Conflict            409  started already, or not started (8519)
├── MediaConflict       412  incompatible media operation running (8583)
├── TooManyCalls        429  the number has as many outbound calls as it may (8530)
└── NotEmulated         501  known to the service, not to this emulator
"""

from __future__ import annotations

from collections.abc import Iterable


class ServiceError(Exception):
    """A refusal with the service's error body; ``code`` is a string on the wire."""

    def __init__(self, status: int, code: str, message: str, target: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.target = target

    def body(self) -> dict[str, object]:
        """The published CommunicationErrorResponse."""
        error: dict[str, object] = {"code": self.code, "message": self.message}
        if self.target is not None:
            error["target"] = self.target
        return {"error": error}


class DetailedRefusal(ServiceError):
    """A refusal of another service than Call Automation, which tells a second, closer code as well."""

    def __init__(self, status: int, code: str, detail: str, message: str) -> None:
        super().__init__(status, code, message)
        self.detail = detail


class Unauthorized(ServiceError):
    """No acceptable signature. Reason and remedy go to the request log and the terminal, not to the client."""

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(401, "Denied", "Denied by the resource provider.")
        self.reason = reason
        self.remedy = remedy


class BadRequest(ServiceError):
    """The request breaks the published schema or a documented rule; ``field`` says where."""

    def __init__(self, message: str, field: str | None = None) -> None:
        super().__init__(400, "8523", message, field)


def check_names(given: Iterable[str], known: Iterable[str], where: str = "") -> None:
    """Raise BadRequest for the first property that is not known; ``where`` is the object that has it."""
    unknown = sorted(set(given) - set(known))
    if unknown:
        field = f"{where}.{unknown[0]}" if where else unknown[0]
        raise BadRequest(f"'{field}' is not known; known are {', '.join(sorted(known))}.", field)


class CallNotFound(ServiceError):
    """No such call connection, or it has ended (recorded 2025)."""

    def __init__(self, target: str | None = None) -> None:
        super().__init__(404, "8522", "Call not found.", target)


class NotEstablished(ServiceError):
    """A media action on a call that is not connected (docs: Call Automation codes, 8501)."""

    def __init__(self) -> None:
        super().__init__(400, "8501", "Action is not valid when the call is not in Established state.")


class ConfigurationMissing(ServiceError):
    """Speech without callIntelligenceOptions, or streaming without its options (docs: 405/8522)."""

    def __init__(self, what: str = "Cognitive Service Configuration") -> None:
        super().__init__(405, "8522", f"Request not allowed when {what} not set during call setup.")


class NotSupported(ServiceError):
    """The service does not offer this (docs: 405/8520)."""

    def __init__(self, message: str) -> None:
        super().__init__(405, "8520", message)


class Conflict(ServiceError):
    """The call is not in the state that the request needs (docs: 409/8519, which says no more)."""

    def __init__(self, message: str) -> None:
        super().__init__(409, "8519", message)


class MediaConflict(ServiceError):
    """Another media operation of the same participant runs (docs: mid-call media actions, 412/8583)."""

    def __init__(self) -> None:
        super().__init__(
            412, "8583", "Another media operation that cannot run at the same time is in progress on this call."
        )


class TooManyCalls(ServiceError):
    """A number's limit of outbound calls at once (docs: service limits; how the service refuses: chosen).

    Without Retry-After, after which the SDKs would try again by themselves and hold up the app.
    """

    def __init__(self, number: str, limit: int) -> None:
        message = f"{number} has {limit} outbound calls already, as many as it may have at once."
        super().__init__(429, "8530", message, "sourceCallerIdNumber")


class NotEmulated(ServiceError):
    """An operation of the published API that this emulator does not carry out."""

    def __init__(self, operation: str) -> None:
        super().__init__(501, "NotImplemented", f"{operation} is not emulated.")
