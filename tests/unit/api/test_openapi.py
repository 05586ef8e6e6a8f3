"""The OpenAPI document: valid, whole, and the same as what the app does."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from pydantic import BaseModel
from schemathesis.specs.openapi.definitions import OPENAPI_31_VALIDATOR

from shared.click.site import SiteText
from shared.identifiers import Identifier
from shared.lines.shared_calendars import CalendarText
from shared.web.click import AskForCall, ButtonAsked
from shared.web.do_not_record import NumberNotToRecord
from shared.web.handoff import CalledBack
from shared.web.masking import ChangeSession, OpenSession
from shared.web.models import ACTIONS, PlaceCall, read, read_action
from shared.web.openapi import openapi
from shared.web.outreach_models import MakeCampaign, NumberAsked, Pace, PutOnList, ReadFilesSo, SendPeople
from shared.web.people import PersonAsked
from shared.web.search import SearchCalls
from shared.web.switches import TurnSwitches
from tests.functional.app import http_routes

DOCUMENT = openapi()
OTHER_SIDE = Identifier.parse("+14255550123")
OPERATIONS = [
    (f"{method.upper()} {path}", operation)
    for path, operations in DOCUMENT["paths"].items()
    for method, operation in operations.items()
]
REPEATABLE: dict[str, type[BaseModel]] = {
    **dict.fromkeys(("addDoNotRecord", "removeDoNotRecord", "checkDoNotRecord"), NumberNotToRecord),
    **dict.fromkeys(("exportPerson", "erasePerson"), PersonAsked),
    "turnSwitches": TurnSwitches,
    "putCalendar": CalendarText,
    "changeMaskingSession": ChangeSession,
    "paceCampaign": Pace,
    "readFilesSo": ReadFilesSo,
    **dict.fromkeys(("checkDoNotCall", "removeDoNotCall", "searchEvidence"), NumberAsked),
    "addDoNotCall": PutOnList,
    "putSite": SiteText,
    "getButton": ButtonAsked,
    "markCalledBack": CalledBack,
}
"""Operations whose requests may be repeated, but for the search, and those requests."""
KEYED: dict[str, type[BaseModel]] = {
    "openMaskingSession": OpenSession,
    "makeCampaign": MakeCampaign,
    "sendPeople": SendPeople,
    "askForCall": AskForCall,
}
"""Operations of use cases that take an idempotency key, and their requests."""
CSV = {"uploadPeople", "previewPeople", "importDoNotCall"}
"""Operations that take a file."""
BODY_WITHOUT_KEY = {"searchCalls", "previewPeople", "importDoNotCall", *REPEATABLE}
"""What may be repeated without an idempotency key."""
DESCRIBED = ("calls", "flows", "diagnostics", "reports", "recordings", "notifications", "do-not-record", "people",
             "switches", "calendars", "masking", "campaigns", "do-not-call", "evidence", "click", "orders", "cases",
             "handoff")  # fmt: skip
"""How the routes begin that the document has."""
every_operation = pytest.mark.parametrize("operation", [o for _, o in OPERATIONS], ids=[name for name, _ in OPERATIONS])


def parts(value: Any) -> Iterator[Any]:
    yield value
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from parts(part)


def found(reference: str) -> Any:
    place: Any = DOCUMENT
    for name in reference.removeprefix("#/").split("/"):
        place = place[name]
    return place


def examples(operation: dict[str, Any]) -> Iterator[Any]:
    body = operation["requestBody"]["content"].get("application/json")
    if body is None:
        return
    if "example" in body:
        yield body["example"]
    yield from found(body["schema"]["$ref"]).get("examples", [])


def test_the_document_is_valid_openapi_3_1() -> None:
    assert [error.message for error in OPENAPI_31_VALIDATOR.iter_errors(DOCUMENT)] == []
    assert DOCUMENT["openapi"].startswith("3.1")
    assert json.loads(json.dumps(DOCUMENT)) == DOCUMENT


def test_every_schema_is_valid_json_schema() -> None:
    for name, schema in DOCUMENT["components"]["schemas"].items():
        assert jsonschema_rs.meta.is_valid({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}), name


def test_every_reference_and_every_discriminator_leads_to_a_schema() -> None:
    references = {part["$ref"] for part in parts(DOCUMENT) if isinstance(part, dict) and "$ref" in part}
    mapped = {
        target
        for part in parts(DOCUMENT)
        if isinstance(part, dict) and isinstance(part.get("discriminator"), dict)
        for target in part["discriminator"]["mapping"].values()
    }
    assert mapped >= {f"#/components/schemas/{kind}Prompt" for kind in ("File", "Text", "Ssml")}
    for reference in references | mapped:
        assert isinstance(found(reference), dict)
    assert {f"#/components/schemas/{name}" for name in DOCUMENT["components"]["schemas"]} == references | mapped


def test_every_route_of_the_api_is_described_and_every_description_has_a_route() -> None:
    routes = {
        (method, f"/{route.template}")
        for route in http_routes()
        for method in route.methods
        if route.template.startswith(DESCRIBED) and method != "OPTIONS"
    }
    actions = {f"/calls/{{call_id}}/actions/{name}" for name in ACTIONS}
    described = {
        (method.upper(), "/calls/{call_id}/actions/{action}" if path in actions else path)
        for path, operations in DOCUMENT["paths"].items()
        for method in operations
    }
    assert described == routes
    assert actions <= set(DOCUMENT["paths"])


def test_operations_are_grouped_in_words() -> None:
    groups = {operation["operationId"]: operation["tags"] for _, operation in OPERATIONS}
    assert groups["placeCall"] == ["Calls"]
    assert groups["play"] == ["Actions on a call"]
    assert groups["listRecordings"] == groups["listReports"] == ["Recordings and reports"]
    assert [tag["name"] for tag in DOCUMENT["tags"]][:3] == ["Calls", "Flows", "Recordings and reports"]
    assert {tag["name"] for tag in DOCUMENT["tags"]} == {name for names in groups.values() for name in names}


def test_every_operation_has_an_id_of_its_own() -> None:
    ids = [operation["operationId"] for _, operation in OPERATIONS]
    assert len(set(ids)) == len(ids)


@every_operation
def test_an_operation_says_what_it_does_names_its_path_and_tells_its_errors(operation: dict[str, Any]) -> None:
    path = next(path for path, operations in DOCUMENT["paths"].items() for o in operations.values() if o is operation)
    in_path = {parameter["name"] for parameter in operation["parameters"] if parameter["in"] == "path"}
    assert operation["summary"]
    assert in_path == set(re.findall(r"\{(\w+)\}", path))
    errors = {status: body for status, body in operation["responses"].items() if not status.startswith("2")}
    if operation.get("security") != []:  # a public route needs no key
        assert {"401", "503", "default"} <= set(errors)
    assert all(set(body["content"]) == {"application/problem+json"} for s, body in errors.items() if s != "401")
    changes = any(p["name"] == "Idempotency-Key" for p in operation["parameters"])
    assert ("requestBody" in operation) == (changes or operation["operationId"] in BODY_WITHOUT_KEY)


@every_operation
def test_an_example_fits_its_schema_and_is_taken_by_the_app(operation: dict[str, Any]) -> None:
    if "requestBody" not in operation or operation["operationId"] in CSV:
        return
    reference = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"]
    schema = jsonschema_rs.Draft202012Validator({"$ref": reference, "components": DOCUMENT["components"]})
    for example in examples(operation):
        schema.validate(example)
        body = json.dumps(example).encode()
        if operation["operationId"] in ACTIONS:
            assert read_action(operation["operationId"], body, OTHER_SIDE)
        elif operation["operationId"] == "searchCalls":
            assert read(SearchCalls, body).key
        elif model := (REPEATABLE | KEYED).get(operation["operationId"]):
            assert read(model, body)
        else:
            assert read(PlaceCall, body).opening(by_flow=False)


def test_placing_searching_playing_and_recognizing_have_examples() -> None:
    with_examples = {o["operationId"] for _, o in OPERATIONS if "requestBody" in o and list(examples(o))}
    assert {"placeCall", "searchCalls", "play", "recognize", "add_participant"} <= with_examples


def test_an_endpoint_is_written_as_a_string_and_who_is_meant_may_be_left_out() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    assert schemas["Identifier"]["type"] == "string"
    assert "participant" not in schemas["Recognize"]["required"]
    assert schemas["Recognize"]["required"] == ["input"]
    assert schemas["Choice"]["required"] == ["label"]


def test_every_action_and_every_route_is_on_the_page_about_the_api() -> None:
    names = ("api", "outreach", "masking", "click", "order", "handoff")
    page = "".join((Path(__file__).parents[3] / "docs" / f"{name}.md").read_text("utf-8") for name in names)
    assert {name for name in ACTIONS if f"`{name}`" not in page} == set()
    paths = {path for path in DOCUMENT["paths"] if "/actions/" not in path} | {"/calls/{call_id}/actions/{action}"}
    assert {path for path in paths if f"/api{path}`" not in page} == set()
    assert {field for field in PlaceCall.model_fields if f"`{field}`" not in page} == set()
