"""Event Grid subscriptions with filters: what passes, how they are asked for, what is refused."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from aiohttp import web

from acs_emulator.core.config import ConfigError, EventGridTarget, parse_config
from acs_emulator.core.event_grid_filter import OPERATORS
from acs_emulator.testing import AsyncControl, ControlError, Running, running_async
from emulator.tests.support import CALLER, SPEED, Application

URL = "http://127.0.0.1:9/grid"
EVENT: dict[str, Any] = {
    "id": "1",
    "subject": "/caller/4:+14255550100/recipient/4:+18005550199",
    "eventType": "Microsoft.Communication.IncomingCall",
    "dataVersion": "1.0",
    "data": {
        "to": {"kind": "phoneNumber", "rawId": "4:+18005550199", "phoneNumber": {"value": "+18005550199"}},
        "duration": 12.5,
        "isTwoParty": True,
        "tags": ["Gold", "west"],
        "nothing": None,
    },
}


def passes(*filters: dict[str, Any], **more: Any) -> bool:
    return EventGridTarget.read({"endpointUrl": URL, "advancedFilters": list(filters), **more}).wants(EVENT)


@pytest.mark.parametrize(
    ("operator", "key", "values", "passed"),
    [
        ("StringIn", "data.to.PhoneNumber.Value", ["+1", "+18005550199"], True),
        ("StringIn", "data.to.rawId", ["+18005550199"], False),
        ("StringIn", "data.missing", ["x"], False),
        ("StringNotIn", "data.to.rawId", ["4:+18005550199"], False),
        ("StringNotIn", "data.to.rawId", ["4:+1"], True),
        ("StringNotIn", "data.missing", ["x"], True),
        ("StringBeginsWith", "data.to.rawId", ["8:", "4:"], True),
        ("StringBeginsWith", "eventType", ["microsoft.COMMUNICATION"], True),
        ("StringNotBeginsWith", "data.to.rawId", ["4:"], False),
        ("StringEndsWith", "subject", ["0199"], True),
        ("StringNotEndsWith", "subject", ["0199"], False),
        ("StringContains", "Subject", ["RECIPIENT"], True),
        ("StringContains", "data.duration", ["12"], False),
        ("StringNotContains", "subject", ["recipient"], False),
        ("StringNotContains", "data.to", ["recipient"], True),
        ("NumberIn", "data.duration", [1, 12.5], True),
        ("NumberIn", "data.isTwoParty", [1], False),
        ("NumberNotIn", "data.duration", [1], True),
        ("NumberNotIn", "data.duration", [12.5], False),
        ("NumberInRange", "data.duration", [[1, 2], [12.5, 13]], True),
        ("NumberInRange", "data.duration", [[13, 14]], False),
        ("NumberNotInRange", "data.duration", [[12, 13]], False),
        ("NumberNotInRange", "data.missing", [[12, 13]], True),
        ("StringIn", "data.tags", ["gold"], False),
    ],
)
def test_an_operator_with_values_compares_as_documented(
    operator: str, key: str, values: list[Any], passed: bool
) -> None:
    assert passes({"operatorType": operator, "key": key, "values": values}) is passed


@pytest.mark.parametrize(
    ("operator", "key", "value", "passed"),
    [
        ("NumberLessThan", "data.duration", 12.5, False),
        ("NumberLessThan", "data.duration", 12.6, True),
        ("NumberGreaterThan", "data.duration", 12.5, False),
        ("NumberGreaterThan", "data.duration", 12.4, True),
        ("NumberLessThanOrEquals", "data.duration", 12.5, True),
        ("NumberLessThanOrEquals", "data.duration", 12.4, False),
        ("NumberGreaterThanOrEquals", "data.duration", 12.5, True),
        ("NumberGreaterThanOrEquals", "data.missing", 0, False),
        ("BoolEquals", "data.isTwoParty", True, True),
        ("BoolEquals", "data.isTwoParty", False, False),
        ("BoolEquals", "data.missing", False, False),
    ],
)
def test_an_operator_with_one_value_compares_as_documented(operator: str, key: str, value: Any, passed: bool) -> None:
    assert passes({"operatorType": operator, "key": key, "value": value}) is passed


@pytest.mark.parametrize(
    ("operator", "key", "passed"),
    [
        ("IsNullOrUndefined", "data.nothing", True),
        ("IsNullOrUndefined", "data.missing.deep", True),
        ("IsNullOrUndefined", "data.to", False),
        ("IsNotNull", "data.to.rawId", True),
        ("IsNotNull", "data.nothing", False),
    ],
)
def test_an_operator_without_a_value_asks_whether_there_is_one(operator: str, key: str, passed: bool) -> None:
    assert passes({"operatorType": operator, "key": key}) is passed


def test_every_filter_must_pass_and_lists_count_only_where_that_is_switched_on() -> None:
    number = {"operatorType": "StringEndsWith", "key": "data.to.rawId", "values": ["0199"]}
    long = {"operatorType": "NumberGreaterThan", "key": "data.duration", "value": 100}
    tags = {"operatorType": "StringIn", "key": "data.tags", "values": ["gold"]}
    assert passes(number)
    assert not passes(number, long)
    assert passes(number, tags, enableAdvancedFilteringOnArrays=True)
    assert len(OPERATORS) == 19


@pytest.mark.parametrize(
    ("more", "passed"),
    [
        ({"subjectBeginsWith": "/CALLER/4:"}, True),
        ({"subjectBeginsWith": "/CALLER/4:", "isSubjectCaseSensitive": True}, False),
        ({"subjectEndsWith": "0199"}, True),
        ({"subjectEndsWith": "0100"}, False),
        ({"includedEventTypes": ["Microsoft.Communication.IncomingCall"]}, True),
        ({"includedEventTypes": ["IncomingCall"]}, True),
        ({"includedEventTypes": ["CallStarted"]}, False),
    ],
)
def test_subject_and_type_are_filtered_too(more: dict[str, Any], passed: bool) -> None:
    assert passes(**more) is passed


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"endpointUrl": "ftp://x"}, "ftp://x"),
        ({"endpointUrl": None}, "None"),
        ({"filter": {}}, "filter"),
        ({"eventDeliverySchema": "CustomInputSchema"}, "eventDeliverySchema"),
        ({"includedEventTypes": "IncomingCall"}, "includedEventTypes"),
        ({"subjectBeginsWith": 1}, "subjectBeginsWith"),
        ({"isSubjectCaseSensitive": "no"}, "isSubjectCaseSensitive"),
        ({"advancedFilters": {}}, "advancedFilters"),
        ({"advancedFilters": [{"key": "a"}]}, "advancedFilters[0].operatorType"),
        ({"advancedFilters": [{"operatorType": "StringIn", "key": "a", "values": []}]}, "advancedFilters[0].values"),
        ({"advancedFilters": [{"operatorType": "StringIn", "key": "a", "value": "b"}]}, "advancedFilters[0].values"),
        ({"advancedFilters": [{"operatorType": "StringIn", "key": "a", "values": [1]}]}, "advancedFilters[0].values"),
        ({"advancedFilters": [{"operatorType": "StringIn", "values": ["b"]}]}, "advancedFilters[0].key"),
        ({"advancedFilters": [{"operatorType": "BoolEquals", "key": "a", "value": 1}]}, "advancedFilters[0].value"),
        (
            {"advancedFilters": [{"operatorType": "NumberIn", "key": "a", "values": [True]}]},
            "advancedFilters[0].values",
        ),
        (
            {"advancedFilters": [{"operatorType": "NumberInRange", "key": "a", "values": [[1]]}]},
            "advancedFilters[0].values",
        ),
        ({"advancedFilters": [{"operatorType": "IsNotNull", "key": "a", "x": 1}]}, "advancedFilters[0].x"),
        ({"advancedFilters": [{"operatorType": "IsNotNull", "key": "a"}] * 26}, "25"),
        ({"advancedFilters": [{"operatorType": "StringIn", "key": "a", "values": ["b"] * 26}]}, "25"),
    ],
)
def test_a_subscription_that_cannot_be_is_refused_by_name(change: dict[str, Any], named: str) -> None:
    with pytest.raises(ConfigError) as refused:
        EventGridTarget.read({"endpointUrl": URL, **change})
    assert named in str(refused.value)


def test_a_subscription_with_filters_is_a_flag_or_in_the_environment() -> None:
    one = {"endpointUrl": URL, "advancedFilters": [{"operatorType": "IsNotNull", "key": "data.to"}]}
    (flag,) = parse_config(["--event-grid", json.dumps(one)], {}).event_grid
    assert (flag.url, flag.advanced_filters[0].key) == (URL, "data.to")
    (single,) = parse_config([], {"EMULATOR_EVENT_GRID": json.dumps(one)}).event_grid
    assert single == flag
    both = parse_config([], {"EMULATOR_EVENT_GRID": json.dumps([one, {"endpointUrl": f"{URL}/2"}])}).event_grid
    assert [target.url for target in both] == [URL, f"{URL}/2"]
    urls = parse_config([], {"EMULATOR_EVENT_GRID": f"{URL}#CallStarted,CallEnded,{URL}/2"}).event_grid
    assert [sorted(target.event_types) for target in urls] == [["CallEnded", "CallStarted"], []]
    with pytest.raises(ConfigError, match="not valid JSON"):
        parse_config(["--event-grid", "{"], {})


async def test_two_subscriptions_share_the_numbers_between_them(application: Application) -> None:
    """As an app does that rings different functions for different lines."""
    first = {
        "endpointUrl": f"{application.base}/eventgrid",
        "includedEventTypes": ["Microsoft.Communication.IncomingCall"],
        "advancedFilters": [
            {"operatorType": "StringIn", "key": "data.to.PhoneNumber.Value", "values": ["+18005550199"]}
        ],
    }
    async with running_async(speed=SPEED, event_grid=json.dumps(first)) as emulator:
        for callee in ("+18005550177", "+18005550199"):
            await emulator.control.place_call(CALLER, callee)
        await application.incoming()
        [subscription] = (await emulator.control.state())["subscriptions"]
        assert subscription["filters"] == [
            {"operatorType": "StringIn", "key": "data.to.PhoneNumber.Value", "values": ["+18005550199"]}
        ]
    [event] = application.grid_named("IncomingCall")
    assert event["data"]["to"]["rawId"] == "4:+18005550199"


@pytest.mark.parametrize(
    ("allowed", "validated"), [("*", True), ("eventgrid.azure.net", True), ("elsewhere", False), (None, False)]
)
async def test_cloud_events_are_sent_to_who_consents_to_them(allowed: str | None, validated: bool) -> None:
    asked, got = asyncio.Event(), asyncio.Event()
    arrived: list[tuple[str, Any]] = []

    async def consent(request: web.Request) -> web.Response:
        assert request.headers["WebHook-Request-Origin"] == "eventgrid.azure.net"
        asked.set()
        return web.Response(headers={"WebHook-Allowed-Origin": allowed} if allowed else {})

    async def take(request: web.Request) -> web.Response:
        arrived.append((request.headers["Content-Type"], await request.json()))
        got.set()
        return web.Response()

    app = web.Application()
    app.add_routes([web.options("/grid", consent), web.post("/grid", take)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    one = {
        "endpointUrl": f"http://127.0.0.1:{runner.addresses[0][1]}/grid",
        "eventDeliverySchema": "CloudEventSchemaV1_0",
        "advancedFilters": [{"operatorType": "StringEndsWith", "key": "type", "values": [".IncomingCall"]}],
    }
    async with running_async(speed=SPEED, event_grid=json.dumps(one)) as emulator:
        await asyncio.wait_for(asked.wait(), 10)
        await emulator.control.wait_for_deliveries(1)
        await emulator.control.place_call(CALLER, "+18005550199")
        if validated:
            await asyncio.wait_for(got.wait(), 10)
        else:
            await asyncio.sleep(0.2)
        [subscription] = (await emulator.control.state())["subscriptions"]
    await runner.cleanup()
    assert (subscription["validated"], bool(arrived)) == (validated, validated)
    assert bool(subscription["problem"]) is not validated
    for content_type, event in arrived:
        assert content_type == "application/cloudevents+json; charset=utf-8"
        assert list(event) == ["id", "source", "subject", "data", "type", "time", "specversion"]
        assert event["type"] == "Microsoft.Communication.IncomingCall"
        assert event["data"]["to"]["rawId"] == "4:+18005550199"


async def test_a_subscription_can_be_added_while_the_emulator_runs(
    application: Application, emulator: Running[AsyncControl]
) -> None:
    made = await emulator.control.subscribe(
        endpointUrl=f"{application.base}/eventgrid", subjectEndsWith="+18005550177", includedEventTypes=["IncomingCall"]
    )
    assert (made["name"], made["eventTypes"]) == ("SUBSCRIPTION-2", ["IncomingCall"])
    await emulator.control.place_call(CALLER, "+18005550177")
    await application.incoming(2)
    await emulator.control.place_call(CALLER, "+18005550199")
    await application.incoming(3)
    assert len({event["id"] for event in application.grid_named("IncomingCall")}) == 2
    with pytest.raises(ControlError) as refused:
        await emulator.control.subscribe(endpointUrl="nowhere")
    assert refused.value.status == 400
