"""Calls that begin: placed by the app, or by a phone from outside."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from acs_emulator.calls import Call, Participant
from acs_emulator.identifiers import Identifier
from acs_emulator.outcomes import Outcome
from acs_emulator.phones.line import Line
from acs_emulator.phones.script import Step
from acs_emulator.ringing import CONNECT_DELAY, Ring, ring

if TYPE_CHECKING:
    from acs_emulator.legs import Leg
    from acs_emulator.service import Emulator


def new_call(service: Emulator, caller: Identifier) -> Call:
    """A call that nobody is in yet."""
    ids = service.ids
    call = Call(service, ids.guid(), ids.server_call(), ids.guid(), caller, service.clock.now())
    service.calls[call.id] = call
    return call


def place_from_app(service: Emulator, leg: Leg, targets: list[Identifier], *, announced: bool) -> None:
    """Ring the targets of an app's new call; the leg connects with the first who answers."""
    call = leg.call
    call.legs.append(leg)
    call.two_party = len(targets) == 1
    call.participants.append(Participant(leg.identity, leg, participant_id=service.ids.guid(), announced=announced))
    call.note("app", "calls", ", ".join(target.value for target in targets))
    shown = leg.caller_id if leg.caller_id and targets[0].is_phone else leg.identity
    details = Ring(shown, leg.display_name or "")
    _start(call, _ring_all(service, call, targets, details), "outbound call")


def place_from_phone(
    service: Emulator,
    caller: Identifier,
    callee: Identifier,
    details: Ring,
    script: tuple[Step, ...],
    voice: str | None = None,
) -> Call:
    """A virtual phone calls a number or user of the app."""
    if callee.is_phone:
        service.phones.owned.add(callee.value)
    call = new_call(service, caller)
    line = Line(call, caller, script, voice)
    call.lines.append(line)
    call.participants.append(Participant(caller, line, participant_id=service.ids.guid(), announced=caller.is_user))
    call.note("phone", "calls", f"{caller.value} calls {callee.value}")
    _start(call, _ring_all(service, call, [callee], details), "inbound call")
    return call


def _start(call: Call, work: Coroutine[Any, Any, None], name: str) -> None:
    task = call.service.tasks.start(work, name)
    call.ringing.add(task)
    task.add_done_callback(call.ringing.discard)


async def _ring_all(service: Emulator, call: Call, targets: list[Identifier], details: Ring) -> None:
    """Ring everyone at once; the call ends when nobody comes."""

    async def one(target: Identifier) -> Outcome | None:
        answer = await ring(service, call, target, details)
        if isinstance(answer, Outcome):
            return answer
        if isinstance(answer.endpoint, Line):
            await service.clock.sleep(CONNECT_DELAY)
        if not call.ended:
            call.joined(answer)
        return None

    injected = next((found for leg in call.legs if (found := leg.injected("CreateCall"))), None)
    if injected is not None:
        await service.clock.sleep(CONNECT_DELAY)
        call.note("service", "could not connect", injected.message)
        call.end(lambda leg: injected)
        return
    results = await asyncio.gather(*(one(target) for target in targets))
    failures = [result for result in results if result is not None]
    if len(failures) == len(targets):
        failure = failures[-1]
        call.note("service", "could not connect", failure.message)
        call.end(lambda leg: failure)
