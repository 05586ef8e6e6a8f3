"""The service's document about one chunk: `acsmetadata`, in the shape that was recorded of it."""

from __future__ import annotations

from pydantic import ValidationError

from shared.errors import UnreadableAudio
from shared.events.values import TimeOrNever, WireModel


class Pause(WireModel):
    """The app paused the recording.

    Attributes:
        duration: in milliseconds.
    """

    start_time: TimeOrNever = None
    duration: float = 0.0


class Member(WireModel):
    """Somebody who was recorded.

    Attributes:
        participant_id: the raw id.
        channel: in an unmixed recording.
    """

    participant_id: str
    channel: int | None = None


class ChunkMetadata(WireModel):
    """What is used of the document.

    Attributes:
        chunk_duration: in milliseconds.
    """

    chunk_start_time: TimeOrNever = None
    chunk_duration: float | None = None
    pause_resume_intervals: tuple[Pause, ...] = ()
    participants: tuple[Member, ...] = ()


def read_metadata(text: str) -> ChunkMetadata:
    """The document; UnreadableAudio if it is none. It repeats nothing of it: there may be phone numbers inside."""
    try:
        return ChunkMetadata.model_validate_json(text)
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors()[0]["loc"]) or "document"
        raise UnreadableAudio(f"acsmetadata.{where}", error.errors()[0]["msg"]) from None
