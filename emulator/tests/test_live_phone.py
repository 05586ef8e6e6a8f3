"""A person's phone: what it does reaches the app as a scripted phone's does, and it shows what the app does."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from acs_emulator.api import phone_socket
from acs_emulator.api.outbox import Outbox
from acs_emulator.core.event_grid_target import EventGridTarget
from acs_emulator.core.identifiers import phone
from acs_emulator.phones.live import Person
from acs_emulator.testing import AsyncControl, Running, running_async
from emulator.tests.support import COGNITIVE, OWNED, Application, Desk, Wire
from emulator.tests.tab import Tab, tab

LINE = {"sourceCallerIdNumber": {"value": OWNED}}
CHOICES = [
    {"label": "sales", "phrases": ["sales"], "tone": "one"},
    {"label": "agent", "phrases": ["agent", "a person"], "tone": "two"},
]


async def answer(wire: Wire, application: Application, count: int = 1, **more: Any) -> Desk:
    """The app takes the call that rings it."""
    incoming = await application.incoming(count)
    body = {
        "incomingCallContext": incoming["incomingCallContext"],
        "callbackUri": f"{application.base}/api/calls",
        "callIntelligenceOptions": COGNITIVE,
        **more,
    }
    status, told, _ = await wire.send("POST", "/calling/callConnections:answer", body)
    assert status == 200, told
    await application.event("CallConnected", told["callConnectionId"])
    return Desk(wire, application, told["callConnectionId"], "", told)


async def called(wire: Wire, application: Application, one: Tab, **more: Any) -> Desk:
    """A tab calls the app, which answers; `more` is of the answer's body."""
    await one.ask("dial", to=OWNED)
    desk = await answer(wire, application, len(application.grid_named("IncomingCall")) + 1, **more)
    await one.state("connected")
    return desk


async def dial(wire: Wire, application: Application, number: str) -> str:
    """The app calls a number."""
    body = {"targets": [{"phoneNumber": {"value": number}}], **LINE, "callbackUri": f"{application.base}/api/calls"}
    status, told, _ = await wire.send("POST", "/calling/callConnections", body)
    assert status == 201, told
    return str(told["callConnectionId"])


def asking(number: str, **more: Any) -> dict[str, Any]:
    """The body of a recognize request for choices."""
    options = {"targetParticipant": {"phoneNumber": {"value": number}}, "initialSilenceTimeoutInSeconds": 300}
    prompt = {"kind": "text", "text": {"text": "Sales or agent?", "voiceName": "en-US-JennyNeural"}}
    return {
        "recognizeInputType": "choices",
        "playPrompts": [prompt],
        "recognizeOptions": {**options, "choices": CHOICES, **more},
    }


async def test_each_tab_is_a_person_with_a_number_of_its_own(emulator: Running[AsyncControl]) -> None:
    async with tab(emulator) as first, tab(emulator) as second, tab(emulator, "?as=%2B14255550142") as third:
        assert [one.number for one in (first, second, third)] == ["+14255550123", "+14255550124", "+14255550142"]
        assert first.phone["state"] == "idle"
        assert first.phone["lines"] == [{"number": "+18005550100", "name": ""}]
        assert not first.phone["linesKnown"]
        async with tab(emulator, "?as=%2B14255550142") as copy:
            assert copy.number == "+14255550125"


async def test_where_no_number_is_left_a_tab_calls_without_one_and_says_so(emulator: Running[AsyncControl]) -> None:
    for number in phone_socket.NUMBERS:
        emulator.service.phones.people[f"4:{number}"] = Person(phone(number), lambda: None)
    async with tab(emulator) as me:
        assert me.phone["you"] == {"number": "anonymous", "role": "withheld"}
        told = "Other tabs have all numbers from +14255550123 to +14255550199: choose another number to be called."
        assert me.refused == [told]
        await me.ask("be", role="mailbox")
        await me.until(lambda it: it.refused == [told, told])
        await me.ask("be", **{"as": "+14255550142"})
        await me.until(lambda it: len(it.refused) == 3)
        await me.ask("be", **{"as": "+14255550201"})
        await me.until(lambda it: it.number == "+14255550201")


