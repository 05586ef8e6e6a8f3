"""An order, as pure values: what is in it, what it costs, and the sum that tells a card number from a slip."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Pay = Literal["card", "on_delivery"]
MOST_OF_ONE = 99
_ID = re.compile(r"(\d{4})(\d\d)(\d\d)-(\d{6,})")
_SHORTEST_CARD, _LONGEST_CARD = 12, 19
"""Digits (ISO/IEC 7812-1)."""


class Item(BaseModel):
    """A line of an order. `price` is that of one, in cents."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    name: str
    quantity: int = Field(ge=1, le=MOST_OF_ONE)
    price: int = Field(ge=0)


class Order(BaseModel):
    """An order.

    Attributes:
        number: by which it is called towards the caller; counted from 1.
        call_id: of the call in which it was placed.
        caller: their number; empty: withheld.
        person: keyed hash of that.
        handled_at: when somebody had seen to it; None: not yet.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    id: str
    number: int
    call_id: str
    at: datetime
    caller: str
    person: str
    items: tuple[Item, ...] = Field(min_length=1)
    pay: Pay
    handled_at: datetime | None = None

    @property
    def total(self) -> int:
        """Cents."""
        return sum(item.quantity * item.price for item in self.items)


def made_id(day: str, number: int) -> str:
    """The id of an order of a UTC day, `2026-11-28`."""
    return f"{day.replace('-', '')}-{number:06}"


def day_of(order_id: str) -> str | None:
    """The UTC day that an id is of; None: it is no id."""
    match = _ID.fullmatch(order_id)
    return "-".join(match.groups()[:3]) if match else None


def items_of(basket: Mapping[str, int], prices: Mapping[str, int]) -> tuple[Item, ...]:
    """What is in a basket, at these prices in cents."""
    return tuple(
        Item(name=name, quantity=quantity, price=prices[name]) for name, quantity in basket.items() if quantity
    )


def is_card(digits: str) -> bool:
    """Whether these can be a card's number, by the last of them (Luhn, ISO/IEC 7812-1)."""
    if not (digits.isascii() and digits.isdecimal() and _SHORTEST_CARD <= len(digits) <= _LONGEST_CARD):
        return False
    doubled = [int(digit) * (1 + at % 2) for at, digit in enumerate(reversed(digits))]
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


def is_expiry(digits: str, now: datetime) -> bool:
    """Whether a card with this month and year, `1228`, is good until then."""
    if not (digits.isascii() and digits.isdecimal() and len(digits) == 4) or not 1 <= int(digits[:2]) <= 12:
        return False
    return (2000 + int(digits[2:]), int(digits[:2])) >= (now.year, now.month)
