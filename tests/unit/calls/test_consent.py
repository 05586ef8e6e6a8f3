"""Recording with consent: nobody is recorded before they heard of it, and nobody on the do-not-record list at all."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator
from typing import Any

import pytest

from shared.calls import ActionRefused, Call, Choice, Flow, InvalidInput, Recording, actions, file, text
from shared.calls.gateway.base import Request
from shared.calls.journal import Issued
from shared.calls.methods.consent import NO, YES
from shared.calls.outcome import Outcome
from shared.calls.rehearsal import Rehearsal
from shared.calls.replay import replay
from shared.errors import StoreRefused, StoreUnavailable
from shared.identifiers import Identifier
from tests.unit.calls.world import CALLEE, CALLER, World, a_ring, answering, parsed, respond

AGENT = "+14255550142"
SAID = "This call is recorded."
ASKED = "May we record this call?"
Step = Callable[[Rehearsal], object]


def rehearse(**options: Any) -> tuple[Rehearsal, list[Recording]]:
    """A call that is up, whose flow records so; what `record` gave, once for each time that the flow ran so far."""
    given: list[Recording] = []

    async def recorder(call: Call) -> None:
        given.append(await call.record(**options))
        await call.ended()

    call = Rehearsal(Flow("recorder", recorder), do_not_record=options.pop("listed", ()))
    call.connect()
    return call, given


def test_the_usual_answers_are_right_although_nothing_reads_them() -> None:
    for usual in (YES, NO):
        assert Choice(usual.label, tone=usual.tone, phrases=usual.phrases) == usual


def kinds(call: Rehearsal) -> list[str]:
    return [action.kind for action in call.actions[1:]]


# Announce


def test_recording_begins_after_its_announcement_has_ended() -> None:
    call, given = rehearse(consent="announce", announcement=SAID, channel="unmixed", affinity={AGENT: 1})
    assert kinds(call) == ["may_record", "play"]
    assert call.spoken == [SAID]
    assert call.expect(actions.Play).to == ()
    call.restart()
    call.prompt_ends()
    assert kinds(call) == ["may_record", "play", "start_recording"]
    recording = call.actions[-1]
    assert isinstance(recording, actions.StartRecording)
    assert (recording.channel, recording.affinity[0].participant.phone_number) == ("unmixed", AGENT)
    assert given[-1] == Recording(state="recording", recording_id="recording-1")
    assert given[-1].on


@pytest.mark.parametrize("said", [SAID, text(SAID, voice_name="en-US-JennyNeural"), file("https://a.example/b.wav")])
def test_an_announcement_is_a_text_or_any_prompt(said: Any) -> None:
    call, _ = rehearse(consent="announce", announcement=said)
    assert call.expect(actions.Play).prompts == (text(said) if isinstance(said, str) else said,)


@pytest.mark.parametrize(
    "unheard",
    [
        lambda call: call.fail(actions.Play, code=400, sub_code=8536),
        lambda call: call.event("PlayCanceled", actions.Play, code=400, sub_code=8508),
    ],
    ids=["failed", "cut off"],
)
def test_what_was_not_announced_to_its_end_is_not_recorded(unheard: Step) -> None:
    call, given = rehearse(consent="announce", announcement=SAID)
    unheard(call)
    assert kinds(call) == ["may_record", "play"]
    assert (given[-1].state, given[-1].on) == ("unheard", False)
    assert "play" in given[-1].reason


def test_an_announcement_that_the_service_refuses_is_followed_by_no_recording() -> None:
    async def recorder(call: Call) -> None:
        await call.play(text("Hello."))
        call.log((await call.record(consent="announce", announcement=SAID)).state)

    call = Rehearsal(Flow("recorder", recorder))
    call.connect()
    call.refuse(actions.Play)
    call.prompt_ends()
    assert call.logged == ["unheard"]
    assert "start_recording" not in kinds(call)


def test_a_caller_who_leaves_in_the_announcement_is_not_recorded() -> None:
    call, given = rehearse(consent="announce", announcement=SAID)
    call.hang_up()
    assert kinds(call) == ["may_record", "play"]
    assert (given, call.outcome) == ([], "caller_left")


def test_a_service_that_does_not_record_is_told_to_the_flow() -> None:
    call, given = rehearse(consent="announce", announcement=SAID)
    call.refuse(actions.StartRecording, status=405, code="8520")
    call.prompt_ends()
    assert (given[-1].state, given[-1].recording_id) == ("refused", "")
    assert "8520" in given[-1].reason


# Ask


@pytest.mark.parametrize(
    "agree",
    [lambda call: call.press("1"), lambda call: call.say("Yes, please"), lambda call: call.say("I agree.")],
    ids=["key", "yes", "sentence"],
)
def test_recording_begins_after_a_yes(agree: Step) -> None:
    call, given = rehearse(consent="ask", question=ASKED)
    assert call.spoken == [ASKED]
    assert kinds(call) == ["may_record", "recognize"]
    assert not call.expect(actions.Recognize).interrupt_prompt, "who answers early has not heard what was asked"
    agree(call)
    assert kinds(call) == ["may_record", "recognize", "start_recording"]
    assert given[-1].on


@pytest.mark.parametrize(
    "decline",
    [
        lambda call: call.press("2"),
        lambda call: call.say("no"),
        lambda call: call.say("I do not agree"),
        lambda call: call.say("Yes. Well, no."),
    ],
    ids=["key", "no", "sentence", "both"],
)
def test_a_no_is_not_recorded(decline: Step) -> None:
    call, given = rehearse(consent="ask", question=ASKED)
    decline(call)
    assert (kinds(call), given[-1].state) == (["may_record", "recognize"], "declined")


@pytest.mark.parametrize("attempts", [1, 2, 3])
def test_no_answer_is_a_no(attempts: int) -> None:
    call, given = rehearse(consent="ask", question=ASKED, attempts=attempts)
    for _ in range(attempts):
        assert given == []
        call.stay_silent()
    assert (kinds(call), given[-1].state) == (["may_record"] + ["recognize"] * attempts, "declined")


def test_a_question_that_cannot_be_played_is_not_a_yes() -> None:
    call, given = rehearse(consent="ask", question=ASKED)
    call.fail(actions.Recognize, code=400, sub_code=8511)
    assert (kinds(call), given[-1].state) == (["may_record", "recognize"], "unheard")


def test_yes_and_no_may_be_said_in_another_language() -> None:
    call, given = rehearse(
        consent="ask",
        question="Dürfen wir aufzeichnen?",
        yes=Choice("ja", tone="one", phrases=("ja", "gern")),
        no=Choice("nein", tone="two", phrases=("nein",)),
        language="de-DE",
    )
    assert call.expect(actions.Recognize).language == "de-DE"
    call.say("Ja")
    assert given[-1].on


# Off, and mistakes


def test_a_flow_that_does_not_record_asks_for_nothing_and_looks_nothing_up() -> None:
    call, given = rehearse(consent="off", announcement=SAID, question=ASKED)
    assert (kinds(call), given[-1]) == ([], Recording(state="off"))


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"consent": "never"}, "record.consent"),
        ({"consent": "announce"}, "record.announcement"),
        ({"consent": "announce", "question": ASKED}, "record.announcement"),
        ({"consent": "ask", "announcement": SAID}, "record.question"),
        ({"consent": "announce", "announcement": " "}, "text"),
        ({"consent": "announce", "announcement": SAID, "format": "mp4"}, "start_recording.format"),
        ({"consent": "off", "channel": "stereo"}, "start_recording.channel"),
    ],
    ids=str,
)
def test_what_cannot_be_is_refused_before_anything_is_asked_for(options: dict[str, Any], field: str) -> None:
    met: list[InvalidInput] = []

    async def recorder(call: Call) -> None:
        try:
            call.record(**options)
        except InvalidInput as error:
            met.append(error)

    call = Rehearsal(Flow("recorder", recorder))
    call.connect()
    assert met[-1].field == field
    assert met[-1].remedy
    assert kinds(call) == ["hang_up"]


# The list


@pytest.mark.parametrize("consent", ["announce", "ask"])
@pytest.mark.parametrize("listed", ["+14255550100", "4:14255550100", "+18005550199", AGENT])
def test_nobody_hears_of_a_recording_that_will_not_be(consent: str, listed: str) -> None:
    call, given = rehearse(
        consent=consent, announcement=SAID, question=ASKED, channel="unmixed", affinity={AGENT: 1}, listed=[listed]
    )
    assert (kinds(call), call.spoken, given[-1].state) == (["may_record"], [], "listed")


@pytest.mark.parametrize("named", [{"affinity": {AGENT: 1}}, {"ordering": [AGENT]}], ids=str)
def test_who_has_a_channel_of_the_recording_counts_before_they_are_there(named: dict[str, Any]) -> None:
    async def secretive(call: Call) -> None:
        with pytest.raises(ActionRefused, match="do_not_record"):
            await call.start_recording(channel="unmixed", required=True, **named)
        call.log((await call.record(consent="announce", announcement=SAID, channel="unmixed", **named)).state)

    call = Rehearsal(Flow("secretive", secretive), do_not_record=[AGENT])
    call.connect()
    assert (call.logged, call.spoken) == (["listed"], [])


def test_others_who_are_listed_are_in_nobody_s_way() -> None:
    call, given = rehearse(consent="announce", announcement=SAID, listed=["+14255550177"])
    call.prompt_ends()
    assert given[-1].on


def test_somebody_who_joins_during_the_announcement_counts() -> None:
    call, given = rehearse(consent="announce", announcement=SAID, listed=[AGENT])
    call.present("4:+14255550100", f"4:{AGENT}")
    call.prompt_ends()
    assert given[-1].state == "listed"


def test_a_list_that_cannot_be_read_lets_nothing_be_recorded_and_nobody_hear_of_it() -> None:
    async def recorder(call: Call) -> None:
        await call.sleep(1)
        call.log((await call.record(consent="announce", announcement=SAID)).state)
        call.log(str(await call.may_record(AGENT)))

    call = Rehearsal(Flow("recorder", recorder))
    call.connect()
    call.refuse(actions.MayRecord)
    call.wait()
    assert (call.logged, call.spoken) == (["refused", "True"], [])


def test_a_flow_can_ask_before_it_brings_somebody_in() -> None:
    async def careful(call: Call) -> None:
        call.log(f"{await call.may_record()} {await call.may_record(AGENT)} {await call.may_record('+14255550177')}")

    call = Rehearsal(Flow("careful", careful), do_not_record=[AGENT])
    call.connect()
    assert call.logged == ["True False True"]


# Through the conductor: which of this reaches the service, and which the list


class Listed:
    """A list that counts who looks; `error` makes it unreadable."""

    def __init__(self, *numbers: str) -> None:
        self.keys = {Identifier.parse(number).key for number in numbers}
        self.looked: list[set[str]] = []
        self.error: Exception | None = None

    def add(self, raw_id: str) -> None:
        self.keys.add(Identifier.parse(raw_id).key)

    def remove(self, raw_id: str) -> None:
        self.keys.discard(Identifier.parse(raw_id).key)

    def holds_any(self, raw_ids: Collection[str]) -> bool:
        self.looked.append(set(raw_ids))
        if self.error is not None:
            raise self.error
        return any(Identifier.parse(one).key in self.keys for one in raw_ids)


async def announcing(call: Call) -> None:
    call.log((await call.record(consent="announce", announcement=SAID)).state)
    await call.ended()


async def secretly(call: Call) -> None:
    call.log("none" if await call.start_recording() is None else "recording")
    await call.ended()


async def joining(call: Call) -> None:
    """Somebody is being called, and has not answered."""
    call.add_participant(AGENT, caller_id=str(call.callee))
    await secretly(call)


async def dialling(call: Call) -> None:
    await call.create_call(str(CALLER), AGENT, caller_id=str(CALLEE))
    await secretly(call)


FLOWS = {
    f.name: f
    for f in (
        Flow("announcing", announcing),
        Flow("secretly", secretly),
        Flow("joining", joining),
        Flow("dialling", dialling, opens=True),
    )
}


def run(world: World, conductor: Any, call_id: str) -> list[str]:
    """React until nothing is left to do; what the flow has logged. Every load of the call gives the same."""
    seen = 1 if call_id else 0
    while seen < len(world.gateway.performed):
        request = world.gateway.performed[seen]
        seen += 1
        for body in world.wire.reaction(request):
            conductor.deliver(call_id, [parsed(body)])
    entries = world.journal(call_id)
    assert replay(FLOWS[world.store.peek(call_id).flow], call_id, entries) == []
    return [entry.message for entry in entries if entry.entry == "logged"]


@pytest.fixture
def world() -> World:
    return World()


def started(world: World, flow: str, listed: Listed | None) -> tuple[Any, str]:
    conductor = world.conductor(flows=FLOWS, do_not_record=listed)
    return conductor, world.answered(conductor, flow)


def test_what_was_looked_up_is_journaled_and_no_instance_looks_again(world: World) -> None:
    listed = Listed()
    _, call_id = started(world, "announcing", listed)
    assert len(listed.looked) == 1
    colder = world.conductor(flows=FLOWS, do_not_record=Listed(str(CALLER)))  # it would find another answer now
    for body in world.wire.reaction(world.last()):
        assert colder.deliver(call_id, [parsed(body)]) is not Outcome.DUPLICATE
    assert run(world, colder, call_id) == ["listed"], "the second look, at the recording itself, is another one"
    assert listed.looked == [{CALLER.raw_id, CALLEE.raw_id}]


def test_a_flow_records_once_it_was_announced(world: World) -> None:
    listed = Listed(AGENT)
    conductor, call_id = started(world, "announcing", listed)
    assert run(world, conductor, call_id) == ["recording"]
    assert world.kinds() == ["answer", "play", "start_recording"]
    assert len(listed.looked) == 2


@pytest.mark.parametrize("flow", ["secretly", "announcing"])
@pytest.mark.parametrize("number", [str(CALLER), str(CALLEE)])
def test_no_flow_records_a_number_that_is_listed(world: World, flow: str, number: str) -> None:
    conductor, call_id = started(world, flow, Listed(number))
    assert run(world, conductor, call_id) == ["listed" if flow == "announcing" else "none"]
    assert world.kinds() == ["answer"]


def test_somebody_who_is_being_called_into_the_call_counts(world: World) -> None:
    conductor, call_id = started(world, "joining", Listed(AGENT))
    assert run(world, conductor, call_id) == ["none"]
    assert world.kinds() == ["answer", "add_participant"]


def test_everybody_of_a_group_call_counts(world: World) -> None:
    conductor = world.conductor(flows=FLOWS, do_not_record=Listed(AGENT))
    _, call_id = conductor.place("dialling", None)
    for body in world.wire.reaction(world.last()):
        conductor.deliver(call_id, [parsed(body)])
    assert run(world, conductor, call_id) == ["none"]
    assert world.kinds() == ["create_call"]


@pytest.mark.parametrize("listed", [True, False])
def test_who_is_on_a_call_that_was_joined_is_asked_of_the_service(world: World, listed: bool) -> None:
    def respond_with_people(request: Request) -> Any:
        if isinstance(request.action, actions.ListParticipants):
            return {"participants": [{"rawId": CALLER.raw_id, "isMuted": False, "isOnHold": False}]}
        return respond(request)

    world.gateway._answer = respond_with_people
    conductor = world.conductor(flows=FLOWS, do_not_record=Listed(str(CALLER) if listed else AGENT))
    room = actions.CallLocator(kind="room", id="9900000000000001")
    _, call_id = conductor.place("secretly", actions.Connect(locator=room))
    conductor.deliver(call_id, [parsed(world.wire.event("CallConnected", world.last().operation_context))])
    assert world.kinds() == ["connect", "list_participants", *([] if listed else ["start_recording"])]


@pytest.mark.parametrize("error", [StoreUnavailable("the storage did not respond"), StoreRefused("no right to it")])
@pytest.mark.parametrize("flow", ["secretly", "announcing"])
def test_nothing_is_recorded_while_the_list_cannot_be_read_and_the_log_says_so(
    world: World, flow: str, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    listed = Listed()
    listed.error = error
    conductor, call_id = started(world, flow, listed)
    assert run(world, conductor, call_id) == ["refused" if flow == "announcing" else "none"]
    assert world.kinds() == ["answer"]
    (line,) = [r for r in caplog.records if r.levelno == logging.ERROR]
    assert "do-not-record list cannot be read" in line.getMessage()
    assert str(error) in line.getMessage()


def test_an_action_from_outside_is_refused_as_a_flow_s_own_and_may_be_asked_for_again(world: World) -> None:
    listed = Listed(str(CALLER))
    conductor, call_id = started(world, "secretly", listed)

    def refusal(action: actions.Action) -> ActionRefused:
        _, operation = conductor.act(call_id, action)
        with pytest.raises(ActionRefused) as caught:
            operation.result()
        return caught.value

    assert refusal(actions.StartRecording(locate_by="server_call")).code == "do_not_record"
    assert refusal(actions.ResumeRecording(recording_id="r-1")).code == "do_not_record"
    listed.error = StoreUnavailable("the storage did not respond")
    told = refusal(actions.StartRecording())
    assert (told.code, told.transient) == ("do_not_record_unreadable", True)
    listed.error, listed.keys = None, set()
    assert conductor.act(call_id, actions.StartRecording())[1].result()["recordingId"]
    assert world.kinds() == ["answer", "start_recording"]


def test_a_recording_that_is_sent_again_is_looked_up_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first sending died before it left; meanwhile the caller was listed."""
    listed = Listed()
    conductor = world.conductor(flows=FLOWS, do_not_record=listed)
    _, call_id = conductor.ring(a_ring(world.clock.now), answering(), "secretly")
    monkeypatch.setattr(conductor._dispatcher, "dispatch", lambda session, entries: [])
    for body in world.wire.reaction(world.last()):
        conductor.deliver(call_id, [parsed(body)])
    issued = [e.action.kind for e in world.journal(call_id) if isinstance(e, Issued)]
    assert issued == ["answer", "start_recording"]
    listed.add(str(CALLER))
    world.clock.pass_seconds(30)
    survivor = world.conductor(flows=FLOWS, do_not_record=listed)
    survivor.watch()
    assert run(world, survivor, call_id) == ["none"]
    assert world.kinds() == ["answer"]


def test_an_app_without_a_list_looks_nothing_up_and_records(world: World) -> None:
    conductor, call_id = started(world, "announcing", None)
    assert run(world, conductor, call_id) == ["recording"]
    assert world.kinds() == ["answer", "play", "start_recording"]


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    with caplog.at_level(logging.DEBUG):
        yield
        assert "4255550100" not in caplog.text, "no number stands in the log"