async def test_a_tab_that_does_not_read_for_long_loses_its_connection() -> None:
    class Stuck:
        closed = False

        async def send_str(self, text: str) -> None:
            await asyncio.Event().wait()

    gone: list[str] = []
    one = Outbox(Stuck(), lambda: gone.append("gone"))  # type: ignore[arg-type]
    sending = asyncio.create_task(one.run())
    for _ in range(1000):
        one.text({"tell": "news"})
    await asyncio.sleep(0)
    assert gone == []
    for _ in range(2):
        one.text({"tell": "news"})
    assert gone == ["gone"]
    sending.cancel()


async def test_a_number_is_free_again_when_its_tab_is_closed(emulator: Running[AsyncControl]) -> None:
    async with tab(emulator):
        pass
    async with tab(emulator) as one:
        await one.until(lambda it: it.number == "+14255550123")


async def test_a_call_to_the_app_connects_keys_and_words_reach_it_and_it_ends(
    wire: Wire, application: Application, emulator: Running[AsyncControl]
) -> None:
    async with tab(emulator) as me:
        desk = await called(wire, application, me)
        assert (await application.incoming())["from"]["rawId"] == "4:+14255550123"
        assert [(one["name"], one["app"], one["you"]) for one in me.phone["with"]] == [
            ("+14255550123", False, True),
            ("app", True, False),
        ]
        assert (await desk.act(":recognize", asking(me.number)))[0] == 202
        await me.until(lambda it: it.phone["question"])
        assert me.phone["question"] == {
            "inputType": "choices",
            "options": [
                {"label": "sales", "key": "1", "phrases": ["sales"]},
                {"label": "agent", "key": "2", "phrases": ["agent", "a person"]},
            ],
            "mostKeys": None,
        }
        await me.ask("press", keys="2")
        chosen = await application.event("RecognizeCompleted", desk.leg)
        assert chosen["data"]["choiceResult"]["label"] == "agent"
        await me.until(lambda it: it.phone["question"] is None)

        await desk.act(":recognize", asking(me.number))
        await me.until(lambda it: it.phone["question"])
        await me.ask("say", text="a person, please")
        said = await application.event("RecognizeCompleted", desk.leg, 2)
        assert said["data"]["choiceResult"]["recognizedPhrase"] == "a person"

        await me.ask("hangUp")
        await application.event("CallDisconnected", desk.leg)
        await me.state("idle")
        assert me.phone["ended"] == "The call has ended."
        assert me.phone["lines"] == [{"number": OWNED, "name": ""}]


async def test_the_app_hangs_up(wire: Wire, application: Application, emulator: Running[AsyncControl]) -> None:
    async with tab(emulator) as me:
        desk = await called(wire, application, me)
        assert (await wire.send("DELETE", f"/calling/callConnections/{desk.leg}"))[0] == 204
        await me.state("idle")


async def test_the_app_calls_and_the_person_answers(
    wire: Wire, application: Application, emulator: Running[AsyncControl]
) -> None:
    async with tab(emulator) as me:
        leg = await dial(wire, application, me.number)
        await me.state("ringing")
        assert me.phone["caller"] == OWNED
        await me.ask("answer")
        await application.event("CallConnected", leg)
        await me.state("connected")


@pytest.mark.parametrize(
    ("does", "code", "sub_code", "told"),
    [("decline", 603, 8538, None), ("nothing", 408, 8587, "You did not answer.")],
)
async def test_a_call_that_is_not_taken_fails_as_with_a_scripted_phone(
    wire: Wire,
    application: Application,
    emulator: Running[AsyncControl],
    does: str,
    code: int,
    sub_code: int,
    told: str | None,
) -> None:
    async with tab(emulator) as me:
        leg = await dial(wire, application, me.number)
        await me.state("ringing")
        if does == "decline":
            await me.ask("decline")
        failed = await application.event("CreateCallFailed", leg)
        assert (failed["data"]["resultInformation"]["code"], failed["data"]["resultInformation"]["subCode"]) == (
            code,
            sub_code,
        )
        await me.state("idle")
        assert me.phone["ended"] == told


async def test_who_is_in_a_call_is_busy(wire: Wire, application: Application, emulator: Running[AsyncControl]) -> None:
    async with tab(emulator) as me:
        await called(wire, application, me)
        leg = await dial(wire, application, me.number)
        failed = await application.event("CreateCallFailed", leg)
        assert failed["data"]["resultInformation"]["subCode"] == 8539
        await me.ask("dial", to=OWNED)
        await me.until(lambda it: it.refused == ["You are in a call already."])


