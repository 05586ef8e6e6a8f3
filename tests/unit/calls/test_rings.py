"""Incoming calls that ring again: which ring is whose, and what is journaled of it."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from typing import Any

import pytest

from shared.calls import actions
from shared.calls.journal import Started
from shared.calls.outcome import Outcome
from shared.events import TeamsPhoneCallDetails
from shared.identifiers import Identifier
from tests.unit.calls.losses import Death, another, dies, hear, up
from tests.unit.calls.world import CALLEE, CALLER, CORRELATION, START, World, a_ring, answering, respond

DESK = Identifier.parse("+14255550142")
REDIRECT = actions.Redirect(target=DESK)


@pytest.fixture
def world() -> World:
    return World()


def left(world: World, call_id: str, conductor: Any = None) -> None:
    """Its caller hangs up."""
    gone = (200, 5000, "left")
    hear(world, conductor or another(world), call_id, "CallDisconnected", None, result=gone)


def test_everything_that_a_ring_tells_is_journaled(world: World) -> None:
    teams = TeamsPhoneCallDetails(intent="billing")
    ring = replace(
        a_ring(START - 5),
        display_name="Ada",
        context={"User-to-user": "41"},
        on_behalf_of=DESK,
        teams=teams,
    )
    _, call_id = another(world).ring(ring, answering(), "speaks")
    assert world.journal(call_id)[0] == Started(
        at=START,
        flow="speaks",
        direction="inbound",
        caller=CALLER,
        callee=CALLEE,
        correlation_id=CORRELATION,
        server_call_id="c2VydmVy",
        display_name="Ada",
        context={"User-to-user": "41"},
        on_behalf_of=DESK,
        teams=teams,
        opening=answering(),
        source_event="grid-1",
    )


def test_a_ringing_is_known_by_half_the_hash_of_its_context(world: World) -> None:
    _, call_id = another(world).ring(a_ring(context="opaque"), answering(), "speaks")
    record = world.store.peek(call_id)
    assert record.ring == "opaque"
    assert record.ring_id == hashlib.sha256(b"opaque").hexdigest()[:16]


def test_each_further_call_in_one_conversation_has_the_firsts_id_and_a_number(world: World) -> None:
    conductor, ids = another(world), []
    for number in range(3):
        outcome, call_id = conductor.ring(a_ring(context=f"ringing {number}"), answering(), "speaks")
        assert outcome is Outcome.CLAIMED
        left(world, call_id, conductor)
        ids.append(call_id)
    assert re.fullmatch("[0-9a-f]{32}", ids[0])
    assert ids[1:] == [f"{ids[0]}02", f"{ids[0]}03"]


def test_a_ringing_with_another_context_joins_the_call_that_goes_on(world: World) -> None:
    _, call_id = up(world, "waits")
    assert another(world).ring(a_ring(context="another"), answering(), "waits") == (Outcome.DUPLICATE, call_id)
    assert world.kinds() == ["answer", "play"]


def test_a_ring_that_comes_again_has_the_watchdog_see_a_call_whose_instance_died_over_it(world: World) -> None:
    world.gateway._answer = dies
    with pytest.raises(Death):
        another(world).ring(a_ring(), answering(), "speaks")
    world.gateway._answer = respond
    world.clock.pass_seconds(1)
    outcome, call_id = another(world).ring(a_ring(), answering(), "speaks")
    assert outcome is Outcome.DUPLICATE
    assert list(world.store.open_calls()) == [call_id]
    assert world.kinds() == ["answer"], "whoever claimed it may be sending it"


# Round in circles


@pytest.mark.parametrize(
    ("first", "second", "done"),
    [
        (REDIRECT, REDIRECT, [REDIRECT, actions.Reject(reason="busy")]),
        (REDIRECT, actions.Answer(), [REDIRECT, actions.Answer()]),
        (actions.Reject(), REDIRECT, [actions.Reject(), REDIRECT]),
    ],
    ids=["redirected twice", "redirected and answered", "rejected and redirected"],
)
def test_only_what_was_redirected_before_is_not_redirected_again(
    world: World, first: Any, second: Any, done: list[Any]
) -> None:
    conductor = another(world)
    conductor.ring(a_ring(context="first"), first)
    _, call_id = conductor.ring(a_ring(context="second"), second, "speaks")
    assert [request.action for request in world.gateway.performed] == done
    assert world.store.peek(call_id).flow == ("-" if done[1] == actions.Reject(reason="busy") else "speaks")


# Rings that come too late


def rows(world: World, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The calls whose index or head is written from here on."""
    written: list[str] = []
    plain, commit = world.store.index, world.store.commit

    def committed(record: Any, *more: Any) -> Any:
        written.append(record.call_id)
        return commit(record, *more)

    monkeypatch.setattr(world.store, "commit", committed)

    def index(record: Any) -> tuple[str, ...]:
        written.append(record.call_id)
        return plain(record)

    monkeypatch.setattr(world.store, "index", index)
    return written


def late(world: World) -> Outcome:
    world.clock.pass_seconds(31)
    return another(world).ring(a_ring(), answering(), "speaks")[0]


def test_a_stale_ring_of_a_call_that_is_seen_writes_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    conductor, _ = up(world, "speaks")
    conductor.later.flush()
    conductor.later.flush()
    written = rows(world, monkeypatch)
    assert late(world) is Outcome.STALE
    assert written == []


def test_a_stale_ring_of_a_call_that_is_over_writes_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    conductor, call_id = up(world, "speaks")
    with monkeypatch.context() as patch:
        patch.setattr(conductor.later, "soon", lambda *_: None)  # it dies: nothing is written after the end
        left(world, call_id, conductor)
    world.store._calls[call_id].record.indexed = ()  # type: ignore[attr-defined]
    written = rows(world, monkeypatch)
    assert late(world) is Outcome.STALE
    assert written == []
