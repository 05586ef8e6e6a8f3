"""Quality in the console: the reports of a day, what waits or failed, and the report with its way back."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from shared.recordings.base import ReportRow
from shared.recordings.record import RecordingRecord
from shared.web.console.quality import Filter, page_of
from tests.functional.app import running
from tests.functional.console.console import LOCAL, WITH_KEYS, Browser
from tests.functional.test_recording_functions import DAY, Room

HOSTILE = """<script>alert(1)</script>"'><img src=x onerror=alert(1)>{{7*7}}"""


def a_row(number: int = 0, **given: Any) -> ReportRow:
    values: dict[str, Any] = {
        "call_id": f"call-{number}",
        "flow": "support",
        "direction": "inbound",
        "outcome": "completed",
        "started_at": 1_795_400_000_000 + number * 1000,
        "created_at": 1_795_400_100_000,
        "seconds": 116.4,
        "channels": 2,
        "conversation_seconds": 100.0,
        "silence_ratio": 0.1,
        "overlap_ratio": 0.0,
        "dead_air": 0,
        "interruptions": 1,
        "hold_seconds": 0.0,
        "agent_talk_ratio": 0.5,
        "flags": (),
        "score": 82.35,
        "passed": True,
        "scorecard": "support",
        "questions": 10,
        "answered": 9,
        "result": "refund",
        **given,
    }
    return ReportRow(id=f"20261123-{(number * 7919) % 100_003:024d}", **values)


# The list, without a page


def test_reports_are_newest_first_or_by_score_whatever_their_ids() -> None:
    rows = sorted((a_row(number, score=float(50 + number % 7)) for number in range(30)), key=lambda row: row.id)
    newest = page_of(rows, Filter(DAY))
    assert [row.call_id for row in newest.rows] == [f"call-{number}" for number in reversed(range(30))]
    worst = page_of([*rows, a_row(99, score=None, passed=None)], Filter(DAY, order="score"))
    assert [row.score for row in worst.rows[:6]] == [50.0] * 5 + [51.0]
    assert worst.rows[-1].score is None
    assert (newest.matching, newest.median, newest.next, newest.after) == (30, 53.0, 0, "")


def test_fifty_are_shown_and_five_thousand_looked_at() -> None:
    taken = 0

    def many() -> Iterator[ReportRow]:
        nonlocal taken
        for number in range(100_000):
            taken += 1
            yield a_row(number)

    page = page_of(many(), Filter(DAY), 50)
    assert (len(page.rows), page.next, page.matching, taken) == (50, 100, 5000, 5000)
    assert page.after == a_row(4999).id
    assert page_of([a_row(number) for number in range(100)], Filter(DAY), 50).next == 0


@pytest.mark.parametrize(
    ("wanted", "takes"),
    [
        (Filter(DAY, flow="support"), True),
        (Filter(DAY, flow="reception"), False),
        (Filter(DAY, flag="dead_air"), True),
        (Filter(DAY, flag="any"), True),
        (Filter(DAY, flag="clipping"), False),
        (Filter(DAY, verdict="failed"), True),
        (Filter(DAY, verdict="passed"), False),
        (Filter(DAY, flow="support", flag="dead_air", verdict="none"), False),
    ],
)
def test_all_parts_of_a_filter_must_fit(wanted: Filter, takes: bool) -> None:
    assert wanted.takes(a_row(flags=("dead_air", "silence"), passed=False)) is takes
    assert not Filter(DAY, flag="any").takes(a_row())
    assert Filter(DAY, verdict="none").takes(a_row(passed=None))


# The pages


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    room = Room()
    with running(tmp_path, recordings=room.compose, **LOCAL) as room.app:
        room.app.board.recordings()
        yield room


def test_a_report_is_listed_with_score_flags_and_links(room: Room) -> None:
    call = room.call(recording="inactive", recording_ids=("eyJQbGF0Zm9ybSJ9",), result="+14255550123 asked")
    recording = room.announce()
    browser = Browser(room.app)
    assert "No report on 2026-11-23" in browser.open(f"/quality?day={DAY}").replace("Being fetched", "")
    room.run()
    page = browser.open(f"/quality?day={DAY}")
    assert f'<a href="/api/console/reports/{recording}">' in page
    assert f'<a href="/api/console/calls/{call}">Call</a>' in page
    assert '<span class="badge some">nobody speaks</span>' in page
    assert "+1 ••• 23 asked" in page
    assert "1 report" in page
    assert "No reports match" in browser.open(f"/quality?day={DAY}&flag=clipping")
    assert browser.get("/quality?day=yesterday").status_code == 400
    assert browser.get("/quality?skip=-1").status_code == 400
    assert "No report on" in browser.open("/quality?day=2020-01-01")


