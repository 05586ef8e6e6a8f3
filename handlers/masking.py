"""The HTTP API on masked numbers: sessions of two people who call each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import azure.functions as func

from handlers.responses import endpoint, json_response
from shared.composition import switchboard

if TYPE_CHECKING:
    from shared.web.masking import MaskedNumbers

blueprint = func.Blueprint()


@blueprint.function_name("open_masking_session")
@blueprint.route("masking/sessions", methods=["POST"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
def open_masking_session(req: func.HttpRequest) -> func.HttpResponse:
    """Let two people call each other by numbers of the app."""
    is_new, view = _masked_numbers().open(req.get_body(), req.headers.get("Idempotency-Key"))
    return json_response(201 if is_new else 200, view.model_dump(mode="json"))


@blueprint.function_name("list_masking_sessions")
@blueprint.route("masking/sessions", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
def list_masking_sessions(req: func.HttpRequest) -> func.HttpResponse:
    """Sessions, the newest first."""
    return json_response(200, _masked_numbers().list(req.params).model_dump(mode="json"))


@blueprint.function_name("get_masking_pool")
@blueprint.route("masking/pool", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
def get_masking_pool(req: func.HttpRequest) -> func.HttpResponse:
    """The numbers that sessions may show, and how many would do."""
    return json_response(200, _masked_numbers().pool().model_dump(mode="json"))


@blueprint.function_name("get_masking_session")
@blueprint.route("masking/sessions/{session_id}", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
def get_masking_session(req: func.HttpRequest) -> func.HttpResponse:
    """A session."""
    return json_response(200, _masked_numbers().get(req.route_params["session_id"]).model_dump(mode="json"))


@blueprint.function_name("change_masking_session")
@blueprint.route("masking/sessions/{session_id}", methods=["PATCH"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
def change_masking_session(req: func.HttpRequest) -> func.HttpResponse:
    """Extend a session, or replace one of the two."""
    view = _masked_numbers().change(req.route_params["session_id"], req.get_body())
    return json_response(200, view.model_dump(mode="json"))


@blueprint.function_name("close_masking_session")
@blueprint.route("masking/sessions/{session_id}", methods=["DELETE"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
def close_masking_session(req: func.HttpRequest) -> func.HttpResponse:
    """Close a session."""
    return json_response(200, _masked_numbers().close(req.route_params["session_id"]).model_dump(mode="json"))


@blueprint.function_name("list_masking_calls")
@blueprint.route("masking/sessions/{session_id}/calls", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
def list_masking_calls(req: func.HttpRequest) -> func.HttpResponse:
    """The finished calls of a session, the oldest first."""
    calls = _masked_numbers().interactions(req.route_params["session_id"], req.params)
    return json_response(200, calls.model_dump(mode="json"))


def _masked_numbers() -> MaskedNumbers:
    """What they ask; put together, and imported, at the first request."""
    switchboard()
    from shared.web.masking import MaskedNumbers

    return MaskedNumbers()
