"""Calls somebody who asked the contact centre for a call, and connects the two."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, Field

from shared.calls import ActionFailed, ActionRefused, Call, NoInput, TimedOut, WantsPerson, flow
from shared.use_cases import service

if TYPE_CHECKING:
    from shared.handoff.service import Handoff

SILENCE = 8
"""Seconds to think before a key or a word."""


class Wanted(BaseModel):
    """Whose call back it is."""

    case: str = Field(pattern="^[0-9a-f]{40}$")


@flow("handoff-call-back", title="Call back", input=Wanted, opens=True, use="handoff")
async def call_back(call: Call[Wanted]) -> None:
    """Says who calls; whoever presses 1 goes to the contact centre with their case, whoever presses 9 is left alone."""
    desk: Handoff = service("handoff")
    case = call.input.case
    wanted = await call.run(desk.calling, case, call.id)
    if not wanted:
        call.result("not_wanted")
        return
    call.language = wanted["language"] or call.language
    way = await call.run(desk.way)
    if "to" not in way:
        call.result("closed")
        return
    await call.create_call(wanted["number"], caller_id=wanted["line"])
    try:
        answer = await call.ask_choice(
            call.text("called"),
            choices=[call.choice("connect", tone="one"), call.choice("cancel", tone="nine")],
            attempts=2,
            initial_silence=SILENCE,
            interrupt_prompt=False,  # a mailbox speaks, and is no answer
            repeat=call.choice("repeat", tone="asterisk"),
            person=call.choice("person", tone="zero"),
        )
    except WantsPerson:
        answer = "connect"
    except NoInput:
        call.result("no_key")
        if wanted["attempt"] == "1":  # a mailbox gets one message
            await call.play(call.text("nobody_there"))
        return
    if answer == "cancel":
        await call.run(desk.withdraw, case)
        call.result("withdrawn")
        await call.play(call.text("cancelled"))
        return
    await call.play(call.text("connecting"))
    call.result("connected")
    try:
        await call.transfer(way["to"], sip_headers={"X-MS-Custom-Case": case}, user_to_user=f"{case};encoding=hex")
    except (ActionFailed, ActionRefused, TimedOut):
        call.result("not_answered")
        await call.play(call.text("not_answered"))
