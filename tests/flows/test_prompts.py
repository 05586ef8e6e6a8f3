"""What somebody hears on the telephone, in every flow and language: rendered as it is played, and held to plain rules.

Choices come first and keys after, at most four of them, and nobody is hurried. Flows of a use case say in each question
what repeats it and leave time to think; those that call somebody say who calls, and offer a 9 against further calls.
"""

from __future__ import annotations

import ast
import inspect
import re
import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from shared.calls import FLOWS, Flow
from shared.calls.prompts import words_of
from shared.calls.texts import SAY_AS, Language
from shared.calls.uses import CALLS, CAMPAIGNS
from shared.composition.flows import load_flows

load_flows()


class Speech(NamedTuple):
    """How a language speaks of keys: patterns."""

    key: str
    key_first: str
    hurried: str
    star: str
    who_calls: str


def key_first(press: str, what_for: str) -> str:
    """A key that is named before what it is for: "Press 1 for sales", not "for sales press 1, for help press 2"."""
    begins = r"(?:^|[.!?:]\s+)(?:please |bitte |por favor )?"
    return rf"\b{press} (?:{what_for})\b|{begins}{press}, (?:{what_for})\b"


SPEECH = {
    "en": Speech(
        key=r"\bpress (?:the )?(\d)\b|\b(\d) (?:also )?connects",
        key_first=key_first(r"press (?:the )?(?:\d|star|pound)", "to|for|if"),
        hurried=r"\bpress now\b|\bnow press\b|\bhurry\b",
        star=r"\bstar\b",
        who_calls=r"\bThis is\b",
    ),
    "de": Speech(
        key=r"\bdrücken Sie (?:dann |bitte )?(?:die )?(\d)\b|\bdie (\d) verbindet",
        key_first=key_first(r"drücken Sie (?:die )?(?:\d|Sterntaste|Rautetaste)", "um|für|wenn|falls"),
        hurried=r"\bdrücken Sie jetzt\b|\bjetzt drücken\b",
        star=r"\bStern(?:taste)?\b",
        who_calls=r"\b(?:Hier ist|Hier spricht)\b",
    ),
    "es": Speech(
        key=r"\b(?:pulse|marque|presione|oprima) (?:el |la tecla )?(\d)\b",
        key_first=key_first(r"(?:pulse|marque|presione|oprima) (?:el )?(?:\d|asterisco|almohadilla)", "para|si"),
        hurried=r"\b(?:pulse|marque|presione|oprima) ahora\b",
        star=r"\basterisco\b",
        who_calls=r"\b(?:Le llama|Le llamamos|Habla|Le habla|Soy|Llamamos)\b",
    ),
}
"""A flow in another language needs a line here."""

MOST_CHOICES = 4
LEAST_SILENCE = 8
QUESTIONS = {"ask_choice", "ask_digits", "ask_speech", "ask_speech_or_digits"}
COUNTED = re.compile(r"^(?:at|code|date|day|digits|hour|minute|number|order|phone|time|when)$")
"""Placeholders for what a voice reads wrongly unless it is told how."""
SAMPLES = {"date": "2026-11-30", "time": "15:30", "digits": "4711"}


class Spoken(NamedTuple):
    """A text of a flow, as it is heard."""

    flow: Flow
    language: Language
    name: str
    words: str

    @property
    def speech(self) -> Speech:
        return SPEECH[self.language.tag.partition("-")[0]]

    @property
    def keys(self) -> list[str]:
        """The digits that it offers."""
        found = re.findall(self.speech.key, self.words, re.IGNORECASE)
        return ["".join(one) if isinstance(one, tuple) else one for one in found]


def spoken(flow: Flow) -> Iterator[Spoken]:
    """Every text of a flow, rendered."""
    for language in flow.texts.languages:
        for name, template in language.texts.items():
            values = {
                one: next((SAMPLES[how] for how in SAY_AS if f"{{{one}:{how}}}" in template), "Contoso")
                for one in language.placeholders[name]
            }
            yield Spoken(flow, language, name, words_of(language.prompt(name, values)))


def each(flows: list[Flow]) -> list[Any]:
    return [
        pytest.param(one, id=f"{flow.name}.{one.language.name} {one.name}") for flow in flows for one in spoken(flow)
    ]


ALL = [flow for flow in FLOWS.values() if flow.texts.languages]
OF_A_USE = [flow for flow in ALL if flow.use != CALLS]
CALLING = [flow for flow in OF_A_USE if flow.use in CAMPAIGNS or flow.name == "handoff-call-back"]
"""Flows that call people who did not just ask for it."""
ASKING = [flow for flow in OF_A_USE if flow.use != "masking"]
"""Masked numbers join two people: nobody of the company takes part, so there is no person to ask for."""

every_text = pytest.mark.parametrize("text", each(ALL))
every_flow_of_a_use = pytest.mark.parametrize("flow", OF_A_USE, ids=lambda flow: flow.name)
every_flow_with_a_person = pytest.mark.parametrize("flow", ASKING, ids=lambda flow: flow.name)


def test_a_question_that_flows_share_is_looked_at_for_each() -> None:
    assert [one.__name__ for one in modules_of(FLOWS["outreach"])] == ["flows.outreach", "flows.campaign_calls"]


