"""The do-not-record list, as the HTTP API has it."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from shared.calls.store.base import DoNotRecord
from shared.errors import InvalidInput
from shared.identifiers import Identifier
from shared.web.models import read


class NumberNotToRecord(BaseModel):
    """A number for the do-not-record list, or to look up there."""

    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_extra={"examples": [{"number": "+14255550123"}]})

    number: Identifier = Field(description="E.164, or a raw id")


class NumberListed(BaseModel):
    """Whether the number is on the do-not-record list now."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    listed: bool


class DoNotRecordService:
    """Adds, removes, looks up. Every request may be repeated. InvalidInput while the app has no such list.

    Args:
        numbers: the list; None: there is no key to hash numbers with.
    """

    def __init__(self, numbers: DoNotRecord | None) -> None:
        self._numbers = numbers

    def add(self, body: bytes) -> NumberListed:
        """Add a number to the list."""
        self._list().add(_number(body))
        return NumberListed(listed=True)

    def remove(self, body: bytes) -> NumberListed:
        """Remove a number from the list."""
        self._list().remove(_number(body))
        return NumberListed(listed=False)

    def check(self, body: bytes) -> NumberListed:
        """Look a number up."""
        return NumberListed(listed=self._list().holds_any([_number(body)]))

    def _list(self) -> DoNotRecord:
        if self._numbers is None:
            raise InvalidInput(
                "number",
                "cannot be listed: the app has no key to hash numbers with.",
                "Set NUMBER_HASH_KEY (make one with: openssl rand -base64 32).",
            )
        return self._numbers


def _number(body: bytes) -> str:
    return read(NumberNotToRecord, body).number.raw_id
