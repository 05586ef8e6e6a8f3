"""Why a campaign may not start: its numbers, its flow, its lists, its people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.calls import actions
from shared.calls.flow import Flow
from shared.calls.prompts import FilePrompt, SsmlPrompt, TextPrompt, prompts_of
from shared.calls.rehearsal import Rehearsal
from shared.calls.uses import CAMPAIGNS
from shared.lines.reading import Lines
from shared.outreach.campaign import Campaign

MOST_PROMPTS = 5
"""Prompts that a flow may play before its first question (our choice)."""
_CALLED = "+14255550123"


def number_problem(campaign: Campaign, lines: Lines, use: str) -> str:
    """What is wrong with the numbers that people would see; empty: nothing."""
    for at, caller in enumerate(campaign.callers):
        line = lines.numbers.get(caller)
        if line is None:
            return f"callers.{at} is not one of the numbers in lines.yaml. Declare it there."
        if line.uses and use not in line.uses:
            return f"the number {line.label!r} is not for {use!r}. Add that to its `uses` in lines.yaml."
        if not line.called_back:
            return f"nobody answers who calls {line.label!r} back. Set its `called_back` in lines.yaml."
    return ""


def flow_problem(flow: Flow | None, data: Mapping[str, Any], lines: Lines, caller: str) -> str:
    """What is wrong with what people would hear, by a rehearsal in each of its languages; empty: nothing.

    Args:
        data: the input of a call.
    """
    if flow is None or flow.use not in CAMPAIGNS or flow.opens:
        uses = " or ".join(f"use={one!r}" for one in sorted(CAMPAIGNS))
        return f"its flow is missing or not made for campaigns. Name a flow that has {uses} and not opens=True."
    if not lines.company:
        return "nobody knows whose calls these are. Set `company` in lines.yaml."
    for language in flow.languages or ("",):
        if problem := _heard(flow, {**data, "language": language}, language, lines.company, caller):
            return f"the flow {flow.name!r}, in {language or 'its language'}, {problem}"
    return ""


def _heard(flow: Flow, data: Mapping[str, Any], language: str, company: str, caller: str) -> str:
    try:
        call = Rehearsal(flow, callee=caller, placed_to=[_CALLED], data=data, language=language, runs={})
        call.connect()
        for _ in range(MOST_PROMPTS):
            asked = len(call.actions)
            if call.actions and isinstance(call.actions[-1], actions.Play):
                call.prompt_ends()
            if len(call.actions) == asked:
                break
    except Exception as error:  # whatever an author's code does wrong
        return f"fails when it is rehearsed: {error}"
    question = next((one for one in call.actions if isinstance(one, actions.Recognize)), None)
    first = next((one for one in call.actions if prompts_of(one)), None)
    if first is None or question is None:
        return "asks nothing at its beginning, so that a mailbox cannot be told from a person."
    heard = " ".join(map(_words, prompts_of(first)))
    if company.casefold() not in heard.casefold():
        return f"does not first say who calls: {company}."
    by_key = question.input == "dtmf" and any("9" in _words(one) for one in question.prompts)
    if not by_key and not any(choice.tone == "nine" for choice in question.choices):
        return "does not offer 9, against further calls, in its first question."
    return ""


def _words(prompt: FilePrompt | TextPrompt | SsmlPrompt) -> str:
    match prompt:
        case TextPrompt():
            return prompt.text
        case SsmlPrompt():
            return prompt.ssml
        case _:
            return ""
