"""Flows for calls over lossy lines. Deployed beside those of the project, of which `reception` is rung as well."""

from __future__ import annotations

import time

from shared.calls import ActionFailed, ActionRefused, Call, Choice, NoInput, flow, text

OWN, AGENT, DECLINES, ANSWERS = "+18005550100", "+14255550142", "+15550100002", "+15550100001"
LOOK_UP_SECONDS = 0.4


@flow("look up")
async def look_up(call: Call) -> None:
    """Asks for keys, looks something up by them, says what it found."""
    ask = text("Please key in your number, then the pound key.")
    try:
        answer = await call.recognize(ask, max_tones=8, stop_tones=["pound"], attempts=2)
    except NoInput:
        await call.play(text("Nothing was keyed in. Goodbye."))
    else:
        name = await call.run(customer, answer.digits.removesuffix("#"))
        await call.play(text(f"You are {name}. Goodbye."))
    await call.hang_up()


def customer(digits: str) -> str:
    """A system that takes its time."""
    time.sleep(LOOK_UP_SECONDS)
    return f"customer {digits}"


@flow("put through")
async def put_through(call: Call) -> None:
    """Brings an agent in, and says goodbye when the agent has left."""
    await bring_in(call, AGENT)


@flow("nobody there")
async def nobody_there(call: Call) -> None:
    """The same, where the agent declines."""
    await bring_in(call, DECLINES)


async def bring_in(call: Call, agent: str) -> None:
    await call.play(text("One moment, please."))
    try:
        await call.add_participant(agent, caller_id=OWN)
    except (ActionFailed, ActionRefused):
        await call.play(text("Nobody is free. Goodbye."))
    else:
        await call.race(call.left(agent), call.left(call.other_side))
        await call.play(text("Your agent has left. Goodbye."))
    await call.hang_up()


@flow("pass on")
async def pass_on(call: Call) -> None:
    """Passes the caller on to somebody who takes the call."""
    await hand_over(call, ANSWERS)


@flow("not taken")
async def not_taken(call: Call) -> None:
    """The same, to somebody who does not."""
    await hand_over(call, DECLINES)


async def hand_over(call: Call, to: str) -> None:
    await call.play(text("You will be put through."))
    try:
        await call.transfer(to)
    except (ActionFailed, ActionRefused):
        await call.play(text("Nobody took your call. Goodbye."))
        await call.hang_up()


@flow("short survey")
async def short_survey(call: Call) -> None:
    """Asks somebody whom the app has called."""
    choices = [Choice("yes", tone="one", phrases=("yes",)), Choice("no", tone="two", phrases=("no",))]
    answer = await call.recognize(text("Were you satisfied? Press 1 for yes, 2 for no."), choices=choices, attempts=2)
    await call.play(text(f"You said {answer.choice}. Thank you."))
    await call.hang_up()
