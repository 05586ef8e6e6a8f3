"""The search request of the HTTP API."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Any, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from shared.calls.store.base import By
from shared.errors import InvalidInput
from shared.identifiers import Identifier
from shared.web.queries import DEFAULT_PAGE, MAX_PAGE, Position


def _is_day(value: Any) -> Any:
    """Only one notation of a day, as in the list's query: pydantic would accept a number as a time, too."""
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value, re.ASCII):
        return value
    raise ValueError("is not a day; write 2026-11-23")


Day = Annotated[date, BeforeValidator(_is_day)]


class SearchCalls(BaseModel):
    """Calls by one of the service's ids or by a number, newest first. Give exactly one of them."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        json_schema_extra={
            "oneOf": [{"required": [name]} for name in get_args(By)],
            "examples": [
                {"number": "+14255550123", "since": "2026-11-01", "until": "2026-11-23"},
                {"server_call_id": "aHR0cHM6Ly9jb252…"},
            ],
        },
    )

    number: Identifier | None = Field(None, description="of a participant: E.164, or a raw id; needs NUMBER_HASH_KEY")
    server_call_id: str | None = Field(None, min_length=1, description="calls of one conversation may share it")
    correlation_id: str | None = Field(None, min_length=1, description="calls of one conversation may share it")
    connection_id: str | None = Field(None, min_length=1, description="of the call connection")
    recording_id: str | None = Field(None, min_length=1, description="the service's id of a recording of the call")
    since: Day | None = Field(None, description="first UTC day, 2026-11-23; default: any")
    until: Day | None = Field(None, description="last UTC day; default: any")
    limit: int = Field(DEFAULT_PAGE, ge=1, le=MAX_PAGE)
    after: Position = Field("", description="`next` of the page before")

    @property
    def key(self) -> tuple[By, str]:
        """What is searched for. InvalidInput unless it is exactly one thing."""
        names: tuple[By, ...] = get_args(By)
        given = [name for name in names if getattr(self, name) is not None]
        if len(given) != 1:
            problem = f"names {' and '.join(given)}." if given else "has none of the fields to search by."
            raise InvalidInput(given[1] if given else "body", problem, f"Give exactly one of {', '.join(names)}.")
        value = getattr(self, given[0])
        return given[0], value.raw_id if isinstance(value, Identifier) else value
