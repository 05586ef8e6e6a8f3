"""A call that its flow places: it waits, is placed, finds the phone busy, and is placed again, through the whole
stack."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.line import until
from tests.e2e.trials import OWN, Desk, a_number, asked, desk_with

pytestmark = [pytest.mark.long, pytest.mark.e2e, pytest.mark.node, pytest.mark.xdist_group("e2e-called-again")]

FLOW = f'''
from shared.calls import ActionFailed, Call, flow, text


@flow("again", opens=True)
async def again(call: Call) -> None:
    await call.sleep(call.input["wait"])
    try:
        await call.create_call(call.input["number"], caller_id="{OWN}", attempts=2, delay=4)
    except ActionFailed as error:
        call.result("not_reached", outcome=error.outcome)
        return
    await call.play(text("Hello again."))
    call.result("reached")
'''


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with desk_with(tmp_path_factory.mktemp("app"), FLOW) as one:
        yield one


def waits(desk: Desk, call_id: str, attempts: int) -> None:
    def so() -> bool:
        view = desk.view(call_id)
        return bool(view["status"] == "waiting" and view["attempts"] == attempts)

    until(so, 20, lambda: desk.told(call_id))


def test_a_phone_that_was_busy_is_called_again_and_the_call_is_found_by_both_attempts(desk: Desk) -> None:
    number = a_number()
    desk.control.register_phone(number, behaviour="busy")
    call_id = desk.place("again", input={"number": number, "wait": 1})
    waits(desk, call_id, 0)
    waits(desk, call_id, 1)
    first = desk.view(call_id)["call_connection_id"]
    desk.control.register_phone(number)
    call = desk.end(call_id)
    assert (call["outcome"], call["result"], call["attempts"]) == ("completed", "reached", 2)
    assert asked(call["journal"]) == ["sleep", "create_call", "sleep", "create_call", "play", "hang_up"]
    assert call["call_connection_id"] != first
    for connection in (first, call["call_connection_id"]):
        found = desk.ask("POST", "calls/search", {"connection_id": connection}).json()["calls"]
        assert [one["id"] for one in found] == [call_id]


def test_a_phone_that_stays_busy_ends_the_call_as_busy(desk: Desk) -> None:
    number = a_number()
    desk.control.register_phone(number, behaviour="busy")
    call = desk.end(desk.place("again", input={"number": number, "wait": 0}))
    assert (call["outcome"], call["result"], call["attempts"]) == ("busy", "not_reached", 2)
    assert call["details"] == {"outcome": "busy"}
    assert call["retryable"]


def test_a_call_that_waits_is_cancelled_over_the_api(desk: Desk) -> None:
    call_id = desk.place("again", input={"number": a_number(), "wait": 86_400})
    waits(desk, call_id, 0)
    assert call_id in [one["id"] for one in desk.ask("GET", "calls?status=waiting").json()["calls"]]
    assert desk.act(call_id, "hang_up")["done"]
    call = desk.end(call_id)
    assert (call["outcome"], call["attempts"]) == ("hung_up", 0)
    assert asked(call["journal"]) == ["sleep", "hang_up"]
