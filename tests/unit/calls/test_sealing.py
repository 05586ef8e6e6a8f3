"""Entries as they are stored: what of them is open, what is encrypted, and what that is bound to."""

from __future__ import annotations

import json
from typing import Any, cast

import pytest

from shared.calls import actions, text
from shared.calls.journal import (
    Entry,
    EventReceived,
    Issued,
    Logged,
    Marked,
    RefusedEntry,
    Responded,
    Signalled,
    decode,
    encode,
)
from shared.calls.record import CallRecord
from shared.calls.replay import Session
from shared.calls.sealing import Sealing, is_shown, shown
from shared.secret_keys import CallCipher, SecretKeys
from tests.setting_samples import made_key
from tests.unit.calls.world import CALLER

KEYS = SecretKeys(made_key("secrets"))
WRAPPED = KEYS.new("call-1")


def cipher() -> CallCipher:
    found = KEYS.cipher(WRAPPED, "call-1")
    assert found is not None
    return found


class Commit:
    """As much of a session as is sealed: which of its entries are secret, and whether the call is over."""

    def __init__(
        self,
        *secret: Entry,
        asked: bool = True,
        finished: bool = False,
        secrets: str = WRAPPED,
        call_id: str = "call-1",
    ) -> None:
        self.record = CallRecord(call_id, secrets=secrets)
        self.secrecy = type("Asked", (), {"asked": asked})
        self.finished = finished
        self._secret = secret

    def hides(self, entry: Entry) -> bool:
        return entry in self._secret

    def texts(self, *entries: Entry, keys: SecretKeys | None = KEYS) -> list[str]:
        return Sealing(keys).texts(cast(Session, self), entries)


def sealed(entry: Entry) -> str:
    (stored,) = Commit(entry).texts(entry)
    return stored


def opened(*texts: str, secrets: str = WRAPPED, keys: SecretKeys | None = KEYS) -> list[str] | None:
    return Sealing(keys).opened(CallRecord("call-1", secrets=secrets), texts)


HEARD: dict[str, Any] = {
    "id": "event-1",
    "source": "calling/callConnections/1",
    "type": "Microsoft.Communication.RecognizeCompleted",
    "time": "2026-11-20T10:00:00Z",
    "specversion": "1.0",
    "datacontenttype": "application/json",
    "subject": "calling/callConnections/1",
    "data": {
        "version": "2025-08-15-preview",
        "operationContext": "call-1:1:0",
        "callConnectionId": "1",
        "serverCallId": "2",
        "correlationId": "3",
        "publicEventType": "Microsoft.Communication.RecognizeCompleted",
        "eventSource": "4",
        "recognitionType": "dtmf",
        "resultInformation": {"code": 200, "subCode": 8531, "message": "heard 4929"},
        "dtmfResult": {"tones": ["four", "nine"]},
    },
    "later": "ä 4929",
}
ENVELOPE = {
    **{name: value for name, value in HEARD.items() if name not in ("later", "data")},
    "data": {
        "version": "2025-08-15-preview",
        "operationContext": "call-1:1:0",
        "callConnectionId": "1",
        "serverCallId": "2",
        "correlationId": "3",
        "publicEventType": "Microsoft.Communication.RecognizeCompleted",
        "eventSource": "4",
        "recognitionType": "dtmf",
        "resultInformation": {"code": 200, "subCode": 8531},
    },
}

PLAY = Issued(at=7, seq=4, action=actions.Play(prompts=(text("ä 4929"),), to=(CALLER,)))

