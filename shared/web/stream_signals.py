"""What the streams service may do: give signals to the flow of a call, in order, each once."""

from __future__ import annotations

import re
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from shared.calls.call import SIGNAL_NAME
from shared.calls.conductor import Conductor
from shared.calls.outcome import Outcome
from shared.errors import InvalidInput, Refused
from shared.stream_signals import MOST_BYTES, MOST_SIGNALS, SignalSignatures
from shared.web.models import MAX_KEY, read

_CONNECTION = re.compile(r"[0-9a-f]{16}")
_SEQUENCE = re.compile(r"[1-9][0-9]{0,9}")


class StreamSignal(BaseModel):
    """One signal; without an id of its own it has that of its place in the connection."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=SIGNAL_NAME)
    data: Any = None
    id: str | None = Field(None, min_length=1, max_length=MAX_KEY)


class StreamSignals(BaseModel):
    """The body of a request."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    signals: list[StreamSignal] = Field(min_length=1, max_length=MOST_SIGNALS)


class StreamSignalService:
    """Takes what the streams service signed, and nothing else."""

    def __init__(self, conductor: Conductor, signatures: SignalSignatures) -> None:
        self._conductor = conductor
        self._signatures = signatures

    def take(self, call_id: str, connection: str, sequence: str, body: bytes, signature: str | None) -> Outcome:
        """Give the signals to the call's flow; LATE once the call is over.

        Raises:
            Refused: (403) the request is not signed for this call, connection, sequence and body.
            InvalidInput: the body is too long, or not what it should be.
            UnknownCall: the store has no such call.
        """
        if len(body) > MOST_BYTES:  # before it is worked through for its signature
            raise InvalidInput("body", f"has {len(body)} bytes.", f"Send at most {MOST_BYTES}.")
        if not (_CONNECTION.fullmatch(connection) and _SEQUENCE.fullmatch(sequence)):
            raise Refused("connection or sequence is malformed", 403)
        first = int(sequence)
        self._signatures.verify(call_id, connection, first, body, signature)
        signals = read(StreamSignals, body, most=MOST_BYTES).signals
        return self._conductor.signals(
            call_id,
            [
                (one.id or f"stream-{connection}-{number}", one.name, one.data)
                for number, one in enumerate(signals, first)
            ],
        )
