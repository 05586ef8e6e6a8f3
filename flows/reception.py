"""The front desk: greets a caller, asks what the call is about, confirms, hangs up. Its texts stand beside it."""

from __future__ import annotations

from shared.calls import Call, NoInput, flow


@flow("reception", title="Front desk")
async def reception(call: Call) -> None:
    """Offers sales and support by key or by voice, asks up to three times, and confirms the choice."""
    teams = [call.choice("sales", tone="one"), call.choice("support", tone="two")]
    try:
        team = await call.ask_choice(call.text("welcome"), choices=teams, attempts=3, reprompt=call.text("again"))
    except NoInput:
        call.result("no_answer")
        await call.play(call.text("nobody"))
    else:
        call.result("call_back", team=team)
        await call.play(call.text(team))
    await call.hang_up()
