"""A journal told as a conversation."""

from __future__ import annotations

from typing import Any

import pytest

from shared.calls.actions import KINDS
from shared.web.console.asked import asked
from shared.web.console.history import Line, Stretch, history
from shared.web.console.lanes import Bar, lanes

CALLER, OURS, AGENT = "4:+14255550123", "4:+18005550199", "4:+14255550177"
APP = "8:acs:0f6b3f2e-9c54-4d0e-8d1c-1f2e3d4c5b6a_00000000-0000-0000-0000-000000000000"
CALL = "b8ca97bf9ff54cfb90a1390f55fb8e3c"
T0 = 1_795_860_000_000


class Journal:
    """Entries, a second apart."""

    def __init__(self, direction: str = "inbound") -> None:
        self.direction = direction
        self.caller, self.callee = (CALLER, OURS) if direction == "inbound" else (OURS, CALLER)
        self.entries: list[dict[str, Any]] = []
        self.add("started", flow="reception", direction=direction, caller=self.caller, callee=self.callee)

    def add(self, entry: str, **fields: Any) -> Journal:
        self.entries.append({"at": T0 + 1000 * len(self.entries), "entry": entry, **fields})
        return self

    def issue(self, seq: int, kind: str, *, command: str | None = None, **fields: Any) -> Journal:
        given = {} if command is None else {"command": command}
        return self.add("issued", seq=seq, action={"kind": kind, **fields}, **given)

    def event(self, name: str, seq: int | None = None, code: int = 200, sub_code: int = 0, **data: Any) -> Journal:
        context = {} if seq is None else {"operationContext": f"{CALL}:{seq}:0"}
        body = {
            "callConnectionId": "c",
            "serverCallId": "s",
            "correlationId": "r",
            "resultInformation": {"code": code, "subCode": sub_code, "message": ""},
            **context,
            **data,
        }
        event = {
            "id": f"e{len(self.entries)}",
            "source": "calling/c",
            "type": f"Microsoft.Communication.{name}",
            "time": "2026-11-28T10:00:00+00:00",
            "data": body,
        }
        return self.add("event", event=event)

    def people(self, *raw_ids: str) -> Journal:
        participants = [{"identifier": {"rawId": one}, "isMuted": False, "isOnHold": False} for one in raw_ids]
        return self.event("ParticipantsUpdated", participants=participants, sequenceNumber=1)

    def told(self, *, shown: bool = False) -> list[Line]:
        return list(history(self.entries, self.caller, self.callee, self.direction, shown=shown).lines)

    def stretches(self) -> list[Stretch]:
        return list(history(self.entries, self.caller, self.callee, self.direction, shown=False).stretches)


def words(line: Line) -> str:
    """A line as it is read."""
    quote = f"“{line.quote}”" if line.quote else ""
    return " ".join(filter(None, (f"{line.who}:", line.text, quote, line.result and f"· {line.result}")))


def text(said: str) -> list[dict[str, str]]:
    return [{"kind": "text", "text": said}]


def test_a_question_and_its_answer_are_two_lines_with_the_time_it_took() -> None:
    journal = Journal().issue(0, "answer").event("CallConnected", 0)
    choices = [{"label": "sales", "phrases": ["sales"], "tone": "one"}, {"label": "support"}]
    journal.issue(1, "recognize", input="choices", participant=CALLER, prompts=text("Sales?"), choices=choices)
    journal.event("PlayStarted", 1)
    result: dict[str, Any] = {
        "choiceResult": {"label": "sales", "recognizedPhrase": "Sales."},
        "recognitionType": "choices",
    }
    told = journal.event("RecognizeCompleted", 1, **result).told()
    assert [(line.kind, words(line)) for line in told] == [
        ("people", "Switchboard: +1 ••• 23 called +18005550199"),
        ("did", "App: Answered · after 1.0 s"),
        ("said", "App: “Sales?” · asks for sales (1), support"),
        ("technical", "Azure: PlayStarted"),
        ("heard", "Caller: said “Sales.” · → sales · 2.0 s after the question began"),
    ]
    assert [line.numbers for line in told] == [[0], [1, 2], [3], [4], [5]]


