"""Derive the schemas of requests, answers and events from the published OpenAPI descriptions.

    python -m acs_emulator.api.schemas.derive PATH-TO-SPECIFICATION-FOLDER

The folder is ``specification/`` of Azure/azure-rest-api-specs (MIT licence). Descriptions, examples and
``x-ms-`` extensions are left out; what remains of the stable version is JSON Schema: the operations with their
requests and answers, the data of callbacks, and the data of Event Grid's call events.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

VERSION = "2026-03-12"
SPEC = f"communication/data-plane/CallAutomation/stable/{VERSION}/communicationservicescallautomation.json"
GRID = "eventgrid/data-plane/Microsoft.Communication/stable/2018-01-01/AzureCommunicationServices.json"
TARGET = Path(__file__).with_name("callautomation.json")
_KEPT = ("type", "required", "properties", "items", "enum", "minimum", "maximum", "additionalProperties", "$ref")
_INT32 = {"minimum": -(2**31), "maximum": 2**31 - 1}
#: A base type of the description is replaced by its only published subtype (the discriminator's one value).
_SUBTYPES = {
    "MediaStreamingOptions": "WebSocketMediaStreamingOptions",
    "TranscriptionOptions": "WebSocketTranscriptionOptions",
}


#: Event Grid's voice and video types; the name of their data follows from the type.
_GRID_TYPES = ("IncomingCall", "CallStarted", "CallEnded", "CallParticipantAdded", "CallParticipantRemoved")


class _Definitions:
    """The definitions that are referred to, gathered from one description and the files it refers to."""

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        self.spec = json.loads(path.read_text("utf-8"))
        self.kept: dict[str, Any] = {}
        self._sources = {self.path: self.spec}

    def add(self, reference: str, file: Path | None = None) -> str:
        """Keep what is referred to, and all that it refers to; its name."""
        file = file or self.path
        place, _, name = reference.partition("#/definitions/")
        path = (file.parent / place).resolve() if place else file
        if path not in self._sources:
            self._sources[path] = json.loads(path.read_text("utf-8"))
        document = self._sources[path]
        if name in self.kept:
            return name
        definition = document["definitions"][name]
        if set(definition) <= {"$ref", "description"}:
            return self.add(definition["$ref"], path)
        self.kept[name] = {}
        subtype = document["definitions"].get(_SUBTYPES.get(name, ""))
        if subtype:
            definition = {**definition, "properties": {**definition["properties"], **subtype["properties"]}}
        self.kept[name] = self._strip(definition, path)
        return name

    def _strip(self, node: Any, file: Path) -> Any:
        if "$ref" in node:
            return {"$ref": f"#/definitions/{self.add(node['$ref'], file)}"}
        kept = {key: value for key, value in node.items() if key in _KEPT}
        if "properties" in kept:
            kept["properties"] = {name: self._strip(value, file) for name, value in kept["properties"].items()}
        for key in ("items", "additionalProperties"):
            if isinstance(kept.get(key), dict):
                kept[key] = self._strip(kept[key], file)
        if "allOf" in node:
            kept["allOf"] = [self._strip(one, file) for one in node["allOf"]]
        if node.get("format") == "int32":
            kept = {**_INT32, **kept}
        return kept


def derive(root: Path) -> dict[str, Any]:
    """The schema file's content; its parts are named in the test of the published description."""
    calls, grid = _Definitions(root / SPEC), _Definitions(root / GRID)
    requests: dict[str, str] = {}
    operations: dict[str, Any] = {}
    for path, methods in calls.spec["paths"].items():
        for method, operation in methods.items():
            name = operation["operationId"]
            parameters = operation.get("parameters", ())
            body = [p for p in parameters if p.get("in") == "body"]
            if body:
                requests[name] = calls.add(body[0]["schema"]["$ref"])
            answers = {}
            for status, answer in operation["responses"].items():
                schema = answer.get("schema")
                answers[status] = calls.add(schema["$ref"]) if schema else None
            operations[name] = {
                "method": method.upper(),
                "path": path,
                "repeatable": any(p.get("name") == "Repeatability-Request-ID" for p in parameters),
                "answers": dict(sorted(answers.items())),
            }
    events = {name: calls.add(f"#/definitions/{name}") for name in calls.spec["definitions"] if _is_event(calls, name)}
    grid_events = {name: grid.add(f"#/definitions/Acs{name}EventData") for name in _GRID_TYPES}
    grid_events["RecordingFileStatusUpdated"] = grid.add("#/definitions/AcsRecordingFileStatusUpdatedEventData")
    return {
        "source": f"Azure/azure-rest-api-specs, specification/{SPEC} and specification/{GRID}, descriptions removed",
        "licence": "MIT, Copyright (c) Microsoft Corporation",
        "requests": dict(sorted(requests.items())),
        "operations": dict(sorted(operations.items())),
        "events": dict(sorted(events.items())),
        "definitions": dict(sorted(calls.kept.items())),
        "eventGrid": {"events": dict(sorted(grid_events.items())), "definitions": dict(sorted(grid.kept.items()))},
    }


def _is_event(calls: _Definitions, name: str) -> bool:
    """Callback data names its call; no other definition has both properties, except the state of a call."""
    properties = calls.spec["definitions"][name].get("properties", {})
    return {"callConnectionId", "serverCallId"} <= set(properties) and "callConnectionState" not in properties


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    TARGET.write_text(json.dumps(derive(Path(arguments[0])), indent=1) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
