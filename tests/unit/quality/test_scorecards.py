"""Scorecards: files are read or refused by line, questions are answered with their reasons."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from shared.errors import ScorecardError
from shared.quality.report import Answer, Channel, Metric, Report, ScorecardResult
from shared.quality.scorecards import Scorecard, applies, grade, load_scorecards, reading, topic_rules
from shared.quality.spans import Span
from shared.quality.transcripts.base import Utterance
from tests.fixtures.app import FOLDER as SHIPPED
from tests.unit.quality.made import report as made_report
from tests.unit.quality.made import signal
from tests.unit.quality.transcripts.said import said

ROOT = Path(__file__).parents[3]
CUSTOMER, AGENT, SUPERVISOR = 0, 1, 2
GOOD = """\
name: support
title: Support line
questions:
  - id: calm
    text: Was the line calm?
    metric: {name: dead_air, at_most: 0}
"""


@pytest.fixture(scope="module")
def report() -> Report:
    """The customer speaks 0–10 and 40–50, the agent 12–30, the supervisor 30–40; 100 s in all."""
    made = made_report(signal([(0, 10), (40, 50)], [(12, 30)], [(30, 40)]))
    values: dict[tuple[int, str], float | None] = {
        (CUSTOMER, "interruptions"): 4,
        (AGENT, "interruptions"): 0,
        (SUPERVISOR, "interruptions"): 2,
        (CUSTOMER, "loudness_lufs"): None,
        (AGENT, "loudness_lufs"): None,
        (SUPERVISOR, "loudness_lufs"): -40.26,
    }

    def channel(one: Channel) -> Channel:
        mine = {
            name: Metric(value=value, unit="count", spans=(Span(one.channel, one.channel + 0.5),))
            for (of, name), value in values.items()
            if of == one.channel
        }
        return one.model_copy(update={"metrics": {**one.metrics, **mine}})

    ratio = {"silence_ratio": Metric(value=0.351, unit="ratio", spans=(Span(50, 60), Span(30, 55)))}
    together = made.conversation.model_copy(update={"metrics": {**made.conversation.metrics, **ratio}})
    return made.model_copy(update={"channels": tuple(map(channel, made.channels)), "conversation": together})


def card(*questions: dict[str, Any], **given: Any) -> Scorecard:
    filled = [{"id": f"q{at}", "text": "Is it so?", **question} for at, question in enumerate(questions)]
    return Scorecard.model_validate({"name": "c", "title": "C", "questions": filled, **given})


def graded(report: Report, *questions: dict[str, Any], said: list[Utterance] | None = None) -> ScorecardResult:
    return grade(card(*questions), report, said)


def answered(report: Report, question: dict[str, Any], said: list[Utterance] | None = None) -> Answer:
    return graded(report, question, said=said).answers[0]


def metric(name: str, **given: Any) -> dict[str, Any]:
    return {"metric": {"name": name, **given}}


# metrics


@pytest.mark.parametrize(
    ("limit", "answer"),
    [
        ({"at_most": 0.351}, "yes"),
        ({"at_most": 0.35}, "no"),
        ({"at_least": 0.351}, "yes"),
        ({"at_least": 0.352}, "no"),
        ({"below": 0.351}, "no"),
        ({"below": 0.352}, "yes"),
        ({"above": 0.351}, "no"),
        ({"above": 0.35}, "yes"),
        ({"above": 0.1, "below": 0.5}, "yes"),
        ({"above": 0.1, "below": 0.2}, "no"),
    ],
    ids=lambda value: str(value),
)
def test_a_metric_is_held_against_its_limits(report: Report, limit: dict[str, float], answer: str) -> None:
    found = answered(report, {**metric("silence_ratio", **limit), "weight": 3})
    assert (found.answer, found.points, found.of) == (answer, 3 if answer == "yes" else 0, 3)


def test_the_rationale_names_figure_and_limit_and_the_spans_where_it_comes_from(report: Report) -> None:
    found = answered(report, metric("silence_ratio", at_most=0.35, above=0))
    assert found.rationale == "Silence ratio 35.1 % (limit: at most 35 % and above 0 %)."
    assert found.spans == (Span(30, 60),)


def test_of_several_participants_the_worst_decides(report: Report) -> None:
    found = answered(report, metric("interruptions", by="agent", at_most=1))
    assert found.answer == "no"
    assert found.rationale == "Interruptions of Agent 0, Interruptions of Agent 2 2 (limit: at most 1)."
    assert found.spans == (Span(2, 2.5),)
    assert answered(report, metric("interruptions", by="agent", at_most=2)).answer == "yes"


@pytest.mark.parametrize(
    ("whose", "answer"),
    [({"by": "customer"}, "no"), ({"by": "everybody"}, "no"), ({"channel": 1}, "yes"), ({"channel": 0}, "no")],
    ids=lambda value: str(value),
)
def test_a_metric_is_taken_of_those_it_asks_for(report: Report, whose: dict[str, Any], answer: str) -> None:
    assert answered(report, metric("interruptions", **whose, at_most=3)).answer == answer


@pytest.mark.parametrize(("channel", "points"), [(1, 10), (2, 4), (0, 0)])
def test_levels_give_a_share_of_the_weight(report: Report, channel: int, points: float) -> None:
    levels = [{"at_most": 1, "share": 1}, {"at_most": 3, "share": 0.4}]
    found = answered(report, {**metric("interruptions", channel=channel, levels=levels), "weight": 10})
    assert (found.points, found.of) == (points, 10)
    assert found.answer == ("yes" if points == 10 else "no")
    assert "(limit: at most 1: 100%; at most 3: 40%)" in found.rationale


def test_a_metric_that_is_not_available_does_not_count(report: Report) -> None:
    found = answered(report, metric("loudness_lufs", channel=1, at_least=-36))
    assert (found.answer, found.points, found.of) == ("n/a", 0, 0)
    assert found.rationale == "Loudness of Agent: not available."


def test_participants_without_a_figure_are_left_out(report: Report) -> None:
    found = answered(report, metric("loudness_lufs", by="everybody", at_least=-36))
    assert (found.answer, found.rationale) == ("no", "Loudness of Agent 2 -40.3 LUFS (limit: at least -36 LUFS).")


@pytest.mark.parametrize("whose", [{"by": "agent"}, {"channel": 4}], ids=["role", "channel"])
def test_a_metric_of_somebody_who_is_not_there_is_not_applicable(report: Report, whose: dict[str, Any]) -> None:
    alone = report.model_copy(update={"channels": report.channels[:1]})
    found = answered(alone, metric("interruptions", **whose, at_most=1))
    assert found.answer == "n/a"
    assert found.rationale.startswith("The recording has no channel")


# phrases

SAID = [
    said("Thank you for calling Contoso", 12, AGENT),
    said("my card is 4111 1111 1111 1111", 40, CUSTOMER),
    said("anything else", 45, SUPERVISOR),
    said("no thank you", 48, CUSTOMER),
]


def phrases(**given: Any) -> dict[str, Any]:
    return {"phrases": given}


@pytest.mark.parametrize(
    ("rule", "answer", "rationale"),
    [
        (
            {"any_of": ["good morning", "thank you for calling"], "by": "agent"},
            "yes",
            "Agent said “thank you for calling” at 0:12.",
        ),
        ({"any_of": ["thank you"]}, "yes", "Agent said “thank you” at 0:12; Customer said “thank you” at 0:48."),
        (
            {"any_of": ["anything else"], "by": "agent", "where": "end", "seconds": 5},
            "yes",
            "Agent 2 said “anything else” at 0:45.",
        ),
        (
            {"any_of": ["anything else", "bye"], "by": "agent", "where": "start", "seconds": 5},
            "no",
            "Not said by the agent in the first 5 s of the conversation: “anything else”, “bye”.",
        ),
        (
            {"all_of": ["thank you", "goodbye"], "by": "customer"},
            "no",
            "Customer said “thank you” at 0:48. Not said by the customer: “goodbye”.",
        ),
        ({"all_of": ["thank you", "my card"], "by": "customer"}, "yes", None),
        ({"any_of": ["security code", "cvv"], "expect": "forbidden"}, "yes", "Not said: “security code”, “cvv”."),
        (
            {"any_of": ["security code", "my card"], "expect": "forbidden"},
            "no",
            "Customer said “my card” at 0:40.",
        ),
    ],
    ids=["any", "anybody", "end", "start", "all-missing", "all", "forbidden-unsaid", "forbidden-said"],
)
def test_phrases_answer_a_question(report: Report, rule: dict[str, Any], answer: str, rationale: str | None) -> None:
    found = answered(report, phrases(**rule), SAID)
    assert found.answer == answer
    assert rationale is None or found.rationale == rationale
    assert bool(found.spans) == ("said “" in found.rationale)


def test_the_words_are_shown_where_they_were_said(report: Report) -> None:
    assert answered(report, phrases(any_of=["for calling"]), SAID).spans == (Span(13, 14),)


def test_no_answer_quotes_what_a_caller_said(report: Report) -> None:
    found = graded(report, phrases(any_of=["my card is"]), phrases(any_of=["never said"]), said=SAID)
    assert "1111" not in found.model_dump_json()


def test_without_a_transcript_phrases_are_not_applicable(report: Report) -> None:
    found = answered(report, phrases(any_of=["thank you"]))
    assert (found.answer, found.of, found.rationale) == ("n/a", 0, "There is no transcript.")


def test_in_an_empty_transcript_nothing_was_said(report: Report) -> None:
    assert answered(report, phrases(any_of=["thank you"]), []).answer == "no"
    assert answered(report, phrases(any_of=["cvv"], expect="forbidden"), []).answer == "yes"


def test_phrases_of_a_role_that_nobody_has_are_not_applicable(report: Report) -> None:
    mixed = report.channels[0].model_copy(update={"role": "everybody"})
    found = answered(report.model_copy(update={"channels": (mixed,)}), phrases(any_of=["x"], by="agent"), SAID)
    assert (found.answer, found.rationale) == (
        "n/a",
        "The recording has no channel of the agent.",
    )


# outcome, conditions, score


def test_the_outcome_of_the_call_answers_a_question(report: Report) -> None:
    found = answered(report, {"outcome": {"one_of": ["completed", "transferred"]}})
    assert (found.answer, found.rationale) == ("yes", "The outcome is completed (expected: completed, transferred).")
    assert answered(report, {"outcome": {"one_of": ["failed"]}}).answer == "no"


def test_what_the_flow_says_of_the_call_answers_a_question(report: Report) -> None:
    assert answered(report, {"result": {"one_of": ["refunded"]}}).answer == "n/a"
    told = report.model_copy(update={"call": report.call.model_copy(update={"result": "refunded"})})
    found = answered(told, {"result": {"one_of": ["refunded", "explained"]}})
    assert (found.answer, found.rationale) == ("yes", "The result is refunded (expected: refunded, explained).")
    assert answered(told, {"result": {"one_of": ["explained"]}}).answer == "no"


def test_an_unknown_outcome_is_not_applicable(report: Report) -> None:
    stranger = report.model_copy(update={"call": report.call.model_copy(update={"outcome": None})})
    assert answered(stranger, {"outcome": {"one_of": ["completed"]}}).answer == "n/a"


@pytest.mark.parametrize(
    ("condition", "why"),
    [
        (metric("dead_air", above=99), ""),
        (metric("silence_ratio", above=0.3), "Not applicable: Silence ratio 35.1 % (limit: above 30 %)."),
        ({"outcome": {"one_of": ["completed"]}}, "Not applicable: The outcome is completed (expected: completed)."),
        ({"outcome": {"one_of": ["failed"]}}, ""),
        ({"no_transcript": True}, "Not applicable: there is no transcript."),
        (phrases(any_of=["refund"]), ""),
        (metric("loudness_lufs", channel=1, at_least=-36), ""),
    ],
    ids=["metric-not", "metric", "outcome", "outcome-not", "no-transcript", "unknown-words", "unknown-figure"],
)
def test_a_condition_that_holds_makes_a_question_not_applicable(
    report: Report, condition: dict[str, Any], why: str
) -> None:
    found = answered(report, {**metric("interruptions", channel=1, at_most=1), "not_applicable_when": [condition]})
    assert found.answer == ("n/a" if why else "yes")
    assert not why or found.rationale == why


def test_a_transcript_that_is_there_lets_the_question_stand(report: Report) -> None:
    question = {**metric("dead_air", at_least=0), "not_applicable_when": [{"no_transcript": True}]}
    assert answered(report, question, []).answer == "yes"


YES = {"outcome": {"one_of": ["completed"]}}
NO = {"outcome": {"one_of": ["failed"]}}
NEITHER = phrases(any_of=["x"])


@pytest.mark.parametrize(
    ("questions", "score", "passed"),
    [
        ([{**YES, "weight": 3}, {**NO, "weight": 1}], 75.0, False),
        ([{**YES, "weight": 4}, {**NO, "weight": 1}], 80.0, True),
        ([YES, YES, NO], 66.67, False),
        ([YES, NEITHER], 100.0, True),
        ([YES, {**NEITHER, "weight": 1.01}], None, None),
        ([{**YES, "weight": 10}, {**NEITHER, "weight": 90}], None, None),
        ([{**NO, "auto_fail": True}, {**NEITHER, "weight": 99}], None, False),
        ([YES, {**NO, "weight": 0.01, "auto_fail": True}], 99.01, False),
        ([YES, {**NEITHER, "auto_fail": True}], 100.0, True),
        ([NEITHER], None, None),
    ],
    ids=[
        "below",
        "exactly",
        "thirds",
        "n/a-leaves",
        "below-half",
        "one-of-ten",
        "auto-fail-alone",
        "auto-fail",
        "n/a-does-not-fail",
        "all-n/a",
    ],
)
def test_the_score_is_what_is_reached_of_what_can_be_reached(
    report: Report, questions: list[dict[str, Any]], score: float | None, passed: bool | None
) -> None:
    found = graded(report, *questions)
    assert (found.score, found.passed, found.pass_at) == (score, passed, 80)


@pytest.mark.parametrize(("least", "score"), [(0, 100.0), (0.1, 100.0), (0.11, None), (1, None)])
def test_a_card_says_how_much_of_its_weight_a_verdict_needs(report: Report, least: float, score: float | None) -> None:
    one_of_ten = card({**YES, "weight": 10}, *[{**NEITHER, "weight": 10}] * 9, min_answered=least)
    found = grade(one_of_ten, report, None)
    assert (found.score, found.passed) == (score, None if score is None else True)
    assert (found.answered, found.questions, found.answered_share, found.min_answered) == (1, 10, 0.1, least)


def test_a_call_of_which_the_card_asks_little_passes_nothing() -> None:
    """A robot that takes orders, alone with the caller: the card of the support line is not for it."""
    (sample,) = load_scorecards(SHIPPED / "scorecards")
    assert not applies(sample, "pizza", "inbound")
    assert not applies(sample, None, None)
    assert applies(sample, "support", "inbound")
    alone = made_report(signal([(0, 10), (40, 50)]))
    found = grade(sample, alone, None)
    assert (found.score, found.passed, found.answered < found.questions / 2) == (None, None, True)


def test_only_the_answer_that_fails_the_card_is_marked(report: Report) -> None:
    levels = [{"at_most": 1, "share": 1}, {"at_most": 3, "share": 0.4}]
    partly = {**metric("interruptions", channel=2, levels=levels), "auto_fail": True}
    found = graded(report, {**NO, "auto_fail": True}, NO, {**YES, "auto_fail": True}, partly)
    assert [answer.auto_fail for answer in found.answers] == [True, False, False, False]


@pytest.mark.parametrize(
    ("given", "flow", "direction", "fits"),
    [
        ({}, "desk", "inbound", True),
        ({}, None, None, True),
        ({"flows": ["desk"]}, "desk", None, True),
        ({"flows": ["desk"]}, "sales", None, False),
        ({"flows": ["desk"]}, None, None, False),
        ({"direction": "inbound"}, "desk", "inbound", True),
        ({"direction": "inbound"}, "desk", "outbound", False),
        ({"direction": "inbound"}, "desk", None, False),
    ],
)
def test_a_card_is_for_its_calls(given: dict[str, Any], flow: str | None, direction: Any, fits: bool) -> None:
    assert applies(card(YES, **given), flow, direction) is fits


def test_topics_of_one_name_are_joined() -> None:
    one, other = card(YES, topics={"bill": ["a", "b"]}), card(YES, topics={"bill": ["b", "c"], "rain": ["d"]})
    assert topic_rules([one, other]) == {"bill": ("a", "b", "c"), "rain": ("d",)}


# files


def load(folder: Path, *texts: str, flows: list[str] | None = None) -> tuple[Scorecard, ...]:
    for at, text in enumerate(texts):
        (folder / f"{at}.yaml").write_text(text, "utf-8")
    return load_scorecards(folder, flows)


def test_the_sample_is_right_and_uses_all_three_ways_to_answer() -> None:
    (sample,) = load_scorecards(SHIPPED / "scorecards")
    assert sample.name == "support"
    for way in ("metric", "phrases", "outcome"):
        assert any(getattr(question, way) for question in sample.questions)
    assert any(question.auto_fail for question in sample.questions)
    assert sum(question.weight for question in sample.questions) == 100


def test_the_sample_grades_a_call(report: Report) -> None:
    found = grade(load_scorecards(SHIPPED / "scorecards")[0], report, SAID)
    answers = {answer.id: answer.answer for answer in found.answers}
    assert answers["greeting"] == "yes"
    assert answers["closing"] == "yes"
    assert answers["hold"] == "n/a"
    assert found.score is not None


def test_the_card_in_the_documentation_is_right(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "scorecards.md").read_text("utf-8")
    (example,) = re.findall(r"^```yaml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert load(tmp_path, example, flows=["reception"])


def test_every_key_of_a_card_is_in_the_documentation() -> None:
    page = (ROOT / "docs" / "scorecards.md").read_text("utf-8")
    assert {key for key in reading.KEYS if f"`{key}`" not in page and f"`{key}: " not in page} == set()


def test_no_folder_is_no_scorecard(tmp_path: Path) -> None:
    assert load_scorecards(tmp_path / "none") == ()
    assert load_scorecards(tmp_path) == ()


def test_cards_come_in_the_order_of_their_files(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no card")
    cards = load(tmp_path, GOOD, GOOD.replace("name: support", "name: again"))
    assert [one.name for one in cards] == ["support", "again"]


def test_words_stay_words(tmp_path: Path) -> None:
    text = GOOD.replace("metric: {name: dead_air, at_most: 0}", "phrases: {any_of: [yes, no, on, 911, null]}")
    with pytest.raises(ScorecardError, match=r"any_of\[4\]: is empty"):
        load(tmp_path, text)
    (one,) = load(tmp_path, text.replace("null", "'null'"))
    rule = one.questions[0].phrases
    assert rule is not None
    assert rule.any_of == ("yes", "no", "on", "911", "null")


METRIC = "metric: {name: dead_air, at_most: 0}"


@pytest.mark.parametrize(
    ("old", "new", "line", "path", "problem"),
    [
        ("title: Support line\n", "", 1, "title", "is missing."),
        ("name: support", "name: Support Line", 1, "name", "'Support Line' is not a valid name."),
        ("title:", "titel: x\ntitle:", 2, "titel", "is not a known key. Did you mean title?"),
        ("title:", "title: x\ntitle:", 3, "title", "is given twice."),
        ("title: Support line", "title:", 2, "title", "is empty."),
        ("title:", "pass_at: 120\ntitle:", 2, "pass_at", "less than or equal to 100"),
        ("title:", "direction: in\ntitle:", 2, "direction", "'inbound' or 'outbound'"),
        ("title:", "topics: {bill: ['!']}\ntitle:", 2, "topics.bill[0]", "has no words."),
        ("dead_air", "dead_airs", 6, "questions[0].metric.name", "'dead_airs'. Did you mean dead_air?"),
        ("at_most: 0", "at_most: few", 6, "questions[0].metric.at_most", "valid number"),
        ("at_most: 0", "at_most: .nan", 6, "questions[0].metric.at_most", "valid number"),
        (", at_most: 0", "", 6, "questions[0].metric", "has no limit. Give at_least,"),
        ("at_most: 0", "at_most: 0, by: agent", 6, "questions[0].metric", "whole conversation. Leave out by."),
        ("dead_air", "turns", 6, "questions[0].metric", "turns is a participant's. Give exactly one of by, channel."),
        ("at_most: 0", "at_most: 0, levels: [{at_most: 1, share: 1}]", 6, "questions[0].metric", "both limits"),
        ("at_most: 0", "levels: [{share: 1}]", 6, "questions[0].metric.levels[0]", "has no limit."),
        ("at_most: 0", "levels: [{at_most: 1, share: 2}]", 6, "questions[0].metric.levels[0].share", "equal to 1"),
        (METRIC, "weight: 1", 4, "questions[0]", "has no condition. Give exactly one of"),
        (METRIC, f"{METRIC}\n    outcome: {{one_of: [a]}}", 4, "questions[0]", "has metric and outcome."),
        (METRIC, f"{METRIC}\n    weight: 0", 7, "questions[0].weight", "greater than 0"),
        (METRIC, f"{METRIC}\n    weight: -1", 7, "questions[0].weight", "greater than 0"),
        (METRIC, f"{METRIC}\n    auto_fail: maybe", 7, "questions[0].auto_fail", "valid boolean"),
        (METRIC, "phrases: {by: agent}", 6, "questions[0].phrases", "needs exactly one of any_of, all_of."),
        (METRIC, "phrases: {any_of: [a], seconds: 3}", 6, "questions[0].phrases", "where: start, end or within."),
        (METRIC, "phrases: {any_of: [a], where: end}", 6, "questions[0].phrases", "no seconds. Say how many."),
        (METRIC, "phrases: {all_of: [a], expect: forbidden}", 6, "questions[0].phrases", "forbids all_of."),
        (METRIC, "phrases: {any_of: []}", 6, "questions[0].phrases.any_of", "is empty."),
        (METRIC, "phrases: {any_of: a}", 6, "questions[0].phrases.any_of", "must be a list"),
        (METRIC, "outcome: [done]", 6, "questions[0].outcome", "must be a mapping"),
        (METRIC, f"{METRIC}\n    not_applicable_when: [{{}}]", 7, "questions[0].not_applicable_when[0]", "condition"),
        ("questions:", "questions: [", 3, "scorecard", "not YAML"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_by_file_line_and_place(
    tmp_path: Path, old: str, new: str, line: int, path: str, problem: str
) -> None:
    assert old in GOOD
    with pytest.raises(ScorecardError) as caught:
        load(tmp_path, GOOD.replace(old, new))
    field = caught.value.field
    # The parser of YAML names the line in which it gave up.
    assert field == f"0.yaml:{line}: {path}" or (problem == "not YAML" and field.endswith(": scorecard"))
    assert problem in str(caught.value)


def test_two_questions_of_one_id_are_an_error(tmp_path: Path) -> None:
    questions = GOOD.partition("questions:\n")[2]
    with pytest.raises(ScorecardError, match="two questions have the id 'calm'"):
        load(tmp_path, GOOD + questions)


def test_two_cards_of_one_name_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(ScorecardError, match=r"1\.yaml:1: name: 'support' is used by another file"):
        load(tmp_path, GOOD, GOOD)


def test_a_flow_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    text = f"flows: [reception, recption]\n{GOOD}"
    with pytest.raises(ScorecardError, match=r"0\.yaml:1: flows\[1\]: .*'recption'. Did you mean reception\?"):
        load(tmp_path, text, flows=["reception"])
    assert load(tmp_path, text)[0].flows == ("reception", "recption")


def test_all_that_is_wrong_in_all_files_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(ScorecardError) as caught:
        load(tmp_path, GOOD.replace("dead_air", "x").replace("calm\n", "C\n"), GOOD.replace("at_most", "most"))
    lines = str(caught.value).splitlines()
    assert [line.partition(": ")[0] for line in lines if ".yaml:" in line] == ["0.yaml:4", "0.yaml:6", "1.yaml:6"]


@pytest.mark.parametrize(
    ("data", "problem"),
    [(b"", "empty"), (b"\xff\xfe", "UTF-8"), (b"- a", "must be a mapping"), (b"#" * 300_000, "longer than 256 KB")],
    ids=["empty", "not-utf-8", "a-list", "too-long"],
)
def test_a_file_that_is_no_card_is_an_error(tmp_path: Path, data: bytes, problem: str) -> None:
    (tmp_path / "0.yaml").write_bytes(data)
    with pytest.raises(ScorecardError, match=problem) as caught:
        load_scorecards(tmp_path)
    assert caught.value.field == "0.yaml:1: scorecard"
