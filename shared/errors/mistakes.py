"""What no flow can do: each ends it with the fallback, and says what to write instead."""

from __future__ import annotations

from shared.errors.base import SwitchboardError


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
