"""Everybody who has to do with a call is named in its head, so that it is found by their numbers."""

from __future__ import annotations

import pytest

from shared.calls import Call
from shared.calls.record import MAX_OTHERS, CallRecord
from shared.identifiers import Identifier
from tests.unit.calls.test_replay import Stage

ADA, BOB, OFFICE = "4:+14255550100", "4:+14255550101", "4:+18005550199"


def met(*people: str) -> tuple[str, ...]:
    record = CallRecord("call", caller=ADA, callee=OFFICE)
    record.meet(*map(Identifier.parse, people))
    return record.others


def test_both_sides_are_known_however_they_are_written() -> None:
    assert met(ADA, OFFICE, "4:14255550100", "4:+14255550100_a1b2") == ()


def test_each_is_named_once() -> None:
    assert met(BOB, "8:acs:agent", "4:14255550101") == (BOB, "8:acs:agent")


def test_nobody_is_nobody() -> None:
    record = CallRecord("call")
    record.meet(None)
    assert record.others == ()


@pytest.mark.parametrize("count", [MAX_OTHERS, MAX_OTHERS + 1, 3 * MAX_OTHERS])
def test_the_newest_stay(count: int) -> None:
    people = [f"4:+1206555{number:04d}" for number in range(count)]
    assert met(*people) == tuple(people[-MAX_OTHERS:])


def test_whom_a_flow_adds_and_transfers_to_is_named_and_a_phone_that_takes_part() -> None:
    async def function(call: Call) -> None:
        call.add_participant(BOB, caller_id=OFFICE)
        call.transfer("4:+14255550109", caller_id=OFFICE)
        await call.ended()

    stage = Stage(function).connect()
    there = [{"identifier": {"rawId": one}} for one in ("4:+14255550108", "8:acs:the-app", BOB)]
    stage.event("ParticipantsUpdated", participants=there, sequenceNumber=1)
    assert stage.failures == []
    assert stage.session.record.others == (BOB, "4:+14255550109", "4:+14255550108")
