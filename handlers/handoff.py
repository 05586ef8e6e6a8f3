"""The HTTP API on cases of the hand-off. Every route needs a function key; a number stands in no path and no query."""

from __future__ import annotations

from typing import TYPE_CHECKING

import azure.functions as func

from handlers.responses import endpoint, json_response
from shared.composition import switchboard

if TYPE_CHECKING:
    from shared.web.handoff import CaseService

blueprint = func.Blueprint()


@blueprint.function_name("list_cases")
@blueprint.route("cases", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
def list_cases(req: func.HttpRequest) -> func.HttpResponse:
    """Cases, the newest first, page by page."""
    return json_response(200, _cases().list(req.params).model_dump(mode="json"))


@blueprint.function_name("get_case")
@blueprint.route("cases/{case_id}", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
def get_case(req: func.HttpRequest) -> func.HttpResponse:
    """A case: what the caller said and keyed."""
    case = _cases().get(req.route_params["case_id"])
    return json_response(200, case.model_dump(mode="json"), **{"Cache-Control": "no-store"})


@blueprint.function_name("mark_called_back")
@blueprint.route("cases/{case_id}/called-back", methods=["POST"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
def mark_called_back(req: func.HttpRequest) -> func.HttpResponse:
    """Mark a case as called back."""
    case = _cases().called_back(req.route_params["case_id"], req.get_body())
    return json_response(200, case.model_dump(mode="json"), **{"Cache-Control": "no-store"})


@blueprint.function_name("handoff_figures")
@blueprint.route("handoff/figures", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
def handoff_figures(req: func.HttpRequest) -> func.HttpResponse:
    """What came of calls, and who waits."""
    return json_response(200, _cases().figures(req.params).model_dump(mode="json"))


def _cases() -> CaseService:
    """What the routes do. Its package is imported at the first request."""
    from shared.use_cases import service
    from shared.web.handoff import CaseService

    board = switchboard()
    return CaseService(service("handoff"), lambda: board.recordings().service)
