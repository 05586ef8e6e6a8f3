"""A call that keys a secret, on an app with two instances or more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from shared.calls import Call, Flow, text
from shared.calls.outcome import Outcome
from shared.calls.store.memory import MemoryStore
from shared.secret_keys import SecretKeys
from tests.setting_samples import made_key
from tests.unit.calls.world import Instance, World, a_ring, answering, parsed

CARD = "4929007318466520"
TONES = {"0": "zero", "1": "one", "2": "two", "3": "three", "4": "four", "5": "five", "6": "six", "7": "seven",
         "8": "eight", "9": "nine"}  # fmt: skip
KEYS = SecretKeys(made_key("secrets"))


class Bank:
    """Takes money; the same key takes it once."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    def charge(self, card: str, key: str) -> str:
        self.asked.append((card, key))
        return f"receipt {len(card)}"


class Stage:
    """A call of one flow, on an app with two instances or more."""

    def __init__(
        self, function: Callable[[Call], Any], keys: SecretKeys | None = KEYS, world: World | None = None
    ) -> None:
        self.world = world or World()
        self.flows = {"card": Flow("card", function)}
        self.keys = keys
        self.one = self.instance()
        self.call_id = self.one.ring(a_ring(), answering(), "card")[1]
        for body in self.world.wire.reaction(self.world.last()):
            self.one.deliver(self.call_id, [parsed(body)])

    def instance(self, keys: SecretKeys | None = None) -> Instance:
        return self.world.conductor(flows=self.flows, secrets=keys or self.keys)

    @property
    def store(self) -> MemoryStore:
        assert isinstance(self.world.store, MemoryStore)
        return self.world.store

    def event(self, name: str, context: str | None = None, by: Instance | None = None, **data: Any) -> Outcome:
        body = self.world.wire.event(name, context, **data)
        return (by or self.one).deliver(self.call_id, [parsed(body)])

    def key_in(self, digits: str, by: Instance | None = None) -> Outcome:
        """The caller keys this to the newest question."""
        request = next(r for r in reversed(self.world.gateway.performed) if r.action.kind == "recognize")
        tones = [TONES[digit] for digit in digits]
        return self.event(
            "RecognizeCompleted",
            request.operation_context,
            by,
            recognitionType="dtmf",
            dtmfResult={"tones": tones},
        )

    def played(self) -> None:
        self.event("PlayCompleted", self.world.last().operation_context)

    def hang_up(self, by: Instance | None = None) -> Outcome:
        return self.event("CallDisconnected", None, by)

    def kept(self) -> dict[str, Any]:
        """All that is stored, and all that anybody is shown."""
        stored = self.store.load(self.call_id)
        return {
            "record": asdict(stored.record),
            "journal": stored.journal,
            "rows": self.store._rows,
            "archive": self.store.archive,
            "entries": self.one.entries(self.call_id),
        }

    def journal_of(self, kind: str) -> list[dict[str, Any]]:
        return [entry for entry in self.one.entries(self.call_id) if entry["entry"] == kind]


def paying(bank: Bank) -> Callable[[Call], Any]:
    async def card(call: Call) -> None:
        number = await call.ask_digits(text("Your card?"), max_tones=16, secret=True)
        receipt = await call.run(bank.charge, number, call.id)
        await call.play(text(f"Paid, {receipt}"))

    return card
