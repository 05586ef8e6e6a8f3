"""Odd values at the control API: what is misspelt, or can do nothing, is refused by name and not passed over."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from acs_emulator.phones import line
from acs_emulator.testing import AsyncControl, ControlError, Running
from emulator.tests.support import CALLER, OWNED, Application, Wire

USER = "8:acs:00000000-0000-4000-8000-000000000000_00000026-0000-0000-0000-000000000001"


async def refused(emulator: Running[AsyncControl], method: str, path: str, body: Any = None) -> tuple[int, Any, str]:
    """Status, target and message of a refusal."""
    with pytest.raises(ControlError) as refusal:
        await emulator.control.request(method, path, body)
    error = refusal.value.body["error"]
    return refusal.value.status, error.get("target"), error["message"]


@pytest.mark.parametrize(
    ("verb", "body", "known"),
    [
        ("press", {"keys": "1", "number": CALLER}, "keys, phone"),
        ("say", {"text": "Hello", "number": CALLER}, "phone, text"),
        ("hangup", {"number": CALLER}, "phone"),
    ],
)
async def test_what_a_phone_is_asked_has_no_other_fields(
    emulator: Running[AsyncControl], answered: Any, verb: str, body: dict[str, Any], known: str
) -> None:
    desk = await answered()
    status, field, message = await refused(emulator, "POST", f"/emulator/calls/{desk.call}/{verb}", body)
    assert (status, field) == (400, "number")
    assert message == f"'number' is not known; known are {known}."


@pytest.mark.parametrize(
    ("path", "name", "known"),
    [
        ("/emulator/deliveries?typ=CallConnected", "typ", "known are type, callConnectionId, after"),
        ("/emulator/requests?callconnectionid=1", "callconnectionid", "known are operation, callConnectionId, after"),
        ("/emulator/state?call=1", "call", "there is none here"),
        ("/emulator/openapi.json?v=3", "v", "there is none here"),
    ],
)
async def test_a_query_parameter_that_is_misspelt_does_not_give_everything(
    emulator: Running[AsyncControl], path: str, name: str, known: str
) -> None:
    status, field, message = await refused(emulator, "GET", path)
    assert (status, field, message) == (400, name, f"The query parameter '{name}' is not known; {known}.")


async def test_a_deletion_of_some_faults_does_not_end_all(emulator: Running[AsyncControl]) -> None:
    await emulator.control.add_faults({"kind": "drop"})
    assert (await refused(emulator, "DELETE", "/emulator/faults?kind=delay"))[1] == "kind"
    assert (await refused(emulator, "DELETE", "/emulator/faults", {"kind": "delay"}))[0] == 400
    status, _, message = await refused(emulator, "POST", "/emulator/reset", {"faults": True})
    assert (status, message) == (400, "POST /emulator/reset takes no body.")
    assert len((await emulator.control.request("GET", "/emulator/faults"))["faults"]) == 1
    await emulator.control.request("POST", "/emulator/reset", {})


async def test_a_phone_that_still_rings_presses_and_says_nothing_and_says_so(
    emulator: Running[AsyncControl], application: Application
) -> None:
    call = await emulator.control.place_call(CALLER, OWNED)
    await application.incoming()
    for verb, body in (("press", {"keys": "1"}), ("say", {"text": "Hello"})):
        status, _, message = await refused(emulator, "POST", f"/emulator/calls/{call['id']}/{verb}", body)
        assert (status, message) == (409, f"{CALLER} is not connected: the call still rings.")
    await emulator.control.hang_up(call["id"])


@pytest.mark.parametrize(
    ("verb", "body", "message"),
    [
        ("say", {"text": "a " * 2501}, "'text' has 5002 characters; at most 5000 are said at once."),
        ("press", {"keys": "1" * 1001}, "'keys' has 1001 keys; at most 1000 are pressed at once."),
    ],
)
async def test_hours_of_speech_and_keys_are_refused(
    emulator: Running[AsyncControl], answered: Any, verb: str, body: dict[str, Any], message: str
) -> None:
    desk = await answered()
    assert (await refused(emulator, "POST", f"/emulator/calls/{desk.call}/{verb}", body))[2] == message
    script = [{verb: next(iter(body.values()))}]
    field = (await refused(emulator, "POST", "/emulator/calls", {"from": CALLER, "to": OWNED, "script": script}))[1]
    assert field == f"script[0].{verb}"


def test_speech_that_cannot_be_made_hums_for_ten_minutes_at_most() -> None:
    assert line.LONGEST_MURMUR == 600.0


@pytest.mark.parametrize("place", [{"group": "g"}, {"room": "r"}])
@pytest.mark.parametrize(("name", "value"), [("displayName", "Ann"), ("customContext", {})])
async def test_who_joins_a_call_rings_nobody_who_could_be_shown_a_name(
    emulator: Running[AsyncControl], place: dict[str, str], name: str, value: Any
) -> None:
    status, field, message = await refused(emulator, "POST", "/emulator/calls", {"from": CALLER, **place, name: value})
    assert (status, field) == (400, name)
    assert "nobody is rung" in message


@pytest.mark.parametrize(
    ("body", "field", "message"),
    [
        ({"to": CALLER}, "to", f"'to' is the caller: {CALLER} cannot call itself."),
        ({"group": ""}, "group", "'group' must not be empty."),
        ({"room": ""}, "room", "'room' must not be empty."),
        ({"to": OWNED, "displayName": None}, "displayName", "'displayName' must be text."),
    ],
)
async def test_a_call_that_nobody_can_make_is_refused(
    emulator: Running[AsyncControl], body: dict[str, Any], field: str, message: str
) -> None:
    assert await refused(emulator, "POST", "/emulator/calls", {"from": CALLER, **body}) == (400, field, message)


async def test_a_phone_has_a_number_or_a_user_id(emulator: Running[AsyncControl]) -> None:
    status, field, message = await refused(emulator, "POST", "/emulator/phones", {"number": CALLER, "id": USER})
    assert (status, field, message) == (400, "id", "Give 'number' or 'id', not both.")


@pytest.mark.parametrize(
    ("rule", "field"),
    [
        ({"kind": "fail", "match": {"operation": "Ply"}}, "[0].match.operation"),
        ({"kind": "status", "match": {"operation": ["Play"]}}, "[0].match.operation"),
        ({"kind": "drop", "match": {"type": 7}}, "[0].match.type"),
        ({"kind": "drop", "match": []}, "[0].match"),
        ({"kind": "drop", "match": {"typ": "PlayCompleted"}}, "[0].match.typ"),
        ({"kind": "drop", "mach": {}}, "[0].mach"),
        ({"kind": "empty", "match": {"chunk": "0"}}, "[0].match.chunk"),
        ({"kind": "status", "message": {"a": 1}}, "[0].message"),
        ({"kind": "redirect", "location": 5}, "[0].location"),
        ({"kind": "drop", "count": 1.5}, "[0].count"),
        ({"kind": "status", "status": 500.5}, "[0].status"),
    ],
)
async def test_a_fault_that_could_never_strike_is_refused(
    emulator: Running[AsyncControl], rule: dict[str, Any], field: str
) -> None:
    assert (await refused(emulator, "POST", "/emulator/faults", rule))[:2] == (400, field)


@pytest.mark.parametrize(
    "operation",
    ["Play", "CallMedia_Play", "CreateCall", "SummarizeCall", "CallRecording_Download", "PublishEvents", "Transcribe"],
)
async def test_a_fault_may_be_for_any_operation_in_full_or_short(
    emulator: Running[AsyncControl], operation: str
) -> None:
    await emulator.control.add_faults({"kind": "status", "match": {"operation": operation}})


@pytest.mark.parametrize(
    ("subscription", "field"),
    [
        ({"endpointUrl": "http://[::1"}, "endpointUrl"),
        ({"endpointUrl": "http://127.0.0.1:99999/"}, "endpointUrl"),
        ({"endpointUrl": "nowhere"}, "endpointUrl"),
        ({"endpointUrl": "http://127.0.0.1/", "includedEventTypes": "IncomingCall"}, "includedEventTypes"),
        ({"endpointUrl": "http://127.0.0.1/", "advancedFilters": [{"key": "k"}]}, "advancedFilters[0].operatorType"),
        ({"url": "http://127.0.0.1/"}, "url"),
    ],
)
async def test_a_subscription_that_cannot_be_is_refused_by_field(
    emulator: Running[AsyncControl], subscription: dict[str, Any], field: str
) -> None:
    assert (await refused(emulator, "POST", "/emulator/subscriptions", subscription))[:2] == (400, field)


async def test_a_body_that_is_too_large_is_refused_as_everything_is(
    emulator: Running[AsyncControl], wire: Wire
) -> None:
    large = json.dumps({"from": CALLER, "to": OWNED, "displayName": "x" * 5_000_000})
    async with wire.session.post(f"{emulator.endpoint}/emulator/calls", data=io.BytesIO(large.encode())) as response:
        assert response.status == 413
        assert (await response.json())["error"]["code"] == "RequestTooLarge"


@pytest.mark.parametrize(
    "number", ["+\uff11\uff14255550100", "+1425\u0665550100", "+14255550100\n", "+14255550100\u200f"], ids=ascii
)
async def test_a_number_has_ascii_digits_alone(emulator: Running[AsyncControl], number: str) -> None:
    for path, body, field in (
        ("/emulator/calls", {"from": number, "to": OWNED}, "from"),
        ("/emulator/phones", {"number": number}, "number"),
        ("/emulator/numbers", {"number": number}, "number"),
    ):
        assert (await refused(emulator, "POST", path, body))[:2] == (400, field)
