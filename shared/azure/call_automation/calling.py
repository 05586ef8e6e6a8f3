"""How actions on the call itself are sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.azure.call_automation.sending import Sender, repeatable, send
from shared.azure.call_automation.streaming import live
from shared.azure.call_automation.translate import connection, number, somebody
from shared.calls import actions
from shared.calls.gateway.base import Request


@send.register
def answer(action: actions.Answer, request: Request, sender: Sender) -> Mapping[str, Any]:
    properties = sender.client.answer_call(
        request.incoming_call_context,
        request.callback_url,
        cognitive_services_endpoint=sender.cognitive_services_endpoint,
        operation_context=request.operation_context,
        headers=repeatable(request),
        **live(action, request),
    )
    return connection(properties)


@send.register
def create_call(action: actions.CreateCall, request: Request, sender: Sender) -> Mapping[str, Any]:
    targets = [somebody(target) for target in action.targets]
    properties = sender.client.create_call(
        targets[0] if len(targets) == 1 else targets,
        request.callback_url,
        source_caller_id_number=number(action.caller_id),
        source_display_name=action.display_name,
        cognitive_services_endpoint=sender.cognitive_services_endpoint,
        operation_context=request.operation_context,
        headers=repeatable(request),
        **live(action, request),
    )
    return connection(properties)


@send.register
def connect(action: actions.Connect, request: Request, sender: Sender) -> Mapping[str, Any]:
    names = {"server_call": "server_call_id", "group_call": "group_call_id", "room": "room_id"}
    options: dict[str, Any] = {names[action.locator.kind]: action.locator.id, **live(action, request)}
    properties = sender.client.connect_call(
        request.callback_url,
        cognitive_services_endpoint=sender.cognitive_services_endpoint,
        operation_context=request.operation_context,
        headers=repeatable(request),
        **options,
    )
    return connection(properties)


@send.register
def reject(action: actions.Reject, request: Request, sender: Sender) -> None:
    sender.client.reject_call(
        request.incoming_call_context, call_reject_reason=action.reason, headers=repeatable(request)
    )


@send.register
def redirect(action: actions.Redirect, request: Request, sender: Sender) -> None:
    sender.client.redirect_call(request.incoming_call_context, somebody(action.target), headers=repeatable(request))


@send.register
def hang_up(action: actions.HangUp, request: Request, sender: Sender) -> None:
    sender.connection(request).hang_up(is_for_everyone=False)


@send.register
def terminate(action: actions.Terminate, request: Request, sender: Sender) -> None:
    sender.connection(request).hang_up(is_for_everyone=True, headers=repeatable(request))


@send.register
def get_call(action: actions.GetCall, request: Request, sender: Sender) -> Mapping[str, Any]:
    return connection(sender.connection(request).get_call_properties())
