"""Every error that Switchboard raises on purpose.

SwitchboardError
├── InvalidInput            a field of a request, body or file is wrong: names the field and the remedy
│   ├── SettingsError       an app setting is missing or wrong
│   ├── RoutingError        the routing file is wrong: names the line
│   ├── ScorecardError      a scorecard is wrong: names the line
│   ├── TextsError          the texts of a flow are wrong: names the line
│   ├── UnknownAction       no action of this name can be taken on a live call
│   ├── KeyReused           an idempotency key came back with another request
│   └── MalformedEvent      a delivered event cannot be read
├── Misconfigured           the app cannot work as it is set up: its log says what to change         (retryable)
├── Refused                 a caller may not do this: no token, wrong signature, wrong call
├── KeysUnavailable         the keys that callback tokens are checked with are unavailable   (retryable)
├── LimitReached            this process holds or serves as much as it may                   (retryable)
├── CallOver                the call has ended: nothing can be done on it any more
├── NotConnected            the call has no connection yet that an action could go to
├── UnknownCall             no call with this id
├── StoreError
│   ├── AlreadyClaimed      the call exists: somebody else took it
│   ├── LostRace            the call changed since it was read: load it again            (retryable)
│   ├── StoreRefused        the storage will never take this request: it says why
│   └── StoreUnavailable    the storage did not answer or failed                         (retryable)
├── RecordingError
│   ├── UnknownRecording    no recording with this id
│   ├── ForeignLocation     a file lies at an address that this app does not fetch from
│   ├── SourceUnavailable   the file is unavailable now                                   (retryable)
│   ├── UnreadableAudio     what came is not the audio that it should be                  (retryable)
│   └── TranscriptionFailed the speech service gave no transcript                          (retryable)
├── NotificationError       shared.notifications.errors
│   ├── UnknownDeadLetter   no event of this call waits to be replayed
│   └── NotDelivered        a topic or a hook did not take an event                       (mostly retryable)
│       ├── ForbiddenAddress  a hook leads to where this app sends nothing
│       └── TopicUnavailable  the Event Grid topic did not take an event
├── WantsPerson             a caller who was offered it asks for a person: no failure
├── FlowMistake             a flow does what no flow can do: says what to write instead
│   ├── ForeignAwait        it awaits what the call does not give
│   ├── ForgottenAwait      it does not await what needs it
│   ├── NotDeterministic    it reads the clock, chance or the network
│   ├── EndlessLoop         it asks again and again for what fails at once
│   └── FlowChanged         it no longer does what its journal says it did
└── CallError               what a flow can meet at an `await`
    ├── ActionRefused       the service refused the request, or could not be reached
    │   ├── Braked          shared.calls.brakes: a brake of the app kept the request from going out
    │   ├── RunFailed       a function of `call.run` raised, or gave back what is no JSON
    │   └── ResponseLost    the request went out and no response came: what became of it is unknown      (internal)
    ├── ActionFailed        the service took the request and reported a failure later
    │   └── NoInput         a recognize heard nothing usable in all its attempts
    ├── NotOffRecord        recording or streams could not be paused for certain: nothing sensitive may be asked
    ├── ActionCanceled      the action was cancelled before it could finish
    └── TimedOut            no outcome arrived in the time that it can take

CallEnded                   the call is over. A BaseException, as asyncio's CancelledError is one: a flow that goes on
                            after an error must not take the end of its call for one

`retryable` says whether doing the same again may help.
"""

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


class Misconfigured(SwitchboardError):
    """Settings, routing or flows are wrong, so nothing runs. The log named what and the remedy, once.

    No InvalidInput: what a trigger brought is right, and is brought again.
    """

    retryable = True


class RoutingError(InvalidInput):
    """The routing file is wrong; the field is `file:line: path`."""


class ScorecardError(InvalidInput):
    """A scorecard is wrong; the field is `file:line: path`."""


class TextsError(InvalidInput):
    """The texts of a flow are wrong; the field is `file:line: path`."""


class MalformedEvent(InvalidInput):
    """A delivered body is not the event that it should be. Sending it again will not help."""


class UnknownAction(InvalidInput):
    """No action of this name can be taken on a live call."""


