"""A world for the pipeline: a service that can fail, a clock that is set by hand, and messages that can be dropped."""

from __future__ import annotations

import io
import wave
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from shared.errors import SourceUnavailable, TranscriptionFailed
from shared.events import RecordingFileStatusUpdated, parse_event_grid_event
from shared.notifications.errors import TopicUnavailable
from shared.recordings.base import Download
from shared.recordings.memory import MemoryArchive, MemoryLedger, MemoryRecordingQueue
from shared.recordings.pipeline import Options, Pipeline
from shared.recordings.record import RecordingRecord
from shared.recordings.report_job import Reporter

SERVER_CALL = "aHR0cHM6Ly9jb252LWV1d2UtMDQuc2t5cGUuY29t"
BEGAN = 1_795_421_600.0
"""2026-11-23 08:13:20 UTC, when the recording began; the file event comes a minute later."""


class Crash(BaseException):
    """The process dies here."""


def sound(seconds: float = 1.0, channels: int = 2) -> bytes:
    """A WAV of silence, 16 kHz, 16-bit."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(bytes(round(seconds * 16_000) * channels * 2))
    return out.getvalue()


class Blocks:
    """A download in blocks of 10 kB; `breaks` is raised in the middle."""

    def __init__(self, body: bytes, breaks: BaseException | None) -> None:
        self.length: int | None = len(body)
        self._body = body
        self._breaks = breaks

    def __iter__(self) -> Iterator[bytes]:
        for at in range(0, len(self._body), 10_000):
            if self._breaks is not None and at >= len(self._body) // 2:
                raise self._breaks
            yield self._body[at : at + 10_000]


class Service:
    """A source. What it does wrong next is taken from `wrong`: an exception to raise, or bytes to send instead."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files
        self.wrong: list[BaseException | bytes] = []
        self.opened: list[str] = []
        self.deleted: list[str] = []
        self.deletions = 0
        self.delete_fails = 0
        self.metadata_fails = 0
        self.on_open: Callable[[], None] = lambda: None

    @contextmanager
    def open(self, location: str) -> Iterator[Download]:
        self.opened.append(location)
        self.on_open()
        fault = self.wrong.pop(0) if self.wrong else None
        body = fault if isinstance(fault, bytes) else self.files[location]
        yield Blocks(body, fault if isinstance(fault, BaseException) else None)

    def metadata(self, location: str) -> dict[str, Any]:
        if self.metadata_fails:
            self.metadata_fails -= 1
            raise SourceUnavailable("the service answered 503.", 503)
        return {"chunkIndex": 0, "participants": []}

    def delete(self, location: str) -> None:
        self.deletions += 1
        if self.delete_fails:
            self.delete_fails -= 1
            raise SourceUnavailable("the service answered 503.", 503)
        self.deleted.append(location)


class Reports:
    """A reporter that writes down what it was asked for."""

    def __init__(self) -> None:
        self.made: list[RecordingRecord] = []
        self.told: list[RecordingRecord] = []
        self.fails = 0
        self.telling_fails = 0
        self.error: Exception = TranscriptionFailed("the speech service answered 503", 503)
        self.calls_up = False
        self.on_make: Callable[[], None] = lambda: None

    def in_progress(self, record: RecordingRecord) -> bool:
        return self.calls_up

    def make(self, record: RecordingRecord, *, last: bool, alive: Callable[[], None]) -> str:
        alive()
        self.on_make()
        if self.fails:
            self.fails -= 1
            raise self.error
        self.made.append(record)
        return "made"

    def publish(self, record: RecordingRecord) -> None:
        if self.telling_fails:
            self.telling_fails -= 1
            raise TopicUnavailable("the topic of reports did not take an event.")
        self.told.append(record)


class World:
    """Everything, and the queue's messages by hand."""

    def __init__(
        self,
        chunks: int = 1,
        *,
        form: str = "Wav",
        reporter: Callable[[World], Reporter] | None = None,
        call_of: Callable[[str, str], str | None] | None = None,
        **options: Any,
    ) -> None:
        self.now = BEGAN + 60
        self.names = [f"https://eu.asm.skype.com/v1/objects/doc-{index}" for index in range(chunks)]
        self.service = Service({f"{name}/content/audio": sound() for name in self.names})
        self.archive = MemoryArchive()
        self.ledger = MemoryLedger(clock=lambda: self.now)
        self.queue = MemoryRecordingQueue()
        self.reports = Reports()
        self.event = file_event(self.names, form)
        self.pipeline = Pipeline(
            source=self.service,
            archive=self.archive,
            ledger=self.ledger,
            queue=self.queue,
            reporter=reporter(self) if reporter else self.reports,
            options=Options(**options),
            call_of=call_of or (lambda recording, server_call: "call-1" if server_call == SERVER_CALL else None),
            clock=lambda: self.now,
        )

    def announce(self) -> str:
        """The file event comes; the recording's id."""
        return self.pipeline.announce(self.event)[1]

    def step(self, index: int = 0) -> str:
        """Take one message from the queue when its time has come, and do it. The outcome."""
        recording, chunk, delay = self.queue.sent.pop(index)
        self.now += delay
        return self.pipeline.work(recording, chunk)

    def deliver(self, index: int = 0) -> None:
        """As step; the message of a process that dies comes back."""
        message = self.queue.sent[index]
        try:
            self.step(index)
        except Crash:
            self.queue.sent.append(message)

    def run(self, most: int = 200) -> list[str]:
        """Do what is on the queue until it is empty; the outcomes."""
        outcomes = []
        while self.queue.sent:
            outcomes.append(self.step())
            assert len(outcomes) <= most, outcomes[-10:]
        return outcomes

    def record(self, recording: str) -> RecordingRecord:
        return self.ledger.load(recording)[0]


def file_event(names: list[str], form: str = "Wav") -> RecordingFileStatusUpdated:
    """RecordingFileStatusUpdated, as Event Grid brings it."""
    event = parse_event_grid_event(
        {
            "id": "4c2f0a6e-0d1f-4d9a-8d7c-1d1f6b8f0001",
            "topic": "/subscriptions/s/resourceGroups/g/providers/Microsoft.Communication/CommunicationServices/c",
            "subject": f"/recording/call/c-1/serverCallId/{SERVER_CALL}/recordingId/eyJQbGF0Zm9ybSJ9",
            "eventType": "Microsoft.Communication.RecordingFileStatusUpdated",
            "eventTime": "2026-11-23T08:14:20+00:00",
            "data": {
                "recordingStorageInfo": {
                    "recordingChunks": [
                        {
                            "documentId": f"doc-{index}",
                            "index": index,
                            "endReason": "SessionEnded",
                            "contentLocation": f"{name}/content/audio",
                            "metadataLocation": f"{name}/content/acsmetadata",
                            "deleteLocation": name,
                        }
                        for index, name in enumerate(names)
                    ]
                },
                "recordingStartTime": "2026-11-23T08:13:20.0000000Z",
                "recordingDurationMs": 1000,
                "sessionEndReason": "CallEnded",
                "recordingContentType": "Audio",
                "recordingChannelType": "Unmixed",
                "recordingFormatType": form,
            },
        }
    )
    assert isinstance(event, RecordingFileStatusUpdated)
    return event
