"""The 38 Call Automation callbacks of api-version 2026-03-12, one class each, named as on the wire."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, cast

from pydantic import AliasChoices, AliasPath, BeforeValidator, Field

from shared.events.base import CallEvent, UnknownEvent
from shared.events.values import (
    DIGIT_BY_TONE,
    ChoiceResult,
    DtmfResult,
    Int32,
    MaybeId,
    MaybeIdentifier,
    MediaStreamingUpdate,
    Participant,
    SpeechResult,
    TimeOrNever,
    Tone,
    TranscriptionUpdate,
    Word,
    listed,
)

# --- The app's call connection ---------------------------------------------------------------------------


class CallConnected(CallEvent):
    """The call connection is up: the outcome of create call, answer or connect."""


class CallDisconnected(CallEvent):
    """The call connection is gone. Its last event; nothing follows it."""


class CreateCallFailed(CallEvent):
    """The call was never established. A rejected call says 200/5002 here (recorded 2025)."""


class AnswerFailed(CallEvent):
    """The request to answer was accepted, but the call could not be established."""


class ConnectFailed(CallEvent):
    """The app could not join the call, group or room."""


class CallTransferAccepted(CallEvent):
    """The transferee is connected to the target. In a call of two, CallDisconnected follows."""

    transfer_target: MaybeIdentifier = None
    transferee: MaybeIdentifier = None


class CallTransferFailed(CallEvent):
    """The transfer did not happen; the app keeps the call."""


# --- Participants ----------------------------------------------------------------------------------------


class ParticipantsUpdated(CallEvent):
    """The full list of participants after any change of the list, of mute or of hold.

    Attributes:
        sequence_number: order by this, not by arrival. Starts at 1 and may skip; also 0 if it was left out.
    """

    sequence_number: Int32 = 0
    participants: Annotated[tuple[Participant, ...], BeforeValidator(listed)]

    @classmethod
    def needs(cls, path: str, fields: Mapping[str, Any]) -> bool:
        return path == "sequenceNumber" or super().needs(path, fields)

    @property
    def hidden(self) -> int:
        """How many entries could not be read, so that they may stand for anybody."""
        return sum(path.startswith("participants[") and path.endswith("]") for path in self.unread)


class AddParticipantSucceeded(CallEvent):
    """The invited participant joined. Confirm by ParticipantsUpdated: it was seen after a decline, too."""

    participant: MaybeIdentifier = None


class AddParticipantFailed(CallEvent):
    """The invited participant declined, did not answer or could not be reached."""

    participant: MaybeIdentifier = None


class RemoveParticipantSucceeded(CallEvent):
    """The participant was removed."""

    participant: MaybeIdentifier = None


class RemoveParticipantFailed(CallEvent):
    """The participant was not removed."""

    participant: MaybeIdentifier = None


class CancelAddParticipantSucceeded(CallEvent):
    """The invitation was withdrawn; no AddParticipantFailed follows on this connection (recorded 2025)."""

    invitation_id: MaybeId


class CancelAddParticipantFailed(CallEvent):
    """The invitation could not be withdrawn: too late, or not known."""

    invitation_id: MaybeId = ""


class MoveParticipantSucceeded(CallEvent):
    """The participant came over. `from_call` is the call connection that it left."""

    participant: MaybeIdentifier = None
    from_call: str = ""


class MoveParticipantFailed(CallEvent):
    """The participant stays in `from_call`."""

    participant: MaybeIdentifier = None
    from_call: str = ""


class HoldFailed(CallEvent):
    """Hold failed. A hold that succeeds shows as `is_on_hold` in ParticipantsUpdated alone."""


# --- Play and recognize ----------------------------------------------------------------------------------


class PlayStarted(CallEvent):
    """The audio of a play, of a recognize's prompt or of a hold begins."""


class PlayCompleted(CallEvent):
    """The play is over; one that loops never sends this by itself."""


class PlayFailed(CallEvent):
    """A prompt could not be fetched, decoded or spoken."""

    failed_play_source_index: Int32 | None = None


class PlayCanceled(CallEvent):
    """The play was cancelled or interrupted, also while it was queued."""


class RecognizeCompleted(CallEvent):
    """Recognize has a result. `tones`, `digits`, `choice` and `speech` are the short ways to it.

    Attributes:
        recognition_type: `dtmf`, `choices` or `speech`; decides which result is set.
    """

    recognition_type: Word | None = None
    # `collectTonesResult` stands in samples of 2022.
    dtmf_result: DtmfResult | None = Field(
        default=None, validation_alias=AliasChoices("dtmfResult", "collectTonesResult")
    )
    choice_result: ChoiceResult | None = None
    speech_result: SpeechResult | None = None

    @classmethod
    def needs(cls, path: str, fields: Mapping[str, Any]) -> bool:
        result = path.partition(".")[0]
        kind = fields.get("recognitionType")
        meant = _RESULTS.get(kind.lower() if isinstance(kind, str) else "", _ALL_RESULTS)
        part_of_it = result in meant and not path.endswith((".confidence", ".recognizedPhrase"))
        return part_of_it or super().needs(path, fields)

    @property
    def tones(self) -> tuple[Tone, ...]:
        """The keys pressed, oldest first; empty unless this was DTMF."""
        words = self.dtmf_result.tones if self.dtmf_result else ()
        return tuple(cast(Tone, word) for word in words if word in DIGIT_BY_TONE)

    @property
    def digits(self) -> str:
        """The keys pressed as printed on them: `98#`."""
        return "".join(DIGIT_BY_TONE[tone] for tone in self.tones)

    @property
    def choice(self) -> str | None:
        """The label of the choice made, by speech or by key."""
        return self.choice_result.label if self.choice_result else None

    @property
    def speech(self) -> str | None:
        """What was said; None unless this was speech."""
        return self.speech_result.speech if self.speech_result else None


