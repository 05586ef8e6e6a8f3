"""How actions on those who take part are sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.azure.call_automation.sending import Sender, repeatable, reported, send
from shared.azure.call_automation.translate import number, participant, somebody
from shared.calls import actions
from shared.calls.actions import CallingContext
from shared.calls.gateway.base import Request


@send.register
def add_participant(action: actions.AddParticipant, request: Request, sender: Sender) -> Mapping[str, Any]:
    result = sender.connection(request).add_participant(
        somebody(action.target),
        source_caller_id_number=number(action.caller_id),
        source_display_name=action.display_name,
        invitation_timeout=action.invitation_timeout,
        headers=repeatable(request),
        **_headers(action.context),
        **reported(request),
    )
    return {"invitationId": result.invitation_id}


@send.register
def cancel_add_participant(action: actions.CancelAddParticipant, request: Request, sender: Sender) -> None:
    sender.connection(request).cancel_add_participant_operation(
        action.invitation_id or "", headers=repeatable(request), **reported(request)
    )


@send.register
def remove_participant(action: actions.RemoveParticipant, request: Request, sender: Sender) -> None:
    sender.connection(request).remove_participant(
        somebody(action.target), headers=repeatable(request), **reported(request)
    )


@send.register
def move_participants(action: actions.MoveParticipants, request: Request, sender: Sender) -> None:
    sender.connection(request).move_participants(
        [somebody(target) for target in action.targets],
        action.from_call,
        headers=repeatable(request),
        **reported(request),
    )


@send.register
def mute(action: actions.MuteParticipant, request: Request, sender: Sender) -> None:
    sender.connection(request).mute_participant(
        somebody(action.target), operation_context=request.operation_context, headers=repeatable(request)
    )


@send.register
def list_participants(action: actions.ListParticipants, request: Request, sender: Sender) -> Mapping[str, Any]:
    return {"participants": [participant(found) for found in sender.connection(request).list_participants()]}


@send.register
def get_participant(action: actions.GetParticipant, request: Request, sender: Sender) -> Mapping[str, Any]:
    return participant(sender.connection(request).get_participant(somebody(action.target)))


@send.register
def transfer(action: actions.Transfer, request: Request, sender: Sender) -> None:
    sender.connection(request).transfer_call_to_participant(
        somebody(action.target),
        transferee=somebody(action.transferee) if action.transferee is not None else None,
        source_caller_id_number=number(action.caller_id),
        headers=repeatable(request),
        **_headers(action.context),
        **reported(request),
    )


def _headers(context: CallingContext | None) -> dict[str, Any]:
    """Custom headers; User-To-User is one of the SIP headers on the wire."""
    if context is None:
        return {}
    sip = dict(context.sip_headers)
    if context.user_to_user:
        sip["User-To-User"] = context.user_to_user
    return {"sip_headers": sip or None, "voip_headers": dict(context.voip_headers) or None}
