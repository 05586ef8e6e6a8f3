"""The HTTP API on campaigns and do-not-call lists. No number is in any path or query."""

from __future__ import annotations

from typing import TYPE_CHECKING

import azure.functions as func

from handlers.responses import endpoint, json_response
from shared.composition import switchboard
from shared.use_cases import service

if TYPE_CHECKING:
    from shared.web.outreach import CampaignService

IDEMPOTENCY_KEY = "Idempotency-Key"
SIGNED_IN, OPERATOR, MOST_WHO = "X-MS-CLIENT-PRINCIPAL-NAME", "X-Operator", 100
"""Who it is: whom App Service Authentication has signed in, or who the request says, in so many characters."""

blueprint = func.Blueprint()


def _campaigns() -> CampaignService:
    from shared.web.outreach import CampaignService  # a use case is imported at its first request

    switchboard()
    return CampaignService(service("outreach"))


def _who(req: func.HttpRequest) -> str:
    said = req.headers.get(SIGNED_IN) or req.headers.get(OPERATOR) or ""
    return "".join(sign for sign in said if sign.isprintable())[:MOST_WHO] or "unknown"


@blueprint.function_name("make_campaign")
@blueprint.route("campaigns", methods=["POST"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
def make_campaign(req: func.HttpRequest) -> func.HttpResponse:
    """Make a campaign; the same request again gives the same."""
    is_new, view = _campaigns().make(req.get_body(), req.headers.get(IDEMPOTENCY_KEY), _who(req))
    return json_response(201 if is_new else 200, view.model_dump(mode="json"), Location=f"/api/campaigns/{view.id}")


@blueprint.function_name("list_campaigns")
@blueprint.route("campaigns", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
def list_campaigns(req: func.HttpRequest) -> func.HttpResponse:
    """A page of campaigns, by id."""
    return json_response(200, _campaigns().listed(req.params).model_dump(mode="json"))


@blueprint.function_name("get_campaign")
@blueprint.route("campaigns/{campaign}", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
def get_campaign(req: func.HttpRequest) -> func.HttpResponse:
    """A campaign and its state."""
    return json_response(200, _campaigns().get(req.route_params["campaign"]).model_dump(mode="json"))


@blueprint.function_name("remove_campaign")
@blueprint.route("campaigns/{campaign}", methods=["DELETE"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
def remove_campaign(req: func.HttpRequest) -> func.HttpResponse:
    """Remove a campaign that calls nobody any more, with its people."""
    _campaigns().remove(req.route_params["campaign"], _who(req))
    return func.HttpResponse(status_code=204)


@blueprint.function_name("command_campaign")
@blueprint.route("campaigns/{campaign}/commands/{command}", methods=["POST"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
def command_campaign(req: func.HttpRequest) -> func.HttpResponse:
    """Start, pause, resume or stop a campaign."""
    view = _campaigns().command(req.route_params["campaign"], req.route_params["command"], _who(req))
    return json_response(200, view.model_dump(mode="json"))


@blueprint.function_name("pace_campaign")
@blueprint.route("campaigns/{campaign}/pace", methods=["POST"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
def pace_campaign(req: func.HttpRequest) -> func.HttpResponse:
    """Change how many calls a campaign has at once."""
    view = _campaigns().pace(req.route_params["campaign"], req.get_body(), _who(req))
    return json_response(200, view.model_dump(mode="json"))


@blueprint.function_name("read_files_so")
@blueprint.route("campaigns/{campaign}/files", methods=["POST"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
def read_files_so(req: func.HttpRequest) -> func.HttpResponse:
    """Change how the next file of a campaign is read."""
    view = _campaigns().read_so(req.route_params["campaign"], req.get_body(), _who(req))
    return json_response(200, view.model_dump(mode="json"))


@blueprint.function_name("upload_people")
@blueprint.route("campaigns/{campaign}/uploads", methods=["POST"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
def upload_people(req: func.HttpRequest) -> func.HttpResponse:
    """Take a CSV file; it is imported by the queue."""
    key = req.headers.get(IDEMPOTENCY_KEY)
    view = _campaigns().upload(req.route_params["campaign"], req.get_body(), key, _who(req))
    return json_response(202, view.model_dump(mode="json"), Location=view.href)


@blueprint.function_name("get_upload")
@blueprint.route("campaigns/{campaign}/uploads/{upload}", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
def get_upload(req: func.HttpRequest) -> func.HttpResponse:
    """How an import went, or how far it is, with its bad rows."""
    view = _campaigns().uploaded(req.route_params["campaign"], req.route_params["upload"])
    return json_response(200, view.model_dump(mode="json"))


@blueprint.function_name("send_people")
@blueprint.route("campaigns/{campaign}/people", methods=["POST"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
def send_people(req: func.HttpRequest) -> func.HttpResponse:
    """Take people as JSON; they are imported by the queue."""
    key = req.headers.get(IDEMPOTENCY_KEY)
    view = _campaigns().people(req.route_params["campaign"], req.get_body(), key, _who(req))
    return json_response(202, view.model_dump(mode="json"), Location=view.href)


@blueprint.function_name("preview_people")
@blueprint.route("campaigns/{campaign}/preview", methods=["POST"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
def preview_people(req: func.HttpRequest) -> func.HttpResponse:
    """Read a CSV file as an import would, and keep nothing of it."""
    view = _campaigns().preview(req.route_params["campaign"], req.get_body())
    return json_response(200, view.model_dump(mode="json"))


@blueprint.function_name("get_progress")
@blueprint.route("campaigns/{campaign}/progress", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
def get_progress(req: func.HttpRequest) -> func.HttpResponse:
    """How many people of a campaign are in each state."""
    return json_response(200, _campaigns().progress(req.route_params["campaign"]).model_dump(mode="json"))


@blueprint.function_name("dry_run")
@blueprint.route("campaigns/{campaign}/dry-run", methods=["POST"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
def dry_run(req: func.HttpRequest) -> func.HttpResponse:
    """What a campaign would do today."""
    return json_response(200, _campaigns().dry_run(req.route_params["campaign"]).model_dump(mode="json"))


@blueprint.function_name("get_results")
@blueprint.route("campaigns/{campaign}/results", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
def get_results(req: func.HttpRequest) -> func.HttpResponse:
    """What came of a campaign, as CSV."""
    campaigns, campaign = _campaigns(), req.route_params["campaign"]
    text = "".join(campaigns.results(campaign))
    named = {"Content-Disposition": f'attachment; filename="{campaign}.csv"'}
    return func.HttpResponse(text, mimetype="text/csv", headers=named)


@blueprint.function_name("get_audit")
@blueprint.route("campaigns/{campaign}/audit", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
def get_audit(req: func.HttpRequest) -> func.HttpResponse:
    """Who asked for what."""
    return json_response(200, _campaigns().audit(req.route_params["campaign"]).model_dump(mode="json"))


@blueprint.function_name("list_do_not_call")
@blueprint.route("do-not-call", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
def list_do_not_call(req: func.HttpRequest) -> func.HttpResponse:
    """The imported do-not-call lists."""
    return json_response(200, _campaigns().lists().model_dump(mode="json"))


@blueprint.function_name("check_do_not_call")
@blueprint.route("do-not-call/check", methods=["POST"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
def check_do_not_call(req: func.HttpRequest) -> func.HttpResponse:
    """Where a number is listed. It stands in the body, which no log keeps."""
    return json_response(200, _campaigns().check(req.get_body()).model_dump(mode="json"))


@blueprint.function_name("add_do_not_call")
@blueprint.route("do-not-call/add", methods=["POST"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
def add_do_not_call(req: func.HttpRequest) -> func.HttpResponse:
    """Put a number on the own list."""
    return json_response(200, _campaigns().put_on_list(req.get_body()).model_dump(mode="json"))


@blueprint.function_name("remove_do_not_call")
@blueprint.route("do-not-call/remove", methods=["POST"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
def remove_do_not_call(req: func.HttpRequest) -> func.HttpResponse:
    """Take a number off the own list."""
    return json_response(200, _campaigns().take_off_list(req.get_body()).model_dump(mode="json"))


@blueprint.function_name("import_do_not_call")
@blueprint.route("do-not-call/lists/{name}", methods=["PUT"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
def import_do_not_call(req: func.HttpRequest) -> func.HttpResponse:
    """Import a do-not-call list, or a newer version of it."""
    imported = _campaigns().import_list(req.route_params["name"], req.params, req.get_body())
    return json_response(200, imported.model_dump(mode="json"))


@blueprint.function_name("search_evidence")
@blueprint.route("evidence/search", methods=["POST"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
def search_evidence(req: func.HttpRequest) -> func.HttpResponse:
    """Why a number was called."""
    return json_response(200, _campaigns().evidence(req.get_body()).model_dump(mode="json"))
