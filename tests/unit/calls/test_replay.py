"""What a flow sees: outcomes, several things at once, ends, failures, and changed code."""

from __future__ import annotations

import gc
from collections.abc import Callable, Coroutine
from typing import Any, Self

import pytest

from shared.calls import (
    ActionCanceled,
    ActionFailed,
    ActionRefused,
    Call,
    CallEnded,
    Choice,
    Flow,
    InvalidInput,
    NoInput,
    TimedOut,
    actions,
    file,
    ssml,
    text,
)
from shared.calls.actions.validate import build
from shared.calls.flow import FlowFunction
from shared.calls.journal import (
    Entry,
    EventReceived,
    Failed,
    GaveUp,
    Issued,
    RefusedEntry,
    Resent,
    Responded,
    Signalled,
)
from shared.calls.operation_context import operation_context
from shared.calls.replay import Session, replay
from shared.events import SUB_CODES
from shared.identifiers import Identifier
from tests.unit.calls.world import APOLOGY, CALLEE, CALLER, CHOICES, START, Wire, started_entry

WIRE = Wire()


class Stage:
    """A session and the journal that it would have."""

    def __init__(self, function: Any, *, opens: bool = False) -> None:
        self.flow = Flow("stage", function, opens)
        self.session = Session(self.flow, "stage", apology=APOLOGY)
        self.journal: list[Entry] = []
        self.feed(started_entry("stage", opens=opens))

    def feed(self, entry: Entry) -> None:
        self.session.feed(entry)
        self.journal += [entry, *self.session.take()]

    def connect(self) -> Self:
        self.event("CallConnected", 0)
        return self

    def event(self, name: str, seq: int | None = None, result: Any = (200, 0, ""), **data: Any) -> None:
        context = None if seq is None else operation_context("stage", self.session.operation(seq))
        self.feed(EventReceived(at=START, event=WIRE.event(name, context, result, **data)))

    @property
    def issued(self) -> list[str]:
        return [entry.action.kind for entry in self.journal if isinstance(entry, Issued)]

    @property
    def failures(self) -> list[str]:
        return [entry.error for entry in self.journal if isinstance(entry, Failed)]


def test_operations_start_when_they_are_created_and_not_when_they_are_awaited() -> None:
    async def function(call: Call) -> None:
        call.play(text("one"))
        call.play(text("two"))
        await call.ended()

    assert Stage(function).connect().issued == ["answer", "play", "play"]


def test_a_race_gives_the_winner_and_leaves_the_losing_operation_running() -> None:
    seen: list[Any] = []

    async def function(call: Call) -> None:
        music, click = call.play(file("https://example.com/music.wav"), loop=True), call.signal("click")
        winner = await call.race(music, click)
        seen.append((winner is click, winner.result(), music.done))
        await call.ended()

    stage = Stage(function).connect()
    stage.feed(Signalled(at=START, id="s1", name="click", data={"agent": 7}))
    assert seen == [(True, {"agent": 7}, False)]


def test_a_race_stops_a_coroutine_that_lost() -> None:
    seen: list[str] = []

    async def asks(call: Call) -> None:
        try:
            await call.recognize(text("?"), choices=CHOICES)
        finally:
            seen.append("stopped")

    async def function(call: Call) -> None:
        await call.race(asks(call), call.signal("click"))
        seen.append("after")
        await call.ended()

    stage = Stage(function).connect()
    stage.feed(Signalled(at=START, id="s1", name="click"))
    assert seen == ["stopped", "after"]


def test_gather_gives_all_results_in_order_and_raises_the_first_error_once_all_are_done() -> None:
    seen: list[Any] = []

    async def function(call: Call) -> None:
        try:
            await call.gather(call.play(text("one")), call.play(text("two")))
        except ActionFailed as error:
            seen.append(error.sub_code)
        await call.ended()

    stage = Stage(function).connect()
    stage.event("PlayFailed", 1, (400, 8536, "download failed"))
    assert seen == []
    stage.event("PlayCompleted", 2)
    assert seen == [8536]


def test_a_signal_that_came_before_it_was_awaited_counts() -> None:
    async def function(call: Call) -> None:
        await call.play(text("hello"))
        await call.play(text(await call.signal("name")))

    stage = Stage(function).connect()
    stage.feed(Signalled(at=START, id="s1", name="name", data="Ada"))
    stage.event("PlayCompleted", 1)
    assert isinstance(stage.journal[-1], Issued)
    assert stage.journal[-1].action == actions.Play(prompts=(text("Ada"),))


