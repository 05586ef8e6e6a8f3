"""What is done or not done again where a response is lost, an instance dies, or another one was quicker."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from shared.calls import ActionRefused, Call, Flow, actions, text
from shared.calls.conductor import GRACES_AT_MOST, RINGING_GRACE, Conductor
from shared.calls.driver import HANG_UPS
from shared.calls.journal import Failed, Resent, Settled
from shared.calls.outcome import Outcome
from shared.calls.record import CallRecord
from shared.calls.watchdog import LONGEST_RUN, WAKE_UP_DELAY
from shared.errors import AlreadyClaimed, ResponseLost, StoreUnavailable
from shared.gateway.base import Request
from shared.gateway.memory import refuse
from shared.store.base import Version
from shared.store.memory import MemoryStore
from tests.unit.calls.world import CALLEE, CALLER, CONNECTION, FLOWS, World, a_ring, answering, parsed, respond

GRACE = 7.0
Answer = Callable[[Request], Mapping[str, Any]]


class Death(BaseException):
    """The instance dies here."""


async def speaks(call: Call) -> None:
    """Says two things."""
    await call.play(text("one"))
    await call.play(text("two"))


async def waits(call: Call) -> None:
    """Says something that never ends by itself, and leaves with the caller."""
    await call.play(text("music"), loop=True)


async def naps(call: Call) -> None:
    """Waits and speaks."""
    await call.sleep(60)
    await call.play(text("good morning"))


async def both(call: Call) -> None:
    """Two prompts in a row, asked for at once."""
    await call.gather(call.play(text("one")), call.play(text("two")))


async def hands_over(call: Call) -> None:
    """Transfers its caller."""
    await call.transfer("+14255550177")


async def dials(call: Call) -> None:
    """Places its call and says so."""
    try:
        await call.create_call(CALLER.raw_id, caller_id=CALLEE.raw_id)
    finally:
        await call.run(lambda: "noted")


HERE = {**FLOWS, **{f.__name__: Flow(f.__name__, f) for f in (speaks, waits, naps, both, hands_over)}}
HERE["dials"] = Flow("dials", dials, opens=True)


def answering_with(kind: str, answer: Answer, times: int = 1) -> Answer:
    """The service, but for so many actions of this kind."""
    left = [times]

    def respond_or(request: Request) -> Mapping[str, Any]:
        if request.action.kind == kind and left[0]:
            left[0] -= 1
            return answer(request)
        return respond(request)

    return respond_or


def lost(request: Request) -> Mapping[str, Any]:
    raise ResponseLost(request.action.kind, "the connection broke")


def dies(request: Request) -> Mapping[str, Any]:
    raise Death


@pytest.fixture
def world() -> World:
    return World()


def up(world: World, flow: str, conductor: Conductor | None = None) -> tuple[Conductor, str]:
    """An instance, and a call that it answered and that is up."""
    conductor = conductor or world.conductor(flows=HERE)
    call_id = world.answered(conductor, flow)
    world.gateway.states[CONNECTION] = "connected"
    return conductor, call_id


def another(world: World, **options: Any) -> Conductor:
    return world.conductor(flows=HERE, **options)


def hear(world: World, conductor: Conductor, call_id: str, name: str, context: str | None = None, **more: Any) -> Any:
    return conductor.deliver(call_id, [parsed(world.wire.event(name, context, **more))])


def react(world: World, conductor: Conductor, call_id: str) -> None:
    """The service reports on its newest action."""
    for body in world.wire.reaction(world.last()):
        conductor.deliver(call_id, [parsed(body)])


def resent(world: World, call_id: str) -> list[int]:
    return [entry.seq for entry in world.journal(call_id) if isinstance(entry, Resent)]


def failures(world: World, call_id: str) -> list[str]:
    return [entry.error for entry in world.journal(call_id) if isinstance(entry, Failed)]


def plays(world: World) -> list[tuple[str, int]]:
    """What was said, and at which attempt."""
    return [
        (str(getattr(request.action.prompts[0], "text", "")), request.attempt)
        for request in world.gateway.sent
        if isinstance(request.action, actions.Play)
    ]


# An action whose response is lost


@pytest.mark.parametrize("name", ["answer", "create_call"])
def test_an_opening_whose_response_was_lost_is_no_refusal_and_its_connection_is_spoken_on(
    world: World, name: str
) -> None:
    conductor = another(world)
    world.gateway._answer = answering_with(name, lost)
    if name == "answer":
        _, call_id = conductor.ring(a_ring(), answering(), "speaks")
    else:
        opening = actions.CreateCall(targets=(CALLER,), caller_id=CALLEE)
        _, call_id = conductor.place("speaks", opening)
    assert world.store.peek(call_id).status != "ended"
    assert world.store.peek(call_id).unconfirmed == [0]
    hear(world, conductor, call_id, "CallConnected", world.last().operation_context)
    assert plays(world) == [("one", 0)]
    assert world.store.peek(call_id).call_connection_id == CONNECTION


def test_a_play_whose_response_was_lost_is_told_to_no_flow_and_completes_with_its_event(world: World) -> None:
    world.gateway._answer = answering_with("play", lost)
    conductor, call_id = up(world, "speaks")
    assert failures(world, call_id) == []
    react(world, conductor, call_id)
    assert plays(world) == [("one", 0), ("two", 0)]


def test_a_play_whose_response_was_lost_is_sent_anew_if_the_grace_period_brings_no_event(world: World) -> None:
    world.gateway._answer = answering_with("play", lost)
    conductor, call_id = up(world, "speaks")
    world.clock.pass_seconds(GRACE)
    conductor.watch()
    assert plays(world) == [("one", 0)]
    world.clock.pass_seconds(0.001)
    assert conductor.watch() == {call_id: Outcome.RESENT}
    assert plays(world) == [("one", 0), ("one", 1)]


@pytest.mark.parametrize("code", ["8583", "8500"])
def test_a_second_sending_that_cannot_run_beside_the_first_says_that_the_first_runs(world: World, code: str) -> None:
    world.gateway._answer = answering_with("play", lost)
    conductor, call_id = up(world, "speaks")
    world.gateway._answer = answering_with("play", refuse(412, code))
    world.clock.pass_seconds(GRACE + 1)
    conductor.watch()
    assert failures(world, call_id) == []
    hear(world, conductor, call_id, "PlayCompleted", f"{call_id}:1:0")
    assert plays(world)[-1] == ("two", 0)


@pytest.mark.parametrize("code", ["8583", "8500"])
def test_the_same_words_to_a_first_sending_are_a_refusal(world: World, code: str) -> None:
    world.gateway._answer = answering_with("play", refuse(412, code))
    _, call_id = up(world, "speaks")
    assert code in failures(world, call_id)[0]


# After a write that took long


class SlowStore(MemoryStore):
    """A store whose next write takes a while; others work meanwhile."""

    def __init__(self) -> None:
        super().__init__()
        self.meanwhile: Callable[[str], None] | None = None

    def claim(self, record: CallRecord, journal: Sequence[str]) -> Version:
        version = super().claim(record, journal)
        self._pass(record.call_id)
        return version

    def commit(self, record: CallRecord, appended: Sequence[str], version: Version) -> Version:
        done = super().commit(record, appended, version)
        self._pass(record.call_id)
        return done

    def _pass(self, call_id: str) -> None:
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile:
            meanwhile(call_id)


@pytest.mark.parametrize("done", [False, True])
def test_what_another_instance_has_sent_during_a_slow_commit_is_not_sent_by_the_first(done: bool) -> None:
    store = SlowStore()
    world = World(store=store)
    conductor, call_id = up(world, "speaks")
    other = another(world)

    def meanwhile(call_id: str) -> None:
        world.clock.pass_seconds(GRACE + 1)
        assert other.watch() == {call_id: Outcome.RESENT}
        if done:
            react(world, other, call_id)

    store.meanwhile = meanwhile
    hear(world, conductor, call_id, "PlayCompleted", f"{call_id}:1:0")
    assert plays(world) == [("one", 0), ("two", 1)]
    assert resent(world, call_id) == [2]
    if not done:
        react(world, conductor, call_id)
    assert world.kinds()[-1] == "hang_up"
    assert failures(world, call_id) == []


def test_a_side_effect_that_another_instance_has_run_during_a_slow_claim_is_not_run_by_the_first() -> None:
    store, ran = SlowStore(), []
    world = World(store=store)

    async def looks_up(call: Call) -> None:
        await call.run(lambda: ran.append(1))
        await call.reject()

    flows = {"looks_up": Flow("looks_up", looks_up, opens=True)}
    conductor, other = world.conductor(flows=flows), world.conductor(flows=flows)

    def meanwhile(call_id: str) -> None:
        world.clock.pass_seconds(GRACE + 1)
        other.ring(a_ring(), None, "looks_up")

    store.meanwhile = meanwhile
    _, call_id = conductor.ring(a_ring(), None, "looks_up")
    assert ran == [1]
    assert world.kinds() == ["reject"]
    assert world.store.peek(call_id).outcome == "rejected"


# 404: the call may be over


def test_an_action_that_is_refused_because_the_caller_has_left_is_no_failure_of_the_flow(world: World) -> None:
    conductor, call_id = up(world, "speaks")
    world.gateway.states.clear()
    world.gateway._answer = answering_with("play", refuse(404, "8522"))
    react(world, conductor, call_id)
    assert failures(world, call_id) == []
    assert world.kinds() == ["answer", "play", "play"], "nobody is asked for anything after that"
    record = world.store.peek(call_id)
    assert (record.status, record.outcome) == ("ended", "settled")
    assert any(isinstance(entry, Settled) for entry in world.journal(call_id))
    conductor.later.flush()
    assert world.store.archive[call_id]["outcome"] == "settled"  # type: ignore[attr-defined]

    # What the service says of the end comes after it.
    outcome = hear(world, conductor, call_id, "CallDisconnected", None, result=(200, 5000, "the caller left"))
    assert outcome is Outcome.ADVANCED
    conductor.later.flush()
    record = world.store.peek(call_id)
    assert (record.outcome, record.code, record.sub_code) == ("caller_left", 200, 5000)
    archived = world.store.archive[call_id]  # type: ignore[attr-defined]
    assert (archived["outcome"], archived["sub_code"]) == ("caller_left", 5000)
    assert archived["journal"][-1]["event"]["type"].endswith("CallDisconnected")
    again = hear(world, conductor, call_id, "CallDisconnected", None, result=(200, 5000, "the caller left"))
    assert again is Outcome.LATE, "the end of a call is told once"


def test_a_caller_who_leaves_during_a_side_effect_has_left(world: World) -> None:
    def looks_up() -> str:
        world.gateway.states.clear()
        world.gateway._answer = refuse(404, "8522")
        return "a name"

    async def slow(call: Call) -> None:
        await call.play(text(await call.run(looks_up)))

    flows = {"slow": Flow("slow", slow)}
    conductor = world.conductor(flows=flows)
    world.gateway.states[CONNECTION] = "connected"
    call_id = world.answered(conductor, "slow")
    hear(world, conductor, call_id, "CallDisconnected", None, result=(200, 5000, "the caller left"))
    assert failures(world, call_id) == []
    assert world.kinds() == ["answer", "play"]
    assert world.store.peek(call_id).outcome == "caller_left"


def test_a_last_hang_up_that_is_too_late_is_a_completed_call(world: World) -> None:
    conductor, call_id = up(world, "speaks")
    react(world, conductor, call_id)
    world.gateway.states.clear()
    world.gateway._answer = refuse(404, "8522")
    react(world, conductor, call_id)
    assert failures(world, call_id) == []
    assert world.kinds() == ["answer", "play", "play", "hang_up"]
    assert (world.store.peek(call_id).status, world.store.peek(call_id).outcome) == ("ended", "completed")


def test_404_about_something_else_than_the_call_is_a_refusal(world: World) -> None:
    world.gateway._answer = answering_with("play", refuse(404, "8522", "no such source"))
    world.gateway.states[CONNECTION] = "connected"
    conductor = another(world)
    call_id = world.answered(conductor, "speaks")
    assert "404" in failures(world, call_id)[0]
    assert world.store.peek(call_id).status == "connected"


def test_404_while_nobody_can_say_whether_the_call_goes_on_leaves_it_open(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    conductor, call_id = up(world, "speaks")

    def unreachable(connection_id: str) -> str:
        raise ActionRefused("get_call", 0, "unreachable", "no answer", transient=True)

    with monkeypatch.context() as patch:
        patch.setattr(world.gateway, "connection_state", unreachable)
        world.gateway._answer = answering_with("play", refuse(404, "8522"))
        react(world, conductor, call_id)
    assert failures(world, call_id) == []
    assert world.store.peek(call_id).status == "connected"
    world.clock.pass_seconds(GRACE + 1)
    conductor.watch()
    assert plays(world) == [("one", 0), ("two", 0), ("two", 1)]


@pytest.mark.parametrize("action", [actions.Reject(), actions.Answer()], ids=lambda action: action.kind)
def test_404_to_what_opens_a_call_is_a_refusal(world: World, action: Any) -> None:
    world.gateway._answer = refuse(404, "8522", "the caller hung up")
    _, call_id = another(world).ring(a_ring(), action, "speaks")
    assert any(entry.entry == "refused" for entry in world.journal(call_id))


# The end that a flow asks for


@pytest.mark.parametrize("times", [1, 3])
def test_a_last_hang_up_that_is_refused_for_now_is_asked_for_again_and_nobody_hears_of_it(
    world: World, times: int
) -> None:
    conductor, call_id = up(world, "speaks")
    react(world, conductor, call_id)
    world.gateway._answer = answering_with("hang_up", refuse(503, "busy"), times)
    react(world, conductor, call_id)
    while world.timers.due:
        wake = world.timers.due.pop(0)
        world.clock.now = max(world.clock.now, wake[2])
        conductor.wake(*wake)
    assert plays(world) == [("one", 0), ("two", 0)]
    assert world.kinds().count("hang_up") == times + 1
    react(world, conductor, call_id)
    assert failures(world, call_id) == []
    assert world.store.peek(call_id).outcome == "completed"


def test_a_last_hang_up_that_is_refused_for_good_is_a_failure(world: World) -> None:
    conductor, call_id = up(world, "speaks")
    react(world, conductor, call_id)
    world.gateway._answer = answering_with("hang_up", refuse(400, "8501"), 1)
    react(world, conductor, call_id)
    assert len(failures(world, call_id)) == 1
    assert world.kinds().count("hang_up") == 1


def test_a_hang_up_that_is_refused_for_ever_is_given_up_and_the_call_considered_over(world: World) -> None:
    conductor, call_id = up(world, "speaks")
    react(world, conductor, call_id)
    world.gateway._answer = answering_with("hang_up", refuse(503, "busy"), 1000)
    react(world, conductor, call_id)
    began = world.clock.now
    while world.store.peek(call_id).status != "ended":
        if world.timers.due:
            wake = world.timers.due.pop(0)
            world.clock.now = max(world.clock.now, wake[2])
            conductor.wake(*wake)
        else:
            react(world, conductor, call_id)  # the apology
    assert world.kinds().count("hang_up") == 2 * HANG_UPS
    assert 7 * 60_000 < world.clock.now - began < 9 * 60_000


# Connections that come up too late


def refused_opening(world: World, conductor: Conductor) -> str:
    """A call that is over because nobody took its answer, as far as anybody knows."""
    world.gateway._answer = answering_with("answer", refuse(500, "8500"))
    _, call_id = conductor.ring(a_ring(), answering(), "speaks")
    assert world.store.peek(call_id).status == "ended"
    return call_id


def hang_ups(world: World) -> list[str]:
    return [request.connection_id for request in world.gateway.sent if request.action.kind == "hang_up"]


@pytest.mark.parametrize("cold", [False, True])
def test_a_connection_that_comes_up_for_a_call_that_is_over_is_hung_up(world: World, cold: bool) -> None:
    conductor = another(world)
    call_id = refused_opening(world, conductor)
    conductor = another(world) if cold else conductor
    outcome = hear(world, conductor, call_id, "CallConnected", f"{call_id}:0:0")
    assert outcome is Outcome.LATE
    assert hang_ups(world) == [CONNECTION]


def test_it_is_delivered_again_if_the_hang_up_is_refused_for_now_and_is_done_once_it_is_gone(world: World) -> None:
    conductor = another(world)
    call_id = refused_opening(world, conductor)
    world.gateway._answer = answering_with("hang_up", refuse(503, "busy"))
    body = world.wire.event("CallConnected", f"{call_id}:0:0")
    with pytest.raises(ActionRefused):
        conductor.deliver(call_id, [parsed(body)])
    world.gateway._answer = answering_with("hang_up", refuse(404, "8522"))
    assert conductor.deliver(call_id, [parsed(body)]) is Outcome.LATE
    assert hang_ups(world) == [CONNECTION, CONNECTION]


@pytest.mark.parametrize("context", [None, "another:0:0", "{call}:1:0", "{call}:9:0"])
def test_a_connection_that_is_not_the_opening_ones_is_left_alone(world: World, context: str | None) -> None:
    conductor = another(world)
    call_id = refused_opening(world, conductor)
    hear(world, conductor, call_id, "CallConnected", context and context.format(call=call_id))
    assert hang_ups(world) == []


def test_a_connection_whose_end_was_heard_before_its_beginning_is_left_alone(world: World) -> None:
    conductor = another(world)
    _, call_id = conductor.ring(a_ring(), answering(), "speaks")
    context = world.last().operation_context
    hear(world, conductor, call_id, "CallDisconnected", None, result=(200, 5000, "left"))
    hear(world, conductor, call_id, "CallConnected", context)
    assert hang_ups(world) == []
    assert plays(world) == []


def test_a_connection_event_that_comes_twice_after_its_call_is_over_hangs_nothing_up(world: World) -> None:
    conductor = another(world)
    _, call_id = conductor.ring(a_ring(), answering(), "speaks")
    body = world.wire.event("CallConnected", world.last().operation_context)
    conductor.deliver(call_id, [parsed(body)])
    hear(world, conductor, call_id, "CallDisconnected", None, result=(200, 5000, "left"))
    assert conductor.deliver(call_id, [parsed(body)]) is Outcome.LATE
    assert hang_ups(world) == []


# What was sent twice


def sent_twice(world: World, flow: str) -> tuple[Conductor, str]:
    """A call whose first prompt went out, seemed lost, and went out again."""
    world.gateway._answer = answering_with("play", lost)
    conductor, call_id = up(world, flow)
    world.clock.pass_seconds(GRACE + 1)
    conductor.watch()
    assert plays(world)[-1] == ("one", 1)
    return conductor, call_id


def test_of_a_prompt_that_was_sent_twice_the_rest_is_cancelled_when_one_of_them_has_ended(world: World) -> None:
    conductor, call_id = sent_twice(world, "speaks")
    hear(world, conductor, call_id, "PlayCompleted", f"{call_id}:1:0")
    assert world.kinds()[-2:] == ["cancel_all_media", "play"], "cancelled before the next prompt is sent"
    assert plays(world)[-1] == ("two", 0)


def test_nothing_is_cancelled_where_something_else_plays_that_would_go_with_it(world: World) -> None:
    conductor, call_id = sent_twice(world, "both")
    hear(world, conductor, call_id, "PlayCompleted", f"{call_id}:1:0")
    assert "cancel_all_media" not in world.kinds()


def test_that_the_rest_cannot_be_cancelled_stops_nothing(world: World) -> None:
    conductor, call_id = sent_twice(world, "speaks")
    world.gateway._answer = answering_with("cancel_all_media", refuse(503, "busy"))
    hear(world, conductor, call_id, "PlayCompleted", f"{call_id}:1:0")
    assert plays(world)[-1] == ("two", 0)
    assert failures(world, call_id) == []


# What came back at once, and what was confirmed


class NoIndex(MemoryStore):
    """A store whose index cannot be written the first time."""

    down = 1

    def index(self, record: CallRecord) -> tuple[str, ...]:
        if self.down:
            self.down -= 1
            raise StoreUnavailable("the index")
        return super().index(record)


def test_what_came_back_at_once_is_kept_though_the_index_cannot_be_written() -> None:
    world = World(store=NoIndex())

    async def doorkeeper(call: Call) -> None:
        await call.redirect(await call.run(lambda: "+14255550111"))

    conductor = world.conductor(flows={"doorkeeper": Flow("doorkeeper", doorkeeper, opens=True)})
    with pytest.raises(StoreUnavailable):
        conductor.ring(a_ring(), None, "doorkeeper")
    assert world.kinds() == ["redirect"]
    outcome, call_id = conductor.ring(a_ring(), None, "doorkeeper")  # Event Grid delivers again
    assert world.kinds() == ["redirect"]
    assert world.store.peek(call_id).outcome == "redirected"
    assert outcome in (Outcome.LATE, Outcome.DUPLICATE)


@pytest.mark.parametrize("held", [1, 100])
def test_a_question_that_left_is_not_asked_again_because_its_call_left_the_memory(held: int) -> None:
    world = World()
    conductor, call_id = up(world, "menu", another(world, cached_calls=held))
    other_ring = a_ring(context="another", source_event="grid-2")
    object.__setattr__(other_ring, "correlation_id", "another conversation")
    conductor.ring(other_ring, answering(), "menu")
    conductor.later.flush()  # a moment later
    world.clock.pass_seconds(GRACE + 1)
    another(world).watch()
    asked = [r for r in world.gateway.sent if r.action.kind == "recognize" and r.call_id == call_id]
    assert [request.attempt for request in asked] == [0]


def test_a_confirmation_that_meets_a_change_is_made_on_top_of_it(world: World) -> None:
    conductor, call_id = up(world, "menu")
    assert world.store.peek(call_id).unconfirmed == [1]
    hear(world, another(world), call_id, "SomethingNew")
    conductor.later.flush()
    assert world.store.peek(call_id).unconfirmed == []
    assert world.journal(call_id)[-1].entry == "event"


# Sleeps


class NoQueue:
    """Timers whose queue fails the first time."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def schedule(self, call_id: str, seq: int, due: int) -> None:
        self.asked.append(due)
        if len(self.asked) == 1:
            raise StoreUnavailable("the queue")


