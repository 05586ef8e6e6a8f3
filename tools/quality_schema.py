"""Writes docs/quality-report.schema.json: what a quality report looks like, as JSON Schema."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from shared.quality.report import Report

PAGE = Path(__file__).parents[1] / "docs" / "quality-report.schema.json"


def schema() -> dict[str, Any]:
    """The schema of a report as it is written: every field is there, whatever its value."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Report.model_json_schema(mode="serialization"),
        "title": "Switchboard quality report",
    }


def page() -> str:
    """The schema as it stands in the file."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
