"""A declared number with two slots through the whole stack, at a service that refuses a third call."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.line import until
from tests.e2e.trials import Desk, a_number, desk_with

pytestmark = [pytest.mark.long, pytest.mark.e2e, pytest.mark.node, pytest.mark.xdist_group("e2e-lines")]

LINE = "+18005550144"
LINES = f'numbers:\n  - {{number: "{LINE}", label: main}}\n'
FLOW = f'''
from shared.calls import ActionRefused, Call, flow, text


@flow("calls", opens=True)
async def calls(call: Call) -> None:
    await call.create_call(call.input["number"], caller_id="{LINE}", attempts=20, delay=1)
    await call.signal("enough")
'''


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with desk_with(tmp_path_factory.mktemp("app"), FLOW, lines=LINES) as one:
        yield one


def test_two_calls_go_at_once_and_the_third_waits_until_one_is_over(desk: Desk) -> None:
    desk.control.declare_number(LINE, limit=2)
    one, other = (desk.place("calls", input={"number": a_number()}) for _ in range(2))
    for call_id in (one, other):
        desk.connected(call_id)
    third = desk.place("calls", input={"number": a_number()})

    def was_refused() -> bool:
        refused = [entry for entry in desk.journal(third) if entry["entry"] == "refused"]
        return len(refused) >= 2 and {entry["code"] for entry in refused} == {"no_free_slot"}

    until(was_refused, 20, lambda: desk.told(third))
    assert desk.view(third)["status"] == "waiting"
    desk.signal(one, "enough")
    desk.end(one)
    desk.connected(third)
    for call_id in (other, third):
        desk.signal(call_id, "enough")
        assert desk.end(call_id)["outcome"] == "completed"
    asked = desk.control.requests(operation="CreateCall")
    assert [request["status"] for request in asked] == [201, 201, 201]  # the service was never asked for a third
