"""Recordings and reports through the functions: the event, the queue, the timer, and the HTTP API."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import azure.functions as func
import pytest
from azure.functions.timer import TimerRequest

from shared.calls.finding import call_of_recording, days_of_call
from shared.calls.journal import Started, encode
from shared.calls.record import CallRecord
from shared.calls.store.memory import MemoryStore
from shared.composition.recordings import Recordings
from shared.errors import ForeignLocation
from shared.quality.report import Report
from shared.quality.scorecards import load_scorecards
from shared.quality.thresholds import Thresholds
from shared.recordings.reporting import NO_TRANSCRIBER, QualityReporter
from shared.web.reports import ReportService
from tests.fixtures.app import FOLDER
from tests.found_calls import newest_call
from tests.functional.app import CALLER, NUMBER, App, functions, problem, running
from tests.unit.recordings.world import BEGAN, SERVER_CALL, World, file_event

FOREIGN = ForeignLocation("evil.example", "is not a host that recordings are fetched from.")
DAY = "2026-11-23"
RECORDING = "eyJQbGF0Zm9ybSJ9"
"""The service's id of the recording that file_event() announces."""


class Room:
    """The app, and the world of its recordings."""

    def __init__(self) -> None:
        self.app: App
        self.world: World
        self.all_recordings = True

    def compose(self, store: MemoryStore) -> Recordings:
        self.world = world = World(
            reporter=lambda world: QualityReporter(
                archive=world.archive,
                ledger=world.ledger,
                store=store,
                thresholds=Thresholds(),
                scorecards=load_scorecards(FOLDER / "scorecards"),
            ),
            call_of=partial(call_of_recording, store),
            all_recordings=self.all_recordings,
        )
        service = ReportService(
            world.pipeline, world.ledger, world.archive, link_seconds=60, days_of=partial(days_of_call, store)
        )
        return Recordings(world.pipeline, service)

    def announce(self, **changes: Any) -> str:
        """RecordingFileStatusUpdated reaches the app; the recording's id."""
        self.app.board.recordings()  # puts the world together
        event = file_event(self.world.names)
        functions()["recording_file"](
            func.EventGridEvent(
                id=event.id,
                data=changes.pop("data", event.raw["data"]),
                topic=event.topic,
                subject=event.subject,
                event_type=changes.pop("event_type", event.raw["eventType"]),
                event_time=event.time,
                data_version="1.0",
            )
        )
        return next((recording for recording, *_ in self.world.queue.sent), "")

    def run(self) -> None:
        """Give the queue's messages to the function until there are none."""
        while self.world.queue.sent:
            recording, chunk, delay = self.world.queue.sent.pop(0)
            self.world.now += delay
            self.work(json.dumps({"recording": recording, "chunk": chunk}))

    def work(self, body: str, function: str = "recording_work") -> None:
        functions()[function](func.QueueMessage(id="message", body=body))

    def get(self, path: str) -> func.HttpResponse:
        return self.app.request("GET", f"https://app.example/api{path}")

    def json(self, path: str) -> Any:
        answer = self.get(path)
        assert answer.status_code == 200, answer.get_body()
        return json.loads(answer.get_body())

    def call(self, call_id: str = "call-7", **changes: Any) -> str:
        """A call of which this is the recording, over by now; its id."""
        record = CallRecord(
            call_id=call_id,
            flow="support",
            status="ended",
            caller=f"4:{CALLER}",
            callee=f"4:{NUMBER}",
            server_call_id=SERVER_CALL,
            started_at=round(BEGAN * 1000),
            ended_at=round(BEGAN * 1000) + 2000,
            outcome="completed",
        )
        record = replace(record, **changes)
        started = Started(at=record.started_at, flow="support", direction="inbound", server_call_id=SERVER_CALL)
        self.app.store.claim(record, [encode(started)])
        self.app.store.index(record)
        return record.call_id


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    room = Room()
    with running(tmp_path, recordings=room.compose) as app:
        room.app = app
        yield room


