"""Calls that wait to be placed: what is asked of them meanwhile, and what is settled of an attempt."""

from __future__ import annotations

from typing import Any

import pytest

from shared.calls import Call, Flow, actions, text
from shared.calls.journal import GaveUp, Issued, Started
from shared.calls.outcome import Outcome
from shared.calls.replay import Session
from tests.unit.calls.outbound import Outbound, one
from tests.unit.calls.world import CALLEE, CALLER, START, World, parsed

DAY = 24 * 3600


def waiting(flow: Any) -> Session:
    """A session of a call that waits."""
    session = Session(Flow("waits", flow, opens=True), "stage")
    session.feed(Started(at=START, flow="waits", direction="outbound", placed_by_flow=True))
    return session


async def two_naps(call: Call) -> None:
    """Waits twice, at once."""
    await call.gather(call.sleep(60), call.sleep(90))


def test_a_command_to_a_call_that_waits_shows_what_its_flow_asks_for_now_and_did_not_then() -> None:
    session = waiting(two_naps)
    session.feed(Issued(at=START, seq=0, action=actions.Sleep(seconds=60)))
    session.feed(Issued(at=START, seq=1_000_000, action=actions.HangUp(), command="key"))
    assert session.changed is not None
    assert "sleep #1" in str(session.changed)


@pytest.mark.parametrize("action", [actions.HangUp(), actions.Play(prompts=(text("a word"),))])
def test_a_command_to_a_call_that_waits_is_done_with_at_once(action: Any) -> None:
    session = waiting(two_naps)
    session.take()
    session.record.unconfirmed = [1_000_000]
    session.feed(Issued(at=START, seq=1_000_000, action=action, command="key"))
    assert session.record.unconfirmed == []
    assert session.operation(1_000_000).done
    record, ended = session.record, isinstance(action, actions.HangUp)
    assert (record.status, record.outcome) == (("ended", "hung_up") if ended else ("waiting", ""))
    assert (record.code, record.sub_code) == ((200, 0) if ended else (0, 0))


# What the watchdog settles


def test_a_call_that_was_up_and_that_the_service_no_longer_knows_is_over() -> None:
    call = Outbound("calls_twice")
    call.wake()
    call.hear("CallConnected", 1)
    call.conductor.later.flush()
    call.world.clock.pass_seconds(61)
    assert call.conductor.watch() == {call.call_id: Outcome.ADVANCED}
    assert (call.record.status, call.record.outcome) == ("ended", "settled")


def test_only_the_attempt_is_given_up_and_not_what_was_asked_for_at_the_same_time() -> None:
    async def both(call: Call) -> None:
        await call.gather(call.create_call(CALLER, caller_id=CALLEE), call.signal("never"), call.sleep(DAY))

    world = World()
    call = one(both, world=world)
    call.conductor.later.flush()
    world.clock.pass_seconds(61)
    call.conductor.watch()
    assert [entry.seq for entry in world.journal(call.call_id) if isinstance(entry, GaveUp)] == call.attempts


def test_an_attempt_that_the_journal_does_not_hold_never_was() -> None:
    async def calls(call: Call) -> None:
        await call.create_call(CALLER, caller_id=CALLEE)

    session = waiting(calls)
    assert (session.record.status, session.record.attempts) == ("connecting", 1)
    session.feed(Issued(at=START, seq=0, action=actions.Sleep(seconds=60)))
    assert session.changed is not None
    assert (session.record.status, session.record.attempts) == ("waiting", 0)
    late = parsed(World().wire.event("CallConnected", "stage:0:0"))
    assert (session._attempts.current, session._attempts.is_late(late, 0)) == (None, False)
