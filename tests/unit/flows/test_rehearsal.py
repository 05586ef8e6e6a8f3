"""The rehearsal itself: it says what is wrong, and does what the service would."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.calls import (
    ActionCanceled,
    ActionFailed,
    ActionRefused,
    Call,
    CallLocator,
    Choice,
    Fallback,
    Flow,
    InvalidInput,
    NoInput,
    RunFailed,
    TimedOut,
    actions,
    file,
    text,
)
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
    async def function(call: Call) -> None:
        music = call.play(file("https://contoso.example/music.wav"), loop=True)
        await call.cancel_all_media()
        try:
            await music
        except ActionCanceled as error:
            call.log(error.action)

    call = rehearse(function)
    call.connect()
    assert call.logged == ["play"]


def test_a_refusal_is_for_the_next_action_of_its_kind_alone() -> None:
    async def function(call: Call) -> None:
        for _ in range(2):
            try:
                await call.play(text("Hello."))
            except ActionRefused as error:
                call.log(error.code)

    call = rehearse(function)
    call.refuse(actions.Play, status=412, code="8583")
    call.connect()
    assert call.logged == ["8583"]
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


# The rules of production


QUESTION = [Choice("sales", tone="one", phrases=("sales", "buy something")), Choice("support", tone="two")]


async def chooses(call: Call) -> None:
    try:
        answer = await call.recognize(text("Sales or support?"), choices=QUESTION)
    except NoInput as error:
        call.log(str(error.sub_code))
        return
    call.log(f"{answer.choice} {answer.phrase} {answer.sub_code}")


@pytest.mark.parametrize(
    ("act", "logged"),
    [
        (lambda call: call.say("I want to buy something, please"), "sales buy something 8545"),
        (lambda call: call.say("SUPPORT!"), "support support 8545"),
        (lambda call: call.say("the weather"), "8547"),
        (lambda call: call.say("…"), "8563"),
        (lambda call: call.choose("support"), "support support 8545"),
        (lambda call: call.press("1"), "sales None 8533"),
        (lambda call: call.press("21"), "support None 8533"),
        (lambda call: call.press("9"), "8534"),
        (lambda call: call.stay_silent(), "8510"),
    ],
)
def test_a_choice_is_made_by_its_phrases_and_its_key(act: Callable[[Rehearsal], None], logged: str) -> None:
    call = rehearse(chooses)
    call.connect()
    act(call)
    assert call.logged == [logged]


def test_nobody_chooses_what_is_not_offered() -> None:
    call = rehearse(chooses)
    call.connect()
    with pytest.raises(AssertionError, match="does not offer 'billing': it listens for the choices sales, support"):
        call.choose("billing")


@pytest.mark.parametrize(
    ("keys", "logged"),
    [("1234", "1234 8531"), ("123456", "1234 8531"), ("12#34", "12 8514"), ("12", "12 8532"), ("#", " 8514")],
)
def test_keys_are_collected_up_to_their_number_a_stop_tone_or_a_pause(keys: str, logged: str) -> None:
    async def digits(call: Call) -> None:
        answer = await call.recognize(text("Your number?"), max_tones=4, stop_tones=["pound"])
        call.log(f"{answer.digits} {answer.sub_code}")

    call = rehearse(digits)
    call.connect()
    call.press(keys)
    assert call.logged == [logged]


def test_speech_does_not_reach_a_question_for_keys_nor_keys_one_for_speech() -> None:
    async def keys(call: Call) -> None:
        await call.recognize(text("Your number?"), max_tones=4)

    async def words(call: Call) -> None:
        await call.recognize(text("Your name?"), speech=True)

    call = rehearse(keys)
    call.connect()
    with pytest.raises(AssertionError, match="listens for keys, and was told 'hello'"):
        call.say("hello")
    call = rehearse(words)
    call.connect()
    with pytest.raises(AssertionError, match="listens for speech, and was given the keys '1'"):
        call.press("1")
    with pytest.raises(InvalidInput, match="'x' is not a key"):
        call.press("x")


def look_up(number: str) -> Any:
    raise RuntimeError("nobody should call this")


async def looks_up(call: Call) -> None:
    try:
        found = await call.run(look_up, "+14255550100")
    except ActionRefused as error:
        call.log(f"{error.code}: {error.message}")
        return
    call.log(repr(found))


@pytest.mark.parametrize(
    ("result", "logged"),
    [
        ({"name": "Ada", "age": None}, "{'name': 'Ada', 'age': None}"),
        ((1, 2), "[1, 2]"),
        (ValueError("no such number"), "ValueError: no such number"),
    ],
)
def test_a_run_gives_what_the_rehearsal_says_as_the_journal_would_give_it(result: Any, logged: str) -> None:
    call = Rehearsal(Flow("function", looks_up), runs={look_up: result})
    call.connect()
    assert call.logged == [logged]


@pytest.mark.parametrize("result", [datetime(2026, 1, 1), float("nan"), "\ud800", {1}])
def test_a_result_that_is_not_json_is_a_refusal_in_a_rehearsal_too(result: Any) -> None:
    call = Rehearsal(Flow("function", looks_up), runs={look_up: result})
    call.connect()
    assert "run look_up" in call.logged[0]


def test_what_a_function_raises_is_a_refusal_in_a_rehearsal_too() -> None:
    call = rehearse(looks_up)
    call.connect()
    assert call.logged == ["RuntimeError: nobody should call this"]


def test_a_function_without_a_result_fails_the_rehearsal() -> None:
    with pytest.raises(AssertionError, match="the flow runs look_up, for which `runs` has no result"):
        Rehearsal(Flow("function", looks_up), runs={}).connect()


def test_a_flow_that_differs_from_run_to_run_fails_the_rehearsal_with_the_difference() -> None:
    names = iter(["one", "two", "three", "four"])

    async def differs(call: Call) -> None:
        await call.play(text(next(names)))

    with pytest.raises(AssertionError, match=r"FlowChanged: .*'one'.*'two'") as caught:
        rehearse(differs).connect()
    assert "await call.play(text(next(names)))" in str(caught.value)


def test_a_call_goes_on_after_a_restart_an_event_that_comes_twice_and_a_lost_response() -> None:
    async def talks(call: Call) -> None:
        await call.play(text("one"))
        await call.run(str, 1)
        await call.recognize(text("two"), speech=True)
        await call.add_participant("8:acs:agent")
        await call.play(text("three"))

    call = rehearse(talks)
    call.lose_response(actions.Play)
    call.connect()
    call.again()
    call.restart()
    call.prompt_ends()
    call.lose_response(actions.AddParticipant)
    call.restart()
    call.say("yes")
    call.restart()
    call.done(actions.AddParticipant)
    call.present("+14255550100", "8:acs:agent")
    call.again()
    assert call.spoken == ["one", "two", "three"]


def test_a_flow_that_may_fail_is_rehearsed_with_its_fallback() -> None:
    async def fails(call: Call) -> None:
        await call.play(text("Welcome."))
        raise RuntimeError("a bug")

    flow = Flow("fails", fails, fallback=Fallback("We are sorry.", transfer_to="+14255550142"))
    call = Rehearsal(flow, fails=True)
    call.connect()
    call.prompt_ends()
    assert call.spoken == ["Welcome.", "We are sorry."]
    assert call.failure["error"] == "RuntimeError: a bug"
    assert call.failure["line"] == 'raise RuntimeError("a bug")'
    call.prompt_ends()
    assert call.expect(actions.Transfer).target.phone_number == "+14255550142"
    assert call.outcome == "failed"


def test_a_recording_is_as_the_flow_left_it_unless_the_rehearsal_says_otherwise() -> None:
    async def function(call: Call) -> None:
        for step in (call.get_recording_state, call.start_recording, call.pause_recording, call.resume_recording):
            await step()
            call.log(str((await call.get_recording_state())["recordingState"]))

    call = rehearse(function)
    call.connect()
    assert call.logged == ["inactive", "active", "inactive", "active"]


def test_music_and_races_that_leave_things_behind_forget_no_await() -> None:
    async def helper(call: Call) -> None:
        await call.play("never")

    async def function(call: Call) -> None:
        await call.play("Hello.")
        await call.race(call.signal("x"), helper(call))
        async with call.music(file("https://contoso.example/music.wav")):
            await call.sleep(1)

    call = rehearse(function)
    call.connect()
    call.signal("x")
    call.prompt_ends()
    call.wait()
    assert call.hung_up()
    assert call.spoken == ["Hello."]


def test_a_function_may_stand_for_a_side_effect_and_the_rehearsal_has_the_arguments() -> None:
    call = Rehearsal(Flow("function", looks_up), runs={look_up: lambda number: {"number": number}})
    call.connect()
    assert call.logged == ["{'number': '+14255550100'}"]
    assert call.ran == [("look_up", ("+14255550100",), {})]


def test_a_function_is_called_with_arguments_that_it_takes_or_the_flow_learns_it() -> None:
    async def forgets(call: Call) -> None:
        try:
            await call.run(look_up)  # type: ignore[call-arg]
        except RunFailed as error:
            call.log(error.code)

    call = Rehearsal(Flow("function", forgets), runs={look_up: {}})
    call.connect()
    assert call.logged == ["TypeError"]


def test_a_class_of_errors_among_the_results_is_a_mistake_of_the_test() -> None:
    with pytest.raises(AssertionError, match=r"give an instance, ValueError\(\)"):
        Rehearsal(Flow("function", looks_up), runs={look_up: ValueError}).connect()


def test_a_busy_callee_and_a_second_attempt_can_be_rehearsed() -> None:
    async def twice(call: Call) -> None:
        await call.sleep(60)
        await call.create_call("+14255550100", caller_id="+18005550199", attempts=2, delay=900)
        await call.play(text("hello"), to=call.other_side)
        await call.ended()

    def begun() -> Rehearsal:
        call = Rehearsal(Flow("twice", twice, opens=True), placed_to=[])
        statuses = [call.status]
        call.wait()
        assert [*statuses, call.status] == ["waiting", "connecting"]
        call.fail(actions.CreateCall, code=486, sub_code=8539)
        assert (call.status, call.outcome) == ("waiting", "")
        return call

    call = begun()
    call.wait()
    call.connect()
    call.present("4:+14255550100")
    assert (call.status, call.spoken) == ("connected", ["hello"])
    call.prompt_ends()
    call.hang_up()
    assert (call.status, call.outcome) == ("ended", "completed")

    call = begun()
    call.refuse(actions.CreateCall, status=400)
    call.wait()
    assert (call.status, call.outcome) == ("ended", "refused")

    call = begun()
    call.hang_up()
    assert (call.status, call.outcome, call.hung_up()) == ("ended", "hung_up", False)


def test_a_rehearsal_begins_when_it_is_told_to() -> None:
    async def tells(call: Call) -> None:
        await call.play(f"{call.now:%Y-%m-%d %H:%M}")

    call = rehearse(tells, now=datetime(2026, 12, 24, 9, 30, tzinfo=UTC))
    call.connect()
    assert call.spoken == ["2026-12-24 09:30"]


def test_an_action_of_which_nothing_is_heard_times_out() -> None:
    async def waits(call: Call) -> None:
        try:
            await call.play("Hello.")
        except TimedOut as error:
            call.log(error.action)

    call = rehearse(waits)
    call.connect()
    call.times_out(actions.Play)
    assert call.logged == ["play"]


def test_a_flow_knows_how_often_it_has_placed_its_call() -> None:
    async def calls(call: Call) -> None:
        try:
            await call.create_call("+14255550100", caller_id="+18005550199", attempts=2, delay=60)
        except ActionFailed:
            call.result("not_reached", attempts=call.attempts)

    call = Rehearsal(Flow("calls", calls, opens=True), placed_to=[])
    call.fail(actions.CreateCall, code=486, sub_code=8539)
    call.wait()
    call.fail(actions.CreateCall, code=486, sub_code=8539)
    assert (call.result, call.details, call.outcome) == ("not_reached", {"attempts": 2}, "busy")


def test_a_secret_reaches_the_flow_and_what_it_says_of_it_is_masked() -> None:
    async def asks(call: Call) -> None:
        pin = await call.ask_digits("Your PIN?", max_tones=4, secret=True)
        call.log(f"the PIN is {pin}")
        call.result("done", pin=pin)
        await call.play(f"It is {pin}.")

    call = Rehearsal(Flow("asks", asks))
    call.connect()
    call.press("4930")
    assert call.spoken[-1] == "It is 4930."
    assert call.logged == ["secret"]
    assert call.details == {"pin": "secret"}


def test_a_flow_that_asks_for_a_secret_fails_where_the_app_has_no_key() -> None:
    async def asks(call: Call) -> None:
        await call.ask_digits("Your PIN?", max_tones=4, secret=True)

    with pytest.raises(AssertionError, match=r"ask_digits\.secret: needs the setting SECRETS_KEY(.|\n)*test_rehearsal"):
        Rehearsal(Flow("asks", asks), secrets=False).connect()
