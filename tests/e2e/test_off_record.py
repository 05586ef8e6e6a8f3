"""Sensitive moments of whole calls: what the emulator recorded, transcribed and streamed meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.trials import Desk, desk_with

pytestmark = [pytest.mark.long, pytest.mark.e2e, pytest.mark.node, pytest.mark.xdist_group("e2e-off-record")]

FLOW = '''
from shared.calls import Call, MediaStreaming, Transcription, flow


@flow("sensitive", opens=True)
async def sensitive(call: Call) -> None:
    """Takes two answers in a row off the record, and one on it."""
    await call.answer(
        transcription=Transcription(locale="en-US", start=True), media_streaming=MediaStreaming(start=True)
    )
    await call.start_recording(required=True)
    for _ in range(2):
        async with call.off_record():
            await call.ask_digits("Card number?", max_tones=4)
    await call.play("Thank you.")
    await call.stop_recording()
'''
PRESS = {"when": "asked", "after": 0.5, "press": "4111"}
OFF = ("TranscriptionStopped", "MediaStreamingStopped")
ON = ("TranscriptionStarted", "MediaStreamingStarted")


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with desk_with(tmp_path_factory.mktemp("app"), FLOW) as one:
        yield one


def test_nothing_is_on_while_a_card_number_is_asked_for_and_everything_is_on_again_after_it(desk: Desk) -> None:
    call = desk.end(desk.ring("sensitive", [PRESS, PRESS]))
    assert call["outcome"] == "completed", desk.told(call["id"])
    on = dict.fromkeys(("transcription", "streaming", "recording"), False)
    asked, seen = dict[int, str](), []
    for entry in call["journal"]:
        if entry["entry"] == "issued":
            asked[entry["seq"]] = entry["action"]["kind"]
            if entry["action"]["kind"] in ("recognize", "play"):
                seen.append((entry["action"]["kind"], *on.values()))
        elif entry["entry"] == "answered":
            look(on, asked[entry["seq"]], entry.get("value"))
        elif entry["entry"] == "event":
            hear(on, entry["event"]["type"].rpartition(".")[2])
    assert seen == [("recognize", False, False, False)] * 2 + [("play", True, True, True)]
    assert not [entry for entry in call["journal"] if entry["entry"] == "refused"]


def look(on: dict[str, bool], kind: str, response: Any) -> None:
    """What a response says of the recording; its events may come later."""
    if kind == "get_recording_state":
        on["recording"] = response["recordingState"] == "active"
    elif kind in ("start_recording", "resume_recording"):
        on["recording"] = True


def hear(on: dict[str, bool], event: str) -> None:
    """What an event says of transcription and streaming."""
    if event in (*OFF, *ON):
        on["transcription" if event.startswith("Transcription") else "streaming"] = event in ON