@pytest.mark.parametrize(
    ("name", "result", "error"),
    [
        ("PlayFailed", (400, 8536, "unreachable"), ActionFailed),
        ("PlayCanceled", (400, 8508, "cancelled"), ActionCanceled),
        ("CallDisconnected", (200, 7000, "over"), CallEnded),
    ],
)
def test_each_end_of_an_operation_arrives_as_its_own_error(name: str, result: Any, error: type[BaseException]) -> None:
    seen: list[BaseException] = []

    async def function(call: Call) -> None:
        try:
            await call.play(text("hello"))
        except BaseException as caught:
            seen.append(caught)
            raise

    stage = Stage(function).connect()
    stage.event(name, None if name == "CallDisconnected" else 1, result)
    assert [type(caught) for caught in seen] == [error]


def test_a_refused_request_arrives_with_the_services_code() -> None:
    seen: list[ActionRefused] = []

    async def function(call: Call) -> None:
        try:
            await call.play(text("hello"))
        except ActionRefused as refusal:
            seen.append(refusal)

    stage = Stage(function).connect()
    stage.feed(RefusedEntry(at=START, seq=1, status=412, code="8583", message="incompatible"))
    assert (seen[0].status, seen[0].code, seen[0].transient) == (412, "8583", False)
    assert stage.issued[-1] == "hang_up"


@pytest.mark.parametrize(
    ("reports", "sub_code"),
    [
        (lambda stage: stage.event("RecognizeFailed", 1, (400, 8510, "x")), 8510),
        (lambda stage: stage.feed(RefusedEntry(at=START, seq=1, status=400, code="8523", message="x")), 8523),
        (lambda stage: stage.event("CallDisconnected", None, (480, 8547, "x")), 8547),
    ],
)
def test_every_error_says_what_its_sub_code_means_in_words(reports: Callable[[Stage], None], sub_code: int) -> None:
    told: list[str] = []

    async def function(call: Call) -> None:
        try:
            await call.recognize("?", max_tones=1)
        except BaseException as error:
            told.append(str(error))
            raise

    stage = Stage(function).connect()
    reports(stage)
    assert told[0].endswith(f"({SUB_CODES[sub_code].plain})"), told
    assert str(sub_code) in told[0]


def test_a_call_that_could_not_be_opened_says_why_in_words() -> None:
    told: list[str] = []

    async def function(call: Call) -> None:
        try:
            await call.gather(call.answer(), call.ended())
            await call.signal("x")
        except (ActionRefused, CallEnded) as error:
            told.append(str(error))
            await call.signal("x")

    stage = Stage(function, opens=True)
    stage.feed(RefusedEntry(at=START, seq=0, status=400, code="8523", message="x"))
    with pytest.raises(CallEnded) as ended:
        stage.session.wait_signal("x").result()
    assert SUB_CODES[8523].plain in told[0]
    assert SUB_CODES[8523].plain in str(ended.value)


def test_an_outcome_that_never_comes_arrives_as_timed_out() -> None:
    seen: list[TimedOut] = []

    async def function(call: Call) -> None:
        try:
            await call.play(text("hello"))
        except TimedOut as error:
            seen.append(error)

    Stage(function).connect().feed(GaveUp(at=START, seq=1))
    stage = Stage(function).connect()
    stage.feed(GaveUp(at=START, seq=1))
    assert len(seen) == 2


def test_recognize_asks_again_with_the_reprompt_and_then_raises_no_input() -> None:
    async def function(call: Call) -> None:
        with pytest.raises(NoInput):
            await call.recognize(text("first"), choices=CHOICES, attempts=2, reprompt=text("again"))
        await call.play(text("bye"))

    stage = Stage(function).connect()
    stage.event("RecognizeFailed", 1, (400, 8510, "silence"))
    assert stage.journal[-1].action.prompts == (text("again"),)  # type: ignore[union-attr]
    stage.event("RecognizeFailed", 2, (400, 8547, "no option"))
    assert stage.issued == ["answer", "recognize", "recognize", "play"]


