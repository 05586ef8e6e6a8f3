"""The HTTP API of orders: listed, and marked as seen to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import azure.functions as func

from handlers.responses import endpoint, json_response
from shared.composition import switchboard
from shared.use_cases import service

if TYPE_CHECKING:
    from shared.web.orders import OrderRoutes

blueprint = func.Blueprint()


@blueprint.function_name("list_orders")
@blueprint.route("orders", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
def list_orders(req: func.HttpRequest) -> func.HttpResponse:
    """The orders of a day."""
    return json_response(200, _routes().listed(req.params).model_dump(mode="json"))


@blueprint.function_name("get_order")
@blueprint.route("orders/{order_id}", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
def get_order(req: func.HttpRequest) -> func.HttpResponse:
    """One order."""
    return json_response(200, _routes().order(req.route_params["order_id"]).model_dump(mode="json"))


@blueprint.function_name("handle_order")
@blueprint.route("orders/{order_id}/handled", methods=["POST"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
def handle_order(req: func.HttpRequest) -> func.HttpResponse:
    """Somebody has seen to it; the first time counts."""
    return json_response(200, _routes().handle(req.route_params["order_id"]).model_dump(mode="json"))


def _routes() -> OrderRoutes:
    switchboard()
    from shared.web.orders import OrderRoutes  # the use case is imported at its first request

    return OrderRoutes(service("order"))
