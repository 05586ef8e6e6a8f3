"""Orders: written once for each call, paid by card or on delivery, listed, seen to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from shared.calls.record import CallRecord
from shared.errors import InvalidInput, NotFound
from shared.identifiers import Identifier
from shared.orders.order import Order, Pay, is_card, is_expiry, items_of, made_id
from shared.orders.store import OrderStore
from shared.privacy import NumberHashes
from shared.use_cases.base import Erased, Task

MOST_REMOVED = 500
"""Orders that one run of the upkeep removes (our choice)."""


class Payment(Protocol):
    """Takes money from a card, by somebody who may keep card numbers: this app does not."""

    @property
    def is_set_up(self) -> bool:
        """Whether cards can be taken at all."""

    def charge(self, key: str, cents: int, card: str, expiry: str) -> bool:
        """Whether the card was charged; the same key charges it once. StoreUnavailable where nobody responds."""


class Orders:
    """The use case. Safe to share between threads."""

    def __init__(
        self,
        store: OrderStore,
        hashes: NumberHashes,
        payment: Payment,
        *,
        retention_days: int = 90,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.store = store
        self._hashes = hashes
        self._payment = payment
        self._retention = retention_days
        self._clock = clock

    # What the flow asks for and tells

    def takes_cards(self) -> bool:
        """Whether a card can be offered."""
        return self._payment.is_set_up

    def place(
        self, call_id: str, caller: str, basket: Mapping[str, int], prices: Mapping[str, int], pay: Pay
    ) -> dict[str, Any]:
        """Write the order of a call, once; its number and total."""
        day = f"{self._clock():%Y-%m-%d}"
        number, day = self.store.allot(call_id, day)
        order = Order(
            id=made_id(day, number),
            number=number,
            call_id=call_id,
            at=self._clock(),
            caller=caller,
            person=self._hashes.of(caller or "withheld"),
            items=items_of(basket, prices),
            pay=pay,
        )
        kept = self.store.add(order)
        return {"order": kept.id, "number": kept.number, "total": kept.total}

    def charge(self, call_id: str, attempt: int, cents: int, card: str, expiry: str) -> bool:
        """Whether the card was charged for the order of a call; once for each attempt, however often this is done."""
        if not is_card(card) or not is_expiry(expiry, self._clock()):
            return False
        return self._payment.charge(f"{call_id}-{attempt}", cents, card, expiry)

    # For who sees to them

    def order(self, order_id: str) -> Order:
        """One order. NotFound."""
        found = self.store.order(order_id)
        if found is None:
            raise _unknown(order_id)
        return found

    def handle(self, order_id: str) -> Order:
        """Somebody has seen to it; the first time counts. NotFound."""
        now = self._clock()
        found = self.store.change(
            order_id, lambda was: was if was.handled_at else was.model_copy(update={"handled_at": now})
        )
        if found is None:
            raise _unknown(order_id)
        return found

    # As a use case

    def work(self, task: Task) -> str:
        """It has nothing on the queue. InvalidInput."""
        raise InvalidInput("message", f"{task.what[:40]!r} is no work of orders.", "Remove it.")

    def due(self, item: str) -> None:
        """It has nothing on the agenda."""

    def closing(self, record: CallRecord) -> None:
        """An order is written during its call: nothing is left to do."""

    def may_place(self, record: CallRecord) -> bool:
        return True

    def export(self, number: Identifier) -> Mapping[str, Any]:
        """The orders of a number."""
        found = self.store.of_number(self._hashes.candidates(number.raw_id))
        return {"orders": [one.model_dump(mode="json", exclude={"person"}) for one in found]} if found else {}

    def erase(self, number: Identifier) -> Erased:
        """Remove the orders of a number."""
        return Erased(self.store.erase(self._hashes.candidates(number.raw_id)))

    def expire(self, now: datetime) -> int:
        """Remove old orders."""
        if not self._retention:
            return 0
        return self.store.remove_before((now - timedelta(days=self._retention)).date(), MOST_REMOVED)


def _unknown(order_id: str) -> NotFound:
    return NotFound("order_id", f"{order_id[:40]!r} is not an order.", "GET /api/orders lists them.")
