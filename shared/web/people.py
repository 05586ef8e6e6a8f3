"""Export and erasure of what is kept of a person, as the HTTP API has them."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from shared.identifiers import Identifier
from shared.web.queries import Position
from shared.web.times import iso_of

MOST_DAYS = 3660
"""Days that are looked through at most (our choice)."""


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PersonAsked(_Model):
    """Whose data is exported or erased."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        json_schema_extra={"examples": [{"number": "+14255550123"}, {"number": "+14255550123", "days": 30}]},
    )

    number: Identifier = Field(description="E.164, or a raw id")
    days: int | None = Field(
        None,
        ge=0,
        le=MOST_DAYS,
        description="also read the lists of so many days: for calls from before there was a hash key; "
        "default: none, without a hash key as many as calls are kept",
    )
    after: Position = Field("", description="`next` of the response before")


class Searched(_Model):
    """What was searched."""

    by_hash: bool = Field(description="calls were searched by the hash of the number; needs NUMBER_HASH_KEY")
    days: int = Field(description="days whose lists were read; 0: none")


class ExportedRecording(_Model):
    """A recording: its record, its report, and links to its files that expire."""

    record: dict[str, Any]
    report: dict[str, Any] | None
    files: dict[str, str]


class ExportedCall(_Model):
    """A call of the person. It may have data of others."""

    call_id: str
    started_at: int = Field(description="Unix time in milliseconds")
    started_at_iso: ClassVar[Any] = iso_of("started_at")
    call: dict[str, Any] | None = Field(description="null: the call is deleted, and its recordings are not")
    journal: tuple[dict[str, Any], ...]
    recordings: tuple[ExportedRecording, ...]
    streams: dict[str, str] = Field(description="files of its streams, and links to them")


class PersonExported(_Model):
    """A page of what is stored of a person."""

    calls: tuple[ExportedCall, ...]
    do_not_record: bool | None = Field(
        description="whether the number is on the do-not-record list; null: no such list"
    )
    use_cases: dict[str, dict[str, Any]] = Field(
        description="what each use case keeps of the number, on the first page; those that keep nothing are left out"
    )
    searched: Searched
    next: str | None = Field(description="`after` of the next page; null: this is the last")


class ErasedCall(_Model):
    """A call of the person, and whether it was erased."""

    call_id: str
    started_at: int = Field(description="Unix time in milliseconds")
    started_at_iso: ClassVar[Any] = iso_of("started_at")
    erased: bool
    recordings: int = Field(description="that were erased, with their reports")
    streams: int = Field(description="files that were erased")
    letters: int = Field(description="dead letters that were erased")
    stays: str = Field(description="what is left, and why; empty: nothing")


class PersonErased(_Model):
    """The receipt of a page of an erasure."""

    calls: tuple[ErasedCall, ...]
    use_cases: dict[str, int] = Field(
        description="how many things each use case erased, on the last page; those that kept nothing are left out"
    )
    searched: Searched
    stays: tuple[str, ...] = Field(description="what an erasure does not take, and why")
    complete: bool = Field(
        description="this is the last page, and all its calls are erased; false: continue, or repeat later"
    )
    next: str | None = Field(description="`after` of the next page; null: this is the last")
