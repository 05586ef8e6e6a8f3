"""How actions on what is heard and said are sent."""

from __future__ import annotations

from typing import Any

from azure.communication.callautomation import RecognitionChoice

from shared.azure.call_automation.sending import Sender, repeatable, reported, send
from shared.azure.call_automation.translate import somebody, source
from shared.calls import actions
from shared.calls.gateway.base import Request


@send.register
def play(action: actions.Play, request: Request, sender: Sender) -> None:
    sender.connection(request).play_media(
        [source(prompt, sender.voice_name) for prompt in action.prompts],
        play_to=[somebody(listener) for listener in action.to] if action.to else "all",
        loop=action.loop,
        interrupt_call_media_operation=action.interrupt,
        **reported(request),
    )


@send.register
def recognize(action: actions.Recognize, request: Request, sender: Sender) -> None:
    prompts: Any = [source(prompt, sender.voice_name) for prompt in action.prompts]
    choices = [
        RecognitionChoice(label=choice.label, phrases=list(choice.phrases), tone=choice.tone)
        for choice in action.choices
    ]
    # The SDK multiplies seconds by 1000; what the service takes is whole milliseconds.
    end_silence: Any = action.end_silence
    sender.connection(request).start_recognizing_media(
        action.input,
        somebody(action.participant),
        play_prompt=prompts[0] if len(prompts) == 1 else prompts or None,
        interrupt_prompt=action.interrupt_prompt,
        interrupt_call_media_operation=action.interrupt,
        initial_silence_timeout=action.initial_silence,
        choices=choices or None,
        dtmf_max_tones_to_collect=action.max_tones,
        dtmf_inter_tone_timeout=action.inter_tone,
        dtmf_stop_tones=list(action.stop_tones) or None,
        end_silence_timeout=end_silence,
        speech_language=None if action.input == "dtmf" else action.language or sender.language,
        speech_recognition_model_endpoint_id=action.speech_model_endpoint_id,
        **reported(request),
    )


@send.register
def cancel_all_media(action: actions.CancelAllMedia, request: Request, sender: Sender) -> None:
    sender.connection(request).cancel_all_media_operations()


@send.register
def start_continuous_dtmf(action: actions.StartContinuousDtmf, request: Request, sender: Sender) -> None:
    sender.connection(request).start_continuous_dtmf_recognition(
        somebody(action.participant), operation_context=request.operation_context
    )


@send.register
def stop_continuous_dtmf(action: actions.StopContinuousDtmf, request: Request, sender: Sender) -> None:
    sender.connection(request).stop_continuous_dtmf_recognition(somebody(action.participant), **reported(request))


@send.register
def send_dtmf(action: actions.SendDtmf, request: Request, sender: Sender) -> None:
    sender.connection(request).send_dtmf_tones(
        list(action.tones), somebody(action.participant), headers=repeatable(request), **reported(request)
    )


@send.register
def hold(action: actions.Hold, request: Request, sender: Sender) -> None:
    sender.connection(request).hold(
        somebody(action.participant),
        play_source=source(action.audio, sender.voice_name) if action.audio is not None else None,
        **reported(request),
    )


@send.register
def unhold(action: actions.Unhold, request: Request, sender: Sender) -> None:
    sender.connection(request).unhold(somebody(action.participant), **reported(request))