def test_recognize_does_not_ask_again_when_the_prompt_could_not_be_played() -> None:
    async def function(call: Call) -> None:
        await call.recognize(text("first"), choices=CHOICES, attempts=3)

    stage = Stage(function).connect()
    stage.event("RecognizeFailed", 1, (500, 8511, "prompt failed"))
    assert stage.issued == ["answer", "recognize", "play"]
    assert stage.session.operation(2).action == actions.Play(prompts=APOLOGY, interrupt=True)
    assert "8511" in stage.failures[0]


def test_the_digits_of_an_interrupted_input_are_not_lost() -> None:
    seen: list[Any] = []

    async def function(call: Call) -> None:
        heard = await call.recognize(max_tones=4)
        seen.append((heard.digits, heard.sub_code))

    stage = Stage(function).connect()
    stage.event(
        "RecognizeCompleted", 1, (400, 8532, "time-out"), recognitionType="dtmf", dtmfResult={"tones": ["one", "pound"]}
    )
    assert seen == [("1#", 8532)]


def test_after_the_end_nothing_is_issued_but_side_effects() -> None:
    async def function(call: Call) -> None:
        try:
            await call.play(text("hello"))
        finally:
            call.play(text("too late"))
            await call.run(print, "saved")

    stage = Stage(function).connect()
    stage.event("CallDisconnected")
    assert stage.issued == ["answer", "play", "run"]
    before = stage.session.finished
    stage.feed(Responded(at=START, seq=2))
    assert not before
    assert stage.session.finished
    assert stage.session.record.outcome == "caller_left"


def test_a_flow_that_raises_is_journaled_and_the_caller_hears_the_apology_and_a_hang_up() -> None:
    async def function(call: Call) -> None:
        raise ValueError("a bug")

    stage = Stage(function).connect()
    assert stage.failures == ["ValueError: a bug"]
    assert stage.issued == ["answer", "play"]
    stage.event("PlayCompleted", 1)
    assert stage.issued == ["answer", "play", "hang_up"]
    stage.event("CallDisconnected")
    assert stage.session.finished
    assert stage.session.record.outcome == "failed"


def test_an_apology_that_cannot_be_played_does_not_keep_the_call_from_ending() -> None:
    async def function(call: Call) -> None:
        raise ValueError("a bug")

    stage = Stage(function).connect()
    stage.feed(RefusedEntry(at=START, seq=1, status=405, code="8522", message="no speech"))
    assert stage.issued == ["answer", "play", "hang_up"]


def test_a_flow_whose_code_changed_under_its_call_is_taken_over_by_the_fallback() -> None:
    async def before(call: Call) -> None:
        await call.play(text("old words"))
        await call.play(text("more"))

    async def after(call: Call) -> None:
        await call.recognize(text("new words"), speech=True)

    journal = Stage(before).connect().journal
    new = replay(Flow("stage", after), "stage", journal, apology=APOLOGY)
    assert [entry.entry for entry in new] == ["failed", "issued"]
    assert isinstance(new[0], Failed)
    assert new[0].error == "FlowChanged: this call did play #1 where the flow now asks for recognize #1"
    assert new[0].line == 'await call.recognize(text("new words"), speech=True)'
    assert "call.version" in str(new[0].remedy)
    assert replay(Flow("stage", after), "stage", [*journal, *new], apology=APOLOGY) == []
    assert replay(Flow("stage", before), "stage", [*journal, *new], apology=APOLOGY) == []


def test_a_flow_that_opens_its_call_itself_may_reject_it() -> None:
    async def function(call: Call) -> None:
        assert call.status == "ringing"
        await call.reject("busy")

    stage = Stage(function, opens=True)
    assert stage.issued == ["reject"]
    stage.feed(Responded(at=START, seq=0))
    assert stage.session.record.outcome == "rejected"
    assert stage.session.finished


def test_a_flow_that_opens_its_call_and_returns_without_doing_so_rejects_it() -> None:
    async def function(call: Call) -> None:
        return

    assert Stage(function, opens=True).issued == ["reject"]


def test_an_answer_that_fails_ends_the_call_without_running_the_flow() -> None:
    async def function(call: Call) -> None:
        raise AssertionError("the flow ran")

    stage = Stage(function)
    stage.event("AnswerFailed", 0, (487, 8544, "gone"))
    assert stage.session.finished
    assert stage.failures == []


