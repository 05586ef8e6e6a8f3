"""The pipeline on real parts, the emulator and Azurite; its clock and its queue are driven by the test."""

from __future__ import annotations

import copy
import itertools
import json
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from http.server import BaseHTTPRequestHandler
from typing import Any

from azure.communication.callautomation import (
    AzureBlobContainerRecordingStorage,
    CallAutomationClient,
    CallConnectionClient,
    PhoneNumberIdentifier,
    RecordingChannel,
    RecordingContent,
    RecordingFormat,
)
from azure.core.credentials import AzureKeyCredential
from azure.storage.blob import ContainerClient

from acs_emulator.testing import TIMEOUT, Control, Running
from shared.azure.archive import BlobArchive
from shared.azure.external_storage import ExternalStorageSource, Sources
from shared.azure.recording_ledger import TableLedger
from shared.azure.recording_source import ServiceSource
from shared.azure.topic import TopicPublisher
from shared.calls.store.memory import MemoryStore
from shared.events import RecordingFileStatusUpdated, parse_event_grid_event
from shared.quality.report import Report
from shared.quality.thresholds import Thresholds
from shared.recordings.memory import MemoryRecordingQueue
from shared.recordings.pipeline import Options, Pipeline
from shared.recordings.record import RecordingRecord
from shared.recordings.reporting import QualityReporter
from shared.storage_account import StorageAccount
from shared.web.reports import RecordingView, ReportService
from tests.functional.recordings.storage_host import LocalServer

PHONES = "+14255550191", "+14255550192"
SPEED = 40.0
PREFIX = "faults"
FILES = {"0.wav", "0.metadata.json", "0.signal.json", "report.json"}
"""What lies in the archive of a recording of one chunk that has its report."""

_numbers = itertools.count(1)


class Crash(BaseException):
    """The process dies here."""


class Subscriber(LocalServer):
    """An Event Grid webhook: answers the handshake and keeps the events; a context manager."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        events = self.events

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                (event,) = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                validation = event["data"].get("validationCode")
                if validation is None:
                    events.append(event)
                body = json.dumps({"validationResponse": validation}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        super().__init__(Handler)
        self.url = f"http://{self.authority}/events#RecordingFileStatusUpdated"


def wait_for(look: Callable[[], Any]) -> Any:
    """What it finds in the end."""
    deadline = time.monotonic() + TIMEOUT
    while not (found := look()):
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.02)
    return found


def recorded(
    emulator: Running[Control], callee: str, container_url: str = ""
) -> tuple[CallConnectionClient, PhoneNumberIdentifier]:
    """A call to this phone that is up and recorded, unmixed, and the app's own number."""
    client = CallAutomationClient(emulator.endpoint, AzureKeyCredential(emulator.access_key))
    source = PhoneNumberIdentifier("+18005551212")
    made = client.create_call(PhoneNumberIdentifier(callee), "http://127.0.0.1:9/", source_caller_id_number=source)
    call = client.get_call_connection(str(made.call_connection_id))
    wait_for(lambda: call.get_call_properties().call_connection_state == "connected")
    recording = client.start_recording(
        call_connection_id=str(made.call_connection_id),
        recording_content_type=RecordingContent.AUDIO,
        recording_channel_type=RecordingChannel.UNMIXED,
        recording_format_type=RecordingFormat.WAV,
        recording_storage=AzureBlobContainerRecordingStorage(container_url) if container_url else None,
    )
    wait_for(lambda: client.get_recording_properties(str(recording.recording_id)).recording_state == "active")
    return call, source


def record_a_call(emulator: Running[Control], subscriber: Subscriber, container_url: str = "") -> dict[str, Any]:
    """Two phones talk, unmixed; the file event of their recording."""

    def said() -> int:
        return [entry["what"] for entry in emulator.control.timeline()].count("says")

    before_they_talk = said()
    for number, (phone, text) in enumerate(zip(PHONES, ("Hello, this is Ada.", "Hello Ada."), strict=True)):
        emulator.control.register_phone(phone, script=[{"when": "joined" if number == 0 else "connected"},
                                                       {"at": 4 + number, "say": text}])  # fmt: skip
    call, source = recorded(emulator, PHONES[0], container_url)
    call.add_participant(PhoneNumberIdentifier(PHONES[1]), source_caller_id_number=source)
    wait_for(lambda: len(list(call.list_participants())) > 2)
    # The emulator's time runs on while a slow machine makes the speech: what counts is that both were heard.
    wait_for(lambda: said() == before_they_talk + len(PHONES))
    began = emulator.service.clock.now()
    wait_for(lambda: emulator.service.clock.now() - began > 4)
    before = len(subscriber.events)
    call.hang_up(is_for_everyone=True)
    wait_for(lambda: len(subscriber.events) > before)
    return subscriber.events[-1]


