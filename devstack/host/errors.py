"""Errors of the host.

HostError
├── StartupError     the app or its settings cannot be served; the message says what to change
└── BadRequestError  a request to one of the host's own endpoints is malformed
"""


class HostError(Exception):
    """Anything that the host itself refuses."""


class StartupError(HostError):
    """The host cannot start; the sentence tells the reader what to change."""


class BadRequestError(HostError):
    """The caller sent something that the endpoint cannot read; it becomes a 400."""