def test_a_sleep_whose_queue_fails_is_put_there_again_for_the_same_time() -> None:
    timers = NoQueue()
    world = World(timers=timers)  # type: ignore[arg-type]
    conductor, call_id = up(world, "naps")
    assert failures(world, call_id) == []
    world.clock.pass_seconds(GRACE + 1)
    assert conductor.watch() == {call_id: Outcome.RESENT}
    assert len(timers.asked) == 2
    assert timers.asked[0] == timers.asked[1]


def test_a_wake_up_that_was_lost_is_made_good_shortly_after_its_time(world: World) -> None:
    conductor, call_id = up(world, "naps")
    conductor.later.flush()
    ((_, _, due),) = world.timers.due
    assert world.store.peek(call_id).wake_at == due
    world.clock.now = due + WAKE_UP_DELAY
    conductor.watch()
    assert plays(world) == []
    world.clock.now += 1
    assert another(world).watch() == {call_id: Outcome.ADVANCED}
    assert plays(world) == [("good morning", 0)]
    assert world.store.peek(call_id).wake_at == 0
    conductor.wake(*world.timers.due[0])  # it comes after all
    assert plays(world) == [("good morning", 0)]


def test_of_several_sleeps_only_those_that_are_over_are_ended(world: World) -> None:
    async def two(call: Call) -> None:
        short, long = call.sleep(10), call.sleep(100)
        await short
        await call.play(text("short"))
        await long
        await call.play(text("long"))

    conductor = world.conductor(flows={"two": Flow("two", two)})
    call_id = world.answered(conductor, "two")
    world.gateway.states[CONNECTION] = "connected"
    conductor.later.flush()
    world.clock.pass_seconds(13)
    conductor.watch()
    assert plays(world) == [("short", 0)]
    react(world, conductor, call_id)
    assert world.store.peek(call_id).wake_at == world.timers.due[1][2]
    world.clock.pass_seconds(90)
    conductor.watch()
    assert plays(world) == [("short", 0), ("long", 0)]


