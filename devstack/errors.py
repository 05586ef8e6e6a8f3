"""Errors of the devstack.

DevstackError
├── MissingToolError   Node.js, a package or a module is not installed
├── PortTakenError     another program listens on a port that a service needs
├── ChildDiedError     a service ended, or did not begin to serve in time; the message holds its last lines
"""


class DevstackError(Exception):
    """The stack cannot do what was asked; the sentence tells the reader what to change."""


class MissingToolError(DevstackError):
    """Something that must be installed is not."""


class PortTakenError(DevstackError):
    """A port is in use.

    Args:
        port: the port.
        service: who needs it.
        setting: the flag or variable that chooses another.
    """

    def __init__(self, port: int, service: str, setting: str) -> None:
        super().__init__(
            f"Port {port} is taken, but {service} needs it. Stop what uses it, or choose another with {setting}."
        )
        self.port = port


class ChildDiedError(DevstackError):
    """A service is gone, or never came up.

    Args:
        headline: a sentence.
        more: the end of its log.
    """

    def __init__(self, headline: str, more: str = "") -> None:
        super().__init__(f"{headline} {more}".rstrip())
        self.headline = headline
