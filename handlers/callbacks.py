"""Callbacks of Call Automation: an endpoint for calls, and one for each family of actions."""

from __future__ import annotations

import re
from collections.abc import Sequence

import azure.functions as func

from handlers.deliveries import delivery, log_unread_fields
from handlers.responses import endpoint
from shared.calls.actions import families, roles
from shared.composition import switchboard
from shared.errors import MalformedEvent
from shared.events import CallEvent, parse_callbacks

MAX_BODY = 1024 * 1024
"""Bytes; a real callback is a few kilobytes."""

CALL_ID = re.compile(r"[0-9a-f]{32}[0-9]*")
"""What the id of a call looks like; whoever calls back for another is a stranger."""

blueprint = func.Blueprint()


@blueprint.function_name("call_events")
@blueprint.route("callbacks/{call_id}", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint
def call_events(req: func.HttpRequest) -> func.HttpResponse:
    """Events of the call itself, and of actions that have no callback URI of their own."""
    return _receive(req, "call", "call_events")


FAMILIES = families()
"""The events that may come to each callback URI of actions; each URI has a function of its own."""
REPORTING = frozenset(roles())
"""Events that report on an action. All others may come to any callback URI, and are journaled."""


def _register(family: str) -> None:
    @endpoint
    def events(req: func.HttpRequest) -> func.HttpResponse:
        return _receive(req, family, name)

    events.__name__ = name = f"{family.replace('-', '_')}_events"
    route = blueprint.route(f"callbacks/{{call_id}}/{family}", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
    blueprint.function_name(events.__name__)(route(events))


for _family in FAMILIES:
    _register(_family)


def _receive(req: func.HttpRequest, family: str, function: str) -> func.HttpResponse:
    call_id = req.route_params["call_id"]
    with delivery(function) as told:
        told.counted = bool(CALL_ID.fullmatch(call_id))
        board = switchboard()
        board.urls.verify(call_id, family, req.params.get("sig"))
        board.tokens.verify(req.headers.get("Authorization"))
        told.call = call_id
        events = told.events = _events(req.get_body(), family)
        log_unread_fields(events)
        told.outcome = board.conductor.deliver(call_id, events)
    return func.HttpResponse(status_code=200)


def _events(body: bytes, family: str) -> Sequence[CallEvent]:
    if len(body) > MAX_BODY:
        raise MalformedEvent("body", f"has {len(body)} bytes, more than {MAX_BODY}.", "Send one event at a time.")
    events = parse_callbacks(body)
    if not events:
        raise MalformedEvent("body", "has no event.", "Send a JSON array of CloudEvents.")
    for index, event in enumerate(events):
        if family in FAMILIES and event.name in REPORTING and event.name not in FAMILIES[family]:
            raise MalformedEvent(
                f"[{index}].type", f"{event.name} is not an event of {family}.", "Send it to the call's callback URI."
            )
    return events
