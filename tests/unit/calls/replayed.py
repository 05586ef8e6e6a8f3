"""A stage on which the flow is run again from its journal after each step, as an instance does that holds no calls."""

from __future__ import annotations

from typing import Any

from shared.calls import actions
from shared.calls.journal import Entry, Issued, RefusedEntry, Responded, Signalled, TimerFired, decode, encode
from shared.calls.replay import replay
from tests.unit.calls.test_replay import Stage
from tests.unit.calls.world import APOLOGY, START


class Replayed(Stage):
    """Asserts after each step that a replay asks for nothing else. The flow may have no side effects."""

    def feed(self, entry: Entry) -> None:
        super().feed(entry)
        assert replay(self.flow, "stage", [decode(encode(one)) for one in self.journal], apology=APOLOGY) == []

    def signal(self, name: str, data: Any = None) -> None:
        """A signal comes in."""
        self.feed(Signalled(at=START, id=f"signal {len(self.journal)}", name=name, data=data))

    def fires(self, seq: int | None = None) -> None:
        """A sleep is over: the one that the flow began last, unless told."""
        slept = [o.seq for o in self.session.open_operations if isinstance(o.action, actions.Sleep)]
        entry = TimerFired(at=START, seq=slept[-1] if seq is None else seq)
        if not self.session.knows(entry):
            self.feed(entry)

    def answers(self, kind: str, value: Any = None) -> None:
        """The service responds to the action of this kind that is open."""
        self.feed(Responded(at=START, seq=self.seq(kind), value=value))

    def refuses(self, kind: str, status: int = 400, code: str = "8500") -> None:
        """The service refuses the action of this kind that is open."""
        self.feed(RefusedEntry(at=START, seq=self.seq(kind), status=status, code=code, message="no"))

    def reports(self, name: str, kind: str, result: Any = (200, 0, ""), **data: Any) -> None:
        """The service reports on the action of this kind that is open."""
        self.event(name, self.seq(kind), result, **data)

    def seq(self, kind: str) -> int:
        """The position of the open action of this kind."""
        return next(o.seq for o in self.session.open_operations if o.action.kind == kind)

    @property
    def asked(self) -> list[str]:
        """What the flow asked for since the call is up."""
        return self.issued[1:]

    @property
    def said(self) -> list[str]:
        """The texts that were played and asked."""
        return [
            prompt.text
            for entry in self.journal
            if isinstance(entry, Issued) and isinstance(entry.action, actions.Play | actions.Recognize)
            for prompt in entry.action.prompts
            if prompt.kind == "text"
        ]
