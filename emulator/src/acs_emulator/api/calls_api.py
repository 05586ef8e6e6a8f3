"""Create, answer, redirect, reject, get and end calls."""

from __future__ import annotations

from typing import Any

from acs_emulator.api.operations import Request, Response
from acs_emulator.api.stream_options import check_streams, set_up_streams
from acs_emulator.api.validation import is_absolute
from acs_emulator.calls.call import Leg, Participant
from acs_emulator.calls.place_call import place_from_app
from acs_emulator.calls.registry import Invitation
from acs_emulator.core import outcomes
from acs_emulator.core.errors import BadRequest, CallNotFound, NotSupported
from acs_emulator.core.identifiers import Identifier, from_model, user
from acs_emulator.service.connection import Connection


def find_leg(request: Request) -> Connection:
    """The call connection of the path. Raises CallNotFound, also when it has ended."""
    leg = request.service.leg(request.parameters["callConnectionId"])
    if leg is None:
        raise CallNotFound(request.path)
    return leg


def find_member(leg: Leg, model: dict[str, Any], field: str) -> Participant:
    """A participant of the leg's call. Raises BadRequest."""
    participant = leg.call.find(from_model(model, field))
    if participant is None:
        raise BadRequest(f"'{field}' is not a participant of the call.", field)
    return participant


def read_target(model: dict[str, Any], field: str) -> Identifier:
    """Who is to be called. Raises BadRequest."""
    target = from_model(model, field)
    if target.is_anonymous:
        raise BadRequest(f"'{field}' is a withheld number, which nobody can call.", field)
    return target


def check_uri(uri: str | None, field: str) -> str | None:
    """An absolute http(s) address in ASCII. Raises BadRequest."""
    if uri is None:
        return None
    if not is_absolute(uri, "http", "https"):
        raise BadRequest(f"'{field}' must be an absolute http or https URI.", field)
    return uri


def create_call(request: Request) -> Response:
    body, service = request.body, request.service
    callback_uri = check_uri(body["callbackUri"], "callbackUri")
    if not body["targets"]:
        raise BadRequest("'targets' must name at least one target.", "targets")
    targets = [read_target(target, f"targets[{index}]") for index, target in enumerate(body["targets"])]
    if len({target.raw_id for target in targets}) < len(targets):
        raise BadRequest("'targets' names a target twice.", "targets")
    caller_id = caller_id_of(body)
    if caller_id is None and any(target.is_phone for target in targets):
        raise BadRequest("'sourceCallerIdNumber' is required to call a phone number.", "sourceCallerIdNumber")
    check_streams(body, loose=service.config.loose)
    given = body.get("source")
    source = from_model({"communicationUser": given}, "source") if given else user(service.ids.user())
    endpoint = cognitive_services(body)
    if caller_id is not None:
        service.registry.outbound.check(caller_id, targets)
        service.phones.own.use(caller_id.value)
    call = service.registry.new_call(source)
    leg = Connection(
        call,
        identity=source,
        source=source,
        targets=targets,
        callback_uri=callback_uri or "",
        failure="CreateCallFailed",
        operation_context=body.get("operationContext"),
        cognitive_services=endpoint,
        caller_id=caller_id,
        display_name=body.get("sourceDisplayName") or "",
    )
    set_up_streams(leg, body, service.ticker)
    place_from_app(service.registry, leg, targets, announced=given is not None and not caller_id)
    return Response(201, leg.properties(with_server_call_id=False, fresh=True), call.correlation_id)


def answer_call(request: Request) -> Response:
    body, service = request.body, request.service
    callback_uri = check_uri(body["callbackUri"], "callbackUri")
    given = body.get("answeredBy")
    answered_by = from_model({"communicationUser": given}, "answeredBy") if given else None
    endpoint = cognitive_services(body)
    check_streams(body, loose=service.config.loose)
    invitation = _take(request)
    callee = invitation.callee
    if callee.is_user:
        answered_by = answered_by or callee
    identity = callee if callee.is_user else answered_by or user(service.ids.nobody())
    leg = Connection(
        invitation.call,
        identity=identity,
        source=invitation.caller,
        targets=[identity],
        callback_uri=callback_uri or "",
        failure="AnswerFailed",
        operation_context=body.get("operationContext"),
        cognitive_services=endpoint,
        display_name=invitation.caller.value if invitation.caller.is_phone else None,
        answered_by=answered_by,
        answered_for=callee if callee.is_phone else None,
    )
    set_up_streams(leg, body, service.ticker)
    invitation.call.legs.append(leg)
    invitation.reply.set_result(leg)
    return Response(200, leg.properties(with_server_call_id=True, fresh=True), invitation.call.correlation_id)


def redirect_call(request: Request) -> Response:
    target = read_target(request.body["target"], "target")
    invitation = _peek(request)
    if target.is_phone and invitation.caller.is_user:
        raise NotSupported("Redirecting a VoIP call to a phone number is not supported.")
    _take(request)
    invitation.reply.set_result(target)
    return Response(204, chain_id=invitation.call.correlation_id)


def reject_call(request: Request) -> Response:
    invitation = _take(request)
    reason = request.body.get("callRejectReason", "none")
    invitation.call.note("app", "rejects", reason)
    invitation.call.rejected = reason
    # Recorded for the reason `none`; for the others unknown, chosen: the same.
    invitation.reply.set_result(outcomes.LEFT_ALONE)
    return Response(204, chain_id=invitation.call.correlation_id)


def get_call(request: Request) -> Response:
    leg = find_leg(request)
    return Response(200, leg.properties(with_server_call_id=True, fresh=False), leg.call.correlation_id)


def hang_up(request: Request) -> Response:
    """The leg leaves; in a call of two this ends it for the other side as well (docs)."""
    leg = find_leg(request)
    leg.call.note("app", "hangs up")
    member = leg.call.member(leg)
    if leg.by_connect:
        leg.call.left_by_app(leg, outcomes.ENDED_BY_APP)
    elif member is None:
        leg.call.end(_ended_by(leg))
    else:
        leg.call.leave(member, outcomes.ENDED_BY_APP)
    return Response(204, chain_id=leg.call.correlation_id)


def terminate(request: Request) -> Response:
    """The call ends for everyone."""
    leg = find_leg(request)
    leg.call.note("app", "hangs up", "for everyone")
    leg.call.end(_ended_by(leg))
    return Response(204, chain_id=leg.call.correlation_id)


def _ended_by(acting: Leg) -> Any:
    return lambda leg: outcomes.ENDED_BY_APP if leg is acting else outcomes.ENDED_FOR_ALL


def _peek(request: Request) -> Invitation:
    """The incoming call of the context. Unknown, used and expired contexts: unknown, chosen 404/8522."""
    invitation = request.service.registry.invitations.get(request.body["incomingCallContext"])
    if invitation is None or invitation.reply.done():
        raise CallNotFound(request.path)
    return invitation


def _take(request: Request) -> Invitation:
    invitation = _peek(request)
    del request.service.registry.invitations[invitation.context]
    return invitation


def caller_id_of(body: dict[str, Any]) -> Identifier | None:
    """The caller id of a request, if any."""
    number = body.get("sourceCallerIdNumber")
    return None if number is None else read_target({"phoneNumber": number}, "sourceCallerIdNumber")


def cognitive_services(body: dict[str, Any]) -> str | None:
    options = body.get("callIntelligenceOptions") or {}
    return check_uri(options.get("cognitiveServicesEndpoint"), "callIntelligenceOptions.cognitiveServicesEndpoint")