# The grace period


def sent_by_nobody(world: World, flow: str = "speaks") -> tuple[Conductor, str]:
    """A call whose instance died with its first prompt committed and not sent; another instance."""
    world.gateway._answer = answering_with("play", dies)
    with pytest.raises(Death):
        up(world, flow)
    world.gateway._answer = respond
    world.gateway.sent.pop()
    world.gateway.performed.pop()
    (call_id,) = world.store.open_calls()
    return another(world), call_id


def test_the_grace_period_begins_with_the_storages_last_write(world: World) -> None:
    other, call_id = sent_by_nobody(world)
    world.clock.pass_seconds(6)
    hear(world, other, call_id, "SomethingNew")
    world.clock.pass_seconds(GRACE)
    assert other.advance(call_id, []) is Outcome.DUPLICATE
    world.clock.pass_seconds(0.001)
    assert other.advance(call_id, []) is Outcome.RESENT
    assert plays(world) == [("one", 1)]


def test_however_much_a_call_hears_what_nobody_sent_is_sent_after_three_grace_periods(world: World) -> None:
    other, call_id = sent_by_nobody(world)
    issued = world.clock.now
    for _ in range(4):
        world.clock.pass_seconds(5)
        hear(world, other, call_id, "SomethingNew")
    world.clock.now = issued + int(GRACES_AT_MOST * GRACE * 1000)
    assert other.advance(call_id, []) is Outcome.DUPLICATE
    world.clock.now += 1
    assert other.advance(call_id, []) is Outcome.RESENT
    assert plays(world) == [("one", 1)]
    world.clock.pass_seconds(GRACE + 1)
    assert other.advance(call_id, []) is Outcome.DUPLICATE, "it left, as this instance knows"