class KeyReused(InvalidInput):
    """An idempotency key stands for one request; this one is another."""

    def __init__(self) -> None:
        super().__init__(
            "Idempotency-Key", "was used before, for a request that says something else.", "Use a new key."
        )


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
        status: 429 where the limit is that of one call, 503 where it is that of the process.
    """

    retryable = True

    def __init__(self, problem: str, status: int = 503) -> None:
        self.status = status
        super().__init__(problem)


class CallOver(SwitchboardError):
    """The call has ended, so it takes no action and no signal."""

    def __init__(self, call_id: str) -> None:
        self.call_id = call_id
        super().__init__(f"call {call_id} has ended; nothing can be done on it any more")


class NotConnected(SwitchboardError):
    """There is no call connection yet that an action could go to.

    Attributes:
        waits: the flow has not placed the call yet; otherwise it is being set up.
    """

    def __init__(self, call_id: str, *, waits: bool = False) -> None:
        self.call_id = call_id
        self.waits = waits
        why = "has not been placed yet; hang_up cancels it, anything else has to wait until it is connected"
        super().__init__(f"call {call_id} {why if waits else 'is not connected yet; try again once it is'}")


class UnknownCall(SwitchboardError):
    """No call with this id is in the store."""

    def __init__(self, call_id: str) -> None:
        self.call_id = call_id
        super().__init__(f"no call {call_id}; it may be older than the store keeps calls")


class StoreError(SwitchboardError):
    """The call context could not be read or written."""


class AlreadyClaimed(StoreError):
    """The call's head exists already, so another delivery took the call."""


class LostRace(StoreError):
    """Another delivery committed first: load the call again and replay."""

    retryable = True


class StoreRefused(StoreError):
    """The storage refuses the request itself: no right to it, a key it cannot have, a row that is too large."""


class StoreUnavailable(StoreError):
    """The storage failed or did not answer in time."""

    retryable = True


class WantsPerson(SwitchboardError):
    """The caller asks for a person by a `key`, as `person="0"` offered. It is no failure, and so no CallError."""

    def __init__(self, key: str) -> None:
        self.key = key
        super().__init__("the caller asks for a person: catch WantsPerson around the question")


def _with_words(problem: str, plain: str) -> str:
    return f"{problem} ({plain})" if plain else problem


class FlowMistake(SwitchboardError):
    """A flow does what no flow can do. It is ended with the fallback.

    Attributes:
        remedy: what to write instead.
        where, line: the place in the flow, where it does not follow from the traceback; empty otherwise.
    """

    def __init__(self, problem: str, remedy: str, *, where: str = "", line: str = "") -> None:
        self.problem = problem
        self.remedy = remedy
        self.where = where
        self.line = line
        super().__init__(problem)


class ForeignAwait(FlowMistake):
    """A flow awaits something that no call gave it, such as `asyncio.sleep`: nothing would ever wake it."""


class ForgottenAwait(FlowMistake):
    """A coroutine was made and never awaited, or what the caller should hear is cut off by the flow's end."""


class NotDeterministic(FlowMistake):
    """A flow reads the clock, chance or the network: replayed, it would do something else."""


class EndlessLoop(FlowMistake):
    """A flow asks again and again for what fails at once."""


class FlowChanged(FlowMistake):
    """A replayed flow asks for something else than its journal holds.

    The code of the flow changed under a running call, or the flow is not deterministic: it read the clock,
    a random number or a service outside `call.run`.
    """

    def __init__(self, problem: str, remedy: str = "", *, where: str = "", line: str = "") -> None:
        super().__init__(problem, remedy or CHANGED_FLOW, where=where, line=line)


CHANGED_FLOW = (
    'Put a step that was inserted or taken out under `if call.version("name"):`. If the code has not changed, '
    "something in the flow differs from run to run: take the time from call.now and everything else through call.run."
)
"""What helps a flow whose replay asks for something else."""


class CallError(SwitchboardError):
    """Something that a flow meets at an `await` and may catch."""


class ActionRefused(CallError):
    """The service refused the request, or could not be reached after the client's retries.

    Attributes:
        action: the operation, in the service's words (`play`).
        status: the HTTP status, 0 where no answer came.
        code: the `error.code` of the service's answer, often a sub-code (`8522`).
        transient: the same request may succeed later (429, 5xx, no answer).
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
    """A recognize heard nothing usable in any of its attempts."""


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
    """The service does not give the file now: no answer, an error status, or an answer that broke off too often.

    Attributes:
        status: the HTTP status; None: no answer.
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
    """The speech service gave no transcript: no answer, an error status, or an answer that is none.

    Attributes:
        status: the HTTP status; None: no answer.
        lasting: the same request will fail again (a wrong key, a language that the service does not know).
    """

    retryable = True

    def __init__(self, problem: str, status: int | None = None, *, lasting: bool = False) -> None:
        self.status = status
        self.lasting = lasting
        super().__init__(problem)
