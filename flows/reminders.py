"""Reminders of appointments: confirm, cancel, or ask for another time; the same for whoever calls back."""

from __future__ import annotations

from shared.calls import Call, NoInput, Prompt, WantsPerson, flow, ssml

from .campaign_calls import (
    SILENCE,
    About,
    desk,
    is_a_person,
    no_more_calls,
    say_result,
    to_a_person,
    who_calls_back,
)


@flow("reminders", title="Reminders of appointments", use="reminders", input=About)
async def reminders(call: Call[About]) -> None:
    """Says who calls, tells a person from a mailbox, then tells of the appointment and asks what to do with it."""
    about = call.input if call.direction == "outbound" else await who_calls_back(call)
    try:
        if call.direction == "outbound":
            there = await is_a_person(call, about)
            if there == "no_more":
                await no_more_calls(call, about)
            if there != "person":
                return
        if about.appointment is None or not await call.run(
            desk().still_counts, about.campaign, about.person, about.appointment
        ):
            await nothing_to_say(call, about)
            return
        await menu(call, about, about.appointment)
    except WantsPerson:
        await to_a_person(call, about)


async def menu(call: Call[About], about: About, appointment: str) -> None:
    """Tell of the appointment, and take what they want."""
    offers = [
        call.choice("confirmed", tone="one"),
        call.choice("cancelled", tone="two"),
        call.choice("wants_another_time", tone="three"),
        call.choice("no_more", tone="nine"),
    ]
    said = call.text("appointment", **moment(appointment))
    told = spoken(said.text, said.voice_name or "")
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
        return
    if wanted == "no_more":
        await no_more_calls(call, about)
        return
    await say_result(call, about, wanted)
    await call.play(call.text(wanted))


async def nothing_to_say(call: Call[About], about: About) -> None:
    """There is no appointment that could still be spoken of."""
    if call.direction == "outbound":
        call.result("too_late")
        await call.play(call.text("changed"))
        return
    offers = [call.choice("no_more", tone="nine")]
    try:
        await call.ask_choice(
            call.text("nothing", company=about.company), choices=offers, repeat="*", person="0", initial_silence=SILENCE
        )
    except NoInput:
        await call.play(call.text("goodbye"))
    else:
        await no_more_calls(call, about)


def moment(appointment: str) -> dict[str, str]:
    """Date and time as SSML, which is spoken in the language of the voice."""
    day, _, clock = appointment.partition("T")
    return {
        "date": f'<say-as interpret-as="date" format="ymd">{day}</say-as>',
        "time": f'<say-as interpret-as="time" format="hms24">{clock[:5]}</say-as>',
    }


def spoken(text: str, voice: str) -> Prompt:
    """A text with SSML in it."""
    language = "-".join(voice.split("-")[:2])
    return ssml(
        f'<speak version="1.0" xmlns="http://www.w3.org/2001/10/synthesis" xml:lang="{language}">'
        f'<voice name="{voice}">{text}</voice></speak>'
    )
