"""The root of the tree, and what is wrong with settings, files, requests and those who send them."""

from __future__ import annotations

from collections.abc import Sequence


class SwitchboardError(Exception):
    """The root of the tree."""

    retryable: bool = False


class InvalidInput(SwitchboardError):
    """A value is missing or wrong.

    Attributes:
        field: the path of the field, as its author wrote it (`data.to.rawId`).
        remedy: one sentence that says what to do.
    """

    def __init__(self, field: str, problem: str, remedy: str = "") -> None:
        self.field = field
        self.problem = problem
        self.remedy = remedy
        super().__init__(f"{field}: {problem}" + (f" {remedy}" if remedy else ""))


class SettingsError(InvalidInput):
    """App settings are missing or wrong; the field is the setting's name, or the names of all."""

    @classmethod
    def of(cls, problems: Sequence[tuple[str, str]]) -> SettingsError:
        """One for several settings: names and problems, of which the message has a line each."""
        lines = "\n".join(f"{name}: {problem}" for name, problem in problems)
        error = cls(", ".join(name for name, _ in problems), lines, "See docs/settings.md.")
        error.args = (f"{lines}\n{error.remedy}",)
        return error


class RoutingError(InvalidInput):
    """The routing file is wrong; the field is `file:line: path`."""


class ScorecardError(InvalidInput):
    """A scorecard is wrong; the field is `file:line: path`."""


class TextsError(InvalidInput):
    """The texts of a flow are wrong; the field is `file:line: path`."""


class MalformedEvent(InvalidInput):
    """A delivered body is not the event that it should be. Sending it again will not help."""


class LinesError(InvalidInput):
    """The file of the app's numbers is wrong: names the line."""


class NotFound(InvalidInput):
    """There is nothing of this name or id; the field says what was looked for."""


class UnknownCalendar(NotFound):
    """There is no calendar of this name."""


class VersionMismatch(InvalidInput):
    """What is to be changed is no longer, or not, as `If-Match` or `If-None-Match` says."""


class UnknownAction(InvalidInput):
    """No action of this name can be taken on a live call."""


class KeyReused(InvalidInput):
    """An idempotency key stands for one request; this one is another."""

    def __init__(self) -> None:
        super().__init__(
            "Idempotency-Key", "was used before, for a request that says something else.", "Use a new key."
        )


class StateConflict(SwitchboardError):
    """What is asked for cannot be done in the state that the thing is in; the message says what can."""


class CampaignState(StateConflict):
    """What is asked of a campaign cannot be done in the state that it is in; the message says what can."""


class Misconfigured(SwitchboardError):
    """Settings, routing or flows are wrong, so nothing runs. The log named what and the remedy, once.

    No InvalidInput: what a trigger brought is right, and is brought again.
    """

    retryable = True


class Refused(SwitchboardError):
    """The caller has not shown that it may do this.

    Attributes:
        status: 401 where a better credential may help, 403 where none will.
    """

    def __init__(self, reason: str, status: int = 401) -> None:
        self.reason = reason
        self.status = status
        super().__init__(reason)


class KeysUnavailable(SwitchboardError):
    """A callback token cannot be judged: its issuer's keys could not be fetched. A redelivery may help."""

    retryable = True


class LimitReached(SwitchboardError):
    """This process holds or serves as much as it may. Later, or on another instance, the same may be taken.

    Attributes:
        status: 429 where the limit is that of one call or of who asks, 503 where it is that of the process.
        seconds: after which the same may be taken.
    """

    retryable = True

    def __init__(self, problem: str, status: int = 503, seconds: int = 1) -> None:
        self.status = status
        self.seconds = seconds
        super().__init__(problem)
