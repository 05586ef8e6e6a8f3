"""Music that plays while a block of a flow runs, and stops on every way out of it."""

from __future__ import annotations

import pytest

from shared.calls import ActionRefused, Call, actions, file
from tests.unit.calls.replayed import Replayed

MUSIC = file("https://example.com/music.wav")


def test_music_plays_in_a_loop_while_the_block_runs() -> None:
    async def function(call: Call) -> None:
        async with call.music(MUSIC, to="8:acs:ada") as music:
            await call.race(call.signal("go"), music)
        await call.play("Thank you.")

    stage = Replayed(function).connect()
    action = stage.session.operation(1).action
    assert isinstance(action, actions.Play)
    assert (action.loop, [who.raw_id for who in action.to]) == (True, ["8:acs:ada"])
    stage.signal("go")
    stage.answers("cancel_all_media")
    assert stage.asked == ["play", "cancel_all_media", "play"]


def test_music_stops_when_the_block_fails_and_the_first_error_counts() -> None:
    async def function(call: Call) -> None:
        try:
            async with call.music(MUSIC):
                await call.signal("go")
                raise LookupError("a bug")
        except LookupError:
            await call.play("Sorry.")

    for respond in (Replayed.answers, Replayed.refuses):
        stage = Replayed(function).connect()
        stage.signal("go")
        respond(stage, "cancel_all_media")
        assert stage.asked == ["play", "cancel_all_media", "play"]


def test_music_that_cannot_be_stopped_is_an_error_where_there_is_no_other() -> None:
    async def function(call: Call) -> None:
        try:
            async with call.music(MUSIC):
                await call.signal("go")
        except ActionRefused as error:
            await call.play(error.action)

    stage = Replayed(function).connect()
    stage.signal("go")
    stage.refuses("cancel_all_media")
    assert stage.said == ["cancel_all_media"]


@pytest.mark.parametrize("name", ["PlayFailed", "CallDisconnected"])
def test_music_that_is_over_is_not_stopped(name: str) -> None:
    async def function(call: Call) -> None:
        async with call.music(MUSIC):
            await call.signal("go")

    stage = Replayed(function).connect()
    stage.event(name, 1 if name == "PlayFailed" else None, (400, 8535, ""))
    if name == "PlayFailed":
        stage.signal("go")
    assert "cancel_all_media" not in stage.asked


def test_music_of_a_helper_that_is_stopped_stops() -> None:
    async def waits(call: Call) -> None:
        async with call.music(MUSIC):
            await call.ended()

    async def function(call: Call) -> None:
        await call.race(waits(call), call.signal("go"))
        await call.play("Thank you.")

    stage = Replayed(function).connect()
    stage.signal("go")
    assert stage.asked == ["play", "cancel_all_media", "play"]
