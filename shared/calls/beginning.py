"""What a flow begins with: its input as the journal keeps it, and its language."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from shared.calls.flow import Flow
from shared.calls.journal import Started
from shared.calls.typed_input import incoming_input, journaled_input, same_input


@dataclass(frozen=True, slots=True)
class Beginning:
    """What the first entry of a call says of its flow.

    Attributes:
        given: the input as it was given.
        language: None: whatever the settings say.
    """

    flow: Flow | None
    given: Any
    input: Any
    language: str | None

    def is_repeated(self, started: Started, earlier: Started) -> bool:
        """Whether an entry says what an earlier one says, but for its time, for defaults such as a new id, and for what
        journals of 0.1 do not tell."""
        model = self.flow.input if self.flow else None
        same = same_input(model, started.input, earlier.input, self.given)
        ignored = {"at": earlier.at, "input": earlier.input, "placed_by_flow": earlier.placed_by_flow}
        return same and started.model_copy(update=ignored) == earlier


def begin_with(flow: Flow | None, language: str, default: str, *, placed: bool = False, data: Any = None) -> Beginning:
    """What a call of this flow begins with. InvalidInput for an input or a language that the flow does not take.

    Args:
        flow: None: the call is only rejected or redirected.
        language: by the routing; empty: by the input, or else the default.
        default: by the settings.
        placed: the app places the call; one that comes in has no input but the model's defaults.
    """
    if flow is None:
        return Beginning(None, data, data, None)
    kept = journaled_input(flow.input, data) if placed or data is not None else incoming_input(flow.input)
    return Beginning(flow, data, kept, flow.texts.first(language, kept, default) or None)
