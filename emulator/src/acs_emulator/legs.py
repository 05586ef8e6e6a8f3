"""An app leg: one call connection, its state, its callbacks and its media."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from acs_emulator import outcomes
from acs_emulator.audio import Track
from acs_emulator.clock import utc_now
from acs_emulator.events.callbacks import CallbackLane
from acs_emulator.events.envelopes import callback_event
from acs_emulator.identifiers import Identifier
from acs_emulator.media.engine import MediaEngine
from acs_emulator.outcomes import Outcome

if TYPE_CHECKING:
    from acs_emulator.calls import Call
    from acs_emulator.media.hold import HoldAudio
    from acs_emulator.service import Emulator
    from acs_emulator.streaming.audio import AudioStreaming
    from acs_emulator.streaming.transcription import Transcription


class Leg:
    """One call connection. ``failure`` is the event that replaces CallConnected when it never comes up."""

    is_phone = False

    def __init__(
        self,
        service: Emulator,
        call: Call,
        *,
        identity: Identifier,
        source: Identifier | None,
        targets: list[Identifier],
        callback_uri: str,
        failure: str,
        operation_context: str | None = None,
        cognitive_services: str | None = None,
        caller_id: Identifier | None = None,
        display_name: str | None = None,
        answered_by: Identifier | None = None,
        answered_for: Identifier | None = None,
        by_connect: bool = False,
    ) -> None:
        self.service = service
        self.call = call
        self.id = service.ids.call_connection()
        self.identity = identity
        self.source = source
        self.targets = targets
        self.callback_uri = callback_uri
        self.operation_context = operation_context
        self.cognitive_services = cognitive_services
        self.caller_id = caller_id
        self.display_name = display_name
        self.answered_by = answered_by
        self.answered_for = answered_for
        #: Made by Connect: the leg is in the call, but not among its participants.
        self.by_connect = by_connect
        self.state = "connecting"
        self.streaming_id = service.ids.guid()
        #: Set when the options were given at set-up; the flag says whether to start by itself.
        self.streaming: AudioStreaming | None = None
        self.transcription: Transcription | None = None
        self.starts_streaming = False
        self.starts_transcription = False
        #: What the app plays into the call.
        self.track = Track(service.clock.samples)
        self.media = MediaEngine(service.tasks)
        #: Continuous tone recognition by participant raw id.
        self.tones: dict[str, ToneSubscription] = {}
        #: What held participants hear, by raw id.
        self.hold_audio: dict[str, HoldAudio] = {}
        self._failure = failure
        self._sequence = 0
        self._tone_sequence = 0
        self._lane = CallbackLane(service.callbacks, self.id)
        service.legs[self.id] = self

    def emit(
        self,
        name: str,
        specific: dict[str, Any] | None = None,
        outcome: Outcome = outcomes.COMPLETED,
        context: str | None = None,
        url: str | None = None,
    ) -> None:
        """Queue one callback; nothing follows CallDisconnected."""
        if self.state == "disconnected":
            return
        event = callback_event(
            event_id=self.service.ids.guid(),
            name=name,
            source=f"calling/callConnections/{self.id}",
            moment=utc_now(),
            specific=specific or {},
            outcome=outcome,
            operation_context=context,
            call={
                "callConnectionId": self.id,
                "serverCallId": self.call.server_call_id,
                "correlationId": self.call.correlation_id,
            },
        )
        self._lane.put(event, url or self.callback_uri)

    def connected(self) -> None:
        """The leg is up: CallConnected."""
        self.state = "connected"
        self.emit("CallConnected", outcome=outcomes.OK, context=self.operation_context)
        if self.streaming is not None and self.starts_streaming:
            self.streaming.start(self.operation_context, None)
        if self.transcription is not None and self.starts_transcription:
            self.transcription.start(self.operation_context, None)

    def injected(self, operation: str) -> Outcome | None:
        """The result that a `fail` fault has in store for an accepted operation."""
        return self.service.faults.outcome(operation, self.id)

    def participants_updated(self) -> None:
        """ParticipantsUpdated with the whole list; the sequence number is this leg's own."""
        if self.state != "connected":
            return
        self._sequence += 1
        participants = [participant.wire() for participant in self.call.participants]
        specific = {"participants": participants, "sequenceNumber": self._sequence}
        self.emit("ParticipantsUpdated", specific, outcomes.OK)

    def dropped(self, outcome: Outcome) -> None:
        """The leg is gone: media stops without events, CallDisconnected is the last word.

        A leg that never came up gets its failure event first, unless the app ended it itself.
        """
        if self.state == "disconnected":
            return
        for subscription in (self.streaming, self.transcription):
            if subscription is not None:
                subscription.leg_ended()
        self.track.cut()
        self.media.stop()
        self.tones.clear()
        self.hold_audio.clear()
        if self.state == "connecting" and outcome is not outcomes.ENDED_BY_APP:
            self.emit(self._failure, outcome=outcome, context=self.operation_context)
        self.emit("CallDisconnected", outcome=outcome, context=self.operation_context)
        self.state = "disconnected"
        self.service.legs.pop(self.id, None)
        self._lane.close()

    def key(self, raw_id: str, key: str, tone: str) -> None:
        """A key of a participant reaches this leg: as it is printed on the phone, and the tone's name."""
        if self.streaming is not None:
            self.streaming.key(key)
        for listener in self.media.listeners():
            listener.key(raw_id, tone)
        subscription = self.tones.get(raw_id)
        if subscription is not None:
            self._tone_sequence += 1
            specific = {"sequenceId": self._tone_sequence, "tone": tone}
            self.emit(
                "ContinuousDtmfRecognitionToneReceived",
                specific,
                outcomes.OK,
                subscription.context,
                subscription.url,
            )

    def properties(self, *, with_server_call_id: bool, fresh: bool) -> dict[str, Any]:
        """CallConnectionProperties in the recorded order; ``fresh`` is the answer of create and answer."""
        streaming: dict[str, Any] = {"state": self.streaming.state if self.streaming else "disabled"}
        if fresh or self.streaming:
            streaming = {"id": self.streaming_id, **streaming, "subscribedContentTypes": ["audio"]}
        transcription: dict[str, Any] = {"state": "disabled", "subscribedResultTypes": []}
        if self.transcription:
            transcription = self.transcription.wire()
        fields: dict[str, Any] = {
            "callConnectionId": self.id,
            "serverCallId": self.call.server_call_id if with_server_call_id else None,
            "targets": [target.wire() for target in self.targets],
            "callConnectionState": self.state,
            "callbackUri": self.callback_uri,
            "sourceCallerIdNumber": {"value": self.caller_id.value} if self.caller_id else None,
            "sourceDisplayName": self.display_name,
            "source": self.source.wire() if self.source else None,
            "correlationId": self.call.correlation_id,
            "answeredBy": {"id": self.answered_by.value} if self.answered_by else None,
            "mediaStreamingSubscription": streaming,
            "transcriptionSubscription": None if fresh else transcription,
            "answeredFor": {"value": self.answered_for.value} if self.answered_for else None,
        }
        return {name: value for name, value in fields.items() if value is not None}


class ToneSubscription:
    """Where the keys of one participant are reported."""

    def __init__(self, context: str | None, url: str | None) -> None:
        self.context = context
        self.url = url
