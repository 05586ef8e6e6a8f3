"""The support line: answers what it can, brings in an agent, and records both for the quality report."""

from __future__ import annotations

from shared.calls import Call, CallError, NoInput, flow

AGENT = "+14255550142"
"""Who takes the calls of the support line; put the number of your agents' hunt group here."""


@flow("support", title="Support line")
async def support(call: Call) -> None:
    """Tells the hours, or connects an agent and ends the call when one of the two leaves; records each apart."""
    await call.record(
        consent="announce",
        announcement=call.text("recorded"),
        channel="unmixed",
        affinity={call.other_side: 0, AGENT: 1},
    )
    offers = [call.choice("hours", tone="one"), call.choice("agent", tone="two")]
    try:
        wanted = await call.ask_choice(call.text("welcome"), choices=offers, attempts=2, reprompt=call.text("again"))
    except NoInput:
        wanted = "agent"  # somebody who says nothing may need help most
    call.result(wanted)
    await (call.play(call.text("open")) if wanted == "hours" else connect(call))
    await call.terminate()


async def connect(call: Call) -> None:
    """Bring an agent in, and wait until the agent or the caller leaves."""
    await call.play(call.text("connecting"))
    try:
        await call.add_participant(AGENT, caller_id=call.callee, invitation_timeout=30)
    except CallError:
        call.result("no_agent")
        await call.play(call.text("nobody"))
    else:
        await call.race(call.left(AGENT), call.left(call.other_side))