def test_there_are_flows_to_be_held_to_it() -> None:
    assert {"handoff", "handoff-call-back"} <= {flow.name for flow in OF_A_USE}
    assert "handoff-call-back" in {flow.name for flow in CALLING}


@every_text
def test_choices_come_first_and_keys_after(text: Spoken) -> None:
    assert not re.search(text.speech.key_first, text.words, re.IGNORECASE)


@every_text
def test_nobody_is_hurried(text: Spoken) -> None:
    assert not re.search(text.speech.hurried, text.words, re.IGNORECASE)


@every_text
def test_four_choices_are_enough(text: Spoken) -> None:
    assert len(set(text.keys) - {"0", "9"}) <= MOST_CHOICES


@pytest.mark.parametrize("text", each(OF_A_USE))
def test_a_question_says_what_repeats_it(text: Spoken) -> None:
    assert len(text.keys) < 2 or re.search(text.speech.star, text.words, re.IGNORECASE)


@every_flow_with_a_person
def test_every_flow_says_how_a_person_is_reached(flow: Flow) -> None:
    for language in flow.texts.names:
        assert "0" in {key for one in spoken(flow) if one.language.name == language for key in one.keys}


@pytest.mark.parametrize("flow", CALLING, ids=lambda flow: flow.name)
def test_whoever_is_called_hears_first_who_calls_and_that_9_ends_it(flow: Flow) -> None:
    for language in flow.texts.names:
        mine = [one for one in spoken(flow) if one.language.name == language]
        assert any(re.search(one.speech.who_calls, one.words) and "9" in one.keys for one in mine)


@pytest.mark.parametrize("text", each(OF_A_USE))
def test_days_times_and_numbers_are_read_as_such(text: Spoken) -> None:
    template = text.language.texts[text.name]
    bare = {one for one in text.language.placeholders[text.name] if COUNTED.fullmatch(one) and f"{{{one}}}" in template}
    assert bare == set() or "say-as" in inspect.getsource(module_of(text.flow)), f"write {{name:{'|'.join(SAY_AS)}}}"


@every_flow_of_a_use
def test_every_question_can_be_repeated_leads_to_a_person_and_leaves_time(flow: Flow) -> None:
    asked = [
        (module, node)
        for module in modules_of(flow)
        for node in ast.walk(ast.parse(inspect.getsource(module)))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in QUESTIONS
    ]
    offered = {"repeat", "person"} if flow in ASKING else {"repeat"}
    assert asked, "it asks nothing"
    for module, question in asked:
        given = {one.arg: one.value for one in question.keywords}
        where = f"{module.__name__}:{question.lineno}"
        assert offered <= given.keys() or None in given, where
        assert seconds(given.get("initial_silence"), module) >= LEAST_SILENCE or None in given, where


def module_of(flow: Flow) -> Any:
    return sys.modules[flow.function.__module__]


def modules_of(flow: Flow) -> list[Any]:
    """The module of a flow, and those of the flows' package that it imports from: a question may stand there."""
    own = module_of(flow)
    imported = [
        f"{own.__package__}.{node.module}"
        for node in ast.walk(ast.parse(inspect.getsource(own)))
        if isinstance(node, ast.ImportFrom) and node.level == 1 and node.module
    ]
    return [own, *(sys.modules[name] for name in imported)]


def seconds(value: ast.expr | None, module: Any) -> float:
    """What stands there: a number, or a constant of the module; 0: nothing."""
    if isinstance(value, ast.Name):
        return float(getattr(module, value.id, 0))
    return float(value.value) if isinstance(value, ast.Constant) else 0.0  # type: ignore[arg-type]


# What it holds against would be found


@pytest.mark.parametrize(
    ("language", "words", "rule"),
    [
        ("en", "Press 1 for sales.", "key_first"),
        ("en", "Press the 1 to confirm.", "key_first"),
        ("de", "Drücken Sie die 1, um zu bestätigen.", "key_first"),
        ("de", "Drücken Sie 2 für Hilfe.", "key_first"),
        ("es", "Pulse 1 para ventas.", "key_first"),
        ("en", "Please press now.", "hurried"),
        ("de", "Bitte drücken Sie jetzt die 1.", "hurried"),
        ("es", "Marque ahora.", "hurried"),
    ],
)
def test_what_is_wrong_would_be_found(language: str, words: str, rule: str) -> None:
    assert re.search(getattr(SPEECH[language], rule), words, re.IGNORECASE)


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "For sales press 1, for help press the 2. To end this, press 9."),
        ("de", "Für Verkauf drücken Sie die 1, für Hilfe drücken Sie die 2. Um das zu beenden, drücken Sie die 9."),
        ("es", "Para ventas pulse 1, para ayuda marque el 2. Para terminar, oprima 9."),
    ],
)
def test_keys_that_are_offered_are_found(language: str, words: str) -> None:
    found = re.findall(SPEECH[language].key, words, re.IGNORECASE)
    assert ["".join(one) if isinstance(one, tuple) else one for one in found] == ["1", "2", "9"]
    assert not re.search(SPEECH[language].key_first, words, re.IGNORECASE)
