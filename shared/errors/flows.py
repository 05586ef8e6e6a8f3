"""What a flow can meet at an `await`."""

from __future__ import annotations

from shared.errors.base import SwitchboardError


class WantsPerson(SwitchboardError):
    """The caller asks for a person by a `key`, as `person="0"` offered. It is no failure, and so no CallError."""

    def __init__(self, key: str) -> None:
        self.key = key
        super().__init__("the caller asks for a person: catch WantsPerson around the question")


class CallError(SwitchboardError):
    """Something that a flow meets at an `await` and may catch."""


class ActionRefused(CallError):
    """The service refused the request, or could not be reached after the client's retries.

    Attributes:
        action: the operation, in the service's words (`play`).
        status: the HTTP status, 0 where no response came.
        code: the `error.code` of the service's response, often a sub-code (`8522`).
        transient: the same request may succeed later (429, 5xx, no response).
        plain: what the code means and what to do; empty where it is no sub-code.
    """

    def __init__(
        self, action: str, status: int, code: str, message: str, *, transient: bool = False, plain: str = ""
    ) -> None:
        self.action = action
        self.status = status
        self.code = code
        self.message = message
        self.transient = transient
        self.retryable = transient
        self.plain = plain
        super().__init__(_with_words(f"{action} was refused: {status} {code}: {message}", plain))


class RunFailed(ActionRefused):
    """A function of `call.run` raised, gave back what the journal cannot hold, or ended its process each time.

    Attributes:
        code: the name of the exception's class.
        message: its text.
    """

    def __str__(self) -> str:
        return f"{self.action} failed: {self.code}: {self.message}"


class ResponseLost(ActionRefused):
    """The request went out and no response came, after the client's retries: the service may have carried it out.

    Flows never meet it. The action stays unconfirmed until one of its events arrives, or is sent again after the
    grace period. Who does not ask for the difference may take it for a refusal that a retry may help.
    """

    def __init__(self, action: str, message: str) -> None:
        super().__init__(action, 0, "no_response", message, transient=True)


class ActionFailed(CallError):
    """The service took the request and later reported that it failed.

    Attributes:
        action: the operation (`play`).
        code, sub_code: as in the event's `resultInformation`.
        message: the service's words.
        outcome: what happened, as one word to branch on (`no_input`, `busy`, `prompt_failed`; docs/events.md).
        plain: what happened and what to do.
        retryable: doing the same again, now or a little later, may help.
    """

    def __init__(
        self,
        action: str,
        code: int,
        sub_code: int,
        message: str,
        *,
        outcome: str = "unknown",
        plain: str = "",
        retryable: bool = False,
    ) -> None:
        self.action = action
        self.code = code
        self.sub_code = sub_code
        self.message = message
        self.outcome = outcome
        self.plain = plain
        self.retryable = retryable
        super().__init__(_with_words(f"{action} failed: {code}/{sub_code}: {message}", plain))


class NoInput(ActionFailed):
    """A recognize heard nothing usable in any of its attempts; `BECOME_NO_INPUT` beside the questions
    (`shared.calls.methods.asking`) has the sub-codes."""


class NotOffRecord(CallError):
    """The call could not be taken off the record for certain. What was paused is on again; ask nothing sensitive.

    Attributes:
        what: what may still be listening: `recording`, `transcription` or `media streaming`.
    """

    def __init__(self, what: str, problem: str) -> None:
        self.what = what
        super().__init__(f"the {what} may still be on: {problem}")


class ActionCanceled(CallError):
    """The action was cancelled, by `cancel_all_media` or by one that interrupted it."""

    def __init__(self, action: str) -> None:
        self.action = action
        super().__init__(f"{action} was cancelled")


class TimedOut(CallError):
    """No outcome arrived in the time that the operation can take."""

    def __init__(self, action: str) -> None:
        self.action = action
        super().__init__(f"{action}: no outcome arrived in time")


class CallEnded(BaseException):
    """The call is over. A flow gets it where it stands, so that its `finally` blocks run.

    Attributes:
        code, sub_code: as in CallDisconnected's `resultInformation`.
        reason: the service's words.
        plain: what happened, in plainer ones.
    """

    def __init__(
        self, code: int = 200, sub_code: int = 0, reason: str = "the call has ended", *, plain: str = ""
    ) -> None:
        self.code = code
        self.sub_code = sub_code
        self.reason = reason
        self.plain = plain
        super().__init__(_with_words(f"{reason} ({code}/{sub_code})", plain))


def _with_words(problem: str, plain: str) -> str:
    return f"{problem} ({plain})" if plain else problem
