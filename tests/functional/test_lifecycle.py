"""Lifecycle events of calls through the Event Grid trigger: each into its call's journal, once."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import azure.functions as func
import pytest

from shared.calls.journal import LifecycleEvent
from shared.calls.replay import replay
from shared.composition.flows import load_flows
from shared.errors import StoreUnavailable
from tests.found_calls import decode_all
from tests.functional.app import App, functions, incoming_call
from tests.telemetry_lines import found

USER = "8:acs:0f6b3f2e-9c54-4d0e-8d1c-1f2e3d4c5b6a_00000001"
SOMEBODY = {"communicationIdentifier": {"rawId": USER, "communicationUser": {"id": USER}}, "role": "Participant"}
TYPES: dict[str, dict[str, Any]] = {
    "CallStarted": {},
    "CallEnded": {
        "durationOfCall": 12.5,
        "endedBy": {**SOMEBODY, "type": "Participant"},
        "reason": {"code": 0, "subCode": 0, "phrase": "The conversation has ended"},
    },
    "CallParticipantAdded": {"user": SOMEBODY, "displayName": "Ada", "participantId": "p-1"},
    "CallParticipantRemoved": {"user": SOMEBODY, "displayName": "Ada", "participantId": "p-1"},
}
every_type = pytest.mark.parametrize("name", sorted(TYPES))
SERVER_CALL = "c2VydmVyLWNhbGw"  # as IncomingCall says


def news(name: str, *, event_id: str = "grid-1", server_call: str = SERVER_CALL, **changes: Any) -> func.EventGridEvent:
    data = {
        "startedBy": SOMEBODY,
        "serverCallId": server_call,
        "correlationId": "3b2a1908-0000-4000-8000-000000000001",
        "isTwoParty": True,
        "isRoomsCall": False,
        **TYPES.get(name, {}),
        **changes,
    }
    return func.EventGridEvent(
        id=event_id,
        data=data,
        topic="/subscriptions/s",
        subject=f"call/{server_call}/startedBy/{USER}",
        event_type=f"Microsoft.Communication.{name}",
        event_time=datetime(2026, 11, 20, 10, tzinfo=UTC),
        data_version="1.0",
    )


def hear(event: func.EventGridEvent) -> None:
    functions()["call_lifecycle"](event)


def ringing(app: App, **details: Any) -> str:
    app.ring(**details)
    return app.call_ids[-1]


def noticed(app: App, call_id: str) -> list[LifecycleEvent]:
    return [entry for entry in decode_all(app.store.load(call_id).journal) if isinstance(entry, LifecycleEvent)]


@every_type
def test_news_stands_in_its_call_s_journal_as_it_came(app: App, name: str) -> None:
    call_id = ringing(app)
    hear(news(name))
    (entry,) = noticed(app, call_id)
    assert (entry.id, entry.event["eventType"]) == ("grid-1", f"Microsoft.Communication.{name}")
    assert entry.event["data"]["serverCallId"] == SERVER_CALL
    for field, value in TYPES[name].items():
        assert entry.event["data"][field] == value


@every_type
def test_the_same_news_again_changes_nothing(app: App, name: str, caplog: pytest.LogCaptureFixture) -> None:
    call_id = ringing(app)
    hear(news(name))
    before = app.store.load(call_id)
    app.board.conductor._cache.take(call_id)  # on another instance, too
    caplog.clear()
    hear(news(name))
    assert app.store.load(call_id) == before
    (line,) = found([record.getMessage() for record in caplog.records], "delivery")
    assert (line["outcome"], line["type"]) == ("duplicate", name)


def test_each_kind_of_news_counts_and_none_disturbs_the_flow(app: App) -> None:
    call_id = ringing(app)
    for number, name in enumerate(TYPES):
        hear(news(name, event_id=f"grid-{number}"))
        app.react()
    app.run()
    assert [entry.id for entry in noticed(app, call_id)] == ["grid-0", "grid-1", "grid-2", "grid-3"]
    assert app.kinds == ["answer", "recognize", "play", "hang_up"]
    assert app.store.peek(call_id).outcome == "completed"
    load_flows()
    assert replay(app.board.conductor.flows["reception"], call_id, decode_all(app.store.load(call_id).journal)) == []


@every_type
def test_news_that_comes_after_the_end_is_journaled_and_archived(app: App, name: str) -> None:
    """Event Grid's CallEnded usually comes after the callback CallDisconnected."""
    call_id = ringing(app)
    app.run()
    assert app.store.peek(call_id).status == "ended"
    before = app.store.peek(call_id)
    for _ in range(2):
        hear(news(name))
    assert [entry.id for entry in noticed(app, call_id)] == ["grid-1"]
    assert [e["id"] for e in app.store.archive[call_id]["journal"] if e["entry"] == "noticed"] == ["grid-1"]
    record = app.store.peek(call_id)
    assert (record.outcome, record.ended_at, record.code) == (before.outcome, before.ended_at, before.code)
    assert list(app.store.open_calls()) == []
    assert app.kinds == ["answer", "recognize", "play", "hang_up"]