def test_the_report_leads_back_to_the_list_and_to_its_call(room: Room) -> None:
    call = room.call(recording="inactive", recording_ids=("eyJQbGF0Zm9ybSJ9",))
    recording = room.announce()
    room.run()
    browser = Browser(room.app)
    page = browser.open(f"/reports/{recording}")
    assert f'<a href="/api/console/quality?day={DAY}">' in page
    assert f'<a href="/api/console/calls/{call}">The call</a>' in page
    assert f'href="/api/console/reports/{recording}"' in browser.open(f"/calls/{call}")


def failed(room: Room, reason: str = "there is no such host") -> str:
    """A recording that was given up."""
    room.call(recording="inactive", recording_ids=("eyJQbGF0Zm9ybSJ9",))
    recording = room.announce()
    room.world.queue.sent.clear()
    record, version = room.world.ledger.load(recording)
    record.status, record.reason = "failed", reason
    record.chunks = [replace(chunk, status="failed", reason=reason) for chunk in record.chunks]
    room.world.ledger.save(record, version)
    return recording


def test_what_waits_and_what_was_given_up_stands_above_the_list(room: Room) -> None:
    room.call()
    recording = room.announce()
    browser = Browser(room.app)
    page = browser.open(f"/quality?day={DAY}")
    assert "Being fetched" in page
    assert recording in page
    assert "/replay" not in page, "what waits needs nobody"
    assert "Being fetched" not in browser.open(f"/quality?day={DAY}&skip=50")


def test_twenty_of_each_status_are_shown(room: Room) -> None:
    for number in range(25):
        room.world.ledger.register(RecordingRecord(f"20261123-{number:03d}", f"{number}", "", status="archived"))
    page = Browser(room.app).open(f"/quality?day={DAY}")
    assert page.count("Fetched; the report is being made") == 20


def test_what_was_given_up_is_done_again_once_however_often_the_form_is_sent(
    room: Room, caplog: pytest.LogCaptureFixture
) -> None:
    recording = failed(room)
    browser = Browser(room.app)
    assert f'<a href="/api/console/quality?day={DAY}">Quality</a>' in browser.open("/calls/call-7")
    page = browser.open(f"/quality?day={DAY}")
    assert "Gave up" in page
    assert "there is no such host" in page
    assert f'action="/api/console/recordings/{recording}/replay"' in page
    with caplog.at_level(logging.INFO, "switchboard.console"):
        first, second = (browser.post(f"/recordings/{recording}/replay") for _ in range(2))
    assert first.headers["Location"] == f"/api/console/quality?day={DAY}&did=replay"
    assert second.headers["Location"] == f"/api/console/quality?day={DAY}&did=late"
    told = [line.getMessage() for line in caplog.records if line.name == "switchboard.console"]
    assert told == [f"console replayed {recording} call=- by=developer"]
    assert [sent[0] for sent in room.world.queue.sent] == [recording]
    room.run()
    page = browser.open(f"/quality?day={DAY}&did=replay")
    assert "Gave up" not in page
    assert f'<a href="/api/console/reports/{recording}">' in page
    assert "a new report is made" in page


def test_hostile_words_do_nothing(room: Room) -> None:
    room.world.ledger.put_report(a_row(flow=HOSTILE, result=HOSTILE, call_id=HOSTILE, flags=(HOSTILE,)))
    failed(room, HOSTILE)
    page = Browser(room.app).open(f"/quality?day={DAY}&flow=%22%3E%3Cscript%3Ealert(1)")
    page += Browser(room.app).open(f"/quality?day={DAY}&did=<script>alert(1)")
    page += Browser(room.app).open(f"/quality?day={DAY}")
    assert "<script>alert" not in page
    assert "<img" not in page
    assert re.findall(r"<[^>]*\son\w+=|<style|\sstyle=|javascript:", page) == []
    assert "{{7*7}}" in page, "text is no template"


def test_a_reviewer_listens_and_does_nothing_again(tmp_path: Path) -> None:
    room = Room()
    with running(tmp_path, recordings=room.compose, **WITH_KEYS) as room.app:
        room.app.board.recordings()
        recording = failed(room)
        page = Browser(room.app).sign_in("reviewer").open(f"/quality?day={DAY}")
        assert "Gave up" in page
        assert "/replay" not in page
        assert "/replay" in Browser(room.app).sign_in("supervisor").open(f"/quality?day={DAY}")
        stranger = Browser(room.app).sign_in("supervisor")
        answer = stranger.send("POST", f"/recordings/{recording}/replay", {"token": "1.x"})
        assert answer.status_code == 403, "a form of another site"
        assert room.world.ledger.load(recording)[0].status == "failed"
        assert ">Quality</a>" not in Browser(room.app).sign_in("viewer").open()
