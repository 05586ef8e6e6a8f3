"""Orders over HTTP: placed in a call, listed, marked as seen to."""

from __future__ import annotations

from typing import Any

from shared.use_cases import service
from tests.functional.api import assert_refused, read
from tests.functional.app import App, problem

PRICES = {"roses": 350}


def placed(app: App, count: int) -> list[dict[str, Any]]:
    orders = service("order")
    return [orders.place(f"call-{at}", "+14255550123", {"roses": at}, PRICES, "card") for at in range(1, count + 1)]


def test_orders_are_listed_in_pages_and_seen_to(app: App) -> None:
    first, second, third = placed(app, 3)
    page = read(app.request("GET", "/api/orders?limit=2"), 200)
    assert [one["id"] for one in page["orders"]] == [first["order"], second["order"]]
    assert page["orders"][1] | {"at": ""} == {
        "id": second["order"],
        "number": 2,
        "call_id": "call-2",
        "at": "",
        "caller": "+14255550123",
        "items": [{"name": "roses", "quantity": 2, "price": 350}],
        "total": 700,
        "pay": "card",
        "handled_at": None,
    }
    rest = read(app.request("GET", f"/api/orders?after={page['next']}"), 200)
    assert ([one["id"] for one in rest["orders"]], rest["next"]) == ([third["order"]], None)
    handled = read(app.request("POST", f"/api/orders/{first['order']}/handled"), 200)
    assert handled["handled_at"]
    assert read(app.request("GET", f"/api/orders/{first['order']}"), 200) == handled
    left = read(app.request("GET", "/api/orders?open=true"), 200)["orders"]
    assert [one["id"] for one in left] == [second["order"], third["order"]]


def test_what_is_wrong_is_named(app: App) -> None:
    assert_refused(app.request("GET", "/api/orders?day=monday"), 400, "day")
    assert_refused(app.request("GET", "/api/orders?open=maybe"), 400, "open")
    assert problem(app.request("GET", "/api/orders/20261128-000001"))["status"] == 404
    assert problem(app.request("POST", "/api/orders/x/handled"))["status"] == 404
