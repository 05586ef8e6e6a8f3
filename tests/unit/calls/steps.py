"""A call that goes on step by step: after each, its journal is replayed and must ask for nothing new."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from shared.calls import Flow, Prompt, actions
from shared.calls.gateway.base import Request
from shared.calls.journal import Entry, Failed, Started
from shared.calls.record import CallRecord
from shared.calls.replay import replay
from tests.unit.calls.world import APOLOGY, World, a_ring, answering, parsed


class Steps:
    """One call of a flow, on an instance that holds it or on one that has to load it each time."""

    def __init__(self, flow: Flow, *, cold: bool = False, **options: Any) -> None:
        self.flow = flow
        self.world = World()
        self.options = {"cached_calls": 0 if cold else 2000, **options}
        self.conductor = self.world.conductor(flows={flow.name: flow}, **self.options)
        self.call_id = ""
        self.seen = 0

    def ring(self, *, language: str = "") -> None:
        """Somebody calls, and is answered."""
        ring = replace(a_ring(self.world.clock.now), language=language)
        opening = None if self.flow.opens else answering()
        _, self.call_id = self.conductor.ring(ring, opening, self.flow.name)
        self.step()

    def place(self, data: Any) -> None:
        """The app calls somebody, who answers."""
        opening = actions.CreateCall(targets=(a_ring().caller,), caller_id=a_ring().callee)
        _, self.call_id = self.conductor.place(self.flow.name, opening, data=data)
        self.step()

    def step(self, heard: str | None = "yes") -> None:
        """The service does what it was asked since the last step, and calls back."""
        performed = self.world.gateway.performed
        for request in performed[self.seen : (newest := len(performed))]:
            self.deliver(*self.world.wire.reaction(request, heard))
        self.seen = newest

    def deliver(self, *bodies: Mapping[str, Any]) -> None:
        """Callbacks come in."""
        for body in bodies:
            self.conductor.deliver(self.call_id, [parsed(body)])
            assert self.again() == []

    def event(self, name: str, request: Request, result: Sequence[Any] = (200, 0, ""), **data: Any) -> None:
        """The service says this of a request."""
        self.deliver(self.world.wire.event(name, request.operation_context, result, **data))

    def again(self, flow: Flow | None = None) -> list[Entry]:
        """What a replay of the journal asks for beyond it."""
        transfer_to = self.options.get("transfer_to")
        journal = self.world.journal(self.call_id)
        return replay(flow or self.flow, self.call_id, journal, apology=APOLOGY, transfer_to=transfer_to)

    @property
    def started(self) -> Started:
        entry = self.world.journal(self.call_id)[0]
        assert isinstance(entry, Started)
        return entry

    @property
    def prompts(self) -> list[Prompt]:
        """What was played and asked, in order."""
        done = [request.action for request in self.world.gateway.performed]
        return [prompt for a in done if isinstance(a, actions.Play | actions.Recognize) for prompt in a.prompts]

    @property
    def spoken(self) -> list[str]:
        return [getattr(prompt, "text", "") for prompt in self.prompts]

    @property
    def failures(self) -> list[str]:
        return [entry.error for entry in self.world.journal(self.call_id) if isinstance(entry, Failed)]

    @property
    def record(self) -> CallRecord:
        return self.world.store.peek(self.call_id)
