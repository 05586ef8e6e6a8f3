"""What may leave the app: targets, prefixes, switches; and what a flow meets otherwise."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from shared.brakes.dialing import Dialing
from shared.brakes.switches import Changed, Diversion, FlowDiverted, Switches
from shared.calls import ActionRefused, Braked, Call, CallLocator, Flow, actions
from shared.calls.actions import Action
from shared.calls.brakes import TIME_LIMIT
from shared.calls.journal import Issued, RefusedEntry
from shared.calls.outcome import Outcome
from shared.calls.record import CallRecord
from shared.identifiers import Identifier
from tests.unit.brakes.instances import Instances
from tests.unit.calls.losses import answering_with, lost, speaks
from tests.unit.calls.world import CALLEE, Instance, World, a_ring, answering, parsed

OFF = '{"outbound_off": {"by": "Ada", "at": 1}}'
USER = "8:acs:11111111-2222-4333-8444-555555555555_0000002a-1111-2222-3333-444444000009"


def who(*numbers: str) -> tuple[Identifier, ...]:
    return tuple(map(Identifier.parse, numbers))


def each(number: str) -> list[Action]:
    """Every action that calls somebody."""
    (target,) = who(number)
    found = [
        actions.CreateCall(targets=(target,), caller_id=CALLEE),
        actions.AddParticipant(target=target, caller_id=CALLEE),
        actions.Transfer(target=target),
        actions.Redirect(target=target),
    ]
    calling = {
        kind
        for kind, action in actions.KINDS.items()
        if {"target", "targets"} & set(action.model_fields) and action.spec.targets not in ("present", "moved")
    }
    assert {action.kind for action in found} == calling
    return found


INBOUND = CallRecord("call", caller="4:+14255550100", callee=CALLEE.raw_id)


def code(brakes: Any, action: Action, record: CallRecord = INBOUND) -> str:
    try:
        brakes.check(record, action)
    except Braked as braked:
        return braked.code
    return ""


@pytest.mark.parametrize(
    ("number", "found"),
    [
        ("+14255550123", ""),
        (USER, ""),
        ("+19005550123", "number_not_allowed"),
        ("+882165551234567", "number_not_allowed"),
        ("+112", "number_not_allowed"),
        ("+911", "number_not_allowed"),
        ("+110", "number_not_allowed"),
        ("+1911", "number_not_allowed"),
        ("+493012345678", "number_not_allowed"),
    ],
)
def test_each_action_that_calls_somebody_is_held_to_the_prefixes(number: str, found: str) -> None:
    brakes = Instances().one()
    assert [code(brakes, action) for action in each(number)] == [found] * 4


def test_without_numbers_in_the_routing_the_number_that_was_called_tells_the_country() -> None:
    brakes = Instances().one(Dialing())
    (target,) = who("+14255550123")
    assert code(brakes, actions.Transfer(target=target)) == ""
    assert code(brakes, actions.Transfer(target=target), dataclasses.replace(INBOUND, callee=USER)) != ""
    german = CallRecord("call", direction="outbound", caller="4:+493012345678", callee=target.raw_id)
    assert code(brakes, actions.Transfer(target=target), german) == "number_not_allowed"
    assert code(brakes, actions.Transfer(target=target, caller_id=CALLEE), german) == ""


def test_the_caller_of_a_call_that_came_in_opens_no_country() -> None:
    record = CallRecord("call", caller="4:+2348012345678", callee=CALLEE.raw_id)
    assert code(Instances().one(Dialing()), actions.Transfer(target=who("+2348012345679")[0]), record) != ""


def test_a_request_may_name_twenty_targets() -> None:
    brakes = Instances().one()
    many = who(*(f"+1425555{n:04d}" for n in range(10_000)))
    for number, found in ((20, ""), (21, "too_many_targets"), (10_000, "too_many_targets")):
        assert code(brakes, actions.CreateCall(targets=many[:number], caller_id=CALLEE)) == found
        assert code(brakes, actions.MoveParticipants(targets=many[:number], from_call="c")) == found


def test_the_message_says_which_setting() -> None:
    brakes = Instances().one(targets=1)
    with pytest.raises(Braked) as raised:
        brakes.check_request(actions.CreateCall(targets=who("+14255550123", "+14255550124"), caller_id=CALLEE))
    assert str(raised.value) == (
        "create_call was not sent: too_many_targets: names 2 targets; 1 is the limit, which MAX_TARGETS says"
    )
    assert not raised.value.retryable


def test_nothing_leaves_the_app_while_all_outbound_is_off() -> None:
    instances = Instances()
    brakes = instances.one()
    instances.rows.put("switches", OFF)
    brakes.refresh()
    joins = actions.Connect(locator=CallLocator(kind="room", id="99"))
    assert [code(brakes, action) for action in [*each("+14255550123"), joins]] == ["outbound_off"] * 5
    moved = actions.MoveParticipants(targets=who("+14255550123"), from_call="c")
    assert [code(brakes, action) for action in (actions.HangUp(), moved, actions.Answer())] == [""] * 3
    instances.rows.put("switches", "{}")
    brakes.refresh()
    assert [code(brakes, action) for action in each("+14255550123")] == [""] * 4


@pytest.mark.parametrize("number", ["+14255550123", "+18005550199"])
def test_a_number_that_is_off_is_neither_called_nor_a_caller_id(number: str) -> None:
    instances = Instances()
    brakes = instances.one()
    instances.rows.put("switches", f'{{"numbers_off": {{"{number}": {{"by": "Ada", "at": 1}}}}}}')
    brakes.refresh()
    found = [code(brakes, action) for action in each("+14255550123")]
    assert found == ["number_off"] * (4 if number == "+14255550123" else 2) + [""] * (0 if number[2] == "4" else 2)
    assert brakes.switches.is_off(Identifier(raw_id=f"4:{number[1:]}")), "however it is written"


def test_what_calls_nobody_costs_nothing() -> None:
    brakes = Instances().one()
    brakes.check(INBOUND, actions.HangUp())
    assert brakes._refresher.uses == 0  # type: ignore[attr-defined]


# In flows


async def sends_on(call: Call) -> None:
    """Transfers to a number of nobody, then to one of ours."""
    try:
        await call.transfer("+19005550123")
    except Braked as braked:
        call.log(f"braked {braked.code}")
    await call.transfer("+14255550177")


async def careless(call: Call) -> None:
    """Redirects where it may not."""
    await call.redirect("+19005550123")


async def tries_again(call: Call) -> None:
    """Calls twice at most."""
    await call.create_call("+14255550123", caller_id="+18005550199", attempts=2, delay=1)


HERE = {
    "sends_on": Flow("sends_on", sends_on),
    "careless": Flow("careless", careless, opens=True),
    "tries_again": Flow("tries_again", tries_again, opens=True),
}


@pytest.fixture
def world() -> World:
    return World()


def instance(world: World) -> Instance:
    return world.conductor(flows=HERE, brakes=Instances(clock=world.clock).one())


def test_a_flow_catches_it_as_a_refusal_and_a_replay_meets_the_same(world: World) -> None:
    call_id = world.answered(instance(world), "sends_on")
    assert world.kinds() == ["answer", "transfer"]
    assert world.last().action == actions.Transfer(target=who("+14255550177")[0])
    refusals = [entry for entry in world.journal(call_id) if isinstance(entry, RefusedEntry)]
    assert [entry.code for entry in refusals] == ["number_not_allowed"]
    fresh = world.conductor(flows=HERE)  # no brakes, as after a change of settings
    assert fresh.advance(call_id, []) is Outcome.DUPLICATE
    assert issubclass(Braked, ActionRefused)


def test_a_flow_that_does_not_catch_it_has_the_caller_hear_busy(world: World) -> None:
    _, call_id = instance(world).ring(a_ring(world.clock.now), None, "careless")
    assert world.kinds() == ["reject"]
    assert world.last().action == actions.Reject(reason="busy")
    assert world.store.peek(call_id).status == "ended"


def test_a_call_over_the_limit_is_placed_again_later(world: World) -> None:
    instances = Instances(clock=world.clock)
    brakes = instances.one(calls=1)
    conductor = world.conductor(flows=HERE, brakes=brakes)
    brakes.check(CallRecord("other"), actions.Connect(locator=CallLocator(kind="room", id="1")))
    _, call_id = conductor.place("tries_again", None)
    assert world.kinds() == []
    brakes.ended("other")
    world.clock.pass_seconds(2)
    conductor.wake_overdue(call_id, world.clock.now)
    assert world.kinds() == ["create_call"]


def test_an_action_over_the_api_is_held_to_them_too(world: World) -> None:
    conductor = instance(world)
    call_id = world.answered(conductor, "sends_on")
    _, operation = conductor.act(call_id, actions.AddParticipant(target=who("+882165551234567")[0], caller_id=CALLEE))
    assert operation is not None
    with pytest.raises(Braked):
        operation.result()


# Minutes


def test_a_call_is_ended_after_its_minutes_and_its_flow_learns_it_as_any_end(world: World) -> None:
    done: list[str] = []

    async def waits(call: Call) -> None:
        try:
            await call.signal("never")
        finally:
            done.append(call.status)

    flows = {"waits": Flow("waits", waits)}
    brakes = Instances(clock=world.clock).one()
    conductor = world.conductor(flows=flows, brakes=brakes)
    world.gateway.connection_state = lambda connection_id: "connected"  # type: ignore[method-assign]
    call_id = world.answered(conductor, "waits")
    conductor.later.flush()
    world.clock.pass_seconds(240 * 60)
    conductor.watch()
    assert world.kinds() == ["answer"], "240 minutes are allowed"
    world.clock.pass_seconds(0.001)
    assert conductor.watch() == {call_id: Outcome.ADVANCED}
    assert world.kinds() == ["answer", "terminate"]
    conductor.watch()
    assert world.kinds() == ["answer", "terminate"], "asked once"
    for body in world.wire.reaction(world.last()):
        conductor.deliver(call_id, [parsed(body)])
    record = world.store.peek(call_id)
    assert (record.status, record.outcome, record.failure) == ("ended", "too_long", {})
    assert done[-1:] == ["ended"]
    assert brakes._uncounted == {"too_long": 1}
    commands = [entry.command for entry in world.journal(call_id) if isinstance(entry, Issued) and entry.command]
    assert commands == [f"{TIME_LIMIT}0"]


def test_an_end_that_the_service_does_not_carry_out_is_asked_for_again_a_minute_later(world: World) -> None:
    brakes = Instances(clock=world.clock).one(minutes=1)

    async def waits(call: Call) -> None:
        await call.signal("never")

    conductor = world.conductor(flows={"waits": Flow("waits", waits)}, brakes=brakes)
    world.gateway.connection_state = lambda connection_id: "connected"  # type: ignore[method-assign]
    world.answered(conductor, "waits")
    conductor.later.flush()
    for seconds in (61, 10, 50):
        world.clock.pass_seconds(seconds)
        conductor.watch()
    assert world.kinds() == ["answer", "terminate", "terminate"]


@pytest.mark.parametrize("told", [True, False], ids=["its end is reported", "its end is not reported either"])
def test_a_call_that_is_up_and_whose_connection_was_never_reported_is_ended(world: World, told: bool) -> None:
    async def waits(call: Call) -> None:
        await call.signal("never")

    conductor = world.conductor(flows={"waits": Flow("waits", waits)}, brakes=Instances(clock=world.clock).one())
    world.gateway.connection_state = lambda connection_id: "connected"  # type: ignore[method-assign]
    _, call_id = conductor.ring(a_ring(world.clock.now), answering(), "waits")
    conductor.later.flush()
    world.clock.pass_seconds(61)
    assert conductor.watch() == {call_id: Outcome.ADVANCED}
    assert world.kinds() == ["answer", "terminate"], "nobody would ever speak on it, and no limit would end it"
    if told:
        conductor.deliver(call_id, [parsed(world.wire.event("CallDisconnected", None, result=(200, 0, "ended")))])
    for _ in range(2):
        world.clock.pass_seconds(61)
        conductor.watch()
    assert world.kinds() == ["answer", "terminate"]
    assert (world.store.peek(call_id).status, world.store.peek(call_id).outcome) == ("ended", "settled")


def test_the_watchdog_counts_the_calls_that_it_looks_at(world: World) -> None:
    instances = Instances(clock=world.clock)
    brakes = instances.one()

    async def waits(call: Call) -> None:
        await call.signal("never")

    conductor = world.conductor(flows={"waits": Flow("waits", waits)}, brakes=brakes)
    for number in range(3):
        ring = dataclasses.replace(
            a_ring(world.clock.now, context=f"{number}"), correlation_id=f"conversation {number}"
        )
        conductor.ring(ring, answering(), "waits")
    conductor.later.flush()
    world.clock.pass_seconds(6)
    conductor.watch()
    brakes.refresh()
    assert brakes.figures.calls == 3
    assert list(brakes.figures.callers.values()) == [3]


def test_no_call_is_counted_where_there_is_none(world: World) -> None:
    instances = Instances(clock=world.clock)
    brakes = instances.one()
    world.conductor(flows=HERE, brakes=brakes).watch()
    brakes.refresh()
    assert brakes.figures.at == world.clock.now - 5_000


def test_an_end_makes_room_at_once(world: World) -> None:
    ended: list[str] = []
    conductor = instance(world)
    conductor.afterwards.ended.append(ended.append)
    call_id = world.answered(conductor, "sends_on")
    conductor.deliver(call_id, [parsed(world.wire.event("CallDisconnected", None, result=(200, 5000, "left")))])
    assert set(ended) == {call_id}


def test_switches_are_read_as_they_were_written() -> None:
    off = Changed(by="Ada", at=1)
    to = {name: FlowDiverted(by="Ada", at=1, to=Diversion.model_validate(one)) for name, one in DIVERSIONS.items()}
    stored = Switches(outbound_off=off, numbers_off={"+14255550123": off}, diverted=to)
    for text in (stored.model_dump_json(exclude_none=True), stored.model_dump_json()):
        assert Switches.read(text) == stored
    assert stored.diverted["c"].to.redirect == who("+14255550177")[0]
    assert Switches.read(Switches().model_dump_json()) == Switches()


def test_switches_are_read_without_what_a_newer_version_has_added() -> None:
    text = (
        '{"until":9,"outbound_off":{"by":"Ada","at":1,"until":9},'
        '"diverted":{"a":{"by":"Ada","at":1,"to":{"flow":"b","after":9}}}}'
    )
    to = FlowDiverted(by="Ada", at=1, to=Diversion(flow="b", redirect=None, reject=None))
    assert Switches.read(text) == Switches(outbound_off=Changed(by="Ada", at=1), diverted={"a": to})


DIVERSIONS: dict[str, Any] = {"a": {"flow": "b"}, "c": {"redirect": "+14255550177"}, "d": {"reject": "forbidden"}}


def test_the_brakes_are_told_whether_an_action_may_have_gone_out_before(world: World) -> None:
    """A brake that counts must not count it twice, nor refuse what may be on its way."""
    asked: list[tuple[str, bool]] = []
    brakes = Instances(clock=world.clock).one()

    def check(record: CallRecord, action: Action, *, again: bool = False) -> None:
        asked.append((action.kind, again))

    brakes.check = check  # type: ignore[method-assign]
    conductor = world.conductor(flows={"speaks": Flow("speaks", speaks)}, brakes=brakes)
    world.gateway._answer = answering_with("play", lost)
    world.answered(conductor, "speaks")
    conductor.later.flush()
    world.clock.pass_seconds(60)
    conductor.watch()
    assert asked == [("answer", False), ("play", False), ("play", True)]
