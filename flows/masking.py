"""Masked numbers: puts each of two people through to the other, and shows neither the other's number.

Who calls a number of the app is known by their own number, or by a PIN. The other one's telephone rings for 20 seconds
and shows the app's number; they hear what it is about before the two hear each other. docs/masking.md says more.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from shared.calls import ActionFailed, Braked, Call, CallError, NoInput, RunFailed, flow
from shared.use_cases import service

if TYPE_CHECKING:
    from shared.masking.service import Masking, Way

RING_SECONDS = 20
"""How long the other one's telephone rings: most mailboxes take a call later, and a mailbox says its owner's name."""
LINE_WAITS = (5.0, 5.0)
"""Seconds between the tries where no slot of the app's number is free."""
PIN_TRIES = 3
MOVE_SECONDS = 5
"""How long somebody may take to show in the call that they were moved to."""
KNOWN_ENDS = ("busy", "declined", "no_answer", "unreachable")
"""Ends of a ringing that callers of the API can tell apart; any other is `failed`."""


@flow("masking", title="Masked numbers", use="masking")
async def masking(call: Call) -> None:
    """Finds whom the caller means, rings them under the app's number, and joins the two."""
    masked: Masking = service("masking")
    number = (call.callee.phone_number if call.callee else None) or ""
    way = await call.run(masked.look_up, number, caller_number(call))
    by_pin = way["state"] == "unknown"
    if by_pin:
        way = await ask_pin(call, masked, number) or way
    if way["language"]:
        call.language = way["language"]
    if way["state"] != "open":
        call.result(way["state"], **({"session": way["session"], "by": way["side"]} if way["session"] else {}))
        await call.play(call.text(way["state"]))
        await call.hang_up()
        return
    about = {"session": way["session"], "by": way["side"], "by_pin": by_pin}
    call.result("caller_left", **about)
    caller = call.other_side.raw_id
    try:
        calling = await call.run(masked.begin, way["session"], way["side"], call.id, call.connection_id, caller)
    except RunFailed:
        calling = []
    if calling and await brought_here(call, way, *calling):
        other = calling[0]
    elif await ring(call, way, about):
        other = way["number"]
    else:
        await call.terminate()
        return
    call.result("connected", connected_at=round(call.now.timestamp() * 1000), **about)
    with suppress(RunFailed):  # the two talk already
        await call.run(masked.answered, way["session"], call.id)
    await call.race(call.left(caller), call.left(other))
    await call.terminate()


def caller_number(call: Call) -> str:
    """The caller's number; empty where it is withheld, and for who is on no telephone."""
    caller = call.caller
    return "" if caller is None or caller.is_anonymous else caller.phone_number or ""


async def ask_pin(call: Call, masked: Masking, number: str) -> Way | None:
    """Ask a stranger for the PIN of a session, three times at most; `*` repeats the question."""
    if not await call.run(masked.may_guess, number):
        return None
    for attempt in range(PIN_TRIES):
        try:
            pin = await call.ask_digits(
                call.text("wrong_pin" if attempt else "pin"),
                min_tones=6,
                max_tones=6,
                inter_tone=5,
                initial_silence=8,
                repeat="*",
                secret=masked.keeps_secrets,
            )
        except NoInput:
            break
        way = await call.run(masked.look_up_pin, number, pin, f"{call.id}.{attempt}")
        if way["state"] == "open":
            return way
    return None


async def brought_here(call: Call, way: Way, other: str, connection: str) -> bool:
    """Take the other one out of the call in which they are ringing this caller; whether they are here now."""
    try:
        await call.move_participants([other], from_call=connection)
    except CallError:
        return False
    if not await arrived(call, other):
        return False
    if way["record"] and await call.may_record():
        sides = (call.other_side.raw_id, way["language"]), (other, way["other_language"])
        try:
            for who, language in sides:
                await call.play(call.text_in(language or call.language, "recorded"), to=[who])
        except CallError:
            return True  # who has not heard it is not recorded
        await call.start_recording(channel="unmixed")
    return True


async def arrived(call: Call, who: str) -> bool:
    """Wait until somebody who was moved here shows among the participants, which is reported a moment later."""
    for _ in range(MOVE_SECONDS):
        if any(who in (one.identifier.raw_id, one.identifier.key) for one in call.participants):
            return True
        await call.sleep(1)
    return False


async def ring(call: Call, way: Way, about: dict[str, Any]) -> bool:
    """Ring the other one; whether the two can talk. If not, the caller has heard why.

    The caller waits on hold, so that they do not hear what the other one, or a mailbox, says first.
    """
    records = way["record"] and await call.may_record(way["number"])
    said = [call.text("recorded")] if records else []
    await call.play(*said, call.text("ringing"))
    caller = call.other_side.raw_id
    waits = way["screen"] != "none" or records
    if waits:
        await call.hold(caller)
    failed = await reach(call, way, announce=records)
    if call.left(caller).done:
        return False
    if waits:
        await call.unhold(caller)
    if not failed:
        if records:
            await call.start_recording(channel="unmixed")
        return True
    call.result(failed, **about)
    await call.play(call.text("no_line" if failed == "no_line" else "not_reached"))
    return False


async def reach(call: Call, way: Way, *, announce: bool) -> str:
    """Bring the other one in and let them know what it is about; empty, or why they are not there."""
    other = way["number"]
    for pause in (*LINE_WAITS, None):
        try:
            invited = call.add_participant(other, caller_id=way["shows"], invitation_timeout=RING_SECONDS)
            await call.race(invited, call.left(call.other_side))
            if not invited.done:
                await call.cancel(invited)
                return "caller_left"
            await invited
            break
        except Braked as error:
            if error.code != "no_free_slot" or pause is None:
                call.log("not called", code=error.code)
                return "no_line" if error.code == "no_free_slot" else "failed"
            await call.sleep(pause)
        except ActionFailed as error:
            return error.outcome if error.outcome in KNOWN_ENDS else "failed"
        except CallError:
            return "failed"
    language = call.language
    if way["other_language"]:
        call.language = way["other_language"]
    accepted = await screened(call, way, announce=announce)
    call.language = language
    return "" if accepted else "not_accepted"


async def screened(call: Call, way: Way, *, announce: bool) -> bool:
    """Tell the one who was called what it is about, and with `key` ask them to press 1; whether they stay."""
    other = way["number"]
    about = [call.text("about", label=way["label"]) if way["label"] else call.text("about_nothing")]
    recorded = [call.text("recorded")] if announce else []
    try:
        if way["screen"] == "key":
            await call.ask_choice(
                *about,
                *recorded,
                call.text("accept"),
                choices=[call.choice("accept", tone="one")],
                participant=other,
                attempts=2,
                initial_silence=8,
                repeat="*",
            )
        elif said := [*(about if way["screen"] == "whisper" else []), *recorded]:
            await call.play(*said, to=[other])
    except CallError:
        # Who has not pressed 1 is not put through, nor who has not heard that it is recorded.
        if way["screen"] == "key" or announce:
            await remove(call, other)
            return False
    return True


async def remove(call: Call, other: str) -> None:
    """Take the one who was called out again; they may have hung up already."""
    try:
        await call.remove_participant(other)
    except CallError:
        call.log("had left already")
