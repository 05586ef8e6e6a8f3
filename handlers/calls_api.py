"""The HTTP API on calls: place, connect, list, search, look, act, signal. Every route needs a function key."""

from __future__ import annotations

import azure.functions as func

from handlers.answers import answer, door
from shared.composition import switchboard

IDEMPOTENCY_KEY = "Idempotency-Key"

blueprint = func.Blueprint()


@blueprint.function_name("place_call")
@blueprint.route("calls", methods=["POST"], auth_level=func.AuthLevel.FUNCTION)
@door
def place_call(req: func.HttpRequest) -> func.HttpResponse:
    """Place a call, or connect to one that goes on already."""
    placed = switchboard().service.place(req.get_body(), req.headers.get(IDEMPOTENCY_KEY))
    status = 201 if placed.outcome == "claimed" else 200
    return answer(status, placed.model_dump(mode="json"), Location=f"/api/calls/{placed.id}")


@blueprint.function_name("list_flows")
@blueprint.route("flows", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
@door
def list_flows(req: func.HttpRequest) -> func.HttpResponse:
    """The flows: names, titles, and the input that each takes."""
    return answer(200, switchboard().service.flows().model_dump(mode="json"))


@blueprint.function_name("list_calls")
@blueprint.route("calls", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
@door
def list_calls(req: func.HttpRequest) -> func.HttpResponse:
    """The calls of a day, newest first, page by page."""
    return answer(200, switchboard().service.listed(req.params).model_dump(mode="json"))


@blueprint.function_name("search_calls")
@blueprint.route("calls/search", methods=["POST"], auth_level=func.AuthLevel.FUNCTION)
@door
def search_calls(req: func.HttpRequest) -> func.HttpResponse:
    """Calls by a number or an id of the service, which stand in the body: no log keeps them."""
    return answer(200, switchboard().service.search(req.get_body()).model_dump(mode="json"))


@blueprint.function_name("get_call")
@blueprint.route("calls/{call_id}", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
@door
def get_call(req: func.HttpRequest) -> func.HttpResponse:
    """A call at a glance."""
    return answer(200, switchboard().service.view(req.route_params["call_id"]).model_dump(mode="json"))


@blueprint.function_name("get_journal")
@blueprint.route("calls/{call_id}/journal", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
@door
def get_journal(req: func.HttpRequest) -> func.HttpResponse:
    """Everything that happened on a call."""
    return answer(200, switchboard().service.journal(req.route_params["call_id"]).model_dump(mode="json"))


@blueprint.function_name("get_participants")
@blueprint.route("calls/{call_id}/participants", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
@door
def get_participants(req: func.HttpRequest) -> func.HttpResponse:
    """Who takes part."""
    return answer(200, switchboard().service.participants(req.route_params["call_id"]).model_dump(mode="json"))


@blueprint.function_name("act_on_call")
@blueprint.route("calls/{call_id}/actions/{action}", methods=["POST"], auth_level=func.AuthLevel.FUNCTION)
@door
def act_on_call(req: func.HttpRequest) -> func.HttpResponse:
    """Any action on a live call: 200 with the service's answer, or 202 where the outcome comes as an event."""
    call_id, action = req.route_params["call_id"], req.route_params["action"]
    done = switchboard().service.act(call_id, action, req.get_body(), req.headers.get(IDEMPOTENCY_KEY))
    return answer(200 if done.done else 202, done.model_dump(mode="json"))


@blueprint.function_name("signal_call")
@blueprint.route("calls/{call_id}/signals/{name}", methods=["POST"], auth_level=func.AuthLevel.FUNCTION)
@door
def signal_call(req: func.HttpRequest) -> func.HttpResponse:
    """Give the call's flow something."""
    call_id, name = req.route_params["call_id"], req.route_params["name"]
    taken = switchboard().service.signal(call_id, name, req.get_body(), req.headers.get(IDEMPOTENCY_KEY))
    return answer(202, taken.model_dump(mode="json"))


@blueprint.function_name("openapi")
@blueprint.route("openapi.json", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
@door
def openapi_document(req: func.HttpRequest) -> func.HttpResponse:
    """This API, described."""
    from shared.web.flows import with_inputs
    from shared.web.openapi import openapi  # costs some milliseconds that no call needs

    return answer(200, with_inputs(openapi(), switchboard().conductor.flows))