async def test_a_caller_who_gives_up_stops_the_ringing(
    wire: Wire, application: Application, emulator: Running[AsyncControl]
) -> None:
    async with tab(emulator) as me:
        leg = await dial(wire, application, me.number)
        await me.state("ringing")
        await wire.send("DELETE", f"/calling/callConnections/{leg}")
        await me.state("idle")
        assert me.phone["ended"] == "The caller gave up."


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("busy", "The line is busy."),
        ("forbidden", "Your app rejected the call (forbidden)."),
        ("none", "Your app rejected the call."),
    ],
)
async def test_a_rejected_call_is_told_in_plain_words(
    wire: Wire, application: Application, emulator: Running[AsyncControl], reason: str, told: str
) -> None:
    async with tab(emulator) as me:
        await me.ask("dial", to=OWNED)
        incoming = await application.incoming()
        body = {"incomingCallContext": incoming["incomingCallContext"], "callRejectReason": reason}
        assert (await wire.send("POST", "/calling/callConnections:reject", body))[0] == 204
        await me.until(lambda it: it.phone["ended"])
        assert (me.phone["state"], me.phone["ended"]) == ("idle", told)


async def test_a_call_that_nobody_answers_is_told(emulator: Running[AsyncControl]) -> None:
    async with tab(emulator) as me:
        await me.ask("dial", to=OWNED)
        await me.until(lambda it: it.phone["ended"])
        assert me.phone["ended"] == "Nobody answered within 30 seconds."


@pytest.mark.parametrize(
    ("number", "told"),
    [
        ("+15550100002", "They declined your call."),
        ("+15550100003", "The line is busy."),
        ("+15550100005", "They cannot be reached."),
    ],
)
async def test_a_number_that_does_not_answer_is_told_in_plain_words(
    emulator: Running[AsyncControl], number: str, told: str
) -> None:
    async with tab(emulator) as me:
        await me.ask("dial", to=number)
        await me.until(lambda it: it.phone["ended"])
        assert me.phone["ended"] == told
        assert not me.phone["linesKnown"], "that is no line of the app"


async def test_one_tab_calls_another_without_the_app(application: Application, emulator: Running[AsyncControl]) -> None:
    async with tab(emulator) as me, tab(emulator) as other:
        await me.ask("dial", to=other.number)
        await other.state("ringing")
        assert other.phone["caller"] == me.number
        await other.ask("answer")
        await me.state("connected")
        await other.ask("hangUp")
        await me.state("idle")
        assert application.grid == []
        assert not me.phone["linesKnown"]


async def test_the_phone_shows_who_is_added_muted_and_held(
    wire: Wire, application: Application, emulator: Running[AsyncControl]
) -> None:
    async with tab(emulator) as me, tab(emulator) as other:
        desk = await called(wire, application, me)
        body = {"participantToAdd": {"phoneNumber": {"value": other.number}}, **LINE}
        assert (await desk.act("/participants:add", body))[0] == 202
        await other.state("ringing")
        await other.ask("answer")
        await me.until(lambda it: len(it.phone["with"]) == 3)
        assert (await desk.act(":hold", {"targetParticipant": {"phoneNumber": {"value": other.number}}}))[0] == 200
        await other.until(lambda it: it.phone["onHold"])
        await me.until(lambda it: [one["onHold"] for one in it.phone["with"]] == [False, False, True])
        assert (await desk.act(":unhold", {"targetParticipant": {"phoneNumber": {"value": other.number}}}))[0] == 200
        await other.until(lambda it: not it.phone["onHold"])


async def test_a_muted_user_sees_it(wire: Wire, application: Application, emulator: Running[AsyncControl]) -> None:
    user = "8:acs:00000000-0000-4000-8000-000000000000_00000026-0000-0000-0000-000000000001"
    async with tab(emulator, f"?as={user}") as me:
        assert me.number == user
        desk = await called(wire, application, me)
        body = {"targetParticipants": [{"communicationUser": {"id": user}}]}
        assert (await desk.act("/participants:mute", body))[0] == 200
        await me.until(lambda it: it.phone["muted"])


async def test_a_closed_tab_hangs_up(wire: Wire, application: Application, emulator: Running[AsyncControl]) -> None:
    async with tab(emulator) as me:
        desk = await called(wire, application, me)
    ended = await application.event("CallDisconnected", desk.leg)
    assert ended["data"]["resultInformation"]["subCode"] == 5002


