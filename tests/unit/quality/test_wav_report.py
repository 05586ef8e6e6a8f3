"""The report of a WAV file by itself, on the command line and without it."""

from __future__ import annotations

import json
import subprocess
import sys
import wave
from pathlib import Path

import numpy as np
import pytest

from shared.errors import InvalidInput
from shared.quality.__main__ import main
from shared.quality.assemble import MIXED
from shared.quality.report import AppSpan, Phrase, Report
from shared.quality.wav_report import Known, Speaker, report_of
from tests.unit.quality.audio.scenes import RATE, spoken

CARD = """
name: greeting
title: Greeting
questions:
  - id: greeting
    text: Did the agent greet?
    phrases: {by: agent, any_of: [good morning]}
"""


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An agent on channel 0, who speaks at 1 s; a customer on channel 1, who answers at 8 s; 20 s in all."""
    sound = np.zeros((20 * RATE, 2), np.float32)
    for channel, start, words in ((0, 1, spoken()["en-us"][0]), (1, 8, spoken()["en-us+f3"][1])):
        sound[start * RATE : start * RATE + len(words), channel] = words
    return written(tmp_path_factory.mktemp("sound") / "two speakers.wav", sound)


def written(path: Path, sound: np.ndarray[tuple[int, int], np.dtype[np.float32]], rate: int = RATE) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(sound.shape[1])
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((sound * 32767).astype("<i2").tobytes())
    return path


def test_it_runs_alone_and_prints_a_report(two: Path) -> None:
    """In a process of its own: nothing of calls, recordings or Azure is imported."""
    code = (
        "import runpy, sys\n"
        f"sys.argv = ['quality', {str(two)!r}, '--customer', '1']\n"
        "try:\n    runpy.run_module('shared.quality', run_name='__main__')\n"
        "except SystemExit as end:\n    assert not end.code, end.code\n"
        "print('imported', *sorted(name for name in sys.modules if name.startswith(('azure', 'shared.'))))\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=100, check=True)
    text, _, imported = run.stdout.partition("imported ")
    assert text.startswith("two speakers: 20.0 s, 2 channels with audio or a participant, 16000 Hz, 16 bits\n")
    assert "Agent                   Customer" in text
    assert "Flags" in text
    ours = {name for name in imported.split() if not name.startswith("shared.quality")}
    assert {".".join(name.split(".")[:2]) for name in ours} == {"shared.errors", "shared.yaml_text"}


def test_speech_and_roles_are_found(two: Path) -> None:
    report = report_of(two, Known(customer=1))
    assert [(one.channel, one.role, one.label) for one in report.channels] == [
        (0, "agent", "Agent"),
        (1, "customer", "Customer"),
    ]
    agent, customer = (one.speech for one in report.channels)
    assert agent[0].start == pytest.approx(1.0, abs=0.2)
    assert customer[0].start == pytest.approx(8.0, abs=0.2)
    assert (report.recording.sample_rate, report.recording.bits, report.recording.seconds) == (16000, 16, 20.0)
    assert report.conversation.metrics["hold_seconds"].value is None
    assert report.call.id is None


def test_what_is_known_counts(two: Path) -> None:
    known = Known(
        speakers=(Speaker(channel=0, role="agent", label="Ada"), Speaker(channel=1)),
        app=(AppSpan(kind="hold", start=14.0, end=18.0),),
        phrases=(Phrase(channel=0, start=1.0, end=4.0, text="Call +1 425 555 0123, please."),),
    )
    report = report_of(two, known)
    assert [(one.role, one.label) for one in report.channels] == [("agent", "Ada"), ("unknown", "Speaker 2")]
    assert report.conversation.metrics["hold_seconds"].value == 4.0
    assert report.transcript is not None
    assert report.transcript.phrases[0].text == "Call [phone], please."


def test_of_several_agents_the_second_is_counted(tmp_path: Path) -> None:
    path = written(tmp_path / "three.wav", np.zeros((RATE, 3), np.float32))
    assert [one.label for one in report_of(path, Known(customer=0)).channels] == ["Customer", "Agent", "Agent 2"]


def test_one_channel_is_everybodys(tmp_path: Path) -> None:
    report = report_of(written(tmp_path / "mixed.wav", np.zeros((RATE, 1), np.float32)))
    assert [one.role for one in report.channels] == ["everybody"]
    assert report.notes == (MIXED,)


def test_a_file_that_is_cut_off_is_measured_and_says_so(two: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.wav"
    cut.write_bytes(two.read_bytes()[: 44 + 4 * RATE * 10])
    report = report_of(cut)
    assert report.recording.seconds == 10.0
    assert report.notes == ("Of cut.wav, the file ends 640000 bytes before its header says; the rest was analysed.",)


def test_a_channel_that_the_file_does_not_have_is_refused(two: Path) -> None:
    with pytest.raises(InvalidInput, match=r"2 is not in the file\. It has 2; the first is channel 0\."):
        report_of(two, Known(customer=2))


# The command line


def test_it_grades_by_a_card_and_writes_json_and_a_page(
    two: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    card, known, page = tmp_path / "card.yaml", tmp_path / "known.json", tmp_path / "report.html"
    card.write_text(CARD)
    phrase = {"channel": 0, "start": 1.0, "end": 4.0, "text": "Good morning."}
    known.write_text(json.dumps({"customer": 1, "phrases": [phrase]}))
    arguments = [str(two), "--known", str(known), "--scorecard", str(card), "--html", str(page)]
    assert main([*arguments, "--json", "--thresholds", '{"dead_air_seconds": 2.5}']) == 0
    report = Report.model_validate_json(capsys.readouterr().out)
    assert [(one.name, one.score) for one in report.scorecards] == [("greeting", 100.0)]
    assert report.thresholds.dead_air_seconds == 2.5
    assert "<html" in page.read_text("utf-8")
    assert main(arguments) == 0
    text = capsys.readouterr().out
    assert "Scorecard Greeting: 100 of 100, passed (limit 80; 1 of 1 question answered)" in text
    assert "  yes  1/1    Did the agent greet? Agent said “good morning” at 0:01.\n" in text


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--customer", "7"], "channel: 7 is not in the file."),
        (["--customer", "-1"], "--known: channel: Input should be greater than or equal to 0"),
        (["--thresholds", '{"dead_air": 1}'], "--thresholds: dead_air: Extra inputs are not permitted"),
        (["--scorecard", "nowhere.yaml"], "--scorecard: there is no nowhere.yaml. Name a YAML file, or a folder"),
        (["--known", "nowhere.json"], "nowhere.json: No such file or directory."),
    ],
)
def test_what_is_wrong_with_the_options_is_named(
    two: Path, options: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(two), *options]) == 2
    assert told in capsys.readouterr().err


def test_a_file_that_is_no_wav_or_of_another_rate_says_how_to_convert_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path / "cd.wav", np.zeros((100, 2), np.float32), rate=44_100)
    assert main([str(path)]) == 1
    told = capsys.readouterr().err
    assert "fmt .sample_rate: 44100 Hz; 8000 and 16000 can be read." in told
    assert f"ffmpeg -i {path} -ar 16000 -c:a pcm_s16le {tmp_path}/cd-16k.wav" in told
    (tmp_path / "notes.wav").write_text("no sound at all")
    assert main([str(tmp_path / "notes.wav")]) == 1
    assert "which is not WAV" in capsys.readouterr().err
    assert main([str(tmp_path / "gone.wav")]) == 2
    assert "No such file or directory. Name a file that can be read, or written." in capsys.readouterr().err
