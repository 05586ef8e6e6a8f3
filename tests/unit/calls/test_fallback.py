"""What a caller gets when a flow fails: by the settings, by the flow, in the language of the call."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from shared.calls import ActionRefused, Call, CallError, Fallback, Flow, TimedOut, actions, file, text
from shared.calls.fallback import leave
from shared.calls.texts import read_texts
from shared.identifiers import Identifier
from tests.unit.calls.steps import Steps
from tests.unit.calls.world import CONNECTION

DESK = Identifier.parse("+14255550142")


async def fails(call: Call) -> None:
    """Has a bug behind its first prompt."""
    await call.play(text("hello"))
    raise ValueError("a bug")


def failed(flow: Flow, *, cold: bool = False, **options: Any) -> Steps:
    """A call whose flow has just failed, and whose caller hears the apology."""
    call = Steps(flow, cold=cold, **options)
    call.ring()
    call.step()
    assert call.failures == ["ValueError: a bug"]
    return call


def asked(call: Steps) -> list[str]:
    return call.world.kinds()


either = pytest.mark.parametrize("cold", [False, True])


@either
def test_without_more_the_caller_hears_the_apology_of_the_settings_and_a_hang_up(cold: bool) -> None:
    call = failed(Flow("fails", fails), cold=cold)
    call.step()
    assert (asked(call), call.spoken) == (["answer", "play", "play", "hang_up"], ["hello", "Sorry"])
    call.step()
    assert (call.record.status, call.record.outcome) == ("ended", "failed")


@either
@pytest.mark.parametrize("by", ["settings", "flow"])
def test_the_caller_is_transferred_after_the_apology(cold: bool, by: str) -> None:
    flow = Flow("fails", fails, fallback=Fallback(transfer_to="+14255550142") if by == "flow" else None)
    call = failed(flow, cold=cold, **({"transfer_to": DESK} if by == "settings" else {}))
    call.step()
    assert call.world.last().action == actions.Transfer(target=DESK)
    call.event("CallTransferAccepted", call.world.last())
    assert asked(call) == ["answer", "play", "play", "transfer"]
    call.deliver(call.world.wire.event("CallDisconnected", None, (200, 7015, "transferred")))
    assert (call.record.status, call.record.outcome) == ("ended", "failed")
    assert asked(call)[-1] == "transfer"


@either
def test_a_transfer_that_fails_ends_in_a_hang_up(cold: bool) -> None:
    call = failed(Flow("fails", fails), cold=cold, transfer_to=DESK)
    call.step()
    call.event("CallTransferFailed", call.world.last(), (486, 560000, "busy"))
    assert asked(call)[-2:] == ["transfer", "hang_up"]
    call.step()
    call.step()
    assert call.record.status == "ended"
    assert asked(call).count("transfer") == 1


def test_an_apology_that_fails_does_not_keep_the_caller_from_being_transferred() -> None:
    call = failed(Flow("fails", fails, fallback=Fallback(file("https://contoso.example/sorry.wav"))), transfer_to=DESK)
    call.event("PlayFailed", call.world.last(), (400, 8536, "no file"))
    assert asked(call)[-1] == "transfer"


def test_a_flow_says_its_own_apology_and_that_nobody_takes_its_callers() -> None:
    flow = Flow("fails", fails, fallback=Fallback("Please call 425, 555, 0142.", transfer_to=""))
    call = failed(flow, transfer_to=DESK)
    call.step()
    assert call.spoken == ["hello", "Please call 425, 555, 0142."]
    assert asked(call)[-1] == "hang_up"


def test_a_flow_may_say_that_its_callers_hear_nothing() -> None:
    call = failed(Flow("fails", fails, fallback=Fallback("")))
    assert asked(call) == ["answer", "play", "hang_up"]


@either
@pytest.mark.parametrize(("language", "words"), [("en", "Sorry indeed."), ("de", "Es tut uns leid.")])
def test_the_apology_is_the_text_of_the_flow_in_the_language_of_the_call(
    tmp_path: Path, cold: bool, language: str, words: str
) -> None:
    for name, tag, apology in (("en", "en-US", "Sorry indeed."), ("de", "de-DE", "Es tut uns leid.")):
        content = f"language: {tag}\nvoice: {tag}-XNeural\ntexts: {{fallback: {apology}}}\n"
        (tmp_path / f"fails.{name}.yaml").write_text(content)

    async def in_language(call: Call) -> None:
        call.language = language
        await fails(call)

    call = failed(Flow("fails", in_language, texts=read_texts(tmp_path, "fails")), cold=cold, language="en-US")
    assert call.prompts[-1] == text(words, voice_name=f"{language}-{'US' if language == 'en' else 'DE'}-XNeural")


def test_a_call_that_rings_is_rejected_as_busy_and_nobody_is_called() -> None:
    async def opens(call: Call) -> None:
        raise ValueError("a bug")

    call = Steps(Flow("opens", opens, opens=True), transfer_to=DESK)
    call.ring()
    assert [request.action for request in call.world.gateway.performed] == [actions.Reject(reason="busy")]


def test_a_caller_who_was_transferred_by_the_flow_is_not_transferred_again() -> None:
    async def transfers(call: Call) -> None:
        await call.transfer("+14255550111")
        raise ValueError("a bug")

    call = Steps(Flow("transfers", transfers), transfer_to=DESK)
    call.ring()
    call.event("CallTransferAccepted", call.world.last())
    call.step()
    call.step()
    assert asked(call).count("transfer") == 1


@either
def test_a_caller_who_leaves_during_the_fallback_ends_it(cold: bool) -> None:
    call = failed(Flow("fails", fails), cold=cold, transfer_to=DESK)
    call.deliver(call.world.wire.event("CallDisconnected", None, (200, 7000, "left")))
    assert asked(call) == ["answer", "play", "play"]
    assert (call.record.status, call.record.outcome) == ("ended", "failed")
    assert call.world.gateway.performed[0].connection_id in ("", CONNECTION)


def test_a_fallback_whose_settings_change_meanwhile_ends_in_a_hang_up_and_not_in_another_apology() -> None:
    call = failed(Flow("fails", fails), cold=True)
    call.conductor = call.world.conductor(flows={"fails": Flow("fails", fails, fallback=Fallback("Other words."))})
    call.flow = Flow("fails", fails, fallback=Fallback("Other words."))
    call.step()
    call.step()
    assert (call.spoken, asked(call)[-1]) == (["hello", "Sorry"], "hang_up")
    assert call.record.status == "ended"


# The hang-up


class Line:
    """A call whose hang-ups fail so often; what is done on it."""

    def __init__(self, fails: int, error: CallError) -> None:
        self.fails, self.error = fails, error
        self.done: list[float | str] = []

    async def hang_up(self) -> None:
        self.done.append("hang up")
        if self.fails:
            self.fails -= 1
            raise self.error

    async def sleep(self, seconds: float) -> None:
        self.done.append(seconds)


BUSY = ActionRefused("hang_up", 503, "busy", "not now", transient=True)
PAUSES = [2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0, 60.0]


def left(line: Line) -> list[float | str]:
    """What leaving does, up to its end or error."""
    steps = leave(line)  # type: ignore[arg-type]
    try:
        steps.send(None)
    except StopIteration:
        return line.done
    except CallError as error:
        return [*line.done, type(error).__name__]
    raise AssertionError("it waits for something else")


@pytest.mark.parametrize("fails", range(10))
def test_a_hang_up_is_asked_for_again_at_once_and_then_after_ever_longer_pauses(fails: int) -> None:
    pauses = [step for pause in PAUSES for step in ("hang up", pause)]
    expected = ["hang up", *pauses, "hang up"]
    assert left(Line(fails, BUSY)) == ([*expected[: 2 * fails - 1], "hang up"] if fails else ["hang up"])


@pytest.mark.parametrize("error", [BUSY, TimedOut("hang_up")])
def test_a_hang_up_that_fails_ten_times_is_given_up(error: CallError) -> None:
    done = left(Line(100, error))
    assert done.count("hang up") == 10
    assert done[-2:] == ["hang up", type(error).__name__]
    assert [step for step in done if isinstance(step, float)] == PAUSES


def test_a_hang_up_that_is_refused_for_good_is_not_asked_for_again() -> None:
    refusal = ActionRefused("hang_up", 400, "8501", "no")
    assert left(Line(100, refusal)) == ["hang up", "ActionRefused"]
