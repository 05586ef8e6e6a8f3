"""Holds every answer of the HTTP API against its OpenAPI document."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import azure.functions as func
import jsonschema_rs

from shared.web.openapi import openapi


def described(method: str, url: str) -> dict[str, Any] | None:
    """The operation of the document that a request is for; None for requests that are none of the API's."""
    path = urlsplit(url).path.removeprefix("/api")
    for template, operations in openapi()["paths"].items():
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path) and method.lower() in operations:
            operation: dict[str, Any] = operations[method.lower()]
            return operation
    return None


def assert_described(method: str, url: str, answer: func.HttpResponse) -> None:
    """Pass if the document says that this request may get this answer."""
    operation = described(method, url)
    if operation is None:
        return
    responses = operation["responses"]
    status = str(answer.status_code)
    assert status in responses or status >= "500", f"{method} {url} answers {status}, which is not described"
    content = responses.get(status, responses["default"]).get("content")
    if content is None:
        assert not answer.get_body()
        return
    assert answer.mimetype in content
    if answer.mimetype.endswith("json"):
        validator(content[answer.mimetype]["schema"]["$ref"]).validate(json.loads(answer.get_body()))


@cache
def validator(reference: str) -> jsonschema_rs.Draft202012Validator:
    """Judges by one schema of the document."""
    return jsonschema_rs.Draft202012Validator({"$ref": reference, "components": openapi()["components"]})
