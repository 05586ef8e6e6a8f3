"""What the flow hears of a stream: keys and final phrases."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from shared.errors import InvalidInput, UnknownCall
from streams.app_client import AppUnavailable
from tests.unit.streams.memory import (
    CALL,
    CALLER,
    START,
    Bench,
    audio,
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


AWAY = AppUnavailable("ConnectionError")


async def test_a_signal_whose_response_is_lost_is_sent_again_and_counts_once(bench: Bench) -> None:
    bench.told.lost = [AWAY, OSError("away")]
    await said(bench, phrase("one", SECOND), phrase("two", 2 * SECOND))
    assert [data["text"] for _, _, data in bench.told.signals] == ["one", "two"]


async def test_keys_whose_responses_are_lost_count_once_each(bench: Bench) -> None:
    bench.told.lost = [AWAY] * 4
    socket = await bench.opened("audio")
    socket.send(metadata(), *(key(tone) for tone in "1122"))
    await socket.close()
    assert [data["tone"] for _, _, data in bench.told.signals] == ["1", "1", "2", "2"]


async def test_signals_are_numbered_from_one_and_those_that_wait_go_together(bench: Bench) -> None:
    bench.told.failures = [AWAY]
    socket = await bench.opened("audio")
    socket.send(metadata(), *(key("5") for _ in range(250)))
    await socket.close()
    assert len({connection for connection, _, _ in bench.told.requests}) == 1
    assert len(bench.told.requests[0][0]) == 16
    numbers = [n for _, first, count in bench.told.requests for n in range(first, first + count)]
    assert numbers == list(range(1, 251))
    assert max(count for _, _, count in bench.told.requests) == 100


async def test_a_request_holds_64_kilobytes_or_one_signal(bench: Bench) -> None:
    bench.told.failures = [AWAY]
    await said(bench, *(phrase("y" * 30_000, n) for n in range(4)), phrase("z" * 60_000, 9))
    assert [count for _, _, count in bench.told.requests if count > 2] == []
    assert [len(data["text"]) for _, _, data in bench.told.signals] == [30_000] * 4 + [60_000]


async def test_none_is_lost_while_the_app_is_away_for_thirty_seconds(bench: Bench) -> None:
    """Of many keys, in order, each once; and it is noticed within a second that the app is back."""
    away_until = bench.time.now + 30
    told, back = bench.told, []

    def app(*given: Any) -> str:
        if bench.time.now < away_until:
            raise AWAY
        back.append(bench.time.now)
        return told(*given)

    bench.service.deliver = app
    socket = await bench.opened("audio")
    tones = [str(n % 10) for n in range(500)]
    socket.send(metadata(), *map(key, tones))
    await socket.close()  # the socket is closed meanwhile, and keeps its place until all are there
    assert [data["tone"] for _, _, data in told.signals] == tones
    assert back[0] - away_until < 1.0
    assert bench.service.held.used == 0


async def test_a_signal_is_given_up_after_two_minutes_and_those_that_came_later_are_not(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "switchboard.streams")
    begun, told = bench.time.now, bench.told

    def app(*given: Any) -> str:
        if bench.time.now < begun + 150:
            raise AppUnavailable("the app responded 503")
        return told(*given)

    bench.service.deliver = app
    socket = await bench.opened("audio")
    socket.send(metadata(), key("1"))
    while bench.time.now < begun + 60:
        await bench.time.sleep(0)
    socket.send(key("2"))
    await socket.close()
    assert [data["tone"] for _, _, data in told.signals] == ["2"]
    (line,) = [record for record in caplog.records if "outcome=failed" in record.getMessage()]
    assert line.levelno == logging.ERROR
    assert line.getMessage() == f"signal dtmf call={CALL} outcome=failed reason=the app responded 503"
    assert "signals_failed=1 " in caplog.text
    assert caplog.text.count(f"signals wait call={CALL}") == 1


async def test_how_long_a_signal_waits_is_a_setting() -> None:
    bench = Bench(most_signal_seconds=30)
    begun = bench.time.now
    bench.service.deliver = lambda *given: (_ for _ in ()).throw(AWAY)
    await said(bench, phrase("one", SECOND))
    assert 30 <= bench.time.now - begun < 32
    bench.service.close()


async def test_a_signal_for_a_call_that_is_unknown_is_given_up_and_logged(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.told.failures = [UnknownCall(CALL)]
    await said(bench, phrase("one", SECOND))
    assert bench.told.signals == []
    assert "outcome=failed reason=UnknownCall" in caplog.text


async def test_of_signals_that_go_together_only_the_one_that_the_app_refuses_is_lost(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    told = bench.told

    def app(call_id: str, connection: str, sequence: int, signals: Any) -> str:
        if any(one["data"]["tone"] == "5" for one in signals):
            raise InvalidInput("signals.0", "is not what the app takes.")
        return told(call_id, connection, sequence, signals)

    bench.service.deliver = app
    socket = await bench.opened("audio")
    socket.send(metadata(), *(key(tone) for tone in "123456789"))
    await socket.close()
    assert [data["tone"] for _, _, data in told.signals] == list("12346789")
    assert caplog.text.count("outcome=failed reason=InvalidInput") == 1


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("a b", 1, "its name is not valid"),
        ("", 1, "its name is not valid"),
        ("x" * 65, 1, "its name is not valid"),
        ("a", {1, 2}, "its data is not JSON"),
        ("a", float("nan"), "its data is not JSON"),
        ("a", "\ud800", "its data is not JSON"),
        ("a", "x" * 1024 * 1024, "its data is too long"),
    ],
)
async def test_what_the_app_would_never_take_is_not_sent(
    bench: Bench, caplog: pytest.LogCaptureFixture, name: str, data: Any, reason: str
) -> None:
    held = bench.service.held_by_socket()
    signals = bench.service.signals_of(CALL, held)
    signals.put(name, data)
    await signals.close()
    assert (signals.failed, held.used) == (1, 0)
    assert f"outcome=failed reason={reason}" in caplog.text


async def test_a_process_that_is_to_end_does_not_wait_long_for_an_app_that_is_away(
    bench: Bench, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sound is written first, and what could not be told is counted."""
    monkeypatch.setattr("streams.signals.LAST_SECONDS", 0.05)
    gate = threading.Event()
    bench.service.deliver = lambda *given: str(gate.wait(10))
    socket = await bench.opened("audio")
    socket.send(metadata(), audio(0), *(key("5") for _ in range(7)))
    await socket.close(1012)
    gate.set()
    assert "7 still waited at the end" in caplog.text
    assert bench.store.index()["files"][0]["complete"] is True


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
