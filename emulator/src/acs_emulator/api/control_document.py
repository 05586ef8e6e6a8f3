"""The OpenAPI document of the control API: its routes, with what each takes and gives."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, cast

from aiohttp import web

from acs_emulator import __version__
from acs_emulator.api import control_schemas as schemas
from acs_emulator.api.control import LONGEST_POLL, json_response
from acs_emulator.api.control_schemas import Schema, items, number, ref, text, whole
from acs_emulator.core.errors import BadRequest
from acs_emulator.events.eventgrid import VALIDATION_PATH

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
PATH = "/emulator/openapi.json"
_AFTER = {"after": whole("entries after this number", minimum=0)}
_CALL = {"callConnectionId": text()}
_PATH_PARAMETERS = {
    "id": "the call's id, its server call id or one of its call connection ids",
    "number": "a number that was declared",
}


@dataclass(frozen=True)
class Described:
    """What a request does, takes and gives. ``body`` is required unless ``bare`` requests do as well."""

    summary: str
    response: Schema
    status: int = 200
    body: Schema | None = None
    bare: bool = False
    query: dict[str, Schema] = field(default_factory=dict)


#: By method and path.
DESCRIBED: dict[tuple[str, str], Described] = {
    ("GET", "/emulator/health"): Described("whether all is well, and the settings that tests need", schemas.HEALTH),
    ("GET", "/emulator/state"): Described("what goes on now", schemas.STATE),
    ("GET", "/emulator/timeline"): Described(
        "who did what in all calls; `wait` holds the response for so many seconds until there is an entry",
        schemas.TIMELINE,
        query={**_AFTER, "wait": number("seconds", minimum=0, maximum=LONGEST_POLL)},
    ),
    ("GET", "/emulator/deliveries"): Described(
        "events and how the app took them",
        schemas.DELIVERIES,
        query={"type": text("event type, short or in full"), **_CALL, **_AFTER},
    ),
    ("GET", "/emulator/requests"): Described(
        "requests of the app and their responses",
        schemas.REQUESTS,
        query={"operation": text("operation, short or in full"), **_CALL, **_AFTER},
    ),
    ("GET", "/emulator/recordings"): Described("what was said when, in seconds of the file", schemas.RECORDINGS),
    ("GET", "/emulator/topic"): Described(
        "what was published to the topic",
        schemas.TOPIC,
        query={"type": text("event type, short or in full"), "subject": text(), **_AFTER},
    ),
    ("POST", "/emulator/calls"): Described(
        "a phone calls the app; `group` or `room` instead of `to` joins that call, which begins with its first member",
        schemas.CALL_IDS,
        201,
        ref("PlaceCall"),
    ),
    ("POST", "/emulator/calls/{id}/press"): Described("the phone presses keys", schemas.OK, body=schemas.PRESS),
    ("POST", "/emulator/calls/{id}/say"): Described("the phone says it", schemas.OK, body=schemas.SAY),
    ("POST", "/emulator/calls/{id}/hangup"): Described(
        "the phone hangs up", schemas.OK, body=schemas.HANG_UP, bare=True
    ),
    ("POST", "/emulator/calls/{id}/drop-streams"): Described(
        "breaks off the call's web sockets in the middle of a frame", schemas.OK
    ),
    ("POST", "/emulator/phones"): Described(
        "how the phone of a number or user takes calls", schemas.REGISTERED, 201, ref("Phone")
    ),
    ("GET", "/emulator/numbers"): Described("the declared numbers", schemas.NUMBERS),
    ("POST", "/emulator/numbers"): Described("declares a number of the resource", schemas.DECLARED, 201, ref("Number")),
    ("DELETE", "/emulator/numbers/{number}"): Described("it is a declared number no longer", schemas.NUMBERS),
    ("POST", "/emulator/subscriptions"): Described(
        "makes an Event Grid subscription", schemas.SUBSCRIPTION, 201, ref("Subscription")
    ),
    ("GET", VALIDATION_PATH): Described(
        "the validationUrl of the handshake, opened by hand", schemas.OK, query={"code": text()}
    ),
    ("GET", "/emulator/faults"): Described("the faults in force", schemas.FAULTS),
    ("POST", "/emulator/faults"): Described(
        "adds one fault, or a list of them",
        schemas.FAULTS,
        body={"oneOf": [ref("FaultRule"), items(ref("FaultRule"))]},
    ),
    ("DELETE", "/emulator/faults"): Described("ends all faults", schemas.FAULTS),
    ("POST", "/emulator/reset"): Described(
        "ends everything without events, forgets calls, phones, users, faults, logs, recordings, topic events, and "
        "numbers declared since the start; subscriptions and keys stay",
        schemas.OK,
    ),
    ("GET", PATH): Described("this document, for clients and tools", schemas.free("OpenAPI 3.1")),
}
COMPONENTS: dict[str, Schema] = {
    "Step": schemas.STEP,
    "PlaceCall": schemas.PLACE_CALL,
    "Phone": schemas.PHONE,
    "Number": schemas.NUMBER,
    "Subscription": schemas.SUBSCRIBE,
    "FaultRule": schemas.FAULT_RULE,
    "Fault": schemas.FAULT,
    "Error": schemas.ERROR,
}


def document(routes: Iterable[web.RouteDef]) -> dict[str, Any]:
    """OpenAPI 3.1 of these routes. Raises KeyError for one that is not described."""
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        described = DESCRIBED[route.method, route.path]
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route.method, route.path, described)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "acs-emulator: control API",
            "version": __version__,
            "description": "No signature. For programs and pages of this machine; others need --allow-host.",
        },
        "paths": paths,
        "components": {"schemas": COMPONENTS},
    }


def _operation(method: str, path: str, described: Described) -> dict[str, Any]:
    words = re.findall(r"\w+", path.removeprefix("/emulator"))
    operation: dict[str, Any] = {
        "operationId": method.lower() + "".join(word.capitalize() for word in words),
        "summary": described.summary,
        "parameters": [
            {"name": name, "in": "path", "required": True, "schema": text(_PATH_PARAMETERS[name])}
            for name in re.findall(r"\{(\w+)\}", path)
        ]
        + [{"name": name, "in": "query", "schema": schema} for name, schema in described.query.items()],
        "responses": {
            str(described.status): {"description": "done", "content": _json(described.response)},
            "default": {"description": "refused; `error.target` names the field", "content": _json(ref("Error"))},
        },
    }
    if described.body is not None:
        operation["requestBody"] = {"required": not described.bare, "content": _json(described.body)}
    return operation


def _json(schema: Schema) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def checked(routes: Iterable[web.RouteDef]) -> list[web.RouteDef]:
    """The same routes, which refuse query parameters that the document does not name, and bodies that they do not take.

    A filter that is misspelt would otherwise give everything, and a body for nothing do more than was meant.
    """
    return [_checked(route, DESCRIBED[route.method, route.path]) for route in routes]


def _checked(route: web.RouteDef, described: Described) -> web.RouteDef:
    handler = cast(Handler, route.handler)

    async def handle(request: web.Request) -> web.StreamResponse:
        unknown = sorted(set(request.query) - set(described.query))
        if unknown:
            known = f"known are {', '.join(described.query)}" if described.query else "there is none here"
            raise BadRequest(f"The query parameter '{unknown[0]}' is not known; {known}.", unknown[0])
        if described.body is None and (await request.read()).strip() not in (b"", b"{}"):
            raise BadRequest(f"{route.method} {route.path} takes no body.")
        return await handler(request)

    return web.RouteDef(route.method, route.path, handle, route.kwargs)


def document_route(routes: Iterable[web.RouteDef]) -> web.RouteDef:
    """The route that serves the document of these routes, and of itself."""

    async def openapi(request: web.Request) -> web.Response:
        return json_response(whole_document)

    route = web.get(PATH, openapi)
    whole_document = document([*routes, route])
    return checked([route])[0]
