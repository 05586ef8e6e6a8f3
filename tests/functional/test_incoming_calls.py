"""Incoming calls through the Event Grid trigger."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import azure.functions as func
import pytest

from shared.calls import FLOWS, Call, Flow, actions
from shared.calls.record import CallRecord
from shared.errors import StoreUnavailable
from shared.identifiers import Identifier
from tests.functional.app import (
    CALLER,
    NUMBER,
    REDIRECT_TARGET,
    REDIRECTED,
    REJECTED,
    App,
    functions,
    incoming_call,
)
from tests.telemetry_lines import found
from tests.wire_identifiers import to_wire


def outcome(app: App, call_id: str) -> tuple[str, str]:
    record = app.store.peek(call_id)
    return record.status, record.outcome


def test_an_incoming_call_is_claimed_and_answered_with_its_context_and_a_callback_url_of_its_own(app: App) -> None:
    app.ring()
    (request,) = app.gateway.sent
    assert isinstance(request.action, actions.Answer)
    assert request.incoming_call_context == "opaque-incoming-call-context"
    assert request.callback_url.startswith(f"https://app.example/api/callbacks/{request.call_id}?sig=")
    record = app.store.peek(request.call_id)
    assert (record.status, record.flow) == ("ringing", "reception")
    assert (record.caller, record.callee) == (f"4:{CALLER}", f"4:{NUMBER}")
    assert list(app.store.open_calls()) == [request.call_id]


def test_a_call_goes_from_its_first_event_to_its_archive(app: App) -> None:
    app.ring()
    app.run(heard="sales")
    assert app.kinds == ["answer", "recognize", "play", "hang_up"]
    (call_id,) = app.call_ids
    assert outcome(app, call_id) == ("ended", "completed")
    assert list(app.store.open_calls()) == []
    assert app.store.archive[call_id]["outcome"] == "completed"


def test_a_rule_can_reject_a_call_with_its_reason(app: App) -> None:
    app.ring(to=REJECTED)
    (request,) = app.gateway.sent
    assert request.action == actions.Reject(reason="forbidden")
    assert outcome(app, request.call_id) == ("ended", "rejected")


def test_a_rule_can_redirect_a_call(app: App) -> None:
    app.ring(to=REDIRECTED)
    (request,) = app.gateway.sent
    assert request.action == actions.Redirect(target=Identifier.parse(REDIRECT_TARGET))
    assert outcome(app, request.call_id) == ("ended", "redirected")


def test_a_redirected_call_that_comes_back_is_rejected_and_not_sent_round_again(app: App) -> None:
    app.ring(to=REDIRECTED, context="first")
    app.ring(to=REDIRECTED, context="second")
    assert app.kinds == ["redirect", "reject"]
    assert app.gateway.sent[1].incoming_call_context == "second"


def test_the_ring_that_a_redirect_raises_at_a_user_is_left_to_that_user(
    app: App, caplog: pytest.LogCaptureFixture
) -> None:
    app.ring(to=to_wire(Identifier.parse(REDIRECT_TARGET)))
    assert app.gateway.sent == []
    (line,) = found([record.getMessage() for record in caplog.records], "delivery")
    assert (line["outcome"], line["action"], line["rule"]) == ("left_ringing", "leave", "sent on")


@pytest.mark.parametrize("event_id", ["the-same-event", None], ids=["same event id", "new event id"])
def test_the_same_ringing_again_answers_nothing(app: App, event_id: str | None) -> None:
    app.ring(event_id=event_id)
    app.ring(event_id=event_id)
    app.run()
    app.ring(event_id=event_id)  # and late, when the call is over
    assert app.kinds.count("answer") == 1
    assert len(app.call_ids) == 1


def test_ringing_the_same_callee_again_after_the_end_is_a_new_call(app: App) -> None:
    app.ring(context="first")
    app.run()
    app.ring(context="second")
    app.run()
    assert app.kinds.count("answer") == 2
    first, second = app.call_ids
    assert outcome(app, first) == outcome(app, second) == ("ended", "completed")


def test_one_conversation_may_ring_two_callees(app: App) -> None:
    app.ring(to=NUMBER, context="first")
    app.ring(to="+18005550188", context="second")
    assert len(app.call_ids) == 2


def test_a_call_that_rang_too_long_ago_is_not_answered(app: App, caplog: pytest.LogCaptureFixture) -> None:
    app.ring(at=datetime.now(UTC) - timedelta(seconds=31))
    assert app.gateway.sent == []
    (line,) = found([record.getMessage() for record in caplog.records], "delivery")
    assert (line["outcome"], line["function"]) == ("stale", "incoming_call")
    assert line["lag_ms"] > 30_000
    app.ring(at=datetime.now(UTC) - timedelta(seconds=25))
    assert app.kinds == ["answer"]


MALFORMED: dict[str, dict[str, Any]] = {
    "no data": {"data": {}},
    "data that is text": {"data": "nothing"},
    "a list": {"data": [1]},
    "a callee that is no identifier": {"to": {"kind": "phoneNumber"}},
    "a caller that is a number": {"caller": 7},
    "no context": {"context": ""},
    "no correlation id": {"correlation_id": ""},
    "half a surrogate pair": {"context": "\ud800"},
}


@pytest.mark.parametrize("details", MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_event_is_logged_as_an_error_and_not_retried(
    app: App, caplog: pytest.LogCaptureFixture, details: dict[str, Any]
) -> None:
    app.ring(incoming_call(event_id="odd-1", **details))  # what raises would be delivered again
    assert app.gateway.sent == []
    (record,) = [r for r in caplog.records if r.levelname == "ERROR"]
    assert "malformed event id=odd-1" in record.getMessage()


def test_an_event_without_a_time_is_malformed(app: App, caplog: pytest.LogCaptureFixture) -> None:
    event = incoming_call()
    app.ring(
        func.EventGridEvent(
            id="timeless",
            data=event.get_json(),
            topic=event.topic,
            subject=event.subject,
            event_type=event.event_type,
            event_time=None,
            data_version="1.0",
        )
    )
    assert app.gateway.sent == []
    assert "malformed event id=timeless field=eventTime" in caplog.text


def test_another_event_is_logged_and_changes_nothing(app: App, caplog: pytest.LogCaptureFixture) -> None:
    app.ring(event_type="Microsoft.Communication.SomethingNew")
    assert app.gateway.sent == []
    assert "not an incoming call" in caplog.text


def test_while_the_store_is_away_event_grid_is_to_try_again(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> None:
        raise StoreUnavailable("down")

    with monkeypatch.context() as patch:
        patch.setattr(app.store, "claim", away)
        with pytest.raises(StoreUnavailable):
            app.ring(event_id="one")
    assert app.gateway.sent == []
    app.ring(event_id="one")
    assert app.kinds == ["answer"]


def test_a_crash_after_the_claim_is_made_good_by_the_redelivery(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    class Dead(BaseException):
        pass

    def die(_: object) -> None:
        raise Dead

    with monkeypatch.context() as patch:
        patch.setattr(app.gateway, "perform", die)
        with pytest.raises(Dead):
            app.ring(event_id="one")
    app.clock.pass_seconds(21)  # the grace in which another instance might still be sending
    app.ring(event_id="one", at=datetime.now(UTC) + timedelta(seconds=21))
    assert app.kinds == ["answer"]
    app.run()
    assert outcome(app, app.call_ids[0]) == ("ended", "completed")


def test_a_claim_that_was_written_though_the_storage_did_not_say_so_is_answered_while_it_rings(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim = app.store.claim

    def lost(record: CallRecord, entries: list[str]) -> None:
        claim(record, entries)
        raise StoreUnavailable("read timed out")

    with monkeypatch.context() as patch:
        patch.setattr(app.store, "claim", lost)
        with pytest.raises(StoreUnavailable):
            app.ring(event_id="one")
    app.clock.pass_seconds(1)
    app.ring(event_id="one")
    assert app.gateway.sent == [], "a true duplicate, while the first delivery is at work"
    app.clock.pass_seconds(9)
    app.ring(event_id="one")  # Event Grid's first redelivery, ten seconds after the failure
    assert app.kinds == ["answer"]
    app.run()
    assert outcome(app, app.call_ids[0]) == ("ended", "completed")


def test_a_duplicate_that_the_storage_held_up_does_not_answer_again(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    claim = app.store.claim

    def slow(record: CallRecord, entries: list[str]) -> object:
        app.clock.pass_seconds(9)
        return claim(record, entries)

    app.ring(event_id="one")
    monkeypatch.setattr(app.store, "claim", slow)
    app.ring(event_id="one")
    assert app.kinds == ["answer"]


def test_a_flow_that_opens_the_call_itself_gets_it_ringing(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    async def choosy(call: Call) -> None:
        await call.reject("busy")

    monkeypatch.setitem(FLOWS, "reception", Flow("reception", choosy, opens=True))
    app.ring()
    assert [request.action for request in app.gateway.sent] == [actions.Reject(reason="busy")]


def test_the_function_is_an_event_grid_trigger() -> None:
    trigger = functions()["incoming_call"].get_trigger()
    assert trigger.type == "eventGridTrigger"