# Rings


@pytest.mark.parametrize("opening", [actions.Answer(), actions.Reject()], ids=lambda action: action.kind)
def test_a_ring_that_comes_again_opens_a_call_that_its_instance_died_over(world: World, opening: Any) -> None:
    world.gateway._answer = dies
    with pytest.raises(Death):
        another(world).ring(a_ring(), opening, "speaks")
    world.gateway._answer = respond
    world.gateway._ran.clear()
    world.gateway.performed.clear()
    other = another(world)
    world.clock.now += RINGING_GRACE
    assert other.ring(a_ring(), opening, "speaks")[0] is Outcome.DUPLICATE
    assert world.kinds() == []
    world.clock.now += 1
    assert other.ring(a_ring(), opening, "speaks")[0] is Outcome.RESENT
    assert world.kinds() == [opening.kind]


def test_a_stale_ring_of_a_call_that_its_instance_died_over_has_the_watchdog_see_it(world: World) -> None:
    world.gateway._answer = dies
    with pytest.raises(Death):
        another(world).ring(a_ring(), answering(), "speaks")
    world.gateway._answer = respond
    world.gateway.performed.clear()
    assert list(world.store.open_calls()) == []
    other = another(world)
    world.clock.pass_seconds(31)
    outcome, call_id = other.ring(a_ring(), answering(), "speaks")
    assert outcome is Outcome.STALE
    assert list(world.store.open_calls()) == [call_id]
    assert world.kinds() == []


