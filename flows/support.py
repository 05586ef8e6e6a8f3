"""The support line: answers what it can, brings in an agent, and records both for the quality report."""

from __future__ import annotations

from shared.calls import ActionFailed, ActionRefused, Call, Choice, NoInput, flow, text

AGENT = "+14255550142"
"""Who takes the calls of the support line; put the number of your agents' hunt group here."""

HOURS = Choice("hours", tone="one", phrases=("hours", "opening hours"))
PERSON = Choice("agent", tone="two", phrases=("agent", "somebody", "help"))

RECORDED = text("This call is recorded.")
WELCOME = text(
    "Thank you for calling Contoso support. For our opening hours press 1. To talk to an agent press 2, or say agent."
)
AGAIN = text("Sorry, I did not get that. Press 1 for our opening hours, or 2 for an agent.")
OPEN = text("We are here from Monday to Friday, from nine to five. Goodbye.")
CONNECTING = text("One moment, please.")
NOBODY = text("All our agents are busy. Please call again later. Goodbye.")


@flow("support")
async def support(call: Call) -> None:
    """Tells the hours, or connects an agent and ends the call when one of the two leaves; records each apart."""
    await call.record(
        consent="announce", announcement=RECORDED, channel="unmixed", affinity={call.other_side: 0, AGENT: 1}
    )
    try:
        wanted = await call.recognize(WELCOME, choices=[HOURS, PERSON], attempts=2, reprompt=AGAIN)
    except NoInput:
        await connect(call)  # somebody who says nothing may need help most
    else:
        await (call.play(OPEN) if wanted.choice == "hours" else connect(call))
    await call.terminate()


async def connect(call: Call) -> None:
    """Bring an agent in, and wait until the agent or the caller leaves."""
    await call.play(CONNECTING)
    try:
        await call.add_participant(AGENT, caller_id=call.callee, invitation_timeout=30)
    except (ActionFailed, ActionRefused):
        await call.play(NOBODY)
    else:
        await call.race(call.left(AGENT), call.left(call.other_side))