def sent_twice(function: FlowFunction) -> tuple[Stage, str]:
    """A connected call whose first action was sent a second time, and the context of the first sending."""
    stage = Stage(function).connect()
    first = operation_context("stage", stage.session.operation(1))
    stage.feed(Resent(at=START, seq=1, attempt=1))
    return stage, first


async def says_hello(call: Call) -> None:
    await call.play(text("hello"))


def test_an_action_that_was_sent_twice_completes_with_either_sending() -> None:
    stage, first = sent_twice(says_hello)
    stage.feed(EventReceived(at=START, event=WIRE.event("PlayCompleted", first)))
    assert stage.issued == ["answer", "play", "hang_up"]
    stage, _ = sent_twice(says_hello)
    stage.event("PlayCompleted", 1)
    assert stage.issued == ["answer", "play", "hang_up"]


def test_of_an_action_that_was_sent_twice_only_the_newest_sending_can_fail() -> None:
    stage, first = sent_twice(says_hello)
    stage.feed(EventReceived(at=START, event=WIRE.event("PlayFailed", first, (400, 8536, "no file"))))
    assert stage.issued == ["answer", "play"]
    stage.event("PlayFailed", 1, (400, 8536, "no file"))
    assert [failure.split(" (")[0] for failure in stage.failures] == ["ActionFailed: play failed: 400/8536: no file"]


def test_a_completion_that_names_a_sending_that_never_was_completes_nothing() -> None:
    stage, _ = sent_twice(says_hello)
    for attempt in ("2", "-1", "x", ""):
        stage.feed(EventReceived(at=START, event=WIRE.event("PlayCompleted", f"stage:1:{attempt}")))
    assert stage.issued == ["answer", "play"]


def test_what_is_left_of_an_action_that_was_sent_twice_is_told_unless_other_media_would_go_with_it() -> None:
    async def two(call: Call) -> None:
        await call.gather(call.play(text("one")), call.play(text("two")))

    stage, first = sent_twice(says_hello)
    assert stage.session.take_other_sendings() == []
    stage.feed(EventReceived(at=START, event=WIRE.event("PlayCompleted", first)))
    assert [operation.seq for operation in stage.session.take_other_sendings()] == [1]
    assert stage.session.take_other_sendings() == []
    stage, first = sent_twice(two)
    stage.feed(EventReceived(at=START, event=WIRE.event("PlayCompleted", first)))
    assert stage.session.take_other_sendings() == []
    stage = Stage(says_hello).connect()
    stage.event("PlayCompleted", 1)
    assert stage.session.take_other_sendings() == []


def test_an_event_with_the_context_of_another_call_completes_nothing() -> None:
    async def function(call: Call) -> None:
        await call.play(text("hello"))

    stage = Stage(function).connect()
    for context in ("other:1:0", "1", "", "stage:x:0", "stage:99:0"):
        stage.feed(EventReceived(at=START, event=WIRE.event("PlayCompleted", context)))
    assert stage.issued == ["answer", "play"]


def test_participants_follow_the_sequence_number_and_not_the_order_of_arrival() -> None:
    async def function(call: Call) -> None:
        await call.ended()

    def listed(*raw_ids: str) -> list[dict[str, Any]]:
        return [{"identifier": {"rawId": raw_id}, "isMuted": False, "isOnHold": False} for raw_id in raw_ids]

    stage = Stage(function).connect()
    stage.event("ParticipantsUpdated", participants=listed("4:+1", "4:+2"), sequenceNumber=5)
    stage.event("ParticipantsUpdated", participants=listed("4:+1"), sequenceNumber=3)
    assert [p.identifier.raw_id for p in stage.session.participants] == ["4:+1", "4:+2"]


def test_a_session_that_is_dropped_in_the_middle_runs_nothing_and_complains_of_nothing() -> None:
    async def function(call: Call) -> None:
        try:
            await call.play(text("hello"))
        finally:
            await call.run(print, "saved")
            raise AssertionError("what follows a wait in `finally` ran in a dropped session")

    stage = Stage(function).connect()
    del stage
    gc.collect()  # an exception in a finalizer would fail this test: warnings are errors


