"""What a flow says of itself: results, lines of the log, marks of inserted steps."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from shared.calls import Call, Flow, InvalidInput, text
from shared.calls.journal import Entry, Logged, Marked, Responded, Resulted, Signalled, Started, decode, encode
from shared.calls.replay import Session, replay
from tests.unit.calls.test_replay import Stage
from tests.unit.calls.world import FLOWS, START, World, a_ring, answering, parsed


def notes(journal: list[Entry]) -> list[Entry]:
    return [entry for entry in journal if isinstance(entry, Marked | Logged | Resulted)]


async def confirming(call: Call) -> None:
    call.log("asked", slot=3)
    await call.play(text("Confirmed."))
    call.result("confirmed", slot=3, note=None)
    await call.play(text("Goodbye."))


def test_a_flow_says_what_came_of_its_call_and_the_record_shows_it() -> None:
    stage = Stage(confirming).connect()
    stage.event("PlayCompleted", 1)
    assert stage.session.record.result == "confirmed"
    assert stage.session.record.details == {"slot": 3, "note": None}
    assert [entry.entry for entry in notes(stage.journal)] == ["logged", "result"]


def test_a_replay_notes_nothing_again_and_knows_the_result() -> None:
    stage = Stage(confirming).connect()
    stage.event("PlayCompleted", 1)
    session = Session(stage.flow, "stage")
    session.feed_stored([encode(entry) for entry in stage.journal])
    assert session.take() == []
    assert (session.record.result, session.record.details) == ("confirmed", {"slot": 3, "note": None})
    assert session.record.entries == stage.session.record.entries


def test_the_last_result_counts() -> None:
    async def twice(call: Call) -> None:
        call.result("asked")
        await call.play(text("x"))
        call.result("confirmed")
        await call.ended()

    stage = Stage(twice).connect()
    assert stage.session.record.result == "asked"
    stage.event("PlayCompleted", 1)
    assert stage.session.record.result == "confirmed"


@pytest.mark.parametrize("word", ["", "two words", "x" * 65])
def test_a_result_is_one_word(word: str) -> None:
    async def wrong(call: Call) -> None:
        call.result(word)

    assert "result" in Stage(wrong).connect().failures[0]


@pytest.mark.parametrize("value", [float("nan"), object(), "\ud800", {1, 2}])
def test_details_that_are_not_json_are_a_mistake_that_names_them(value: Any) -> None:
    async def wrong(call: Call) -> None:
        with pytest.raises(InvalidInput, match="result"):
            call.result("confirmed", value=value)
        with pytest.raises(InvalidInput, match="log"):
            call.log("line", value=value)

    assert Stage(wrong).connect().failures == []


def test_a_line_of_a_flow_is_logged_once_however_often_its_call_is_loaded(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def logging_flow(call: Call) -> None:
        call.log("greeted", language="de")
        await call.play(text("x"))
        await call.ended()

    world = World()
    monkeypatch.setitem(FLOWS, "logging", Flow("logging", logging_flow))
    conductor = world.conductor()
    with caplog.at_level(logging.INFO, "switchboard.calls"):
        _, call_id = conductor.ring(a_ring(), answering(), "logging")
        for event in world.wire.reaction(world.last()):
            conductor.deliver(call_id, [parsed(event)])
        for event in world.wire.reaction(world.last()):
            world.conductor().deliver(call_id, [parsed(event)])
    assert [r.getMessage() for r in caplog.records if "greeted" in r.getMessage()] == [
        f'flow logging says call={call_id}: greeted {{"language": "de"}}'
    ]


# Marks of inserted steps


async def old(call: Call) -> None:
    await call.play(text("Welcome."))
    await call.play(text("Goodbye."))
    await call.ended()


async def new(call: Call) -> None:
    if call.version("ask-language"):
        await call.recognize(text("English or German?"), speech=True)
    await call.play(text("Welcome."))
    if call.version("advertise"):
        await call.play(text("We are open on Sundays, too."))
    await call.play(text("Goodbye."))
    await call.ended()


def test_a_call_that_had_passed_an_inserted_step_goes_on_without_it_and_meets_the_next_one() -> None:
    stage = Stage(old).connect()
    changed = Session(Flow("stage", new), "stage")
    changed.feed_stored([encode(entry) for entry in stage.journal])
    assert changed.take() == []
    stage.session = changed
    stage.event("PlayCompleted", 1)
    assert stage.issued[1:] == ["play", "play"]
    assert stage.failures == []
    assert [entry.name for entry in notes(stage.journal) if isinstance(entry, Marked)] == ["advertise"]
    assert replay(Flow("stage", new), "stage", stage.journal) == []


def test_a_call_that_comes_with_the_new_code_meets_every_inserted_step() -> None:
    stage = Stage(new).connect()
    assert stage.issued[1:] == ["recognize"]
    assert replay(Flow("stage", new), "stage", stage.journal) == []


def test_the_first_answer_of_a_mark_counts_for_all_of_the_call() -> None:
    async def looping(call: Call) -> None:
        while True:
            await call.signal("next")
            call.play(text("new" if call.version("words") else "old"))

    async def before(call: Call) -> None:
        while True:
            await call.signal("next")
            call.play(text("old"))

    stage = Stage(before).connect()
    stage.feed(Signalled(at=START, id="1", name="next"))
    session = Session(Flow("stage", looping), "stage")
    session.feed_stored([encode(entry) for entry in stage.journal])
    stage.session = session
    stage.feed(Signalled(at=START, id="2", name="next"))
    assert notes(stage.journal) == []
    assert replay(Flow("stage", looping), "stage", stage.journal) == []


# What a journal holds


@pytest.mark.parametrize(
    "entry",
    [
        Signalled(at=1, id="1", name="n", data={"agent": None}),
        Signalled(at=1, id="1", name="n"),
        Responded(at=1, seq=2, value=[None, {"a": None}, "ü"]),
        Responded(at=1, seq=2, value={"a": None}),
        Started(at=1, flow="f", direction="outbound", input={"slot": None}),
        Logged(at=1, message="m", fields={"x": None}),
        Resulted(at=1, result="r", details={"x": None}),
    ],
)
def test_null_in_a_value_from_outside_is_kept(entry: Entry) -> None:
    assert decode(encode(entry)) == entry
