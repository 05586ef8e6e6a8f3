"""Callbacks out of a journal: what they were when they came, whatever has become stricter since."""

from __future__ import annotations

import copy
import json
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import MalformedEvent
from shared.events import CALLBACK_TYPES, CallEvent, ParticipantsUpdated, journaled, journaled_callback, parse_callbacks
from tests.unit.events.samples import REQUIRED, USER_B, callback, user

WAYS: dict[str, dict[str, Any]] = {
    "as recorded": {},
    "with a context": {"operationContext": "call-1:4:0"},
    "with nulls": {"operationContext": None, "resultInformation": None, "correlationId": None},
    "without a result": {"resultInformation": None},
    "with an old result": {"resultInformation": None, "resultInfo": {"code": 400, "subCode": 8501}},
    "with a cause": {"resultInformation": {"code": 486, "subCode": 0, "sipDetails": {"code": 486, "message": "Busy"}}},
    "with a null cause": {"resultInformation": {"code": 200, "subCode": 0, "message": None, "sipDetails": None}},
    "with numbers as words": {"resultInformation": {"code": "200", "subCode": 0.0, "message": "x"}},
    "with unknown fields": {"publicEventType": "x", "later": {"deep": [1, None]}},
    "with another spelling": {"operation_context": "call-1:4:0"},
    "with a source inside": {"source": "elsewhere", "id": "elsewhere"},
}


@pytest.mark.parametrize("name", sorted([*CALLBACK_TYPES, "SendDtmfCompleted", "HoldAudioStarted"]))
def test_a_journaled_event_is_the_event_that_came(name: str) -> None:
    for fields in WAYS.values():
        same(callback(name, **REQUIRED.get(name, {}) | fields))


@given(
    event=st.fixed_dictionaries(
        {},
        optional={
            "time": st.sampled_from(
                ["2025-03-17T17:50:29.2911685Z", "2025-03-17T17:50:29", "2025-03-17 17:50:29+02:00"]
            ),
            "source": st.none() | st.text() | st.integers(),
            "data": st.fixed_dictionaries(
                {},
                optional={
                    "callConnectionId": st.none() | st.text(),
                    "serverCallId": st.none() | st.text(),
                    "correlationId": st.none() | st.text() | st.integers(),
                    "operationContext": st.none() | st.text() | st.booleans(),
                    "resultInformation": st.none()
                    | st.dictionaries(
                        st.sampled_from(["code", "subCode", "message", "sub_code", "extra"]),
                        st.none() | st.booleans() | st.integers(-5, 2**33) | st.text(),
                    ),
                },
            ),
        },
    )
)
def test_any_event_that_is_taken_is_the_same_out_of_the_journal(event: dict[str, Any]) -> None:
    whole = callback("PlayCompleted")
    same(whole | event | {"data": whole["data"] | event.get("data", {})})


def same(item: dict[str, Any]) -> None:
    try:
        (came,) = parse_callbacks(json.dumps([item]))
    except MalformedEvent:
        return  # it is not journaled
    again = journaled_callback(json.loads(json.dumps(item)))
    assert type(again) is type(came)
    assert (again, hash(again), again.raw) == (came, hash(came), came.raw)
    assert (repr(again), again.__dict__) == (repr(came), came.__dict__)
    assert pickle.loads(pickle.dumps(again)) == copy.deepcopy(again) == again.model_copy() == came


def test_most_events_are_put_together_without_being_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    def parse(item: object) -> CallEvent:
        raise AssertionError("parsed again")

    monkeypatch.setattr(journaled, "parse_callback", parse)
    for name in ("CallConnected", "PlayStarted", "PlayCompleted", "RecognizeCanceled", "CallDisconnected"):
        assert journaled_callback(callback(name)).name == name


@pytest.mark.parametrize("name", sorted(CALLBACK_TYPES))
def test_an_event_that_today_would_be_refused_is_read_as_far_as_it_can_be(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader made stricter later must not make a live call unloadable."""
    item = callback(name, operationContext="call-1:4:0", resultInformation={"code": 200, "subCode": 7, "q": 1})
    item["data"] |= REQUIRED.get(name, {})
    (came,) = parse_callbacks(json.dumps([item]))

    def stricter(item: object) -> CallEvent:
        raise MalformedEvent("data.newField", "is missing.")

    monkeypatch.setattr(journaled, "parse_callback", stricter)
    again = journaled_callback(item)
    assert type(again) is type(came)
    assert again.__dict__ == came.__dict__


@pytest.mark.parametrize("name", sorted(CALLBACK_TYPES))
def test_what_cannot_be_read_at_all_has_neutral_values(name: str) -> None:
    """Such an event can be in the journal of a release that took more than this one does."""
    odd = dict.fromkeys((*REQUIRED.get(name, {}), "callConnectionId", "operationContext", "resultInformation"), 1.5)
    event = journaled_callback(callback(name, **odd) | {"time": "yesterday", "id": 7})
    assert event.name == name
    assert (event.call_connection_id, event.operation_context, event.result) == ("", None, None)
    assert repr(event)
    for field in type(event).model_fields:
        getattr(event, field)


def test_of_a_list_with_one_participant_that_cannot_be_read_the_sequence_and_the_others_stay() -> None:
    event = journaled_callback(
        callback(
            "ParticipantsUpdated", sequenceNumber=5, participants=[{"identifier": 1.5}, {"identifier": user(USER_B)}]
        )
    )
    assert isinstance(event, ParticipantsUpdated)
    assert (event.sequence_number, event.unread) == (5, ("participants[0]",))
    assert [one.identifier.raw_id for one in event.participants] == [USER_B]
