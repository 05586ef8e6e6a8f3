"""How the console's routes respond: by the sign-in of CONSOLE_AUTH, and with a page where something is wrong."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

import azure.functions as func

from handlers.responses import endpoint
from shared.composition import switchboard
from shared.errors import Misconfigured

if TYPE_CHECKING:
    from shared.composition.console import Console
    from shared.web.console.exchange import Reply, Request
    from shared.web.console.gate import Visit
    from shared.web.console.sign_in import Permission


def page(req: func.HttpRequest, permission: Permission, show: Callable[[Console, Visit], Reply]) -> func.HttpResponse:
    """A page for those who may see it."""

    def entered(console: Console, request: Request) -> Reply:
        return console.gate.entered(request, permission, lambda visit: show(console, visit))

    return respond(req, entered)


def respond(req: func.HttpRequest, show: Callable[[Console, Request], Reply]) -> func.HttpResponse:
    """What the console responds; an error as a page."""

    @endpoint
    def console(req: func.HttpRequest) -> func.HttpResponse:
        return _response(show(_console(), _request(req)))

    response = console(req)
    if response.mimetype == "application/problem+json":
        return _response(_console().gate.problem(_request(req, form=False), json.loads(response.get_body())))
    return response


def _console() -> Console:
    from shared.composition.console import compose_console

    with suppress(Misconfigured):  # logged, once; the console says it too
        switchboard()
    return compose_console(switchboard.prepare(), os.environ)


def _request(req: func.HttpRequest, *, form: bool = True) -> Request:
    from shared.web.console.exchange import Request, read_form, read_form_with_files

    headers = {name.lower(): value for name, value in req.headers.items()}
    content_type = headers.get("content-type", "")
    fields: dict[str, str] = {}
    files: dict[str, bytes] = {}
    if form and req.method == "POST" and content_type.startswith("multipart/form-data"):
        fields, files = read_form_with_files(req.get_body(), content_type)
    elif form and req.method == "POST":
        fields = read_form(req.get_body())
    return Request(req.method, dict(req.params), headers, fields, files)


def _response(reply: Reply) -> func.HttpResponse:
    return func.HttpResponse(
        reply.body, status_code=reply.status, mimetype=reply.content_type, charset="utf-8", headers=dict(reply.headers)
    )
