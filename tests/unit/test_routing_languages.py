"""The language of a rule, and flows that no rule may name."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from shared.errors import RoutingError
from shared.identifiers import Identifier
from shared.routing import AnswerWith
from shared.routing.reading import load_routes

FLOWS = {
    "reception": SimpleNamespace(languages=("de", "en"), needed_input=()),
    "plain": SimpleNamespace(languages=(), needed_input=()),
    "reminder": SimpleNamespace(languages=(), needed_input=("when", "who")),
}


def language_of(rule: str) -> str:
    table = load_routes(f"rules:\n- {rule}\n", FLOWS)
    ada = Identifier.parse("+14255550100")
    decision = table.decide(to=ada, caller=ada, context={}, at=datetime(2026, 11, 23, tzinfo=UTC))
    assert isinstance(decision, AnswerWith)
    return decision.language


def refusal(rule: str) -> str:
    with pytest.raises(RoutingError) as caught:
        load_routes(f"rules:\n- {rule}\n", FLOWS)
    return str(caught.value)


@pytest.mark.parametrize(
    ("rule", "language"),
    [
        ("{answer: reception, language: de}", "de"),
        ("{answer: reception}", ""),
        ("{answer: plain, language: fr-FR}", "fr-FR"),
        ("{answer: plain}", ""),
    ],
)
def test_a_rule_says_in_which_language_its_flow_begins(rule: str, language: str) -> None:
    assert language_of(rule) == language


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        (
            "{answer: reception, language: fr}",
            "rules[0].language: the flow 'reception' has no texts in 'fr'. It has de, en.",
        ),
        ("{answer: plain, language: german}", "rules[0].language: 'german' is not a language. Write a tag"),
        ("{answer: reception, language: }", "rules[0].language: is empty."),
        ("{answer: reception, language: [de]}", "rules[0].language: must be one value."),
        ("{reject: busy, language: de}", "rules[0].language: goes with answer."),
        ("{answer: nobody, language: de}", "rules[0].answer: there is no flow 'nobody'."),
        (
            "{answer: reminder}",
            "rules[0].answer: the flow 'reminder' needs input (when, who), which no incoming call has.",
        ),
    ],
)
def test_what_no_call_could_be_answered_with_is_refused_with_its_line(rule: str, told: str) -> None:
    assert refusal(rule).startswith(f"routing.yaml:2: {told}")
