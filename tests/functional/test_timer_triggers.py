"""Wake-ups, the watchdog, and what no function may ever log."""

from __future__ import annotations

import json
import logging
import time

import pytest

from shared.calls import FLOWS, Call, Flow, text
from shared.calls.store.memory import MemoryStore
from shared.errors import StoreUnavailable
from tests.functional.app import CALLER, CALLER_NAME, NUMBER, App, functions, incoming_call
from tests.telemetry_lines import found


async def napping(call: Call) -> None:
    """Sleeps, then speaks."""
    await call.sleep(30)
    await call.play(text("good morning"))


@pytest.fixture
def sleeper(app: App, monkeypatch: pytest.MonkeyPatch) -> tuple[str, int, int]:
    """A call whose flow sleeps: call id, operation and due time of its wake-up."""
    monkeypatch.setitem(FLOWS, "reception", Flow("reception", napping))
    app.ring()
    app.run()
    due: tuple[str, int, int]
    (due,) = app.timers.due
    return due


def wake_up(call_id: str, seq: int, due: int) -> str:
    return json.dumps({"call_id": call_id, "seq": seq, "due": due})


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]


def test_the_watchdog_looks_at_once_where_an_instance_starts() -> None:
    """The instance that was to look again may just have died."""
    assert functions()["watchdog"].get_trigger().run_on_startup is True


def test_a_wake_up_before_its_time_is_sent_round_again(app: App, sleeper: tuple[str, int, int]) -> None:
    app.timers.due.clear()
    app.queue(wake_up(*sleeper))
    assert app.timers.due == [sleeper]
    assert app.kinds == ["answer"]


def test_a_wake_up_lets_the_flow_go_on_and_a_second_one_changes_nothing(
    app: App, sleeper: tuple[str, int, int], caplog: pytest.LogCaptureFixture
) -> None:
    app.clock.pass_seconds(31)
    app.queue(wake_up(*sleeper))
    assert app.kinds == ["answer", "play"]
    app.queue(wake_up(*sleeper))
    assert app.kinds == ["answer", "play"]
    lines = found([record.getMessage() for record in caplog.records], "delivery")
    assert [line["outcome"] for line in lines if line["function"] == "wake_up"] == ["advanced", "duplicate"]


def test_a_wake_up_for_a_call_that_is_over_changes_nothing(
    app: App, sleeper: tuple[str, int, int], caplog: pytest.LogCaptureFixture
) -> None:
    gone = app.wire.event("CallDisconnected", None, (200, 7000, "over"))
    assert app.call_back(app.board.urls.url(sleeper[0], "call"), gone).status_code == 200
    app.clock.pass_seconds(31)
    app.queue(wake_up(*sleeper))
    assert app.kinds == ["answer"]
    assert found([record.getMessage() for record in caplog.records], "delivery")[-1]["outcome"] == "late"


def test_a_wake_up_for_an_operation_that_does_not_exist_changes_nothing(
    app: App, sleeper: tuple[str, int, int]
) -> None:
    app.clock.pass_seconds(31)
    for seq in (99, -1, 0):
        app.queue(wake_up(sleeper[0], seq, sleeper[2]))
    assert app.kinds == ["answer"]


JUNK = {
    "nothing": b"",
    "text": b"hello",
    "a list": b"[]",
    "a number": b"7",
    "null": b"null",
    "an empty object": b"{}",
    "no time": b'{"call_id": "a", "seq": 1}',
    "a position that is no number": b'{"call_id": "a", "seq": "x", "due": 1}',
    "a time without end": b'{"call_id": "a", "seq": 1, "due": Infinity}',
    "no time at all": b'{"call_id": "a", "seq": 1, "due": NaN}',
    "not UTF-8": b"\xff\xfe\xfd",
    "nested": b"[" * 100_000,
    "a call that nobody knows": wake_up("0" * 32, 1, 1).encode(),
    "a call id that is no text": b'{"call_id": {}, "seq": 1, "due": 1}',
}


@pytest.mark.parametrize("junk", JUNK.values(), ids=JUNK)
def test_junk_in_the_queue_is_dropped_with_an_error_and_not_redelivered(
    app: App, caplog: pytest.LogCaptureFixture, junk: bytes
) -> None:
    app.queue(junk)  # what raises comes back, and ends in the poison queue
    assert len(errors(caplog)) == 1
    assert "wake-up dropped" in errors(caplog)[0]


