"""How actions on recordings are sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from azure.communication.callautomation import AzureBlobContainerRecordingStorage, ChannelAffinity

from shared.azure.call_automation.sending import Sender, repeatable, send
from shared.azure.call_automation.translate import somebody, word
from shared.calls import actions
from shared.calls.gateway.base import Request
from shared.errors import ActionRefused


@send.register
def start_recording(action: actions.StartRecording, request: Request, sender: Sender) -> Mapping[str, Any]:
    located: dict[str, Any] = {"call_connection_id": request.connection_id}
    if action.locate_by == "server_call":
        located = {"server_call_id": request.server_call_id}
    if not any(located.values()):
        raise ActionRefused(action.kind, 0, "not_connected", "the call has no connection yet")
    properties = sender.client.start_recording(
        **located,
        recording_state_callback_url=request.operation_callback_url,
        recording_content_type=action.content,
        recording_channel_type=action.channel,
        recording_format_type=action.format,
        channel_affinity=[
            ChannelAffinity(target_participant=somebody(pinned.participant), channel=pinned.channel)
            for pinned in action.affinity
        ],
        audio_channel_participant_ordering=[somebody(who) for who in action.ordering] or None,
        pause_on_start=action.pause_on_start or None,
        recording_storage=AzureBlobContainerRecordingStorage(container_url=action.storage) if action.storage else None,
        headers=repeatable(request),
    )
    return _state(properties)


@send.register
def pause_recording(action: actions.PauseRecording, request: Request, sender: Sender) -> None:
    sender.client.pause_recording(action.recording_id or "")


@send.register
def resume_recording(action: actions.ResumeRecording, request: Request, sender: Sender) -> None:
    sender.client.resume_recording(action.recording_id or "")


@send.register
def stop_recording(action: actions.StopRecording, request: Request, sender: Sender) -> None:
    sender.client.stop_recording(action.recording_id or "")


@send.register
def get_recording_state(action: actions.GetRecordingState, request: Request, sender: Sender) -> Mapping[str, Any]:
    return _state(sender.client.get_recording_properties(action.recording_id or ""))


def _state(properties: Any) -> dict[str, Any]:
    return {
        "recordingId": properties.recording_id,
        "recordingState": word(properties.recording_state),
        "recordingKind": word(properties.recording_kind),
    }
