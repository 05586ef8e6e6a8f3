"""Takes orders by telephone, by speech or keys: items, read-back, correction, payment. Change MENU and the texts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from shared.calls import (
    Call,
    CallError,
    NoInput,
    NotOffRecord,
    Prompt,
    RunFailed,
    WantsPerson,
    flow,
)
from shared.use_cases import service

if TYPE_CHECKING:
    from shared.calls import Tone
    from shared.orders.order import Pay
    from shared.orders.service import Orders

PERSON = "+14255550142"
"""Who takes callers that ask for a person; put the number of your shop here."""
MENU: Mapping[str, int] = {"roses": 350, "tulips": 200, "sunflowers": 275}
"""What can be ordered, at most four things, and what one costs, in cents. Their names stand in the texts."""
KEYS: tuple[Tone, ...] = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
ASKS = 3
"""How often a question is asked."""
CARDS = 2
"""How often a card may be tried."""


@flow("order", title="Orders", use="order")
async def order(call: Call) -> None:
    """Takes an order, reads it back, lets it be corrected, and writes it once; 0 is for a person."""
    call.result("no_order")
    try:
        await call.record(consent="announce", announcement=call.text("recorded"), channel="unmixed")
        await take(call)
    except WantsPerson:
        await to_person(call)
    except NoInput:
        await call.play(call.text("nobody"))
    except RunFailed as error:
        call.log("no order", error=error.code)
        await call.play(call.text("failed"))


async def take(call: Call) -> None:
    """The order itself."""
    orders: Orders = service("order")
    basket: dict[str, int] = {}
    await call.play(call.text("welcome"))
    more = True
    while more:
        item = await choose(call, "which", list(MENU))
        basket[item] = await how_many(call, item)
        more = await choose(call, "more", ["add", "finish"]) == "add"
    while await choose(call, "right", ["yes", "change"], *read_back(call, basket)) == "change":
        await correct(call, basket)
        if not basket:
            call.result("empty")
            await call.play(call.text("empty"))
            return
    placed = await by_card(call, orders, basket) if await call.run(orders.takes_cards) else None
    pay = "card" if placed else "on_delivery"
    placed = placed or await place(call, orders, basket, "on_delivery")
    call.result("ordered", order=placed["order"], cents=placed["total"], pay=pay)
    await call.play(call.text(f"done_{pay}", spelled=" ".join(str(placed["number"]))))


async def place(call: Call, orders: Orders, basket: Mapping[str, int], pay: Pay) -> dict[str, Any]:
    """Write the order: its id, number and total."""
    caller = call.caller.phone_number if call.caller and not call.caller.is_anonymous else ""
    return await call.run(orders.place, call.id, caller or "", basket, MENU, pay)


async def choose(call: Call, question: str, labels: list[str], *first: Prompt) -> str:
    """One of these, by key or by voice."""
    choices = [call.choice(label, tone=KEYS[at]) for at, label in enumerate(labels)]
    return await call.ask_choice(
        *first,
        call.text(question),
        choices=choices,
        attempts=ASKS,
        reprompt=call.text(f"{question}_again"),
        initial_silence=8,
        repeat=call.choice("repeat", tone="asterisk"),
        person=call.choice("person", tone="zero"),
    )


async def how_many(call: Call, item: str, *, none: bool = False) -> int:
    """A count from 1 to 9, or 0 where none of it is wanted any more."""
    counts = [call.choice(f"count_{at}", tone=tone) for at, tone in enumerate(KEYS, start=1)]
    counts += [call.choice("none", tone="pound")] if none else []
    label = await call.ask_choice(
        call.text(f"how_many_{item}"),
        *([call.text("or_none")] if none else []),
        choices=counts,
        attempts=ASKS,
        reprompt=call.text("how_many_again"),
        initial_silence=8,
        repeat=call.choice("repeat", tone="asterisk"),
        person=call.choice("person", tone="zero"),
    )
    return 0 if label == "none" else int(label.removeprefix("count_"))


def read_back(call: Call, basket: Mapping[str, int]) -> list[Prompt]:
    """What is in the basket, and what it costs."""
    cents = total(basket)
    lines = [call.text(f"line_{item}", count=count) for item, count in basket.items()]
    return [call.text("ordered"), *lines, call.text("total", whole=cents // 100, cents=f"{cents % 100:02}")]


async def correct(call: Call, basket: dict[str, int]) -> None:
    """Another count of one thing, which may be one that was not ordered yet; or none of it."""
    item = await choose(call, "which_change", list(MENU))
    count = await how_many(call, item, none=True)
    if count:
        basket[item] = count
    else:
        basket.pop(item, None)


async def by_card(call: Call, orders: Orders, basket: Mapping[str, int]) -> dict[str, Any] | None:
    """Offer to pay by card; the order if that was done. Nothing records or keeps what is keyed in."""
    if await choose(call, "pay", ["card", "delivery"]) == "delivery":
        return None
    for attempt in range(CARDS):
        if attempt:
            await call.play(call.text("card_again"))
        try:
            async with call.off_record():
                card = await keyed(call, "card_number", longest=19)
                expiry = await keyed(call, "card_expiry", longest=4)
                try:
                    charged = await call.run(orders.charge, call.id, attempt, total(basket), card, expiry)
                except RunFailed:  # nobody knows whether it was
                    break
                if charged:
                    return await place(call, orders, basket, "card")  # at once: whoever rings off now has paid
        except NotOffRecord:
            break
    await call.play(call.text("card_refused"))
    return None


def total(basket: Mapping[str, int]) -> int:
    """What is in the basket costs so many cents."""
    return sum(MENU[item] * count for item, count in basket.items())


async def keyed(call: Call, question: str, *, longest: int) -> str:
    """Digits that stay secret; 0 alone is for a person."""
    return await call.ask_digits(
        call.text(question),
        max_tones=longest,
        stop_tones=["pound"],
        attempts=2,
        initial_silence=15,
        inter_tone=8,
        repeat="*",
        person="0",
        secret=True,
    )


async def to_person(call: Call) -> None:
    """Put the caller through."""
    call.result("person")
    await call.play(call.text("connecting"))
    try:
        await call.transfer(PERSON)
    except CallError:
        call.result("no_person")
        await call.play(call.text("no_person"))
