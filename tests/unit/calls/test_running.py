"""The functions of a call that run, or are about to: who counts, for how long, and what each of them gives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from shared.calls import ActionRefused, Call
from shared.calls.journal import Entry, Issued, RefusedEntry, Responded
from shared.calls.returned import outcome_of
from shared.calls.side_effects import DueEffects, SideEffect, SideEffects
from tests.unit.calls.test_replay import Stage
from tests.unit.calls.world import START


class Signs:
    """Stands in for what writes the signs of life; counts how often one is asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.later = self

    def soon(self, key: str, job: Callable[[], None], delay: float = 0.0) -> None:
        self.asked.append(key)

    def keep_alive(self, call_id: str) -> None:
        raise AssertionError("not yet")


@pytest.fixture
def signs() -> Signs:
    return Signs()


@pytest.fixture
def effects(signs: Signs) -> SideEffects:
    return SideEffects(signs, lambda: START, 7.0)  # type: ignore[arg-type]


def effect(seq: int, call_id: str = "stage") -> SideEffect:
    return SideEffect(call_id, seq, "noted", str)


def test_what_was_started_runs_until_it_is_stopped_and_its_call_is_kept_alive_once(
    signs: Signs, effects: SideEffects
) -> None:
    effects.start(effect(1))
    effects.start(effect(2))
    effects.start(effect(1, "another"))
    assert effects.running("stage") == {1, 2}
    assert signs.asked == ["alive stage", "alive another"]
    effects.stop(effect(1))
    assert effects.running("stage") == {2}
    assert effects.running("another") == {1}
    effects.stop(effect(2))
    assert effects.running("stage") == frozenset()
    effects.start(effect(3))
    assert signs.asked == ["alive stage", "alive another", "alive stage"], "it is kept alive anew"


async def runs(call: Call) -> None:
    """Runs two functions, and speaks."""
    await call.gather(call.run(str), call.run(int), call.play("hello"))


def due_of(effects: SideEffects) -> tuple[DueEffects, Stage, list[Entry]]:
    stage = Stage(runs).connect()
    return DueEffects(effects), stage, [entry for entry in stage.journal if isinstance(entry, Issued)]


def test_functions_are_due_and_other_actions_are_not(effects: SideEffects) -> None:
    due, stage, issued = due_of(effects)
    with due:
        assert not due
        due.take(stage.session, issued)
        assert due
        assert effects.running("stage") == {1, 2}
        first, second = due.results()
        assert (first, second) == (Responded(at=START, seq=1, value=""), Responded(at=START, seq=2, value=0))
        assert effects.running("stage") == frozenset()
        assert not due


def test_what_did_not_run_is_let_go_of(effects: SideEffects) -> None:
    due, stage, issued = due_of(effects)
    with due:
        due.take(stage.session, issued)
    assert effects.running("stage") == frozenset()
    assert not due
    assert list(due.results()) == []


REFUSAL = ActionRefused("lookup", 404, "none", "no such customer", transient=True)


def raises(error: BaseException) -> Callable[[], Any]:
    def function() -> None:
        raise error

    return function


@pytest.mark.parametrize(
    ("function", "entry"),
    [
        (lambda: {"n": (7,)}, Responded(at=START, seq=4, value={"n": [7]})),
        (
            raises(REFUSAL),
            RefusedEntry(at=START, seq=4, status=404, code="none", message="no such customer", transient=True),
        ),
        (raises(ValueError("a bug")), RefusedEntry(at=START, seq=4, status=0, code="ValueError", message="a bug")),
    ],
    ids=["a result", "a refusal", "a bug"],
)
def test_whatever_a_function_does_has_an_outcome(function: Callable[[], Any], entry: Entry) -> None:
    assert outcome_of(function, "looks_up", call_id="stage", seq=4, clock=lambda: START) == entry


def test_a_result_that_no_journal_can_hold_is_a_refusal_that_names_it() -> None:
    entry = outcome_of(object, "looks_up", call_id="stage", seq=4, clock=lambda: START)
    assert isinstance(entry, RefusedEntry)
    assert (entry.status, entry.code, entry.transient) == (0, "result_not_json", False)
    assert "looks_up" in entry.message


def test_what_ends_the_process_is_no_outcome() -> None:
    with pytest.raises(KeyboardInterrupt):
        outcome_of(raises(KeyboardInterrupt()), "looks_up", call_id="stage", seq=4, clock=lambda: START)
