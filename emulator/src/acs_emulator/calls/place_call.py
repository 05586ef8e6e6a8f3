"""Calls that begin: placed by the app, or by a phone from outside."""

from __future__ import annotations

import asyncio

from acs_emulator.calls.call import Call, Leg, Participant
from acs_emulator.calls.people import live_phone
from acs_emulator.calls.registry import Registry
from acs_emulator.calls.ring import CONNECT_DELAY, Ring, reach
from acs_emulator.core.identifiers import Identifier
from acs_emulator.core.outcomes import Outcome
from acs_emulator.phones.live import Person
from acs_emulator.phones.script import Step


def place_from_app(registry: Registry, leg: Leg, targets: list[Identifier], *, announced: bool) -> None:
    """Ring the targets of an app's new call; the leg connects with the first who answers."""
    call = leg.call
    call.legs.append(leg)
    call.two_party = len(targets) == 1
    call.participants.append(call.new_member(leg.identity, leg, announced=announced))
    call.note("app", "calls", ", ".join(target.value for target in targets))
    shown = leg.caller_id if leg.caller_id and targets[0].is_phone else leg.identity
    details = Ring(shown, leg.display_name or "", legs=registry.outbound.begin(leg.caller_id, call, targets))
    call.start(_ring_all(registry, call, targets, details), "outbound call")


def place_from_phone(
    registry: Registry,
    caller: Identifier,
    callee: Identifier,
    details: Ring,
    script: tuple[Step, ...],
    voice: str | None = None,
) -> Call:
    """A virtual phone calls a number or user of the app."""
    call = registry.new_call(caller)
    return _dial(registry, call, call.new_phone(caller, script, voice), callee, details)


def place_from_person(registry: Registry, person: Person, callee: Identifier) -> Call:
    """A person calls a number or user: of the app, or that of another person."""
    call = registry.new_call(person.identifier)
    person.dialled = callee
    return _dial(registry, call, live_phone(call, person), callee, Ring(person.identifier))


def _dial(registry: Registry, call: Call, phone: Participant, callee: Identifier, details: Ring) -> Call:
    phones = registry.resource.phones
    if callee.is_phone and callee.raw_id not in phones.people:
        phones.own.use(callee.value)
    call.participants.append(phone)
    call.note("phone", "calls", f"{call.caller.value} calls {callee.value}", call.caller.value)
    call.start(_ring_all(registry, call, [callee], details), "inbound call")
    return call


async def _ring_all(registry: Registry, call: Call, targets: list[Identifier], details: Ring) -> None:
    """Ring everyone at once; the call ends when nobody comes."""

    async def one(target: Identifier) -> Outcome | None:
        answer = await reach(registry, call, target, details)
        if isinstance(answer, Outcome):
            return answer
        if not call.ended:
            call.joined(answer)
        return None

    injected = next((found for leg in call.legs if (found := leg.injected("CreateCall"))), None)
    if injected is not None:
        await call.service.clock.sleep(CONNECT_DELAY)
        call.note("service", "could not connect", injected.message)
        call.end(lambda leg: injected)
        return
    results = await asyncio.gather(*(one(target) for target in targets))
    failures = [result for result in results if result is not None]
    if len(failures) == len(targets):
        failure = failures[-1]
        call.failure = failure
        call.note("service", "could not connect", failure.message)
        call.end(lambda leg: failure)
