"""A deployment under live calls, over real tables: which go on with the new code, and which end and say why."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from shared.azure.call_store import TableStore
from shared.calls import Call, Flow, text
from shared.calls.flow import FlowFunction
from shared.calls.journal import Failed
from tests.unit.calls.world import World, parsed

pytestmark = pytest.mark.node


async def first(call: Call) -> None:
    """As it was deployed when the call came."""
    await call.play(text("Welcom."))
    await call.recognize(text("Your name?"), speech=True)
    await call.play(text("Goodbye."))


async def mended(call: Call) -> None:
    await call.play(text("Welcome."))
    await call.recognize(text("What is your name?"), speech=True)
    await call.play(text("Thank you. Goodbye."))


async def with_a_marked_step(call: Call) -> None:
    if call.version("ask-language"):
        await call.recognize(text("English or German?"), speech=True)
    await call.play(text("Welcome."))
    await call.recognize(text("Your name?"), speech=True)
    await call.play(text("Thank you. Goodbye."))


async def with_a_step(call: Call) -> None:
    await call.recognize(text("English or German?"), speech=True)
    await call.play(text("Welcome."))
    await call.recognize(text("Your name?"), speech=True)
    await call.play(text("Goodbye."))


class Deployments:
    """One storage, and an app that is deployed again and again."""

    def __init__(self, tables: Callable[[], TableStore]) -> None:
        self._tables = tables
        self.world = World(store=tables())
        self.call_id = ""

    def call(self, function: FlowFunction) -> Deployments:
        """A call comes in to the first deployment, and hears its greeting to the end."""
        flows = {"desk": Flow("desk", function)}
        self.call_id = self.world.answered(self.world.conductor(store=self._tables(), flows=flows), "desk")
        return self.deploy(function)

    def deploy(self, function: FlowFunction, name: str = "desk", formerly: Sequence[str] = ()) -> Deployments:
        """New code; what the call waits for happens, which the new instance hears first."""
        conductor = self.world.conductor(store=self._tables(), flows={name: Flow(name, function, formerly=formerly)})
        for event in self.world.wire.reaction(self.world.last()):
            conductor.deliver(self.call_id, [parsed(event)])
        return self

    @property
    def failure(self) -> dict[str, str]:
        return dict(self._tables().peek(self.call_id).failure)

    @property
    def said(self) -> list[str]:
        actions = [request.action for request in self.world.gateway.performed]
        return [prompt.text for action in actions for prompt in getattr(action, "prompts", ())]


def test_a_call_goes_on_with_mended_words(tables: Callable[[], TableStore]) -> None:
    calls = Deployments(tables).call(first).deploy(mended)
    assert calls.failure == {}
    assert calls.said == ["Welcom.", "Your name?", "Thank you. Goodbye."]


def test_a_call_goes_on_past_a_step_that_was_inserted_under_a_mark(tables: Callable[[], TableStore]) -> None:
    calls = Deployments(tables).call(first).deploy(with_a_marked_step)
    assert calls.failure == {}
    assert calls.said[-1] == "Thank you. Goodbye."


def test_a_call_that_comes_after_the_deployment_meets_the_inserted_step(tables: Callable[[], TableStore]) -> None:
    calls = Deployments(tables).call(with_a_marked_step).deploy(with_a_marked_step)
    assert calls.failure == {}
    assert calls.said == ["English or German?", "Welcome.", "Your name?"]


def test_a_call_whose_flow_now_asks_for_something_else_ends_with_the_apology_and_says_why(
    tables: Callable[[], TableStore],
) -> None:
    calls = Deployments(tables).call(first).deploy(with_a_step)
    assert calls.failure["error"] == "FlowChanged: this call did play #1 where the flow now asks for recognize #1"
    assert calls.failure["line"] == 'await call.recognize(text("English or German?"), speech=True)'
    assert "tests/unit/store/test_changed_flows.py:" in calls.failure["where"]
    assert "call.version" in calls.failure["remedy"]
    assert calls.said[-1] == "Sorry"
    calls.deploy(with_a_step)  # the apology has been heard
    assert calls.world.kinds()[-1] == "hang_up"
    failed = [entry for entry in calls.world.journal(calls.call_id) if isinstance(entry, Failed)]
    assert len(failed) == 1, "it is said once, whoever loads the call"


def test_a_call_goes_on_with_its_flow_under_a_new_name(tables: Callable[[], TableStore]) -> None:
    calls = Deployments(tables).call(first).deploy(mended, "front-desk", formerly=["desk"])
    assert calls.failure == {}
    assert calls.said[-1] == "Thank you. Goodbye."


def test_a_call_whose_flow_is_gone_ends_with_the_apology_and_says_why(tables: Callable[[], TableStore]) -> None:
    calls = Deployments(tables).call(first).deploy(mended, "front-desk")
    assert calls.failure["error"] == "FlowChanged: the app has no flow 'desk' any more"
    assert "formerly=" in calls.failure["remedy"]
    assert calls.said[-1] == "Sorry"
