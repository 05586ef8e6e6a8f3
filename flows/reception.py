"""The front desk: greets a caller, asks what the call is about, confirms, hangs up."""

from __future__ import annotations

from shared.calls import Call, Choice, NoInput, flow, text

SALES = Choice("sales", tone="one", phrases=("sales", "buy something"))
SUPPORT = Choice("support", tone="two", phrases=("support", "help"))

WELCOME = text("Welcome to Contoso. For sales press 1, or say sales. For support press 2, or say support.")
AGAIN = text("Sorry, I did not get that. Press 1 for sales, or 2 for support.")
CONFIRMED = {
    "sales": text("Thank you. Our sales team will call you back within the hour. Goodbye."),
    "support": text("Thank you. Our support team will call you back within the hour. Goodbye."),
}
NOBODY = text("We could not hear you. Please call again. Goodbye.")


@flow("reception")
async def reception(call: Call) -> None:
    """Offers sales and support by key or by voice, asks up to three times, and confirms the choice."""
    try:
        answer = await call.recognize(WELCOME, choices=[SALES, SUPPORT], attempts=3, reprompt=AGAIN)
    except NoInput:
        await call.play(NOBODY)
    else:
        await call.play(CONFIRMED[answer.choice or "support"])
    await call.hang_up()
