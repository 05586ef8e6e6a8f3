"""Results that events carry, each with its source; one place for every code and sentence."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Outcome:
    """resultInformation of an event: HTTP-like code, service sub-code, message."""

    code: int
    sub_code: int
    message: str = ""

    def wire(self) -> dict[str, object]:
        return {"code": self.code, "subCode": self.sub_code, "message": self.message}


# Recorded 2025.
OK = Outcome(200, 0)
COMPLETED = Outcome(200, 0, "Action completed successfully.")
ENDED_BY_APP = Outcome(
    200,
    7000,
    "Call was ended by Azure Communication Service Call Automation API or a server bot. DiagCode: 0#7000.@",
)
ENDED_FOR_ALL = Outcome(200, 5001, "This conversation has ended.. DiagCode: 0#5001.@")
LEFT_ALONE = Outcome(200, 5002, "The conversation has ended. DiagCode: 0#5002.@")
CANCELED = Outcome(400, 8508, "Action failed, the operation was cancelled.")
INITIAL_SILENCE = Outcome(400, 8510, "Action failed, initial silence timeout reached.")
FORMAT_INVALID = Outcome(400, 8535, "Action failed, file format is invalid.")
PROMPT_FAILED = Outcome(500, 8511, "Action failed, encountered failure while trying to play the prompt.")

# Docs: play-action and recognize-action pages.
DOWNLOAD_FAILED = Outcome(400, 8536, "Action failed, file could not be downloaded.")
MAX_DIGITS = Outcome(200, 8531, "Action completed, max digits received.")
STOP_TONE = Outcome(200, 8514, "Action completed as stop tone was detected.")
INTER_TONE_TIMEOUT = Outcome(400, 8532, "Action failed, inter-digit silence timeout reached.")
TONE_MATCHED = Outcome(200, 8533, "Action completed, DTMF option matched.")
SPEECH_MATCHED = Outcome(200, 8545, "Action completed, speech option matched.")
SPEECH_RECOGNIZED = Outcome(200, 8569, "Action completed, speech was recognized.")
SPEECH_NO_MATCH = Outcome(400, 8547, "Action failed, recognized phrase does not match a valid option.")
SPEECH_NOT_RECOGNIZED = Outcome(400, 8563, "Action failed, speech could not be recognized.")
WRONG_TONE = Outcome(500, 8534, "Action failed, incorrect tone entered.")
# Docs give 8565 as the AI services' failure; that malformed SSML ends here is chosen.
SPEECH_SERVICE_FAILED = Outcome(400, 8565, "Action failed, bad request to Azure AI services. Check input parameters.")

# Public logs of MediaStreamingFailed (Azure-Samples/communication-services-python-quickstarts issue 60, December 2024)
# and TranscriptionFailed (Microsoft Q&A 2283300, June 2025).
STREAM_URL_INVALID = Outcome(
    400, 8581, "Action failed, Transport url is not valid or web socket server is not operational."
)
# Docs: Call Automation codes 8603, 8605; which event and HTTP-like code they go with is chosen.
STREAM_FAILED = Outcome(500, 8603, "Action failed, media streaming failed.")
TRANSCRIPTION_FAILED = Outcome(400, 8605, "Action failed, transcription failed.")

# Docs: Call Automation codes (invite outcomes). The HTTP-like code beside each sub-code is chosen.
INVITE_DECLINED = Outcome(603, 8538, "Invite failed, the participant declined.")
INVITE_BUSY = Outcome(486, 8539, "Invite failed, the participant is busy.")
INVITE_UNREACHABLE = Outcome(480, 8544, "Invite failed, the participant cannot be reached.")
INVITE_NOT_ANSWERED = Outcome(408, 8587, "Invite failed, the call was not answered within the time allowed.")

# Not published: chosen.
CALL_NOT_FOUND = Outcome(404, 8522, "Call not found.")
NOT_IN_CALL = Outcome(404, 8522, "Participant not found.")
INVITATION_UNKNOWN = Outcome(400, 8523, "The invitation is unknown or no longer pending.")
SUMMARY_NOT_MADE = Outcome(500, 9999, "The emulator makes no summaries.")
TRANSFERRED = Outcome(200, 7015, "The call was transferred. DiagCode: 0#7015.@")


def invitation_canceled(raw_id: str) -> Outcome:
    """Result of CancelAddParticipantSucceeded (recorded 2025)."""
    reason = "Underlying reason: The conversation has ended. DiagCode: 0#5300.@"
    return Outcome(200, 5300, f"addParticipants failed for participant {raw_id}. {reason}")
