"""The sub-code table's rows: data alone. `shared.events.subcodes` says what the columns mean."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

Outcome = Literal[
    "ok",
    "partial_input",
    "no_input",
    "no_match",
    "declined",
    "busy",
    "no_answer",
    "unreachable",
    "canceled",
    "ended",
    "timeout",
    "bad_request",
    "wrong_state",
    "conflict",
    "not_found",
    "not_supported",
    "permission",
    "throttled",
    "prompt_failed",
    "speech_service",
    "media_failed",
    "recording_failed",
    "service_error",
    "unknown",
]
"""What happened, as one word to branch on."""

Row = tuple[Outcome, bool, str]
"""The outcome, whether to try again may help, plain words."""

NO: Final = False
AGAIN: Final = True

BY_SUB_CODE: Final[Mapping[int, Row]] = {
    0: ("ok", NO, "It worked."),
    5001: ("ended", NO, "The other side ended the call."),
    5002: (
        "ended",
        NO,
        "The call was declined, or the last other participant has left; nobody remains to talk to.",
    ),
    5300: ("canceled", NO, "The invitation was withdrawn before it was accepted."),
    7000: ("ended", NO, "The call was ended in the normal way, by this app or by another one."),
    7500: (
        "permission",
        NO,
        "The service does not take this kind of Entra identity; use the access key or a managed identity.",
    ),
    7501: ("permission", NO, "The access token is not valid; get a new one and check the clock."),
    7502: (
        "permission",
        NO,
        "This feature is not enabled for the resource; enable it, or ask support for it.",
    ),
    7504: ("permission", NO, "The resource or identity lacks a permission; the message says which."),
    7505: ("permission", NO, "The identity belongs to another tenant than the resource."),
    7506: ("permission", NO, "The certificate is not trusted."),
    7507: (
        "permission",
        NO,
        "The source identity or number does not belong to this resource; use the resource that owns it.",
    ),
    7508: ("permission", NO, "The service does not take this kind of ACS identity here."),
    7509: (
        "permission",
        NO,
        "The request's signature is wrong; check the endpoint, the access key and the clock.",
    ),
    7510: (
        "permission",
        NO,
        "The managed identity could not be verified; check that it is assigned and has its role.",
    ),
    7600: ("permission", NO, "The resource has no access to this feature."),
    7601: ("permission", NO, "The source is not an ACS user of this resource."),
    7602: ("permission", NO, "The target is not an ACS user that this resource may call."),
    7603: ("permission", NO, "The ACS user id is not valid."),
    7604: (
        "permission",
        NO,
        "Calls with Teams users are not allowed here; allow the resource in the Teams tenant.",
    ),
    7605: ("permission", NO, "Recording of calls with Teams users is not allowed here."),
    7606: (
        "permission",
        NO,
        "The resource may not use the Azure AI service; connect the two and give it the role.",
    ),
    8500: ("wrong_state", AGAIN, "Another media operation runs for this participant; wait until it is over."),
    8501: (
        "wrong_state",
        NO,
        "The call is not up, or no longer up; act only between CallConnected and CallDisconnected.",
    ),
    8502: ("wrong_state", AGAIN, "The app is not a participant of the call yet; wait for CallConnected."),
    8503: ("media_failed", NO, "The call has no active audio."),
    8504: ("media_failed", AGAIN, "The call's media streams are not there."),
    8505: ("bad_request", NO, "A participant cannot be replaced in a call of several."),
    8506: ("recording_failed", NO, "The call is not one for compliance recording."),
    8508: ("canceled", NO, "The action was cancelled or interrupted by another one."),
    8509: ("timeout", NO, "The silence lasted longer than is allowed."),
    8510: (
        "no_input",
        AGAIN,
        "The caller said and pressed nothing in the time given; ask again, or allow more time.",
    ),
    8511: (
        "prompt_failed",
        NO,
        "The prompt of a recognize could not be played; check the file's address or the voice.",
    ),
    8512: ("prompt_failed", AGAIN, "The beep before a recording could not be played."),
    8513: ("timeout", AGAIN, "No audio arrived from the participant."),
    8514: ("ok", NO, "The caller pressed the stop tone; the keys before it are in the event."),
    8515: ("ok", NO, "The recording reached its greatest length."),
    8516: ("throttled", AGAIN, "Too many calls; place fewer at a time and try later."),
    8517: ("permission", NO, "The call belongs to another tenant."),
    8518: ("service_error", AGAIN, "The service failed while it handled the call."),
    8519: ("conflict", AGAIN, "Two actions collide on one resource; do them one after the other."),
    8520: ("not_supported", NO, "The service does not support this here; see its list of known limitations."),
    8521: ("bad_request", NO, "The call was passed on too often; look for a loop of redirects or transfers."),
    8522: ("not_found", NO, "The call, participant or recording is not there; it may have ended or left."),
    8523: ("bad_request", NO, "Something in the request is not valid; the message says what."),
    8524: ("recording_failed", NO, "The number of participants does not fit compliance recording."),
    8525: ("recording_failed", NO, "The participant is not one that is recorded."),
    8526: ("bad_request", NO, "The token to join the meeting is not valid."),
    8527: ("bad_request", NO, "The link to join the meeting is not valid."),
    8528: ("wrong_state", NO, "The call has ended; nothing can be done on it any more."),
    8529: ("throttled", NO, "The month's limit of calls is used up; ask support for more."),
    8530: ("throttled", AGAIN, "The limit of simultaneous calls is reached; try again when some have ended."),
    8531: ("ok", NO, "The caller pressed as many keys as were asked for."),
    8532: ("partial_input", NO, "The caller paused too long between keys; the keys so far are in the event."),
    8533: ("ok", NO, "The caller chose by key."),
    8534: ("no_match", AGAIN, "The caller pressed a key that is no choice; ask again."),
    8535: ("prompt_failed", NO, "The prompt's format is wrong; use WAV, 16-bit PCM, mono, 16 kHz."),
    8536: (
        "prompt_failed",
        AGAIN,
        "The prompt could not be downloaded; its address must be reachable without a login.",
    ),
    8537: ("service_error", AGAIN, "The service lost touch with the call."),
    8538: ("declined", NO, "The callee declined."),
    8539: ("busy", AGAIN, "The callee is busy; try later."),
    8540: ("busy", AGAIN, "The callee is busy on all devices; try later."),
    8541: ("unreachable", AGAIN, "The callee is not available now; try later."),
    8542: ("canceled", NO, "The call was cancelled before it was answered."),
    8543: ("ended", NO, "The call does not exist any more."),
    8544: ("unreachable", AGAIN, "The callee cannot be reached; check the number, or try later."),
    8545: ("ok", NO, "The caller chose by speech."),
    8546: ("bad_request", NO, "The callee's device refused the request as not valid."),
    8547: ("no_match", AGAIN, "What the caller said is none of the choices; ask again, or add phrases."),
    8548: ("wrong_state", NO, "This works in a group call only."),
    8549: ("service_error", AGAIN, "The call could not be passed on."),
    8550: ("media_failed", AGAIN, "The call could not be passed on: no common media format."),
    8551: ("not_supported", NO, "This call cannot be passed on."),
    8552: ("permission", NO, "The organizer of a meeting cannot be removed."),
    8553: ("conflict", NO, "The call is being recorded already."),
    8554: ("media_failed", NO, "The participant is not in the meeting's audio."),
    8555: ("conflict", NO, "The call is being passed on already."),
    8556: ("not_supported", NO, "This does not work in a call with compliance recording."),
    8557: ("bad_request", NO, "The format is not one that this combination of content and channels allows."),
    8558: ("not_found", NO, "The participant is not in the call."),
    8559: (
        "conflict",
        NO,
        "The call is being recorded already; check the recording's state before starting one.",
    ),
    8560: ("permission", NO, "The meeting is locked."),
    8561: ("bad_request", NO, "The meeting id is not valid."),
    8562: ("not_supported", NO, "This mode of recording is not supported."),
    8563: ("no_match", AGAIN, "The caller spoke, but was not understood; ask again."),
    8564: ("speech_service", AGAIN, "The connection to the speech service failed."),
    8565: (
        "speech_service",
        NO,
        "The Azure AI service refused or failed; check the voice's name, then its link to the resource.",
    ),
    8566: ("permission", NO, "Only participants themselves can unmute."),
    8567: (
        "speech_service",
        NO,
        "The resource's identity is not enabled for the Azure AI service; enable it and give it the role.",
    ),
    8568: (
        "speech_service",
        NO,
        "The resource's managed identity got no access to the Azure AI service; check its role there.",
    ),
    8569: ("ok", NO, "The caller's speech was understood."),
    8570: ("speech_service", AGAIN, "The speech service did not answer in time."),
    8571: ("conflict", AGAIN, "Another recording operation runs; wait until it is over."),
    8572: ("service_error", AGAIN, "The service that plays prompts shut down."),
    8573: ("wrong_state", NO, "The recording cannot be paused or resumed as it is now."),
    8578: ("media_failed", AGAIN, "Transcription failed in the service."),
    8579: ("canceled", NO, "Transcription was cancelled."),
    8580: ("service_error", AGAIN, "The transcription service shut down."),
    8581: (
        "bad_request",
        NO,
        "The address of the web socket is not valid or cannot be reached; it must be a public wss:// one.",
    ),
    8582: ("bad_request", NO, "The text or SSML to speak is empty."),
    8583: (
        "conflict",
        AGAIN,
        "The action cannot run or queue beside the media action under way; wait until that is over.",
    ),
    8585: ("wrong_state", AGAIN, "The call is not in a state for this; wait until it is connected."),
    8586: (
        "no_answer",
        NO,
        "The app did not acknowledge the incoming call; check its Event Grid subscription.",
    ),
    8587: ("no_answer", AGAIN, "The call was not answered in time; try later. An incoming call rings for 30 seconds."),
    8588: ("media_failed", NO, "The recording is complete; audio had stopped arriving."),
    8589: ("throttled", AGAIN, "Too many recordings; start fewer at a time."),
    8594: ("service_error", AGAIN, "The meeting's state could not be changed."),
    8603: (
        "media_failed",
        AGAIN,
        "Media streaming failed; check that the web socket accepts and stays open.",
    ),
    8604: ("canceled", NO, "Media streaming was cancelled."),
    8605: ("bad_request", NO, "Transcription does not support this custom speech model."),
    8606: ("bad_request", NO, "The identifier could not be made; check the raw id."),
    8607: ("conflict", AGAIN, "Another transfer is under way; wait for its outcome."),
    8608: ("recording_failed", AGAIN, "The recorder could not take part in the call."),
    8609: ("service_error", NO, "The app's answer to the invitation to join was not valid."),
    8610: ("no_answer", AGAIN, "The app did not answer the service's notification."),
    8613: ("throttled", AGAIN, "The limit of live captions is reached."),
    9001: ("service_error", AGAIN, "A service behind Call Automation failed for an unknown reason."),
    9002: ("timeout", AGAIN, "A service behind Call Automation did not answer in time."),
    9003: ("canceled", AGAIN, "The service cancelled the operation."),
    9998: ("service_error", NO, "The service failed for good; start the call again."),
    9999: (
        "service_error",
        AGAIN,
        "The service failed for an unknown reason; try again, then give the correlation id to support.",
    ),
}

BY_CODE_AND_SUB_CODE: Final[Mapping[tuple[int, int], Row]] = {
    (400, 9999): (
        "service_error",
        NO,
        "The service failed, perhaps over this request; give the correlation id to support.",
    ),
    (405, 8522): (
        "not_supported",
        NO,
        "The answer or create request lacks a setting, such as the Azure AI endpoint or a socket.",
    ),
    (429, 8565): (
        "throttled",
        AGAIN,
        "The Azure AI service gets too many requests; wait a little, or raise its quota.",
    ),
    (408, 8565): ("timeout", AGAIN, "The Azure AI service did not answer in time."),
    (401, 8565): (
        "speech_service",
        NO,
        "The Azure AI service refused the voice's name or the resource's identity; check both.",
    ),
    (403, 8565): (
        "speech_service",
        NO,
        "The Azure AI service forbade it; give the managed identity its Cognitive Services User role.",
    ),
    (500, 8565): ("speech_service", AGAIN, "The Azure AI service failed; try again."),
}
"""Where the code changes what the sub-code means."""

PromptKind = Literal["file", "text", "ssml"]

_SPOKEN: Final[Mapping[int, Row]] = {
    # Also where the Azure AI service is not linked, or not the one that the call was answered with
    # (azure-sdk-for-net issue 45689).
    8535: ("prompt_failed", NO, "No sound came of the text; check the voice's name and the SSML."),
    8536: (
        "prompt_failed",
        NO,
        "The text could not be spoken; check COGNITIVE_SERVICES_ENDPOINT, its link to the resource, and the voice.",
    ),
    8511: (
        "prompt_failed",
        NO,
        "The prompt of a recognize could not be spoken; check the Azure AI service, its link, and the voice.",
    ),
}

BY_PROMPT: Final[Mapping[tuple[PromptKind, int], Row]] = {
    **{("text", code): row for code, row in _SPOKEN.items()},
    **{("ssml", code): row for code, row in _SPOKEN.items()},
    ("file", 8511): (
        "prompt_failed",
        NO,
        "The prompt of a recognize could not be played; check the file's address and format.",
    ),
}
"""Where the kind of prompt changes what the sub-code means: nothing is downloaded for a text."""

BY_CODE: Final[Mapping[int, Row]] = {
    200: ("ok", NO, "It worked."),
    400: ("bad_request", NO, "The service found the request not valid; the message says why."),
    401: ("permission", NO, "The request was not signed, or signed wrongly; check the key or token."),
    403: ("permission", NO, "This is not allowed for the identity or resource; the message says why."),
    404: ("not_found", NO, "The call, participant or recording is not there; it may have ended or left."),
    405: ("not_supported", NO, "The service does not do this here."),
    406: ("bad_request", NO, "The service cannot answer in the format asked for."),
    408: ("timeout", AGAIN, "It was not done in time; try again."),
    409: ("conflict", AGAIN, "It collides with something else under way; wait, then try again."),
    410: ("unreachable", NO, "The callee's address exists no more."),
    412: ("conflict", AGAIN, "Something that must hold does not; wait until the action under way is over."),
    413: ("bad_request", NO, "The request is too large."),
    426: ("bad_request", NO, "The client is too old; use a newer version."),
    429: ("throttled", AGAIN, "Too many requests; wait, then try again."),
    480: ("unreachable", AGAIN, "The callee is not available now; try later."),
    481: ("ended", NO, "The call or transaction does not exist any more."),
    486: ("busy", AGAIN, "The callee is busy; try later."),
    487: ("canceled", NO, "The call was cancelled before it was answered."),
    500: ("service_error", AGAIN, "The service failed; try again."),
    501: ("not_supported", NO, "The service does not do this."),
    502: ("service_error", AGAIN, "A service behind Call Automation failed; try again."),
    503: ("service_error", AGAIN, "The service is not available now; try again."),
    504: ("timeout", AGAIN, "A service behind Call Automation did not answer in time; try again."),
    600: ("busy", AGAIN, "The callee is busy everywhere; try later."),
    603: ("declined", NO, "The callee declined."),
    604: ("unreachable", NO, "The callee does not exist."),
}
"""HTTP and SIP codes, for a sub-code that is not known."""
