"""One minimal valid request of every published operation, through the official client."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from azure.communication.callautomation import DtmfTone, FileSource, RecognizeInputType

from emulator.tests.conformance.python_sdk.world import OWN, World

#: On a call connection: by published operation id, a function of the connection, a target and a callback address.
ON_A_CALL: dict[str, Callable[[Any, Any, str], Any]] = {
    "CallConnection_GetCall": lambda c, who, url: c.get_call_properties(),
    "CallConnection_HangupCall": lambda c, who, url: c.hang_up(False),
    "CallConnection_TerminateCall": lambda c, who, url: c.hang_up(True),
    "CallConnection_TransferToParticipant": lambda c, who, url: c.transfer_call_to_participant(who),
    "CallMedia_Play": lambda c, who, url: c.play_media(FileSource(url=f"{url}/prompt.wav")),
    "CallMedia_StartTranscription": lambda c, who, url: c.start_transcription(locale="en-US"),
    "CallMedia_StopTranscription": lambda c, who, url: c.stop_transcription(),
    "CallMedia_UpdateTranscription": lambda c, who, url: c.update_transcription(locale="en-GB"),
    "CallMedia_CancelAllMediaOperations": lambda c, who, url: c.cancel_all_media_operations(),
    "CallMedia_Recognize": lambda c, who, url: c.start_recognizing_media(
        RecognizeInputType.DTMF, who, dtmf_max_tones_to_collect=1
    ),
    "CallMedia_StartContinuousDtmfRecognition": lambda c, who, url: c.start_continuous_dtmf_recognition(who),
    "CallMedia_StopContinuousDtmfRecognition": lambda c, who, url: c.stop_continuous_dtmf_recognition(who),
    "CallMedia_SendDtmfTones": lambda c, who, url: c.send_dtmf_tones([DtmfTone.ONE], who),
    "CallMedia_Hold": lambda c, who, url: c.hold(who),
    "CallMedia_Unhold": lambda c, who, url: c.unhold(who),
    "CallMedia_StartMediaStreaming": lambda c, who, url: c.start_media_streaming(),
    "CallMedia_StopMediaStreaming": lambda c, who, url: c.stop_media_streaming(),
    "CallConnection_GetParticipants": lambda c, who, url: list(c.list_participants()),
    "CallConnection_AddParticipant": lambda c, who, url: c.add_participant(who, source_caller_id_number=OWN),
    "CallConnection_RemoveParticipant": lambda c, who, url: c.remove_participant(who),
    "CallConnection_Mute": lambda c, who, url: c.mute_participant(who),
    "CallConnection_CancelAddParticipant": lambda c, who, url: c.cancel_add_participant_operation("no-such-invitation"),
    "CallConnection_MoveParticipants": lambda c, who, url: c.move_participants([who], "another-call"),
    "CallConnection_GetParticipant": lambda c, who, url: c.get_participant(who),
}

_RECORDING = "eyJQbGF0Zm9ybUVuZHBvaW50SWQiOiIwIn0"
#: The others: a function of the client, a target and the world.
OTHERS: dict[str, Callable[[Any, Any, World], Any]] = {
    "CreateCall": lambda c, who, w: c.create_call(who, w.url(), source_caller_id_number=OWN),
    "AnswerCall": lambda c, who, w: c.answer_call("no-such-context", w.url()),
    "RedirectCall": lambda c, who, w: c.redirect_call("no-such-context", who),
    "RejectCall": lambda c, who, w: c.reject_call("no-such-context"),
    "Connect": lambda c, who, w: c.connect_call(w.url(), server_call_id="bm8gc3VjaCBjYWxs"),
    "CallRecording_StartRecording": lambda c, who, w: c.start_recording(server_call_id="bm8gc3VjaCBjYWxs"),
    "CallRecording_GetRecordingProperties": lambda c, who, w: c.get_recording_properties(_RECORDING),
    "CallRecording_StopRecording": lambda c, who, w: c.stop_recording(_RECORDING),
    "CallRecording_PauseRecording": lambda c, who, w: c.pause_recording(_RECORDING),
    "CallRecording_ResumeRecording": lambda c, who, w: c.resume_recording(_RECORDING),
}
