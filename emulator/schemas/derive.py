"""Derive the request schemas from the published OpenAPI description.

    python -m emulator.schemas.derive PATH-TO-SPECIFICATION-FOLDER

The folder is ``specification/`` of Azure/azure-rest-api-specs (MIT licence). Descriptions, examples and
``x-ms-`` extensions are left out; what remains is the request side of the stable version as JSON Schema.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

VERSION = "2026-03-12"
SPEC = f"communication/data-plane/CallAutomation/stable/{VERSION}/communicationservicescallautomation.json"
TARGET = Path(__file__).with_name("callautomation.json")
_KEPT = ("type", "required", "properties", "items", "enum", "minimum", "maximum", "additionalProperties", "$ref")
_INT32 = {"minimum": -(2**31), "maximum": 2**31 - 1}
#: A base type of the description is replaced by its only published subtype (the discriminator's one value).
_SUBTYPES = {
    "MediaStreamingOptions": "WebSocketMediaStreamingOptions",
    "TranscriptionOptions": "WebSocketTranscriptionOptions",
}


def derive(root: Path) -> dict[str, Any]:
    """The schema file's content: definitions, and the request schema's name by operation id."""
    spec = json.loads((root / SPEC).read_text("utf-8"))
    sources = {str((root / SPEC).resolve()): spec}
    definitions: dict[str, Any] = {}

    def resolve(reference: str, file: Path) -> str:
        place, _, name = reference.partition("#/definitions/")
        path = (file.parent / place).resolve() if place else file
        document = sources.setdefault(str(path), json.loads(path.read_text("utf-8")))
        if name in definitions:
            return name
        definition = document["definitions"][name]
        if set(definition) <= {"$ref", "description"}:
            return resolve(definition["$ref"], path)
        definitions[name] = {}
        subtype = document["definitions"].get(_SUBTYPES.get(name, ""))
        if subtype:
            definition = {**definition, "properties": {**definition["properties"], **subtype["properties"]}}
        definitions[name] = strip(definition, path)
        return name

    def strip(node: Any, file: Path) -> Any:
        if "$ref" in node:
            return {"$ref": f"#/definitions/{resolve(node['$ref'], file)}"}
        kept = {key: value for key, value in node.items() if key in _KEPT}
        if "properties" in kept:
            kept["properties"] = {name: strip(value, file) for name, value in kept["properties"].items()}
        for key in ("items", "additionalProperties"):
            if isinstance(kept.get(key), dict):
                kept[key] = strip(kept[key], file)
        if node.get("format") == "int32":
            kept = {**_INT32, **kept}
        return kept

    requests: dict[str, str] = {}
    for path in spec["paths"].values():
        for operation in path.values():
            body = [p for p in operation.get("parameters", ()) if p.get("in") == "body"]
            if body:
                requests[operation["operationId"]] = resolve(body[0]["schema"]["$ref"], (root / SPEC).resolve())
    return {
        "source": f"Azure/azure-rest-api-specs, specification/{SPEC}, request schemas only, descriptions removed",
        "licence": "MIT, Copyright (c) Microsoft Corporation",
        "requests": dict(sorted(requests.items())),
        "definitions": dict(sorted(definitions.items())),
    }


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    TARGET.write_text(json.dumps(derive(Path(arguments[0])), indent=1) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
