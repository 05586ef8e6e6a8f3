"""What every gateway gives, by one suite run against each: in memory, and the official SDK on the emulator."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from acs_emulator.testing import Control, Running, running
from shared.azure.call_automation import AcsGateway
from shared.calls import actions, text
from shared.calls.actions import Action
from shared.calls.actions.validate import build
from shared.calls.gateway.base import Gateway, Request
from shared.calls.gateway.memory import MemoryGateway
from shared.errors import ActionRefused
from shared.identifiers import Identifier
from shared.web.models import ACTIONS
from tests.functional.api import BODIES
from tests.unit.gateway.test_acs import CALLBACK, CALLER, COGNITIVE, NUMBER, USER, until

pytestmark = pytest.mark.xdist_group("gateway")

FREE = "+15550100001"
CALLER_ID = Identifier.parse(CALLER)


@dataclass
class Side:
    """A gateway, and how a call comes to it: `ring` gives an IncomingCall's context and its server call id."""

    gateway: Gateway
    ring: Callable[[], tuple[str, str]]
    connection_id: str = ""
    server_call_id: str = ""
    opened: dict[str, Any] = field(default_factory=dict)

    def request(self, action: Action, *, seq: int = 1, context: str = "") -> Request:
        return Request(
            call_id="call-1",
            seq=seq,
            attempt=0,
            action=action,
            operation_context=f"call-1:{seq}:0",
            callback_url=CALLBACK,
            operation_callback_url=f"{CALLBACK}&family={action.family}" if action.family else None,
            first_sent=1_790_000_000_000,
            connection_id=self.connection_id,
            server_call_id=self.server_call_id,
            incoming_call_context=context,
        )

    def perform(self, action: Action, *, seq: int = 1, context: str = "") -> dict[str, Any]:
        return dict(self.gateway.perform(self.request(action, seq=seq, context=context)))

    def answered(self) -> dict[str, Any]:
        context, self.server_call_id = self.ring()
        response = self.perform(actions.Answer(), seq=0, context=context)
        self.connection_id = response["callConnectionId"]
        return response


@pytest.fixture(scope="module")
def emulator() -> Iterator[Running[Control]]:
    with running(speed=10) as one:
        yield one


@pytest.fixture(params=["memory", "sdk"])
def side(request: pytest.FixtureRequest) -> Iterator[Side]:
    if request.param == "memory":
        yield Side(MemoryGateway(), lambda: ("context", "c2VydmVy"))
        return
    emulator: Running[Control] = request.getfixturevalue("emulator")

    def ring() -> tuple[str, str]:
        emulator.control.place_call(CALLER, NUMBER)
        until(lambda: bool(emulator.service.registry.invitations))
        context = list(emulator.service.registry.invitations)[-1]
        return context, emulator.service.registry.invitations[context].call.server_call_id

    gateway = AcsGateway(emulator.endpoint, emulator.access_key, cognitive_services_endpoint=COGNITIVE)
    yield Side(gateway, ring)
    emulator.control.reset()


@pytest.fixture
def connected(side: Side) -> Side:
    side.answered()
    if not isinstance(side.gateway, MemoryGateway):
        until(lambda: side.gateway.connection_state(side.connection_id) == "connected")
    return side


def shape(value: Any) -> Any:
    """What a response is made of, without what it says."""
    if isinstance(value, dict):
        return {name: shape(part) for name, part in value.items()}
    return type(value).__name__


CONNECTION = {"callConnectionId": "str", "serverCallId": "str", "correlationId": "str", "callConnectionState": "str",
              "targets": "list"}  # fmt: skip


def test_an_answered_call_has_a_connection_and_the_server_call_id_that_rang(side: Side) -> None:
    response = side.answered()
    assert shape(response) == CONNECTION
    assert response["serverCallId"] == side.server_call_id
    assert response["callConnectionState"] == "connecting"
    assert response["callConnectionId"]
    assert response["correlationId"]


def test_a_placed_call_has_no_server_call_id_yet(side: Side) -> None:
    action = build(actions.CreateCall, targets=(FREE,), caller_id=NUMBER)
    response = side.perform(action, seq=0)
    assert shape(response) == {**CONNECTION, "serverCallId": "NoneType"}
    assert response["callConnectionState"] == "connecting"
    assert response["callConnectionId"]
    assert response["correlationId"]
    assert response["targets"] == [f"4:{FREE}"]


