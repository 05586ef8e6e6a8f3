"""Schemathesis over every published operation: no crash, no undocumented status, every body as published."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode

from acs_emulator.testing import Control, Running
from emulator.tests.conformance.openapi.published import answer_complaints, derived, log_complaints
from emulator.tests.conformance.openapi.signing import Signed
from emulator.tests.conformance.openapi.sink import Sink

pytestmark = pytest.mark.long

CALLER, OWNED, THIRD = "+14255550100", "+18005551212", "+15550100001"
#: Requests for each operation: some as published, some not.
EXAMPLES = {GenerationMode.POSITIVE: 20, GenerationMode.NEGATIVE: 12}
_FUZZ = settings(
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def _members(*numbers: str) -> list[dict[str, Any]]:
    return [{"type": "object", "enum": [{"phoneNumber": {"value": number}} for number in numbers]}]


def _document(base: str) -> dict[str, Any]:
    """The published operations as OpenAPI 3. Addresses are those of the listening application half of the
    time, and people are often those who are in the call, so that requests go beyond the first check."""
    definitions = copy.deepcopy(derived()["definitions"])
    text: dict[str, Any] = {"type": "string"}
    for definition in definitions.values():
        for name, _value in definition.get("properties", {}).items():
            if name in ("callbackUri", "operationCallbackUri", "recordingStateCallbackUri"):
                definition["properties"][name] = {"anyOf": [{"type": "string", "enum": [f"{base}/api/fuzz"]}, text]}
            if name == "uri":
                files = [f"{base}/prompt.wav", f"{base}/broken.wav", f"{base}/missing.wav"]
                definition["properties"][name] = {"type": "string", "enum": files}
            if name == "transportUrl":
                definition["properties"][name] = {"type": "string", "enum": ["ws://127.0.0.1:9/socket", "nowhere"]}
            if name == "recordingDestinationContainerUrl":
                definition["properties"][name] = {"type": "string", "enum": [f"{base}/container", "nowhere"]}
    who = definitions["CommunicationIdentifierModel"]
    definitions["CommunicationIdentifierModel"] = {"anyOf": [*_members(CALLER, OWNED, THIRD), who]}
    paths: dict[str, Any] = {}
    for name, operation in derived()["operations"].items():
        places = [part[1:-1] for part in operation["path"].replace(":", "/").split("/") if part.startswith("{")]
        version = {"name": "api-version", "in": "query", "required": True, "schema": {"enum": ["2026-03-12"]}}
        described: dict[str, Any] = {
            "operationId": name,
            "parameters": [
                version,
                *({"name": one, "in": "path", "required": True, "schema": text} for one in places),
            ],
            "responses": {"default": {"description": "checked by published.py"}},
        }
        if name in derived()["requests"]:
            schema = {"$ref": f"#/components/schemas/{derived()['requests'][name]}"}
            described["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
        paths.setdefault(operation["path"], {})[operation["method"].lower()] = described
    document = {
        "openapi": "3.0.3",
        "info": {"title": "Call Automation", "version": "2026-03-12"},
        "paths": paths,
        "components": {"schemas": definitions},
    }
    return dict(_moved(document))


def _moved(node: Any) -> Any:
    """References of Swagger 2 as references of OpenAPI 3."""
    if isinstance(node, dict):
        return {name: _moved(value) for name, value in node.items()}
    if isinstance(node, list):
        return [_moved(value) for value in node]
    return node.replace("#/definitions/", "#/components/schemas/") if isinstance(node, str) else node


@dataclass
class Target:
    """A call that is there for every request: placed and answered again when the last request ended it."""

    emulator: Running[Control]
    sink: Sink
    schema: Any
    leg: str = ""

    def call(self) -> str:
        if self.emulator.service.leg(self.leg) is None:
            self.check()
            self.emulator.control.reset()
            self.sink.grid.clear()  # what was sent may have called the same number
            self.emulator.control.place_call(CALLER, OWNED)
            context = self.sink.incoming(f"4:{OWNED}")["incomingCallContext"]
            case = self.schema["/calling/callConnections:answer"]["POST"].Case(
                body={"incomingCallContext": context, "callbackUri": f"{self.sink.base}/api/fuzz"},
                query={"api-version": "2026-03-12"},
                media_type="application/json",
            )
            self.leg = self.send(case).json()["callConnectionId"]
            self.sink.event(self.leg, "CallConnected")
        return self.leg

    def check(self) -> None:
        """Nothing has crashed, and every event was as published."""
        assert self.emulator.control.health()["crashes"] == []
        assert self.sink.refused == []
        deliveries = self.emulator.control.deliveries()
        assert log_complaints([], deliveries) == []

    def send(self, case: Any) -> Any:
        return case.call(base_url=self.emulator.endpoint, auth=Signed(self.emulator.access_key))


@pytest.fixture(scope="module")
def target(emulator: Running[Control], sink: Sink) -> Target:
    schema = schemathesis.openapi.from_dict(_document(sink.base))
    return Target(emulator, sink, schema)


@pytest.mark.parametrize("mode", list(EXAMPLES), ids=lambda mode: mode.value)
@pytest.mark.parametrize("operation_id", sorted(derived()["operations"]))
def test_an_operation_answers_as_published_whatever_it_is_sent(
    target: Target, operation_id: str, mode: GenerationMode
) -> None:
    published = derived()["operations"][operation_id]
    operation = target.schema[published["path"]][published["method"]]
    if mode is GenerationMode.NEGATIVE and operation_id not in derived()["requests"]:
        pytest.skip("without a body there is nothing to get wrong but the path")

    @settings(_FUZZ, max_examples=EXAMPLES[mode])
    @given(case=operation.as_strategy(generation_mode=mode))
    def fuzz(case: Any) -> None:
        live = target.call()
        if "callConnectionId" in (case.path_parameters or {}):
            case.path_parameters["callConnectionId"] = live
        answer = target.send(case)
        body = answer.json() if answer.content else None
        assert answer_complaints(operation_id, answer.status_code, body) == [], case.as_curl_command()

    fuzz()
    target.check()
