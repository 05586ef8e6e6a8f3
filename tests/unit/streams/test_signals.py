"""What the flow hears of a stream: keys and final phrases."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from shared.errors import LostRace, UnknownCall
from streams.signals import ATTEMPTS
from tests.unit.streams.memory import (
    CALL,
    CALLER,
    START,
    Bench,
    key,
    metadata,
    phrase,
    transcription_metadata,
)

SECOND = 10_000_000


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.service.close()


async def said(bench: Bench, *frames: Any) -> None:
    socket = await bench.opened("transcript")
    socket.send(transcription_metadata(), *frames)
    await socket.close()


async def test_keys_reach_the_flow_in_order_and_the_same_key_twice_is_two(bench: Bench) -> None:
    socket = await bench.opened("audio")
    socket.send(metadata(), *(key(tone) for tone in "112#a"))
    await socket.close()
    assert bench.told.signals == [(CALL, "dtmf", {"tone": tone}) for tone in "112#A"]


async def test_a_final_phrase_is_a_signal_and_a_line(bench: Bench) -> None:
    await said(bench, phrase("sales please", 3 * SECOND))
    data = {"text": "sales please", "confidence": 0.95, "offset": 3.0, "duration": 1.25, "participant": CALLER}
    assert bench.told.signals == [(CALL, "transcript", data)]
    (line,) = bench.store.lines()
    assert {name: line[name] for name in data} == data
    assert (line["status"], line["locale"], line["offsetTicks"]) == ("final", "en-US", 3 * SECOND)
    assert line["words"] == [{"text": "sales please", "offset": 3.0, "duration": 1.25}]
    assert bench.store.ending("transcript.jsonl") == [f"2024/11/15/{CALL}/transcript.jsonl"]


async def test_a_phrase_that_comes_again_counts_once_also_on_the_next_connection(bench: Bench) -> None:
    await said(bench, phrase("yes", SECOND), phrase("yes", SECOND), phrase("yes", 2 * SECOND))
    await said(bench, phrase("yes", SECOND))
    assert len(bench.told.signals) == 2
    assert len({line["id"] for line in bench.store.lines()}) == 2


async def test_intermediate_phrases_are_neither_signalled_nor_kept(bench: Bench) -> None:
    await said(bench, phrase("sal", SECOND, "Intermediate"), phrase("sales", SECOND, "final"))
    assert [data["text"] for _, _, data in bench.told.signals] == ["sales"]
    assert [line["text"] for line in bench.store.lines()] == ["sales"]


async def test_intermediate_phrases_are_kept_when_the_setting_says_so() -> None:
    bench = Bench(keep_intermediate=True)
    await said(bench, phrase("sal", SECOND, "Intermediate"), phrase("sales", SECOND))
    assert [line["status"] for line in bench.store.lines()] == ["intermediate", "final"]
    assert len(bench.told.signals) == 1
    bench.service.close()


@pytest.mark.parametrize(
    ("ticks", "seconds"),
    [
        (0, 0.0),
        (12_500_000, 1.25),
        # .NET ticks of START plus two seconds, and the same counted down from the last .NET date (docs' sample)
        (621_355_968_000_000_000 + round((START + 2) * 1000) * 10_000, 2.0),
        (3_155_378_975_999_999_999 - 621_355_968_000_000_000 - round((START + 2) * 1000) * 10_000, 2.0),
        # before the socket was opened
        (621_355_968_000_000_000 + round((START - 2) * 1000) * 10_000, 0.0),
    ],
)
async def test_an_offset_is_read_in_each_of_its_forms(bench: Bench, ticks: int, seconds: float) -> None:
    await said(bench, phrase("yes", ticks))
    assert bench.told.signals[0][2]["offset"] == pytest.approx(seconds, abs=0.002)


async def test_the_documented_sample_without_a_duration_is_read(bench: Bench) -> None:
    sample = phrase("hi", SECOND)
    del sample["transcriptionData"]["duration"]
    await said(bench, sample)
    assert bench.told.signals[0][2]["duration"] == 0.0


@pytest.mark.parametrize("broken", ["{", "{}", '{"kind":"TranscriptionData"}',
                                    '{"kind":"TranscriptionData","transcriptionData":{"text":5}}'])  # fmt: skip
async def test_a_phrase_that_cannot_be_read_is_left_out(bench: Bench, broken: str) -> None:
    await said(bench, broken, phrase("yes", SECOND))
    assert [data["text"] for _, _, data in bench.told.signals] == ["yes"]


async def test_text_outside_unicode_is_archived_all_the_same(bench: Bench) -> None:
    await said(bench, phrase("né 한국 \ud800", SECOND))
    assert bench.store.lines()[0]["text"].startswith("né 한국")


async def test_a_signal_that_loses_a_race_is_sent_again_and_counts_once(bench: Bench) -> None:
    bench.told.failures = [LostRace("x"), OSError("away")]
    await said(bench, phrase("one", SECOND), phrase("two", 2 * SECOND))
    assert [data["text"] for _, _, data in bench.told.signals] == ["one", "two"]


async def test_a_signal_for_a_call_that_is_unknown_is_given_up_and_logged(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.told.failures = [UnknownCall(CALL)]
    await said(bench, phrase("one", SECOND), phrase("two", 2 * SECOND))
    assert [data["text"] for _, _, data in bench.told.signals] == ["two"]
    assert "outcome=failed reason=unknown call" in caplog.text


async def test_a_signal_that_never_arrives_is_given_up_in_the_end(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.told.failures = [LostRace("x")] * ATTEMPTS
    await said(bench, phrase("one", SECOND))
    assert bench.told.signals == []
    assert "outcome=failed reason=LostRace" in caplog.text


async def test_no_log_line_holds_what_was_said_or_by_whom(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "switchboard")
    await said(bench, phrase("my secret", SECOND), "{")
    assert "signal transcript" in caplog.text
    assert "secret" not in caplog.text
    assert "4255550123" not in caplog.text


async def test_phrases_wait_for_a_storage_that_is_away(bench: Bench) -> None:
    socket = await bench.opened("transcript")
    bench.store.failing = True
    socket.send(phrase("one", SECOND), phrase("two", 2 * SECOND))
    while len(bench.told.signals) < 2:
        await bench.time.sleep(0)
    bench.store.failing = False
    await socket.close()
    assert [line["text"] for line in bench.store.lines()] == ["one", "two"]
