"""A card keyed into a whole call: in no row, blob, queue, log line or API answer, while it goes on and after it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.line import until
from tests.e2e.trials import Desk, desk_with, spoken
from tests.stored import everything_in
from tests.unit.calls.secret_scan import assert_nowhere

pytestmark = [pytest.mark.long, pytest.mark.e2e, pytest.mark.node, pytest.mark.xdist_group("e2e-secrets")]

CARD, PIN = "4929007318466520", "806315"

FLOW = """
import hashlib

from shared.calls import Call, MediaStreaming, RunFailed, flow


def charge(card: str, pin: str, key: str) -> dict[str, str]:
    return {"card": card, "proof": hashlib.sha256(f"{card} {pin}".encode()).hexdigest()}


def declines(card: str) -> None:
    raise ValueError(f"{card} is declined")


@flow("pays", opens=True)
async def pays(call: Call) -> None:
    await call.answer(media_streaming=MediaStreaming(start=True, dtmf_tones=True))
    await call.start_continuous_dtmf(secret=True)
    card = await call.ask_digits("Card?", max_tones=16, inter_tone=5, secret=True)
    pin = await call.ask_digits("PIN?", max_tones=6, inter_tone=5, secret=True)
    paid = await call.run(charge, card, pin, call.id)
    try:
        await call.run(declines, card)
    except RunFailed as error:
        call.log(f"declined: {error.message}", pin=pin)
    await call.play(f"You paid with {' '.join(card)}.")
    call.result("paid", proof=paid["proof"], card=card)
    await call.signal("go-on")
    await call.send_dtmf(pin)
    raise ValueError(f"no more of {card}")
"""
SCRIPT = [{"when": "asked", "after": 0.5, "press": CARD}, {"when": "asked", "after": 0.5, "press": PIN}]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with desk_with(tmp_path_factory.mktemp("app"), FLOW) as one:
        yield one


def test_a_card_that_was_keyed_is_nowhere_but_in_the_flow(desk: Desk) -> None:
    call_id = desk.ring("pays", SCRIPT)
    until(lambda: desk.view(call_id)["result"] == "paid", 40, lambda: desk.told(call_id))
    proof = hashlib.sha256(f"{CARD} {PIN}".encode()).hexdigest()
    assert desk.view(call_id)["details"] == {"proof": proof, "card": "secret"}
    assert spoken_to_the_caller(desk), "the caller was to hear the number"
    nothing_is_kept(desk, call_id)
    desk.signal(call_id, "go-on")
    call = desk.end(call_id)
    assert call["outcome"] == "failed"
    assert call["failure"]["error"] == "ValueError: secret"
    assert spoken(call)[-1] == "We are sorry."
    until(lambda: archived(desk, call_id), 20, lambda: "no archive")
    nothing_is_kept(desk, call_id)


def spoken_to_the_caller(desk: Desk) -> bool:
    """Whether the service was given the number to say, which is how it has to be."""
    asked = json.dumps([request.get("body") for request in desk.control.requests()])
    return " ".join(CARD) in asked


def nothing_is_kept(desk: Desk, call_id: str) -> None:
    stored = list(everything_in(desk.stack.connection_string))
    assert any(call_id in text for text in stored)
    journal = desk.journal(call_id)
    shown: list[Any] = [journal, desk.view(call_id), desk.ask("GET", "calls").text]
    seals = [entry for entry in journal if entry.get("secret") is True]
    assert len(seals) > len(CARD) + len(PIN)
    for digits in (CARD, PIN):
        assert_nowhere(digits, stored, shown)
        for log in logs(desk.stack.logs):
            assert_nowhere(digits, log.read_text("utf-8", "replace"))


def logs(folder: Path) -> list[Path]:
    """What the app and its host have logged; the service is none of it."""
    found = [log for log in folder.iterdir() if log.is_file() and not log.name.startswith(("emulator", "azurite"))]
    assert found
    return found


def archived(desk: Desk, call_id: str) -> bool:
    return any(f"{call_id}.json" in text.partition(" ")[0] for text in everything_in(desk.stack.connection_string))
