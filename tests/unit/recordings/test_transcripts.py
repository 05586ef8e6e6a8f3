"""What was transcribed is kept: no channel is paid for twice, and nothing unredacted lies in the archive."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

import pytest

from shared.calls.store.memory import MemoryStore
from shared.errors import TranscriptionFailed
from shared.quality.report import Report
from shared.quality.thresholds import Thresholds
from shared.quality.transcripts.base import Utterance
from shared.quality.transcripts.phrases import Conversation
from shared.recordings.memory import MemoryArchive
from shared.recordings.record import report_name
from shared.recordings.report_job import REPORT_ATTEMPTS
from shared.recordings.reporting import QualityReporter
from shared.recordings.transcripts import ArchivedTranscripts
from tests.unit.quality.audio import scenes
from tests.unit.quality.transcripts.said import said
from tests.unit.recordings.samples import a_record
from tests.unit.recordings.world import World, file_event

CARD = "four one one one 1111 1111 1111"


class Speech:
    """A transcriber that counts what it is asked for, and fails so often on a channel."""

    def __init__(self, locale: str = "en-US", **fails: int) -> None:
        self.locale = locale
        self.asked: list[int] = []
        self.fails = {int(name.removeprefix("channel_")): count for name, count in fails.items()}

    def transcribe(self, audio: Any, *, channel: int, speech: Sequence[Any] = ()) -> list[Utterance]:
        self.asked.append(channel)
        if self.fails.get(channel, 0) > 0:
            self.fails[channel] -= 1
            raise TranscriptionFailed("the speech service answered 429", 429)
        return [said(f"my card is {CARD} and thanks", 1.0, channel)]


@pytest.fixture(scope="module")
def talk() -> bytes:
    return scenes.wav(scenes.conversation(20, 2, seed=1).sound)


def hearing(speech: Speech, talk: bytes, files: int = 1) -> World:
    def reporter(world: World) -> QualityReporter:
        return QualityReporter(
            archive=world.archive,
            ledger=world.ledger,
            store=MemoryStore(),
            thresholds=Thresholds(),
            transcriber=speech,
        )

    world = World(files, reporter=reporter)
    world.service.files = dict.fromkeys(world.service.files, talk)
    return world


def report(world: World, recording: str) -> Report:
    return Report.model_validate_json(world.archive.get_text(report_name(recording)))


def test_a_channel_that_fails_for_a_while_does_not_have_the_others_transcribed_again(talk: bytes) -> None:
    speech = Speech(channel_1=5)
    world = hearing(speech, talk)
    recording = world.announce()
    assert world.run()[-1] == "reported"
    assert (speech.asked.count(0), speech.asked.count(1)) == (1, 6)
    found = report(world, recording).transcript
    assert found is not None
    assert {phrase.channel for phrase in found.phrases} == {0, 1}


def test_a_replay_and_a_later_file_have_nothing_transcribed_again(talk: bytes) -> None:
    speech = Speech()
    world = hearing(speech, talk, 2)
    whole, world.event = world.event, file_event(world.names[:1])
    recording = world.announce()
    world.run()
    world.pipeline.replay(recording)
    world.run()
    assert sorted(speech.asked) == [0, 1]
    world.event = whole
    world.announce()
    world.run()
    assert sorted(speech.asked) == [0, 0, 1, 1]
    assert len(report(world, recording).recording.chunks) == 2


def test_what_was_transcribed_before_the_last_attempt_failed_serves_a_replay(talk: bytes) -> None:
    speech = Speech(channel_1=REPORT_ATTEMPTS)
    world = hearing(speech, talk)
    recording = world.announce()
    assert world.run()[-1] == "reported"
    assert report(world, recording).transcript is None
    world.pipeline.replay(recording)
    world.run()
    assert speech.asked.count(0) == 1
    assert report(world, recording).transcript is not None


def test_another_language_is_transcribed_anew(talk: bytes) -> None:
    world = hearing(Speech(), talk)
    recording = world.announce()
    world.run()
    german = Speech("de-DE")
    world.pipeline._report_job._reporter._transcriber = german  # type: ignore[attr-defined]
    world.pipeline._report_job._reporter._locale = "de-DE"  # type: ignore[attr-defined]
    world.pipeline.replay(recording)
    world.run()
    assert sorted(german.asked) == [0, 1]
    found = report(world, recording).transcript
    assert found is not None
    assert found.locale == "de-DE"


def test_a_damaged_file_that_is_fetched_again_is_transcribed_again(talk: bytes) -> None:
    speech = Speech()
    world = hearing(speech, talk[:-64_000])
    recording = world.announce()
    world.run()
    world.service.files = dict.fromkeys(world.service.files, talk)
    world.pipeline.replay(recording)
    world.run()
    assert sorted(speech.asked) == [0, 0, 1, 1]
    world.pipeline.replay(recording)
    world.run()
    assert sorted(speech.asked) == [0, 0, 1, 1]


def test_a_channel_is_kept_piece_by_piece_and_counted_once() -> None:
    archive = MemoryArchive()
    words = ArchivedTranscripts(archive, a_record(), "en-US", "US")
    assert words.get(0, 0) is None
    words.put(0, 0, [said(f"my card {CARD}", 1.0)], 3600.0)
    later = ArchivedTranscripts(archive, a_record(), "en-US", "US")
    part = later.get(0, 0)
    assert part is not None
    assert (part.until, len(part.utterances)) == (3600.0, 1)
    whole = later.put(0, 0, [said(f"and again {CARD}", 3700.0)], math.inf)
    assert [one.text for one in whole.utterances] == ["my card [card]", "and again [card]"]
    assert (whole.until, later.redactions.card) == (math.inf, 2)


def test_what_is_kept_is_redacted_word_by_word_and_counted_as_often_as_it_is_read(talk: bytes) -> None:
    world = hearing(Speech(), talk)
    recording = world.announce()
    world.run()
    kept = [name for name in world.archive.files if ".words." in name]
    assert len(kept) == 2
    for name in [*kept, report_name(recording)]:
        text = world.archive.get_text(name)
        assert "1111" not in text
        assert "four one" not in text
    first = report(world, recording).transcript
    world.pipeline.replay(recording)
    world.run()
    second = report(world, recording).transcript
    assert first is not None
    assert first == second
    assert first.redactions.card == 2
    assert first.phrases[0].text == "my card is [card] and thanks"


def test_words_keep_their_times_and_a_mark_is_no_word_that_was_said() -> None:
    words = ArchivedTranscripts(MemoryArchive(), a_record(), "en-US", "US")
    part = words.put(0, 0, [said(f"take my number {CARD} please", 0.0)], math.inf)
    (kept,) = part.utterances
    assert [word.text for word in kept.words[:3]] == ["take", "my", "number"]
    assert (kept.words[-1].text, kept.words[-1].end) == ("please", kept.end)
    assert words.get(0, 0) == part
    assert Conversation([kept]).find(["card"]) == []
    assert len(Conversation([kept]).find(["number", "please"])) == 2
    untimed = Utterance(0, 0.0, 1.0, "it is [card] and [phone]")
    assert Conversation([untimed]).find(["card", "phone"]) == []


@pytest.mark.parametrize("text", ["", "{}", json.dumps({"locale": "en-US"})])
def test_what_was_kept_and_cannot_be_read_is_transcribed_again(talk: bytes, text: str) -> None:
    speech = Speech()
    world = hearing(speech, talk)
    recording = world.announce()
    world.run()
    world.archive.put_text(f"{world.record(recording).folder}/0.words.1.json", text)
    world.pipeline.replay(recording)
    world.run()
    assert sorted(speech.asked) == [0, 1, 1]
