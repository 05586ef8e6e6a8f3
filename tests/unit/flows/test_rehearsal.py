"""The rehearsal itself: it says what is wrong, and does what the service would."""

from __future__ import annotations

import pytest

from shared.calls import ActionCanceled, ActionRefused, Call, CallLocator, Choice, Flow, actions, file, text
from shared.calls.rehearsal import Rehearsal

ADA = "8:acs:ada"


def rehearse(function: object, **options: object) -> Rehearsal:
    return Rehearsal(Flow("rehearsed", function), **options)  # type: ignore[arg-type]


def test_what_the_flow_does_not_wait_for_is_said_with_what_it_waits_for() -> None:
    async def function(call: Call) -> None:
        await call.play(text("Hello."))

    call = rehearse(function)
    call.connect()
    with pytest.raises(AssertionError, match="does not wait for Recognize; it waits for play"):
        call.press("1")


def test_a_flow_that_raises_fails_the_rehearsal_with_its_trace() -> None:
    async def function(call: Call) -> None:
        raise RuntimeError("a bug")

    with pytest.raises(AssertionError, match="RuntimeError: a bug"):
        rehearse(function).connect()


def test_what_cancel_all_media_cancels_is_reported_as_cancelled() -> None:
    ends: list[str] = []

    async def function(call: Call) -> None:
        music = call.play(file("https://contoso.example/music.wav"), loop=True)
        await call.cancel_all_media()
        try:
            await music
        except ActionCanceled as error:
            ends.append(error.action)

    call = rehearse(function)
    call.connect()
    assert ends == ["play"]


def test_a_refusal_is_for_the_next_action_of_its_kind_alone() -> None:
    codes: list[str] = []

    async def function(call: Call) -> None:
        for _ in range(2):
            try:
                await call.play(text("Hello."))
            except ActionRefused as error:
                codes.append(error.code)

    call = rehearse(function)
    call.refuse(actions.Play, status=412, code="8583")
    call.connect()
    assert codes == ["8583"]
    call.prompt_ends()
    assert call.hung_up()


def test_a_wrong_key_is_no_choice() -> None:
    async def function(call: Call) -> None:
        await call.recognize(text("One?"), choices=[Choice("yes", tone="one")], attempts=2)

    call = rehearse(function)
    call.connect()
    call.press("9")
    assert len(call.spoken) == 2
    call.press("1")
    assert call.hung_up()


def test_an_outbound_flow_knows_whom_it_called() -> None:
    async def function(call: Call) -> None:
        await call.play(text(f"{call.direction} {call.caller} {call.callee} {call.input}"), to=call.other_side)

    call = rehearse(function, placed_to=["+14255550100", ADA], data=7)
    assert len(call.expect(actions.CreateCall).targets) == 2
    call.connect()
    assert call.spoken == ["outbound +18005550199 +14255550100 7"]


def test_a_flow_that_joins_a_call_is_connected_by_connect() -> None:
    async def function(call: Call) -> None:
        await call.connect(CallLocator(kind="group_call", id="group"))
        await call.play(text("Hello."))

    call = Rehearsal(Flow("rehearsed", function, opens=True), placed_to=[])
    call.connect()
    assert call.spoken == ["Hello."]


def test_each_of_several_who_are_moved_is_reported() -> None:
    async def function(call: Call) -> None:
        await call.move_participants([ADA, "+14255550111"], from_call="other")
        await call.play(text("All here."))

    call = rehearse(function)
    call.connect()
    call.done(actions.MoveParticipants)
    assert call.spoken == ["All here."]


def test_a_busy_callee_and_a_second_attempt_can_be_rehearsed() -> None:
    async def twice(call: Call) -> None:
        await call.sleep(60)
        await call.create_call("+14255550100", caller_id="+18005550199", attempts=2, delay=900)
        await call.play(text("hello"), to=call.other_side)
        await call.ended()

    def begun() -> Rehearsal:
        call = Rehearsal(Flow("twice", twice, opens=True), placed_to=[])
        assert call.status == "waiting"
        call.wait()
        assert call.status == "connecting"
        call.fail(actions.CreateCall, code=486, sub_code=8539)
        assert (call.status, call.outcome) == ("waiting", "")
        return call

    call = begun()
    call.wait()
    call.connect()
    call.present("4:+14255550100")
    assert (call.status, call.spoken) == ("connected", ["hello"])
    call.hang_up()
    assert (call.status, call.outcome) == ("ended", "caller_left")

    call = begun()
    call.refuse(actions.CreateCall, status=400)
    call.wait()
    assert (call.status, call.outcome) == ("ended", "refused")

    call = begun()
    call.hang_up()
    assert (call.status, call.outcome, call.hung_up()) == ("ended", "hung_up", False)
