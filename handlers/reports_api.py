"""The HTTP API on recordings and their reports. Every route needs a function key."""

from __future__ import annotations

import azure.functions as func

from handlers.responses import endpoint, json_response
from shared.composition import switchboard

blueprint = func.Blueprint()


@blueprint.function_name("list_reports")
@blueprint.route("reports", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
def list_reports(req: func.HttpRequest) -> func.HttpResponse:
    """The reports of a day, page by page."""
    return json_response(200, switchboard().recordings().service.reports(req.params).model_dump(mode="json"))


@blueprint.function_name("get_report")
@blueprint.route("reports/{recording_id}", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
def get_report(req: func.HttpRequest) -> func.HttpResponse:
    """One report, as JSON."""
    text = switchboard().recordings().service.report(req.route_params["recording_id"])
    return func.HttpResponse(text, mimetype="application/json", headers={"Cache-Control": "no-store"})


@blueprint.function_name("get_report_page")
@blueprint.route("reports/{recording_id}/page", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
def get_report_page(req: func.HttpRequest) -> func.HttpResponse:
    """One report, as a page in one file, with a link to the audio that works for a while."""
    page = switchboard().recordings().service.page(req.route_params["recording_id"])
    # The page has a link to the audio, and its own URL may have a key: neither is for others.
    headers = {
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "frame-ancestors 'none'",
    }
    return func.HttpResponse(page, mimetype="text/html", charset="utf-8", headers=headers)


@blueprint.function_name("list_recordings")
@blueprint.route("recordings", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
def list_recordings(req: func.HttpRequest) -> func.HttpResponse:
    """The recordings of a day, page by page: state, files, and why any of them failed."""
    return json_response(200, switchboard().recordings().service.recordings(req.params).model_dump(mode="json"))


@blueprint.function_name("get_recording")
@blueprint.route("recordings/{recording_id}", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
def get_recording(req: func.HttpRequest) -> func.HttpResponse:
    """One recording and its files, with links to the audio that work for a while."""
    found = switchboard().recordings().service.recording(req.route_params["recording_id"])
    return json_response(200, found.model_dump(mode="json"), **{"Cache-Control": "no-store"})


@blueprint.function_name("replay_recording")
@blueprint.route("recordings/{recording_id}/replay", methods=["POST"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
def replay_recording(req: func.HttpRequest) -> func.HttpResponse:
    """Fetch again what failed, and make a new report."""
    found = switchboard().recordings().service.replay(req.route_params["recording_id"])
    return json_response(202, found.model_dump(mode="json"))