def test_keys_are_told_as_they_are_printed() -> None:
    journal = Journal().issue(1, "recognize", input="dtmf", participant=CALLER)
    told = journal.event(
        "RecognizeCompleted", 1, recognitionType="dtmf", dtmfResult={"tones": ["one", "pound", "asterisk"]}
    ).told()
    assert words(told[1]) == "App: asks for keys"
    assert words(told[2]) == "Caller: pressed “1 # *” · 1.0 s after the question began"
    assert words(Journal().issue(2, "send_dtmf", participant=CALLER, tones=["nine"]).told()[1]) == (
        "App: Pressed keys towards the caller “9”"
    )
    assert words(Journal().event("ContinuousDtmfRecognitionToneReceived", tone="five").told()[1]) == (
        "Caller: pressed “5”"
    )


def test_what_fails_is_told_by_its_sub_code_in_words_at_the_line_that_asked() -> None:
    journal = Journal().issue(1, "recognize", input="speech", participant=CALLER)
    (_, asked) = journal.event("RecognizeFailed", 1, 400, 8510).told()
    assert asked.failed
    assert "(400/8510)" in asked.result
    assert "silen" in asked.result.lower() or "nothing" in asked.result.lower()
    refused = Journal().issue(1, "add_participant", target=AGENT)
    refused.add("refused", seq=1, status=403, code="number_off", message="the number +14255550177 is off")
    line = refused.told()[1]
    assert line.result == "refused: the number +1 ••• 77 is off (403/number_off)"


def test_a_side_effect_is_technical_until_it_fails() -> None:
    journal = Journal().issue(1, "run", name="look_up")
    assert journal.told()[1].kind == "technical"
    journal.add("refused", seq=1, status=500, code="ValueError", message="no such order")
    assert (journal.told()[1].kind, journal.told()[1].result) == (
        "error",
        "refused: no such order (500/ValueError)",
    )
    assert (
        Journal().issue(1, "run", name="x").add("answered", seq=1, value={"a": 1}).told()[1].result == 'gave {"a": 1}'
    )


def test_who_asked_is_the_flow_the_console_or_the_http_api() -> None:
    journal = Journal().issue(1, "play", prompts=text("a")).issue(1000000, "hang_up", command="console-1")
    journal.issue(1000001, "hang_up", command="0c5d").add("signal", id="console-2", name="go", data={"n": 1})
    assert [line.who for line in journal.told()][1:] == ["App", "Console", "HTTP API", "Console"]
    assert words(journal.told()[-1]) == 'Console: Signal go “{"n": 1}”'


def test_what_comes_twice_is_technical_and_says_so() -> None:
    journal = Journal().issue(1, "play", prompts=text("a")).event("PlayCompleted", 1).event("PlayCompleted", 1)
    assert words(journal.told()[-1]) == "Azure: PlayCompleted: arrived twice, or too late"
    assert journal.told()[-1].kind == "technical"


def test_people_come_and_go() -> None:
    journal = Journal().people(CALLER, APP).people(CALLER, AGENT, APP).people(CALLER, AGENT).people(AGENT)
    assert [(line.kind, line.text) for line in journal.told()][1:] == [
        ("people", "Caller is on the line"),
        ("people", "+1 ••• 77 is on the line"),
        ("technical", "ParticipantsUpdated: nobody came or left"),
        ("people", "Caller left"),
    ]


def test_the_end_a_failure_and_a_silence_are_told() -> None:
    journal = Journal().add("failed", error="ValueError: +14255550123", where="flows/a.py:3", line="1/0", remedy="Do.")
    journal.add("settled", reason="the service no longer knows the call").event("CallDisconnected", None, 200, 7000)
    failed, settled, ended = journal.told()[1:]
    assert (failed.kind, words(failed)) == (
        "error",
        "Switchboard: The flow failed at flows/a.py:3: ValueError: +1 ••• 23 “1/0” · Do.",
    )
    assert (settled.kind, settled.text) == ("error", "Closed after silence: the service no longer knows the call")
    assert words(ended).startswith("Switchboard: The call ended · The call was ended in the normal way")


