"""Events recorded from the real service drive a call: nothing raises, and its state follows them."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from shared.calls import Call, Flow
from shared.calls.claims import Ring
from shared.calls.conductor import Conductor
from shared.calls.gateway.base import Request
from shared.calls.gateway.memory import MemoryGateway
from shared.calls.outcome import Outcome
from shared.calls.replay import Session
from shared.events import IncomingCall, parse_event_grid
from tests.unit.calls.world import FLOWS, World, answering, parsed
from tests.unit.events.samples import body, grid_event

RECORDINGS = sorted((Path(__file__).parents[3] / "shared" / "reference" / "recordings").glob("*.event.json"))
pytestmark = pytest.mark.skipif(not RECORDINGS, reason="recordings are not here")
every_recording = pytest.mark.parametrize(
    "recording", RECORDINGS, ids=lambda path: path.name.removesuffix(".event.json")
)


async def host(call: Call) -> None:
    """Leaves the call to those who are in it, and does something when it is over."""
    try:
        await call.ended()
    finally:
        await call.run(lambda: [str(participant.identifier) for participant in call.participants])


def body_of(event: Any) -> list[Any]:
    return event if isinstance(event, list) else [event]


def answered(request: Request, recorded: Mapping[str, Any]) -> Mapping[str, Any]:
    """The response to the answer names the connection that the recorded events speak of."""
    if request.action.kind != "answer":
        return {}
    return {name: recorded[name] for name in ("callConnectionId", "serverCallId", "correlationId")}


class Replay:
    """One recorded call, delivered to a conductor as it was recorded."""

    def __init__(self, recording: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(FLOWS, "host", Flow("host", host))
        self.events: dict[str, Any] = json.loads(recording.read_text(encoding="utf-8"))
        (connected,) = body_of(self.events["CallConnected"])
        self.world = World(gateway=MemoryGateway(lambda request: answered(request, connected["data"])))
        self.conductor: Conductor = self.world.conductor()
        (incoming,) = parse_event_grid(body(grid_event("IncomingCall", self.events["IncomingCall"])))
        assert isinstance(incoming, IncomingCall)
        ring = Ring(
            correlation_id=incoming.correlation_id,
            server_call_id=incoming.server_call_id,
            caller=incoming.from_,
            callee=incoming.to,
            incoming_call_context=incoming.incoming_call_context,
            at=self.world.clock.now,
        )
        outcome, self.call_id = self.conductor.ring(ring, answering(), "host")
        assert outcome is Outcome.CLAIMED

    @property
    def callbacks(self) -> list[Any]:
        return [event for name, event in self.events.items() if name != "IncomingCall"]

    def deliver(self, event: Any) -> Outcome:
        return self.conductor.deliver(self.call_id, [parsed(event)])

    @property
    def record(self) -> Any:
        return self.world.store.peek(self.call_id)


@every_recording
def test_the_state_of_a_call_follows_its_recorded_events(recording: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    call = Replay(recording, monkeypatch)
    assert call.record.status == "ringing"
    people: list[str] = []
    for event in call.callbacks:
        assert call.deliver(event) is Outcome.ADVANCED
        kind, data = event["type"].rpartition(".")[2], event["data"]
        if kind == "CallConnected":
            assert call.record.status == "connected"
            assert call.record.connected_at
        if kind == "ParticipantsUpdated":
            people = [participant["identifier"]["rawId"] for participant in data["participants"]]
            assert people
        if kind == "CallDisconnected":
            assert (call.record.status, call.record.outcome) == ("ended", "completed")
            information = data["resultInformation"]
            assert (call.record.code, call.record.sub_code) == (information["code"], information["subCode"])
    assert call.record.status == "ended"
    session = Session(FLOWS["host"], call.call_id)
    for entry in call.world.journal(call.call_id):
        session.feed(entry)
    assert session.finished
    assert [participant.identifier.raw_id for participant in session.participants] == people
    assert call.world.kinds() == ["answer"]


@every_recording
def test_recorded_events_twice_and_in_any_order_give_the_same_end(
    recording: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders = list(itertools.permutations(range(len(Replay(recording, monkeypatch).callbacks))))
    for order in orders:
        call = Replay(recording, monkeypatch)
        for index in order:
            call.deliver(call.callbacks[index])
            assert call.deliver(call.callbacks[index]) in (Outcome.DUPLICATE, Outcome.LATE)
        assert call.record.status == "ended", order
        assert call.world.kinds() == ["answer"]
        assert list(call.world.store.open_calls()) == []
