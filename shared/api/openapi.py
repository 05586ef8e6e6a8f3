"""The OpenAPI document of the HTTP API, generated from the models."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from pydantic import BaseModel

from shared.api import models
from shared.api.models import ACTIONS, schema_of
from shared.calls.actions import Action

VERSION = "1.0.0"

_CALL_ID = {"name": "call_id", "in": "path", "required": True, "schema": {"type": "string"}}
_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "the same key does it once, however often it is sent",
    "schema": {"type": "string", "maxLength": 200},
}
_LIST_PARAMETERS = [
    {"name": "day", "in": "query", "description": "UTC day, 2026-11-23; default: today", "schema": {"type": "string"}},
    {"name": "status", "in": "query", "schema": {"enum": ["ringing", "connecting", "connected", "ended"]}},
    {"name": "number", "in": "query", "description": "raw id or E.164 of either side", "schema": {"type": "string"}},
    {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 500, "default": 100}},
    {"name": "after", "in": "query", "description": "`next` of the page before", "schema": {"type": "string"}},
]


@lru_cache(maxsize=1)
def openapi() -> dict[str, Any]:
    """The whole document, OpenAPI 3.1."""
    document = _Document()
    document.add(
        "/calls", "post", "placeCall", "Place or connect a call", models.PlaceCall, {201: models.Placed}, [_KEY]
    )
    document.add("/calls", "get", "listCalls", "List calls", None, {200: models.CallList}, _LIST_PARAMETERS)
    document.add("/calls/{call_id}", "get", "getCall", "A call at a glance", None, {200: models.CallView}, [_CALL_ID])
    document.add(
        "/calls/{call_id}/journal", "get", "getJournal", "Its journal", None, {200: models.JournalView}, [_CALL_ID]
    )
    document.add(
        "/calls/{call_id}/participants",
        "get",
        "getParticipants",
        "Who takes part",
        None,
        {200: models.ParticipantList},
        [_CALL_ID],
    )
    document.add(
        "/calls/{call_id}/signals/{name}",
        "post",
        "signal",
        "Give the flow something",
        models.Signal,
        {202: models.SignalTaken},
        [_CALL_ID, {**_CALL_ID, "name": "name"}, _KEY],
    )
    for name, kind in ACTIONS.items():
        summary = (kind.__doc__ or name).split("\n", 1)[0]
        document.add(
            f"/calls/{{call_id}}/actions/{name}",
            "post",
            name,
            summary,
            kind,
            {200: models.Done, 202: models.Done},
            [_CALL_ID, _KEY],
        )
    return document.finish()


class _Document:
    def __init__(self) -> None:
        self._paths: dict[str, dict[str, Any]] = {}
        self._schemas: dict[str, Any] = {}

    def add(
        self,
        path: str,
        method: str,
        operation: str,
        summary: str,
        request: type[BaseModel] | None,
        answers: dict[int, type[BaseModel]],
        parameters: list[dict[str, Any]],
    ) -> None:
        described: dict[str, Any] = {
            "operationId": operation,
            "summary": summary,
            "parameters": parameters,
            "responses": {
                str(status): {"description": (model.__doc__ or "").split("\n", 1)[0], "content": self._json(model)}
                for status, model in answers.items()
            },
        }
        described["responses"]["default"] = {
            "description": "an error",
            "content": {"application/problem+json": {"schema": self._reference(models.Problem)}},
        }
        if request is not None:
            described["requestBody"] = {"content": self._json(request)}
        self._paths.setdefault(path, {})[method] = described

    def finish(self) -> dict[str, Any]:
        return {
            "openapi": "3.1.0",
            "info": {"title": "Switchboard", "version": VERSION, "description": "Place, watch and steer calls."},
            "servers": [{"url": "/api"}],
            "security": [{"functionKey": []}],
            "paths": self._paths,
            "components": {
                "schemas": self._schemas,
                "securitySchemes": {"functionKey": {"type": "apiKey", "in": "header", "name": "x-functions-key"}},
            },
        }

    def _json(self, model: type[BaseModel]) -> dict[str, Any]:
        return {"application/json": {"schema": self._reference(model)}}

    def _reference(self, model: type[BaseModel]) -> dict[str, str]:
        schema = schema_of(model)
        self._schemas.update(schema.pop("$defs", {}))
        if issubclass(model, Action):
            # The path says which action it is.
            schema.get("properties", {}).pop("kind", None)
        self._schemas[model.__name__] = schema
        return {"$ref": f"#/components/schemas/{model.__name__}"}
