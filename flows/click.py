"""The call-me button of a web page: calls an agent, and, once they have pressed 1, whoever asked to be called."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from shared.calls import Braked, Call, CallError, NoInput, WantsPerson, flow
from shared.use_cases import service

if TYPE_CHECKING:
    from shared.click.service import Click

NO_LINE_SECONDS, LINE_TRIES = 10, 6
"""Where all lines of the caller number are busy: how long until it is tried again, and how often."""


class Turn(BaseModel):
    """An agent's turn to take a request."""

    request: str
    attempt: int
    language: str = ""


@flow("click", title="Call-me button", use="click", input=Turn, opens=True)
async def click(call: Call[Turn]) -> None:
    """Tells an agent who wants to be called, and, if they press 1, calls them and leaves the two to talk."""
    click: Click = service("click")
    turn = call.input
    say(call, "calling_agent")
    plan = await call.run(click.plan, turn.request, turn.attempt)
    if plan is None:
        say(call, "withdrawn")
        return
    await reach_agent(call, plan)
    if not await takes_it(call, plan):
        return
    if not await call.run(click.accept, turn.request, turn.attempt):
        say(call, "withdrawn")
        await call.play(call.text("withdrawn"))
        return
    say(call, "calling_you")
    await call.play(call.text("calling"))
    if await reach_customer(call, plan):
        say(call, "connected")
        await call.run(click.joined, turn.request)
        call.play(call.text("hello", company=plan["company"]), to=plan["customer"])  # the agent may hang up meanwhile
        await call.race(call.left(plan["agent"]), call.left(plan["customer"]))
    await call.terminate()


def say(call: Call[Turn], result: str) -> None:
    """What has come of it so far; by the details the button knows which request it is."""
    call.result(result, request=call.input.request, attempt=call.input.attempt)


async def reach_agent(call: Call[Turn], plan: Mapping[str, Any]) -> None:
    """Call the agent; again only while no line is free. Otherwise it fails here: nobody hears anything, and it is the
    next agent's turn."""
    for attempt in range(LINE_TRIES):
        if attempt:
            await call.sleep(NO_LINE_SECONDS)
        try:
            await call.create_call(plan["agent"], caller_id=plan["caller_number"])
            return
        except Braked as error:
            if not error.retryable or attempt == LINE_TRIES - 1:
                raise


async def takes_it(call: Call[Turn], plan: Mapping[str, Any]) -> bool:
    """Ask the agent, by a key alone: a mailbox may answer, and say anything. Whoever does not press 1 is hung up on,
    and it is the next agent's turn."""
    who = "named" if plan["name"] else "somebody"
    about = {"name": plan["name"]} if plan["name"] else {}
    question = call.text(who, company=plan["company"], spelled=spelled(plan["customer"]), **about)
    try:
        for _ in range(2):
            key = await call.ask_digits(
                question,
                max_tones=1,
                attempts=2,
                initial_silence=8,
                repeat="*",
                person="0",
                reprompt=call.text("again"),
            )
            if key == "1":
                return True
    except (NoInput, WantsPerson):
        pass
    return False


async def reach_customer(call: Call[Turn], plan: Mapping[str, Any]) -> bool:
    """Call the visitor into the call, where the agent waits; whether they came. If not, the agent has heard so."""
    reason = "not_reached"
    for attempt in range(LINE_TRIES):
        if attempt:
            await call.sleep(NO_LINE_SECONDS)
        try:
            await call.add_participant(
                plan["customer"], caller_id=plan["caller_number"], invitation_timeout=plan["ring"]
            )
            return True
        except Braked as error:
            if not error.retryable:
                break
            if not attempt:
                reason = "no_line"
                await call.play(call.text("busy"))
        except CallError:
            reason = "not_reached"
            break
    say(call, reason)
    await call.play(call.text("not_reached"))
    return False


def spelled(number: str) -> str:
    """A number as it is read out, digit by digit."""
    return " ".join(number.removeprefix("+"))
