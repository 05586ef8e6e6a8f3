"""What counts as lost, to the millisecond, and what is done about it."""

from __future__ import annotations

from typing import Any

import pytest

from shared.calls import Call, actions, text
from shared.calls.journal import RefusedEntry, Resent, Responded
from shared.calls.lost import lost_operations
from tests.unit.calls.test_call_state import holds, of
from tests.unit.calls.test_replay import Stage
from tests.unit.calls.world import CALLEE, CALLER, START

GRACE = 7000


async def speaks(call: Call) -> None:
    """Says one thing."""
    await call.play(text("one"))


async def looks_up(call: Call) -> None:
    """Runs a function."""
    await call.run(str)


def unsent(flow: Any) -> Stage:
    """A call whose instance died before it sent its first action."""
    stage = Stage(flow).connect()
    assert stage.session.record.unconfirmed == [1]
    return stage


def lost(stage: Stage, after: int, **options: Any) -> list[Any]:
    return lost_operations(stage.session, START + after, GRACE, **options)


@pytest.mark.parametrize("flow", [speaks, looks_up])
def test_what_nobody_sent_is_lost_when_the_grace_period_is_over(flow: Any) -> None:
    stage = unsent(flow)
    assert lost(stage, 7000) == []
    assert lost(stage, 7001) == [Resent(at=START + 7001, seq=1, attempt=1)]


def test_a_play_that_is_never_heard_of_is_sent_as_often_as_it_is_lost() -> None:
    stage = unsent(speaks)
    for attempt in range(1, 6):
        (entry,) = lost(stage, attempt * 7001)
        assert entry == Resent(at=START + attempt * 7001, seq=1, attempt=attempt)
        stage.feed(entry)


def test_what_an_event_shows_to_be_carried_out_is_done_and_not_sent_again() -> None:
    stage = unsent(holds)
    of(stage, "HoldAudioStarted", 1)
    assert lost(stage, 70_000) == [Responded(at=START + 70_000, seq=1, value={})]


def test_an_answer_is_sent_again_as_the_same_attempt() -> None:
    stage = Stage(speaks)
    assert lost(stage, 7001) == [Resent(at=START + 7001, seq=0, attempt=0)]


def test_nobody_is_called_by_a_request_that_is_older_than_five_minutes() -> None:
    async def dials(call: Call) -> None:
        """Calls somebody."""
        await call.create_call(CALLER, caller_id=CALLEE)

    stage = Stage(dials, opens=True)
    assert lost(stage, 300_000) == [Resent(at=START + 300_000, seq=0, attempt=0)]
    assert lost(stage, 300_001) == []


def test_a_function_that_never_returns_is_given_up_after_three_runs() -> None:
    stage = unsent(looks_up)
    for attempt in (1, 2):
        (entry,) = lost(stage, attempt * 7001)
        assert entry == Resent(at=START + attempt * 7001, seq=1, attempt=attempt)
        stage.feed(entry)
    message = "str was started 3 times, and its process ended each time before it returned"
    (entry,) = lost(stage, 3 * 7001)
    assert entry == RefusedEntry(at=START + 3 * 7001, seq=1, status=0, code="never_returned", message=message)


def test_what_an_action_is_held_up_for_are_two_grace_periods_and_a_function_for_as_long_as_its_head_is_written() -> (
    None
):
    for flow, late in ((speaks, 3 * 7000), (looks_up, 10 * 7000 + 7000)):
        stage = unsent(flow)
        stage.session.record.written_at = START + 10 * 7000
        assert lost(stage, late) == []
        assert len(lost(stage, late + 1)) == 1


def test_a_function_that_runs_here_is_not_lost() -> None:
    stage = unsent(looks_up)
    assert lost(stage, 7001, running={1}) == []
    assert len(lost(stage, 7001, running={0, 2})) == 1


@pytest.mark.parametrize(("opening", "after"), [(True, 2000), (False, 7000)])
def test_a_ring_that_comes_again_waits_two_seconds_for_what_opens_the_call(opening: bool, after: int) -> None:
    stage = Stage(speaks) if opening else unsent(speaks)
    assert lost(stage, after, rung=START + after) == []
    assert len(lost(stage, after + 1, rung=START + after + 1)) == 1
    assert isinstance(stage.session.operation(0).action, actions.Answer)
