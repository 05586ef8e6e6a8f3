"""Event Grid's call events: CallStarted, participants, CallEnded, for communication users only (docs)."""

from __future__ import annotations

from typing import Any

from acs_emulator.calls.call import Call, CallObserver, Participant
from acs_emulator.events.eventgrid import EventGrid

_NO_GROUP = "00000000-0000-0000-0000-000000000000"


class Lifecycle(CallObserver):
    """Publishes the call events of calls that a communication user takes part in."""

    def __init__(self, event_grid: EventGrid) -> None:
        self._event_grid = event_grid
        self._started: dict[str, dict[str, Any]] = {}

    def joined(self, call: Call, newcomers: list[Participant], *, first: bool) -> None:
        users = [participant for participant in newcomers if participant.announced]
        if not users:
            return
        if call.id not in self._started:
            # The one who called, if a user; otherwise the first user to come in.
            starter = next((user for user in users if user.identifier == call.caller), users[0])
            self._started[call.id] = _who(starter)
            subject = f"call/{call.server_call_id}/startedBy/{starter.identifier.raw_id}"
            self._event_grid.publish("CallStarted", subject, self._common(call))
        for participant in users:
            self._participant("CallParticipantAdded", call, participant)

    def left(self, call: Call, participant: Participant) -> None:
        if participant.announced and call.id in self._started:
            self._participant("CallParticipantRemoved", call, participant)

    def ended(self, call: Call) -> None:
        if call.id not in self._started:
            return
        for participant in call.participants:
            self.left(call, participant)
        began = call.connected_at if call.connected_at is not None else call.started
        data = {"durationOfCall": round(call.service.clock.now() - began, 7), **self._common(call)}
        self._event_grid.publish("CallEnded", f"call/{call.server_call_id}", data)
        del self._started[call.id]

    def clear(self) -> None:
        """Forget the calls that go on."""
        self._started.clear()

    def _participant(self, name: str, call: Call, participant: Participant) -> None:
        data = {
            "user": _who(participant),
            "displayName": "",
            "participantId": participant.participant_id,
            "endpointType": "",
            **self._common(call),
        }
        subject = f"call/{call.server_call_id}/participant/{participant.identifier.raw_id}"
        self._event_grid.publish(name, subject, data)

    def _common(self, call: Call) -> dict[str, Any]:
        return {
            "startedBy": self._started[call.id],
            "serverCallId": call.server_call_id,
            "group": {"id": call.group_id or _NO_GROUP},
            **({"room": {"id": call.room_id}} if call.room_id else {}),
            "isTwoParty": call.two_party,
            "correlationId": call.correlation_id,
            "isRoomsCall": call.room_id is not None,
        }


def _who(participant: Participant) -> dict[str, Any]:
    return {"communicationIdentifier": participant.identifier.event_grid(), "role": "unknown"}
