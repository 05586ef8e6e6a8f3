"""Which entries of a call hold something secret, and what is learnt of what comes in."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, cast

import pytest

from shared.calls import actions, text
from shared.calls.actions import Action, Choice
from shared.calls.actions.participants import CallingContext
from shared.calls.actions.streaming import MediaStreaming, Transcription
from shared.calls.free_text import texts_of
from shared.calls.journal import Entry, EventReceived, Issued, Marked, RefusedEntry, Responded, Signalled, TimerFired
from shared.calls.operation import Operation
from shared.calls.secrecy import Secrecy, is_secret, says_a_secret, without_texts
from shared.errors import InvalidInput
from shared.identifiers import Identifier
from tests.unit.calls.world import CALLER, Wire, parsed

CALL = "a" * 32
PLAIN, ASKED, RUN, SECRET_RUN = 0, 1, 2, 3


def question(secret: bool) -> actions.Recognize:
    return actions.Recognize(input="dtmf", participant=CALLER, prompts=(text("?"),), max_tones=4, secret=secret)


def operation(action: Action) -> Operation[Any]:
    return cast(Operation[Any], SimpleNamespace(action=action))


OPERATIONS: Mapping[int, Operation[Any]] = {
    PLAIN: operation(question(False)),
    ASKED: operation(question(True)),
    RUN: operation(actions.Run(name="look_up")),
    SECRET_RUN: operation(actions.Run(name="charge", secret=True)),
}


def knowing(*values: str, signal: str = "") -> Secrecy:
    """On a call that has asked for a secret."""
    secrecy = Secrecy()
    secrecy.ask("play")
    for value in values:
        secrecy.values.learn(value)
    if signal:
        secrecy.ask_signal(signal)
    return secrecy


def event(name: str, context: str | None = None, message: str = "", **data: Any) -> EventReceived:
    return EventReceived(at=7, event=Wire().event(name, context, (200, 0, message), **data))


def of(position: int, call: str = CALL) -> str:
    return f"{call}:{position}:0"


def answered(seq: int, value: Any = None) -> Responded:
    return Responded(at=7, seq=seq, value=value)


def refused(seq: int, code: str = "500", message: str = "") -> RefusedEntry:
    return RefusedEntry(at=7, seq=seq, status=500, code=code, message=message)


def signalled(name: str, data: Any = None) -> Signalled:
    return Signalled(at=7, id="s-1", name=name, data=data)


def issued(action: Action) -> Issued:
    return Issued(at=7, seq=4, action=action)


def hidden(secrecy: Secrecy, entry: Entry) -> bool:
    return secrecy.hides(entry, CALL, OPERATIONS)


# What is sealed


@pytest.mark.parametrize(
    ("entry", "found"),
    [
        (issued(actions.Play(prompts=(text("Hello"),), secret=True)), True),
        (issued(actions.SendDtmf(tones=("one",), participant=CALLER, secret=True)), True),
        (issued(actions.Play(prompts=(text("Hello"),))), False),
        (issued(actions.Play(prompts=(text("4929"),))), True),
        (issued(question(True)), False),
        (issued(actions.HangUp()), False),
        (signalled("order", {"number": "1111"}), False),
        (signalled("order", {"number": "4929"}), True),
        (signalled("card"), True),
        (signalled("dtmf"), True),
        (signalled("transcript"), True),
        (answered(RUN, "1111"), False),
        (answered(RUN, "4929"), True),
        (answered(SECRET_RUN, "1111"), True),
        (answered(ASKED, "1111"), False),
        (refused(RUN), False),
        (refused(RUN, code="4929"), True),
        (refused(RUN, message="no 4929"), True),
        (refused(SECRET_RUN), True),
        (refused(ASKED), False),
        (Marked(at=7, name="v2"), False),
        (Marked(at=7, name="v4929"), True),
        (TimerFired(at=7, seq=4929), False),
    ],
    ids=lambda one: one.model_dump_json() if not isinstance(one, bool) else str(one),
)
def test_an_entry_is_sealed_if_it_holds_a_secret(entry: Entry, found: bool) -> None:
    assert hidden(knowing("4929", signal="card"), entry) is found


@pytest.mark.parametrize(
    ("entry", "found"),
    [
        (event("RecognizeCompleted", of(ASKED)), True),
        (event("RecognizeFailed", of(ASKED)), True),
        (event("RecognizeCanceled", of(ASKED)), True),
        (event("RecognizeCompleted", of(PLAIN)), False),
        (event("RecognizeCompleted", of(PLAIN), dtmfResult={"tones": ["four", "nine", "two", "nine"]}), True),
        (event("RecognizeCompleted", of(PLAIN), "heard 4929"), True),
        (event("RecognizeCompleted", of(PLAIN), "heard 1111"), False),
        (event("RecognizeCompleted", of(4)), True),
        (event("RecognizeCompleted"), True),
        (event("RecognizeCompleted", "odd"), True),
        (event("RecognizeCompleted", of(PLAIN, "b" * 32)), True),
        (event("PlayCompleted", of(ASKED)), False),
        (event("PlayFailed", of(ASKED), "cannot say 4929"), True),
        (event("PlayCompleted", of(ASKED), later="4929"), False),
        (event("SendDtmfCompleted", of(4)), False),
        (event("SendDtmfTonesCompleted", of(4)), False),
        (event("ContinuousDtmfRecognitionToneReceived", tone="one", sequenceId=1), True),
        (event("SomethingNew"), True),
        (EventReceived(at=7, event={}), True),
        (EventReceived(at=7, event={"type": "Microsoft.Communication.PlayFailed", "data": "4929"}), False),
        (EventReceived(at=7, event={"type": "Microsoft.Communication.RecognizeFailed"}), True),
    ],
    ids=lambda one: str(one.event.get("type")) if not isinstance(one, bool) else str(one),
)
def test_an_event_is_sealed_if_it_may_hold_a_secret(entry: EventReceived, found: bool) -> None:
    assert hidden(knowing("4929"), entry) is found


def test_what_is_said_of_a_question_beside_what_was_heard_is_no_secret() -> None:
    """It stays open where the event is sealed, so it is not looked through."""
    assert not hidden(knowing("aaaa 7777"), event("RecognizeCompleted", of(PLAIN)))
    told = event("RecognizeCompleted", of(PLAIN), recognitionType="dtmf")
    assert not hidden(knowing("dtmf"), told)


@pytest.mark.parametrize(
    "entry",
    [
        issued(actions.Play(prompts=(text("Hello"),), secret=True)),
        signalled("dtmf"),
        answered(SECRET_RUN),
        refused(SECRET_RUN),
        event("ContinuousDtmfRecognitionToneReceived", tone="one", sequenceId=1),
        event("SomethingNew"),
        event("RecognizeCompleted", of(ASKED)),
        event("RecognizeCompleted", of(4)),
        event("RecognizeCompleted"),
        EventReceived(at=7, event={"type": "Microsoft.Communication.RecognizeFailed", "data": {"operationContext": 7}}),
        EventReceived(at=7, event={"type": "Microsoft.Communication.RecognizeFailed", "data": 7}),
        EventReceived(at=7, event={"type": None}),
    ],
    ids=lambda one: one.entry,
)
def test_nothing_is_sealed_before_a_secret_was_asked_for(entry: Entry) -> None:
    assert not hidden(Secrecy(), entry)


@pytest.mark.parametrize("name", ["RecognizeCompleted", "RecognizeFailed", "RecognizeCanceled"])
def test_but_what_somebody_said_on_another_call_is(name: str) -> None:
    assert hidden(Secrecy(), event(name, of(PLAIN, "b" * 32)))
    assert not hidden(Secrecy(), event("PlayCompleted", of(PLAIN, "b" * 32)))


def test_once_nobody_says_which_signals_are_secret_all_are() -> None:
    for state in ("gone", "unattended"):
        secrecy = knowing()
        assert not hidden(secrecy, signalled("order"))
        setattr(secrecy, state, True)
        assert hidden(secrecy, signalled("order"))


def test_a_secret_needs_a_key_and_the_refusal_says_how_to_make_one() -> None:
    secrecy = Secrecy(available=False)
    with pytest.raises(InvalidInput, match="openssl rand -base64 32"):
        secrecy.ask("play")
    with pytest.raises(InvalidInput, match="openssl rand -base64 32"):
        secrecy.ask_signal("card")
    assert not secrecy.asked


@pytest.mark.parametrize(
    ("action", "secret", "says"),
    [
        (actions.Play(prompts=(text("x"),), secret=True), True, True),
        (actions.SendDtmf(tones=("one",), participant=CALLER, secret=True), True, True),
        (actions.Run(name="x", secret=True), True, False),
        (question(True), True, False),
        (actions.Play(prompts=(text("x"),)), False, False),
        (actions.HangUp(), False, False),
    ],
)
def test_what_asks_for_a_secret_and_what_says_one(action: Action, secret: bool, says: bool) -> None:
    assert (is_secret(action), says_a_secret(action)) == (secret, says)


# What is learnt


def heard(event: EventReceived, position: int | None, secrecy: Secrecy | None = None) -> Secrecy:
    secrecy = secrecy or knowing()
    secrecy.hear(parsed(event.event), None if position is None else OPERATIONS[position])
    return secrecy


SAID: dict[str, Any] = {
    "recognitionType": "choices",
    "choiceResult": {"label": "heron", "recognizedPhrase": "a grey one"},
    "speechResult": {"speech": "open sesame"},
    "dtmfResult": {"tones": ["four", "nine", "two", "nine"]},
}


@pytest.mark.parametrize("text", ["heron", "a grey one"])
@pytest.mark.parametrize(("position", "held"), [(ASKED, True), (PLAIN, False), (None, True)])
def test_a_choice_to_a_question_for_a_secret_is_learnt(text: str, position: int | None, held: bool) -> None:
    assert heard(event("RecognizeCompleted", **SAID), position).values.held_by(text) is held


@pytest.mark.parametrize(("kind", "text"), [("dtmf", "4929"), ("speech", "open sesame")])
@pytest.mark.parametrize(("position", "held"), [(ASKED, True), (PLAIN, False), (None, True)])
def test_so_are_keys_and_words(kind: str, text: str, position: int | None, held: bool) -> None:
    said = {"recognitionType": kind, f"{kind}Result": SAID[f"{kind}Result"]}
    assert heard(event("RecognizeCompleted", **said), position).values.held_by(text) is held


def test_other_events_teach_nothing() -> None:
    for position in (ASKED, PLAIN, None):
        assert not heard(event("PlayCompleted", **SAID), position).values


def test_keys_one_by_one_are_a_number_in_the_order_of_their_numbers() -> None:
    secrecy = knowing()

    def key(number: int, tone: str) -> None:
        heard(event("ContinuousDtmfRecognitionToneReceived", tone=tone, sequenceId=number), None, secrecy)

    for number, tone in ((2, "nine"), (1, "four"), (1, "four"), (3, "two"), (4, "nine")):
        key(number, tone)
    assert secrecy.values.held_by("4929")
    for number, tone in ((1, "eight"), (2, "zero"), (3, "six"), (4, "three")):  # their numbers begin again
        key(number, tone)
    assert secrecy.values.held_by("8063")
    assert secrecy.values.held_by("4929")
    assert not secrecy.values.held_by("9")
    for number, tone in ((1, "seven"), (2, "seven")):
        key(number, tone)
    assert secrecy.values.held_by("77")
    assert not secrecy.values.held_by("7729")
    assert not secrecy.values.held_by("7763")


def test_keys_that_are_no_digits_are_between_numbers() -> None:
    secrecy = knowing()
    for number, tone in enumerate(("one", "two", "pound", "three", "asterisk", "four")):
        heard(event("ContinuousDtmfRecognitionToneReceived", tone=tone, sequenceId=number), None, secrecy)
    assert [secrecy.values.held_by(text) for text in ("12", "3", "4", "1", "34")] == [True, True, True, False, False]


def test_signals_of_a_secret_name_are_learnt() -> None:
    secrecy = knowing(signal="card")
    secrecy.take(signalled("card", {"number": 4929}))
    secrecy.take(signalled("order", {"number": 1111}))
    secrecy.take(signalled("transcript", {"text": "2222 please"}))
    secrecy.take(signalled("dtmf", "3333"))
    assert [secrecy.values.held_by(text) for text in ("4929", "1111", "2222", "3333")] == [True, False, True, True]


def test_keys_of_the_streams_are_a_number_from_the_first_question_on() -> None:
    secrecy = Secrecy()
    secrecy.take(signalled("dtmf", {"tone": "7"}))
    secrecy.take(signalled("transcript", {"text": "5555"}))
    assert not secrecy.values
    secrecy.ask("recognize")
    for tone in "4929":
        secrecy.take(signalled("dtmf", {"tone": tone}))
        secrecy.take(signalled("order", {"tone": "1"}))
    secrecy.take(signalled("dtmf", {}))
    assert secrecy.values.held_by("4929")
    assert not secrecy.values.held_by("7")
    assert not secrecy.values.held_by("1")


def test_the_result_of_a_secret_run_is_learnt() -> None:
    secrecy = knowing()
    secrecy.take(answered(RUN, 1111), OPERATIONS[RUN])
    secrecy.take(answered(SECRET_RUN, 2222))
    assert not secrecy.values
    secrecy.take(answered(SECRET_RUN, {"card": 4929}), OPERATIONS[SECRET_RUN])
    assert secrecy.values.held_by("4929")


def test_a_text_that_holds_a_secret_is_shown_as_one() -> None:
    assert knowing("4929").shown("card 4929") == "secret"
    assert knowing("4929").shown(ValueError("card 1111")) == "card 1111"


# What a flow wrote


def given(value: Any) -> Any:
    """Without what is None."""
    if isinstance(value, dict):
        return {name: given(part) for name, part in value.items() if part is not None}
    return [given(part) for part in value] if isinstance(value, list) else value


HEADERS = CallingContext(user_to_user="4929", sip_headers={"X-Pin": "4929"}, voip_headers={"pin": "4929"})
STREAMED = {
    "media_streaming": MediaStreaming(transport_url="wss://streams.example/4929"),
    "transcription": Transcription(locale="en-US", transport_url="wss://streams.example/4929"),
}
ADA = Identifier.parse("+14255550123")


@pytest.mark.parametrize(
    ("action", "texts", "shown"),
    [
        (
            actions.Play(prompts=(text("4929"),), to=(ADA,)),
            {"prompts": [{"kind": "text", "text": "4929"}]},
            {"kind": "play", "prompts": [{"kind": "text", "text": "secret"}], "to": ["4:+14255550123"]},
        ),
        (
            actions.SendDtmf(tones=("four", "nine"), participant=ADA),
            {"tones": ["four", "nine"]},
            {"kind": "send_dtmf", "tones": ["asterisk"], "participant": "4:+14255550123"},
        ),
        (
            actions.Recognize(input="choices", participant=ADA, choices=(Choice("4929"),)),
            {"choices": [{"label": "4929", "phrases": ["4929"]}]},
            {
                "kind": "recognize",
                "input": "choices",
                "participant": "4:+14255550123",
                "choices": [{"label": "secret", "phrases": ["secret"]}],
            },
        ),
        (
            actions.Hold(participant=ADA, audio=text("4929")),
            {"audio": {"kind": "text", "text": "4929"}},
            {"kind": "hold", "participant": "4:+14255550123", "audio": {"kind": "text", "text": "secret"}},
        ),
        (
            actions.CreateCall(targets=(ADA,), display_name="4929"),
            {"display_name": "4929"},
            {"kind": "create_call", "targets": ["4:+14255550123"], "display_name": "secret"},
        ),
        (
            actions.AddParticipant(target=ADA, display_name="4929", context=HEADERS),
            {
                "display_name": "4929",
                "context": {"user_to_user": "4929", "sip_headers": {"X-Pin": "4929"}, "voip_headers": {"pin": "4929"}},
            },
            {
                "kind": "add_participant",
                "target": "4:+14255550123",
                "display_name": "secret",
                "context": {"user_to_user": "secret", "sip_headers": {}, "voip_headers": {}},
            },
        ),
        (
            actions.Answer(**STREAMED),
            {
                "media_streaming": {"transport_url": "wss://streams.example/4929"},
                "transcription": {"transport_url": "wss://streams.example/4929"},
            },
            {
                "kind": "answer",
                "media_streaming": {
                    "channel": "mixed",
                    "start": False,
                    "bidirectional": False,
                    "dtmf_tones": False,
                    "sample_rate": 16000,
                    "transport_url": "secret",
                },
                "transcription": {
                    "locale": "en-US",
                    "start": False,
                    "intermediate_results": False,
                    "transport_url": "secret",
                },
            },
        ),
        (actions.StartTranscription(locale="en-US"), {}, {"kind": "start_transcription", "locale": "en-US"}),
        (actions.HangUp(), {}, {"kind": "hang_up"}),
    ],
    ids=lambda one: one.kind if isinstance(one, Action) else "",
)
def test_what_a_flow_wrote_into_an_action_is_known_and_is_left_out_where_it_is_shown(
    action: Action, texts: dict[str, Any], shown: dict[str, Any]
) -> None:
    assert given(texts_of(action)) == texts
    assert given(without_texts(action).model_dump(mode="json")) == shown


def test_what_was_not_written_is_not_shown_as_a_secret() -> None:
    action = actions.Transfer(target=ADA, context=CallingContext(voip_headers={"pin": "4929"}))
    assert without_texts(action).model_dump(mode="json")["context"] == {
        "user_to_user": None,
        "sip_headers": {},
        "voip_headers": {},
    }