KINDS: list[tuple[Entry, dict[str, Any], str, str]] = [
    (
        EventReceived(at=7, event=HEARD),
        {"at": 7, "entry": "event", "event": ENVELOPE},
        '{"event":{"later":"ä 4929","data":{"resultInformation":{"code":200,"subCode":8531,"message":"heard 4929"},'
        '"dtmfResult":{"tones":["four","nine"]}}}}',
        "call-1|event|7|||event-1",
    ),
    (
        Signalled(at=7, id="s-1", name="card", data={"number": "ä 4929"}),
        {"at": 7, "entry": "signal", "id": "s-1", "name": "card"},
        '{"data":{"number":"ä 4929"}}',
        "call-1|signal|7||s-1|",
    ),
    (
        Responded(at=7, seq=0, value="ä 4929"),
        {"at": 7, "entry": "answered", "seq": 0},
        '{"value":"ä 4929"}',
        "call-1|answered|7|0||",
    ),
    (
        RefusedEntry(at=7, seq=3, status=500, code="E4929", message="ä 4929", transient=True),
        {
            "at": 7,
            "entry": "refused",
            "seq": 3,
            "status": 500,
            "code": "secret",
            "message": "secret",
            "transient": True,
        },
        '{"code":"E4929","message":"ä 4929"}',
        "call-1|refused|7|3||",
    ),
    (
        PLAY,
        {
            "at": 7,
            "entry": "issued",
            "seq": 4,
            "action": {"kind": "play", "prompts": [{"kind": "text", "text": "secret"}], "to": [CALLER.raw_id]},
        },
        "",
        "call-1|issued|7|4||",
    ),
    (
        Marked(at=7, name="v4929"),
        {"at": 7, "entry": "marked", "name": "secret"},
        '{"name":"v4929"}',
        "call-1|marked|7|||",
    ),
]


@pytest.mark.parametrize(("entry", "left", "taken", "bound_to"), KINDS, ids=lambda one: getattr(one, "entry", ""))
def test_what_is_secret_of_an_entry_is_encrypted_beside_what_is_not(
    entry: Entry, left: dict[str, Any], taken: str, bound_to: str
) -> None:
    stored = sealed(entry)
    kept = json.loads(stored)
    secret = kept.pop("secret")
    assert kept == left
    plain = cipher().open(secret, bound_to)
    assert plain is not None
    assert not taken or plain.rstrip() == taken
    assert opened(stored) is not None
    assert [decode(one) for one in opened(stored) or ()] == [entry]


def test_an_entry_comes_back_as_it_was_written() -> None:
    for entry, *_ in KINDS[1:4]:
        assert opened(sealed(entry)) == [encode(entry)]


@pytest.mark.parametrize(
    ("event", "envelope"),
    [
        ({"id": 7, "data": "4929"}, {"data": {}}),
        ({"id": "e", "data": None}, {"id": "e", "data": {}}),
        ({"id": "e"}, {"id": "e", "data": {}}),
        ({"id": "e", "data": ["4929"]}, {"id": "e", "data": {}}),
        (
            {"id": "e", "time": ["4929"], "data": {"version": {"of": "4929"}, "resultInformation": "4929"}},
            {"id": "e", "data": {}},
        ),
        (
            {"id": "e", "data": {"resultInformation": {"code": "4929", "subCode": True}}},
            {"id": "e", "data": {"resultInformation": {}}},
        ),
    ],
)
def test_of_an_odd_event_nothing_is_open_that_is_no_text_or_code(event: dict[str, Any], envelope: Any) -> None:
    stored = sealed(EventReceived(at=7, event=event))
    assert json.loads(stored)["event"] == envelope
    (text,) = opened(stored) or ("",)
    assert json.loads(text) == {"at": 7, "entry": "event", "event": {"data": None, **event}}


def test_of_other_entries_nothing_can_be_secret() -> None:
    with pytest.raises(TypeError, match="nothing of an entry 'logged' is secret"):
        sealed(Logged(at=7, message="x"))


@pytest.mark.parametrize(
    "other",
    [
        lambda stored: {**stored, "at": 8},
        lambda stored: {**stored, "id": "s-2"},
        lambda stored: {**stored, "seq": 1},
        lambda stored: {**stored, "entry": "answered"},
        lambda stored: {**stored, "event": {"id": "event-1"}},
    ],
)
def test_what_was_encrypted_for_one_entry_can_stand_in_no_other(other: Any) -> None:
    stored = json.loads(sealed(Signalled(at=7, id="s-1", name="card", data="4929")))
    at, secret, *rest = other(stored).items()
    moved = json.dumps(dict([at, secret, *rest]), separators=(",", ":"))
    assert moved.startswith('{"at":')
    assert opened(moved) is None


