"""What is kept of orders, over rows.

partition       key
numbers         next                  the next number, and which call got which of the last ones
day <date>      id of an order        the order
number <hash>   id of an order        nothing: it is found by the caller's number
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from datetime import date
from typing import Any

from shared.orders.order import Order, day_of
from shared.rows import Rows

TABLE = "orders"
NUMBERS, NEXT, DAY, NUMBER = "numbers", "next", "day ", "number "
REMEMBERED = 200
"""Calls of which it is known which number they got (our choice): a write whose response got lost is done again."""


class OrderStore:
    """Keeps orders. Raises as `Rows` does."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def allot(self, call_id: str, day: str) -> tuple[int, str]:
        """A number for the order of a call, and the day that it counts for; the same call gets the same again."""

        call = hashlib.sha256(call_id.encode()).hexdigest()[:16]  # it outlives the call, of which nothing is left then

        def allotted(was: str | None) -> str:
            found: dict[str, Any] = json.loads(was) if was else {"next": 1, "calls": []}
            if any(one[0] == call for one in found["calls"]):
                return was or ""
            calls = [*found["calls"], [call, found["next"], day]][-REMEMBERED:]
            return json.dumps({"next": found["next"] + 1, "calls": calls}, separators=(",", ":"))

        text = self._rows.change(TABLE, NUMBERS, {NEXT: allotted})[NEXT][1]
        number, day = next(one[1:] for one in json.loads(text or "")["calls"] if one[0] == call)
        return int(number), str(day)

    def add(self, order: Order) -> Order:
        """Keep an order, unless it is there: as it is there then."""
        self._rows.put(TABLE, NUMBER + order.person, {order.id: ""})
        day = day_of(order.id) or ""
        changed = self._rows.change(TABLE, DAY + day, {order.id: lambda was: was or order.model_dump_json()})
        return Order.model_validate_json(changed[order.id][1] or "")

    def order(self, order_id: str) -> Order | None:
        """One order. One round trip, none for what is no id."""
        day = day_of(order_id)
        text = self._rows.get(TABLE, DAY + day, order_id) if day else None
        return Order.model_validate_json(text) if text else None

    def change(self, order_id: str, change: Callable[[Order], Order]) -> Order | None:
        """Change one as it is at that moment. None: there is none."""
        day = day_of(order_id)
        if day is None:
            return None

        def text(was: str | None) -> str | None:
            return change(Order.model_validate_json(was)).model_dump_json() if was else None

        after = self._rows.change(TABLE, DAY + day, {order_id: text})[order_id][1]
        return Order.model_validate_json(after) if after else None

    def of_day(self, day: str) -> Iterable[Order]:
        """The orders of a UTC day, by number."""
        for row in self._rows.first(TABLE, DAY + day, DAY + day + "~"):
            yield Order.model_validate_json(row.text)

    def of_number(self, hashes: Iterable[str]) -> list[Order]:
        """The orders of a number, by its hashes."""
        found = (self.order(order_id) for _, order_id in self._of_number(hashes))
        return [order for order in found if order is not None]

    def erase(self, hashes: Iterable[str]) -> int:
        """Remove the orders of a number; how many."""
        found = list(self._of_number(hashes))
        for partition, order_id in found:
            self._remove(order_id, DAY + (day_of(order_id) or ""), partition)
        return len(found)

    def remove_before(self, day: date, most: int) -> int:
        """Remove the orders from before a day, so many at most; how many. One query where there is none."""
        old = list(self._rows.first(TABLE, DAY, DAY + day.isoformat(), most))
        for row in old:
            self._remove(row.key, NUMBER + Order.model_validate_json(row.text).person, row.partition)
        return len(old)

    def _remove(self, order_id: str, first: str, last: str) -> None:
        """The row by which it was found goes last, so that what was interrupted is found again."""
        self._rows.put(TABLE, first, {order_id: None})
        self._rows.put(TABLE, last, {order_id: None})

    def _of_number(self, hashes: Iterable[str]) -> Iterable[tuple[str, str]]:
        for one in hashes:
            for row in self._rows.first(TABLE, NUMBER + one, NUMBER + one + "~"):
                yield row.partition, row.key