def test_notes_results_and_versions() -> None:
    journal = Journal().add("logged", message="order", fields={"id": 7}).add("result", result="refund", details={})
    journal.add("marked", name="v2").add("resent", seq=9, attempt=1).add("gave_up", seq=9).add("timer", seq=9)
    assert [(line.kind, words(line)) for line in journal.told()][1:] == [
        ("note", 'App: Noted: order “{"id": 7}”'),
        ("note", "App: Result: refund"),
        ("technical", "App: Version v2 of the flow"),
        ("technical", "Switchboard: operation 9 sent again: nothing showed that it had left"),
        ("error", "Switchboard: gave up: no outcome came in its time"),
        ("technical", "Switchboard: operation 9 is over"),
    ]


def test_a_recording_that_has_not_begun_is_not_said_to_be_off() -> None:
    journal = Journal()
    for state in ("inactive", "active", "active", "inactive"):
        journal.event("RecordingStateChanged", recordingId="r", state=state)
    assert [(line.kind, line.text) for line in journal.told()][1:] == [
        ("technical", "Recording is off"),
        ("note", "Recording is on"),
        ("technical", "Recording is on"),
        ("note", "Recording is off"),
    ]


def test_every_action_has_words() -> None:
    for kind in KINDS:
        line = asked({"kind": kind, "input": "dtmf", "target": AGENT}, lambda raw_id: "Ada", lambda said: said)
        plain = kind.replace("_", " ").capitalize()
        assert line[0] != "did" or line[1] != plain, kind


@pytest.mark.parametrize("direction", ["inbound", "outbound"])
def test_no_line_has_a_number_until_it_is_asked_for(direction: str) -> None:
    journal = Journal(direction).people(CALLER, AGENT).issue(1, "transfer", target=AGENT)
    journal.issue(2, "play", prompts=text("Call us at +1 425 555 0177")).add("signal", id="x", name="n", data=AGENT)
    journal.add("logged", message="from +14255550123").add("result", result="+14255550123", details={"n": CALLER})
    hidden = "\n".join(map(words, journal.told()))
    assert "5550123" not in hidden
    assert "0177" not in hidden
    shown = "\n".join(map(words, journal.told(shown=True)))
    assert "+14255550177" in shown
    assert "+1 425 555 0177" in shown


def test_what_lasts_is_drawn() -> None:
    journal = Journal().issue(0, "answer").event("CallConnected", 0).people(CALLER)  # at 0, 1, 2, 3
    journal.issue(1, "play", prompts=text("a")).event("PlayStarted", 1).event("PlayCompleted", 1)  # 4, 5, 6
    journal.issue(2, "hold", participant=CALLER).add("answered", seq=2, value={})  # 7, 8
    journal.issue(3, "unhold", participant=CALLER).add("answered", seq=3, value={})  # 9, 10
    journal.event("RecordingStateChanged", recordingId="r", state="active")  # 11
    journal.event("RecordingStateChanged", recordingId="r", state="inactive")  # 12
    journal.event("CallDisconnected")  # 13

    def at(second: int) -> int:
        return T0 + second * 1000

    assert sorted(journal.stretches(), key=lambda one: one.start) == [
        Stretch("Caller", "on the line", at(3), at(13)),
        Stretch("App", "speaks", at(5), at(6)),
        Stretch("Caller", "on hold", at(8), at(10)),
        Stretch("Recording", "recorded", at(11), at(12)),
    ]


def test_who_talks_is_on_the_line_where_the_service_names_nobody() -> None:
    journal = Journal().issue(0, "answer").event("CallConnected", 0).people()
    assert journal.stretches() == [Stretch("Caller", "on the line", T0 + 2000, 0)]


def test_lanes_are_drawn_from_the_start_of_the_call_to_its_end() -> None:
    told = lanes(
        [
            Stretch("Recording", "recorded", 1500, 2000),
            Stretch("App", "speaks", 1000, 1001),
            Stretch("Caller", "on hold", 1250, 1500),
            Stretch("Caller", "on the line", 1000, 0),
        ],
        1000,
        2000,
    )
    assert [lane.name for lane in told] == ["Caller", "App", "Recording"]
    assert told[0].bars == [Bar(0.0, 1000.0, "on-the-line"), Bar(250.0, 250.0, "on-hold")]
    assert told[1].bars == [Bar(0.0, 3.0, "speaks")]
    assert told[2].bars == [Bar(500.0, 500.0, "recorded")]
    assert told[0].told == "on the line 0:00 to 0:01; on hold 0:00 to 0:00"
