"""Writes the table of the control API in docs/emulator.md from its OpenAPI document.

python -m emulator.tools.control_table
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from acs_emulator.api.control_document import COMPONENTS, DESCRIBED, Described

PAGE = Path(__file__).parents[2] / "docs" / "emulator.md"
#: What has a section of its own on the page: named, not spelled out.
NAMED = {"Step": "step", "FaultRule": "fault", "Fault": "fault"}
HEAD = "| request | does | takes | gives |\n|---|---|---|---|\n"


def shape(schema: dict[str, Any]) -> str:
    """A schema in short: `{name, optional?, list: [{…}]}`; what has no properties is empty."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return NAMED.get(name) or shape(COMPONENTS[name])
    if "oneOf" in schema:
        return shape(schema["oneOf"][0])
    if schema.get("type") == "array":
        inner = shape(schema["items"])
        return f"[{inner}]" if inner else ""
    if "properties" not in schema:
        return ""
    parts = []
    for name, value in schema["properties"].items():
        optional = "" if name in schema.get("required", ()) else "?"
        inner = shape(value)
        parts.append(f"{name}{optional}{f': {inner}' if inner else ''}")
    return f"{{{', '.join(parts)}}}"


def row(method: str, path: str, described: Described) -> str:
    query = "&".join(f"{name}=" for name in described.query)
    takes = shape(described.body) if described.body else ""
    gives = shape(described.response)
    status = "" if described.status == 200 else f"{described.status} "
    cells = (f"`{method} {path}{f'?{query}' if query else ''}`", described.summary, _code(takes), status + _code(gives))
    return f"| {' | '.join(cells)} |"


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


def page() -> str:
    """The page as it should be."""
    before, head, after = PAGE.read_text("utf-8").partition(HEAD)
    rows = "".join(f"{row(method, path, described)}\n" for (method, path), described in DESCRIBED.items())
    return before + head + rows + re.sub(r"\A(\|.*\n)*", "", after)


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