def test_nor_in_another_call() -> None:
    entry = Signalled(at=7, id="s-1", name="card", data="4929")
    other = Commit(entry, call_id="call-2", secrets=KEYS.new("call-2"))
    (stored,) = other.texts(entry)
    assert Sealing(KEYS).opened(other.record, [stored]) == [encode(entry)]
    assert opened(stored) is None
    assert Sealing(KEYS).opened(CallRecord("call-1", secrets=other.record.secrets), [stored]) is None


# The key of a call

CARD = Signalled(at=7, id="s-1", name="card", data="4929")
OPEN = Signalled(at=8, id="s-2", name="order", data="1111")


def test_a_call_gets_a_key_with_its_first_secret_and_keeps_it() -> None:
    call = Commit(CARD, secrets="")
    stored = call.texts(OPEN, CARD)
    wrapped = call.record.secrets
    assert KEYS.cipher(wrapped, "call-1") is not None
    assert stored[0] == encode(OPEN)
    assert opened(*stored, secrets=wrapped) == [encode(OPEN), encode(CARD)]
    call.texts(CARD)
    assert call.record.secrets == wrapped


@pytest.mark.parametrize("finished", [False, True])
def test_a_call_without_secrets_gets_none(finished: bool) -> None:
    call = Commit(asked=False, secrets="", finished=finished)
    assert call.texts(OPEN) == [encode(OPEN)]
    assert call.record.secrets == ""


def test_the_key_is_destroyed_in_the_commit_in_which_the_call_has_ended() -> None:
    call = Commit(CARD, finished=True)
    (stored,) = call.texts(CARD)
    assert call.record.secrets == "destroyed"
    assert opened(stored) == [encode(CARD)], "who has a copy of the head can read it until then"
    assert opened(stored, secrets="destroyed") is None
    assert opened(encode(OPEN), secrets="destroyed") is None


def test_what_is_secret_is_lost_and_not_kept_in_the_clear_where_there_is_no_key_for_it() -> None:
    for call in (Commit(CARD, secrets=""), Commit(CARD)):
        stored = call.texts(CARD, keys=None)
        assert stored == ['{"at":7,"secret":true,"entry":"signal","id":"s-1","name":"card"}']
    late = Commit(CARD, secrets="destroyed", finished=True).texts(CARD)
    assert late == ['{"at":7,"secret":true,"entry":"signal","id":"s-1","name":"card"}']
    assert Commit(CARD, secrets=SecretKeys(made_key("another")).new("call-1")).texts(CARD) == late


def test_a_journal_is_read_whole_or_not_at_all() -> None:
    stored = sealed(CARD)
    assert opened(encode(OPEN), stored) == [encode(OPEN), encode(CARD)]
    assert opened(encode(OPEN), secrets="") == [encode(OPEN)]
    assert opened(stored, keys=None) is None
    assert opened(encode(OPEN), keys=None) is None
    assert opened(stored, keys=SecretKeys(made_key("another"))) is None
    assert opened(encode(OPEN), stored.replace('"s-1"', '"s-3"')) is None


def test_whether_there_is_a_key() -> None:
    assert (Sealing(KEYS).available, Sealing(None).available) == (True, False)


def test_what_is_sealed_is_shown_with_a_word_in_its_place() -> None:
    assert shown(sealed(CARD)) == {"at": 7, "secret": True, "entry": "signal", "id": "s-1", "name": "card"}
    assert shown(encode(OPEN)) == {"at": 8, "entry": "signal", "id": "s-2", "name": "order", "data": "1111"}


def test_what_was_shown_is_told_from_what_is_whole() -> None:
    assert is_shown(json.dumps(shown(sealed(CARD)), separators=(",", ":")))
    assert not is_shown(encode(OPEN))
    assert not is_shown(sealed(CARD))