def test_connecting_to_a_call_gives_a_connection(connected: Side) -> None:
    action = build(actions.Connect, locator={"kind": "server_call", "id": connected.server_call_id})
    assert shape(connected.perform(action, seq=9)) == CONNECTION


def test_what_opens_a_call_gives_the_same_when_it_is_sent_again(side: Side) -> None:
    context, side.server_call_id = side.ring()
    action = build(actions.CreateCall, targets=(FREE,), caller_id=NUMBER)
    for opening, seq, given in ((actions.Answer(), 0, context), (action, 1, "")):
        first, second = (side.perform(opening, seq=seq, context=given) for _ in range(2))
        assert first == second


def test_rejecting_and_redirecting_give_nothing(side: Side) -> None:
    context, _ = side.ring()
    assert side.perform(actions.Reject(), context=context) == {}
    context, _ = side.ring()
    assert side.perform(build(actions.Redirect, target=FREE), seq=2, context=context) == {}


RECORDING = {"recordingId": "str", "recordingState": "str", "recordingKind": "str"}
PARTICIPANT = {"rawId": "str", "isMuted": "bool", "isOnHold": "bool"}


def test_a_recording_has_its_id_at_once_and_its_state_by_it(connected: Side) -> None:
    started = connected.perform(actions.StartRecording(), seq=2)
    assert shape(started) == RECORDING
    assert started["recordingState"] == "inactive"
    assert started["recordingKind"] == "azureCommunicationServices"
    asked = connected.perform(actions.GetRecordingState(recording_id=started["recordingId"]), seq=3)
    assert shape(asked) == RECORDING
    assert asked["recordingId"] == started["recordingId"]
    again = connected.perform(actions.StartRecording(), seq=2)
    assert again["recordingId"] == started["recordingId"]


def test_an_invitation_has_an_id(connected: Side) -> None:
    action = build(actions.AddParticipant, target=USER)
    assert shape(connected.perform(action)) == {"invitationId": "str"}


def test_questions_about_a_call_are_answered_at_once(connected: Side) -> None:
    call = connected.perform(actions.GetCall())
    assert shape(call) == CONNECTION
    assert call["callConnectionId"] == connected.connection_id
    assert call["callConnectionState"] == "connected"
    everybody = connected.perform(actions.ListParticipants(), seq=2)
    assert shape(everybody) == {"participants": "list"}
    assert all(shape(one) == PARTICIPANT for one in everybody["participants"])
    somebody = connected.perform(build(actions.GetParticipant, target=CALLER), seq=3)
    assert shape(somebody) == PARTICIPANT


@pytest.mark.parametrize(
    "action",
    [
        actions.Play(prompts=(text("hello"),)),
        actions.Recognize(input="dtmf", participant=CALLER_ID, max_tones=1),
        actions.CancelAllMedia(),
        actions.Hold(participant=CALLER_ID),
        actions.StartContinuousDtmf(participant=CALLER_ID),
        build(actions.Transfer, target=FREE),
        actions.HangUp(),
        actions.Terminate(),
    ],
    ids=lambda action: action.kind,
)
def test_an_action_whose_outcome_is_an_event_gives_nothing(connected: Side, action: Action) -> None:
    assert connected.perform(action) == {}


def on_a_call(name: str) -> Action:
    """A valid action of this kind, on the caller where somebody must be meant."""
    kind = ACTIONS[name]
    body = dict(BODIES[name])
    if "participant" in kind.model_fields:
        body.setdefault("participant", CALLER)
    return kind.model_validate(body)


NAMING_A_RECORDING = {name for name, kind in ACTIONS.items() if issubclass(kind, actions.OnRecording)}


@pytest.mark.parametrize("name", sorted(set(ACTIONS) - NAMING_A_RECORDING))
def test_without_a_connection_only_an_action_that_names_a_recording_is_sent(side: Side, name: str) -> None:
    action = on_a_call(name)
    with pytest.raises(ActionRefused) as caught:
        side.perform(action)
    error = caught.value
    assert (error.action, error.status, error.code, error.transient) == (name, 0, "not_connected", False)


def test_the_state_of_a_connection_that_nobody_knows_is_none(side: Side) -> None:
    assert side.gateway.connection_state("02004780-0000-4000-8000-00000000beef") is None
