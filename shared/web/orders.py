"""Orders in the HTTP API: listed for who delivers them, and marked when that is done."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from shared.errors import InvalidInput
from shared.orders.order import Item, Order, Pay
from shared.orders.service import Orders
from shared.web.document import PAGE, Document
from shared.web.queries import day, limit, only, page, position

_OPEN = ("true", "false")


class OrderView(BaseModel):
    """An order."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    id: str
    number: int = Field(description="by which it is called towards the caller")
    call_id: str
    at: datetime
    caller: str = Field(description="empty: withheld")
    items: tuple[Item, ...]
    total: int = Field(description="cents")
    pay: Pay
    handled_at: datetime | None


class OrderList(BaseModel):
    """One page of the orders of a day, by number."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    orders: tuple[OrderView, ...]
    next: str | None = Field(None, description="`after` of the next page; null: this is the last")


class OrderRoutes:
    """What the routes do."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders

    def listed(self, query: Mapping[str, str]) -> OrderList:
        """A page of the orders of a day."""
        only(query, ("day", "open", "limit", "after"))
        size, after, of_day = limit(query.get("limit")), position(query.get("after")), day(query.get("day"))
        still_open = query.get("open") or "false"
        if still_open not in _OPEN:
            raise InvalidInput(
                "open", f"{still_open[:40]!r} is neither true nor false.", "Write true, or leave it out."
            )
        rows = (one for one in self._orders.store.of_day(of_day) if one.id > after)
        found, more = page((one for one in rows if still_open == "false" or one.handled_at is None), size)
        return OrderList(orders=tuple(map(_view, found)), next=found[-1].id if more else None)

    def order(self, order_id: str) -> OrderView:
        """One order. NotFound."""
        return _view(self._orders.order(order_id))

    def handle(self, order_id: str) -> OrderView:
        """Somebody has seen to it. NotFound."""
        return _view(self._orders.handle(order_id))


def _view(order: Order) -> OrderView:
    return OrderView(**{name: getattr(order, name) for name in OrderView.model_fields})


_ORDER: dict[str, Any] = {"name": "order_id", "in": "path", "required": True, "schema": {"type": "string"}}
_LIST: list[dict[str, Any]] = [
    {
        "name": "day",
        "in": "query",
        "description": "UTC day, 2026-11-23; default: today",
        "schema": {"type": "string", "format": "date"},
    },
    {
        "name": "open",
        "in": "query",
        "description": "`true`: only those that nobody has seen to",
        "schema": {"type": "string", "enum": list(_OPEN)},
    },
    *PAGE,
]


def describe(document: Document) -> None:
    """Its routes in the OpenAPI document."""
    one: dict[int, type[BaseModel]] = {200: OrderView}
    listed: dict[int, type[BaseModel]] = {200: OrderList}
    document.add("/orders", "get", "listOrders", "List the orders of a day", None, listed, _LIST, (400, 401, 503))
    path, problems = "/orders/{order_id}", (401, 404, 503)
    document.add(path, "get", "getOrder", "Get an order", None, one, [_ORDER], problems)
    document.add(f"{path}/handled", "post", "handleOrder", "Mark an order as seen to", None, one, [_ORDER], problems)
