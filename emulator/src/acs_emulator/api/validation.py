"""Request bodies against the published schemas."""

from __future__ import annotations

import copy
import functools
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import fastjsonschema

from acs_emulator.api.older_versions import SUMMARIZE_CALL, extended, in_newest
from acs_emulator.core.errors import BadRequest, ServiceError

_SCHEMAS = Path(__file__).parent / "schemas" / "callautomation.json"


def is_absolute(url: str, *schemes: str) -> bool:
    """Whether it is a URL in ASCII with one of these schemes and a host."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in schemes and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        return False
    return usable and url.isascii() and not any(character <= " " for character in url)


def read_json(body: bytes, content_type: str) -> dict[str, Any]:
    """A JSON object. Raises ServiceError 415 for another media type, BadRequest for anything else."""
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type != "application/json" and not media_type.endswith("+json"):
        raise ServiceError(415, "UnsupportedMediaType", "The Content-Type must be application/json.")
    value = parse_json(body)
    if not isinstance(value, dict):
        raise BadRequest("The request body must be a JSON object.")
    try:
        return dict(_without_nulls(value))
    except RecursionError as error:
        raise BadRequest("The request body is nested too deeply.") from error


def _without_nulls(value: Any) -> Any:
    """A property that is null counts as left out, as JSON readers of .NET take it. Chosen."""
    if isinstance(value, dict):
        return {name: _without_nulls(item) for name, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    return value


def parse_json(body: bytes) -> Any:
    """Any JSON value. Raises BadRequest."""
    try:
        return json.loads(body, parse_constant=_no_constants)
    except (ValueError, RecursionError) as error:
        raise BadRequest("The request body is not valid JSON.") from error


def _no_constants(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def in_newest_version(schema: str, body: dict[str, Any]) -> dict[str, Any]:
    """A body that may come from any released SDK, as the newest version of the API has it. Raises BadRequest."""
    try:
        return in_newest(body, schema, definitions(loose=False))
    except RecursionError as error:
        raise BadRequest("The request body is nested too deeply.") from error


def check(schema: str, body: dict[str, Any], *, loose: bool = False) -> None:
    """Raise BadRequest, naming the field, unless the body fits the schema. Loose allows unknown fields."""
    try:
        _validator(schema, loose)(body)
    except fastjsonschema.JsonSchemaValueException as error:
        field, message = _explain(error)
        raise BadRequest(message, field) from error
    except RecursionError as error:
        raise BadRequest("The request body is nested too deeply.") from error


@functools.cache
def definitions(*, loose: bool) -> dict[str, Any]:
    """What requests are held to: the newest version, and what released SDKs send beside it."""
    found = extended(json.loads(_SCHEMAS.read_text("utf-8"))["definitions"])
    if loose:
        found = copy.deepcopy(found)
        for definition in found.values():
            if definition.get("additionalProperties") is False:
                del definition["additionalProperties"]
    return found


@functools.cache
def request_schemas() -> dict[str, str]:
    """The schema's name by operation id."""
    return {**json.loads(_SCHEMAS.read_text("utf-8"))["requests"], "CallMedia_SummarizeCall": SUMMARIZE_CALL}


@functools.cache
def _validator(schema: str, loose: bool) -> Any:
    # Compiled at first use: 4 to 7 ms each.
    definition = {"$ref": f"#/definitions/{schema}", "definitions": definitions(loose=loose)}
    return fastjsonschema.compile(definition, use_default=False)


def _explain(error: Any) -> tuple[str | None, str]:
    field = error.name.removeprefix("data").removeprefix(".")
    if error.rule == "required":
        missing = next(name for name in error.rule_definition if name not in error.value)
        field = f"{field}.{missing}" if field else missing
        return field, f"'{field}' is required."
    if error.rule == "additionalProperties":
        known = error.definition.get("properties", {})
        extra = next((name for name in error.value if name not in known), "")
        field = f"{field}.{extra}" if field else extra
        return field, f"'{field}' is not a known property."
    reason = error.message.removeprefix(error.name).strip()
    return field or None, f"'{field}' {reason}." if field else f"The request body {reason}."
