"""The flow of masked numbers, rehearsed: what each of the two hears."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from flows.masking import masking
from shared.calls import Braked, actions
from shared.calls.prompts import TextPrompt, prompts_of
from shared.calls.rehearsal import Rehearsal
from shared.use_cases import provide
from shared.use_cases.services import _MADE

ADA, BOB, POOL, SHOWN = "+14255550123", "+14255550142", "+18005550177", "+18005550178"
WAY: dict[str, Any] = {
    "state": "open",
    "session": "s1",
    "side": "a",
    "number": BOB,
    "shows": SHOWN,
    "language": "",
    "other_language": "",
    "label": "order 4711",
    "screen": "whisper",
    "record": False,
}
CLOSED = {**WAY, "state": "closed", "number": ""}
UNKNOWN = {**CLOSED, "state": "unknown", "session": "", "side": ""}


class Masked:
    """What the flow asks of the use case."""

    def __init__(self, **way: Any) -> None:
        self.way = {**WAY, **way}
        self.calling: list[str] = []
        self.pins = {"471100": self.way}
        self.guesses = True
        self.keeps_secrets = True
        self.told: list[tuple[Any, ...]] = []

    def look_up(self, number: str, caller: str) -> Any:
        self.told.append(("look_up", number, caller))
        return self.way if caller == ADA else UNKNOWN

    def may_guess(self, number: str) -> bool:
        return self.guesses

    def look_up_pin(self, number: str, pin: str, guess: str) -> Any:
        self.told.append(("pin", number, guess))
        return self.pins.get(pin, UNKNOWN)

    def begin(self, *given: str) -> list[str]:
        self.told.append(("begin", *given))
        return self.calling

    def answered(self, session: str, call_id: str) -> None:
        self.told.append(("answered", session, call_id))


@pytest.fixture(autouse=True)
def kept() -> Iterator[None]:
    before = dict(_MADE)
    yield
    _MADE.clear()
    _MADE.update(before)


def ring(masked: Masked, caller: str = ADA, **more: Any) -> Rehearsal:
    """Somebody calls the number."""
    provide("masking", lambda: masked)
    call = Rehearsal(masking, caller=caller, callee=POOL, **more)
    call.connect()
    call.present(caller if caller != "anonymous" else "4:anonymous")
    return call


def rung(masked: Masked, **more: Any) -> Rehearsal:
    """The caller has heard that the other one is called, and that telephone rings."""
    call = ring(masked, **more)
    call.prompt_ends()
    return call


def taken(call: Rehearsal) -> Rehearsal:
    """The other one has answered."""
    call.done(actions.AddParticipant)
    call.present(ADA, BOB)
    return call


def kinds(call: Rehearsal) -> list[str]:
    return [action.kind for action in call.actions]


def to_bob(call: Rehearsal) -> list[str]:
    """What the other one has heard, and nobody else."""
    bob = f"4:{BOB}"
    return [
        prompt.text
        for action in call.actions
        if (isinstance(action, actions.Play) and [one.raw_id for one in action.to or ()] == [bob])
        or (isinstance(action, actions.Recognize) and action.participant.raw_id == bob)
        for prompt in prompts_of(action)
        if isinstance(prompt, TextPrompt)
    ]


def test_the_two_are_joined_and_the_other_sees_the_apps_number() -> None:
    masked = Masked()
    call = rung(masked)
    assert call.spoken == ["We are calling the other side. That can take twenty seconds."]
    invited = call.expect(actions.AddParticipant)
    assert (invited.target.phone_number, str(invited.caller_id), invited.invitation_timeout) == (BOB, SHOWN, 20)
    assert (invited.display_name, invited.context) == (None, None)
    assert kinds(call)[-2] == "hold"
    taken(call)
    assert to_bob(call) == ["A call for you about order 4711."]
    assert "unhold" not in kinds(call)
    call.prompt_ends()
    assert "unhold" in kinds(call)
    assert call.result == "connected"
    assert masked.told[0] == ("look_up", POOL, ADA)
    assert masked.told[-1] == ("answered", "s1", "rehearsal")
    assert {key: call.details[key] for key in ("session", "by", "by_pin")} == {
        "session": "s1",
        "by": "a",
        "by_pin": False,
    }
    assert call.details["connected_at"] > 1_000_000_000_000
    call.present(ADA)
    assert call.actions[-1].kind == "terminate"


def test_no_number_of_anybody_is_in_the_result_or_the_log() -> None:
    call = taken(rung(Masked(record=True)))
    call.prompt_ends()
    for said in (str(call.details), str(call.logged)):
        assert BOB[1:] not in said
        assert ADA[1:] not in said


@pytest.mark.parametrize("screen", ["none", "key"])
def test_the_screen_decides_what_the_other_hears_first(screen: str) -> None:
    call = taken(rung(Masked(screen=screen, label="")))
    if screen == "none":
        assert "hold" not in kinds(call)
        assert to_bob(call) == []
    else:
        assert to_bob(call) == [
            "A call for you from somebody you do business with.",
            "To take the call, press 1. To hear this again, press star.",
        ]
        assert call.result == "caller_left"
        call.press("*")
        assert len(to_bob(call)) == 4
        call.press("1")
    assert call.result == "connected"


def test_who_does_not_press_1_is_taken_out_and_the_caller_hears_that_nobody_was_reached() -> None:
    call = taken(rung(Masked(screen="key")))
    call.stay_silent()
    call.stay_silent()
    assert call.expect(actions.RemoveParticipant).target.phone_number == BOB
    call.done(actions.RemoveParticipant)
    assert kinds(call)[-2] == "unhold"
    assert call.spoken[-1].startswith("The other side cannot be reached.")
    assert call.result == "not_accepted"
    call.prompt_ends()
    assert call.hung_up()


@pytest.mark.parametrize(
    ("code", "sub_code", "result"),
    [(486, 8539, "busy"), (603, 8538, "declined"), (408, 8587, "no_answer"), (500, 1, "failed")],
)
def test_why_nobody_was_reached_is_the_result(code: int, sub_code: int, result: str) -> None:
    call = rung(Masked())
    call.fail(actions.AddParticipant, code=code, sub_code=sub_code)
    assert call.spoken[-1].startswith("The other side cannot be reached.")
    assert (call.result, call.details) == (result, {"session": "s1", "by": "a", "by_pin": False})


def test_where_no_slot_is_free_it_is_tried_three_times() -> None:
    call = ring(Masked())
    for _ in range(3):
        call._refusals[actions.AddParticipant] = Braked("add_participant", "no_free_slot", "taken", transient=True)
        if len(call.spoken) == 1 and "add_participant" not in kinds(call):
            call.prompt_ends()
        else:
            call.wait()
    assert kinds(call).count("add_participant") == 3
    assert call.result == "no_line"
    assert call.spoken[-1].startswith("All our lines are busy.")


def test_a_caller_who_hangs_up_while_it_rings_stops_the_ringing() -> None:
    call = rung(Masked())
    call.present()
    assert call.actions[-1].kind == "cancel_add_participant"
    call.done(actions.CancelAddParticipant)
    assert call.actions[-1].kind == "terminate"
    assert call.result == "caller_left"


def test_a_recorded_call_is_announced_to_both_before_it_is_recorded() -> None:
    call = rung(Masked(record=True, screen="none"))
    assert call.spoken[0] == "This call is recorded."
    taken(call)
    assert to_bob(call) == ["This call is recorded."]
    assert "start_recording" not in kinds(call)
    call.prompt_ends()
    assert "start_recording" in kinds(call)


def test_who_does_not_hear_that_it_is_recorded_is_not_put_through() -> None:
    call = taken(rung(Masked(record=True)))
    call.fail(actions.Play)
    assert call.expect(actions.RemoveParticipant).target.phone_number == BOB
    assert "unhold" not in kinds(call)
    call.done(actions.RemoveParticipant)
    assert "start_recording" not in kinds(call)
    assert call.result == "not_accepted"
    assert call.spoken[-1].startswith("The other side cannot be reached.")


@pytest.mark.parametrize("listed", [ADA, BOB])
def test_whoever_may_not_be_recorded_is_not_and_hears_nothing_of_it(listed: str) -> None:
    call = taken(rung(Masked(record=True), do_not_record=[listed]))
    call.prompt_ends()
    assert not any("recorded" in said for said in call.spoken)
    assert "start_recording" not in kinds(call)
    assert call.result == "connected"


def test_each_hears_their_own_language() -> None:
    call = taken(rung(Masked(language="de", other_language="en", record=True)))
    assert call.spoken[:2] == [
        "Dieses Gespräch wird aufgezeichnet.",
        "Wir rufen die andere Seite an. Das kann zwanzig Sekunden dauern.",
    ]
    assert to_bob(call) == ["A call for you about order 4711.", "This call is recorded."]


@pytest.mark.parametrize("caller", ["anonymous", "+14255550199", "8:acs:ada"])
def test_a_stranger_is_asked_for_a_pin_and_put_through(caller: str) -> None:
    masked = Masked()
    call = ring(masked, caller="4:anonymous" if caller == "anonymous" else caller)
    assert call.spoken[-1].startswith("We do not know your telephone.")
    question = call.expect(actions.Recognize)
    assert (question.secret, question.max_tones) == (True, 6)
    call.press("*")
    call.press("111111")
    assert call.spoken[-1].startswith("That PIN is not right.")
    call.press("471100")
    assert call.details["by_pin"] is True
    assert masked.told[-1][0] == "begin"
    assert [one[2] for one in masked.told if one[0] == "pin"] == ["rehearsal.0", "rehearsal.1"]
    call.prompt_ends()
    assert call.expect(actions.AddParticipant).target.phone_number == BOB


def test_three_wrong_pins_are_the_end() -> None:
    call = ring(Masked(), caller="4:anonymous")
    for _ in range(3):
        call.press("111111")
    assert call.spoken[-1].startswith("This number puts two people through")
    assert call.result == "unknown"
    call.prompt_ends()
    assert call.hung_up()


def test_no_pin_is_asked_for_where_too_many_were_wrong() -> None:
    masked = Masked()
    masked.guesses = False
    call = ring(masked, caller="4:anonymous")
    assert "recognize" not in kinds(call)
    assert call.result == "unknown"


def test_a_closed_session_is_said_and_is_a_call_in_it() -> None:
    masked = Masked()
    masked.way = CLOSED
    call = ring(masked)
    assert call.spoken == ["The connection is closed, and this number does not lead to anybody any more. Goodbye."]
    assert (call.result, call.details) == ("closed", {"session": "s1", "by": "a"})


def test_who_calls_while_the_other_calls_meets_them() -> None:
    masked = Masked()
    masked.calling = [f"4:{BOB}", "connection-1"]
    call = ring(masked)
    moved = call.expect(actions.MoveParticipants)
    assert ([one.phone_number for one in moved.targets], moved.from_call) == ([BOB], "connection-1")
    call.done(actions.MoveParticipants)
    call.wait()
    assert call.result == "caller_left"
    call.present(ADA, BOB)
    call.wait()
    assert "add_participant" not in kinds(call)
    assert call.result == "connected"
    assert not call.hung_up()
    call.present(ADA)
    assert call.hung_up()


def test_somebody_who_was_moved_and_is_not_there_is_rung() -> None:
    masked = Masked()
    masked.calling = [f"4:{BOB}", "connection-1"]
    call = ring(masked)
    call.done(actions.MoveParticipants)
    for _ in range(5):
        call.wait()
    call.prompt_ends()
    assert call.expect(actions.AddParticipant).target.phone_number == BOB


def test_two_who_call_at_once_each_hear_that_it_is_recorded() -> None:
    masked = Masked(record=True, language="en", other_language="de")
    masked.calling = [f"4:{BOB}", "connection-1"]
    call = ring(masked)
    call.present(ADA, BOB)
    call.done(actions.MoveParticipants)
    call.prompt_ends()
    assert to_bob(call) == ["Dieses Gespräch wird aufgezeichnet."]
    assert call.spoken[0] == "This call is recorded."
    assert "start_recording" not in kinds(call)
    call.prompt_ends()
    assert "start_recording" in kinds(call)
    assert call.result == "connected"


@pytest.mark.parametrize("down", ["begin", "answered"])
def test_a_storage_that_is_down_keeps_the_two_from_nothing(down: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*given: Any) -> None:
        raise TimeoutError

    masked = Masked()
    monkeypatch.setattr(masked, down, fails)
    call = taken(rung(masked))
    call.prompt_ends()
    assert call.result == "connected"
    assert not call.hung_up()


def test_if_the_other_cannot_be_moved_their_telephone_rings() -> None:
    masked = Masked()
    masked.calling = [f"4:{BOB}", "connection-1"]
    call = ring(masked)
    call.fail(actions.MoveParticipants)
    call.prompt_ends()
    assert call.expect(actions.AddParticipant).target.phone_number == BOB
