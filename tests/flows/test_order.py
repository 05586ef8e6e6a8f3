"""The flow that takes orders, rehearsed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from flows.order import MENU, order
from shared.calls import actions
from shared.calls.rehearsal import Rehearsal
from shared.use_cases import provide

CARD = "4111111111111111"


class Orders:
    """The use case, as the flow meets it."""

    def __init__(self) -> None:
        self.cards = True
        self.accepted = {CARD}
        self.charged: list[tuple[int, int, str, str]] = []
        self.placed: list[tuple[str, dict[str, int], str]] = []

    def takes_cards(self) -> bool:
        return self.cards

    def charge(self, call_id: str, attempt: int, cents: int, card: str, expiry: str) -> bool:
        self.charged.append((attempt, cents, card, expiry))
        return card in self.accepted

    def place(
        self, call_id: str, caller: str, basket: Mapping[str, int], prices: Mapping[str, int], pay: str
    ) -> dict[str, Any]:
        assert prices == MENU
        self.placed.append((caller, dict(basket), pay))
        return {"order": "20261128-000017", "number": 17, "total": 1_450}


@pytest.fixture
def orders() -> Orders:
    found = Orders()
    provide("order", lambda: found)
    return found


def started(**more: Any) -> Rehearsal:
    call = Rehearsal(order, **more)
    call.connect()
    call.prompt_ends()  # it is recorded
    call.prompt_ends()  # welcome
    return call


def with_roses_and_tulips(**more: Any) -> Rehearsal:
    call = started(**more)
    call.say("roses")
    call.press("3")
    call.press("1")
    call.press("2")
    call.say("two")
    call.say("that is all")
    return call


def read_back(call: Rehearsal) -> str:
    """The question whether the order is right, with what comes before it."""
    begin = max(at for at, said in enumerate(call.spoken) if said in ("You order", "Sie bestellen"))
    return " ".join(call.spoken[begin:])


def test_an_order_by_speech_and_keys_is_read_back_and_written(orders: Orders) -> None:
    orders.cards = False
    call = with_roses_and_tulips()
    assert read_back(call) == (
        "You order 3 roses, 2 tulips, together 14 dollars and 50 cents. "
        "If that is right, say yes or press 1. To change something, press 2. Star repeats this."
    )
    assert orders.placed == []
    call.say("yes")
    assert orders.placed[-1] == ("+14255550100", {"roses": 3, "tulips": 2}, "on_delivery")
    assert call.spoken[-1] == "Thank you. Your order number is 1 7. You pay on delivery. Goodbye."
    assert (call.result, call.details) == (
        "ordered",
        {"order": "20261128-000017", "cents": 1450, "pay": "on_delivery"},
    )


def test_it_is_corrected_until_it_is_right(orders: Orders) -> None:
    orders.cards = False
    call = with_roses_and_tulips()
    call.press("2")
    call.press("3")
    call.press("4")
    assert "3 roses, 2 tulips, 4 sunflowers, together 25 dollars and 50 cents." in read_back(call)
    call.press("2")
    call.press("1")
    call.say("none")
    assert read_back(call).startswith("You order 2 tulips, 4 sunflowers, together 15 dollars and 00 cents.")
    call.press("1")
    assert orders.placed[-1][1] == {"tulips": 2, "sunflowers": 4}


def test_an_order_of_nothing_is_none(orders: Orders) -> None:
    call = started()
    call.press("1")
    call.press("1")
    call.press("2")
    call.press("2")
    call.press("1")
    call.press("#")
    assert "nothing left to order" in call.spoken[-1]
    assert (call.result, orders.placed) == ("empty", [])


def test_a_card_is_asked_for_off_the_record_as_a_secret(orders: Orders) -> None:
    call = with_roses_and_tulips()
    call.press("1")
    call.press("1")
    kinds = [action.kind for action in call.actions]
    assert kinds[-4:] == ["get_recording_state", "pause_recording", "get_recording_state", "recognize"]
    assert call.expect(actions.Recognize).secret
    call.press(CARD + "#")
    assert call.expect(actions.Recognize).secret
    call.press("1230")
    assert orders.charged[-1] == (0, 1_450, CARD, "1230")
    assert "resume_recording" in [action.kind for action in call.actions]
    assert call.spoken[-1] == "Thank you. It is paid. Your order number is 1 7. Goodbye."
    assert orders.placed[-1][2] == "card"
    assert (call.result, call.details["pay"]) == ("ordered", "card")
    assert CARD not in str(call.logged) + str(call.details)


def test_an_order_that_was_charged_is_written_before_anything_else(orders: Orders) -> None:
    """Whoever rings off a moment later has paid."""
    call = with_roses_and_tulips()
    call.press("1")
    call.press("1")
    call.press(CARD + "#")
    call.press("1230")
    kinds = [action.kind for action in call.actions]
    assert kinds[kinds.index("resume_recording") - 2 :][:3] == ["run", "run", "resume_recording"]
    assert [one[2] for one in orders.placed] == ["card"]


def test_a_card_that_is_not_accepted_twice_is_paid_on_delivery(orders: Orders) -> None:
    call = with_roses_and_tulips()
    call.press("1")
    call.press("1")
    for told in ("not accepted", "pay on delivery"):
        call.press("4000000000000000#")
        call.press("1230")
        assert told in call.spoken[-1]
        call.prompt_ends()
    assert {one[0] for one in orders.charged} == {0, 1}
    assert orders.placed[-1][2] == "on_delivery"


def test_a_recording_that_does_not_pause_takes_no_card(orders: Orders) -> None:
    call = with_roses_and_tulips()
    call.answers[actions.GetRecordingState] = {"recordingState": "active"}
    call.press("1")
    call.press("1")
    for _ in range(5):
        call.wait()
    assert "could not charge a card" in call.spoken[-1]
    call.prompt_ends()
    assert (orders.charged, orders.placed[-1][2]) == ([], "on_delivery")


@pytest.mark.parametrize(
    "steps", [[], ["1"], ["1", "2"], ["1", "2", "2"], ["1", "2", "2", "1"], ["1", "2", "2", "1", "1"]]
)
def test_zero_is_for_a_person_at_any_time(orders: Orders, steps: list[str]) -> None:
    call = started()
    for keys in steps:
        call.press(keys)
    call.press("0")
    assert call.spoken[-1] == "One moment, we connect you."
    call.prompt_ends()
    assert call.expect(actions.Transfer).target.phone_number == "+14255550142"
    assert (call.result, orders.placed) == ("person", [])
    call.fail(actions.Transfer, code=487)
    assert (call.result, call.spoken[-1].startswith("Nobody is free")) == ("no_person", True)


def test_a_person_of_whom_nothing_is_heard_is_not_free(orders: Orders) -> None:
    call = started()
    call.press("0")
    call.prompt_ends()
    call.times_out(actions.Transfer)
    assert (call.result, call.spoken[-1].startswith("Nobody is free")) == ("no_person", True)


def test_star_repeats_and_silence_ends_without_an_order(orders: Orders) -> None:
    call = started()
    call.press("*")
    assert call.spoken[-1] == call.spoken[-2]
    for _ in range(3):
        call.stay_silent()
    assert "nothing was ordered" in call.spoken[-1]
    assert (call.result, orders.placed) == ("no_order", [])


def test_it_speaks_german(orders: Orders) -> None:
    call = started(language="de")
    call.say("Tulpen")
    call.say("neun")
    call.press("2")
    assert read_back(call).startswith("Sie bestellen 9 Tulpen, zusammen 18 Dollar und 00 Cent. Wenn das stimmt")
    call.say("ja")
    assert call.spoken[-1].startswith("Um jetzt mit Karte zu zahlen")


def test_what_cannot_be_written_is_said(orders: Orders) -> None:
    orders.cards = False

    def place(*args: object) -> None:
        raise TimeoutError("down")

    orders.place = place  # type: ignore[assignment,method-assign]
    call = with_roses_and_tulips()
    call.press("1")
    assert "could not be taken" in call.spoken[-1]
    assert (call.result, call.logged) == ("no_order", ["no order"])
