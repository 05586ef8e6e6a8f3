"""A card flow on real storage: what was keyed stands in no row and no blob, during the call and after it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from devstack.azurite import Azurite
from shared.azure.call_store import TableStore
from shared.calls import Call, actions, text
from shared.calls.sealing import DESTROYED
from tests.stored import everything_in
from tests.unit.calls.secret_scan import assert_nowhere
from tests.unit.calls.secret_stage import CARD, KEYS, TONES, Bank, Stage
from tests.unit.calls.world import World

pytestmark = [pytest.mark.node, pytest.mark.xdist_group("store-secrets")]


@pytest.fixture(scope="module")
def azurite(azurite_alone: Azurite) -> Azurite:
    """Everything in it is looked at."""
    return azurite_alone


def test_two_instances_pay_with_what_was_keyed_and_the_storage_never_holds_it(
    tables: Callable[[], TableStore], azurite: Azurite
) -> None:
    bank = Bank()

    async def card(call: Call) -> None:
        await call.start_continuous_dtmf(secret=True)
        number = await call.ask_digits(text("Your card?"), max_tones=16, secret=True)
        receipt = await call.run(bank.charge, number, call.id)
        call.result("paid", card=number)
        for _ in range(12):  # more entries than a head holds
            await call.play(text(f"Paid with {number}. {receipt}"))
        for _ in range(2):
            await call.gather(*(call.play(text(f"{number} {'x' * 3900}")) for _ in range(5)))  # too large for a row
        await call.signal("never")

    world = World(store=tables())
    world.store.prepare()
    stage = Stage(card, world=world)
    instances = [stage.one, world.conductor(store=tables(), flows=stage.flows, secrets=KEYS)]
    for number, digit in enumerate(CARD, 1):
        tone = {"sequenceId": number, "tone": TONES[digit]}
        stage.event("ContinuousDtmfRecognitionToneReceived", None, instances[number % 2], **tone)
    stage.key_in(CARD, instances[1])
    for turn in range(12):
        stage.event("PlayCompleted", world.last().operation_context, instances[turn % 2])
    for request in world.gateway.performed[-5:]:
        stage.event("PlayCompleted", request.operation_context, instances[0])
    assert bank.asked == [(CARD, stage.call_id)]
    spoken = world.last().action
    assert isinstance(spoken, actions.Play)
    assert CARD in str(spoken.prompts)
    during = list(everything_in(azurite.connection_string))
    assert any("receipt" in text or "paid" in text for text in during), "nothing of the call was looked at"
    assert_nowhere(CARD, during)
    wrapped = world.store.peek(stage.call_id).secrets
    assert KEYS.cipher(wrapped, stage.call_id) is not None

    stage.hang_up(instances[0])
    assert world.store.peek(stage.call_id).secrets == DESTROYED
    stage.event("PlayCompleted", "late", instances[1])
    after = list(everything_in(azurite.connection_string))
    assert any('"secret": true' in text for text in after), "there is no archive"
    assert_nowhere(CARD, after)
    assert not any(wrapped in text for text in after)


def test_what_looks_at_a_call_does_not_read_its_key(tables: Callable[[], TableStore]) -> None:
    async def card(call: Call) -> None:
        await call.ask_digits(text("Your card?"), max_tones=16, secret=True)

    world = World(store=tables())
    world.store.prepare()
    stage = Stage(card, world=world)
    assert world.store.load(stage.call_id).record.secrets != ""
    assert [record.secrets for record in world.store.peek_all([stage.call_id])] == [""]
