"""People who decline, leave, are muted and are passed on, in whole calls."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.line import until
from tests.e2e.trials import APP_USER, DECLINES, LATE, Covered, Desk, a_number, a_user, asked, desk_with, spoken
from tests.e2e.trials import covered as covered

pytestmark = [pytest.mark.long, pytest.mark.e2e, pytest.mark.node, pytest.mark.xdist_group("e2e-people")]
covers = pytest.mark.covers
operated = pytest.mark.covers.with_args(over="http")

FLOWS = '''
"""Flows with people in them."""

from shared.calls import (
    ActionCanceled, ActionFailed, Call, CallEnded, Choice, MediaStreaming, Transcription, file, flow, text,
)

OWN, ANSWERS, DECLINES, LATE = "+18005550100", "+15550100001", "+15550100002", "+15550100006"


@flow("put-through")
async def put_through(call: Call) -> None:
    try:
        await call.transfer(call.context.get("X-MS-Custom-To", ANSWERS))
    except ActionFailed:
        await call.play(text("Nobody took your call."))


@flow("pass-on")
async def pass_on(call: Call) -> None:
    await call.add_participant(ANSWERS, caller_id=OWN)
    await call.transfer("+15550100008", transferee=call.other_side)
    await call.play(text("The caller was passed on."))
    await call.signal("done")


@flow("falls-back")
async def falls_back(call: Call) -> None:
    for agent in (DECLINES, ANSWERS):
        try:
            await call.add_participant(agent, caller_id=OWN)
        except ActionFailed as error:
            await call.play(text(f"Declined with {error.sub_code}."), to=call.other_side)
        else:
            await call.play(text("You are connected."), to=call.other_side)
            return


@flow("changes-its-mind")
async def changes_its_mind(call: Call) -> None:
    invitation = call.add_participant(LATE, caller_id=OWN)
    await call.signal("never-mind")
    await call.cancel_add_participant(invitation)
    try:
        await invitation
    except ActionCanceled:
        await call.play(text("Never mind."))


@flow("talks")
async def talks(call: Call) -> None:
    for number in range(40):
        await call.play(text(f"This is sentence number {number}."))
        if any(one.is_muted for one in call.participants):
            await call.play(text("You are muted."))
            return


@flow("callee")
async def callee(call: Call) -> None:
    await call.play(text("The callee speaks."))
    await call.signal("bye")


@flow("caller")
async def caller(call: Call) -> None:
    await call.play(text("The caller speaks."))
    await call.ended()


@flow("middle", opens=True)
async def middle(call: Call) -> None:
    live = {"media_streaming": MediaStreaming(), "transcription": Transcription(locale="en-US")}
    await call.answer(**live)
    slow = text("This is a rather long prompt, which goes on and on, until whoever listens to it has had enough of it.")
    actions = {
        "play": lambda: call.play(slow),
        "play to one": lambda: call.play(slow, to=call.other_side),
        "loop": lambda: call.play(file("{sound}"), loop=True),
        "recognize": lambda: call.recognize(slow, max_tones=1, attempts=3),
        "choices": lambda: call.recognize(slow, choices=[Choice("yes", tone="one")], attempts=3),
        "speech": lambda: call.recognize(speech=True, initial_silence=20),
        "cancel": lambda: cancel(call),
        "add": lambda: call.add_participant(LATE, caller_id=OWN),
        "transfer": lambda: call.transfer(LATE),
        "send": lambda: call.send_dtmf("123456789012345678"),
        "tone": lambda: call.next_tone(),
        "signal": lambda: call.signal("never"),
        "sleep": lambda: call.sleep(3600),
        "record": lambda: record(call),
        "hold": lambda: hold(call),
        "stream": lambda: stream(call),
        "several": lambda: call.gather(call.play(slow), call.signal("never")),
        "race": lambda: call.race(call.play(slow), call.sleep(3600)),
    }
    try:
        await actions[call.context["X-MS-Custom-Do"]]()
        await call.play(text("Nobody hears this."))
    except CallEnded as error:
        await call.run(note, error.sub_code)
        raise


async def cancel(call: Call) -> None:
    invitation = call.add_participant(LATE, caller_id=OWN)
    await call.signal("never")
    await call.cancel_add_participant(invitation)


async def record(call: Call) -> None:
    await call.start_recording()
    await call.ended()
    await call.stop_recording()


async def hold(call: Call) -> None:
    await call.hold(audio=file("{sound}"))
    await call.ended()
    await call.unhold()


async def stream(call: Call) -> None:
    await call.gather(call.start_media_streaming(), call.start_transcription())
    await call.ended()
    await call.stop_media_streaming()


def note(sub_code: int) -> int:
    return sub_code
'''


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with desk_with(tmp_path_factory.mktemp("app"), FLOWS, users={APP_USER: "callee"}) as one:
        yield one


@covers("CallTransferAccepted", "CallDisconnected")
def test_a_call_of_two_is_transferred_and_goes_on_without_the_app(desk: Desk, covered: Covered) -> None:
    caller = a_number()
    call = desk.end(call_id := desk.ring("put-through", caller=caller))
    assert (call["outcome"], asked(call["journal"])) == ("transferred", ["answer", "transfer"])
    assert f"4:{caller}" in str(desk.control.state()["calls"])
    covered.by(call_id)


@covers("CallTransferFailed", "PlayCompleted")
def test_a_caller_whose_transfer_is_declined_stays_with_the_flow(desk: Desk, covered: Covered) -> None:
    to = {"sipHeaders": {"X-MS-Custom-To": DECLINES}}
    call = desk.end(call_id := desk.ring("put-through", customContext=to))
    assert (call["outcome"], spoken(call)) == ("completed", ["Nobody took your call."])
    covered.by(call_id)


@covers("CallTransferAccepted", "ParticipantsUpdated", "AddParticipantSucceeded")
def test_one_of_a_group_is_transferred_and_the_app_stays_with_the_rest(desk: Desk, covered: Covered) -> None:
    caller = a_number()
    call_id = desk.ring("pass-on", caller=caller)
    desk.shows(call_id, "PlayCompleted")
    here = [one["raw_id"] for one in desk.ask("GET", f"calls/{call_id}/participants").json()["participants"]]
    assert "4:+15550100001" in here
    assert f"4:{caller}" not in here
    desk.signal(call_id, "done")
    call = desk.end(call_id)
    assert (call["outcome"], spoken(call)) == ("completed", ["The caller was passed on."])
    covered.by(call_id)


@pytest.mark.parametrize("reported", ["AddParticipantFailed", "AddParticipantSucceeded"])
@covers("AddParticipantSucceeded")
def test_a_declined_invitation_is_followed_by_the_next_agent(desk: Desk, covered: Covered, reported: str) -> None:
    if reported == "AddParticipantSucceeded":
        desk.fault("AddParticipant", "false success")
    call = desk.end(call_id := desk.ring("falls-back"))
    assert spoken(call) == ["Declined with 8538.", "You are connected."]
    assert desk.events(call_id).count("AddParticipantSucceeded") == (1 if reported == "AddParticipantFailed" else 2)
    covered.by(call_id)


@covers("CallConnection_CancelAddParticipant", "CancelAddParticipantSucceeded")
def test_an_invitation_that_is_taken_back_rings_nobody_any_more(desk: Desk, covered: Covered) -> None:
    call_id = desk.ring("changes-its-mind")
    desk.asks_for(call_id, "add_participant")
    desk.signal(call_id, "never-mind")
    call = desk.end(call_id)
    assert (call["outcome"], spoken(call)) == ("completed", ["Never mind."])
    assert f"4:{LATE}" not in str(call["journal"][-3:])
    covered.by(call_id)


@operated("CallConnection_Mute", "ParticipantsUpdated")
def test_a_supervisor_mutes_the_caller_while_the_flow_speaks(desk: Desk, covered: Covered) -> None:
    caller = a_user()
    call_id = desk.ring("talks", caller=caller)
    desk.shows(call_id, "PlayStarted")
    muting = desk.ask(
        "POST", f"calls/{call_id}/actions/mute", {"target": caller}, headers={"Idempotency-Key": "supervisor"}
    )
    again = desk.ask(
        "POST", f"calls/{call_id}/actions/mute", {"target": caller}, headers={"Idempotency-Key": "supervisor"}
    )
    assert (muting.status_code, muting.json()["done"]) == (200, True)
    assert again.json()["outcome"] == "duplicate"
    call = desk.end(call_id)
    assert (call["outcome"], spoken(call)[-1]) == ("completed", "You are muted.")
    commands = [e for e in call["journal"] if e["entry"] == "issued" and e.get("command")]
    assert [entry["action"]["kind"] for entry in commands] == ["mute"]
    assert [entry for entry in call["journal"] if entry["entry"] == "failed"] == []
    covered.by(call_id)


@covers("CreateCall", "AnswerCall", "CallConnected", "CallDisconnected")
def test_two_legs_of_one_call_are_two_calls_of_the_app(desk: Desk, covered: Covered) -> None:
    out = desk.place("caller", targets=[APP_USER])
    desk.connected(out)
    inward = desk.found(APP_USER, "callee")
    desk.connected(inward)
    for call_id in (out, inward):
        desk.shows(call_id, "PlayCompleted")
    assert desk.view(out)["correlation_id"] == desk.view(inward)["correlation_id"]
    assert desk.view(out)["call_connection_id"] != desk.view(inward)["call_connection_id"]
    desk.signal(inward, "bye")
    ends = [desk.end(out), desk.end(inward)]
    assert [(call["direction"], spoken(call)) for call in ends] == [
        ("outbound", ["The caller speaks."]),
        ("inbound", ["The callee speaks."]),
    ]
    covered.by(out, inward)


ENDINGS: dict[str, tuple[str, str]] = {
    "play": ("play", "PlayStarted"),
    "play to one": ("play", "PlayStarted"),
    "loop": ("play", "PlayStarted"),
    "recognize": ("recognize", ""),
    "choices": ("recognize", ""),
    "speech": ("recognize", ""),
    "add": ("add_participant", ""),
    "cancel": ("add_participant", ""),
    "transfer": ("transfer", ""),
    "send": ("send_dtmf", ""),
    "tone": ("answer", "CallConnected"),
    "signal": ("answer", "CallConnected"),
    "sleep": ("sleep", ""),
    "record": ("start_recording", "RecordingStateChanged"),
    "hold": ("hold", ""),
    "stream": ("start_transcription", "TranscriptionStarted"),
    "several": ("play", "PlayStarted"),
    "race": ("sleep", "PlayStarted"),
}


@pytest.mark.parametrize("what", list(ENDINGS))
@covers("CallDisconnected")
def test_a_caller_who_hangs_up_in_the_middle_ends_the_flow_where_it_stands(
    desk: Desk, covered: Covered, what: str
) -> None:
    call_id = desk.ring("middle", customContext={"sipHeaders": {"X-MS-Custom-Do": what}})
    kind, event = ENDINGS[what]
    desk.asks_for(call_id, kind)
    if event:
        desk.shows(call_id, event)
    connection = desk.connected(call_id)
    desk.control.hang_up(connection)
    call = desk.end(call_id)
    assert call["outcome"] == "caller_left", desk.told(call_id)
    assert "Nobody hears this." not in spoken(call)
    until(lambda: "run" in asked(desk.journal(call_id)), 10, lambda: desk.told(call_id))
    kinds = asked(desk.journal(call_id))
    assert not {"hang_up", "stop_recording", "unhold", "stop_media_streaming", "cancel_add_participant"} & set(kinds)
    failures: list[Any] = [entry for entry in call["journal"] if entry["entry"] == "failed"]
    assert failures == []
    covered.by(call_id)
