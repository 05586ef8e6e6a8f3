"""One recording of one call: its states, its events, and whose sound it keeps."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from acs_emulator.audio.clip import SAMPLE_RATE
from acs_emulator.audio.track import Track
from acs_emulator.calls.call import Call, CallObserver, Leg, Participant
from acs_emulator.core import outcomes
from acs_emulator.core.clock import ticks_text, utc_now
from acs_emulator.core.outcomes import Outcome
from acs_emulator.events.callbacks import CallbackLane
from acs_emulator.events.envelopes import callback_event
from acs_emulator.recording.options import RecordingOptions
from acs_emulator.recording.render import Piece

#: Seconds from `inactive` to `active` after the start (recorded 2025).
START_DELAY = 0.06
#: startDateTime of a recording that has not begun (recorded 2025).
_NEVER = "0001-01-01T00:00:00+00:00"
KIND = "azureCommunicationServices"


class Recording(CallObserver):
    """States: inactive, active, inactive again when paused (recorded: there is no `paused`), then gone."""

    def __init__(
        self,
        call: Call,
        options: RecordingOptions,
        leg: Leg | None,
        callback_uri: str | None,
        on_stop: Callable[[Recording], None],
    ) -> None:
        service = call.service
        self.service = service
        self.call = call
        self.options = options
        #: The call's own connection id when started by it, otherwise the recorder's (recorded).
        self.endpoint_id = leg.id if leg is not None else service.ids.call_connection()
        self.id = service.ids.recording(self.endpoint_id)
        self.state = "inactive"
        self.stopped = False
        self.started_at: datetime | None = None
        self.reason = ""
        #: Stretches with sound, and the tracks of each participant by raw id in the order of joining.
        self.pieces: list[Piece] = []
        self.tracks: dict[str, list[Track]] = {}
        self.chunks: list[dict[str, Any]] = []
        self.channels: dict[str, int] = {}
        #: Whether the files lie in the app's own storage.
        self.exported = False
        self._participants: list[dict[str, Any]] = []
        self._since = 0
        self._starting: asyncio.Task[Any] | None = None
        self._callback_uri = callback_uri
        self._on_stop = on_stop
        self._lane = CallbackLane(service.callbacks, self.endpoint_id)

    def begin(self) -> None:
        self.call.observers.append(self)
        self.joined(self.call, self.call.participants)
        self.call.note("app", "starts recording", f"{self.options.channel} {self.options.format}")
        self._tell()
        # The recorder joins: participants are updated although none has changed (recorded).
        self.call.participants_changed()
        if not self.options.pause_on_start:
            self._starting = self.service.tasks.start(self._activate(), f"start of recording {self.id}")

    def fail(self, outcome: Outcome) -> None:
        """It was accepted and then could not be started."""
        self.stopped = True
        self._emit("StartRecordingFailed", {"recordingId": self.id}, outcome)
        self._lane.close()

    def joined(self, call: Call, newcomers: list[Participant], *, first: bool = False) -> None:
        """Keep the sound of these from now on: phones, and app legs where prompts are recorded."""
        for participant in newcomers:
            endpoint = participant.endpoint
            if endpoint.is_phone or self.service.config.record_prompts:
                tracks = self.tracks.setdefault(participant.identifier.raw_id, [])
                if endpoint.track not in tracks:
                    endpoint.track.pin()
                    tracks.append(endpoint.track)

    def ended(self, call: Call) -> None:
        self.stop("CallEnded")

    async def _activate(self) -> None:
        await self.service.clock.sleep(START_DELAY)
        self._starting = None
        self.resume()

    def _withdraw_start(self) -> None:
        """What the app asks for before the recording has begun goes before the beginning."""
        if self._starting is not None:
            self._starting.cancel()
            self._starting = None

    def resume(self) -> None:
        self._withdraw_start()
        if self.state == "active":
            return
        self.state = "active"
        self._since = self.service.clock.samples()
        self.started_at = self.started_at or utc_now()
        self._tell()

    def pause(self) -> None:
        self._withdraw_start()
        if self.state != "active":
            return
        self._end_piece()
        self._tell()

    def stop(self, reason: str) -> None:
        """``reason`` is the sessionEndReason of the file event."""
        if self.stopped:
            return
        self._withdraw_start()
        self.stopped = True
        self.reason = reason
        if self.state == "active":
            self._end_piece()
        self._tell()
        self._lane.close()
        self.call.observers.remove(self)
        self.call.note("app" if reason != "CallEnded" else "service", "stops recording")
        if not self.call.ended:
            self.call.participants_changed()
        self._on_stop(self)

    def moment(self, position: int) -> datetime:
        """The time of day of a position, on the scale of the recording's own seconds whatever the speed."""
        assert self.started_at is not None
        return self.started_at + timedelta(seconds=(position - self.pieces[0][0]) / SAMPLE_RATE)

    def wire(self) -> dict[str, Any]:
        """RecordingStateResponse."""
        return {"recordingId": self.id, "recordingState": self.state, "recordingKind": KIND}

    def seal(self) -> None:
        """Let go of the sound once the files are made; what was heard stays described."""
        self._participants = self._heard()
        for tracks in self.tracks.values():
            for track in tracks:
                track.unpin()
        self.tracks.clear()

    def _heard(self) -> list[dict[str, Any]]:
        """Who said what when, in seconds of the recording without its pauses."""
        participants = []
        for raw_id, tracks in self.tracks.items():
            spans, offset = [], 0
            for low, high in self.pieces:
                for track in tracks:
                    spans += track.wire(low, high, offset)
                offset += high - low
            participants.append({"id": raw_id, "channel": self.channels.get(raw_id), "spans": spans})
        return participants

    def describe(self) -> dict[str, Any]:
        """What the control API shows."""
        return {
            "recordingId": self.id,
            "call": self.call.id,
            "serverCallId": self.call.server_call_id,
            "state": "stopped" if self.stopped else self.state,
            "content": self.options.content,
            "channelType": self.options.channel,
            "format": self.options.format,
            "seconds": round(sum(high - low for low, high in self.pieces) / SAMPLE_RATE, 3),
            "participants": self._heard() if self.tracks else self._participants,
            "chunks": self.chunks,
        }

    def _end_piece(self) -> None:
        self.state = "inactive"
        end = self.service.clock.samples()
        if end > self._since:
            self.pieces.append((self._since, end))

    def _tell(self) -> None:
        source = self._source()
        specific = {
            "eventSource": source,
            "recordingId": self.id,
            "state": self.state,
            "startDateTime": ticks_text(self.started_at) if self.started_at else _NEVER,
            "recordingKind": KIND,
        }
        self._emit("RecordingStateChanged", specific, outcomes.OK)

    def _source(self) -> str:
        return f"calling/recordings/{self.call.server_call_id}/{self.id}/RecordingStateChanged"

    def _emit(self, name: str, specific: dict[str, Any], outcome: Outcome) -> None:
        if self._callback_uri is None:
            return
        event = callback_event(
            event_id=self.service.ids.guid(),
            name=name,
            source=self._source().replace("RecordingStateChanged", name),
            moment=utc_now(),
            specific=specific,
            outcome=outcome,
            operation_context=None,
            call=self.call.event_ids(self.endpoint_id),
        )
        self._lane.put(event, self._callback_uri)