def test_a_wake_up_is_redelivered_while_the_store_is_away(
    app: App, sleeper: tuple[str, int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise StoreUnavailable("down")

    app.clock.pass_seconds(31)
    with monkeypatch.context() as patch:
        patch.setattr(MemoryStore, "commit", away)
        with pytest.raises(StoreUnavailable):
            app.queue(wake_up(*sleeper))
    app.queue(wake_up(*sleeper))
    assert app.kinds == ["answer", "play"]


# The watchdog


def test_the_watchdog_leaves_a_call_alone_that_hears_things(app: App) -> None:
    app.ring()
    app.react()
    app.tick()
    assert app.kinds == ["answer", "recognize"]


def test_the_watchdog_ends_a_call_that_the_service_no_longer_knows(app: App, caplog: pytest.LogCaptureFixture) -> None:
    app.ring()
    app.react()
    (call_id,) = app.call_ids
    app.clock.pass_seconds(61)
    app.tick()
    app.later.flush()
    record = app.store.peek(call_id)
    assert (record.status, record.outcome) == ("ended", "settled")
    assert list(app.store.open_calls()) == []
    assert f"watchdog advanced call={call_id}" in caplog.text


def test_the_watchdog_gives_up_on_an_outcome_that_never_came_and_the_caller_hears_the_apology(app: App) -> None:
    app.ring()
    app.react()
    (call_id,) = app.call_ids
    app.gateway.states[app.store.peek(call_id).call_connection_id] = "connected"
    app.clock.pass_seconds(400)
    app.tick()
    assert app.kinds == ["answer", "recognize", "play"]
    app.seen = 2  # the answer to recognize is what got lost
    app.run()
    assert app.kinds[-1] == "hang_up"
    record = app.store.peek(call_id)
    assert (record.status, record.outcome) == ("ended", "failed")


def test_one_call_that_cannot_be_settled_does_not_keep_the_watchdog_from_the_others(
    app: App, caplog: pytest.LogCaptureFixture
) -> None:
    app.ring(correlation_id="first", context="first")
    app.ring(correlation_id="second", context="second")
    app.react()
    bad, good = app.call_ids
    del app.store._calls[bad]  # its rows are gone, the list of open calls still names it
    app.clock.pass_seconds(61)
    app.tick()
    assert app.store.peek(good).status == "ended"
    assert any(bad in message for message in errors(caplog))


def test_the_watchdog_goes_on_without_the_store_the_next_time(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> None:
        raise StoreUnavailable("down")

    app.ring()
    app.react()
    app.clock.pass_seconds(61)
    with monkeypatch.context() as patch:
        patch.setattr(MemoryStore, "commit", away)
        app.tick()
    for _ in range(2):  # the first time round it sends again what nothing shows to have left
        app.tick()
        app.clock.pass_seconds(61)
    assert app.store.peek(app.call_ids[0]).status == "ended"


# What must not be said


def test_no_line_of_the_log_tells_who_calls_nor_how_to_answer_for_them(
    app: App, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    app.ring()
    app.run()
    app.ring()  # a duplicate
    app.ring(incoming_call(to={"phoneNumber": {"value": CALLER + "x"}}))
    app.ring(incoming_call(caller=7))
    app.ring(incoming_call(event_type="Microsoft.Communication.Other"))
    url = app.board.urls.url(app.call_ids[0], "call")
    app.call_back(url, app.wire.event("ParticipantsUpdated", participants=[{"identifier": CALLER}]))
    app.post(url, json.dumps([{"id": CALLER, "type": NUMBER}]).encode())
    app.request("POST", url, b"", {"Authorization": "Bearer " + CALLER})
    app.queue(json.dumps({"call_id": "a"}))
    app.ring(correlation_id="another", context="opaque-incoming-call-context-2")
    app.react()
    app.clock.pass_seconds(400)
    app.tick()
    assert len(caplog.records) > 8
    secrets = {
        "the caller's number": CALLER.removeprefix("+"),
        "the callee's number": NUMBER.removeprefix("+"),
        "the caller's name": CALLER_NAME,
        "the incoming call context": "opaque-incoming-call-context",
        "a custom header": "the caller's own words",
        "a signature": "?sig=",
        "a token": "eyJ",
    }
    formatter = logging.Formatter()
    for record in caplog.records:
        line = formatter.format(record)
        for what, secret in secrets.items():
            assert secret not in line, f"{what} is in the log: {line[:300]}"


def test_every_delivery_ends_in_one_logged_outcome(app: App, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    app.ring()
    app.run()
    delivered = found([record.getMessage() for record in caplog.records], "delivery")
    callbacks = sum(len(app.wire.reaction(request)) for request in app.gateway.performed)
    assert len(delivered) == 1 + callbacks
    call_id = app.call_ids[0]
    assert {line["call"] for line in delivered} == {call_id}


def test_a_flow_that_raises_is_told_to_the_caller_and_to_the_log(
    app: App, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(call: Call) -> None:
        raise RuntimeError("a bug in the flow")

    monkeypatch.setitem(FLOWS, "reception", Flow("reception", broken))
    app.ring()
    app.run()
    assert app.kinds == ["answer", "play", "hang_up"]
    assert app.store.peek(app.call_ids[0]).outcome == "failed"
    assert any("flow" in message and app.call_ids[0] in message for message in errors(caplog))


def test_the_functions_take_little_of_the_processor(app: App) -> None:
    app.ring()
    started = time.process_time()
    app.run()
    assert time.process_time() - started < 1