def test_the_report_of_a_recording_lands_on_the_call_that_started_it(room: Room) -> None:
    """A user who is added to a call rings in the same conversation; another flow answers, and its call is newer."""
    ours = room.call(recording_ids=(RECORDING,), recording="inactive")
    theirs = room.call("call-8", started_at=round(BEGAN * 1000) + 1000, flow="other")
    room.announce()
    room.run()
    (listed,) = room.json(f"/reports?day={DAY}")["reports"]
    assert (listed["call_id"], listed["flow"]) == (ours, "support")
    assert newest_call(room.app.store, SERVER_CALL) == theirs, "by server call id it would have been this one"


def test_an_event_ends_in_a_report_that_can_be_listed_and_read(room: Room) -> None:
    call = room.call()
    recording = room.announce()
    room.run()
    (listed,) = room.json(f"/reports?day={DAY}")["reports"]
    assert (listed["id"], listed["call_id"], listed["flow"], listed["outcome"]) == (
        recording,
        call,
        "support",
        "completed",
    )
    report = Report.model_validate(room.json(f"/reports/{recording}"))
    assert report.recording.seconds == pytest.approx(1.0)
    assert [flag.code for flag in report.flags] == ["no_speech"]
    assert [card.name for card in report.scorecards] == ["support"]
    assert NO_TRANSCRIBER in report.notes


def test_a_recording_of_another_application_is_listed_as_such_and_not_fetched(room: Room) -> None:
    room.all_recordings = False
    recording = room.announce()
    (shown,) = room.json(f"/recordings?day={DAY}&status=unclaimed")["recordings"]
    assert shown["id"] == recording
    assert "no call of this app is known for it" in shown["reason"]
    room.run()
    assert [one["id"] for one in room.json(f"/recordings?day={DAY}&status=foreign")["recordings"]] == [recording]
    assert room.world.archive.files == {}
    room.call()
    room.app.request("POST", f"https://app.example/api/recordings/{recording}/replay")
    room.run()
    assert room.json(f"/reports/{recording}")["call"]["id"] == "call-7"


def test_a_report_is_shown_as_a_page_that_links_its_audio_and_is_kept_by_nobody(room: Room) -> None:
    recording = room.announce()
    room.run()
    answer = room.get(f"/reports/{recording}/page")
    page = answer.get_body().decode()
    assert answer.mimetype == "text/html"
    assert f"https://archive.invalid/{DAY}/{recording}/0.wav?seconds=60" in page
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"


def test_a_recording_that_failed_shows_why_and_can_be_replayed(room: Room) -> None:
    recording = room.announce()
    room.world.service.wrong = [FOREIGN]
    room.run()
    (shown,) = room.json(f"/recordings?day={DAY}&status=failed")["recordings"]
    assert shown["id"] == recording
    assert "evil.example" in shown["reason"]
    assert problem(room.get(f"/reports/{recording}"))["status"] == 404
    answer = room.app.request("POST", f"https://app.example/api/recordings/{recording}/replay")
    assert (answer.status_code, json.loads(answer.get_body())["status"]) == (202, "waiting")
    room.run()
    assert room.json(f"/recordings/{recording}")["status"] == "reported"
    assert room.json(f"/reports/{recording}")["id"] == recording


@pytest.mark.parametrize("path", ["/reports/{}", "/reports/{}/page", "/recordings/{}"])
@pytest.mark.parametrize(
    "recording", ["20261123-none", "nothing", "20261123", "..", "20261123-a%2F..%2Fb", "20261123-.."]
)
def test_what_does_not_exist_is_not_found(room: Room, path: str, recording: str) -> None:
    assert problem(room.get(path.format(recording)))["title"] == "Unknown recording"


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/reports?day=today", "day"),
        ("/reports?below=good", "below"),
        ("/reports?below=101", "below"),
        ("/reports?below=nan", "below"),
        ("/reports?limit=0", "limit"),
        ("/recordings?status=lost", "status"),
    ],
)
def test_a_query_that_makes_no_sense_is_refused_by_its_field(room: Room, path: str, field: str) -> None:
    answer = room.get(path)
    assert (answer.status_code, problem(answer)["field"]) == (400, field)


