"""Filling in a scorecard. Every answer says why, with the figure or the phrases, and where in the recording."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from shared.quality.catalogue import CATALOGUE
from shared.quality.report import Answer, Report, ScorecardResult
from shared.quality.scorecards.models import (
    Condition,
    Level,
    Limit,
    MetricLimit,
    MetricRule,
    OutcomeRule,
    PhraseRule,
    Question,
    Scorecard,
)
from shared.quality.spans import Span, union
from shared.quality.transcripts.base import Utterance
from shared.quality.transcripts.phrases import Conversation, Match, Where

_SIGNS = {"at_least": "at least", "at_most": "at most", "above": "above", "below": "below"}
_PLACES: dict[Where, str] = {
    "anywhere": "",
    "start": " in the first {seconds} of the conversation",
    "end": " in the last {seconds} of the conversation",
    "within": " within {seconds} of the speaker's first word",
}


@dataclass(frozen=True, slots=True)
class _Verdict:
    """An answer before its weight.

    Attributes:
        share: of the weight that is earned, 0 to 1; None: it cannot be said.
    """

    share: float | None
    why: str
    spans: tuple[Span, ...] = ()


def applies(card: Scorecard, flow: str | None, direction: Literal["inbound", "outbound"] | None) -> bool:
    """Whether a card is meant for calls of this flow and direction (None: not known, so only cards for all)."""
    return (not card.flows or flow in card.flows) and card.direction in (None, direction)


def topic_rules(cards: Iterable[Scorecard]) -> dict[str, tuple[str, ...]]:
    """The topics of several cards, for shared.quality.transcripts.phrases.topics; those of one name are joined."""
    rules: dict[str, tuple[str, ...]] = {}
    for card in cards:
        for name, phrases in card.topics.items():
            rules[name] = tuple(dict.fromkeys(rules.get(name, ()) + phrases))
    return rules


def grade(card: Scorecard, report: Report, utterances: Sequence[Utterance] | None) -> ScorecardResult:
    """Answer every question.

    Args:
        report: with channels, conversation and call; it need not hold a transcript.
        utterances: what was said, in seconds of the recording; None: there is no transcript, so that questions by
            phrases are n/a. Answers quote the card's own phrases alone, so nothing private gets into them.
    """
    facts = _Facts(report, None if utterances is None else Conversation(utterances))
    answers = tuple(_answer(question, facts) for question in card.questions)
    of = sum(answer.of for answer in answers)
    share = round(of / sum(question.weight for question in card.questions), 4)
    score = round(100 * sum(answer.points for answer in answers) / of, 2) if of and share >= card.min_answered else None
    failed = any(answer.auto_fail for answer in answers)
    return ScorecardResult(
        name=card.name,
        title=card.title,
        score=score,
        # What fails the whole card does so however little else is answered.
        passed=False if failed else None if score is None else score >= card.pass_at,
        pass_at=card.pass_at,
        questions=len(answers),
        answered=sum(answer.answer != "n/a" for answer in answers),
        answered_share=share,
        min_answered=card.min_answered,
        answers=answers,
    )


@dataclass(frozen=True, slots=True)
class _Facts:
    report: Report
    conversation: Conversation | None

    def label(self, channel: int) -> str:
        return next((one.label for one in self.report.channels if one.channel == channel), f"Channel {channel}")


def _answer(question: Question, facts: _Facts) -> Answer:
    verdict = next(
        (
            _Verdict(None, f"Not applicable: {held.why}", held.spans)
            for condition in question.not_applicable_when
            if (held := _judged(condition, facts)).share == 1.0
        ),
        None,
    ) or _judged(question, facts)  # fmt: skip
    share = verdict.share
    return Answer(
        id=question.id,
        question=question.text,
        answer="n/a" if share is None else "yes" if share == 1.0 else "no",
        points=question.weight * (share or 0.0),
        of=0.0 if share is None else question.weight,
        auto_fail=question.auto_fail and share == 0.0,
        rationale=verdict.why,
        spans=verdict.spans,
    )


def _judged(asked: Question | Condition, facts: _Facts) -> _Verdict:
    if asked.metric is not None:
        return _by_metric(asked.metric, facts.report)
    if asked.phrases is not None:
        return _by_phrases(asked.phrases, facts)
    if asked.outcome is not None:
        return _by_word("outcome", asked.outcome, facts.report.call.outcome)
    if asked.result is not None:
        return _by_word("result", asked.result, facts.report.call.result)
    missing = facts.conversation is None
    return _Verdict(float(missing), "there is no transcript." if missing else "there is a transcript.")


# metrics


def _by_metric(rule: MetricLimit, report: Report) -> _Verdict:
    """Where it is asked of several participants, the one that does worst decides."""
    kind = CATALOGUE[rule.name]
    if kind.scope == "conversation":
        values = [(kind.label, report.conversation.metrics.get(rule.name))]
    else:
        mine = [one for one in report.channels if rule.by in (None, "everybody", one.role)]
        mine = [one for one in mine if rule.channel in (None, one.channel)]
        if not mine:
            whose = f"channel {rule.channel}" if rule.by is None else f"channel of the {rule.by}"
            return _Verdict(None, f"The recording has no {whose}.")
        values = [(f"{kind.label} of {one.label}", one.metrics.get(rule.name)) for one in mine]
    known = [
        (label, metric, metric.value) for label, metric in values if metric is not None and metric.value is not None
    ]
    if not known:
        return _Verdict(None, f"{' and '.join(label for label, _ in values)}: not available.")
    levels = rule.levels if isinstance(rule, MetricRule) else ()
    judged = [(_share(rule, levels, value), label, metric, value) for label, metric, value in known]
    share = min(one[0] for one in judged)
    figures = ", ".join(f"{label} {figure(value, kind.unit)}" for _, label, _, value in judged)
    spans = union(span for one in judged if one[0] == share for span in one[2].spans)
    limits = (
        "; ".join(f"{_limits(level, kind.unit)}: {level.share:.0%}" for level in levels)
        if levels
        else _limits(rule, kind.unit)
    )
    return _Verdict(share, f"{figures} (limit: {limits}).", tuple(spans))


def _share(rule: Limit, levels: Sequence[Level], value: float) -> float:
    if not levels:
        return float(rule.holds(value))
    return next((level.share for level in levels if level.holds(value)), 0.0)


def _limits(limit: Limit, unit: str) -> str:
    return " and ".join(f"{_SIGNS[name]} {figure(value, unit)}" for name, value in limit.limits)


def figure(value: float, unit: str) -> str:
    """A value as people read it: `35 %`, `3`, `12.5 s`."""
    if unit == "ratio":
        return f"{100 * value:.4g} %"
    number = f"{value:.1f}".removesuffix(".0")
    return number if unit == "count" else f"{number} {unit}"


# phrases and outcome


def _by_phrases(rule: PhraseRule, facts: _Facts) -> _Verdict:
    if facts.conversation is None:
        return _Verdict(None, "There is no transcript.")
    channels = None
    if rule.by != "anybody":
        channels = [one.channel for one in facts.report.channels if one.role == rule.by]
        if not channels:
            return _Verdict(None, f"The recording has no channel of the {rule.by}.")
    found = facts.conversation.find(rule.phrases, channels=channels, where=rule.where, seconds=rule.seconds or 0.0)
    said = {match.phrase for match in found}
    missing = [phrase for phrase in rule.phrases if phrase not in said]
    enough = bool(said) if rule.any_of is not None else not missing
    quoted = "; ".join(_quoted(match, facts) for match in _first_of_each(found))
    where = _PLACES[rule.where].format(seconds=figure(rule.seconds or 0.0, "s"))
    absent = f"Not said{'' if rule.by == 'anybody' else f' by the {rule.by}'}{where}: {_listed(missing)}."
    why = " ".join([*([f"{quoted}."] if quoted else []), *([] if enough else [absent])])
    return _Verdict(float(enough == (rule.expect == "required")), why, tuple(union(match.span for match in found)))


def _first_of_each(found: Sequence[Match]) -> list[Match]:
    firsts: dict[tuple[str, int], Match] = {}
    for match in found:
        firsts.setdefault((match.phrase, match.channel), match)
    return list(firsts.values())


def _quoted(match: Match, facts: _Facts) -> str:
    minutes, seconds = divmod(int(match.span.start), 60)
    return f"{facts.label(match.channel)} said “{match.phrase}” at {minutes}:{seconds:02d}"


def _listed(phrases: Sequence[str]) -> str:
    return ", ".join(f"“{phrase}”" for phrase in phrases)


def _by_word(name: str, rule: OutcomeRule, word: str | None) -> _Verdict:
    if word is None:
        return _Verdict(None, f"The {name} of the call is not known.")
    return _Verdict(float(word in rule.one_of), f"The {name} is {word} (expected: {', '.join(rule.one_of)}).")
