"""The page to click on for the HTTP API: its OpenAPI document, as the vendored Swagger UI shows it.

It has no key: who tries a request out types one of their own, and the page forgets it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from shared.web.console.exchange import Reply
from shared.web.console.rendering import HEADERS, rendered


def api_page() -> Reply:
    """The page."""
    return rendered("api.html")


def api_document(document: Mapping[str, Any]) -> Reply:
    """What it shows, for those who are signed in: `/api/openapi.json` itself needs a function key."""
    return Reply(200, json.dumps(document), "application/json", HEADERS)
