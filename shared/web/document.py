"""The parts of the OpenAPI document that every family of routes is described with."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from shared.calls.actions import Action
from shared.web import models
from shared.web.models import MAX_KEY, schema_of
from shared.web.queries import DEFAULT_PAGE, MAX_PAGE, MAX_POSITION

VERSION = "1.0.0"

IDENTIFIER = {
    "title": "Identifier",
    "description": "a phone number as E.164, or a raw id",
    "type": "string",
    "examples": ["+14255550123", "4:+14255550123", "8:acs:…"],
    "pattern": "^(\\+[1-9][0-9]{1,14}|[^+].*:.*|:.*)$",
}
"""How an identifier is written in a request. The models read the service's identifier objects as well."""

KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "requests with the same key are carried out once",
    "schema": {"type": "string", "minLength": 1, "maxLength": MAX_KEY},
}
_POSITION = {"type": "string", "maxLength": MAX_POSITION}
PAGE = [
    {
        "name": "limit",
        "in": "query",
        "schema": {"type": "integer", "minimum": 1, "maximum": MAX_PAGE, "default": DEFAULT_PAGE},
    },
    {"name": "after", "in": "query", "description": "`next` of the page before", "schema": _POSITION},
]
PROBLEMS = {
    400: "the request is invalid: see `field` and `remedy`",
    401: "the function key is missing or wrong; a response of the host, without a body",
    403: "who asks may not do this: the token, or the page that it stands on, is not one of a site",
    404: "there is nothing of this id or name, or no such action",
    409: "it cannot be done as things stand: the call has ended or is not connected yet, the key was used for another "
    "request, or a switch is off",
    412: "it is no longer, or not, what If-Match or If-None-Match says",
    422: "the service or a brake of the app refused: see `code`",
    429: "a limit is reached; see Retry-After",
    502: "the service failed or did not respond: `code` is its own",
    503: "unavailable now; see Retry-After",
}


TAGS = {
    "/calls/{call_id}/actions": "Actions on a call",
    "/calls": "Calls",
    "/flows": "Flows",
    "/diagnostics": "Diagnostics",
    "/reports": "Recordings and reports",
    "/recordings": "Recordings and reports",
    "/notifications": "Dead letters",
    "/do-not-record": "Numbers that are never recorded",
    "/people": "Export and erasure",
    "/switches": "Switches",
    "/calendars": "Calendars",
    "/campaigns": "Campaigns",
    "/do-not-call": "Do-not-call list",
    "/evidence": "Do-not-call list",
    "/click": "Call-me button",
    "/orders": "Orders",
    "/masking": "Masked numbers",
    "/cases": "Hand-off",
    "/handoff": "Hand-off",
}
"""How the document groups routes, by the beginning of their path; the first that fits."""


def _tag(path: str) -> str:
    return next(name for begin, name in TAGS.items() if path.startswith(begin))


class Document:
    """An OpenAPI 3.1 document that is put together route by route."""

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
        responses: dict[int, type[BaseModel]],
        parameters: list[dict[str, Any]],
        problems: tuple[int, ...],
        *,
        example: Any = None,
    ) -> None:
        """Describe a route.

        Args:
            request: the model of its body; None: it takes none.
            responses: the models of its bodies, by status.
            problems: the statuses of errors that it may have, of `PROBLEMS`.
            example: of the body.
        """
        described: dict[str, Any] = {
            "operationId": operation,
            "tags": [_tag(path)],
            "summary": summary,
            "parameters": parameters,
            "responses": {
                str(status): {
                    "description": (model.__doc__ or "").split("\n", 1)[0],
                    "content": {"application/json": {"schema": self._reference(model, response=True)}},
                }
                for status, model in responses.items()
            },
        }
        error = {"application/problem+json": {"schema": self._reference(models.Problem, response=True)}}
        for status in problems:
            described["responses"][str(status)] = {"description": PROBLEMS[status]}
            if status != 401:
                described["responses"][str(status)]["content"] = error
        described["responses"]["default"] = {"description": "any other error", "content": error}
        if request is not None:
            body: dict[str, Any] = {"schema": self._reference(request)}
            if example is not None:
                body["example"] = example
            required = bool({"required", "oneOf"} & set(self._schemas[request.__name__]))
            described["requestBody"] = {"required": required, "content": {"application/json": body}}
        self._paths.setdefault(path, {})[method] = described

    def no_content(self, path: str, method: str, description: str) -> None:
        """Declare that a path responds without a body."""
        self._paths[path][method]["responses"]["204"] = {"description": description}

    def public(self, path: str, method: str) -> None:
        """Declare that a path needs no key."""
        self._paths[path][method]["security"] = []

    def html(self, path: str, description: str) -> None:
        """Declare that a path responds with a page."""
        self.text(path, "text/html", description)

    def text(self, path: str, media_type: str, description: str) -> None:
        """Declare that a path responds with a text."""
        content = {media_type: {"schema": {"type": "string"}}}
        self._paths[path]["get"]["responses"]["200"] = {"description": description, "content": content}

    def takes_text(self, path: str, method: str, media_type: str) -> None:
        """Declare that a path takes a text."""
        content = {media_type: {"schema": {"type": "string"}}}
        self._paths[path][method]["requestBody"] = {"required": True, "content": content}

    def finish(self) -> dict[str, Any]:
        """The whole document."""
        return {
            "openapi": "3.1.0",
            "info": {"title": "Switchboard", "version": VERSION, "description": "Place, watch and control calls."},
            "servers": [{"url": "/api"}],
            "security": [{"functionKey": []}],
            "tags": [{"name": name} for name in dict.fromkeys(map(_tag, self._paths))],
            "paths": self._paths,
            "components": {
                "schemas": self._schemas,
                "securitySchemes": {"functionKey": {"type": "apiKey", "in": "header", "name": "x-functions-key"}},
            },
        }

    def _reference(self, model: type[BaseModel], *, response: bool = False) -> dict[str, str]:
        schema = schema_of(model, response=response)
        self._schemas |= schema.pop("$defs", {})
        if "Identifier" in self._schemas:
            self._schemas["Identifier"] = IDENTIFIER
        if issubclass(model, Action):
            _as_a_body(schema)
        self._schemas[model.__name__] = schema
        return {"$ref": f"#/components/schemas/{model.__name__}"}


def _as_a_body(schema: dict[str, Any]) -> None:
    """An action in a request: the path says which it is, and the participant is the other side by default."""
    schema["properties"]["kind"]["description"] = "the action, as in the path; may be left out"
    if "participant" in schema["properties"]:
        schema["required"].remove("participant")
        if not schema["required"]:
            del schema["required"]
        participant = schema["properties"]["participant"]
        schema["properties"]["participant"] = {**participant, "description": "default: the other side of the call"}
