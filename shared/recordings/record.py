"""What is known of a recording: one row of the ledger."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

Status = Literal["unclaimed", "foreign", "waiting", "archived", "reported", "failed"]
ChunkStatus = Literal["waiting", "archived", "failed"]

_ID = re.compile(r"(\d{4})(\d{2})(\d{2})-[0-9a-z]{1,64}", re.ASCII)


@dataclass(slots=True)
class ChunkRecord:
    """One file of a recording. Times are Unix time in milliseconds; 0: not yet.

    Attributes:
        reason: why it has not been archived yet, never will be, or is not (wholly) analysed; without addresses and
            numbers.
        attempts: downloads begun.
        leased_until: an instance downloads it, and has until then.
        holder: which one, by a mark of its own for each lease; empty: none.
        name: of the archived file in the container, its bytes as they came.
        seconds: of audio; 0 for formats that are not analysed.
        analysed: a signal document lies beside the archive.
        damaged: what came is no recording, or less than its own header promises: a replay fetches it again, and it is
            never deleted at the source.
        deleted: gone at the source, because the settings say so.
    """

    index: int
    document_id: str
    content_location: str
    metadata_location: str
    delete_location: str
    status: ChunkStatus = "waiting"
    reason: str = ""
    attempts: int = 0
    leased_until: int = 0
    holder: str = ""
    name: str = ""
    bytes: int = 0
    seconds: float = 0.0
    analysed: bool = False
    damaged: bool = False
    deleted: bool = False


@dataclass(slots=True)
class RecordingRecord:
    """One recording. Times are Unix time in milliseconds; 0: not yet.

    Attributes:
        id: the app's own, safe in URLs and logs: the day it began and a hash, `20261123-5d41402abc4b2a76b9719d91`.
        status: `waiting` for files, `archived` when all files are settled, then `reported`; `failed` is the poison
            record: nothing more happens until somebody replays it. `unclaimed`: no call of this app is known for it
            yet, so nothing is fetched; `foreign`: none became known while the service kept its files.
        reason: why it waits or failed, in plain words.
        call_id: the call, when the app knows it.
        format: of the files, in small letters: what the event says, then what they are; empty: not known yet.
        announced_at: when the file event was published.
        deadline: when the downloads are given up.
        generation: grows when what the report is made from changes: a file comes that the last one had not, or
            somebody has it done again. A report counts if it is of this generation; what was begun for an older one
            is late, and dropped.
        attempts: reports of this generation that were begun.
        leased_until: an instance makes the report, and has until then.
        holder: which one, by a mark of its own for each lease; empty: none.
        note: what a reader of the report should know.
        untold: the report of this generation is kept, but other systems have not been told of it yet.
        mark: of the last change, by which its writer knows it again when the storage's response was lost.
    """

    id: str
    recording_id: str
    server_call_id: str
    call_id: str = ""
    status: Status = "waiting"
    reason: str = ""
    channel_type: str = "unmixed"
    format: str = ""
    content_type: str = "audio"
    end_reason: str = ""
    started_at: int = 0
    duration_ms: int = 0
    announced_at: int = 0
    deadline: int = 0
    updated_at: int = 0
    reported_at: int = 0
    generation: int = 0
    attempts: int = 0
    leased_until: int = 0
    holder: str = ""
    note: str = ""
    untold: bool = False
    mark: str = ""
    chunks: list[ChunkRecord] = field(default_factory=list)

    def start_over(self) -> None:
        """Begin a new generation: it waits for its files, and then for a report of its own."""
        self.generation += 1
        self.status, self.reason, self.note, self.untold = "waiting", "", "", False
        self.attempts, self.leased_until, self.holder = 0, 0, ""

    @property
    def day(self) -> str:
        """The UTC day in the id: `2026-11-23`; the partition that the record lies in."""
        return day_of_id(self.id)

    @property
    def folder(self) -> str:
        """Where its files lie in the container."""
        return f"{self.day}/{self.id}"


def kept_as(recording_id: str, began: datetime) -> str:
    """The app's own id of a recording.

    Args:
        recording_id: the service's.
        began: when it began.
    """
    return f"{began.astimezone(UTC):%Y%m%d}-{hashlib.sha256(recording_id.encode()).hexdigest()[:24]}"


def day_of_id(recording: str) -> str:
    """The day in a recording's id; empty if it is none."""
    match = _ID.fullmatch(recording)
    return "-".join(match.groups()) if match else ""


def report_name(recording: str) -> str:
    """The report's document in the container."""
    return f"{day_of_id(recording)}/{recording}/report.json"
