"""The published description, and what it says of one answer, one callback, one Event Grid event."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

import fastjsonschema

import acs_emulator
from acs_emulator.api.routes import OPERATIONS

ROOT = Path(__file__).resolve().parents[4]
#: Derived from the published description, in the package.
DERIVED = Path(acs_emulator.__file__).parent / "api" / "schemas" / "callautomation.json"
#: The published description itself, where it is at hand.
PUBLISHED = ROOT.parent / "shared" / "reference" / "openapi"
#: Published, and answered with 501: from the emulator's own table.
NOT_EMULATED = frozenset(operation.id for operation in OPERATIONS if operation.handler is None)

_PREFIX = "Microsoft.Communication."
#: Properties that recorded callbacks carry beyond the description.
RECORDED_EXTRAS = frozenset({"version", "publicEventType", "eventSource", "resultInformation"})
#: Recorded callbacks that the description does not have; their data is the common part.
RECORDED_TYPES = frozenset({"HoldAudioStarted", "HoldAudioPaused", "HoldAudioResumed", "HoldAudioCompleted"})
_COMMON = "PlayCompleted"
#: Envelope of a callback in the recorded order.
_ENVELOPE = ["id", "source", "type", "data", "time", "specversion", "datacontenttype", "subject"]
_GRID_ENVELOPE = ["id", "topic", "subject", "data", "eventType", "dataVersion", "metadataVersion", "eventTime"]
#: Statuses of refusals that the reference names.
REFUSALS = frozenset({400, 401, 403, 404, 405, 409, 412, 413, 415})


@functools.cache
def derived() -> dict[str, Any]:
    return dict(json.loads(DERIVED.read_text("utf-8")))


def emulated(operation_id: str) -> bool:
    """Whether the emulator carries the operation out."""
    return operation_id not in NOT_EMULATED


@functools.cache
def _validator(name: str, *, grid: bool = False) -> Any:
    definitions = (derived()["eventGrid"] if grid else derived())["definitions"]
    return fastjsonschema.compile({"$ref": f"#/definitions/{name}", "definitions": definitions}, use_default=False)


def _complaint(name: str, value: Any, *, grid: bool = False) -> list[str]:
    try:
        _validator(name, grid=grid)(value)
    except fastjsonschema.JsonSchemaValueException as error:
        return [f"{name}: {error.message}"]
    return []


def answer_complaints(operation_id: str, status: int, body: Any) -> list[str]:
    """What the description has against an answer; a refusal must be a known status with the error body."""
    operation = derived()["operations"].get(operation_id)
    if operation is None:
        return []
    answers = operation["answers"]
    if str(status) in answers:
        schema = answers[str(status)]
        if schema is None:
            return [] if body is None else [f"{operation_id} {status}: a body where none is published"]
        return [f"{operation_id} {status}: {text}" for text in _complaint(schema, body)]
    if status not in REFUSALS and not (status == 501 and not emulated(operation_id)):
        return [f"{operation_id}: undocumented status {status}"]
    return [f"{operation_id} {status}: {text}" for text in _complaint(answers["default"], body)]


def callback_complaints(event: dict[str, Any]) -> list[str]:
    """What the description, and the recorded envelope, have against one callback event."""
    kind, data = event["type"].removeprefix(_PREFIX), event["data"]
    complaints = []
    if list(event) != _ENVELOPE:
        complaints.append(f"{kind}: envelope {list(event)}")
    if data.get("publicEventType") != event["type"]:
        complaints.append(f"{kind}: publicEventType {data.get('publicEventType')}")
    if kind in RECORDED_TYPES:
        return complaints + _complaint(_COMMON, {k: v for k, v in data.items() if k not in RECORDED_EXTRAS})
    schema = derived()["events"].get(kind)
    if schema is None:
        return [*complaints, f"{kind}: not a published type"]
    known = derived()["definitions"][schema]["properties"]
    bare = {name: value for name, value in data.items() if name in known or name not in RECORDED_EXTRAS}
    choice = bare.get("choiceResult")
    if isinstance(choice, dict) and choice.get("recognizedPhrase", "") is None:
        # Documented: null when the choice was made by key; the description has no null at all.
        bare["choiceResult"] = {name: value for name, value in choice.items() if name != "recognizedPhrase"}
    return complaints + [f"{kind}: {text}" for text in _complaint(schema, bare)]


def grid_complaints(event: dict[str, Any]) -> list[str]:
    """What the description has against one event in the Event Grid schema."""
    kind = event["eventType"].removeprefix(_PREFIX)
    if kind == "Microsoft.EventGrid.SubscriptionValidationEvent":
        return []
    complaints = [] if list(event) == _GRID_ENVELOPE else [f"{kind}: envelope {list(event)}"]
    schema = derived()["eventGrid"]["events"].get(kind)
    if schema is None:
        return [*complaints, f"{kind}: not a published type"]
    return complaints + [f"{kind}: {text}" for text in _complaint(schema, event["data"], grid=True)]


def log_complaints(requests: list[dict[str, Any]], deliveries: list[dict[str, Any]]) -> list[str]:
    """Everything against what an emulator has answered and delivered, from its two logs."""
    complaints: list[str] = []
    for entry in requests:
        if entry["operationId"] and entry["status"] is not None:
            complaints += answer_complaints(entry["operationId"], entry["status"], entry["answer"])
    for delivery in deliveries:
        check = callback_complaints if delivery["kind"] == "callback" else grid_complaints
        for event in delivery["body"]:
            complaints += check(event)
    return complaints
