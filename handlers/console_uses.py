"""The console's pages of use cases: campaigns, masked numbers, messages; and the switches. docs/console.md.

A page of a use that is not set up is 404, as every route is without a sign-in.
"""

from __future__ import annotations

import azure.functions as func

from handlers.console_pages import page

blueprint = func.Blueprint()


@blueprint.function_name("console_switch")
@blueprint.route("console/switches", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
def console_switch(req: func.HttpRequest) -> func.HttpResponse:
    """Turn a switch."""
    return page(req, "act", lambda console, visit: console.pages.switch(visit))


# Campaigns


@blueprint.function_name("console_campaigns")
@blueprint.route("console/campaigns", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def console_campaigns(req: func.HttpRequest) -> func.HttpResponse:
    """The campaigns."""
    return page(req, "read", lambda console, visit: console.campaigns.listed(visit))


@blueprint.function_name("console_make_campaign")
@blueprint.route("console/campaigns", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
def console_make_campaign(req: func.HttpRequest) -> func.HttpResponse:
    """Make a campaign."""
    return page(req, "act", lambda console, visit: console.campaigns.make(visit))


@blueprint.function_name("console_campaign")
@blueprint.route("console/campaigns/{campaign}", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def console_campaign(req: func.HttpRequest) -> func.HttpResponse:
    """One campaign."""
    return page(req, "read", lambda console, visit: console.campaigns.one(visit, req.route_params["campaign"]))


@blueprint.function_name("console_campaign_live")
@blueprint.route("console/campaigns/{campaign}/live", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def console_campaign_live(req: func.HttpRequest) -> func.HttpResponse:
    """The part of a campaign's page that moves."""
    return page(req, "read", lambda console, visit: console.campaigns.live(visit, req.route_params["campaign"]))


@blueprint.function_name("console_preview")
@blueprint.route("console/campaigns/{campaign}/preview", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
def console_preview(req: func.HttpRequest) -> func.HttpResponse:
    """A file as it would be read."""
    return page(req, "act", lambda console, visit: console.campaigns.preview(visit, req.route_params["campaign"]))


@blueprint.function_name("console_upload")
@blueprint.route("console/campaigns/{campaign}/uploads", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
def console_upload(req: func.HttpRequest) -> func.HttpResponse:
    """Take a file with people."""
    return page(req, "act", lambda console, visit: console.campaigns.upload(visit, req.route_params["campaign"]))


@blueprint.function_name("console_bad_rows")
@blueprint.route(
    "console/campaigns/{campaign}/uploads/{upload}/bad-rows.csv", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS
)
def console_bad_rows(req: func.HttpRequest) -> func.HttpResponse:
    """The bad rows of a file as CSV."""
    campaign, upload = req.route_params["campaign"], req.route_params["upload"]
    return page(req, "read", lambda console, visit: console.campaigns.bad_rows(visit, campaign, upload))


@blueprint.function_name("console_command")
@blueprint.route(
    "console/campaigns/{campaign}/commands/{command}", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS
)
def console_command(req: func.HttpRequest) -> func.HttpResponse:
    """Start, pause, resume or stop a campaign."""
    campaign, command = req.route_params["campaign"], req.route_params["command"]
    return page(req, "act", lambda console, visit: console.campaigns.command(visit, campaign, command))


@blueprint.function_name("console_people")
@blueprint.route("console/campaigns/{campaign}/people", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def console_people(req: func.HttpRequest) -> func.HttpResponse:
    """The people of a campaign, with what came of it."""
    return page(req, "read", lambda console, visit: console.campaigns.people(visit, req.route_params["campaign"]))


@blueprint.function_name("console_people_numbers")
@blueprint.route("console/campaigns/{campaign}/people", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
def console_people_numbers(req: func.HttpRequest) -> func.HttpResponse:
    """The same, with their numbers."""
    campaign = req.route_params["campaign"]
    return page(req, "numbers", lambda console, visit: console.campaigns.people(visit, campaign, numbers=True))


@blueprint.function_name("console_results")
@blueprint.route("console/campaigns/{campaign}/results.csv", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
def console_results(req: func.HttpRequest) -> func.HttpResponse:
    """What came of a campaign as CSV."""
    return page(req, "read", lambda console, visit: console.campaigns.csv(visit, req.route_params["campaign"]))


@blueprint.function_name("console_do_not_call")
@blueprint.route("console/do-not-call", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def console_do_not_call(req: func.HttpRequest) -> func.HttpResponse:
    """The do-not-call lists."""
    return page(req, "read", lambda console, visit: console.numbers.lists(visit))


@blueprint.function_name("console_do_not_call_check")
@blueprint.route("console/do-not-call/check", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
def console_do_not_call_check(req: func.HttpRequest) -> func.HttpResponse:
    """Where a number is listed."""
    return page(req, "numbers", lambda console, visit: console.numbers.check(visit))


@blueprint.function_name("console_do_not_call_add")
@blueprint.route("console/do-not-call/add", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
def console_do_not_call_add(req: func.HttpRequest) -> func.HttpResponse:
    """Put a number on the own list."""
    return page(req, "act", lambda console, visit: console.numbers.add(visit))


@blueprint.function_name("console_do_not_call_import")
@blueprint.route("console/do-not-call/import", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
def console_do_not_call_import(req: func.HttpRequest) -> func.HttpResponse:
    """Import a list."""
    return page(req, "act", lambda console, visit: console.numbers.import_list(visit))


@blueprint.function_name("console_evidence_form")
@blueprint.route("console/evidence", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def console_evidence_form(req: func.HttpRequest) -> func.HttpResponse:
    """Where a number is typed."""
    return page(req, "numbers", lambda console, visit: console.numbers.evidence_form(visit))


@blueprint.function_name("console_evidence")
@blueprint.route("console/evidence", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
def console_evidence(req: func.HttpRequest) -> func.HttpResponse:
    """Why a number was called."""
    return page(req, "numbers", lambda console, visit: console.numbers.evidence(visit))


# Masked numbers


@blueprint.function_name("console_masked")
@blueprint.route("console/masked-numbers", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def console_masked(req: func.HttpRequest) -> func.HttpResponse:
    """The pool, and the connections."""
    return page(req, "read", lambda console, visit: console.masked.listed(visit))


@blueprint.function_name("console_masked_one")
@blueprint.route("console/masked-numbers/{session_id}", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def console_masked_one(req: func.HttpRequest) -> func.HttpResponse:
    """One connection."""
    return page(req, "read", lambda console, visit: console.masked.one(visit, req.route_params["session_id"]))


@blueprint.function_name("console_masked_pins")
@blueprint.route("console/masked-numbers/{session_id}/pins", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
def console_masked_pins(req: func.HttpRequest) -> func.HttpResponse:
    """One connection, with its PINs."""
    session = req.route_params["session_id"]
    return page(req, "numbers", lambda console, visit: console.masked.one(visit, session, pins=True))


@blueprint.function_name("console_masked_act")
@blueprint.route(
    "console/masked-numbers/{session_id}/actions/{action}", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS
)
def console_masked_act(req: func.HttpRequest) -> func.HttpResponse:
    """Close or extend one."""
    session, action = req.route_params["session_id"], req.route_params["action"]
    return page(req, "act", lambda console, visit: console.masked.act(visit, session, action))


# Messages


@blueprint.function_name("console_messages")
@blueprint.route("console/messages", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def console_messages(req: func.HttpRequest) -> func.HttpResponse:
    """Whom somebody should call back."""
    return page(req, "read", lambda console, visit: console.messages.listed(visit))


@blueprint.function_name("console_message")
@blueprint.route("console/messages/{case_id}", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def console_message(req: func.HttpRequest) -> func.HttpResponse:
    """One message."""
    return page(req, "read", lambda console, visit: console.messages.one(visit, req.route_params["case_id"]))


@blueprint.function_name("console_message_numbers")
@blueprint.route("console/messages/{case_id}/numbers", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
def console_message_numbers(req: func.HttpRequest) -> func.HttpResponse:
    """One message, with its numbers."""
    case = req.route_params["case_id"]
    return page(req, "numbers", lambda console, visit: console.messages.one(visit, case, numbers=True))


@blueprint.function_name("console_called_back")
@blueprint.route("console/messages/{case_id}/called-back", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
def console_called_back(req: func.HttpRequest) -> func.HttpResponse:
    """Mark one as called back."""
    return page(req, "act", lambda console, visit: console.messages.called_back(visit, req.route_params["case_id"]))
