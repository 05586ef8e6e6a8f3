"""Flows of calls that are up for most of a minute, so that whatever happens to their hosts meets them.

They use nothing that version 0.1 of the app does not know, so that a call can begin there.
"""

from __future__ import annotations

from shared.calls import Call, Choice, flow, text

LATE = "+15550100006"
"""A number that takes a call after twenty seconds."""
QUESTIONS = tuple(f"Question {number}: press 1 for yes, or 2 for no." for number in range(1, 8))
SENTENCES = tuple(
    f"This is sentence {number} of the six that we read out to you today, and like the other five of them it goes on "
    "for so long that something may well happen to the host that plays it."
    for number in range(1, 7)
)
NAPS = tuple(f"We look it up in book {number} of 4." for number in range(1, 5))
NAP_SECONDS = 9


async def ask(call: Call, question: str) -> None:
    choices = [Choice("yes", tone="one", phrases=("yes",)), Choice("no", tone="two", phrases=("no",))]
    await call.recognize(text(question), choices=choices, attempts=2)


@flow("asked all along")
async def asked_all_along(call: Call) -> None:
    """One question after the other."""
    for question in QUESTIONS:
        await ask(call, question)
    await call.play(text("You said it all. Goodbye."))
    await call.hang_up()


@flow("told all along")
async def told_all_along(call: Call) -> None:
    """One prompt after the other."""
    for sentence in SENTENCES:
        await call.play(text(sentence))
    await call.hang_up()


@flow("sleeps")
async def sleeps(call: Call) -> None:
    """Sleeps on the queue between its prompts."""
    for sentence in NAPS:
        await call.play(text(sentence))
        await call.sleep(NAP_SECONDS)
    await call.play(text("It was found. Goodbye."))
    await call.hang_up()


@flow("recorded")
async def recorded(call: Call) -> None:
    """Records its questions."""
    await call.start_recording()
    for question in QUESTIONS[:6]:
        await ask(call, question)
    await call.stop_recording()
    await call.play(text("It is recorded. Goodbye."))
    await call.hang_up()


@flow("transferred late")
async def transferred_late(call: Call) -> None:
    """Passes the caller on to somebody who takes the call late."""
    await call.play(text(SENTENCES[0]))
    await call.transfer(LATE)
