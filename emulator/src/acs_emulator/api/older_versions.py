"""What released SDKs send otherwise than the newest version of the API has it, and how it is taken.

The service takes every version that it has published; its newest description says nothing of the older ones. What
stands here comes from the models of all released Python and JavaScript SDKs: a test of the project compares the two.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

CALL_VERSIONS = (
    "2023-03-06",
    "2023-06-15-preview",
    "2023-10-03-preview",
    "2023-10-15",
    "2024-01-22-preview",
    "2024-04-15",
    "2024-06-15-preview",
    "2024-09-01-preview",
    "2024-09-15",
    "2024-11-15-preview",
    "2025-03-30-preview",
    "2025-05-15",
    "2025-06-15",
    "2025-08-15-preview",
    "2026-03-12",
)
"""Versions of Call Automation that are accepted: all published since 1.0 of the SDKs."""

IDENTITY_VERSIONS = ("2021-03-07", "2022-06-01", "2022-10-01", "2023-10-01", "2025-06-30")
"""Versions of the identity service that its clients know."""

_RENAMED = {
    "speechRecognitionModelEndpointId": "speechModelEndpointId",
    "cognitiveServicesEndpoint": "callIntelligenceOptions.cognitiveServicesEndpoint",
}
"""Where the newest version has what an older one called so (2024-06-15-preview, 2023-06-15-preview)."""

_TEXT: dict[str, Any] = {"type": "string"}
_TEXTS: dict[str, Any] = {"type": "array", "items": _TEXT}
_SWITCH: dict[str, Any] = {"type": "boolean"}
_REDACTION: dict[str, Any] = {
    "type": "object",
    "properties": {"enable": _SWITCH, "redactionType": {"type": "string", "enum": ["maskWithCharacter"]}},
}
_SUMMARY: dict[str, Any] = {"type": "object", "properties": {"enableEndCallSummary": _SWITCH, "locale": _TEXT}}
_SPEECH: dict[str, Any] = {
    "enableSentimentAnalysis": _SWITCH,
    "piiRedactionOptions": _REDACTION,
    "summarizationOptions": _SUMMARY,
}
_PREVIEWED: dict[str, dict[str, Any]] = {
    "AnswerCallRequest": {"enableLoopbackAudio": _SWITCH},
    "ConnectRequest": {"enableLoopbackAudio": _SWITCH},
    "CreateCallRequest": {"enableLoopbackAudio": _SWITCH},
    "RecognizeOptions": {"enableSentimentAnalysis": _SWITCH, "speechLanguages": _TEXTS},
    "StartTranscriptionRequest": {"locales": _TEXTS, **_SPEECH},
    "TranscriptionOptions": {"locales": _TEXTS, **_SPEECH},
    "UpdateTranscriptionRequest": _SPEECH,
}
"""Properties of 2025-08-15-preview, by definition. They are taken and have no effect, but for `locales`."""

SUMMARIZE_CALL = "SummarizeCallRequest"
_DEFINITIONS: dict[str, Any] = {
    SUMMARIZE_CALL: {
        "type": "object",
        "properties": {"operationContext": _TEXT, "operationCallbackUri": _TEXT, "summarizationOptions": _SUMMARY},
        "additionalProperties": False,
    }
}
"""Bodies that the newest version does not have."""

_STATUSES: dict[str, dict[int, tuple[int, tuple[str, ...]]]] = {
    "CallConnection_Mute": {200: (202, ("2023-06-15-preview",))},
    "CallRecording_StartRecording": {202: (200, CALL_VERSIONS[: CALL_VERSIONS.index("2025-06-15")])},
}
"""By operation and status of today: what it was in which versions, whose SDKs take nothing else."""


def status_in(operation: str, status: int, version: str | None) -> int:
    """The status of a response as the api-version of the request has it."""
    older, versions = _STATUSES.get(operation, {}).get(status, (status, ()))
    return older if version in versions else status


def extended(definitions: Mapping[str, Any]) -> dict[str, Any]:
    """The definitions of the newest version with what the others have beside them."""
    result = {**definitions, **_DEFINITIONS}
    for name, more in _PREVIEWED.items():
        result[name] = {**result[name], "properties": {**result[name]["properties"], **more}}
    return result


def in_newest(body: dict[str, Any], schema: str, definitions: Mapping[str, Any]) -> dict[str, Any]:
    """The body in the names and spellings of the newest version; what is unknown stays as it is.

    Names of older versions are replaced, and the values of enums are spelled as published: the service compares them
    without case, as do the SDKs (Python sends `AzureBlobStorage` and `PUBLIC`, samples send `Pcm24KMono`).
    """
    return dict(_read(body, {"$ref": f"#/definitions/{schema}"}, definitions))


def _read(value: Any, schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> Any:
    while "$ref" in schema:
        schema = definitions[schema["$ref"].rpartition("/")[2]]
    for part in schema.get("allOf", ()):
        value = _read(value, part, definitions)
    if isinstance(value, dict):
        known = schema.get("properties", {})
        other = schema.get("additionalProperties")
        rest = other if isinstance(other, dict) else {}
        named = {name: _read(item, known.get(name, rest), definitions) for name, item in value.items()}
        return _renamed(named, known)
    if isinstance(value, list):
        return [_read(item, schema.get("items", {}), definitions) for item in value]
    if isinstance(value, str) and "enum" in schema:
        return next((one for one in schema["enum"] if one.casefold() == value.casefold()), value)
    return value


def _renamed(given: dict[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
    for old, path in _RENAMED.items():
        new, _, inner = path.partition(".")
        if old not in given or old in known or new not in known:
            continue
        value = given.pop(old)
        if not inner:
            given.setdefault(new, value)
        elif isinstance(given.setdefault(new, {}), dict):
            given[new].setdefault(inner, value)
    locales = given.get("locales")
    if "locales" in known and "locale" not in given and isinstance(locales, list) and locales:
        given["locale"] = locales[0]
    return given
