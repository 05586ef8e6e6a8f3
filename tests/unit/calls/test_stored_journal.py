"""The journal as it is stored: every entry comes back, also of calls that were up when the app was renewed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import ValidationError

from shared.calls import Call, Flow, actions, file, text
from shared.calls.journal import Entry, EventReceived, Issued, decode, encode
from shared.calls.replay import Session
from shared.errors import MalformedEvent
from shared.events import journaled
from shared.identifiers import Identifier
from tests.found_calls import decode_all
from tests.unit.calls.world import APOLOGY, START, Wire, started_entry

WIRE = Wire()
PHONE = Identifier.parse("+14255550100")

AS_STORED = r"""
{"at":1,"entry":"started","flow":"reception","direction":"inbound","caller":"4:+14255550100","callee":"8:acs:b","correlation_id":"c","server_call_id":"s","display_name":"","context":{"X-A":"1"},"opening":{"kind":"answer"},"source_event":"grid-1"}
{"at":1,"entry":"issued","seq":0,"action":{"kind":"answer"}}
{"at":1795798011508,"entry":"event","event":{"id":"7","source":"calling/x","type":"Microsoft.Communication.PlayCompleted","data":{"callConnectionId":"c","serverCallId":"s","operationContext":"a:4:0","resultInformation":{"code":200,"subCode":0,"message":"\"}}"}},"time":"2026-11-27T16:52:13.086179+00:00"}}
{"at":2,"entry":"noticed","id":"g","event":{"id":"g","data":{}}}
{"at":3,"entry":"issued","seq":5,"action":{"kind":"play","prompts":[{"kind":"text","text":"Good day: }}\n\"ü\""}]}}
{"at":3,"entry":"issued","seq":6,"action":{"kind":"add_participant","target":"4:+14255550123","caller_id":"4:+14255550100","context":{"sip_headers":{"X-MS-Custom-A":"1"},"voip_headers":{}}}}
{"at":3,"entry":"issued","seq":1000000,"action":{"kind":"hang_up"},"command":"key \"}}"}
{"at":4,"entry":"resent","seq":5,"attempt":1}
{"at":5,"entry":"answered","seq":7,"value":{"a":[1,2.5,true]}}
{"at":5,"entry":"accepted","seq":6,"value":{"invitationId":"i"}}
{"at":6,"entry":"refused","seq":8,"status":400,"code":"8501","message":"no","transient":false}
{"at":7,"entry":"signal","id":"s","name":"agent","data":{"x":"\u2028"}}
{"at":8,"entry":"timer","seq":9}
{"at":9,"entry":"gave_up","seq":10}
{"at":10,"entry":"settled","reason":"CallDisconnected was lost"}
{"at":11,"entry":"failed","error":"ValueError: x","trace":"line\nline"}
""".strip().split("\n")
"""One of each kind, as release 0.1 wrote them (November 2026)."""


def test_a_journal_of_the_first_release_is_read() -> None:
    entries = decode_all(AS_STORED)
    kinds = [entry.entry for entry in entries]
    assert set(kinds) == {member["entry"] for member in map(json.loads, AS_STORED)}
    assert len(set(kinds)) == 13
    for line, entry in zip(AS_STORED, entries, strict=True):
        assert json.loads(encode(entry)) == json.loads(line)
    play, adding, command = entries[4], entries[5], entries[6]
    assert isinstance(play, Issued)
    assert play.action == actions.Play(prompts=(text('Good day: }}\n"ü"'),))
    assert isinstance(adding, Issued)
    assert isinstance(adding.action, actions.AddParticipant)
    assert isinstance(command, Issued)
    assert (command.seq, command.command) == (1_000_000, 'key "}}')


def test_every_entry_comes_out_as_it_went_in() -> None:
    for entry in decode_all(AS_STORED):
        again = decode(encode(entry))
        assert again == entry
        assert again.model_dump() == entry.model_dump()
        assert again.model_copy(update={"at": 99}).at == 99


def test_actions_that_differ_stay_apart_though_reading_remembers_them() -> None:
    for one, other in (
        (actions.Sleep(seconds=1), actions.Sleep(seconds=1.5)),
        (actions.Play(prompts=(text("a"),)), actions.Play(prompts=(text("a"),), loop=True)),
        (actions.Play(prompts=(text("https://a"),)), actions.Play(prompts=(file("https://a"),))),
    ):
        for action in (one, other):
            entry = decode(encode(Issued(at=1, seq=0, action=action)))
            assert isinstance(entry, Issued)
            assert entry.action == action
            assert type(entry.action) is type(action)
        assert one != other


async def keys(call: Call) -> None:
    while True:
        await call.play(text("again"))


def grown(callbacks: int) -> tuple[list[Entry], Session]:
    """A journal, and the session that made it."""
    session = Session(Flow("keys", keys), "call", apology=APOLOGY)
    entries: list[Entry] = []

    def take(entry: Entry) -> None:
        session.feed(entry)
        entries.extend([entry, *session.take()])

    take(started_entry("keys"))
    take(EventReceived(at=START, event=WIRE.event("CallConnected", "call:0:0")))
    for seq in range(1, callbacks + 1):
        take(
            EventReceived(
                at=START + seq, event=WIRE.event("ParticipantsUpdated", None, participants=[], sequenceNumber=seq)
            )
        )
        take(EventReceived(at=START + seq, event=WIRE.event("PlayCompleted", f"call:{seq}:0")))
    return entries, session


def state(session: Session) -> Any:
    return session.record, session.now, session.participants, [repr(o) for o in session.open_operations]


def test_a_stored_journal_gives_the_session_that_its_entries_give() -> None:
    entries, warm = grown(20)
    stored = Session(Flow("keys", keys), "call", apology=APOLOGY)
    stored.feed_stored([encode(entry) for entry in entries])
    assert stored.take() == []
    warm.record.unconfirmed, stored.record.unconfirmed = [], []  # the stored head tells
    assert state(stored) == state(warm)
    assert all(stored.knows(entry) for entry in entries if isinstance(entry, EventReceived))


def test_a_flow_that_asks_for_something_else_than_its_stored_journal_holds_is_found_out() -> None:
    entries, _ = grown(3)

    async def other(call: Call) -> None:
        while True:
            await call.recognize(text("once more"), speech=True)

    session = Session(Flow("keys", other), "call", apology=APOLOGY)
    session.feed_stored([encode(entry) for entry in entries])
    assert "FlowChanged" in str(session.take()[0])


def test_a_reader_of_events_made_stricter_later_leaves_live_calls_loadable(monkeypatch: pytest.MonkeyPatch) -> None:
    entries, warm = grown(5)

    def stricter(item: object) -> Any:
        raise MalformedEvent("data.newField", "is missing.")

    monkeypatch.setattr(journaled, "parse_callback", stricter)
    session = Session(Flow("keys", keys), "call", apology=APOLOGY)
    session.feed_stored([encode(entry) for entry in entries])
    assert session.take() == []
    assert [repr(o) for o in session.open_operations] == [repr(o) for o in warm.open_operations]


@pytest.mark.parametrize(
    "written",
    [
        {"entry": "issued", "seq": 1, "action": {"kind": "send_dtmf", "participant": "4:+14255550100", "keys": "4929"}},
        {"entry": "issued", "seq": 1, "action": {"kind": "hold", "participant": "4:+14255550100", "audio": "4929"}},
        {"entry": "refused", "seq": 1, "status": 0, "code": "4929", "message": 4929},
        {"entry": "answered", "seq": 1, "value": None, "text": "4929"},
    ],
    ids=str,
)
def test_an_entry_that_cannot_be_read_is_not_quoted(written: Mapping[str, Any]) -> None:
    """A later version may have written it before a rollback. The traceback goes into the log."""
    with pytest.raises(ValidationError) as raised:
        decode(json.dumps({"at": 1, **written}, separators=(",", ":")))
    assert "4929" not in str(raised.value)