def test_a_stale_ring_of_a_call_that_nobody_claimed_claims_nothing(world: World) -> None:
    world.clock.pass_seconds(30.001)
    assert another(world).ring(a_ring(), answering(), "speaks")[0] is Outcome.STALE
    assert list(world.store.open_calls()) == []
    world = World()
    world.clock.pass_seconds(30)
    assert another(world).ring(a_ring(), answering(), "speaks")[0] is Outcome.CLAIMED


# Side effects


class ClockedStore(MemoryStore):
    """A store with a clock of its own, as the real one: a write of the head alone is later than its newest entry."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._clock = world.clock

    def commit(self, record: CallRecord, appended: Sequence[str], version: Version) -> Version:
        done = super().commit(record, appended, version)
        self._calls[record.call_id].record.written_at = self._clock()
        return done


def test_a_side_effect_that_takes_longer_than_the_grace_period_is_not_run_by_another_instance_too(
    world: World,
) -> None:
    world.store = ClockedStore(world)
    ran = []

    def slow() -> str:
        ran.append(1)
        alive = next(key for key in conductor.later.waiting if key.startswith("alive"))  # type: ignore[attr-defined]
        for _ in range(10):
            world.clock.pass_seconds(GRACE / 3)
            conductor.later.waiting.pop(alive)()  # type: ignore[attr-defined]
            other.watch()
        return "done"

    async def works(call: Call) -> None:
        await call.run(slow)
        await call.play(text("done"))

    flows = {"works": Flow("works", works)}
    conductor, other = world.conductor(flows=flows), world.conductor(flows=flows)
    world.gateway.states[CONNECTION] = "connected"
    call_id = world.answered(conductor, "works")
    assert ran == [1]
    assert resent(world, call_id) == []
    assert plays(world) == [("done", 0)]


def test_a_side_effect_whose_instance_dies_is_run_again_after_the_grace_period(world: World) -> None:
    ran = []

    def deadly() -> str:
        ran.append(1)
        if len(ran) == 1:
            world.clock.pass_seconds(20)
            raise Death
        return "done"

    async def works(call: Call) -> None:
        await call.run(deadly)
        await call.play(text("done"))

    flows = {"works": Flow("works", works)}
    world.gateway.states[CONNECTION] = "connected"
    conductor = world.conductor(flows=flows)
    with pytest.raises(Death):
        world.answered(conductor, "works")
    (call_id,) = world.store.open_calls()
    other = world.conductor(flows=flows)
    assert other.watch() == {call_id: Outcome.RESENT}
    assert ran == [1, 1]
    assert plays(world) == [("done", 0)]


def test_a_call_that_ends_while_its_side_effect_is_lost_is_not_closed_without_an_outcome(world: World) -> None:
    ran = []

    def deadly() -> str:
        ran.append(1)
        if len(ran) == 1:
            raise Death
        return "saved"

    async def saves(call: Call) -> None:
        try:
            await call.play(text("hello"), loop=True)
        finally:
            await call.run(deadly)

    flows = {"saves": Flow("saves", saves)}
    conductor = world.conductor(flows=flows)
    call_id = world.answered(conductor, "saves")
    with pytest.raises(Death):
        hear(world, conductor, call_id, "CallDisconnected", None, result=(200, 5000, "left"))
    other = world.conductor(flows=flows)
    world.clock.pass_seconds(GRACE)
    other.watch()
    assert list(world.store.open_calls()) == [call_id]
    world.clock.pass_seconds(1)
    other.watch()
    other.later.flush()
    assert ran == [1, 1]
    assert world.store.peek(call_id).outcome == "caller_left"
    assert world.store.archive[call_id]["outcome"] == "caller_left"  # type: ignore[attr-defined]
    assert list(world.store.open_calls()) == []


def test_a_call_whose_side_effect_never_comes_to_an_end_is_closed_in_the_end(world: World) -> None:
    def deadly() -> str:
        raise Death

    async def saves(call: Call) -> None:
        try:
            await call.play(text("hello"), loop=True)
        finally:
            await call.run(deadly)

    flows = {"saves": Flow("saves", saves)}
    conductor = world.conductor(flows=flows)
    call_id = world.answered(conductor, "saves")
    with pytest.raises(Death):
        hear(world, conductor, call_id, "CallDisconnected", None, result=(200, 5000, "left"))
    closer = world.conductor(flows={})  # the flow is gone: nobody can run it any more
    world.clock.now += LONGEST_RUN
    with pytest.raises(Death):
        world.conductor(flows=flows).advance(call_id, [])
    world.clock.now += LONGEST_RUN + 1
    closer.watch()
    assert call_id in world.store.archive  # type: ignore[attr-defined]


# Why a call ended


def test_the_end_of_a_transferred_call_before_the_transfers_own_event_says_that_it_was_transferred(
    world: World,
) -> None:
    conductor, call_id = up(world, "hands_over")
    context = world.last().operation_context
    hear(world, conductor, call_id, "CallDisconnected", None, result=(200, 7015, "transferred"))
    assert world.store.peek(call_id).outcome == "transferred"
    hear(world, conductor, call_id, "CallTransferAccepted", context)
    assert world.store.peek(call_id).outcome == "transferred"
    assert failures(world, call_id) == []


def test_that_number_without_a_transfer_is_an_end_like_others(world: World) -> None:
    conductor, call_id = up(world, "speaks")
    hear(world, conductor, call_id, "CallDisconnected", None, result=(200, 7015, "transferred"))
    assert world.store.peek(call_id).outcome == "caller_left"


@pytest.mark.parametrize(("result", "outcome"), [((486, 8539, "busy"), "busy"), ((486, 486, "busy"), "busy")])
def test_a_call_that_never_connected_says_why_though_its_end_comes_before_the_event_that_explains_it(
    world: World, result: Any, outcome: str
) -> None:
    conductor = another(world)
    _, call_id = conductor.place("dials", None)
    context = world.last().operation_context
    hear(world, conductor, call_id, "CallDisconnected", None, result=result)
    assert world.store.peek(call_id).outcome == outcome
    hear(world, conductor, call_id, "CreateCallFailed", context, result=result)
    assert world.store.peek(call_id).outcome == outcome


def test_a_claim_by_another_instance_is_not_taken_for_ones_own(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    another(world).ring(a_ring(), answering(), "speaks")
    mine = another(world)

    def claimed(record: CallRecord, journal: Sequence[str]) -> Version:
        raise AlreadyClaimed(record.call_id)

    monkeypatch.setattr(world.store, "claim", claimed)
    assert mine.ring(a_ring(), answering(), "speaks")[0] is Outcome.DUPLICATE
    assert world.kinds() == ["answer"]
