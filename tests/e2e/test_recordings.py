"""From a recorded call to its report, through everything: the report is held against what the phones really said."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import requests
from azure.data.tables import TableClient
from azure.storage.blob import ContainerClient

from acs_emulator.testing import Control
from devstack.stack import INCOMING_CALL, RECORDING_FILE, Stack
from tests.e2e.line import deployed, until

pytestmark = [
    pytest.mark.long,
    pytest.mark.e2e,
    pytest.mark.node,
    pytest.mark.timeout(240),
    pytest.mark.xdist_group("e2e-recordings"),
]

SUPPORT, BRIEFING = "+18005550177", "+18005550178"
AGENT, EXPERT = "+14255550142", "+14255550143"
CALLERS = {SUPPORT: "+14255550131", BRIEFING: "+14255550132"}
CHUNK_SECONDS = 17.0
EDGE, STRETCH = 0.2, 0.3
"""Seconds by which an edge of speech may be off, and those of overlap and dead air."""

ROUTES = f"""
rules:
  - {{name: support, to: "{SUPPORT}", answer: support}}
  - {{name: briefing, to: "{BRIEFING}", answer: briefing}}
"""
FLOW = f'''
from shared.calls import Call, flow


@flow("briefing")
async def briefing(call: Call) -> None:
    """Three people, the caller pinned to the third channel; a part of it is not recorded."""
    await call.start_recording(channel="unmixed", affinity={{call.other_side: 2}})
    await call.gather(
        call.add_participant("{AGENT}", caller_id=call.callee), call.add_participant("{EXPERT}", caller_id=call.callee)
    )
    await call.sleep(13)
    await call.pause_recording()
    await call.sleep(5)
    await call.resume_recording()
    await call.race(call.left("{AGENT}"), call.left(call.other_side))
    await call.terminate()
'''
AGENT_SAYS = [
    {"at": 1.0, "say": "Contoso support how can I help you"},
    {"at": 7.5, "say": "Let me stop you there because I see the problem on my screen"},
    {"at": 29.0, "say": "It is solved now"},
]
CALLER_SAYS = {
    SUPPORT: [
        {"when": "asked", "after": 0.5, "press": "2"},
        {"when": "joined"},
        {
            "at": 4.5,
            "say": "My invoice is wrong and I have called three times before and nobody could help me",
        },
        {"at": 14.0, "say": "Thank you I will wait"},
        {"at": 32.0, "say": "Wonderful goodbye"},
        {"after": 1.0, "hangUp": True},
    ],
    BRIEFING: [
        {"when": "joined"},
        {"at": 5.0, "say": "Good morning to both of you"},
        {"at": 16.5, "say": "This is private"},
        {"at": 34.0, "hangUp": True},
    ],
}
EXPERT_SAYS = [{"at": 7.0, "say": "Good morning"}, {"at": 26.0, "say": "That is all from my side"}]


@dataclass(frozen=True)
class Heard:
    """A report, and the truth about its recording in seconds of the files put together."""

    report: dict[str, Any]
    truth: dict[str, Any]

    def file_time(self, at: float) -> float:
        """A time of the report as a position in the files."""
        before = 0.0
        for piece in self.report["recording"]["pieces"]:
            if at <= piece["end"] + 1e-6:
                return before + max(0.0, at - float(piece["start"]))
            before += piece["end"] - piece["start"]
        return before

    def in_files(self, spans: Sequence[Sequence[float]]) -> list[tuple[float, float]]:
        return [(self.file_time(start), self.file_time(end)) for start, end in spans]

    def said(self, channel: int) -> list[tuple[float, float]]:
        """Speech on a channel as it truly was, gaps bridged as the report bridges them."""
        (speaker,) = [one for one in self.truth["participants"] if one["channel"] == channel]
        spans = sorted((span["start"], span["end"]) for span in speaker["spans"] if span["kind"] == "speech")
        joined: list[tuple[float, float]] = []
        for start, end in spans:
            if joined and start - joined[-1][1] <= self.report["thresholds"]["gap_seconds"]:
                joined[-1] = (joined[-1][0], end)
            else:
                joined.append((start, end))
        return joined


def call(stack: Stack, number: str) -> Heard:
    """Make a call, and wait for its report."""
    control = Control(stack.emulator_url)
    placed = control.place_call(CALLERS[number], number, CALLER_SAYS[number])
    found: dict[str, Any] = {}

    def truth() -> bool:
        mine = [one for one in control.recordings() if one["call"] == placed["id"] and one["chunks"]]
        found.update(truth=mine[0] if mine else None)
        return bool(mine)

    def report() -> bool:
        for event in control.topic(type="QualityReportReady"):
            document = fetched(stack, f"/reports/{event['event']['data']['id']}").json()
            blobs = {chunk["bytes"] for chunk in document["recording"]["chunks"]}
            if document["call"]["flow"] == {SUPPORT: "support", BRIEFING: "briefing"}[number] and blobs:
                found.update(report=document)
        return "report" in found

    until(truth, 100, lambda: f"the call to {number} does not end: {control.timeline()[-5:]}")
    until(report, 60, lambda: f"no report of {number}: {fetched(stack, '/recordings').text}; {stack.logs}")
    return Heard(found["report"], found["truth"])


def fetched(stack: Stack, path: str) -> requests.Response:
    response = requests.get(f"{stack.base_url}/api{path}", timeout=30)
    assert response.status_code == 200, f"{path}: {response.status_code} {response.text}"
    return response


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    root = deployed(tmp_path_factory.mktemp("app"))
    (root / "routing.yaml").write_text(ROUTES)
    (root / "flows" / "briefing.py").write_text(FLOW)
    emulator = (sys.executable, "-m", "acs_emulator", "--recording-chunk-seconds", str(CHUNK_SECONDS))
    with Stack(
        app_root=root,
        host="own",
        seed=7,
        quiet=True,
        emulator=emulator,
        environment={"RECORDINGS_AT_ONCE": "2"},
        subscriptions=(INCOMING_CALL, RECORDING_FILE),
    ) as running:
        control = Control(running.emulator_url)
        # Event Grid delivers at least once: here it delivers each file event twice, at the same time.
        control.add_faults({"kind": "duplicate", "match": {"type": "RecordingFileStatusUpdated"}})
        control.register_phone(AGENT, afterSeconds=1, script=AGENT_SAYS)
        control.register_phone(EXPERT, afterSeconds=1, script=EXPERT_SAYS)
        yield running


@pytest.fixture(scope="module")
def calls(stack: Stack) -> dict[str, Heard]:
    """Both calls, made at the same time."""
    with ThreadPoolExecutor(2) as pool:
        return dict(zip(CALLERS, pool.map(lambda number: call(stack, number), CALLERS), strict=True))


@pytest.fixture(params=[SUPPORT, BRIEFING], ids=["support", "briefing"])
def heard(request: pytest.FixtureRequest, calls: dict[str, Heard]) -> Heard:
    return calls[request.param]


def test_speech_is_where_it_was(heard: Heard) -> None:
    for channel in heard.report["channels"]:
        found, said = heard.in_files(channel["speech"]), heard.said(channel["channel"])
        assert len(found) == len(said), (channel["label"], found, said)
        for (start, end), (true_start, true_end) in zip(found, said, strict=True):
            assert start == pytest.approx(true_start, abs=EDGE), channel["label"]
            assert end == pytest.approx(true_end, abs=EDGE), channel["label"]


def test_everybody_is_on_the_right_channel(heard: Heard) -> None:
    truth = {one["channel"]: one["id"] for one in heard.truth["participants"]}
    shown = {channel["channel"]: channel for channel in heard.report["channels"]}
    assert set(shown) == set(truth)
    for number, raw_id in truth.items():
        assert shown[number]["participant"].endswith(raw_id[-2:])
        assert shown[number]["role"] == ("customer" if raw_id.removeprefix("4:") in CALLERS.values() else "agent")


def test_overlap_is_where_it_was(heard: Heard) -> None:
    said = [heard.said(channel["channel"]) for channel in heard.report["channels"]]
    talk = min(
        start for start, _ in heard.in_files(heard.report["conversation"]["metrics"]["conversation_seconds"]["spans"])
    )
    truly = sum(
        max(0.0, min(end, other_end) - max(start, other_start))
        for index, spans in enumerate(said)
        for other in said[index + 1 :]
        for start, end in spans
        for other_start, other_end in other
        if min(start, other_start) >= talk - EDGE
    )
    found = heard.in_files(heard.report["conversation"]["overlap"])
    assert sum(end - start for start, end in found) == pytest.approx(truly, abs=STRETCH)


def test_dead_air_is_where_it_was(calls: dict[str, Heard]) -> None:
    heard = calls[SUPPORT]
    spans = sorted(span for channel in heard.report["channels"] for span in heard.said(channel["channel"]))
    gaps = [(before[1], after[0]) for before, after in pairwise(spans) if after[0] - before[1] >= 10]
    found = heard.in_files(heard.report["conversation"]["dead_air"])
    assert len(found) == len(gaps) == 1
    assert found[0] == pytest.approx(gaps[0], abs=STRETCH)
    assert "dead_air" in [flag["code"] for flag in heard.report["flags"]]


def test_who_was_interrupted_by_whom_is_told(calls: dict[str, Heard]) -> None:
    counted = {
        channel["role"]: channel["metrics"]["interruptions"]["value"] for channel in calls[SUPPORT].report["channels"]
    }
    assert counted == {"customer": 0, "agent": 1}


def test_a_pause_is_a_hole_and_what_was_said_in_it_is_not_there(calls: dict[str, Heard]) -> None:
    report = calls[BRIEFING].report
    (hole,) = report["recording"]["holes"]
    assert hole["reason"] == "paused"
    assert 4.5 < hole["end"] - hole["start"] < 8
    assert not any(
        start < hole["end"] - 0.01 and end > hole["start"] + 0.01
        for channel in report["channels"]
        for start, end in channel["speech"]
    )
    assert "private" not in json.dumps(report["transcript"]).lower()


@pytest.mark.covers("RecordingFileStatusUpdated")
def test_the_file_event_came_twice_for_each_recording_and_was_taken(stack: Stack, calls: dict[str, Heard]) -> None:
    deliveries = Control(stack.emulator_url).deliveries(type="RecordingFileStatusUpdated")
    assert len(deliveries) == 2 * len(calls)
    assert all(delivery["attempts"][-1]["status"] in (200, 202) for delivery in deliveries)


def test_chunks_are_joined_in_order_without_gaps(heard: Heard) -> None:
    recording = heard.report["recording"]
    assert len(recording["chunks"]) >= 2
    assert [chunk["index"] for chunk in recording["chunks"]] == list(range(len(recording["chunks"])))
    assert sum(chunk["seconds"] for chunk in recording["chunks"]) == pytest.approx(heard.truth["seconds"], abs=0.01)
    assert [hole["reason"] for hole in recording["holes"] if hole["reason"] == "missing"] == []


def test_the_app_s_own_time_is_told_from_the_journal(calls: dict[str, Heard]) -> None:
    kinds = [span["kind"] for span in calls[SUPPORT].report["app"]]
    assert "listening" in kinds
    assert "prompt" in kinds
    assert calls[BRIEFING].report["app"] == []


def test_what_was_said_is_in_the_transcript_on_its_channel(heard: Heard) -> None:
    for speaker in heard.truth["participants"]:
        said = [span["text"] for span in speaker["spans"] if span["kind"] == "speech"]
        phrases = [p["text"] for p in heard.report["transcript"]["phrases"] if p["channel"] == speaker["channel"]]
        assert phrases == said


def test_the_support_line_is_graded_by_its_card(calls: dict[str, Heard]) -> None:
    (card,) = [one for one in calls[SUPPORT].report["scorecards"] if one["name"] == "support"]
    answers = {answer["id"]: answer["answer"] for answer in card["answers"]}
    assert (answers["greeting"], answers["dead-air"], answers["hold"]) == ("yes", "no", "n/a")


def test_each_recording_has_one_archive_one_row_and_one_report(stack: Stack, calls: dict[str, Heard]) -> None:
    """Although its file event came twice."""
    with ContainerClient.from_connection_string(stack.connection_string, "switchboard-recordings") as container:
        names = [blob.name for blob in container.list_blobs()]
    reports = [heard.report for heard in calls.values()]
    assert sorted(name for name in names if name.endswith("report.json")) == sorted(
        f"{report['id'][:4]}-{report['id'][4:6]}-{report['id'][6:8]}/{report['id']}/report.json" for report in reports
    )
    assert sorted(name for name in names if name.endswith(".wav")) == sorted(
        chunk["blob"] for report in reports for chunk in report["recording"]["chunks"]
    )
    with TableClient.from_connection_string(stack.connection_string, "switchboardreports") as table:
        rows = {row["RowKey"]: row["dead_air"].value for row in table.list_entities()}
    assert rows == {calls[SUPPORT].report["id"]: 1, calls[BRIEFING].report["id"]: 0}
    told = [event["event"]["data"]["id"] for event in Control(stack.emulator_url).topic(type="QualityReportReady")]
    assert sorted(told) == sorted(rows)


def test_no_number_and_no_word_of_the_calls_stands_in_the_app_s_log(stack: Stack, calls: dict[str, Heard]) -> None:
    logged = "\n".join(path.read_text(errors="replace") for path in Path(stack.logs).glob("host*.log"))
    assert calls
    for number in (*CALLERS.values(), AGENT, EXPERT):
        assert number.removeprefix("+1") not in logged
    for words in ("invoice", "stop you there", "private"):
        assert words not in logged.lower()
