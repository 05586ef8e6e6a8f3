"""Telemetry lines as tests read them: found in a log, valid by the schema, and nothing about a person in them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

import jsonschema_rs

SCHEMA = Path(__file__).parents[1] / "docs" / "telemetry.schema.json"
A_NUMBER = re.compile(r"\+?\d{7,}")


@lru_cache(maxsize=1)
def schema() -> dict[str, Any]:
    return dict(json.loads(SCHEMA.read_text("utf-8")))


@lru_cache(maxsize=1)
def _validator() -> Any:
    return jsonschema_rs.validator_for(schema())


def found(messages: Iterable[str], event: str = "") -> list[dict[str, Any]]:
    """The lines among these messages, or those of one event; each is valid and names nobody."""
    lines = []
    for message in messages:
        _, prefix, text = message.partition("switchboard {")
        if prefix:
            line = json.loads("{" + text)
            _validator().validate(line)
            texts = [str(value) for name, value in line.items() if isinstance(value, str) and name != "call"]
            assert not any(map(A_NUMBER.search, texts)), line
            lines.append(line)
    return [line for line in lines if not event or line["event"] == event]
