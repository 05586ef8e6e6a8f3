"""The OpenAPI document of the control API: every route is in it, and what it says is so."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import fastjsonschema
import pytest

from acs_emulator.api import control, control_schemas
from acs_emulator.api.app import create_app
from acs_emulator.core import event_grid_target
from acs_emulator.core.event_grid_filter import FIELDS as FILTER_FIELDS
from acs_emulator.events import faults
from acs_emulator.phones import book, script
from acs_emulator.testing import AsyncControl, ControlError, Running
from emulator.tests.recording_support import recorded
from emulator.tests.support import CALLER, OWNED, Application, Wire
from emulator.tools import control_table

Document = dict[str, Any]


@pytest.fixture
async def document(emulator: Running[AsyncControl]) -> Document:
    return dict(await emulator.control.request("GET", "/emulator/openapi.json"))


def operations(document: Document) -> dict[tuple[str, str], Document]:
    return {(method.upper(), path): one for path, item in document["paths"].items() for method, one in item.items()}


def checker(document: Document, schema: Document) -> Callable[[Any], Any]:
    """Raises fastjsonschema.JsonSchemaValueException for what does not fit the schema."""
    check: Callable[[Any], Any] = fastjsonschema.compile(
        {**schema, "components": document["components"]}, use_default=False
    )
    return check


class Held:
    """Sends requests of the control API, and holds what is taken and given against the document."""

    def __init__(self, control: AsyncControl, document: Document) -> None:
        self._control, self._document = control, document
        self.seen: set[tuple[str, str]] = set()

    async def send(self, method: str, path: str, body: Any = None) -> Any:
        key = next(
            (of, template)
            for of, template in operations(self._document)
            if of == method and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path.partition("?")[0])
        )
        operation = operations(self._document)[key]
        if body is not None:
            self._check(operation["requestBody"]["content"], body)
        value = await self._control.request(method, path, body)
        (success,) = (response for status, response in operation["responses"].items() if status != "default")
        self._check(success["content"], value)
        self.seen.add(key)
        return value

    def _check(self, content: Document, value: Any) -> None:
        checker(self._document, content["application/json"]["schema"])(value)


async def test_every_route_is_in_the_document_and_none_beside(
    emulator: Running[AsyncControl], document: Document
) -> None:
    routes = {
        (route.method, route.resource.canonical)
        for route in create_app(emulator.service).router.routes()
        if route.resource is not None and route.method != "HEAD"
    }
    served = {one for one in routes if one[1].startswith("/emulator") and one[1] != "/emulator/phone"}
    assert set(operations(document)) == served
    assert len(served) == 23
    ids = [one["operationId"] for one in operations(document).values()]
    assert len(set(ids)) == len(ids)
    assert document["openapi"] == "3.1.0"


async def test_what_is_taken_and_given_is_as_the_document_says(
    emulator: Running[AsyncControl], application: Application, answered: Any, wire: Wire, document: Document
) -> None:
    held = Held(emulator.control, document)
    number = "+18005550199"
    await held.send("POST", "/emulator/numbers", {"number": number, "limit": 3})
    assert (await held.send("GET", "/emulator/numbers"))["numbers"][0]["limit"] == 3
    subscription = {"endpointUrl": f"{application.base}/eventgrid", "includedEventTypes": ["CallStarted"]}
    only = {"operatorType": "StringIn", "key": "data.to.rawId", "values": ["4:+1"]}
    await held.send("POST", "/emulator/subscriptions", {**subscription, "advancedFilters": [only]})
    await held.send("POST", "/emulator/phones", {"number": "+14255550111", "script": [{"at": 1, "say": "Hello"}]})
    speed = {"kind": "delay", "seconds": 0, "match": {"type": "PlayCompleted"}}
    assert (await held.send("POST", "/emulator/faults", [speed]))["faults"][0]["kind"] == "delay"
    await held.send("POST", "/emulator/faults", speed)
    script = [{"when": "asked", "press": "1"}]
    desk = await answered(script)
    await desk.act(":play", {"playSources": [{"kind": "file", "file": {"uri": f"{application.base}/no.wav"}}]})
    await application.event("PlayFailed", desk.leg)
    who = {"targetParticipant": {"phoneNumber": {"value": CALLER}}}
    question = {"recognizeInputType": "dtmf", "recognizeOptions": {**who, "dtmfOptions": {"maxTonesToCollect": 2}}}
    await desk.act(":recognize", question)
    state = await held.send("GET", "/emulator/state")
    assert state["calls"][0]["legs"][0]["media"]["running"][0]["operation"] == "Recognize"
    await held.send("POST", f"/emulator/calls/{desk.call}/say", {"text": "Hello"})
    await held.send("POST", f"/emulator/calls/{desk.call}/press", {"keys": "2", "phone": CALLER})
    await recorded(desk, "Good morning")
    assert (await held.send("GET", "/emulator/recordings"))["recordings"][0]["participants"][0]["spans"]
    event = {"id": "1", "subject": "s", "eventType": "T", "eventTime": "2026-01-01T00:00:00Z", "dataVersion": "1"}
    topic = f"{emulator.endpoint}/api/events?api-version=2018-01-01"
    headers = {"aeg-sas-key": emulator.access_key}
    async with wire.session.post(topic, json=[{**event, "data": {}}], headers=headers) as response:
        assert response.status == 200
    assert (await held.send("GET", "/emulator/topic?type=T&after=0"))["events"]
    assert (await held.send("GET", "/emulator/deliveries?after=0"))["deliveries"][0]["attempts"]
    assert (await held.send("GET", "/emulator/requests"))["requests"]
    assert (await held.send("GET", "/emulator/timeline?after=0&wait=0"))["entries"]
    await held.send("POST", f"/emulator/calls/{desk.call}/drop-streams")
    await held.send("POST", f"/emulator/calls/{desk.call}/hangup")
    call = {"from": CALLER, "to": OWNED, "displayName": "Ann", "customContext": {"sipHeaders": {}}}
    await held.send("POST", "/emulator/calls", {**call, "script": script, "voice": "male", "locale": "en-GB"})
    await application.incoming(2)
    assert (await held.send("GET", "/emulator/state"))["incomingCalls"]
    [pending] = [one for one in emulator.service.event_grid.subscriptions if one.target.advanced_filters]
    await held.send("GET", f"/emulator/eventgrid/validate?code={pending.code}")
    await held.send("GET", "/emulator/faults")
    await held.send("DELETE", "/emulator/faults")
    await held.send("DELETE", f"/emulator/numbers/{number}")
    await held.send("GET", "/emulator/health")
    await held.send("POST", "/emulator/reset")
    await held.send("GET", "/emulator/openapi.json")
    assert held.seen == set(operations(document))


async def test_a_refusal_is_as_the_document_says(emulator: Running[AsyncControl], document: Document) -> None:
    for path in ("/emulator/calls", "/emulator/phones", "/emulator/numbers", "/emulator/faults"):
        with pytest.raises(ControlError) as refused:
            await emulator.control.request("POST", path, {"nonsense": 1})
        checker(document, document["components"]["schemas"]["Error"])(refused.value.body)
        assert "nonsense" in refused.value.body["error"]["message"]


@pytest.mark.parametrize(
    ("schema", "known"),
    [
        (control_schemas.PLACE_CALL, control.CALL_FIELDS),
        (control_schemas.PHONE, book.FIELDS),
        (control_schemas.STEP, script.FIELDS),
        (control_schemas.SUBSCRIBE, event_grid_target.FIELDS),
        (control_schemas.SUBSCRIBE["properties"]["advancedFilters"]["items"], FILTER_FIELDS),
        (control_schemas.FAULT_RULE, faults.FIELDS),
        (control_schemas.FAULT_RULE["properties"]["match"], faults.MATCH_FIELDS),
    ],
    ids=["call", "phone", "step", "subscription", "filter", "fault", "match"],
)
def test_a_body_has_the_fields_that_the_code_takes(schema: Document, known: Any) -> None:
    assert set(schema["properties"]) == set(known)


def test_the_table_in_the_docs_is_that_of_the_document() -> None:
    assert control_table.PAGE.read_text("utf-8") == control_table.page(), (
        "docs/emulator.md is stale: python -m emulator.tools.control_table"
    )
