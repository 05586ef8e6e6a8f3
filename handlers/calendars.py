"""The HTTP API on named calendars: changed without a deployment, on all instances within seconds."""

from __future__ import annotations

import azure.functions as func

from handlers.responses import endpoint, json_response
from shared.composition import switchboard

blueprint = func.Blueprint()


@blueprint.function_name("list_calendars")
@blueprint.route("calendars", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
def list_calendars(req: func.HttpRequest) -> func.HttpResponse:
    """All calendars, and whether they are open."""
    return json_response(200, switchboard().calendar_service.list().model_dump(mode="json"))


@blueprint.function_name("get_calendar")
@blueprint.route("calendars/{name}", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
def get_calendar(req: func.HttpRequest) -> func.HttpResponse:
    """A calendar, and whether it is open."""
    view = switchboard().calendar_service.get(req.route_params["name"])
    return json_response(200, view.model_dump(mode="json"), ETag=view.etag)


@blueprint.function_name("put_calendar")
@blueprint.route("calendars/{name}", methods=["PUT"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
def put_calendar(req: func.HttpRequest) -> func.HttpResponse:
    """Make or replace a calendar."""
    service = switchboard().calendar_service
    is_new, view = service.put(req.route_params["name"], req.get_body(), **_versions(req))
    return json_response(201 if is_new else 200, view.model_dump(mode="json"), ETag=view.etag)


@blueprint.function_name("delete_calendar")
@blueprint.route("calendars/{name}", methods=["DELETE"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
def delete_calendar(req: func.HttpRequest) -> func.HttpResponse:
    """Remove a calendar."""
    switchboard().calendar_service.remove(req.route_params["name"], if_match=_versions(req)["if_match"])
    return func.HttpResponse(status_code=204)


def _versions(req: func.HttpRequest) -> dict[str, str | None]:
    return {"if_match": req.headers.get("If-Match"), "if_none_match": req.headers.get("If-None-Match")}
