"""Phrases are found as they are said, when they are said."""

from __future__ import annotations

import pytest

from shared.quality.report import Topic
from shared.quality.spans import Span
from shared.quality.transcripts.base import Utterance
from shared.quality.transcripts.phrases import Conversation, Where, topics, words_of
from tests.unit.quality.transcripts.said import said


@pytest.mark.parametrize(
    ("phrase", "text"),
    [
        ("Thank you for calling", "Well, THANK you... for calling, sir."),
        ("do not worry", "do not worry"),
        ("I'm sorry", "i\u2019m sorry"),
        ("cafe creme", "un Café Crème"),
        ("für", "fur"),
        ("straße", "STRASSE"),
        ("감사합니다", "네, 감사합니다."),
        ("电话", "请打电话。"),
        ("ありがとう", "どうもありがとうございます"),
    ],
    ids=["case", "plain", "apostrophe", "accents", "umlaut", "sharp-s", "korean", "chinese", "japanese"],
)
@pytest.mark.parametrize("timed", [True, False])
def test_case_punctuation_and_accents_do_not_matter(phrase: str, text: str, timed: bool) -> None:
    assert Conversation([said(text, 0, timed=timed)]).find([phrase])


@pytest.mark.parametrize(
    ("phrase", "text"),
    [
        ("for calling", "for recalling"),
        ("call", "calls"),
        ("thank you", "you thank"),
        ("a b", "a c b"),
        ("...", "... a"),
        ("a b", "a"),
    ],
    ids=["inside-a-word", "plural", "order", "a-word-between", "no-word", "only-the-beginning"],
)
def test_only_whole_words_in_order_are_a_phrase(phrase: str, text: str) -> None:
    assert Conversation([said(text, 0)]).find([phrase]) == []


def test_a_match_tells_its_time_from_its_words() -> None:
    (match,) = Conversation([said("oh thank you very much", 10, each=0.5)]).find(["thank you"])
    assert match.span == Span(10.5, 11.5)
    assert (match.phrase, match.channel, match.utterances) == ("thank you", 0, (0,))


def test_a_match_in_words_without_times_has_the_time_of_its_utterance() -> None:
    (match,) = Conversation([said("oh thank you very much", 10, timed=False)]).find(["thank you"])
    assert match.span == Span(10, 12.5)


def test_a_phrase_goes_on_after_a_short_pause_and_past_another_speaker() -> None:
    utterances = [said("thank you", 0), said("yes", 1.2, channel=1), said("for calling", 2)]
    (match,) = Conversation(utterances).find(["thank you for calling"])
    assert match.span == Span(0, 3)
    assert match.utterances == (0, 2)


def test_a_phrase_does_not_go_on_after_a_long_pause() -> None:
    assert Conversation([said("thank you", 0), said("for calling", 3.1)]).find(["thank you for calling"]) == []


def test_two_speakers_do_not_say_one_phrase() -> None:
    assert Conversation([said("thank you", 0), said("for calling", 1, channel=1)]).find(["you for"]) == []


def test_every_match_of_every_phrase_is_found_in_order() -> None:
    found = Conversation([said("no yes no", 0), said("yes", 9, channel=1)]).find(["yes", "no"])
    assert [(match.phrase, match.channel, match.span.start) for match in found] == [
        ("no", 0, 0),
        ("yes", 0, 0.5),
        ("no", 0, 1.0),
        ("yes", 1, 9),
    ]


def test_only_the_channels_that_are_asked_for_are_searched() -> None:
    conversation = Conversation([said("yes", 0), said("yes", 1, channel=1)])
    assert [match.channel for match in conversation.find(["yes"], channels=[1])] == [1]
    assert conversation.find(["yes"], channels=[]) == []


# The customer speaks from 5 to 6 and from 50 to 51; the agent from 10 to 10.5, at 20, at 40 and from 60 to 60.5.
TALK = [
    said("hello hello", 5),
    said("hello", 10, channel=1),
    said("hello", 20, channel=1),
    said("hello", 40, channel=1),
    said("hello hello", 50),
    said("hello", 60, channel=1),
]


@pytest.mark.parametrize(
    ("where", "seconds", "starts"),
    [
        ("anywhere", 0, [10, 20, 40, 60]),
        ("start", 5, [10]),
        ("start", 4.9, []),
        ("start", 15, [10, 20]),
        ("within", 5, [10]),
        ("within", 10, [10, 20]),
        ("end", 5, [60]),
        ("end", 20.5, [40, 60]),
    ],
)
def test_a_phrase_is_sought_in_its_part_of_the_conversation(where: Where, seconds: float, starts: list[float]) -> None:
    found = Conversation(TALK).find(["hello"], channels=[1], where=where, seconds=seconds)
    assert [match.span.start for match in found] == starts


def test_nothing_is_found_where_nothing_was_said() -> None:
    assert Conversation([]).find(["hello"], where="end", seconds=10) == []


def test_a_topic_lasts_as_long_as_the_utterances_that_speak_of_it() -> None:
    utterances: list[Utterance] = [
        said("I want a refund for my bill", 0),
        said("a refund", 2, channel=1),
        said("what is it", 10, channel=1),
        said("the bill", 20),
    ]
    found = topics({"billing": ["bill", "refund"], "weather": ["rain"]}, utterances)
    assert found == (Topic(name="billing", seconds=4.5, spans=(Span(0, 3.5), Span(20, 21))),)


def test_a_topic_whose_phrase_goes_over_a_pause_takes_both_utterances() -> None:
    (topic,) = topics({"t": ["not working"]}, [said("it is not", 0), said("working at all", 2.5)])
    assert topic.spans == (Span(0, 1.5), Span(2.5, 4.0))


def test_words_are_compared_without_case_accents_and_punctuation() -> None:
    assert words_of("Señor O'Neil, e-mail!") == ("senor", "oneil", "e", "mail")
