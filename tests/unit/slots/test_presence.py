"""Who of those whom a call has called is still on the line, as its events tell."""

from __future__ import annotations

from shared.calls import Call
from tests.unit.calls.test_call_state import of
from tests.unit.calls.test_replay import Stage

AGENT, ADA = "4:+14255550142", "4:+14255550100"
KEY = "+14255550142"


async def adds(call: Call) -> None:
    """Calls an agent into the call."""
    await call.add_participant("+14255550142", caller_id="+18005550177")
    await call.signal("never")


async def hands_over(call: Call) -> None:
    """Transfers its caller, and stays."""
    await call.transfer("+14255550177")
    await call.signal("never")


def added() -> Stage:
    stage = Stage(adds).connect()
    of(stage, "AddParticipantSucceeded", 1)
    return stage


def listed(stage: Stage, sequence: int, *raw_ids: str | None) -> None:
    """A list of participants; None: an entry that cannot be read."""
    entries = [{"identifier": {"rawId": one}} if one else {"identifier": 7} for one in raw_ids]
    stage.event("ParticipantsUpdated", participants=entries, sequenceNumber=sequence)


def here(stage: Stage) -> list[str]:
    return stage.session.presence.on_the_line(stage.session.operation(1))


def test_who_was_called_is_on_the_line_until_a_list_is_without_them() -> None:
    stage = added()
    (agent,) = here(stage)
    assert agent.endswith(KEY.removeprefix("+"))
    listed(stage, 2, ADA)
    assert here(stage) == [agent], "nobody has left who was not there yet"
    listed(stage, 3, ADA, AGENT)
    assert here(stage) == [agent]
    listed(stage, 4, ADA)
    assert here(stage) == []


def test_an_older_list_takes_nobody_away() -> None:
    stage = added()
    listed(stage, 5, ADA, AGENT)
    listed(stage, 4, ADA)
    assert len(here(stage)) == 1


def test_a_list_with_an_entry_that_cannot_be_read_takes_nobody_away() -> None:
    stage = added()
    listed(stage, 3, ADA, AGENT)
    listed(stage, 4, ADA, None)
    assert len(here(stage)) == 1
    listed(stage, 5, ADA)
    assert here(stage) == []


def test_when_a_transfer_was_accepted_is_known() -> None:
    stage = Stage(hands_over).connect()
    assert stage.session.presence.transfers == {}
    of(stage, "CallTransferAccepted", 1)
    assert list(stage.session.presence.transfers) == [1]
    assert stage.session.presence.transferred_at == stage.session.presence.transfers[1] > 0
