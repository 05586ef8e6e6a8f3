"""The service's document about one chunk: `acsmetadata`, in the shape that was recorded of it.

It is read leniently: an invalid value is left out, and the rest is used.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from shared.errors import UnreadableAudio
from shared.events.values import read_time

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Pause:
    """The app paused the recording.

    Attributes:
        duration: in milliseconds.
    """

    start_time: datetime
    duration: float


@dataclass(frozen=True, slots=True)
class Member:
    """A recorded participant.

    Attributes:
        participant_id: the raw id.
        channel: in an unmixed recording.
    """

    participant_id: str
    channel: int | None = None


@dataclass(frozen=True, slots=True)
class ChunkMetadata:
    """The fields of the document that are used.

    Attributes:
        chunk_duration: in milliseconds.
        left_out: values that are there and could not be read.
    """

    chunk_start_time: datetime | None = None
    chunk_duration: float | None = None
    pause_resume_intervals: tuple[Pause, ...] = ()
    participants: tuple[Member, ...] = ()
    left_out: int = 0


def read_metadata(text: str) -> ChunkMetadata:
    """The document; UnreadableAudio if it is not a JSON object, without quoting it: it may have phone numbers."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise UnreadableAudio("acsmetadata", "is not JSON.") from None
    if not isinstance(document, Mapping):
        raise UnreadableAudio("acsmetadata", "is not a JSON object.")
    read = _Reading()
    return ChunkMetadata(
        chunk_start_time=read.value(document, "chunkStartTime", _time_or_never),
        chunk_duration=read.value(document, "chunkDuration", _milliseconds),
        pause_resume_intervals=tuple(read.entries(document, "pauseResumeIntervals", _pause)),
        participants=tuple(read.entries(document, "participants", read.member)),
        left_out=read.left_out,
    )


class _Reading:
    """Counts what it leaves out."""

    def __init__(self) -> None:
        self.left_out = 0

    def value(self, source: Mapping[str, Any], name: str, read: Callable[[Any], _T | None]) -> _T | None:
        """A value; None if it is missing or cannot be read."""
        found = source.get(name)
        return None if found in (None, "") else self._tried(found, read)

    def entries(self, source: Mapping[str, Any], name: str, read: Callable[[Any], _T]) -> Iterator[_T]:
        """The entries of a list that can be read."""
        found = source.get(name)
        if found is not None and not isinstance(found, list):
            self.left_out += 1
            return
        for entry in found or ():
            if (one := self._tried(entry, read)) is not None:
                yield one

    def member(self, entry: Any) -> Member:
        """A participant; one whose channel cannot be read is still one."""
        participant = entry["participantId"]
        if not isinstance(participant, str) or not participant:
            raise ValueError("participantId")
        participant.encode()  # a lone surrogate cannot be stored
        return Member(participant, self.value(entry, "channel", _channel))

    def _tried(self, found: Any, read: Callable[[Any], _T | None]) -> _T | None:
        try:
            return read(found)
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError):
            self.left_out += 1
            return None


def _time_or_never(value: Any) -> datetime | None:
    found = read_time(value)
    return None if found.year == 1 else found  # the service's "not yet" (recorded 2025)


def _milliseconds(value: Any) -> float:
    number = _number(value)
    if number < 0:
        raise ValueError("less than nothing")
    return number


def _channel(value: Any) -> int:
    number = _number(value)
    if number != int(number) or not 0 <= number < 1000:
        raise ValueError("no channel")
    return int(number)


def _pause(entry: Any) -> Pause:
    return Pause(read_time(entry["startTime"]), _milliseconds(entry["duration"]))


def _number(value: Any) -> float:
    """A number, possibly written as text."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise TypeError("no number")
    number = float(value)
    if not math.isfinite(number):
        raise ValueError("no finite number")
    return number
