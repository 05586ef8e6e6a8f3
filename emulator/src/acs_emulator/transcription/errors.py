"""Refusals of the Speech service, in its own body.

SpeechRefusal       any refusal with the body of the speech to text API
├── InvalidRequest  400  the request is not what the published description says
└── Unprocessable   422  the audio cannot be transcribed
AccessDenied        401  no key, or a wrong one; the body is that of the gateway before the service
"""

from __future__ import annotations

from acs_emulator.core.errors import DetailedRefusal, ServiceError


class SpeechRefusal(DetailedRefusal):
    """``code`` and ``detail`` are of the published ErrorCode and DetailedErrorCode."""

    def body(self) -> dict[str, object]:
        inner = {"code": self.detail, "message": self.message}
        return {"code": self.code, "message": self.message, "innerError": inner}


class InvalidRequest(SpeechRefusal):
    """The request breaks the published description."""

    def __init__(self, detail: str, message: str) -> None:
        super().__init__(400, "InvalidRequest", detail, message)


class Unprocessable(SpeechRefusal):
    """The audio is empty, too long or of another format."""

    def __init__(self, detail: str, message: str) -> None:
        super().__init__(422, "UnprocessableEntity", detail, message)


class AccessDenied(ServiceError):
    """Neither the resource's key nor a bearer token."""

    def __init__(self) -> None:
        super().__init__(
            401,
            "401",
            "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a "
            "valid key for an active subscription and use a correct regional API endpoint for your resource.",
        )
