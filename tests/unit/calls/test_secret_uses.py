"""What a flow makes of a secret: said, sent, logged, raised, returned."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import pytest

from shared.calls import Call, RunFailed, actions, text
from shared.errors import ActionRefused
from tests.unit.calls.secret_scan import assert_nowhere
from tests.unit.calls.secret_stage import CARD, Stage
from tests.unit.calls.world import CALLER

# What the flow makes of it


def test_what_holds_a_secret_is_sealed_by_itself() -> None:
    async def repeats(call: Call) -> None:
        pin = await call.ask_digits(text("Your PIN?"), max_tones=6, secret=True)
        await call.send_dtmf(pin)
        await call.play(text(f"You keyed {' '.join(pin)}."))
        await call.run(lambda: {"pin": pin, "of": call.id})
        await call.play(text("Thank you."))

    stage = Stage(repeats)
    stage.key_in("493017")
    sent = stage.world.last()
    assert isinstance(sent.action, actions.SendDtmf)
    assert sent.action.tones == ("four", "nine", "three", "zero", "one", "seven")
    other = stage.instance()
    stage.event("SendDtmfTonesCompleted", sent.operation_context, other)
    stage.event("PlayCompleted", stage.world.last().operation_context, stage.instance())
    assert_nowhere("493017", stage.kept())
    shown = [entry for entry in stage.journal_of("issued") if entry.get("secret")]
    assert [entry["action"] for entry in shown] == [
        {"kind": "send_dtmf", "tones": ["asterisk"], "participant": CALLER.raw_id},
        {"kind": "play", "prompts": [{"kind": "text", "text": "secret"}]},
    ]
    assert stage.journal_of("answered")[-1]["secret"] is True
    assert stage.journal_of("issued")[-1]["action"]["prompts"][0]["text"] == "Thank you."


def test_headers_that_hold_a_secret_are_sealed() -> None:
    async def passes_on(call: Call) -> None:
        pin = await call.ask_digits(text("Your PIN?"), max_tones=6, secret=True)
        added = call.add_participant("+14255550123", caller_id="+18005550199", user_to_user=f"{pin};encoding=ascii")
        await call.transfer("+14255550177", sip_headers={"X-MS-Custom-Pin": pin}, voip_headers={"pin": pin})
        await added

    stage = Stage(passes_on)
    stage.key_in("493017", stage.instance())
    added, transferred = [request.action for request in stage.world.gateway.performed[-2:]]
    assert isinstance(added, actions.AddParticipant)
    assert isinstance(transferred, actions.Transfer)
    assert added.context is not None
    assert added.context.user_to_user == "493017;encoding=ascii"
    assert transferred.context is not None
    assert transferred.context.sip_headers == {"X-MS-Custom-Pin": "493017"}
    assert_nowhere("493017", stage.kept())
    assert [entry["action"]["context"] for entry in stage.journal_of("issued") if entry.get("secret")] == [
        {"user_to_user": "secret", "sip_headers": {}, "voip_headers": {}},
        {"sip_headers": {}, "voip_headers": {}},
    ]


def test_what_the_flow_says_is_secret_is_sealed_whatever_it_holds() -> None:
    async def tells(call: Call) -> None:
        code = await call.run_secret(lambda: {"code": "kestrel"})
        await call.play(text(f"It is {code['code']}."), secret=True)
        await call.send_dtmf("7788", secret=True)

    stage = Stage(tells)
    stage.event("PlayCompleted", stage.world.last().operation_context, stage.instance())
    kept = json.dumps(stage.kept(), default=str)
    assert "kestrel" not in kept
    assert_nowhere("7788", json.loads(kept))


def test_notes_of_the_flow_are_masked(caplog: pytest.LogCaptureFixture) -> None:
    async def notes(call: Call) -> None:
        number = await call.ask_digits(text("Your card?"), max_tones=16, secret=True)
        call.log(f"card {number}", card=number, last="ok", parts=[number[:8], number[8:]], digits=int(number))
        call.result("paid", card=number, amount=20)
        call.version(f"v{number}")
        await call.signal("never")

    caplog.set_level(logging.DEBUG)
    stage = Stage(notes)
    stage.key_in(CARD)
    assert_nowhere(CARD, [stage.kept(), caplog.text])
    logged = stage.journal_of("logged")[0]
    assert logged["message"] == "secret"
    assert logged["fields"] == {"card": "secret", "last": "ok", "parts": ["secret"], "digits": "secret"}
    assert stage.store.peek(stage.call_id).details == {"card": "secret", "amount": 20}
    stage.instance().signal(stage.call_id, "click")
    assert stage.store.peek(stage.call_id).failure == {}


def test_errors_of_the_flow_are_masked(caplog: pytest.LogCaptureFixture) -> None:
    async def fails(call: Call) -> None:
        number = await call.ask_digits(text("Your card?"), max_tones=16, secret=True)
        raise ValueError(f"{number} is no card")

    caplog.set_level(logging.DEBUG)
    stage = Stage(fails)
    stage.key_in(CARD)
    stage.event("PlayCompleted", stage.world.last().operation_context, stage.instance())
    assert_nowhere(CARD, [stage.kept(), caplog.text])
    assert stage.store.peek(stage.call_id).failure["error"] == "ValueError: secret"
    assert stage.journal_of("failed")[0]["trace"] == "secret"


def test_errors_of_side_effects_are_sealed_and_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    met: list[str] = []

    def declines(card: str) -> None:
        raise ValueError(f"{card} was declined")

    async def pays(call: Call) -> None:
        number = await call.ask_digits(text("Your card?"), max_tones=16, secret=True)
        for run in (call.run, call.run_secret):
            try:
                await run(declines, number)
            except RunFailed as error:
                met.append(error.message)
        await call.signal("never")

    caplog.set_level(logging.DEBUG)
    stage = Stage(pays)
    stage.key_in(CARD)
    assert met == [f"{CARD} was declined"] * 2
    assert_nowhere(CARD, [stage.kept(), caplog.text])
    assert "declines raised ValueError" in caplog.text


def test_an_error_is_logged_unless_its_function_is_secret(caplog: pytest.LogCaptureFixture) -> None:
    def fails(word: str) -> None:
        raise ValueError(f"no {word} here")

    async def asks(call: Call) -> None:
        await call.ask_digits(text("Your card?"), max_tones=16, secret=True)
        for failing in (call.run(fails, "umbrella"), call.run_secret(fails, "kestrel")):
            with suppress(RunFailed):
                await failing
        await call.signal("never")

    stage = Stage(asks)
    stage.key_in(CARD)
    assert "no umbrella here" in caplog.text
    assert "kestrel" not in caplog.text


def test_the_code_of_a_refusal_by_a_side_effect_is_not_logged_where_it_is_secret(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def declines(card: str) -> None:
        raise ActionRefused("bank", 402, f"declined {card}", "")

    def knows() -> None:
        raise ActionRefused("bank", 402, "kestrel", "")

    async def pays(call: Call) -> None:
        number = await call.ask_digits(text("Your card?"), max_tones=16, secret=True)
        for refused in (call.run(declines, number), call.run_secret(knows)):
            with suppress(RunFailed):
                await refused
        await call.signal("never")

    stage = Stage(pays)
    stage.key_in(CARD)
    assert_nowhere(CARD, [stage.kept(), caplog.text])
    assert "kestrel" not in caplog.text
    assert caplog.text.count("402 secret retryable=False") == 2


def test_what_the_service_says_of_a_secret_is_sealed_and_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def sends(call: Call) -> None:
        number = await call.ask_digits(text("Your card?"), max_tones=16, secret=True)
        try:
            await call.play(text(number))
        except ActionRefused:
            await call.signal("never")

    caplog.set_level(logging.DEBUG)
    stage = Stage(sends)
    perform = stage.world.gateway.perform

    def refuse(request: Any) -> Mapping[str, Any]:
        if request.action.kind == "play":
            raise ActionRefused("play", 400, "8523", f"cannot say {request.action.prompts[0].text}")
        return perform(request)

    stage.world.gateway.perform = refuse  # type: ignore[method-assign]
    stage.key_in(CARD)
    assert_nowhere(CARD, [stage.kept(), caplog.text])
    assert stage.journal_of("refused")[-1]["secret"] is True


@pytest.mark.parametrize("before", range(1976, 2000, 3))
def test_what_is_cut_off_leaves_no_part_of_a_secret(before: int, caplog: pytest.LogCaptureFixture) -> None:
    """An error keeps 2,000 characters, and a trace its last 4,000: a number may begin or end beyond."""

    def declines(card: str) -> None:
        raise ValueError(f"{'x' * before}{card}{'y' * (3980 - before)}")

    async def pays(call: Call) -> None:
        number = await call.ask_digits(text("Your card?"), max_tones=16, secret=True)
        try:
            await call.run(declines, number)
        except RunFailed:
            declines(number)

    caplog.set_level(logging.DEBUG)
    stage = Stage(pays)
    stage.key_in(CARD)
    for part in (CARD[:4], CARD[-4:]):
        assert_nowhere(
            part,
            [[entry.get(name) for name in ("message", "trace", "error")] for entry in stage.one.entries(stage.call_id)],
        )