async def test_a_mailbox_answers_by_itself_greets_and_beeps(
    wire: Wire, application: Application, emulator: Running[AsyncControl]
) -> None:
    async with tab(emulator, "?role=mailbox") as box:
        assert box.phone["you"] == {"number": "+14255550123", "role": "mailbox"}
        leg = await dial(wire, application, box.number)
        await application.event("CallConnected", leg)
        await box.until(lambda it: any(one.get("what") == "beeps" for one in it.news))
        (said,) = [one["text"] for one in box.news if one.get("what") == "says"]
        assert said == ("You have reached the mailbox of 1 4 2 5 5 5 5 0 1 2 3. Please leave a message after the tone.")
        ring, taken = [one["at"] for one in box.news if one.get("what") in ("rings", "answers")]
        assert taken - ring == pytest.approx(12, abs=1.5)


async def test_who_withholds_the_number_calls_without_one_and_cannot_be_called(
    application: Application, emulator: Running[AsyncControl]
) -> None:
    async with tab(emulator, "?role=withheld") as me, tab(emulator, "?role=withheld") as other:
        await me.ask("dial", to=OWNED)
        assert (await application.incoming())["from"]["rawId"] == "4:anonymous"
        assert other.phone["you"] == me.phone["you"] == {"number": "anonymous", "role": "withheld"}


async def test_one_becomes_somebody_else_between_calls(
    wire: Wire, application: Application, emulator: Running[AsyncControl]
) -> None:
    async with tab(emulator) as me:
        await me.ask("be", **{"as": "+14255550142"})
        await me.until(lambda it: it.number == "+14255550142")
        leg = await dial(wire, application, "+14255550142")
        await me.state("ringing")
        await me.ask("be", role="withheld")
        await me.until(lambda it: it.refused == ["You can be somebody else once your call is over."])
        await me.ask("answer")
        await application.event("CallConnected", leg)


async def test_a_number_that_was_rung_is_offered(
    wire: Wire, application: Application, emulator: Running[AsyncControl]
) -> None:
    async with tab(emulator) as me:
        await dial(wire, application, "+14255550142")
        await me.until(lambda it: it.phone["wanted"] == ["+14255550142"])
        async with tab(emulator, "?as=%2B14255550142"):
            await me.until(lambda it: it.phone["wanted"] == [])


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("{", "That is no message of the phone's page. Load the page again."),
        ("[]", "That is no message of the phone's page. Load the page again."),
        ('{"do": "dance"}', "That is no message of the phone's page. Load the page again."),
        (
            '{"do": "dial", "to": "tomorrow"}',
            "'to' is not a phone number such as +14255550100, or a user id such as 8:acs:….",
        ),
        ('{"do": "dial", "to": "+14255550123"}', "This is your own number."),
        ('{"do": "press", "keys": "x"}', "'keys': 'X' is not a key; keys are 0-9, *, #, A-D."),
        ('{"do": "be", "role": "king"}', "'role' must be one of number, withheld, mailbox."),
        ('{"do": "fault", "name": "fire", "on": true}', "There is no fault 'fire'."),
        ('{"do": "speed", "speed": 1000}', "'speed' must be a number from 0.1 to 100.0."),
        ('{"do": "speed", "speed": true}', "'speed' must be a number from 0.1 to 100.0."),
    ],
)
async def test_what_cannot_be_done_is_refused_with_the_reason(
    emulator: Running[AsyncControl], message: str, reason: str
) -> None:
    async with tab(emulator) as me:
        await me.send(message)
        await me.until(lambda it: it.refused)
        assert me.refused == [reason]
        assert me.phone["state"] == "idle"


async def test_the_number_of_the_app_is_not_for_a_person(
    wire: Wire, application: Application, emulator: Running[AsyncControl]
) -> None:
    async with tab(emulator) as me:
        await called(wire, application, me)
        async with tab(emulator, f"?as=%2B{OWNED[1:]}") as other:
            await other.until(lambda it: it.refused)
            assert other.refused == [f"{OWNED} is a number of your app: calls to it ring the app."]
            assert other.number == "+14255550124"


