"""The table of operations: published API 2026-03-12, one of a preview, and identity operations that clients need."""

from __future__ import annotations

from collections.abc import Callable

from acs_emulator.api import (
    calls_api,
    connecting_api,
    identities_api,
    media_api,
    participants_api,
    recordings_api,
    streaming_api,
)
from acs_emulator.api.operations import Operation, Request, Response, pattern

_CALLS = "/calling/callConnections"
_CALL = _CALLS + "/{callConnectionId}"
_RECORDINGS = "/calling/recordings"
_Handler = Callable[[Request], Response] | None


def _post(name: str, path: str, handler: _Handler, *flags: str) -> Operation:
    return Operation(
        name,
        "POST",
        pattern(path),
        handler,
        repeatable="repeatable" in flags,
        says_accepted="accepted" in flags,
        body="none" if "no body" in flags else "optional" if "optional body" in flags else "required",
    )


def _plain(name: str, method: str, path: str, handler: _Handler) -> Operation:
    return Operation(name, method, pattern(path), handler, body="none")


OPERATIONS: list[Operation] = [
    _post("CreateCall", _CALLS, calls_api.create_call, "repeatable"),
    _post("AnswerCall", f"{_CALLS}:answer", calls_api.answer_call, "repeatable"),
    _post("RedirectCall", f"{_CALLS}:redirect", calls_api.redirect_call, "repeatable"),
    _post("RejectCall", f"{_CALLS}:reject", calls_api.reject_call, "repeatable"),
    _post("Connect", f"{_CALLS}:connect", connecting_api.connect, "repeatable"),
    _plain("CallConnection_GetCall", "GET", _CALL, calls_api.get_call),
    _plain("CallConnection_HangupCall", "DELETE", _CALL, calls_api.hang_up),
    _post(
        "CallConnection_TerminateCall", f"{_CALL}:terminate", calls_api.terminate, "repeatable", "accepted", "no body"
    ),
    _post(
        "CallConnection_TransferToParticipant",
        f"{_CALL}:transferToParticipant",
        participants_api.transfer,
        "repeatable",
    ),
    _post("CallMedia_Play", f"{_CALL}:play", media_api.play),
    _post("CallMedia_StartTranscription", f"{_CALL}:startTranscription", streaming_api.start_transcription),
    _post("CallMedia_StopTranscription", f"{_CALL}:stopTranscription", streaming_api.stop_transcription),
    _post("CallMedia_UpdateTranscription", f"{_CALL}:updateTranscription", streaming_api.update_transcription),
    _post("CallMedia_CancelAllMediaOperations", f"{_CALL}:cancelAllMediaOperations", media_api.cancel_all, "no body"),
    _post("CallMedia_Recognize", f"{_CALL}:recognize", media_api.recognize),
    _post(
        "CallMedia_StartContinuousDtmfRecognition",
        f"{_CALL}:startContinuousDtmfRecognition",
        media_api.start_tones,
    ),
    _post("CallMedia_StopContinuousDtmfRecognition", f"{_CALL}:stopContinuousDtmfRecognition", media_api.stop_tones),
    _post("CallMedia_SendDtmfTones", f"{_CALL}:sendDtmfTones", media_api.send_tones, "repeatable"),
    _post("CallMedia_Hold", f"{_CALL}:hold", media_api.hold_participant),
    _post("CallMedia_Unhold", f"{_CALL}:unhold", media_api.unhold_participant),
    _post("CallMedia_StartMediaStreaming", f"{_CALL}:startMediaStreaming", streaming_api.start_media_streaming),
    _post("CallMedia_StopMediaStreaming", f"{_CALL}:stopMediaStreaming", streaming_api.stop_media_streaming),
    _plain("CallConnection_GetParticipants", "GET", f"{_CALL}/participants", participants_api.list_all),
    _post("CallConnection_AddParticipant", f"{_CALL}/participants:add", participants_api.add, "repeatable", "accepted"),
    _post(
        "CallConnection_RemoveParticipant",
        f"{_CALL}/participants:remove",
        participants_api.remove,
        "repeatable",
        "accepted",
    ),
    _post("CallConnection_Mute", f"{_CALL}/participants:mute", participants_api.mute, "repeatable", "accepted"),
    _post(
        "CallConnection_CancelAddParticipant",
        f"{_CALL}/participants:cancelAddParticipant",
        participants_api.cancel_add,
        "repeatable",
        "accepted",
    ),
    _post(
        "CallConnection_MoveParticipants",
        f"{_CALL}/participants:moveHere",
        connecting_api.move_here,
        "repeatable",
        "accepted",
    ),
    _plain("CallConnection_GetParticipant", "GET", f"{_CALL}/participants/{{participantRawId}}", participants_api.get),
    _post("CallRecording_StartRecording", _RECORDINGS, recordings_api.start, "repeatable", "accepted"),
    _plain("CallRecording_GetRecordingProperties", "GET", f"{_RECORDINGS}/{{recordingId}}", recordings_api.get),
    _plain("CallRecording_StopRecording", "DELETE", f"{_RECORDINGS}/{{recordingId}}", recordings_api.stop),
    _post("CallRecording_PauseRecording", f"{_RECORDINGS}/{{recordingId}}:pause", recordings_api.pause, "no body"),
    _post("CallRecording_ResumeRecording", f"{_RECORDINGS}/{{recordingId}}:resume", recordings_api.resume, "no body"),
]

#: Operations that the newest version does not have.
PREVIEW_OPERATIONS: list[Operation] = [
    _post("CallMedia_SummarizeCall", f"{_CALL}:summarizeCall", streaming_api.summarize_call),
]

IDENTITY_OPERATIONS: list[Operation] = [
    _post("CommunicationIdentity_Create", "/identities", identities_api.create, "optional body"),
    _plain("CommunicationIdentity_Delete", "DELETE", "/identities/{identityId}", identities_api.delete),
    _post(
        "CommunicationIdentity_IssueAccessToken",
        "/identities/{identityId}/:issueAccessToken",
        identities_api.issue_token,
    ),
    _post(
        "CommunicationIdentity_RevokeAccessTokens",
        "/identities/{identityId}/:revokeAccessTokens",
        identities_api.revoke_tokens,
        "no body",
    ),
]

#: Operations that are served elsewhere: recording files, the Event Grid topic, fast transcription.
DOWNLOAD, DELETE = "CallRecording_Download", "CallRecording_Delete"
PUBLISH, TRANSCRIBE = "EventGrid_PublishEvents", "Transcriptions_Transcribe"

_FULL_NAMES = {
    *(one.id for one in OPERATIONS + PREVIEW_OPERATIONS + IDENTITY_OPERATIONS),
    *(DOWNLOAD, DELETE, PUBLISH, TRANSCRIBE),
}
#: The operations that a fault may be for: full names, and those after the underscore.
FAULT_OPERATIONS = _FULL_NAMES | {name.rpartition("_")[2] for name in _FULL_NAMES}
