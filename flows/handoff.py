"""The contact centre's front door: answers what it can, hands the caller over with a case, and leaves nobody behind."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from shared.calls import (
    ActionFailed,
    ActionRefused,
    Call,
    Choice,
    NoInput,
    Prompt,
    RunFailed,
    TimedOut,
    WantsPerson,
    flow,
)
from shared.use_cases import service

if TYPE_CHECKING:
    from shared.calls import Tone
    from shared.handoff.service import Handoff

CASE_HEADER = "X-MS-Custom-Case"
"""What the contact centre reads the case by: GET /api/cases/{id}."""
KEYS: Mapping[str, Tone] = {"hours": "one", "message": "one", "call_back": "two", "language": "five"}
OTHER_LANGUAGE = {"en": "de", "de": "en"}
ROUNDS = 4
"""How often a caller may come back to a question."""
MESSAGE_SECONDS = 120
SILENCE = 8
"""Seconds to think before a key or a word."""


@flow("handoff", title="Contact centre", use="handoff")
async def handoff(call: Call) -> None:
    """Tells the hours or arranges a call; everybody else goes to the contact centre, and is back if nobody is there."""
    desk: Handoff = service("handoff")
    call.result("left")
    came = (raw_id(call.caller), raw_id(call.callee), call.language, dict(call.context))
    begun = await if_possible(call, desk.begin, call.id, *came) or {}
    case, calls_back = begun.get("case", ""), bool(begun.get("calls_back"))
    wish = await self_service(call, desk, calls_back)
    if wish == "person":
        await reason_of(call, desk, case, begun.get("customer", ""))
    for count in range(1, ROUNDS + 1):
        try:
            if wish == "person":
                wish = await contact_centre(call, desk, case, count, calls_back)
            elif wish == "call_back":
                wish = await call_back(call, desk, case)
            else:
                break
        except WantsPerson:  # 0, in any question
            wish = "person"
    if wish != "done":
        await message(call, desk, case)


async def self_service(call: Call, desk: Handoff, calls_back: bool) -> str:
    """The first menu, in both languages until one is chosen; gives `person` or `call_back`."""
    menu = "menu" if calls_back else "menu_without_call_back"
    offers = ["hours", "call_back"] if calls_back else ["hours"]
    words: list[Prompt] = [
        call.text("welcome"),
        call.text_in(OTHER_LANGUAGE[call.language], "in_this_language"),
        call.text(menu),
    ]
    for _ in range(ROUNDS):
        try:
            wish = await ask(call, words, [call.choice(one, tone=KEYS[one]) for one in [*offers, "language"]])
        except (NoInput, WantsPerson):
            return "person"  # somebody who says nothing may need help most
        if wish == "call_back":
            return wish
        if wish == "language":
            call.language = OTHER_LANGUAGE[call.language]
            words = [call.text(menu)]
        else:
            way = await if_possible(call, desk.way) or {}
            words = [closed(call, way) if "why" in way else call.text("open"), call.text(menu)]
    return "person"


async def reason_of(call: Call, desk: Handoff, case: str, customer: str) -> None:
    """Ask what it is about, and for the customer's number if it did not come with the call; 0 leads on at once."""
    said = keyed = ""
    with suppress(WantsPerson):
        with suppress(NoInput):
            said = await call.ask_speech(
                call.text("reason"), end_silence=1.0, initial_silence=SILENCE, repeat="*", person="0"
            )
        if not customer:
            with suppress(NoInput):
                keyed = await ask_digits(call, "customer", 12, attempts=1)
    await if_possible(call, desk.tell, case, said, keyed, call.language)


async def contact_centre(call: Call, desk: Handoff, case: str, count: int, calls_back: bool) -> str:
    """Hand the caller over. Whoever is not taken is back, and chooses: gives `call_back`, `message`, `done`."""
    way = await if_possible(call, desk.way) or {"why": "not_set_up"}
    why = way.get("why") or await transfer(call, way["to"], case)
    if not why:
        return "done"
    await if_possible(call, desk.not_taken, case, count, why)
    sorry = closed(call, way) if why == "closed" else call.text("not_answered")
    otherwise = "otherwise" if calls_back else "otherwise_without_call_back"
    offers = ["message", "call_back"] if calls_back else ["message"]
    try:
        return await ask(call, [sorry, call.text(otherwise)], [call.choice(one, tone=KEYS[one]) for one in offers])
    except NoInput:
        return "message"


