"""Who is in a call."""

from __future__ import annotations

from acs_emulator.api.calls_api import caller_id_of, find_leg, find_member, read_target
from acs_emulator.api.media_api import connected_leg, context_of, reply_to
from acs_emulator.api.operations import Request, Response
from acs_emulator.calls import add_participant
from acs_emulator.calls.ring import RING_SECONDS, Ring
from acs_emulator.core.errors import BadRequest, ServiceError


def list_all(request: Request) -> Response:
    leg = find_leg(request)
    participants = [participant.wire() for participant in leg.call.participants]
    return Response(200, {"value": participants}, leg.call.correlation_id)


def get(request: Request) -> Response:
    leg = find_leg(request)
    raw_id = request.parameters["participantRawId"]
    for participant in leg.call.participants:
        if participant.identifier.raw_id == raw_id:
            return Response(200, participant.wire(), leg.call.correlation_id)
    raise ServiceError(404, "8522", "Participant not found.", request.path)


def mute(request: Request) -> Response:
    """Mute one user; the state shows in ParticipantsUpdated (docs: only communication users)."""
    leg = connected_leg(request)
    models = request.body["targetParticipants"]
    if len(models) != 1:
        raise BadRequest("'targetParticipants' must name exactly one participant.", "targetParticipants")
    target = find_member(leg, models[0], "targetParticipants[0]")
    if not target.identifier.is_user:
        raise BadRequest("Only communication users can be muted.", "targetParticipants[0]")
    if not target.muted:
        target.mute()
        leg.call.participants_changed()
    return Response(200, context_of(request.body), leg.call.correlation_id)


def add(request: Request) -> Response:
    leg, body = connected_leg(request), request.body
    target = read_target(body["participantToAdd"], "participantToAdd")
    caller_id = caller_id_of(body)
    if target.is_phone and caller_id is None:
        raise BadRequest("'sourceCallerIdNumber' is required to add a phone number.", "sourceCallerIdNumber")
    if leg.call.find(target) is not None:
        raise BadRequest("'participantToAdd' is already in the call.", "participantToAdd")
    request.service.registry.outbound.check(caller_id, [target])
    caller = caller_id if caller_id is not None and target.is_phone else leg.identity
    details = Ring(
        caller,
        body.get("sourceDisplayName") or "",
        body.get("customCallingContext"),
        body.get("invitationTimeoutInSeconds") or RING_SECONDS,
        request.service.registry.outbound.begin(caller_id, leg.call, [target]),
    )
    invitation_id = add_participant.add(request.service.registry, reply_to(leg, body), target, details)
    participant = {"identifier": target.wire(), "isMuted": False, "isOnHold": False}
    response = {"participant": participant, **context_of(body), "invitationId": invitation_id}
    return Response(202, response, leg.call.correlation_id)


def cancel_add(request: Request) -> Response:
    leg, body = connected_leg(request), request.body
    add_participant.cancel(reply_to(leg, body), body["invitationId"])
    return Response(202, {"invitationId": body["invitationId"], **context_of(body)}, leg.call.correlation_id)


def remove(request: Request) -> Response:
    leg, body = connected_leg(request), request.body
    participant = find_member(leg, body["participantToRemove"], "participantToRemove")
    leg.service.tasks.start(add_participant.remove(reply_to(leg, body), participant), "remove participant")
    return Response(202, context_of(body), leg.call.correlation_id)


def transfer(request: Request) -> Response:
    leg, body = connected_leg(request), request.body
    target = read_target(body["targetParticipant"], "targetParticipant")
    member = leg.call.member(leg)
    others = [participant for participant in leg.call.participants if participant is not member]
    if body.get("transferee") is not None:
        transferee = find_member(leg, body["transferee"], "transferee")
    elif member is None or leg.call.is_group:
        raise BadRequest("'transferee' is required in a group call.", "transferee")
    else:
        transferee = others[0]
    if transferee is member:
        raise BadRequest("'transferee' must not be the application itself.", "transferee")
    if leg.call.find(target) is not None:
        raise BadRequest("'targetParticipant' is already in the call.", "targetParticipant")
    details = Ring(transferee.identifier, "", body.get("customCallingContext"))
    add_participant.start_transfer(request.service.registry, reply_to(leg, body), transferee, target, details)
    return Response(202, context_of(body), leg.call.correlation_id)