@dataclass
class Announced:
    """A recording under an id of its own, in a room."""

    room: Room
    event: RecordingFileStatusUpdated
    id: str = ""

    def announce(self) -> str:
        """The file event comes; the outcome."""
        outcome, self.id = self.room.pipeline.announce(self.event)
        return outcome

    @property
    def record(self) -> RecordingRecord:
        return self.room.ledger.load(self.id)[0]

    @property
    def failed(self) -> RecordingView | None:
        """How an operator sees it among the recordings that failed."""
        found = self.room.service.recordings({"day": self.record.day, "status": "failed", "limit": "500"})
        return next((view for view in found.recordings if view.id == self.id), None)

    @property
    def files(self) -> set[str]:
        """Names in its folder of the archive, those that nobody committed too."""
        blobs = self.room.container.list_blobs(f"{self.record.folder}/", include=["uncommittedblobs"])
        return {blob.name.rpartition("/")[2] for blob in blobs}

    @property
    def audio(self) -> bytes:
        return bytes(self.room.container.download_blob(f"{self.record.folder}/0.wav").readall())

    @property
    def rows(self) -> int:
        """Rows of it in the table of reports."""
        return sum(row.id == self.id for row in self.room.ledger.reports(self.record.day))

    @property
    def told(self) -> list[dict[str, Any]]:
        """The events that tell of its report."""
        return [entry["event"] for entry in self.room.emulator.control.topic(subject=f"/recordings/{self.id}")]

    def check_whole(self, audio: bytes, events: int = 1) -> None:
        """One archive, one report, and so many events that tell of it."""
        assert (self.record.status, self.record.reason) == ("reported", "")
        assert self.files == FILES
        assert self.audio == audio
        report = Report.model_validate_json(self.room.service.report(self.id))
        assert (len(report.channels), self.rows, len(self.told)) == (2, 1, events)
        assert self.failed is None


class Room:
    """An instance of the app's recordings. What it keeps lies in the same place for all of them."""

    def __init__(self, emulator: Running[Control], storage: str, event: dict[str, Any], **options: Any) -> None:
        self.emulator = emulator
        self.storage = storage
        self.event = event
        self.now = datetime.fromisoformat(event["eventTime"]).timestamp() + 60
        self.queue = MemoryRecordingQueue()
        self.ledger = TableLedger(StorageAccount(storage), PREFIX, clock=lambda: self.now)
        # Blocks so small that the file takes several.
        self.archive = BlobArchive(StorageAccount(storage), PREFIX, block=64 * 1024)
        self.container = ContainerClient.from_connection_string(storage, f"{PREFIX}-recordings")
        self.source = ServiceSource(
            emulator.endpoint,
            emulator.access_key,
            extra_hosts=(emulator.endpoint.partition("//")[2],),
            timeout=options.pop("timeout", 10.0),
            backoff=0,
            block=16 * 1024,
        )
        self.reporter = QualityReporter(
            archive=self.archive,
            ledger=self.ledger,
            store=MemoryStore(),
            thresholds=Thresholds(),
            publisher=TopicPublisher(f"{emulator.endpoint}/api/events", emulator.access_key),
        )
        self.pipeline = Pipeline(
            source=Sources(self.source, ExternalStorageSource(StorageAccount(storage), ["own"])),
            archive=self.archive,
            ledger=self.ledger,
            queue=self.queue,
            reporter=self.reporter,
            # The calls are made with the SDK: the app knows none of them.
            options=Options(**{"deadline": 1800.0, "all_recordings": True, **options}),
            call_of=lambda recording, server_call: None,
            clock=lambda: self.now,
        )
        self.service = ReportService(self.pipeline, self.ledger, self.archive, link_seconds=60)

    def another(self, **locations: str) -> Announced:
        """The recording under another id; its locations may be changed."""
        event = copy.deepcopy(self.event)
        recording = f"case{next(_numbers)}"
        event["subject"] = f"{event['subject'].rpartition('/')[0]}/{recording}"
        event["data"]["recordingId"] = recording
        event["data"]["recordingStorageInfo"]["recordingChunks"][0] |= locations
        parsed = parse_event_grid_event(event)
        assert isinstance(parsed, RecordingFileStatusUpdated)
        return Announced(self, parsed)

    def announced(self, **locations: str) -> Announced:
        found = self.another(**locations)
        assert found.announce() == "registered"
        return found

    def step(self) -> str:
        """Do the first message when its time has come; after a crash the queue gives it out again."""
        recording, chunk, delay = message = self.queue.sent.pop(0)
        self.now += delay
        try:
            return self.pipeline.work(recording, chunk)
        except Crash:
            self.queue.sent.append((*message[:2], 1.0))
            return "crashed"

    def run(self) -> list[str]:
        """Do what is on the queue until it is empty; the outcomes."""
        outcomes: list[str] = []
        while self.queue.sent:
            outcomes.append(self.step())
            assert len(outcomes) < 200, outcomes[-10:]
        return outcomes

    def copied(self) -> dict[str, str]:
        """The file once more at the service, so that it can be deleted there; its locations."""
        kept = self.emulator.service.recordings.archive
        (chunk,) = self.event["data"]["recordingStorageInfo"]["recordingChunks"]
        document = kept.get(chunk["documentId"])
        assert document is not None
        name = f"copy{next(_numbers)}"
        shutil.copyfile(document.path, kept.path(name))
        metadata = json.loads(document.metadata_path.read_text())
        kept.add(name, document.recording_id, 0, document.content_name, metadata)
        return {
            key: chunk[key].replace(document.id, name)
            for key in ("documentId", "contentLocation", "metadataLocation", "deleteLocation")
        }

    def expire(self, document_id: str) -> None:
        """The service's time for a file is over."""
        documents = self.emulator.service.recordings.archive._documents
        documents[document_id] = replace(documents[document_id], expires=0.0)

    def strike(self, kind: str, count: int | None = None, **more: Any) -> None:
        """The service does something wrong, so often or from now on."""
        match = {"operation": "CallRecording_Download", **more.pop("match", {})}
        if kind in ("drop", "status", "delay"):
            match["channel"] = "requests"
        rule = {"kind": kind, "match": match, **more}
        self.emulator.control.add_faults(rule if count is None else {**rule, "count": count})
