"""What every released SDK can send, as `released_sdks.json` has it, against the emulator's schemas and answers."""

from __future__ import annotations

import copy
import functools
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import fastjsonschema
import pytest

from acs_emulator.api.older_versions import CALL_VERSIONS, status_in
from acs_emulator.api.routes import OPERATIONS, PREVIEW_OPERATIONS
from acs_emulator.api.validation import definitions, in_newest_version, request_schemas
from emulator.tests.conformance.openapi.published import derived

NEVER_SENT = {("CallLocatorKind", "unknown")}
"""Values that an SDK knows and no request of it can hold: each of its locators has a kind of its own."""
TEXTS = {"str": "text", "int": 1, "bool": True}


@functools.cache
def released() -> dict[str, Any]:
    return dict(json.loads(Path(__file__).with_name("released_sdks.json").read_text("utf-8")))


def operation_of(name: str) -> Any:
    """The emulator's operation for `METHOD /path`."""
    method, path = name.split()
    return next(
        (one for one in OPERATIONS + PREVIEW_OPERATIONS if one.method == method and one.pattern.match(path)), None
    )


def sent(model: str, release: str, depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Each property that a release has in a model, as `path` and a value of it; of enums, each value."""
    for name, entries in released()["models"][model].items():
        for entry in entries:
            if release in entry.get("releases", [release]):
                for path, value in values(entry["type"], release, depth):
                    yield f"{name}{path}", value


def values(kind: str, release: str, depth: int) -> Iterator[tuple[str, Any]]:
    bare = kind.strip("[]{}")
    mark = "[]" if kind.startswith("[") else ".x" if kind.startswith("{") else ""
    if bare in released()["enums"]:
        for value, releases in released()["enums"][bare].items():
            if (not releases or release in releases) and (bare, value) not in NEVER_SENT:
                yield mark, value
    elif bare in released()["models"]:
        for path, value in sent(bare, release, depth + 1) if depth < 6 else ():
            yield f"{mark}.{path}", value
    else:
        yield mark, TEXTS[bare]


def body_with(path: str, value: Any) -> Any:
    """A body that holds nothing but the value."""
    first, _, rest = path.partition(".")
    inner = body_with(rest, value) if rest else value
    return {first.removesuffix("[]"): [inner] if first.endswith("[]") else inner}


@functools.cache
def validator(schema: str) -> Any:
    """Of the emulator's definitions, but that nothing is required: a body here holds one property alone."""
    free = copy.deepcopy(definitions(loose=False))
    for definition in free.values():
        definition.pop("required", None)
    return fastjsonschema.compile({"$ref": f"#/definitions/{schema}", "definitions": free}, use_default=False)


def complaint(schema: str, body: dict[str, Any]) -> str:
    """What the emulator has against a property."""
    try:
        validator(schema)(in_newest_version(schema, body))
    except fastjsonschema.JsonSchemaValueException as error:
        return str(error.message)
    return ""


def operations() -> list[Any]:
    return [pytest.param(name, entry, id=name) for name, entry in released()["operations"].items()]


@pytest.mark.parametrize(("name", "entry"), operations())
def test_every_operation_of_every_release_is_there(name: str, entry: Mapping[str, Any]) -> None:
    operation = operation_of(name)
    assert operation is not None
    assert bool(entry["bodies"]) == (operation.body == "required")


@pytest.mark.parametrize(("name", "entry"), operations())
def test_every_property_and_value_that_a_release_can_send_is_taken(name: str, entry: Mapping[str, Any]) -> None:
    schema = request_schemas().get(operation_of(name).id)
    complaints = {
        f"{path} {value!r}: {found}"
        for model in entry["bodies"]
        for release in entry.get("releases", released()["releases"])
        for path, value in sent(model, release)
        if (found := complaint(str(schema), body_with(path, value)))
    }
    assert complaints == set()


@pytest.mark.parametrize(("name", "entry"), operations())
def test_nothing_is_required_that_a_release_may_leave_out(name: str, entry: Mapping[str, Any]) -> None:
    for model in entry["bodies"]:
        schema = definitions(loose=False)[request_schemas()[operation_of(name).id]]
        for wanted in schema.get("required", ()):
            assert [one for one in released()["models"][model][wanted] if one["required"] is False] == [], wanted


@pytest.mark.parametrize(("name", "entry"), operations())
def test_an_answer_has_a_status_that_each_release_takes_for_success(name: str, entry: Mapping[str, Any]) -> None:
    operation = operation_of(name).id
    # What a preview alone has is answered as that preview says.
    answers = derived()["operations"].get(operation, {"answers": ["202"]})["answers"]
    statuses = [int(status) for status in answers if status != "default"]
    takes = entry["success"]
    if isinstance(takes, list):
        takes = {json.dumps(takes): entry.get("releases", released()["releases"])}
    for success, releases in takes.items():
        for release in releases:
            version = released()["releases"][release][-1]
            given = {status_in(operation, status, version) for status in statuses}
            assert given <= set(json.loads(success)), release


def test_every_version_that_a_release_can_ask_for_is_taken() -> None:
    assert {version for offered in released()["releases"].values() for version in offered} <= set(CALL_VERSIONS)
    assert len(released()["releases"]) >= 17


def test_a_name_that_no_release_has_is_still_refused() -> None:
    assert complaint("CreateCallRequest", {"surprise": 1})
    assert complaint("TextSource", {"speechRecognitionModelEndpointId": "x"})
    assert complaint("CreateCallRequest", {"mediaStreamingOptions": {"transportType": "carrier pigeon"}})


@pytest.mark.parametrize(
    ("schema", "body", "taken"),
    [
        (
            "StartCallRecordingRequest",
            {"externalStorage": {"recordingStorageKind": "AzureBlobStorage"}, "recordingFormatType": "WAV"},
            {"externalStorage": {"recordingStorageKind": "azureBlobStorage"}, "recordingFormatType": "wav"},
        ),
        (
            "CreateCallRequest",
            {"mediaStreamingOptions": {"audioFormat": "Pcm24KMono"}, "cognitiveServicesEndpoint": "https://a"},
            {
                "mediaStreamingOptions": {"audioFormat": "pcm24KMono"},
                "callIntelligenceOptions": {"cognitiveServicesEndpoint": "https://a"},
            },
        ),
        (
            "AddParticipantRequest",
            {"participantToAdd": {"microsoftTeamsUser": {"userId": "A", "cloud": "PUBLIC"}}},
            {"participantToAdd": {"microsoftTeamsUser": {"userId": "A", "cloud": "public"}}},
        ),
        (
            "CreateCallRequest",
            {"transcriptionOptions": {"speechRecognitionModelEndpointId": "m", "locales": ["de-DE", "en-US"]}},
            {"transcriptionOptions": {"speechModelEndpointId": "m", "locales": ["de-DE", "en-US"], "locale": "de-DE"}},
        ),
        (
            "StartTranscriptionRequest",
            {"locale": "en-US", "speechRecognitionModelEndpointId": "m"},
            {"locale": "en-US", "speechModelEndpointId": "m"},
        ),
        ("SendDtmfTonesRequest", {"tones": ["One", "POUND"]}, {"tones": ["one", "pound"]}),
        ("RejectCallRequest", {"callRejectReason": "Busy"}, {"callRejectReason": "busy"}),
        ("RejectCallRequest", {"callRejectReason": "tired"}, {"callRejectReason": "tired"}),
    ],
)
def test_an_older_name_or_spelling_is_read_as_the_newest(
    schema: str, body: dict[str, Any], taken: dict[str, Any]
) -> None:
    assert in_newest_version(schema, body) == taken


@pytest.mark.parametrize(
    ("version", "status"),
    [("2023-06-15-preview", 202), ("2023-10-15", 200), ("2026-03-12", 200)],
)
def test_mute_is_answered_as_the_version_has_it(version: str, status: int) -> None:
    assert status_in("CallConnection_Mute", 200, version) == status


@pytest.mark.parametrize(
    ("version", "status"),
    [("2025-05-15", 200), ("2025-06-15", 202), ("2025-08-15-preview", 202), ("2026-03-12", 202)],
)
def test_a_recording_that_is_yet_to_start_is_202_where_clients_take_that(version: str, status: int) -> None:
    assert status_in("CallRecording_StartRecording", 202, version) == status
