"""Connect to a call that is going on, and move participants from one call to another."""

from __future__ import annotations

from typing import Any

from acs_emulator.api.calls_api import check_uri, cognitive_services, find_member
from acs_emulator.api.media_api import connected_leg, context_of, reply_to
from acs_emulator.api.operations import Request, Response
from acs_emulator.api.stream_options import check_streams, set_up_streams
from acs_emulator.calls import connect as connecting
from acs_emulator.calls.call import Leg, Participant
from acs_emulator.calls.move_participants import start_move
from acs_emulator.core.errors import BadRequest, CallNotFound
from acs_emulator.core.identifiers import user
from acs_emulator.service.connection import Connection

#: The id of each kind of locator.
_IDS = {
    "serverCallLocator": "serverCallId",
    "groupCallLocator": "groupCallId",
    "roomCallLocator": "roomId",
}


def read_locator(locator: dict[str, Any]) -> tuple[str, str]:
    """Kind and id of a call locator; the kind may be left out. Raises BadRequest."""
    given = [kind for kind, name in _IDS.items() if locator.get(name)]
    kind = locator.get("kind") or (given[0] if len(given) == 1 else None)
    if kind is None or given != [kind]:
        needed = _IDS.get(kind or "", "serverCallId, groupCallId or roomId")
        raise BadRequest(f"'callLocator' must have exactly {needed}.", "callLocator")
    return kind, str(locator[_IDS[kind]])


def connect(request: Request) -> Response:
    body, service = request.body, request.service
    callback_uri = check_uri(body["callbackUri"], "callbackUri")
    kind, identifier = read_locator(body["callLocator"])
    check_streams(body, loose=service.config.loose)
    endpoint = cognitive_services(body)
    call = connecting.locate(service.registry, kind, identifier)
    nobody = user(service.ids.nobody())
    # Without a call the leg has one of its own, and fails.
    leg = Connection(
        call or service.registry.new_call(nobody),
        identity=nobody,
        source=None,
        targets=[],
        callback_uri=callback_uri or "",
        failure="ConnectFailed",
        operation_context=body.get("operationContext"),
        cognitive_services=endpoint,
        by_connect=True,
    )
    set_up_streams(leg, body, service.ticker)
    connecting.connect(leg, found=call is not None)
    return Response(200, leg.properties(with_server_call_id=call is not None, fresh=True), leg.call.correlation_id)


def move_here(request: Request) -> Response:
    leg, body = connected_leg(request), request.body
    reply = reply_to(leg, body)
    models = body["targetParticipants"]
    if not models:
        raise BadRequest("'targetParticipants' must name at least one participant.", "targetParticipants")
    source = request.service.leg(body["fromCall"])
    if source is None or source.state != "connected":
        raise CallNotFound("fromCall")
    if source.call is leg.call:
        raise BadRequest("'fromCall' is this call.", "fromCall")
    participants = [_movable(source, model, f"targetParticipants[{index}]") for index, model in enumerate(models)]
    response = {"participants": [participant.wire() for participant in participants], **context_of(body)}
    start_move(reply, source, participants)
    return Response(202, {**response, "fromCall": source.id}, leg.call.correlation_id)


def _movable(source: Leg, model: dict[str, Any], field: str) -> Participant:
    participant = find_member(source, model, field)
    if not participant.endpoint.is_phone:
        raise BadRequest(f"'{field}' is an application, which cannot be moved.", field)
    return participant
