"""Signals and keys: each goes to one who waits for it when it comes, else to the next who does. None is lost."""

from __future__ import annotations

import gc
from typing import Any

import pytest

from shared.calls import Call, CallEnded, file
from shared.calls.journal import Signalled, TimerFired
from tests.unit.calls.replayed import Replayed
from tests.unit.calls.test_news import pressing
from tests.unit.calls.test_replay import Stage
from tests.unit.calls.world import START

MUSIC = file("https://example.com/music.wav")


def test_a_signal_is_not_lost_to_a_race_that_is_over() -> None:
    async def function(call: Call) -> None:
        while True:
            agent, nap = call.signal("agent"), call.sleep(30)
            if await call.race(agent, nap) is agent:
                await call.play(f"Here is {agent.result()}.")
                return
            await call.play("Please wait.")

    stage = Replayed(function).connect()
    stage.fires()
    stage.signal("agent", "Ada")  # nobody waits for it while the prompt plays
    assert stage.said == ["Please wait."]
    stage.reports("PlayCompleted", "play")
    assert stage.said == ["Please wait.", "Here is Ada."]


def test_a_key_is_not_lost_to_a_race_that_is_over() -> None:
    async def function(call: Call) -> None:
        await call.start_continuous_dtmf()
        while True:
            key, nap = call.next_tone(), call.sleep(5)
            if await call.race(key, nap) is key:
                await call.play(f"You pressed {key.result()}.")
                return
            await call.play("Please press a key.")

    stage = Replayed(function).connect()
    stage.answers("start_continuous_dtmf")
    stage.fires()
    stage.reports("PlayCompleted", "play")
    pressing(stage, (1, "seven"))
    assert stage.said[-1] == "You pressed 7."


def test_a_signal_goes_to_who_has_waited_longest_and_not_to_one_who_stopped_waiting() -> None:
    async def helper(call: Call, name: str) -> None:
        await call.play(f"{name} got {await call.signal('x')}.")

    async def function(call: Call) -> None:
        await call.race(helper(call, "the stopped one"), call.signal("stop"))
        await call.gather(helper(call, "the first"), helper(call, "the second"))

    stage = Replayed(function).connect()
    stage.signal("stop")
    stage.signal("x", 1)
    stage.signal("x", 2)
    assert stage.said == ["the first got 1.", "the second got 2."]


def test_helpers_of_a_helper_that_was_stopped_wait_for_nothing_any_more() -> None:
    async def inner(call: Call) -> None:
        await call.play(f"inner got {await call.signal('x')}.")

    async def outer(call: Call) -> None:
        await call.gather(inner(call), inner(call))

    async def function(call: Call) -> None:
        await call.race(outer(call), call.signal("stop"))
        await call.play(f"flow got {await call.signal('x')}.")

    stage = Replayed(function).connect()
    stage.signal("stop")
    stage.signal("x", 1)
    assert stage.said == ["flow got 1."]


@pytest.mark.parametrize("names", ["ab", "ba"])
def test_what_is_not_awaited_holds_nothing_back(names: str) -> None:
    async def function(call: Call) -> None:
        waits = {"a": call.signal("x"), "b": call.signal("x")}
        for name in names:
            await call.play(f"{name} {await waits[name]}.")

    stage = Replayed(function).connect()
    stage.signal("x", 1)
    stage.signal("x", 2)
    stage.reports("PlayCompleted", "play")
    assert stage.said == [f"{names[0]} 1.", f"{names[1]} 2."]


def test_done_and_result_take_a_signal_that_is_here_and_a_look_at_it_by_others_does_not() -> None:
    async def function(call: Call) -> None:
        early = call.signal("x")
        seen = [early.done, "done" in repr(early)]
        await call.play("Wait.")
        seen.append("done" in repr(early))
        other = call.signal("x")
        seen += [early.done, early.result(), other.done]
        await call.play(str(seen))

    stage = Replayed(function).connect()
    stage.signal("x", 7)
    stage.reports("PlayCompleted", "play")
    assert stage.said[-1] == "[False, False, False, True, 7, False]"


def test_two_keys_that_come_together_are_not_both_taken_by_one_race() -> None:
    async def reads(call: Call) -> str:
        return await call.next_tone()

    async def function(call: Call) -> None:
        await call.start_continuous_dtmf()
        await call.signal("go")
        keys: list[str] = []
        while len(keys) < 2:
            keys.append(str((await call.race(reads(call), reads(call))).result()))
        await call.play(" ".join(keys))

    stage = Replayed(function).connect()
    stage.answers("start_continuous_dtmf")
    pressing(stage, (2, "two"), (1, "one"))
    stage.signal("go")
    assert stage.said == ["1 2"]


def test_many_races_leave_nothing_behind() -> None:
    async def function(call: Call) -> None:
        music = call.play(MUSIC, loop=True)
        while True:
            left = call.left("8:acs:ada")
            await call.race(call.signal("agent"), call.next_tone(), left, music, call.ended(), call.sleep(1))

    stage = Stage(function).connect()
    for _ in range(50):
        slept = next(o.seq for o in stage.session.open_operations if o.action.kind == "sleep")
        stage.feed(TimerFired(at=START, seq=slept))
    gc.collect()
    waiting: Any = stage.session._waiting
    assert len(waiting._signals["agent"]._waiting) == 1
    assert len(waiting._keys._waiting) == 1
    assert len(waiting.end.waiters) == 1
    assert len(stage.session.operation(1).waiters) == 1
    stage.event("ParticipantsUpdated", participants=[who("8:acs:ada")], sequenceNumber=1)
    assert len(waiting._expected) == 1


def who(raw_id: str) -> dict[str, Any]:
    return {"identifier": {"rawId": raw_id}, "isMuted": False, "isOnHold": False}


def test_the_end_of_the_call_reaches_who_waits_now_and_who_waits_later_after_what_had_come() -> None:
    seen: list[Any] = []

    async def function(call: Call) -> None:
        try:
            await call.signal("never")
        except CallEnded:
            seen.append("first")
        seen.append(await call.signal("x"))
        for wait in (call.signal("x"), call.signal("new"), call.next_tone()):
            try:
                await wait
            except CallEnded:
                seen.append(wait.label)

    stage = Stage(function).connect()
    stage.feed(Signalled(at=START, id="s", name="x", data=1))
    stage.event("CallDisconnected", None, (200, 7000, "over"))
    assert seen == ["first", 1, "signal x", "signal new", "tone"]


def test_nobody_has_left_before_it_is_known_who_is_in_the_call() -> None:
    async def function(call: Call) -> None:
        await call.left(call.other_side)
        await call.play("They left.")

    stage = Replayed(function).connect()
    assert stage.said == []
    stage.event("ParticipantsUpdated", participants=[who("4:+14255550100")], sequenceNumber=1)
    assert stage.said == []
    stage.event("ParticipantsUpdated", participants=[who("8:acs:ada")], sequenceNumber=2)
    assert stage.said == ["They left."]
