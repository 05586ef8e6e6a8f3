"""The contact centre's front door and its calls back, rehearsed over a hand-off in memory."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from flows.handoff import handoff
from flows.handoff_call_back import call_back
from shared.calls import Braked, actions
from shared.calls.rehearsal import Rehearsal
from shared.errors import StoreUnavailable
from shared.handoff.case import Case
from shared.handoff.cases import Cases
from shared.handoff.service import Desk, Handoff
from shared.lines.calendars import Calendar, every_day
from shared.rows import MemoryRows
from shared.use_cases import Agenda, provide
from shared.use_cases.services import _MADE

CENTRE, ADA, LINE = "+12065550113", "+14255550100", "+18005550199"
NOW = datetime(2026, 11, 30, 9, 0, tzinfo=UTC)
OFFICE = every_day(ZoneInfo("UTC"), (9 * 60, 17 * 60))


class Office:
    """A contact centre whose hours and storage a test turns off."""

    def __init__(self, number: str = CENTRE) -> None:
        self.now, self.calendar, self.down = NOW, OFFICE, False
        self.desk = Handoff(
            Cases(MemoryRows()),
            Agenda(MemoryRows()),
            Desk(number, self._hours, ZoneInfo("UTC")),
            place=lambda flow, data, key: "",
            check=self._check,
            days=30,
            clock=lambda: self.now,
            random=lambda: bytes(16),
        )
        begin = self.desk.begin

        def may_fail(*given: Any) -> dict[str, str]:
            if self.down:
                raise StoreUnavailable("down")
            return begin(*given)

        self.desk.begin = may_fail  # type: ignore[assignment,method-assign]

    def _hours(self) -> Calendar | None:
        return self.calendar

    def _check(self, action: actions.Action) -> None:
        (target,) = action.concerned
        if not str(target).startswith(("+1", "+49")):
            raise Braked("create_call", "number_not_allowed", "the target is abroad")

    @property
    def case(self) -> Case:
        (case,) = self.desk.cases.all()
        return case


@pytest.fixture
def office() -> Iterator[Office]:
    office, before = Office(), dict(_MADE)
    provide("handoff", lambda: office.desk)
    yield office
    _MADE.clear()
    _MADE.update(before)


def ring(**how: Any) -> Rehearsal:
    call = Rehearsal(handoff, **how)
    call.connect()
    return call


def at_the_centre(**how: Any) -> Rehearsal:
    """A caller who has pressed 0 until they are transferred."""
    call = ring(**how)
    call.press("0")
    call.press("0")
    call.prompt_ends()
    return call


def not_taken(call: Rehearsal) -> Rehearsal:
    call.fail(actions.Transfer, code=408, sub_code=8587)
    return call


def test_it_greets_in_its_language_and_says_the_key_of_the_other(office: Office) -> None:
    call = ring()
    question = call.expect(actions.Recognize)
    assert call.spoken[:2] == ["Thank you for calling Contoso.", "Für Deutsch drücken Sie die 5."]
    assert [prompt.voice_name for prompt in question.prompts] == [  # type: ignore[union-attr]
        "en-US-JennyNeural",
        "de-DE-KatjaNeural",
        "en-US-JennyNeural",
    ]
    call.press("5")
    assert call.spoken[-1].startswith("Für unsere Öffnungszeiten")
    call.press("*")
    assert call.spoken[-1] == call.spoken[-2]


def test_a_caller_goes_to_the_contact_centre_with_a_case_that_says_what_it_is_about(office: Office) -> None:
    call = ring(context={"X-MS-Custom-Branch": "north", "User-To-User": "00;encoding=hex"})
    call.press("0")
    assert call.spoken[-1].startswith("So that the right person takes your call")
    call.say("my invoice is wrong")
    call.press("4711#")
    assert call.spoken[-1].startswith("One moment")
    call.prompt_ends()
    transfer, case = call.expect(actions.Transfer), office.case
    assert str(transfer.target) == CENTRE
    assert transfer.context is not None
    assert transfer.context.sip_headers == {"X-MS-Custom-Case": case.id}
    assert transfer.context.user_to_user == f"{case.id};encoding=hex"
    assert (case.said, case.keyed, case.caller, case.line) == ("my invoice is wrong", "4711", f"4:{ADA}", f"4:{LINE}")
    assert case.context == {"X-MS-Custom-Branch": "north", "User-To-User": "00;encoding=hex"}
    call.done(actions.Transfer)
    assert (call.result, call.outcome) == ("handed_off", "transferred")


def test_a_customer_whose_number_came_with_the_call_is_not_asked_for_it(office: Office) -> None:
    call = ring(context={"x-ms-custom-CUSTOMER": "C-17"})
    call.press("0")
    call.say("an invoice")
    assert call.spoken[-1].startswith("One moment")
    assert office.case.keyed == "C-17"


def test_whoever_says_nothing_reaches_a_person(office: Office) -> None:
    call = ring()
    for _ in range(4):  # the menu twice, the reason, the number
        call.stay_silent()
    assert call.spoken[-1].startswith("One moment")


def test_the_hours_are_told_and_the_menu_comes_back(office: Office) -> None:
    call = ring()
    call.press("1")
    assert call.spoken[-2].startswith("We are open")
    office.now = NOW.replace(hour=20)
    call.press("1")
    assert call.spoken[-2] == "We are closed now. We open again on 2026-12-01 at 09:00."
    assert "press 1" in call.spoken[-1]


def test_a_caller_whom_nobody_takes_is_back_and_leaves_a_message(office: Office) -> None:
    call = not_taken(at_the_centre())
    assert call.spoken[-2] == "We are sorry, nobody is free at the moment."
    call.press("1")
    assert call.spoken[-1].startswith("Please leave a message")
    assert "start_recording" not in [action.kind for action in call.actions]
    call.prompt_ends()
    assert (office.case.state, office.case.not_taken) == ("message", {"1": "not_answered"})
    assert office.case.recording_id
    office.now = NOW.replace(second=12)
    call.tones("#")
    assert [action.kind for action in call.actions][-2:] == ["stop_recording", "play"]
    assert (office.case.message_seconds, call.result) == (12.0, "message")
    call.prompt_ends()
    assert call.hung_up()


def test_a_message_is_kept_when_the_caller_just_rings_off(office: Office) -> None:
    call = not_taken(at_the_centre())
    call.press("1")
    call.prompt_ends()
    call.hang_up()
    assert (call.result, office.case.state) == ("message", "message")


def test_a_caller_who_may_not_be_recorded_hears_that_no_message_is_taken(office: Office) -> None:
    call = not_taken(at_the_centre(do_not_record=[ADA]))
    call.press("1")
    assert call.spoken[-1].startswith("We are sorry, we cannot take a message")
    assert (office.case.state, call.result) == ("open", "left")


def test_out_of_hours_a_caller_hears_when_it_opens_and_is_not_transferred(office: Office) -> None:
    office.now = NOW.replace(hour=20)
    call = ring(language="de")
    call.press("0")
    call.press("0")
    assert call.spoken[-2] == "Wir haben gerade geschlossen. Wir sind wieder da am 2026-12-01 um 09:00 Uhr."
    assert "transfer" not in [action.kind for action in call.actions]
    assert office.case.not_taken == {"1": "closed"}


def test_zero_tries_the_contact_centre_again(office: Office) -> None:
    call = not_taken(at_the_centre())
    call.press("0")
    call.prompt_ends()
    call.done(actions.Transfer)
    assert call.outcome == "transferred"


def test_whoever_tries_again_and_again_is_asked_for_a_message(office: Office) -> None:
    call = at_the_centre()
    for _ in range(3):
        not_taken(call).press("0")
        call.prompt_ends()
    not_taken(call).press("0")
    assert call.spoken[-1].startswith("Please leave a message")
    assert len(office.case.not_taken) == 4


def test_a_call_back_at_a_time_is_read_back_and_kept(office: Office) -> None:
    call = ring()
    call.press("2")
    call.press("2")
    call.press("2560")
    assert call.spoken[-1] == "We are sorry, we cannot call at that time."
    call.prompt_ends()
    call.press("1530")
    assert call.spoken[-1].startswith("We will call you on 2026-11-30 at 15:30.")
    assert '<say-as interpret-as="time" format="hms24">15:30</say-as>' in call.expect(actions.Recognize).prompts[0].ssml  # type: ignore[union-attr]
    call.press("1")
    assert call.spoken[-1].startswith("Thank you. We will call you then.")
    case = office.case
    assert (case.state, case.number, case.call_back_at) == ("call_back", ADA, NOW.replace(hour=15, minute=30))
    assert call.result == "call_back"
    call.prompt_ends()
    assert call.hung_up()


def test_as_soon_as_possible_out_of_hours_is_when_it_opens(office: Office) -> None:
    office.now = NOW.replace(hour=20)
    call = ring()
    call.press("2")
    call.press("1")
    assert "on 2026-12-01 at 09:00" in call.spoken[-1]


def test_a_caller_without_a_number_keys_one_and_hears_it_back(office: Office) -> None:
    call = ring(caller="4:anonymous")
    call.press("2")
    assert call.spoken[-1].startswith("Please key in the number")
    call.press("0033140205050#")
    assert call.spoken[-1] == "We are sorry, we cannot call this number."
    call.prompt_ends()
    call.press("0014255550188#")
    assert call.spoken[-1].startswith("We shall call 14255550188.")
    call.press("2")
    call.press("14255550189#")
    call.press("1")
    call.press("1")
    call.press("1")
    assert office.case.number == "+14255550189"


def test_zero_leads_from_arranging_a_call_to_a_person(office: Office) -> None:
    call = ring()
    call.press("2")
    call.press("0")
    assert call.spoken[-1].startswith("One moment")


def test_whoever_keys_no_number_leaves_a_message(office: Office) -> None:
    call = ring(caller="4:anonymous")
    call.press("2")
    for _ in range(2):
        call.stay_silent()
    assert call.spoken[-1] == "We are sorry, we cannot arrange a call."
    call.prompt_ends()
    assert call.spoken[-1].startswith("Please leave a message")


MENU_ALONE = "For our opening hours, press 1. To speak to somebody, press 0. To hear this again, press star."
OTHERWISE_ALONE = (
    "To leave a message, press 1. To try to reach somebody again, press 0. To hear this again, press star."
)


def test_no_call_back_is_offered_under_what_is_no_telephone_number(office: Office) -> None:
    call = ring(callee="8:acs:desk")
    assert call.spoken[-1] == MENU_ALONE
    call.press("2")
    assert call.spoken[-1] == MENU_ALONE


def test_no_call_back_is_offered_without_a_contact_centre() -> None:
    office, before = Office(""), dict(_MADE)
    provide("handoff", lambda: office.desk)
    try:
        call = ring()
        assert call.spoken[-1] == MENU_ALONE
        call.press("1")
        assert call.spoken[-1] == MENU_ALONE
        call.press("0")
        call.press("0")
        call.stay_silent()
        assert call.spoken[-2:] == ["We are sorry, nobody is free at the moment.", OTHERWISE_ALONE]
        call.press("1")
        assert call.spoken[-1].startswith("Please leave a message")
    finally:
        _MADE.clear()
        _MADE.update(before)


def test_while_nothing_can_be_kept_the_caller_is_handed_over_all_the_same(office: Office) -> None:
    office.down = True
    call = at_the_centre()
    assert call.expect(actions.Transfer).context is None
    assert "a step of the hand-off failed" in call.logged
    not_taken(call)
    assert call.spoken[-1] == OTHERWISE_ALONE
    call.press("1")
    assert call.spoken[-1].startswith("We are sorry, we cannot take a message")


# The call back


def called_back(office: Office, **how: Any) -> Rehearsal:
    case = office.desk.begin("call-1", f"4:{ADA}", f"4:{LINE}", "de", {})["case"]
    office.desk.call_back(case, ADA, NOW.isoformat())
    return Rehearsal(call_back, placed_to=[], data={"case": case}, **how)


def test_a_call_back_says_who_calls_and_connects(office: Office) -> None:
    call = called_back(office)
    placed = call.expect(actions.CreateCall)
    assert ([str(one) for one in placed.targets], str(placed.caller_id)) == ([ADA], LINE)
    call.connect()
    assert call.spoken[0].startswith("Hier ist Contoso. Sie haben um einen Rückruf gebeten.")
    call.press("1")
    call.prompt_ends()
    transfer = call.expect(actions.Transfer)
    assert (str(transfer.target), transfer.context.sip_headers) == (CENTRE, {"X-MS-Custom-Case": office.case.id})  # type: ignore[union-attr]
    call.done(actions.Transfer)
    assert (call.outcome, call.result) == ("transferred", "connected")


def test_nine_ends_it_for_good(office: Office) -> None:
    call = called_back(office)
    call.connect()
    call.press("9")
    assert (office.case.state, call.result) == ("withdrawn", "withdrawn")


def test_a_mailbox_gets_one_message(office: Office) -> None:
    call = called_back(office)
    call.connect()
    call.stay_silent()
    call.stay_silent()
    assert call.result == "no_key"
    assert call.spoken[-1].startswith("Hier ist Contoso.")
    assert ADA not in call.spoken[-1]


def test_nobody_is_called_who_does_not_want_it_any_more_or_while_it_is_closed(office: Office) -> None:
    call = called_back(office)
    assert call.status == "connecting"
    office.desk.called_back(office.case.id, "Bob")
    late = Rehearsal(call_back, placed_to=[], data={"case": office.case.id})
    assert (late.result, late.outcome) == ("not_wanted", "completed")


def test_nobody_is_called_while_it_is_closed(office: Office) -> None:
    office.now = NOW.replace(hour=20)
    assert called_back(office).result == "closed"


def test_a_call_back_whose_contact_centre_does_not_answer_says_so(office: Office) -> None:
    call = called_back(office)
    call.connect()
    call.press("0")
    call.prompt_ends()
    call.fail(actions.Transfer, code=408, sub_code=8587)
    assert call.result == "not_answered"
    assert call.spoken[-1].startswith("Es tut uns leid, jetzt ist niemand frei.")
