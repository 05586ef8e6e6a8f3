"""What the pipeline asks of the world around it: a source of files, an archive, a ledger, a queue."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Annotated, Any, Protocol

from pydantic import Field

from shared.errors import InvalidInput
from shared.recordings.record import RecordingRecord


class Download(Protocol):
    """A file on its way."""

    length: int | None
    """Bytes that the source promises; None: it does not say."""

    def __iter__(self) -> Iterator[bytes]:
        """The file in order, in blocks; goes on where it was cut off. SourceUnavailable."""


class Source(Protocol):
    """Where the service keeps recordings. Every method raises ForeignLocation before a request goes out."""

    def open(self, location: str) -> AbstractContextManager[Download]:
        """Begin to fetch a file. SourceUnavailable."""

    def metadata(self, location: str) -> dict[str, Any]:
        """A chunk's `acsmetadata` document. SourceUnavailable; UnreadableAudio if it is not JSON."""

    def delete(self, location: str) -> None:
        """Delete a file; one that is gone already is no error. SourceUnavailable."""


class ArchiveWriter(Protocol):
    """A file that is being written: nobody sees it before it is committed."""

    def write(self, block: bytes) -> None:
        """Append. StoreUnavailable."""

    def commit(self) -> int:
        """Make it visible, in place of what had the name; gives its length as the archive counts it."""


class Archive(Protocol):
    """Keeps files by name. Every method may raise StoreUnavailable."""

    def writer(self, name: str, content_type: str) -> ArchiveWriter:
        """Begin a file; what is never committed leaves no trace."""

    def read(self, name: str, start: int = 0) -> Iterator[bytes]:
        """A file from a byte on, in blocks. KeyError if there is none."""

    def length(self, name: str) -> int | None:
        """Its length; None if there is none."""

    def put_text(self, name: str, text: str) -> None:
        """Write a document, over what has the name."""

    def get_text(self, name: str) -> str:
        """A document. KeyError if there is none."""

    def put_newest(self, name: str, text: str, generation: int) -> bool:
        """Write a document, unless one of a later generation has the name; whether it was written."""

    def link(self, name: str, seconds: float) -> str:
        """An address at which anybody may read the file for so long."""

    def names(self, folder: str) -> list[str]:
        """The names that begin with `folder/`."""

    def remove(self, folder: str) -> None:
        """Remove every file whose name begins with `folder/`; none is no error."""


class Version(Protocol):
    """The state of a row that a change builds on; opaque."""


@dataclass(frozen=True, slots=True)
class ReportRow:
    """The headline of a report: what a list shows, and what other tools read from the table."""

    id: Annotated[str, Field(description="of the recording and its report")]
    call_id: str
    flow: str
    direction: str
    outcome: Annotated[str, Field(description="how the call ended, technically")]
    started_at: Annotated[int, Field(description="of the recording, Unix time in milliseconds")]
    created_at: Annotated[int, Field(description="of the report, Unix time in milliseconds")]
    seconds: Annotated[float, Field(description="of the recording; what the metrics mean stands in the report")]
    channels: int
    conversation_seconds: float | None
    silence_ratio: float | None
    overlap_ratio: float | None
    dead_air: int
    interruptions: int
    hold_seconds: float
    agent_talk_ratio: float | None
    flags: Annotated[tuple[str, ...], Field(description="codes of what somebody should look at")]
    score: Annotated[float | None, Field(description="0 to 100, of the first scorecard that gave a verdict")]
    passed: bool | None
    scorecard: str
    questions: Annotated[int, Field(description="of that scorecard")] = 0
    answered: Annotated[int, Field(description="of its questions")] = 0
    generation: Annotated[int, Field(description="of the report: the newest one counts")] = 0
    result: Annotated[str, Field(description="what the flow says came of the call")] = ""


class Ledger(Protocol):
    """Keeps the records of recordings and the rows of reports. Every method may raise StoreUnavailable."""

    def register(self, record: RecordingRecord) -> bool:
        """Write a new record; False if there is one with this id, which stays as it is."""

    def load(self, recording: str) -> tuple[RecordingRecord, Version]:
        """UnknownRecording."""

    def save(self, record: RecordingRecord, version: Version) -> Version:
        """Replace a record that is still at `version`; LostRace otherwise."""

    def listed(self, day: str, *, status: str = "", after: str = "") -> Iterator[RecordingRecord]:
        """The records of a day by id, from behind an id on."""

    def unsettled(self) -> Iterator[RecordingRecord]:
        """Records that are `unclaimed`, `waiting` or `archived`; those that cannot be read are left out, and logged."""

    def of_call(self, day: str, call_id: str, server_call_id: str) -> Iterator[RecordingRecord]:
        """The records of a day that are of this call, or of the conversation with this server call id."""

    def older(self, day: str) -> Iterator[str]:
        """Ids of recordings of the days before this one, oldest first."""

    def remove(self, recording: str) -> None:
        """Remove a record and its report's row; none is no error."""

    def put_report(self, row: ReportRow) -> bool:
        """Write a report's row, unless one of a later generation has its id; whether it was written."""

    def reports(self, day: str, *, after: str = "") -> Iterable[ReportRow]:
        """The rows of a day by id, from behind an id on."""


class RecordingQueue(Protocol):
    """Work to do, done once or more often."""

    def send(self, recording: str, chunk: int | None, *, delay: float = 0.0) -> None:
        """One chunk to fetch, or (None) a report to make, in so many seconds (at most 7 days)."""


def read_work(body: bytes) -> tuple[str, int | None]:
    """Recording and chunk (None: the report) in a message; InvalidInput if it is none."""
    try:
        message = json.loads(body)
        chunk = message["chunk"]
        return str(message["recording"]), None if chunk is None else int(chunk)
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        problem = f"cannot be read: {type(error).__name__}."
        raise InvalidInput("recording message", problem, "It needs recording and chunk.") from error