_RESULTS: Final[Mapping[str, tuple[str, ...]]] = {
    "dtmf": ("dtmfResult", "collectTonesResult"),
    "choices": ("choiceResult",),
    "speech": ("speechResult",),
}
_ALL_RESULTS: Final = tuple(name for names in _RESULTS.values() for name in names)
"""What a recognize gave, by its type: part of a result would be another result."""


class RecognizeFailed(CallEvent):
    """Recognize gave nothing usable: silence, no match, or a prompt that could not be played."""

    failed_play_source_index: Int32 | None = None


class RecognizeCanceled(CallEvent):
    """The recognize was cancelled or interrupted, also while it was queued."""


# --- Tones -----------------------------------------------------------------------------------------------


class ContinuousDtmfRecognitionToneReceived(CallEvent):
    """A key was pressed. Order by `sequence_id`, not by arrival."""

    # `toneInfo` held both in the previews of 2022 and 2023.
    sequence_id: Int32 = Field(
        default=0, validation_alias=AliasChoices("sequenceId", AliasPath("toneInfo", "sequenceId"))
    )
    tone: Word = Field(validation_alias=AliasChoices("tone", AliasPath("toneInfo", "tone")))

    @classmethod
    def needs(cls, path: str, fields: Mapping[str, Any]) -> bool:
        return path in ("sequenceId", "toneInfo.sequenceId") or super().needs(path, fields)

    @property
    def digit(self) -> str:
        """The key as printed; empty for a word that is no DTMF tone."""
        return DIGIT_BY_TONE.get(self.tone, "")


class ContinuousDtmfRecognitionToneFailed(CallEvent):
    """Listening for keys failed."""


class ContinuousDtmfRecognitionStopped(CallEvent):
    """Listening for keys ended, by request or with the call."""


class SendDtmfTonesCompleted(CallEvent):
    """All tones were sent."""


class SendDtmfTonesFailed(CallEvent):
    """The tones were not sent."""


# --- Recording, streaming, transcription -----------------------------------------------------------------


class RecordingStateChanged(CallEvent):
    """A recording runs or no longer runs. Goes to the recording's own callback URI, without a context.

    Attributes:
        call_connection_id: the recorder's own when it was started by server call id (recorded 2025).
        state: `active` or `inactive`; a paused recording is `inactive`.
        start_date_time: None until it runs (the wire then says the year 1).
    """

    call_connection_id: MaybeId = ""
    recording_id: MaybeId
    state: Word
    start_date_time: TimeOrNever = None
    recording_kind: Word | None = None


class StartRecordingFailed(CallEvent):
    """A recording that was accepted with 202 did not start."""

    call_connection_id: MaybeId = ""
    recording_id: MaybeId = ""


class MediaStreamingStarted(CallEvent):
    """Audio flows to the socket."""

    media_streaming_update: MediaStreamingUpdate | None = None


class MediaStreamingStopped(CallEvent):
    """Audio no longer flows. Was seen with the operation context of the start (recorded 2025)."""

    media_streaming_update: MediaStreamingUpdate | None = None


class MediaStreamingFailed(CallEvent):
    """The socket could not be opened or broke."""

    media_streaming_update: MediaStreamingUpdate | None = None


class TranscriptionStarted(CallEvent):
    """Text flows to the socket."""

    transcription_update: TranscriptionUpdate | None = None


class TranscriptionUpdated(CallEvent):
    """The locale was changed. Was seen with the operation context of the start (recorded 2025)."""

    transcription_update: TranscriptionUpdate | None = None


class TranscriptionStopped(CallEvent):
    """Text no longer flows."""

    transcription_update: TranscriptionUpdate | None = None


class TranscriptionFailed(CallEvent):
    """Transcription could not be started, updated or stopped, or its socket broke."""

    transcription_update: TranscriptionUpdate | None = None


CALLBACK_TYPES: Final[Mapping[str, type[CallEvent]]] = {cls.__name__: cls for cls in CallEvent.__subclasses__()}
"""Every callback class by its short name."""

FORMER_NAMES: Final[Mapping[str, str]] = {
    "SendDtmfCompleted": "SendDtmfTonesCompleted",  # recorded 2023
    "SendDtmfFailed": "SendDtmfTonesFailed",
}


class UnknownCallback(CallEvent, UnknownEvent):
    """A callback of a type that is not known here, such as HoldAudioStarted; absent ids are ""."""

    event_type: str
    call_connection_id: MaybeId = ""

    @property
    def name(self) -> str:
        return self.event_type.rpartition(".")[2]

    @property
    def type(self) -> str:
        return self.event_type
