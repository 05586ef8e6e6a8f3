"""Callbacks of Call Automation: the call-level door, and one for each action family with its own callback URI."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import azure.functions as func

from handlers.answers import answer, door
from shared.composition import switchboard
from shared.errors import MalformedEvent
from shared.events import ROLES, CallEvent, parse_callbacks

log = logging.getLogger("switchboard.doors")

MAX_BODY = 1024 * 1024
"""Bytes; a real callback is a few kilobytes."""

blueprint = func.Blueprint()


@blueprint.function_name("call_events")
@blueprint.route("callbacks/{call_id}", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
@door
def call_events(req: func.HttpRequest) -> func.HttpResponse:
    """Events of the call itself, and of actions that have no callback URI of their own."""
    return _receive(req, "call")


@blueprint.function_name("play_events")
@blueprint.route("callbacks/{call_id}/play", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
@door
def play_events(req: func.HttpRequest) -> func.HttpResponse:
    """Events of play."""
    return _receive(req, "play")


@blueprint.function_name("recognize_events")
@blueprint.route("callbacks/{call_id}/recognize", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
@door
def recognize_events(req: func.HttpRequest) -> func.HttpResponse:
    """Events of recognize."""
    return _receive(req, "recognize")


def _receive(req: func.HttpRequest, family: str) -> func.HttpResponse:
    call_id = req.route_params["call_id"]
    board = switchboard()
    board.urls.verify(call_id, family, req.params.get("sig"))
    board.tokens.verify(req.headers.get("Authorization"))
    events = _events(req.get_body(), family)
    outcome = board.conductor.deliver(call_id, events)
    log.info("%s %s call=%s", outcome, ",".join(event.name for event in events), call_id)
    return answer()


def _events(body: bytes, family: str) -> Sequence[CallEvent]:
    if len(body) > MAX_BODY:
        raise MalformedEvent("body", f"has {len(body)} bytes, more than {MAX_BODY}.", "Send one event at a time.")
    events = parse_callbacks(body)
    if not events:
        raise MalformedEvent("body", "holds no event.", "Send a JSON array of CloudEvents.")
    for index, event in enumerate(events):
        role = ROLES.get(event.name)
        if family != "call" and role is not None and family not in role.action_kinds:
            raise MalformedEvent(
                f"[{index}].type", f"{event.name} is no event of {family}.", "Send it to the call's own callback URL."
            )
    return events
