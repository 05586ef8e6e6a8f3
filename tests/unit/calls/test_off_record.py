"""Sensitive moments: a block of a flow that nothing records, transcribes or streams."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from shared.calls import (
    ActionRefused,
    Call,
    CallEnded,
    MediaStreaming,
    NotOffRecord,
    Transcription,
    actions,
)
from shared.calls.capture import to_be_on
from shared.calls.journal import Issued
from shared.calls.operation import Operation, Scheduler
from tests.unit.calls.replayed import Replayed
from tests.unit.calls.test_replay import Stage

PAUSED = ["get_recording_state", "pause_recording", "get_recording_state"]


def recording(stage: Replayed, *, up_to: int = 3, state: str = "inactive") -> None:
    """The service plays along: a recording that is on is paused, or not."""
    responses: Sequence[tuple[str, Any]] = (
        ("get_recording_state", {"recordingState": "active"}),
        ("pause_recording", None),
        ("get_recording_state", {"recordingState": state}),
    )
    for kind, value in responses[:up_to]:
        stage.answers(kind, value)


async def pays(call: Call) -> None:
    await call.start_recording()
    try:
        async with call.off_record():
            await call.ask_digits("Card number?", max_tones=16)
        await call.play("Thank you.")
    except NotOffRecord as error:
        await call.play(f"Not by phone: {error.what}.")
    await call.ended()


def recorded(function: Any = pays) -> Replayed:
    stage = Replayed(function).connect()
    stage.answers("start_recording", {"recordingId": "r1"})
    return stage


def card(stage: Replayed) -> None:
    stage.reports("RecognizeCompleted", "recognize", recognitionType="dtmf", dtmfResult={"tones": ["four"]})


def test_a_recording_is_paused_before_the_block_begins_and_goes_on_after_it() -> None:
    stage = recorded()
    for kind, value in (
        ("get_recording_state", {"recordingState": "active"}),
        ("pause_recording", None),
        ("get_recording_state", {"recordingState": "inactive"}),
    ):
        assert stage.said == []
        stage.answers(kind, value)
    assert stage.said == ["Card number?"]
    card(stage)
    assert stage.asked == ["start_recording", *PAUSED, "recognize", "resume_recording"]
    stage.answers("resume_recording")
    assert stage.said[-1] == "Thank you."
    resumed = stage.session.operation(6).action
    assert resumed == actions.ResumeRecording(recording_id="r1")


def test_a_recording_that_pauses_late_is_waited_for() -> None:
    stage = recorded()
    recording(stage, state="active")
    for _ in range(2):
        assert stage.said == []
        stage.fires()
        stage.answers("get_recording_state", {"recordingState": "active"})
    stage.fires()
    stage.answers("get_recording_state", {"recordingState": "inactive"})
    assert stage.said == ["Card number?"]


@pytest.mark.parametrize("state", ["active", "unheard of", None])
def test_a_recording_that_is_not_paused_for_certain_is_an_error_and_goes_on(state: str | None) -> None:
    stage = recorded()
    recording(stage, up_to=2)
    for _ in range(5):
        stage.answers("get_recording_state", {"recordingState": state})
        stage.fires()
    stage.answers("get_recording_state", {"recordingState": state})
    assert stage.asked[-1] == "resume_recording"
    stage.refuses("resume_recording")
    assert stage.said == ["Not by phone: recording."]


@pytest.mark.parametrize("kind", ["get_recording_state", "pause_recording"])
def test_a_recording_that_the_service_does_not_pause_is_an_error(kind: str) -> None:
    stage = recorded()
    recording(stage, up_to=1 if kind == "pause_recording" else 0)
    stage.refuses(kind, 500)
    if kind == "pause_recording":  # nothing tells whether it is paused
        stage.answers("resume_recording")
    assert stage.said == ["Not by phone: recording."]


def test_a_recording_that_is_over_is_left_alone() -> None:
    stage = recorded()
    stage.refuses("get_recording_state", 404, "8552")
    card(stage)
    assert stage.asked == ["start_recording", "get_recording_state", "recognize", "play"]


@pytest.mark.parametrize("pause_on_start", [True, False])
def test_a_recording_that_was_paused_stays_paused(pause_on_start: bool) -> None:
    async def function(call: Call) -> None:
        await call.start_recording(pause_on_start=pause_on_start)
        if not pause_on_start:
            await call.pause_recording()
        async with call.off_record():
            await call.play("Card number?")
        await call.ended()

    stage = recorded(function)
    if not pause_on_start:
        stage.answers("pause_recording")
    stage.answers("get_recording_state", {"recordingState": "inactive"})
    stage.reports("PlayCompleted", "play")
    assert stage.asked[-2:] == ["get_recording_state", "play"]


@pytest.mark.parametrize("resumed", [True, False])
def test_a_recording_that_is_about_to_be_on_is_not_taken_for_paused(resumed: bool) -> None:
    async def function(call: Call) -> None:
        await call.start_recording(pause_on_start=resumed)
        if resumed:
            await call.resume_recording()
        async with call.off_record():
            await call.play("Card number?")

    stage = recorded(function)
    if resumed:
        stage.answers("resume_recording")
    stage.answers("get_recording_state", {"recordingState": "inactive"})
    assert stage.said == []
    stage.fires()
    recording(stage)
    assert stage.said == ["Card number?"]


def test_a_recording_that_never_comes_up_is_an_error() -> None:
    stage = recorded()
    for _ in range(5):
        stage.answers("get_recording_state", {"recordingState": "inactive"})
        stage.fires()
    stage.answers("get_recording_state", {"recordingState": "inactive"})
    assert stage.said == ["Not by phone: recording."]
    assert "pause_recording" not in stage.asked


def test_a_recording_that_is_just_being_started_is_waited_for() -> None:
    async def function(call: Call) -> None:
        call.start_recording()
        async with call.off_record():
            await call.play("Card number?")

    stage = Replayed(function).connect()
    assert stage.asked == ["start_recording"]
    stage.answers("start_recording", {"recordingId": "r1"})
    recording(stage)
    assert stage.said == ["Card number?"]


def test_a_recording_that_somebody_else_began_is_paused_too() -> None:
    async def function(call: Call) -> None:
        await call.signal("go")
        async with call.off_record():
            await call.play("Card number?")

    stage = Replayed(function).connect()
    stage.event("RecordingStateChanged", recordingId="theirs", state="active")
    stage.signal("go")
    recording(stage)
    assert stage.said == ["Card number?"]


def test_a_call_that_nothing_records_asks_nothing_of_the_service() -> None:
    async def function(call: Call) -> None:
        async with call.off_record():
            await call.play("Card number?")

    stage = Replayed(function).connect()
    stage.reports("PlayCompleted", "play")
    assert stage.asked == ["play", "hang_up"]


@pytest.mark.parametrize("way", ["error", "return", "stopped"])
def test_on_every_way_out_the_recording_goes_on(way: str) -> None:
    async def block(call: Call) -> None:
        async with call.off_record():
            await call.signal("go")
            if way == "error":
                raise LookupError("a bug")
            if way == "stopped":
                await call.ended()

    async def function(call: Call) -> None:
        await call.start_recording()
        await call.race(block(call), call.signal("stop"))
        await call.play("Thank you.")
        await call.ended()

    stage = recorded(function)
    recording(stage)
    stage.signal("go")
    if way == "stopped":
        assert "resume_recording" not in stage.asked
        stage.signal("stop")
    assert stage.asked[-1 if way != "stopped" else -2] == "resume_recording"
    stage.answers("resume_recording")
    assert stage.said == ["Thank you."]


def test_a_block_that_is_left_while_it_is_entered_puts_back_what_it_had_paused() -> None:
    async def block(call: Call) -> None:
        async with call.off_record():
            await call.play("never")

    async def function(call: Call) -> None:
        await call.start_recording()
        await call.race(block(call), call.signal("stop"))
        await call.play("Thank you.")

    stage = recorded(function)
    recording(stage, up_to=2)
    stage.signal("stop")
    assert stage.asked == ["start_recording", *PAUSED, "resume_recording", "play"]
    assert stage.said == ["Thank you."]


def test_a_block_that_is_left_before_anything_is_paused_pauses_nothing_later() -> None:
    async def block(call: Call) -> None:
        async with call.off_record():
            await call.play("never")

    async def function(call: Call) -> None:
        await call.start_recording()
        await call.race(block(call), call.signal("stop"))
        await call.ended()

    stage = recorded(function)
    stage.signal("stop")
    recording(stage, up_to=1)
    assert stage.asked == ["start_recording", "get_recording_state"]


def test_of_two_recordings_each_is_paused_and_goes_on() -> None:
    async def function(call: Call) -> None:
        await call.start_recording()
        await call.start_recording()
        async with call.off_record():
            await call.play("Card number?")

    stage = recorded(function)
    stage.answers("start_recording", {"recordingId": "r2"})
    recording(stage)
    recording(stage)
    stage.reports("PlayCompleted", "play")
    asked = [entry.action for entry in stage.journal if isinstance(entry, Issued)]
    assert [action.recording_id for action in asked if isinstance(action, actions.PauseRecording)] == ["r1", "r2"]
    assert [action.recording_id for action in asked if isinstance(action, actions.ResumeRecording)] == ["r2", "r1"]


START_OF_R1, START_OF_R2 = (actions.StartRecording(), "r1"), (actions.StartRecording(), "r2")
REFUSED = ActionRefused("x", 500, "", "")


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ([], False),
        ([START_OF_R1], True),
        ([(actions.StartRecording(pause_on_start=True), "r1")], False),
        ([(actions.StartRecording(), REFUSED)], False),
        ([START_OF_R2], False),
        ([START_OF_R1, (actions.PauseRecording(), None)], False),
        ([START_OF_R1, (actions.PauseRecording(), REFUSED)], True),
        ([START_OF_R1, (actions.PauseRecording(), ...)], True),
        ([START_OF_R1, (actions.PauseRecording(), None), (actions.ResumeRecording(), ...)], True),
        ([START_OF_R1, (actions.PauseRecording(), None), (actions.ResumeRecording(), REFUSED)], False),
        ([START_OF_R1, (actions.PauseRecording(), None), (actions.StopRecording(), None)], False),
        ([START_OF_R1, START_OF_R2, (actions.PauseRecording(), None)], True),
        ([START_OF_R1, START_OF_R2, (actions.PauseRecording(recording_id="r1"), None)], False),
        ([START_OF_R1, START_OF_R2, (actions.PauseRecording(recording_id="r2"), None)], True),
        ([(actions.ResumeRecording(recording_id="r1"), None)], True),
    ],
)
def test_what_was_asked_of_a_recording_last_says_whether_it_is_to_be_on(asked: list[Any], expected: bool) -> None:
    scheduler = Scheduler()
    operations: list[Operation[Any]] = []
    for seq, (action, outcome) in enumerate(asked):
        operation: Operation[Any] = Operation(seq, action, scheduler)
        if isinstance(outcome, Exception):
            operation.fail(outcome)
        elif outcome is not ...:
            operation.succeed(None)
            operation.response = outcome and {"recordingId": outcome}
        operations.insert(0, operation)
    assert to_be_on("r1", operations) == expected


def test_a_recording_that_somebody_else_paused_stays_paused() -> None:
    async def function(call: Call) -> None:
        await call.start_recording()  # refused, as another app records the call
        await call.signal("go")
        async with call.off_record():
            await call.play("Card number?")

    stage = Replayed(function).connect()
    stage.refuses("start_recording", 409, "8517")
    stage.event("RecordingStateChanged", recordingId="theirs", state="active")
    stage.signal("go")
    stage.answers("get_recording_state", {"recordingState": "inactive"})
    assert stage.said == ["Card number?"]


def test_blocks_may_overlap_and_the_last_one_puts_back() -> None:
    async def block(call: Call, name: str) -> None:
        async with call.off_record():
            await call.signal(name)

    async def function(call: Call) -> None:
        await call.start_recording()
        await call.gather(block(call, "a"), block(call, "b"))
        await call.play("Thank you.")

    stage = recorded(function)
    recording(stage)
    stage.signal("a")
    assert stage.asked == ["start_recording", *PAUSED]
    stage.signal("b")
    assert stage.asked == ["start_recording", *PAUSED, "resume_recording"]


def test_a_block_that_begins_while_another_is_put_back_pauses_anew() -> None:
    async def function(call: Call) -> None:
        await call.start_recording()
        await call.race(block(call), call.signal("stop"))
        async with call.off_record():
            await call.play("Card number?")

    async def block(call: Call) -> None:
        async with call.off_record():
            await call.ended()

    stage = recorded(function)
    recording(stage)
    stage.signal("stop")
    assert stage.asked == ["start_recording", *PAUSED, "resume_recording"]
    stage.answers("resume_recording")
    recording(stage)
    assert stage.said == ["Card number?"]


@pytest.mark.parametrize("up_to", [0, 1, 2, 3])
def test_after_the_end_of_the_call_nothing_is_asked_for(up_to: int) -> None:
    stage = recorded()
    recording(stage, up_to=up_to)
    before = stage.asked
    stage.event("CallDisconnected")
    assert stage.asked == before
    assert stage.failures == []
    assert stage.session.finished


def test_a_block_after_the_end_of_the_call_does_not_begin() -> None:
    seen: list[str] = []

    async def function(call: Call) -> None:
        await call.start_recording()
        await call.ended()
        try:
            async with call.off_record():
                seen.append("begun")
        except CallEnded:
            seen.append("ended")

    stage = Stage(function).connect()
    stage.event("CallDisconnected")
    assert "begun" not in seen


# Streams

STREAMS = ["stop_transcription", "stop_media_streaming"]


async def says(call: Call) -> None:
    await call.answer(
        transcription=Transcription(locale="en-US", start=True), media_streaming=MediaStreaming(start=True)
    )
    await call.signal("go")
    try:
        async with call.off_record():
            await call.play("Card number?")
        await call.play("Thank you.")
    except NotOffRecord as error:
        await call.play(f"Not by phone: {error.what}.")
    await call.ended()


def streamed(*, started: bool = True) -> Replayed:
    stage = Replayed(says, opens=True).connect()
    if started:
        stage.event("TranscriptionStarted", 0)
        stage.event("MediaStreamingStarted", 0)
    stage.signal("go")
    return stage


@pytest.mark.parametrize("started", [True, False])
@pytest.mark.parametrize("own", [True, False])
def test_streams_are_off_before_the_block_begins_and_on_again_after_it(started: bool, own: bool) -> None:
    stage = streamed(started=started)
    assert stage.asked == [*STREAMS, "sleep"]
    for name, kind in (("TranscriptionStopped", STREAMS[0]), ("MediaStreamingStopped", STREAMS[1])):
        assert stage.said == []
        # The event was seen with the operation context of the start.
        stage.event(name, stage.seq(kind) if own else 0)
    assert stage.said == ["Card number?"]
    assert stage.session.record.wake_at == 0
    stage.reports("PlayCompleted", "play")
    assert stage.asked[-2:] == ["start_media_streaming", "start_transcription"]
    stage.reports("MediaStreamingStarted", "start_media_streaming")
    stage.reports("TranscriptionStarted", "start_transcription")
    assert stage.said == ["Card number?", "Thank you."]


def test_transcription_goes_on_in_the_language_that_it_had() -> None:
    async def function(call: Call) -> None:
        await call.answer(transcription=Transcription(locale="en-US", start=True))
        await call.update_transcription(locale="de-DE", speech_model_endpoint_id="m")
        async with call.off_record():
            pass
        await call.ended()

    stage = Replayed(function, opens=True).connect()
    stage.event("TranscriptionStarted", 0)
    stage.reports("TranscriptionUpdated", "update_transcription")
    stage.reports("TranscriptionStopped", "stop_transcription")
    last = stage.journal[-1]
    assert isinstance(last, Issued)
    assert last.action == actions.StartTranscription(locale="de-DE", speech_model_endpoint_id="m")


@pytest.mark.parametrize("way", ["refused", "failed", "failed under another context", "silent"])
def test_a_stream_that_is_not_off_for_certain_is_an_error(way: str) -> None:
    stage = streamed()
    stage.reports("TranscriptionStopped", "stop_transcription")
    if way == "refused":
        stage.refuses("stop_media_streaming", 500)
    elif way == "failed":
        stage.reports("MediaStreamingFailed", "stop_media_streaming", (500, 8581, ""))
    else:
        if way != "silent":
            stage.event("MediaStreamingFailed", 0, (500, 8581, ""))
        stage.fires()
    assert stage.said == []
    assert stage.asked[-2:] == ["start_media_streaming", "start_transcription"]
    stage.reports("TranscriptionStarted", "start_transcription")
    stage.refuses("start_media_streaming")
    assert stage.said == ["Not by phone: media streaming."]


def test_a_stream_that_is_off_or_never_came_up_stays_off() -> None:
    stage = Replayed(says, opens=True).connect()
    stage.event("TranscriptionStarted", 0)
    stage.event("TranscriptionStopped", 0)
    stage.event("MediaStreamingFailed", 0, (400, 8583, ""))
    stage.signal("go")
    assert stage.said == ["Card number?"]
    stage.reports("PlayCompleted", "play")
    assert stage.asked == ["play", "play"]


def test_a_stream_that_broke_off_while_something_else_goes_on_or_was_never_wanted_is_off() -> None:
    async def function(call: Call) -> None:
        await call.answer(transcription=Transcription(locale="en-US"), media_streaming=MediaStreaming())
        for _ in range(2):
            await call.start_media_streaming()
            await call.gather(call.stop_media_streaming(), call.signal("go"))
        await call.start_media_streaming()
        call.hold()
        await call.signal("go")
        async with call.off_record():
            await call.play("Card number?")

    stage = Replayed(function, opens=True).connect()
    for _ in range(2):
        stage.reports("MediaStreamingStarted", "start_media_streaming")
        stage.reports("MediaStreamingStopped", "stop_media_streaming")
        stage.signal("go")
    stage.reports("MediaStreamingStarted", "start_media_streaming")
    stage.event("MediaStreamingFailed", None, (500, 8581, "the socket broke"))
    stage.signal("go")
    assert stage.said == ["Card number?"]


def test_a_stream_that_is_about_to_start_is_stopped() -> None:
    async def function(call: Call) -> None:
        call.start_transcription(locale="en-US")
        async with call.off_record():
            await call.play("Card number?")

    stage = Replayed(function).connect()
    assert stage.asked == ["start_transcription", "stop_transcription", "sleep"]


def test_a_stream_that_could_not_be_stopped_counts_as_on() -> None:
    async def function(call: Call) -> None:
        await call.start_transcription(locale="en-US")
        call.stop_transcription()
        await call.signal("go")
        async with call.off_record():
            await call.play("Card number?")

    stage = Replayed(function).connect()
    stage.reports("TranscriptionStarted", "start_transcription")
    stage.reports("TranscriptionFailed", "stop_transcription", (500, 8581, ""))
    stage.signal("go")
    assert stage.asked[-2:] == ["stop_transcription", "sleep"]