def test_a_flow_may_be_thrown_away_from_its_innermost_coroutine() -> None:
    """The garbage collector takes the coroutines of a dropped session in any order."""
    begun: list[Coroutine[Any, Any, None]] = []

    async def saves(call: Call) -> None:
        try:
            await call.play(text("hello"))
        finally:
            await call.run(print, "saved")

    async def function(call: Call) -> None:
        begun.append(saves(call))
        await begun[0]

    stage = Stage(function).connect()
    begun[0].close()  # raises nothing
    assert stage.session.record.status == "connected"


@pytest.mark.parametrize(
    ("action", "field"),
    [
        (lambda call: call.play(), "play.prompts"),
        (lambda call: call.play(text("x"), to=CALLER, interrupt=True), "play.interrupt"),
        (lambda call: call.recognize(), "recognize"),
        (lambda call: call.recognize(choices=CHOICES, max_tones=1), "recognize.choices"),
        (lambda call: call.recognize(choices=(Choice("a", tone="one"), Choice("b"))), "recognize.choices"),
        (lambda call: call.recognize(choices=(Choice("a"), Choice("a"))), "recognize.choices.label"),
        (lambda call: call.recognize(choices=CHOICES, initial_silence=21), "recognize.initial_silence"),
        (lambda call: call.recognize(max_tones=0), "recognize.max_tones"),
        (lambda call: call.recognize(max_tones=1, inter_tone=61), "recognize.inter_tone"),
        (lambda call: call.recognize(max_tones=1, attempts=0), "recognize.attempts"),
        (lambda call: call.redirect("nonsense"), "identifier"),
        (lambda call: call.create_call("+14255550111"), "create_call.caller_id"),
        (lambda call: call.create_call("+14255550111", caller_id="8:acs:a_b"), "create_call.caller_id"),
        (lambda call: call.create_call(), "create_call.targets"),
        (lambda call: call.add_participant("+14255550111"), "add_participant.caller_id"),
        (lambda call: call.add_participant("8:acs:a_b", invitation_timeout=181), "add_participant.invitation_timeout"),
        (lambda call: call.add_participant("8:acs:a_b", sip_headers={"Mine": "x"}), "add_participant.sip_headers"),
        (lambda call: call.transfer("8:acs:a_b", voip_headers={"k": "x" * 1025}), "transfer.voip_headers"),
        (lambda call: call.mute("+14255550111"), "mute.target"),
        (lambda call: call.send_dtmf("1" * 19), "send_dtmf.tones"),
        (lambda call: call.send_dtmf("12x"), "send_dtmf.tones"),
        (lambda call: call.send_dtmf("12", participant="8:acs:a_b"), "send_dtmf.participant"),
        (lambda call: call.start_recording(channel="unmixed", format="mp3"), "start_recording.format"),
        (lambda call: call.start_recording(affinity={"8:acs:a_b": 1}), "start_recording.affinity"),
        (lambda call: call.move_participants([], from_call="x"), "move_participants.targets"),
        (lambda call: call.signal("two words"), "signal.name"),
        (lambda call: text(" "), "text"),
        (lambda call: text("x" * 4001), "text"),
        (lambda call: text("x", voice_name=" "), "text.voice_name"),
        (lambda call: text("x", locale="en-US"), "text.locale"),
        (lambda call: file("music.wav"), "file.url"),
        (lambda call: ssml("hello"), "ssml"),
    ],
)
def test_what_the_service_would_refuse_is_refused_before_it_is_sent(action: Any, field: str) -> None:
    found: list[InvalidInput] = []

    async def function(call: Call) -> None:
        try:
            action(call)
        except InvalidInput as error:
            found.append(error)
        await call.ended()

    Stage(function).connect()
    assert [error.field for error in found] == [field]
    assert found[0].remedy


def test_a_voip_call_is_not_redirected_to_a_phone_number() -> None:
    redirect = build(actions.Redirect, target="+14255550111")
    with pytest.raises(InvalidInput, match="phone number"):
        redirect.check(Identifier.parse("8:acs:a_b"))
    redirect.check(CALLER)


def test_a_call_knows_its_sides() -> None:
    seen: list[Any] = []

    async def function(call: Call) -> None:
        seen.append((call.caller, call.callee, call.other_side, call.direction, call.now.timestamp() * 1000))
        await call.ended()

    Stage(function).connect()
    assert seen == [(CALLER, CALLEE, CALLER, "inbound", START)]
