"""Waits with a limit, and what is wanted no more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from shared.calls import ActionCanceled, Call, CallEnded, Choice, InvalidInput, TimedOut, file
from shared.calls.journal import Accepted, Responded, TimerFired
from tests.unit.calls.replayed import Replayed
from tests.unit.calls.test_replay import Stage
from tests.unit.calls.world import START

ADA = "8:acs:ada"
MUSIC = file("https://example.com/music.wav")


async def helper(call: Call) -> str:
    try:
        return str(await call.signal("x"))
    finally:
        call.play("The helper is over.")


WAITS: list[tuple[str, Callable[[Call], Any]]] = [
    ("signal", lambda call: call.signal("x")),
    ("helper", lambda call: helper(call)),
]


@pytest.mark.parametrize(("name", "what"), WAITS)
def test_a_wait_gives_the_result_and_leaves_no_sleep_behind(name: str, what: Callable[[Call], Any]) -> None:
    async def function(call: Call) -> None:
        await call.play(f"Got {await call.wait(what(call), seconds=60)}.")
        await call.ended()

    stage = Replayed(function).connect()
    assert stage.session.record.wake_at == START + 60_000
    stage.signal("x", 5)
    assert stage.said[-1] == "Got 5."
    assert stage.session.record.wake_at == 0
    assert "sleep" not in [operation.action.kind for operation in stage.session.open_operations]
    assert stage.session.knows(TimerFired(at=START, seq=1))  # its message changes nothing


@pytest.mark.parametrize(("name", "what"), WAITS)
def test_a_wait_raises_timed_out_when_its_time_is_over_and_takes_nothing_later(
    name: str, what: Callable[[Call], Any]
) -> None:
    async def function(call: Call) -> None:
        try:
            await call.wait(what(call), seconds=2.5)
        except TimedOut as error:
            await call.play(f"Too late: {error.action}.")
        await call.play(f"Then {await call.signal('x')}.")

    stage = Replayed(function).connect()
    stage.fires()
    assert stage.said[-1] == f"Too late: {'part' if name == 'helper' else 'signal x'}."
    assert ("The helper is over." in stage.said) == (name == "helper")
    stage.signal("x", 6)
    while stage.said[-1] != "Then 6.":
        stage.reports("PlayCompleted", "play")


def test_what_is_done_already_is_not_waited_for() -> None:
    async def function(call: Call) -> None:
        await call.play("one")
        await call.play(f"Got {await call.wait(call.signal('x'), seconds=5)}.")

    stage = Replayed(function).connect()
    stage.signal("x", 1)
    stage.reports("PlayCompleted", "play")
    assert stage.asked == ["play", "play"]


def test_a_wait_for_a_side_effect_after_the_end_of_the_call_needs_no_timer() -> None:
    seen: list[Any] = []

    async def function(call: Call) -> None:
        try:
            await call.ended()
            seen.append(await call.wait(call.run(print), seconds=5))
            await call.wait(call.signal("x"), seconds=5)
        except CallEnded:
            seen.append("ended")

    stage = Stage(function).connect()
    stage.event("CallDisconnected")
    assert stage.issued == ["answer", "run"]
    stage.feed(Responded(at=START, seq=1, value=7))
    assert seen == [7, "ended"]


def test_the_end_of_the_call_is_no_time_out() -> None:
    seen: list[str] = []

    async def function(call: Call) -> None:
        try:
            await call.wait(call.run(print), seconds=5)
        except TimedOut:
            seen.append("timed out")
        except CallEnded:
            seen.append("ended")

    stage = Stage(function).connect()
    stage.event("CallDisconnected")
    assert seen == ["ended"]


@pytest.mark.parametrize("seconds", [-1, "soon", None, float("inf"), float("nan")])
def test_seconds_that_are_none_are_refused_where_they_are_given(seconds: Any) -> None:
    async def function(call: Call) -> None:
        with pytest.raises(InvalidInput, match=r"^sleep\.seconds: "):
            call.sleep(seconds)
        with pytest.raises(InvalidInput, match=r"^wait\.seconds: "):
            await call.wait(call.signal("x"), seconds=seconds)

    assert Stage(function).connect().failures == []


@pytest.mark.parametrize("method", ["race", "gather", "wait"])
def test_what_nothing_can_wait_for_is_refused(method: str) -> None:
    async def function(call: Call) -> None:
        waits: dict[str, Callable[[Any], Any]] = {
            "race": call.race,
            "gather": call.gather,
            "wait": lambda part: call.wait(part, seconds=1),
        }
        for wrong in ([call.signal("x")], None, print):
            with pytest.raises(InvalidInput, match=f"^{method}: got "):
                await waits[method](wrong)

    assert Stage(function).connect().failures == []


def test_a_cancelled_sleep_wakes_nobody() -> None:
    async def function(call: Call) -> None:
        nap = call.sleep(60)
        await call.signal("go")
        await call.cancel(nap)
        await call.cancel(nap)
        try:
            await nap
        except ActionCanceled:
            await call.play("No nap.")

    stage = Replayed(function).connect()
    stage.signal("go")
    assert stage.said == ["No nap."]
    assert stage.session.record.wake_at == 0
    assert stage.session.knows(TimerFired(at=START, seq=1))


def test_a_cancelled_invitation_is_taken_back() -> None:
    async def function(call: Call) -> None:
        ada = call.add_participant(ADA)
        await call.signal("go")
        await call.cancel(ada)
        try:
            await ada
        except ActionCanceled:
            await call.play("Not Ada.")

    stage = Replayed(function).connect()
    stage.feed(Accepted(at=START, seq=1, value={"invitationId": "i"}))
    stage.signal("go")
    stage.reports("CancelAddParticipantSucceeded", "cancel_add_participant", invitationId="i")
    assert stage.said == ["Not Ada."]


QUESTIONS: list[Callable[[Call], Any]] = [
    lambda call: call.play(MUSIC, loop=True),
    lambda call: call.recognize("?", max_tones=1, attempts=3),
    lambda call: call.ask_choice("?", choices=[Choice("a", tone="one")], attempts=3),
]


@pytest.mark.parametrize("media", QUESTIONS)
def test_the_only_thing_that_plays_or_listens_can_be_cancelled(media: Callable[[Call], Any]) -> None:
    async def function(call: Call) -> None:
        played = media(call)
        await call.signal("go")
        await call.cancel(played)
        try:
            await played
        except ActionCanceled:
            await call.play("Stopped.")

    stage = Replayed(function).connect()
    kind = stage.asked[0]
    stage.signal("go")
    assert stage.asked == [kind, "cancel_all_media"]
    if kind == "recognize":  # it ends unheard just now: it is not asked again
        stage.event("RecognizeFailed", 1, (400, 8510, ""))
    stage.answers("cancel_all_media")
    if kind == "play":
        stage.event("PlayCanceled", 1, (400, 8508, ""))
    assert stage.asked == [kind, "cancel_all_media", "play"]


def test_one_of_two_that_play_cannot_be_cancelled_alone_nor_what_cannot_be_stopped() -> None:
    async def function(call: Call) -> None:
        one, _ = call.play("one"), call.play("two")
        with pytest.raises(InvalidInput, match="cancel_all_media"):
            call.cancel(one)
        with pytest.raises(InvalidInput, match="send_dtmf cannot be stopped"):
            call.cancel(call.send_dtmf("1"))
        with pytest.raises(InvalidInput, match="not under way"):
            call.cancel(call.signal("x"))
        await call.ended()

    stage = Stage(function).connect()
    assert stage.failures == []
    assert stage.issued == ["answer", "play", "play", "send_dtmf"]
