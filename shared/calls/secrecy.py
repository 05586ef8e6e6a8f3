"""What of a call is secret: what its flow asked for as a secret, and whatever holds that from then on.

Deterministic and without I/O, like all of replay; `shared.calls.sealing` encrypts what is secret.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.calls.actions import Action
from shared.calls.free_text import SECRET, masked, texts_of
from shared.calls.journal import Entry, EventReceived, Issued, Marked, RefusedEntry, Responded, Signalled
from shared.calls.operation import Operation
from shared.calls.operation_context import read_context
from shared.calls.secret_values import SecretValues
from shared.errors import InvalidInput
from shared.events import DIGIT_BY_TONE, CallEvent, ContinuousDtmfRecognitionToneReceived, RecognizeCompleted
from shared.events.base import PREFIX
from shared.events.callbacks import CALLBACK_TYPES, FORMER_NAMES

Operations = Mapping[int, Operation[Any]]
"""Those of a call, by position."""

HEARD = ("RecognizeCompleted", "RecognizeFailed", "RecognizeCanceled")
"""Events that may carry what a caller keyed or said to one question."""
STREAM_SIGNALS = ("dtmf", "transcript")
"""The signals by which the streams service passes on keys and words."""


class Secrecy:
    """Learns what is secret, and says which entries hold some of it.

    Args:
        available: the app has a key to encrypt with.

    Attributes:
        asked: the flow has asked for a secret, or said that something is one.
        unattended: the call is over, and its flow does not run any more.
        gone: the flow has failed, so that nobody says any more which signals are secret: then all are.
    """

    def __init__(self, available: bool = True) -> None:
        self._available = available
        self.asked = False
        self.unattended = self.gone = False
        self.values = SecretValues()
        self._signals: set[str] = set()
        self._keys: list[dict[int, str]] = [{}]
        self._streamed = ""

    def ask(self, field: str) -> None:
        """Something is secret from here on. InvalidInput if the app has no key to encrypt it with."""
        if not self._available:
            raise InvalidInput(
                f"{field}.secret",
                "needs the setting SECRETS_KEY, which is empty: what is secret would be kept in the clear.",
                "Set it; make one with: openssl rand -base64 32",
            )
        self.asked = True

    def ask_signal(self, name: str) -> None:
        """Signals of this name are secret from here on."""
        self.ask("signal")
        self._signals.add(name)

    def shown(self, words: object) -> str:
        """A text as a log may have it."""
        text = str(words)
        return SECRET if self.values.held_by(text) else text

    # What comes in

    def hear(self, event: CallEvent, operation: Operation[Any] | None) -> None:
        """Learn what a caller keyed or said to a question for a secret, and keys that are reported one by one."""
        if isinstance(event, ContinuousDtmfRecognitionToneReceived):
            self._hear_key(event)
        elif isinstance(event, RecognizeCompleted) and (operation is None or is_secret(operation.action)):
            phrase = event.choice_result.recognized_phrase if event.choice_result else None
            for said in (event.digits, event.speech, event.choice, phrase):
                if said:
                    self.values.learn(said)

    def _hear_key(self, event: ContinuousDtmfRecognitionToneReceived) -> None:
        if self._keys[-1].get(event.sequence_id, event.tone) != event.tone:
            self._keys.append({})  # their numbers have begun again
        series = self._keys[-1]
        series[event.sequence_id] = event.tone
        keys = "".join(DIGIT_BY_TONE.get(series[number], "*") for number in sorted(series))
        self.values.learn_keys(f"keys {len(self._keys)}", keys)

    def take(self, entry: Signalled | Responded, operation: Operation[Any] | None = None) -> None:
        """Learn what a secret signal or the result of a secret `run` brings."""
        if isinstance(entry, Signalled):
            if self.asked and entry.name == "dtmf" and isinstance(entry.data, dict):
                self._streamed += str(entry.data.get("tone", ""))
                self.values.learn_keys("streamed", self._streamed)
            elif self.asked and self._is_secret_signal(entry.name):
                self.values.learn_numbers(entry.data)
        elif operation is not None and is_secret(operation.action):
            self.values.learn_numbers(entry.value)

    def _is_secret_signal(self, name: str) -> bool:
        return name in self._signals or name in STREAM_SIGNALS or self.gone or self.unattended

    # What is written

    def hides(self, entry: Entry, call_id: str, operations: Operations) -> bool:
        """Whether an entry holds something secret."""
        if isinstance(entry, EventReceived):
            return self._hides_event(entry.event, call_id, operations)
        if not self.asked:
            return False
        match entry:
            case Issued():
                return says_a_secret(entry.action) or self.values.in_json(texts_of(entry.action))
            case Signalled():
                return self._is_secret_signal(entry.name) or self.values.in_json(entry.data)
            case Responded():
                return self._is_secret_run(operations[entry.seq]) or self.values.in_json(entry.value)
            case RefusedEntry():
                said = f"{entry.code} {entry.message}"
                return self._is_secret_run(operations[entry.seq]) or self.values.held_by(said)
            case Marked():
                return self.values.held_by(entry.name)
        return False

    def _hides_event(self, event: Mapping[str, Any], call_id: str, operations: Operations) -> bool:
        name = str(event.get("type")).removeprefix(PREFIX)
        name = FORMER_NAMES.get(name, name)
        if not self.asked and name not in HEARD:
            return False
        data = event.get("data")
        data = data if isinstance(data, Mapping) else {}
        if name in HEARD:
            context = data.get("operationContext")
            its_call, position, _ = read_context(context) if isinstance(context, str) else ("", -1, -1)
            if its_call and its_call != call_id:
                return True  # what somebody keyed or said on another call, which may be secret there
            operation = operations.get(position)
            if self.asked and (operation is None or is_secret(operation.action)):
                return True
        elif is_key(event) or name not in CALLBACK_TYPES:
            return True  # keys that belong to no question, and what nobody knows
        result = data.get("resultInformation")
        said = {key: data[key] for key in data if key not in KEPT_DATA} if name in HEARD else {}
        return self.values.in_json([result, said])

    def _is_secret_run(self, operation: Operation[Any]) -> bool:
        return operation.action.kind == "run" and is_secret(operation.action)


KEPT = ("id", "source", "type", "time", "specversion", "datacontenttype", "subject")
KEPT_DATA = (
    "version", "operationContext", "callConnectionId", "serverCallId", "correlationId", "publicEventType",
    "eventSource", "recognitionType",
)  # fmt: skip
"""What is not secret of an event and of its data: enough to know it again, and to see what it is about."""


def is_key(event: Mapping[str, Any]) -> bool:
    """Whether an event reports a single key."""
    return event.get("type") == f"{PREFIX}{ContinuousDtmfRecognitionToneReceived.__name__}"


def is_secret(action: Action) -> bool:
    """Whether an action asks for a secret, gives one back or says one."""
    return (
        action.__dict__.get("secret") is True
    )  # a replay asks for each action: pydantic is slow for what is not there


def says_a_secret(action: Action) -> bool:
    """Whether the flow has said that what it asks for, the words or keys of an action, is secret."""
    return is_secret(action) and not action.spec.secret_comes_back


def without_texts(action: Action) -> Action:
    """The action without what a flow wrote into it."""
    return type(action).model_validate(masked(action))
