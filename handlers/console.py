"""The console: pages for people. docs/console.md.

No route has a function key: who may see what is decided by the sign-in of CONSOLE_AUTH, without which every route is
404. What pages need is imported at the first of them.
"""

from __future__ import annotations

import azure.functions as func

from handlers.console_pages import page as _page
from handlers.console_pages import respond as _respond

blueprint = func.Blueprint()


@blueprint.function_name("console_sign_in_form")
@blueprint.route("console/sign-in", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def console_sign_in_form(req: func.HttpRequest) -> func.HttpResponse:
    """Where people sign in."""
    return _respond(req, lambda console, request: console.gate.shown_sign_in(request))


@blueprint.function_name("console_sign_in")
@blueprint.route("console/sign-in", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
def console_sign_in(req: func.HttpRequest) -> func.HttpResponse:
    """Sign in with a key."""
    return _respond(req, lambda console, request: console.gate.signed_in(request))


@blueprint.function_name("console_sign_out")
@blueprint.route("console/sign-out", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
def console_sign_out(req: func.HttpRequest) -> func.HttpResponse:
    """End the sign-in of this browser."""
    return _page(req, "read", lambda console, visit: console.gate.signed_out(visit))


@blueprint.function_name("console_static")
@blueprint.route("console/static/{name}", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def console_static(req: func.HttpRequest) -> func.HttpResponse:
    """Style and scripts of the pages."""
    return _respond(req, lambda console, request: console.gate.static(request, req.route_params["name"]))


@blueprint.function_name("console_today")
@blueprint.route("console", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def console_today(req: func.HttpRequest) -> func.HttpResponse:
    """What goes on now, and what needs somebody."""
    return _page(req, "read", lambda console, visit: console.pages.today(visit))


@blueprint.function_name("console_today_live")
@blueprint.route("console/live", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def console_today_live(req: func.HttpRequest) -> func.HttpResponse:
    """The part of Today that moves."""
    return _page(req, "read", lambda console, visit: console.pages.today_live(visit))


@blueprint.function_name("console_calls")
@blueprint.route("console/calls", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def console_calls(req: func.HttpRequest) -> func.HttpResponse:
    """The calls of a day."""
    return _page(req, "read", lambda console, visit: console.pages.calls(visit))


@blueprint.function_name("console_search")
@blueprint.route("console/calls/search", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
def console_search(req: func.HttpRequest) -> func.HttpResponse:
    """Calls by a number or an id."""
    return _page(req, "read", lambda console, visit: console.pages.search(visit))


@blueprint.function_name("console_csv")
@blueprint.route("console/calls.csv", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
def console_csv(req: func.HttpRequest) -> func.HttpResponse:
    """The calls of a day as CSV."""
    return _page(req, "read", lambda console, visit: console.pages.csv(visit))


@blueprint.function_name("console_call")
@blueprint.route("console/calls/{call_id}", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def console_call(req: func.HttpRequest) -> func.HttpResponse:
    """One call."""
    return _page(req, "read", lambda console, visit: console.pages.call(visit, req.route_params["call_id"]))


@blueprint.function_name("console_call_live")
@blueprint.route("console/calls/{call_id}/live", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def console_call_live(req: func.HttpRequest) -> func.HttpResponse:
    """The part of a call's page that moves."""
    return _page(req, "read", lambda console, visit: console.pages.call_live(visit, req.route_params["call_id"]))


@blueprint.function_name("console_history")
@blueprint.route("console/calls/{call_id}/history.json", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def console_history(req: func.HttpRequest) -> func.HttpResponse:
    """The history of a call as JSON."""
    return _page(req, "read", lambda console, visit: console.pages.history(visit, req.route_params["call_id"]))


@blueprint.function_name("console_entry")
@blueprint.route("console/calls/{call_id}/entries/{position}", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def console_entry(req: func.HttpRequest) -> func.HttpResponse:
    """One entry of the history as JSON."""
    call_id, position = req.route_params["call_id"], req.route_params["position"]
    return _page(req, "read", lambda console, visit: console.pages.entry(visit, call_id, position))


@blueprint.function_name("console_numbers")
@blueprint.route("console/calls/{call_id}/numbers", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
def console_numbers(req: func.HttpRequest) -> func.HttpResponse:
    """One call, with its numbers."""
    call_id = req.route_params["call_id"]
    return _page(req, "numbers", lambda console, visit: console.pages.call(visit, call_id, shown=True))


@blueprint.function_name("console_act")
@blueprint.route("console/calls/{call_id}/actions/{action}", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
def console_act(req: func.HttpRequest) -> func.HttpResponse:
    """Do something on a call that goes on."""
    call_id, action = req.route_params["call_id"], req.route_params["action"]
    return _page(req, "act", lambda console, visit: console.pages.act(visit, call_id, action))


@blueprint.function_name("console_report")
@blueprint.route("console/reports/{recording_id}", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def console_report(req: func.HttpRequest) -> func.HttpResponse:
    """The report on a recording, with its audio."""
    recording = req.route_params["recording_id"]
    return _page(req, "listen", lambda console, visit: console.quality.report(visit, recording))


@blueprint.function_name("console_quality")
@blueprint.route("console/quality", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def console_quality(req: func.HttpRequest) -> func.HttpResponse:
    """The reports of a day, and recordings without one."""
    return _page(req, "listen", lambda console, visit: console.quality.listed(visit))


@blueprint.function_name("console_replay")
@blueprint.route("console/recordings/{recording_id}/replay", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
def console_replay(req: func.HttpRequest) -> func.HttpResponse:
    """Do a recording again that was given up."""
    recording = req.route_params["recording_id"]
    return _page(req, "act", lambda console, visit: console.quality.replay(visit, recording))


@blueprint.function_name("console_status")
@blueprint.route("console/status", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def console_status(req: func.HttpRequest) -> func.HttpResponse:
    """What is wrong with the app, also while its settings are."""
    return _page(req, "status", lambda console, visit: console.status.show(visit))


@blueprint.function_name("console_put_back")
@blueprint.route("console/status/queues/{queue}", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
def console_put_back(req: func.HttpRequest) -> func.HttpResponse:
    """Have messages that failed worked on once more."""
    return _page(req, "act", lambda console, visit: console.status.put_back(visit, req.route_params["queue"]))


@blueprint.function_name("console_api")
@blueprint.route("console/api", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def console_api(req: func.HttpRequest) -> func.HttpResponse:
    """The HTTP API, to click on."""
    return _page(req, "read", lambda console, visit: console.api_page())


@blueprint.function_name("console_openapi")
@blueprint.route("console/api/openapi.json", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def console_openapi(req: func.HttpRequest) -> func.HttpResponse:
    """What that page shows."""
    return _page(req, "read", lambda console, visit: console.api_document())