def test_reports_are_narrowed_and_paged(room: Room) -> None:
    recording = room.announce()
    room.run()
    for query, found in (("flag=no_speech", 1), ("flag=dead_air", 0), ("call=another", 0), ("below=100", 0)):
        assert len(room.json(f"/reports?day={DAY}&{query}")["reports"]) == found, query
    assert room.json(f"/reports?day={DAY}&limit=1") == {
        "reports": [room.json(f"/reports?day={DAY}")["reports"][0]],
        "next": None,
    }
    assert room.json(f"/reports?day={DAY}&after={recording}")["reports"] == []


def test_an_event_of_another_kind_is_passed_over_and_said(room: Room, caplog: pytest.LogCaptureFixture) -> None:
    room.announce(event_type="Microsoft.Communication.CallEnded", data={"serverCallId": "s", "correlationId": "c"})
    assert room.world.queue.sent == []
    assert "not a recording event" in caplog.text


def test_an_event_that_cannot_be_read_is_passed_over_and_said(room: Room, caplog: pytest.LogCaptureFixture) -> None:
    room.announce(data={"recordingStorageInfo": "lost"})
    assert room.world.queue.sent == []
    assert "malformed event" in caplog.text


@pytest.mark.parametrize("body", ["", "{}", '{"recording": "20261123-none", "chunk": 0}'])
@pytest.mark.parametrize("function", ["recording_work", "recording_poison"])
def test_a_message_that_means_nothing_is_dropped_and_said(
    room: Room, body: str, function: str, caplog: pytest.LogCaptureFixture
) -> None:
    room.announce()
    room.work(body, function)
    assert "dropped" in caplog.text


def test_a_message_in_the_poison_queue_becomes_a_poison_record(room: Room) -> None:
    recording = room.announce()
    room.work(json.dumps({"recording": recording, "chunk": 0}), "recording_poison")
    shown = room.json(f"/recordings/{recording}")
    assert (shown["status"], shown["files"][0]["status"]) == ("failed", "failed")
    assert "its log says how" in shown["reason"]


def test_the_timer_deletes_what_has_expired(room: Room) -> None:
    recording = room.announce()
    room.run()
    room.world.now += 91 * 86400
    functions()["recording_upkeep"](TimerRequest())
    assert problem(room.get(f"/recordings/{recording}"))["status"] == 404
    assert room.world.archive.files == {}


def test_a_report_that_can_no_longer_be_shown_does_not_tell_the_log_what_was_said(
    room: Room, caplog: pytest.LogCaptureFixture
) -> None:
    recording = room.announce()
    room.run()
    name = f"{DAY}/{recording}/report.json"
    report = json.loads(room.world.archive.files[name])
    room.world.archive.put_text(name, json.dumps({**report, "transcript": "my name is Ada Lovelace"}))
    assert problem(room.get(f"/reports/{recording}/page"))["status"] == 500
    assert "failed get_report_page" in caplog.text
    assert "Ada" not in caplog.text


def test_no_number_stands_in_a_log_line_an_address_or_a_list(room: Room, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    room.call()
    recording = room.announce()
    room.world.service.wrong = [b"", FOREIGN]
    room.run()
    room.app.request("POST", f"https://app.example/api/recordings/{recording}/replay")
    room.run()
    functions()["recording_upkeep"](TimerRequest())
    seen = caplog.text + "".join(room.world.archive.files) + json.dumps(room.json(f"/reports?day={DAY}"))
    seen += json.dumps(room.json(f"/reports/{recording}"))
    digits = re.sub(r"\D", "", CALLER)[-7:]
    assert recording in caplog.text
    assert digits not in seen
    assert SERVER_CALL not in caplog.text
