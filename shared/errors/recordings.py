"""What can be wrong with a recording, its files or its report."""

from __future__ import annotations

from shared.errors.base import SwitchboardError


class RecordingError(SwitchboardError):
    """Something is wrong with a recording, its files or its report."""


class UnknownRecording(RecordingError):
    """No recording with this id."""

    def __init__(self, recording_id: str) -> None:
        self.recording_id = recording_id
        super().__init__(f"There is no recording {recording_id!r}.")


class ForeignLocation(RecordingError):
    """A file lies at, or was redirected to, a host that this app does not send its credentials to.

    Attributes:
        host: the host, without the path, which may name a document.
    """

    def __init__(self, host: str, problem: str, remedy: str = "") -> None:
        self.host = host
        super().__init__(f"{host}: {problem}" + (f" {remedy}" if remedy else ""))


class SourceUnavailable(RecordingError):
    """The service does not give the file now: no response, an error status, or a response that broke off too often.

    Attributes:
        status: the HTTP status; None: no response.
        retry_after: seconds that the service asks to wait; None: it does not say.
    """

    retryable = True

    def __init__(self, problem: str, status: int | None = None, retry_after: float | None = None) -> None:
        self.status = status
        self.retry_after = retry_after
        super().__init__(problem)


class UnreadableAudio(RecordingError):
    """What came is empty, is cut off, or is no WAV that can be read.

    Attributes:
        field: what is wrong, in the format's words (`fmt .bits_per_sample`).
        lasting: the file is whole, but of a kind that is not read: fetching it again will not help.
    """

    retryable = True

    def __init__(self, field: str, problem: str) -> None:
        self.field = field
        self.problem = problem
        self.lasting = field.startswith("fmt ")
        super().__init__(f"{field}: {problem}")


class TranscriptionFailed(RecordingError):
    """The speech service gave no transcript: no response, an error status, or one that cannot be read.

    Attributes:
        status: the HTTP status; None: no response.
        lasting: the same request will fail again (a wrong key, a language that the service does not know).
    """

    retryable = True

    def __init__(self, problem: str, status: int | None = None, *, lasting: bool = False) -> None:
        self.status = status
        self.lasting = lasting
        super().__init__(problem)
