"""The resource's own numbers, and how many calls each may place at once."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from acs_emulator.core.config import ConfigError, parse_config
from acs_emulator.testing import AsyncControl, ControlError, Running, running_async
from emulator.tests.support import CALLER, SPEED, Application, Wire
from emulator.tests.test_people import dial, phone

OWN, OTHER = "+18005550199", "+18005550177"
LISTENS, SLOW, DECLINES = "+12065550101", "+12065550106", "+12065550102"


async def settled(control: AsyncControl, count: int) -> None:
    """Wait until the number has so many calls."""
    async with asyncio.timeout(15):
        while (await control.state())["numbers"][0]["outboundCalls"] != count:
            await asyncio.sleep(0.02)


async def test_a_declared_number_places_two_calls_at_once_and_no_third(
    wire: Wire, application: Application, emulator: Running[AsyncControl]
) -> None:
    assert await emulator.control.declare_number(OWN) == {"number": OWN, "limit": 2, "name": ""}
    made = [await dial(wire, application, number, own=OWN) for number in (LISTENS, SLOW)]
    assert [status for status, _ in made] == [201, 201]
    status, refused = await dial(wire, application, CALLER, own=OWN)
    assert (status, refused["error"]["code"], refused["error"]["target"]) == (429, "8530", "sourceCallerIdNumber")
    assert OWN in refused["error"]["message"]
    assert (await dial(wire, application, CALLER, own=OTHER))[0] == 201, "a number that was not declared is not counted"
    await wire.send("DELETE", f"/calling/callConnections/{made[0][1]['callConnectionId']}")
    await settled(emulator.control, 1)
    assert (await dial(wire, application, CALLER, own=OWN))[0] == 201


async def test_each_telephone_counts_by_itself_and_those_that_do_not_come_no_longer(
    wire: Wire, application: Application, emulator: Running[AsyncControl]
) -> None:
    await emulator.control.declare_number(OWN)
    assert (await dial(wire, application, LISTENS, SLOW, CALLER, own=OWN))[0] == 429
    status, call = await dial(wire, application, LISTENS, DECLINES, own=OWN)
    assert status == 201
    await settled(emulator.control, 1)
    leg = call["callConnectionId"]
    await application.event("CallConnected", leg)
    add = {"participantToAdd": phone(CALLER), "sourceCallerIdNumber": {"value": OWN}}
    path = f"/calling/callConnections/{leg}"
    assert (await wire.send("POST", f"{path}/participants:add", add))[0] == 202
    await application.event("AddParticipantSucceeded", leg)
    refused = await wire.send("POST", f"{path}/participants:add", {**add, "participantToAdd": phone(SLOW)})
    assert (refused[0], refused[1]["error"]["code"]) == (429, "8530")
    await wire.send("POST", f"{path}/participants:remove", {"participantToRemove": phone(CALLER)})
    await settled(emulator.control, 1)
    _, invited, _ = await wire.send("POST", f"{path}/participants:add", {**add, "participantToAdd": phone(SLOW)})
    await settled(emulator.control, 2)
    cancel = {"invitationId": invited["invitationId"]}
    await wire.send("POST", f"{path}/participants:cancelAddParticipant", cancel)
    await settled(emulator.control, 1)
    await wire.send("POST", f"{path}:terminate")
    await settled(emulator.control, 0)


async def test_a_leg_that_a_fault_fails_counts_no_longer(
    wire: Wire, application: Application, emulator: Running[AsyncControl]
) -> None:
    await emulator.control.declare_number(OWN)
    await emulator.control.add_faults(
        {"kind": "fail", "match": {"operation": "AddParticipant"}},
        {"kind": "fail", "count": 1, "match": {"operation": "CreateCall"}},
    )
    await dial(wire, application, LISTENS, own=OWN)
    await settled(emulator.control, 0)
    _, call = await dial(wire, application, LISTENS, own=OWN)
    leg = call["callConnectionId"]
    await application.event("CallConnected", leg)
    add = {"participantToAdd": phone(CALLER), "sourceCallerIdNumber": {"value": OWN}}
    assert (await wire.send("POST", f"/calling/callConnections/{leg}/participants:add", add))[0] == 202
    await application.event("AddParticipantFailed", leg)
    await settled(emulator.control, 1)


async def test_users_and_calls_from_outside_do_not_count(
    application: Application, emulator: Running[AsyncControl]
) -> None:
    await emulator.control.declare_number(OWN, limit=0)
    await emulator.control.place_call(CALLER, OWN)
    await application.incoming()
    assert (await emulator.control.state())["numbers"] == [{"number": OWN, "outboundCalls": 0, "limit": 0, "name": ""}]


async def test_a_declared_number_rings_the_app_and_can_be_withdrawn(
    wire: Wire, application: Application, emulator: Running[AsyncControl]
) -> None:
    await emulator.control.declare_number(OWN)
    await dial(wire, application, OWN, own=OTHER)
    assert (await application.incoming())["to"]["rawId"] == f"4:{OWN}"
    assert OWN in (await emulator.control.state())["ownedNumbers"]
    assert await emulator.control.request("DELETE", f"/emulator/numbers/{OWN}") == {"numbers": []}
    with pytest.raises(ControlError) as refused:
        await emulator.control.request("DELETE", f"/emulator/numbers/{OWN}")
    assert refused.value.status == 404


async def test_a_line_has_the_name_that_it_was_declared_with(emulator: Running[AsyncControl]) -> None:
    made = await emulator.control.declare_number(OWN, limit=9, name="Support")
    assert made == {"number": OWN, "limit": 9, "name": "Support"}
    assert (await emulator.control.state())["numbers"] == [
        {"number": OWN, "outboundCalls": 0, "limit": 9, "name": "Support"}
    ]
    await emulator.control.declare_number(OWN)
    assert (await emulator.control.state())["numbers"][0]["name"] == ""


async def test_a_reset_keeps_the_numbers_of_the_start_alone(application: Application) -> None:
    async with running_async(speed=SPEED, numbers=((OWN, 5),)) as emulator:
        await emulator.control.declare_number(OTHER)
        await emulator.control.reset()
        numbers = await emulator.control.request("GET", "/emulator/numbers")
    assert numbers == {"numbers": [{"number": OWN, "outboundCalls": 0, "limit": 5, "name": ""}]}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"number": "0800"}, "number"),
        ({}, "number"),
        ({"number": OWN, "limit": -1}, "limit"),
        ({"number": OWN, "limit": True}, "limit"),
        ({"number": OWN, "limit": 1.5}, "limit"),
        ({"number": OWN, "quota": 1}, "quota"),
        ({"number": OWN, "name": 7}, "name"),
        ({"number": OWN, "name": "two\nlines"}, "name"),
        ({"number": OWN, "name": "x" * 41}, "name"),
    ],
)
async def test_a_number_that_cannot_be_is_refused_by_field(
    emulator: Running[AsyncControl], body: dict[str, Any], field: str
) -> None:
    with pytest.raises(ControlError) as refused:
        await emulator.control.request("POST", "/emulator/numbers", body)
    assert (refused.value.status, refused.value.body["error"]["target"]) == (400, field)


def test_numbers_are_declared_on_the_command_line_or_in_the_environment() -> None:
    flags = parse_config(["--number", f"{OWN}=Support, days", "--number", f"{OTHER}:10 = Desk"], {})
    assert flags.numbers == ((OWN, 2, "Support, days"), (OTHER, 10, "Desk"))
    assert parse_config([], {"EMULATOR_NUMBERS": f"{OWN}:3=A,{OTHER}"}).numbers == ((OWN, 3, "A"), (OTHER, 2, ""))
    assert parse_config([], {}).numbers == ()


@pytest.mark.parametrize(
    "text",
    ["0800", "anonymous", *(f"+18005550199{more}" for more in (":", ":-1", ":many", ":\u0663", "=", "=a\tb"))]
    + [f"+18005550199={'x' * 41}"],
    ids=ascii,
)
def test_a_flag_for_a_number_that_cannot_be_is_named(text: str) -> None:
    with pytest.raises(ConfigError, match="--number"):
        parse_config(["--number", text], {})