def test_news_goes_to_the_right_one_of_several_calls(app: App) -> None:
    first = ringing(app, correlation_id="5d1f3a52-0000-4000-8000-000000000001", context="first")
    other = incoming_call(correlation_id="5d1f3a52-0000-4000-8000-000000000002", context="second").get_json()
    app.gateway._answer = lambda request: {"callConnectionId": "c-2", "serverCallId": "b3RoZXI"}
    second = ringing(app, data={**other, "serverCallId": "b3RoZXI"})
    assert first != second
    hear(news("CallStarted", server_call="b3RoZXI"))
    assert (len(noticed(app, first)), len(noticed(app, second))) == (0, 1)


@every_type
def test_news_of_a_call_that_is_not_ours_is_logged_and_passed_over(
    app: App, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    call_id = ringing(app)
    caplog.clear()
    hear(news(name, server_call="Zm9yZWlnbg"))
    (line,) = found([record.getMessage() for record in caplog.records], "delivery")
    assert (line["outcome"], line["type"]) == ("unknown", name)
    assert noticed(app, call_id) == []


@pytest.mark.parametrize(
    "changes",
    [{"serverCallId": None}, {"serverCallId": ""}, {"serverCallId": 7}],
    ids=["no server call id", "an empty one", "a number"],
)
def test_malformed_news_is_logged_and_not_asked_for_again(
    app: App, changes: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    call_id = ringing(app)
    hear(news("CallParticipantAdded", **changes))  # an exception would have it delivered again
    assert "malformed event id=grid-1" in caplog.text
    assert noticed(app, call_id) == []


@pytest.mark.parametrize(("changes", "unread"), [({"correlationId": 7}, "correlationId"), ({"user": "nobody"}, "user")])
def test_news_with_an_odd_field_is_journaled_and_the_log_names_the_field(
    app: App, changes: dict[str, Any], unread: str, caplog: pytest.LogCaptureFixture
) -> None:
    call_id = ringing(app)
    hear(news("CallParticipantAdded", **changes))
    assert len(noticed(app, call_id)) == 1
    assert f"left out of CallParticipantAdded id=grid-1: 1 unreadable: {unread}" in caplog.text


@pytest.mark.parametrize("name", ["IncomingCall", "SomethingNew", "RecordingFileStatusUpdated"])
def test_what_is_no_news_of_a_call_does_not_enter_a_journal(
    app: App, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Above all not an IncomingCall, whose context would answer a call."""
    call_id = ringing(app)
    event = incoming_call() if name == "IncomingCall" else news(name, recordingStorageInfo={"recordingChunks": []})
    hear(event)
    assert "not a lifecycle event of a call" in caplog.text
    assert noticed(app, call_id) == []


def test_news_that_cannot_be_stored_now_is_asked_for_again(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    call_id = ringing(app)

    def fail(*_: object) -> Any:
        raise StoreUnavailable("down")

    with monkeypatch.context() as patch:
        patch.setattr(app.store, "commit", fail)
        with pytest.raises(StoreUnavailable):
            hear(news("CallStarted"))
    hear(news("CallStarted"))
    assert len(noticed(app, call_id)) == 1
