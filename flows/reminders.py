"""Reminders of appointments: confirm, cancel, or ask for another time; the same for whoever calls back."""

from __future__ import annotations

from shared.calls import Call, NoInput, Tone, WantsPerson, flow

from .campaign_calls import (
    SILENCE,
    About,
    ask_what_they_want,
    desk,
    is_a_person,
    no_more_calls,
    say_result,
    thank,
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
    day, _, clock = appointment.partition("T")
    told = call.text("appointment", date=day, time=clock[:5])
    results: dict[str, Tone] = {"confirmed": "one", "cancelled": "two", "wants_another_time": "three"}
    wanted = await ask_what_they_want(call, about, told, results)
    if not wanted:
        return
    if wanted == "wants_another_time" and await another_time(call, about, appointment):
        return
    await thank(call, about, wanted)


async def another_time(call: Call[About], about: About, appointment: str) -> bool:
    """Offer the times that the firm's calendar holds for them; whether they have one of them now.

    Without such a calendar, where nothing suits, or where somebody else was quicker, we call them about it.
    """
    times = await call.run(desk().other_times, call.id, about.campaign, about.person)
    if not times:
        return False
    offers = [
        call.choice("first", tone="one"),
        call.choice("second", tone="two"),
        call.choice("third", tone="three"),
    ][: len(times)]
    told = [
        call.text(one.label, date=time["at"][:10], time=time["at"][11:16])
        for one, time in zip(offers, times, strict=True)
    ]
    try:
        wanted = await call.ask_choice(
            *told,
            call.text("none_suits"),
            choices=[*offers, call.choice("none_suits", tone="four")],
            repeat="*",
            person="0",
            attempts=2,
            initial_silence=SILENCE,
        )
    except NoInput:
        wanted = "none_suits"
    if wanted == "none_suits":
        await call.run(desk().release, call.id)
        return False
    time = times[[one.label for one in offers].index(wanted)]
    if not await call.run(desk().book, call.id, about.campaign, about.person, appointment, time):
        return False
    await say_result(call, about, "rescheduled")
    await call.play(call.text("rescheduled", date=time["at"][:10], time=time["at"][11:16]))
    return True


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