async def transfer(call: Call, to: str, case: str) -> str:
    """Transfer the caller with the case; empty: the contact centre has them."""
    await call.play(call.text("connecting"))
    headers = {CASE_HEADER: case} if case else None
    try:
        await call.transfer(to, sip_headers=headers, user_to_user=f"{case};encoding=hex" if case else None)
    except (ActionFailed, ActionRefused, TimedOut) as error:
        call.log("the contact centre has not taken the caller", error=type(error).__name__)
        return "not_answered"
    call.result("handed_off", case=case)
    return ""


async def call_back(call: Call, desk: Handoff, case: str) -> str:
    """Agree on whom to call, and when: gives `done`, or `message` where that is not possible. WantsPerson."""
    line, whom = raw_id(call.callee), raw_id(call.caller)
    try:
        if not await if_possible(call, desk.can_call, whom, line):
            whom = await other_number(call, desk, line)
        at = await time_of(call, desk) if whom else ""
    except NoInput:
        at = ""
    if not at or not await if_possible(call, desk.call_back, case, whom.removeprefix("4:"), at):
        await call.play(call.text("no_call_back"))
        return "message"
    call.result("call_back", case=case)
    await call.play(call.text("agreed"))
    return "done"


async def other_number(call: Call, desk: Handoff, line: str) -> str:
    """Have a number keyed in, and read it back; empty: none that can be called."""
    for _ in range(ROUNDS):
        digits = (await ask_digits(call, "which_number", 17, attempts=2)).lstrip("0")
        if not await if_possible(call, desk.can_call, f"+{digits}", line):
            await call.play(call.text("not_this_number"))
        elif await is_right(call, call.text("is_it", number=digits)):
            return f"+{digits}"
    return ""


async def time_of(call: Call, desk: Handoff) -> str:
    """When to call, as the caller has confirmed it; empty: never."""
    wish = await ask(call, [call.text("when")], [call.choice("soon", tone="one"), call.choice("later", tone="two")])
    for _ in range(ROUNDS):
        digits = "" if wish == "soon" else await ask_digits(call, "which_time", 4, attempts=2)
        found = await if_possible(call, desk.moment, digits)
        if not found:
            await call.play(call.text("not_this_time"))
        elif await is_right(call, call.text("suits", day=found["day"], time=found["time"])):
            return str(found["at"])
        wish = "later"
    return ""


async def message(call: Call, desk: Handoff, case: str) -> None:
    """Record what the caller says: until a key, for two minutes at most, or to the end of the call."""
    recording = await call.record(
        consent="announce" if case else "off", announcement=call.text("message"), channel="mixed"
    )
    if not recording.on:
        await call.play(call.text("no_message"))
        return
    await if_possible(call, desk.message_begins, case, recording.recording_id)
    call.result("message", case=case)
    await call.start_continuous_dtmf()
    with suppress(TimedOut):
        await call.wait(call.next_tone(), seconds=MESSAGE_SECONDS)
    await if_possible(call, desk.message_ends, case)
    await call.stop_recording()
    await call.play(call.text("thanks"))


# What all of them need


async def ask(call: Call, words: Sequence[Prompt], choices: Sequence[Choice]) -> str:
    """A question by voice or key; star repeats it. NoInput, and WantsPerson for a 0."""
    return await call.ask_choice(
        *words,
        choices=choices,
        attempts=2,
        initial_silence=SILENCE,
        repeat=call.choice("repeat", tone="asterisk"),
        person=call.choice("person", tone="zero"),
    )


async def ask_digits(call: Call, name: str, most: int, attempts: int) -> str:
    """A question for digits, which pound ends; star repeats it. NoInput, and WantsPerson for a 0 alone."""
    return await call.ask_digits(
        call.text(name),
        max_tones=most,
        stop_tones=["pound"],
        attempts=attempts,
        initial_silence=SILENCE,
        repeat="*",
        person="0",
    )


async def is_right(call: Call, words: Prompt) -> bool:
    """Whether the caller agrees."""
    return await ask(call, [words], [call.choice("yes", tone="one"), call.choice("other", tone="two")]) == "yes"


async def if_possible(call: Call, function: Callable[..., Any], *given: Any) -> Any:
    """What a function of the hand-off gives, or None where it cannot now: the caller is helped all the same."""
    try:
        return await call.run(function, *given)
    except RunFailed as error:
        call.log("a step of the hand-off failed", step=function.__name__, error=error.code)
        return None


def closed(call: Call, way: Mapping[str, str]) -> Prompt:
    """That the contact centre is closed, and until when."""
    return call.text("opens", day=way["day"], time=way["time"]) if "day" in way else call.text("closed")


def raw_id(who: Any) -> str:
    """The raw id of somebody; empty for nobody."""
    return "" if who is None else str(who.raw_id)
