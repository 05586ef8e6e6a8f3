"""What the app said and what was keyed, read from journals; times are seconds after the recording began."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shared.calls import actions, journal
from shared.calls.prompts import FilePrompt, SsmlPrompt, TextPrompt
from shared.calls.record import CallRecord
from shared.calls.secrecy import without_texts
from shared.identifiers import Identifier
from shared.quality.assemble import assemble
from shared.quality.report import AppLine
from shared.quality.signal import Hole
from shared.quality.spans import Span
from shared.quality.transcripts.redaction import redact
from shared.recordings.call_evidence import KnownCall, evidence_of
from tests.unit.quality.made import BEGAN, NOW, evidence, signal
from tests.unit.recordings.samples import AGENT, CALLER
from tests.unit.recordings.test_app_spans import accepted, event, issued

CUSTOMER = Identifier.parse(CALLER)
ASK = actions.Recognize(
    input="dtmf", participant=CUSTOMER, max_tones=4, prompts=(TextPrompt(text="For orders, press 2."),)
)


def said(*prompts: Any) -> actions.Play:
    return actions.Play(prompts=prompts)


def lines(
    *entries: Any, secret: tuple[int, ...] = (), seconds: float = 100.0
) -> list[tuple[str, float, str, int | None]]:
    """Those of a call whose caller is on channel 0; the entries at these places are secret."""
    read = [json.loads(journal.encode(entry)) for entry in entries]
    for place in secret:
        read[place]["secret"] = True
    call = KnownCall(CallRecord("c", caller=CALLER, callee="4:+18005550199"), read)
    told = evidence_of(
        call,
        [(CALLER, 0), (AGENT, 1)],
        started_at=BEGAN,
        seconds=seconds,
        channels=2,
        mixed=False,
        redacted=lambda text: redact(text)[0],
    )
    return [(line.kind, line.at, line.text, line.channel) for line in told.lines]


def keyed(second: float, *tones: str, seq: int = 0) -> journal.EventReceived:
    return event(
        second,
        "RecognizeCompleted",
        f"call:1:{seq}:0",
        recognitionType="dtmf",
        dtmfResult={"tones": list(tones)},
        resultInformation={"code": 200, "subCode": 8533, "message": ""},
    )


def test_a_prompt_is_a_line_when_it_was_heard_to_begin() -> None:
    found = lines(
        issued(1, said(TextPrompt(text="Good day."), FilePrompt(url="https://prompts.example/a/b.wav?sig=x"))),
        accepted(1.2),
        event(2, "PlayStarted"),
        event(7, "PlayCompleted"),
        issued(8, said(SsmlPrompt(ssml="<speak><voice>One <break/>moment</voice></speak>")), seq=1),
        event(9, "PlayStarted", "call:1:1:0"),
    )
    assert found == [("said", 2.0, "Good day. [b.wav]", None), ("said", 9.0, "One moment", None)]


def test_a_long_prompt_is_kept_up_to_two_thousand_characters() -> None:
    ((_, _, text, _),) = lines(issued(1, said(TextPrompt(text="ab " * 1000))), event(2, "PlayStarted"))
    assert len(text) == 2000


def test_a_prompt_that_nobody_heard_is_none() -> None:
    assert lines(issued(1, said(TextPrompt(text="Good day."))), event(2, "PlayFailed")) == []
    assert lines(issued(1, said(TextPrompt(text="Good day."))), seconds=0.5) == [], "the recording was over"


def test_what_was_over_before_the_recording_began_is_left_out() -> None:
    found = lines(
        issued(-9, said(TextPrompt(text="This call is recorded."))),
        event(-8, "PlayStarted"),
        event(-6, "PlayCompleted"),
        issued(-5, ASK, seq=1),
        accepted(-4.9, seq=1),
        keyed(-4, "one", seq=1),
        issued(-2, said(TextPrompt(text="Good day.")), seq=2),
        event(-1, "PlayStarted", "call:1:2:0"),
        event(3, "PlayCompleted", "call:1:2:0"),
    )
    assert found == [("said", 0.0, "Good day.", None)], "what goes on as it begins stands at its beginning"


def test_numbers_and_addresses_are_taken_out_of_what_the_app_said() -> None:
    text = "Call +14255550123, or write to ada@example.com."
    assert lines(issued(1, said(TextPrompt(text=text))), event(2, "PlayStarted")) == [
        ("said", 2.0, "Call [phone], or write to [email].", None)
    ]


@pytest.mark.parametrize(
    ("tones", "text"),
    [
        (("two",), "2"),
        (("asterisk", "pound"), "* #"),
        (("one", "two", "three"), "(3 keys)"),
        (("nine",) * 16, "(16 keys)"),
    ],
)
def test_one_or_two_keys_are_shown_and_more_are_counted(tones: tuple[str, ...], text: str) -> None:
    found = lines(issued(1, ASK), accepted(1.1), keyed(4, *tones))
    assert found == [("said", 1.1, "For orders, press 2.", 0), ("keyed", 4.0, text, 0)]


def test_a_choice_that_was_keyed_is_named_and_one_that_was_spoken_is_in_the_transcript() -> None:
    def chosen(**more: str) -> journal.EventReceived:
        result = {"label": "orders", **more}
        return event(4, "RecognizeCompleted", "call:1:0:0", recognitionType="choices", choiceResult=result)

    assert lines(issued(1, ASK), accepted(1.1), chosen())[1:] == [("keyed", 4.0, "orders", 0)]
    assert lines(issued(1, ASK), accepted(1.1), chosen(recognizedPhrase="orders, please"))[1:] == []


def test_keys_that_come_one_by_one_spell_nothing() -> None:
    start = actions.StartContinuousDtmf(participant=CUSTOMER)

    def key(second: float, tone: str) -> journal.EventReceived:
        return event(second, "ContinuousDtmfRecognitionToneReceived", "call:1:0:0", sequenceId=1, tone=tone)

    entries = [issued(1, start), key(2, "four"), key(3, "one"), key(4, "one"), key(5, "one")]
    assert lines(*entries) == [("keyed", 2.0, "(4 keys)", 0)]
    assert lines(*entries[:2]) == [("keyed", 2.0, "(1 key)", 0)]


def test_what_is_secret_stays_so() -> None:
    told = event(4, "RecognizeCompleted", "call:1:0:0")  # sealing leaves no more of it
    assert lines(issued(1, without_texts(ASK)), accepted(1.1), told, secret=(0, 2)) == [
        ("said", 1.1, "(secret)", 0),
        ("keyed", 4.0, "(secret)", 0),
    ]


def test_nothing_is_kept_of_what_was_said_and_keyed_while_the_recording_paused() -> None:
    holes = (Hole(Span(10, 20), "paused"), Hole(Span(30, 40), "missing"))
    paused = signal([(1, 2)], [(3, 4)], seconds=60.0, holes=holes)
    told = [AppLine(kind="said", at=at, text=str(at)) for at in (9.9, 10.0, 19.9, 20.0, 35.0)]
    found = assemble(evidence(paused, app_lines=told), now=NOW)
    assert [line.at for line in found.app_lines] == [9.9, 20.0, 35.0]
