"""Event Grid: incoming calls, and lifecycle events of calls."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import azure.functions as func

from handlers.deliveries import delivery, parsed
from shared.calls.claims import Ring
from shared.calls.outcome import Outcome
from shared.composition import switchboard
from shared.errors import UnknownCall
from shared.events import (
    CallParticipantAdded,
    CallParticipantRemoved,
    CallStarted,
    IncomingCall,
    event_grid,
)
from shared.logs import logger
from shared.routing import AnswerWith, Decision, LeaveRinging, RedirectTo, RejectWith, opening

if TYPE_CHECKING:
    from shared.composition.board import Switchboard
    from shared.telemetry import Delivery

log = logger("switchboard.handlers")

LIFECYCLE = (CallStarted, event_grid.CallEnded, CallParticipantAdded, CallParticipantRemoved)

blueprint = func.Blueprint()


@blueprint.function_name("incoming_call")
@blueprint.event_grid_trigger(arg_name="event")
def incoming_call(event: func.EventGridEvent) -> None:
    """Answer with a flow, reject or redirect, as the routing file says."""
    with delivery("incoming_call") as told:
        _take(event, told)


def _take(event: func.EventGridEvent, told: Delivery) -> None:
    call = parsed(event, told)
    if call is None:
        return
    if not isinstance(call, IncomingCall):
        told.outcome = "unexpected"
        log.warning("not an incoming call type=%s id=%s", call.type, call.id)
        return
    board = switchboard()
    decision = _decide(board, call)
    if isinstance(decision, LeaveRinging):
        told.outcome, told.action, told.rule = "left_ringing", decision.outcome, decision.rule
        return
    key = f"{call.correlation_id}|{call.to.key}"
    with board.brakes.ring(call.from_, call.to, key, decision) as admission:
        decision = admission.decision
        told.outcome, told.call = _ring(board, call, decision)
        if told.outcome == Outcome.CLAIMED:
            admission.keep(told.call)
    told.action, told.rule = decision.outcome, decision.rule
    if isinstance(decision, RejectWith) and decision.why:
        log.info("rejected call=%s: %s", told.call, decision.why)


@blueprint.function_name("call_lifecycle")
@blueprint.event_grid_trigger(arg_name="event")
def call_lifecycle(event: func.EventGridEvent) -> None:
    """CallStarted, CallEnded, CallParticipantAdded and CallParticipantRemoved go into the call's journal."""
    with delivery("call_lifecycle") as told:
        change = parsed(event, told)
        if change is None:
            return
        if not isinstance(change, LIFECYCLE):
            told.outcome = "unexpected"
            log.warning("not a lifecycle event of a call type=%s id=%s", change.type, change.id)
            return
        try:
            told.outcome = switchboard().conductor.deliver_lifecycle_event(
                change.server_call_id, change.id, change.raw, correlation_id=change.correlation_id
            )
        except UnknownCall:  # no call of this app
            told.outcome = "unknown"


def _decide(board: Switchboard, call: IncomingCall) -> Decision:
    teams = call.custom_context.teams_phone_call_details
    if board.routes.calendars:
        board.brakes.get_ready()  # they are read with the switches
    return board.routes.decide(
        to=call.to,
        caller=call.from_,
        context=call.custom_context.headers,
        at=datetime.now(UTC),
        on_behalf_of=call.on_behalf_of_callee,
        teams=teams.words if teams else None,
        calendars=board.calendars.known,
    )


def _ring(board: Switchboard, call: IncomingCall, decision: AnswerWith | RejectWith | RedirectTo) -> tuple[str, str]:
    ring = Ring(
        correlation_id=call.correlation_id,
        server_call_id=call.server_call_id,
        caller=call.from_,
        callee=call.to,
        incoming_call_context=call.incoming_call_context,
        at=int(call.time.timestamp() * 1000),
        display_name=call.caller_display_name,
        context=call.custom_context.headers,
        on_behalf_of=call.on_behalf_of_callee,
        teams=call.custom_context.teams_phone_call_details,
        source_event=call.id,
        language=decision.language if isinstance(decision, AnswerWith) else "",
    )
    return board.conductor.ring(ring, *opening(decision, board.conductor.flows))
