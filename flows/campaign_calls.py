"""What calls of campaigns have in common: who calls, a mailbox or a person, a person of ours, no further calls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from shared.calls import ActionFailed, ActionRefused, Call, NoInput, Prompt, TimedOut, Tone
from shared.use_cases import service

if TYPE_CHECKING:
    from shared.outreach.on_call import OnCall

SILENCE = 8
"""Seconds in which somebody may make up their mind, and a mailbox says its greeting."""


class About(BaseModel):
    """What a call of a campaign is about; whoever calls back brings nothing.

    Attributes:
        attempt, campaign, person: ids, by which the campaign knows what came of the call.
        agent: the number of those who take whoever asks for a person; empty: nobody does at once.
        message: whether a mailbox may get a message: each person gets one.
        appointment: by the clock of the company, with its offset.
        details: the columns that the campaign keeps.
    """

    attempt: str = ""
    campaign: str = ""
    person: str = ""
    purpose: str = "service"
    company: str = ""
    agent: str = ""
    language: str = ""
    message: bool = False
    appointment: str | None = None
    details: dict[str, str] = {}


def desk() -> OnCall:
    """The campaigns, as calls ask them."""
    on_call: OnCall = service("outreach").on_call
    return on_call


async def who_calls_back(call: Call[About]) -> About:
    """What somebody is called about who calls us; the language of the call is theirs from here on."""
    about = About(**await call.run(desk().who_calls_back, call.other_side.raw_id))
    if about.language:
        call.language = about.language
    return about


async def is_a_person(call: Call[About], about: About) -> str:
    """Say who calls, and ask for a key: `person`, `no_more`, or `mailbox`, which has got its message."""
    asked = call.text("hello", company=about.company)
    try:
        key = await call.ask_digits(asked, max_tones=1, repeat="*", person="0", initial_silence=SILENCE)
    except NoInput:
        if about.message:
            await call.play(call.text("voicemail", company=about.company))
        return "mailbox"
    return "no_more" if key == "9" else "person"


async def ask_what_they_want(call: Call[About], about: About, told: Prompt, results: Mapping[str, Tone]) -> str:
    """Say what the call is about and ask: one of the results; empty: they say nothing, or want no calls, and we have
    said goodbye.

    Args:
        results: what they may want, each with its key; 9 is offered beside them.
    """
    offers = [call.choice(result, tone=tone) for result, tone in results.items()]
    offers.append(call.choice("no_more", tone="nine"))
    try:
        wanted = await call.ask_choice(
            told,
            call.text("menu"),
            choices=offers,
            repeat="*",
            person="0",
            attempts=2,
            initial_silence=SILENCE,
        )
    except NoInput:
        await call.play(call.text("goodbye"))
        return ""
    if wanted == "no_more":
        await no_more_calls(call, about)
        return ""
    return wanted


async def thank(call: Call[About], about: About, wanted: str) -> None:
    """Keep what they want, and say so."""
    await say_result(call, about, wanted)
    await call.play(call.text(wanted))


async def say_result(call: Call[About], about: About, result: str) -> None:
    """Say what somebody wants: a campaign hears of its own calls when they end, and of others at once."""
    call.result(result)
    if call.direction == "inbound" and about.person:
        await call.run(desk().answer, about.campaign, about.person, result)


async def no_more_calls(call: Call[About], about: About) -> None:
    """Nobody calls them any more."""
    call.result("opted_out")
    if call.direction == "inbound":
        known: dict[str, Any] = {"campaign": about.campaign, "person": about.person} if about.person else {}
        await call.run(desk().no_more_calls, call.other_side.raw_id, known)
    await call.play(call.text("no_more"))


async def to_a_person(call: Call[About], about: About) -> None:
    """Put them through, or promise a call."""
    await say_result(call, about, "wants_person")
    if about.agent:
        await call.play(call.text("connecting"))
        try:
            await call.transfer(about.agent)
            return
        except (ActionFailed, ActionRefused, TimedOut):
            pass
    await call.play(call.text("nobody"))
