"""The HTTP API on calls: place, connect, list, search, view, act, signal. Every route needs a function key."""

from __future__ import annotations

import azure.functions as func

from handlers.responses import endpoint, json_response
from shared.composition import switchboard

IDEMPOTENCY_KEY = "Idempotency-Key"

blueprint = func.Blueprint()


@blueprint.function_name("place_call")
@blueprint.route("calls", methods=["POST"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
def place_call(req: func.HttpRequest) -> func.HttpResponse:
    """Place a call, or connect to one that is up already."""
    placed = switchboard().service.place(req.get_body(), req.headers.get(IDEMPOTENCY_KEY))
    status = 201 if placed.outcome == "claimed" else 200
    return json_response(status, placed.model_dump(mode="json"), Location=f"/api/calls/{placed.id}")


@blueprint.function_name("list_flows")
@blueprint.route("flows", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
def list_flows(req: func.HttpRequest) -> func.HttpResponse:
    """The flows: names, titles, and the input that each takes."""
    return json_response(200, switchboard().service.flows().model_dump(mode="json"))


@blueprint.function_name("list_calls")
@blueprint.route("calls", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
def list_calls(req: func.HttpRequest) -> func.HttpResponse:
    """The calls of a day, newest first, page by page."""
    return json_response(200, switchboard().service.listed(req.params).model_dump(mode="json"))


@blueprint.function_name("search_calls")
@blueprint.route("calls/search", methods=["POST"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
def search_calls(req: func.HttpRequest) -> func.HttpResponse:
    """Calls by a phone number or an id of the service. Those stand in the body, which no log keeps."""
    return json_response(200, switchboard().service.search(req.get_body()).model_dump(mode="json"))


@blueprint.function_name("get_call")
@blueprint.route("calls/{call_id}", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
def get_call(req: func.HttpRequest) -> func.HttpResponse:
    """One call: state, flow, result, times."""
    return json_response(200, switchboard().service.view(req.route_params["call_id"]).model_dump(mode="json"))


@blueprint.function_name("get_journal")
@blueprint.route("calls/{call_id}/journal", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
def get_journal(req: func.HttpRequest) -> func.HttpResponse:
    """Everything that happened on a call."""
    return json_response(200, switchboard().service.journal(req.route_params["call_id"]).model_dump(mode="json"))


@blueprint.function_name("get_participants")
@blueprint.route("calls/{call_id}/participants", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
def get_participants(req: func.HttpRequest) -> func.HttpResponse:
    """The participants of a call."""
    return json_response(200, switchboard().service.participants(req.route_params["call_id"]).model_dump(mode="json"))


@blueprint.function_name("act_on_call")
@blueprint.route("calls/{call_id}/actions/{action}", methods=["POST"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
def act_on_call(req: func.HttpRequest) -> func.HttpResponse:
    """Any action on a live call: 200 with the service's response, or 202 where the outcome comes as an event."""
    call_id, action = req.route_params["call_id"], req.route_params["action"]
    done = switchboard().service.act(call_id, action, req.get_body(), req.headers.get(IDEMPOTENCY_KEY))
    return json_response(200 if done.done else 202, done.model_dump(mode="json"))


@blueprint.function_name("signal_call")
@blueprint.route("calls/{call_id}/signals/{name}", methods=["POST"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
def signal_call(req: func.HttpRequest) -> func.HttpResponse:
    """Send a signal to the call's flow."""
    call_id, name = req.route_params["call_id"], req.route_params["name"]
    taken = switchboard().service.signal(call_id, name, req.get_body(), req.headers.get(IDEMPOTENCY_KEY))
    return json_response(202, taken.model_dump(mode="json"))


@blueprint.function_name("openapi")
@blueprint.route("openapi.json", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
def openapi_document(req: func.HttpRequest) -> func.HttpResponse:
    """The OpenAPI document of this API."""
    return json_response(200, switchboard().service.document())
