"""Where the outcome of an accepted request is reported."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from acs_emulator.calls.call import Leg
from acs_emulator.core.outcomes import Outcome


@dataclass(frozen=True)
class ReplyTo:
    """The leg that was asked, the request's operation context, and its own callback URI if it named one."""

    leg: Leg
    context: str | None
    url: str | None

    def emit(self, name: str, specific: dict[str, Any] | None, outcome: Outcome) -> None:
        self.leg.emit(name, specific, outcome, self.context, self.url)
