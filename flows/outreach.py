"""A campaign: tells something, and asks who wants a call about it. Put your own message into the texts."""

from __future__ import annotations

from shared.calls import Call, WantsPerson, flow

from .campaign_calls import (
    About,
    ask_what_they_want,
    is_a_person,
    no_more_calls,
    thank,
    to_a_person,
    who_calls_back,
)


@flow("outreach", title="Campaign", use="outreach", input=About)
async def outreach(call: Call[About]) -> None:
    """Says who calls, tells a person from a mailbox, then says the message and asks whether to call back about it."""
    about = call.input if call.direction == "outbound" else await who_calls_back(call)
    try:
        if call.direction == "outbound":
            there = await is_a_person(call, about)
            if there == "no_more":
                await no_more_calls(call, about)
            if there != "person":
                return
        await message(call, about)
    except WantsPerson:
        await to_a_person(call, about)


async def message(call: Call[About], about: About) -> None:
    """Say the message, and take what they want."""
    told = call.text("message", company=about.company)
    wanted = await ask_what_they_want(call, about, told, {"interested": "one", "not_interested": "two"})
    if wanted:
        await thank(call, about, wanted)