async def test_faults_are_switched_on_and_off_and_others_stay(emulator: Running[AsyncControl]) -> None:
    await emulator.control.add_faults({"kind": "delay", "match": {"type": "PlayCompleted"}})
    async with tab(emulator) as me:
        assert me.phone["faults"]["others"] == 1
        await me.ask("fault", name="twice", on=True)
        await me.until(lambda it: [one["name"] for one in it.phone["faults"]["switches"] if one["on"]] == ["twice"])
        kinds = [(rule.kind, rule.channel) for rule in emulator.service.faults.rules]
        assert kinds == [("delay", None), ("duplicate", "callbacks")]
        await me.ask("fault", name="twice", on=False)
        await me.until(lambda it: not any(one["on"] for one in it.phone["faults"]["switches"]))
        assert [rule.kind for rule in emulator.service.faults.rules] == ["delay"]


async def test_the_speed_changes_and_time_goes_on(emulator: Running[AsyncControl]) -> None:
    clock = emulator.service.clock
    async with tab(emulator) as me:
        assert me.phone["speed"] == 40
        before = clock.now()
        await me.ask("speed", speed=1)
        await me.until(lambda it: it.phone["speed"] == 1)
        between = clock.now()
        assert before <= between
        await me.ask("speed", speed=2.5)
        await me.until(lambda it: it.phone["speed"] == 2.5)
        assert between <= clock.now() <= between + 40
        assert (await emulator.control.health())["speed"] == 2.5


async def test_a_reset_ends_the_call_and_the_tab_goes_on(
    wire: Wire, application: Application, emulator: Running[AsyncControl]
) -> None:
    async with tab(emulator) as me:
        await called(wire, application, me)
        await emulator.control.reset()
        await me.until(lambda it: it.cleared == 1 and it.phone["state"] == "idle")
        assert me.phone["ended"] == "The emulator was reset."
        await called(wire, application, me)


async def test_the_news_tell_who_did_what_and_what_the_app_answered(
    wire: Wire, application: Application, emulator: Running[AsyncControl]
) -> None:
    async with tab(emulator) as me:
        desk = await called(wire, application, me)
        await application.event("ParticipantsUpdated", desk.leg)
        application.statuses[:] = [500]
        await desk.act(":recognize", asking(me.number))
        await me.until(lambda it: it.phone["question"])
        await me.ask("press", keys="1")
        await me.until(lambda it: any(one.get("attempts") == 2 for one in it.news))
        told = [(one["who"], one["what"], one["text"], one["party"]) for one in me.news if "entry" in one]
        assert told == [
            ("phone", "calls", f"{me.number} calls {OWNED}", me.number),
            ("service", "rings", OWNED, ""),
            ("app", "answers", "", ""),
            ("app", "asks", "Sales or agent?", ""),
            ("phone", "presses", "1", me.number),
        ]
        again = [one for one in me.news if one.get("type") == "RecognizeCompleted"][-1]
        assert (again["status"], again["delivered"], again["summary"]) == (200, True, "sales (by key)")
        assert (await desk.act(":recognize", asking("+14255550999")))[0] == 400
        await me.until(lambda it: any("refusal" in one for one in it.news))
        (refused,) = [one for one in me.news if "refusal" in one]
        assert (refused["operation"], refused["status"]) == ("Recognize", 400)
        assert "+14255550999" in refused["message"] or "targetParticipant" in refused["message"]


async def test_declared_numbers_and_those_of_filters_are_lines(application: Application) -> None:
    filtered = {
        "endpointUrl": f"{application.base}/eventgrid",
        "includedEventTypes": ["Microsoft.Communication.IncomingCall"],
        "advancedFilters": [
            {"operatorType": "StringIn", "key": "data.to.PhoneNumber.Value", "values": ["+18005550199"]},
            {"operatorType": "StringIn", "key": "data.from.PhoneNumber.Value", "values": ["+18005550198"]},
        ],
    }
    target = EventGridTarget.parse(json.dumps(filtered))
    async with (
        running_async(event_grid=target, numbers=(("+18005550177", 2, "Desk"),)) as emulator,
        tab(emulator) as me,
    ):
        assert me.phone["lines"] == [
            {"number": "+18005550177", "name": "Desk"},
            {"number": "+18005550199", "name": ""},
        ]
        assert me.phone["linesKnown"]
        assert me.phone["listening"]


async def test_without_a_subscription_for_calls_the_phone_says_so(application: Application) -> None:
    async with running_async(event_grid=f"{application.base}/eventgrid#CallEnded") as emulator, tab(emulator) as me:
        assert not me.phone["listening"]
