"""The HTTP API of call-me buttons: sites for their owner by function key, and what pages on the web may ask for.

Those routes are for everybody: a token says which site is meant, its limits hold for all together. A browser lets a
page read a response only if it names the page's origin, which those of a site's own pages do (CORS).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import azure.functions as func

from handlers.responses import Endpoint, endpoint, json_response
from shared.composition import switchboard
from shared.errors import Refused
from shared.use_cases import service

if TYPE_CHECKING:
    from shared.web.click import ClickRoutes, Page

IDEMPOTENCY_KEY = "Idempotency-Key"
PREFLIGHT_SECONDS = "600"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; connect-src 'self'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Of the demo page: nothing but its own script and this app."""

blueprint = func.Blueprint()


@blueprint.function_name("list_sites")
@blueprint.route("click/sites", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
def list_sites(req: func.HttpRequest) -> func.HttpResponse:
    """All sites with a call-me button."""
    return json_response(200, _routes().sites().model_dump(mode="json"))


@blueprint.function_name("get_site")
@blueprint.route("click/sites/{site}", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
def get_site(req: func.HttpRequest) -> func.HttpResponse:
    """One site, with its token."""
    return json_response(200, _routes().site(req.route_params["site"]).model_dump(mode="json"))


@blueprint.function_name("put_site")
@blueprint.route("click/sites/{site}", methods=["PUT"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
def put_site(req: func.HttpRequest) -> func.HttpResponse:
    """Set up a site, or change it."""
    is_new, view = _routes().put_site(req.route_params["site"], req.get_body())
    return json_response(201 if is_new else 200, view.model_dump(mode="json"))


@blueprint.function_name("delete_site")
@blueprint.route("click/sites/{site}", methods=["DELETE"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
def delete_site(req: func.HttpRequest) -> func.HttpResponse:
    """Withdraw a site for good."""
    _routes().remove_site(req.route_params["site"])
    return func.HttpResponse(status_code=204)


@blueprint.function_name("list_click_requests")
@blueprint.route("click/calls", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
def list_click_requests(req: func.HttpRequest) -> func.HttpResponse:
    """Who asked for a call on a day, what they agreed to, and what became of it."""
    return json_response(200, _routes().requests(req.params).model_dump(mode="json"))


@blueprint.function_name("get_button")
@blueprint.route("click/button", methods=["POST", "OPTIONS"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint
def get_button(req: func.HttpRequest) -> func.HttpResponse:
    """What a page shows: the text of the consent, whether it is open."""
    if req.method == "OPTIONS":
        return _preflight(req)
    routes, page, body = _routes(), _page(req), req.get_body()
    site = routes.opened(page, body)

    def show(req: func.HttpRequest) -> func.HttpResponse:
        return json_response(200, routes.button(site, body).model_dump(mode="json"))

    return _to_page(req, page.origin, show)


@blueprint.function_name("ask_for_call")
@blueprint.route("click/calls", methods=["POST", "OPTIONS"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint
def ask_for_call(req: func.HttpRequest) -> func.HttpResponse:
    """Have somebody called, now or later."""
    if req.method == "OPTIONS":
        return _preflight(req)
    routes, page, body = _routes(), _page(req), req.get_body()
    site = routes.opened(page, body)

    def ask(req: func.HttpRequest) -> func.HttpResponse:
        status = routes.ask(site, page, body, req.headers.get(IDEMPOTENCY_KEY))
        return json_response(202, status.model_dump(mode="json"), Location=f"/api/click/calls/{status.id}")

    return _to_page(req, page.origin, ask)


@blueprint.function_name("get_click_call")
@blueprint.route("click/calls/{request_id}", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint
def get_click_call(req: func.HttpRequest) -> func.HttpResponse:
    """What becomes of a request, by its id."""
    status, origin = _routes().status(req.route_params["request_id"])

    def tell(req: func.HttpRequest) -> func.HttpResponse:
        return json_response(200, status.model_dump(mode="json"))

    return _to_page(req, origin, tell)


@blueprint.function_name("cancel_click_call")
@blueprint.route("click/calls/{request_id}/cancel", methods=["POST", "OPTIONS"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint
def cancel_click_call(req: func.HttpRequest) -> func.HttpResponse:
    """Take a request back that waits."""
    if req.method == "OPTIONS":
        return _preflight(req)
    routes, request_id = _routes(), req.route_params["request_id"]
    _, origin = routes.status(request_id)

    def cancel(req: func.HttpRequest) -> func.HttpResponse:
        return json_response(200, routes.cancel(request_id)[0].model_dump(mode="json"))

    return _to_page(req, origin, cancel)


@blueprint.function_name("button_script")
@blueprint.route("click/button.js", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint
def button_script(req: func.HttpRequest) -> func.HttpResponse:
    """The script that a page loads."""
    return _file("button.js", "text/javascript", {"Cross-Origin-Resource-Policy": "cross-origin"})


@blueprint.function_name("button_demo")
@blueprint.route("click/demo", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint
def button_demo(req: func.HttpRequest) -> func.HttpResponse:
    """A page with a button, to try one: its token stands after `#`, which no browser sends."""
    return _file("demo.html", "text/html", {"Content-Security-Policy": POLICY, "Referrer-Policy": "no-referrer"})


def _routes() -> ClickRoutes:
    settings = switchboard().settings
    from shared.web.click import ClickRoutes  # the use case is imported at its first request

    return ClickRoutes(service("click"), settings.callback_base_url, settings.click_proxies)


def _page(req: func.HttpRequest) -> Page:
    from shared.web.click import Page

    return Page(req.headers.get("Origin", ""), req.headers.get("X-Forwarded-For", ""))


def _to_page(req: func.HttpRequest, allowed: str, handler: Endpoint) -> func.HttpResponse:
    """A response, also one that says what is wrong, that a page of this origin may read."""
    response = endpoint(handler)(req)
    origin = req.headers.get("Origin", "")
    if origin and origin.lower() == allowed.lower():
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Expose-Headers"] = "Retry-After"
    response.headers["Vary"] = "Origin"
    response.headers["Cache-Control"] = "no-store"
    return response


def _preflight(req: func.HttpRequest) -> func.HttpResponse:
    """What a browser asks before a page's request leaves it. It has no body yet, so any site's page will do."""
    origin = req.headers.get("Origin", "")
    if not _routes().knows(origin):
        raise Refused("no button stands on this page", 403)
    headers = {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Methods": "POST",
        "Access-Control-Allow-Headers": f"Content-Type, {IDEMPOTENCY_KEY}",
        "Access-Control-Max-Age": PREFLIGHT_SECONDS,
        "Vary": "Origin",
    }
    return func.HttpResponse(status_code=204, headers=headers)


def _file(name: str, media: str, headers: dict[str, str]) -> func.HttpResponse:
    from shared.web.click import static

    text, etag = static(name)
    headers |= {"Cache-Control": "public, max-age=3600", "ETag": etag, "X-Content-Type-Options": "nosniff"}
    return func.HttpResponse(text, mimetype=media, headers=headers)
