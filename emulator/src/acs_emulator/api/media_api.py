"""Play, recognize, cancel, tones, hold."""

from __future__ import annotations

from typing import Any

from acs_emulator.api.calls_api import check_uri, find_leg, find_member
from acs_emulator.api.operations import Request, Response
from acs_emulator.calls.call import Leg
from acs_emulator.calls.reply import ReplyTo
from acs_emulator.core.errors import BadRequest, ConfigurationMissing, NotEstablished
from acs_emulator.media.play import Play
from acs_emulator.media.recognize import Recognize
from acs_emulator.media.sources import check_sources
from acs_emulator.media.tones import MOST_TONES, SendTones
from acs_emulator.service.connection import Connection


def connected_leg(request: Request) -> Connection:
    """The call connection of the path, which must be up. Raises CallNotFound or NotEstablished."""
    leg = find_leg(request)
    if leg.state != "connected":
        raise NotEstablished
    return leg


def reply_to(leg: Leg, body: dict[str, Any]) -> ReplyTo:
    """Where the outcome of a request is reported. Raises BadRequest."""
    url = check_uri(body.get("operationCallbackUri"), "operationCallbackUri")
    return ReplyTo(leg, body.get("operationContext"), url)


def context_of(body: dict[str, Any]) -> dict[str, Any]:
    """The operation context as a response gives it back: not at all when the request has none."""
    context = body.get("operationContext")
    return {} if context is None else {"operationContext": context}


def play(request: Request) -> Response:
    leg, body = connected_leg(request), request.body
    sources = body["playSources"]
    if not sources:
        raise BadRequest("'playSources' must have at least one source.", "playSources")
    check_sources(sources, "playSources", leg)
    targets = [find_member(leg, one, f"playTo[{index}]") for index, one in enumerate(body.get("playTo") or ())]
    loop = bool((body.get("playOptions") or {}).get("loop", False))
    operation = Play(reply_to(leg, body), sources, targets, loop=loop)
    leg.media.submit(operation, interrupt=bool(body.get("interruptCallMediaOperation", False)))
    return Response(202, chain_id=leg.call.correlation_id)


def recognize(request: Request) -> Response:
    leg, body = connected_leg(request), request.body
    options = body["recognizeOptions"]
    target = find_member(leg, options["targetParticipant"], "recognizeOptions.targetParticipant")
    prompts = _prompts(body, leg)
    _check_input(body["recognizeInputType"], options, leg)
    operation = Recognize(reply_to(leg, body), body, prompts, target, main=not leg.call.is_group)
    leg.media.submit(operation, interrupt=bool(body.get("interruptCallMediaOperation", False)))
    return Response(202, chain_id=leg.call.correlation_id)


def _prompts(body: dict[str, Any], leg: Leg) -> list[dict[str, Any]]:
    if "playPrompts" in body:
        prompts: list[dict[str, Any]] = body["playPrompts"]
        check_sources(prompts, "playPrompts", leg)
        return prompts
    if "playPrompt" in body:
        check_sources([body["playPrompt"]], "playPrompt", leg)
        return [body["playPrompt"]]
    return []


def _check_input(kind: str, options: dict[str, Any], leg: Leg) -> None:
    if kind != "dtmf" and leg.cognitive_services is None and not leg.service.config.loose:
        raise ConfigurationMissing
    dtmf = options.get("dtmfOptions") or {}
    where = "recognizeOptions.dtmfOptions"
    if not 1 <= dtmf.get("interToneTimeoutInSeconds", 2) <= 60:
        raise BadRequest(
            f"'{where}.interToneTimeoutInSeconds' must be from 1 to 60.", f"{where}.interToneTimeoutInSeconds"
        )
    if dtmf.get("maxTonesToCollect", 1) < 1:
        raise BadRequest(f"'{where}.maxTonesToCollect' must be at least 1.", f"{where}.maxTonesToCollect")
    end_silence = (options.get("speechOptions") or {}).get("endSilenceTimeoutInMs", 0)
    if end_silence < 0:
        where = "recognizeOptions.speechOptions.endSilenceTimeoutInMs"
        raise BadRequest(f"'{where}' must not be negative.", where)
    if kind == "choices":
        _check_choices(options.get("choices") or [])


def _check_choices(choices: list[dict[str, Any]]) -> None:
    where = "recognizeOptions.choices"
    if not choices:
        raise BadRequest(f"'{where}' must have at least one choice.", where)
    with_tone = [choice for choice in choices if choice.get("tone")]
    if with_tone and len(with_tone) < len(choices):
        raise BadRequest(f"'{where}': give a tone for every choice or for none.", where)
    if len({choice["tone"] for choice in with_tone}) < len(with_tone):
        raise BadRequest(f"'{where}' gives a tone twice.", where)


def cancel_all(request: Request) -> Response:
    leg = connected_leg(request)
    leg.call.note("app", "cancels", "all media operations")
    leg.media.cancel_all()
    return Response(202, chain_id=leg.call.correlation_id)


def start_tones(request: Request) -> Response:
    leg, body = connected_leg(request), request.body
    target = find_member(leg, body["targetParticipant"], "targetParticipant")
    leg.tones.start(target.identifier, reply_to(leg, body))
    return Response(200, chain_id=leg.call.correlation_id)


def stop_tones(request: Request) -> Response:
    leg, body = connected_leg(request), request.body
    target = find_member(leg, body["targetParticipant"], "targetParticipant")
    leg.tones.stop(target.identifier, reply_to(leg, body))
    return Response(200, chain_id=leg.call.correlation_id)


def send_tones(request: Request) -> Response:
    leg, body = connected_leg(request), request.body
    target = find_member(leg, body["targetParticipant"], "targetParticipant")
    if not target.identifier.is_phone:
        raise BadRequest("Tones can be sent to phone numbers only.", "targetParticipant")
    if not 1 <= len(body["tones"]) <= MOST_TONES:
        raise BadRequest(f"'tones' must have 1 to {MOST_TONES} tones.", "tones")
    leg.media.submit(SendTones(reply_to(leg, body), body["tones"], target.identifier), interrupt=False)
    return Response(202, context_of(body), leg.call.correlation_id)


def hold_participant(request: Request) -> Response:
    leg, body = connected_leg(request), request.body
    target = find_member(leg, body["targetParticipant"], "targetParticipant")
    source = body.get("playSourceInfo")
    if source is not None:
        check_sources([source], "playSourceInfo", leg)
    leg.holds.hold(target, source, reply_to(leg, body))
    return Response(200, chain_id=leg.call.correlation_id)


def unhold_participant(request: Request) -> Response:
    leg, body = connected_leg(request), request.body
    leg.holds.unhold(leg.call, find_member(leg, body["targetParticipant"], "targetParticipant"))
    return Response(200, chain_id=leg.call.correlation_id)
