"""Export and erasure through the app's triggers: a whole call, then nothing of the person."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from azure.functions.timer import TimerRequest

from shared.calls.store.memory import MemoryDoNotRecord, MemoryStore
from shared.composition.notifications import Notifications, announce_campaign_again
from shared.composition.readiness import check_hash_keys
from shared.composition.recordings import Recordings
from shared.privacy import NumberHashes
from shared.recordings.memory import MemoryArchive
from shared.web.notifications import DeadLetterService
from shared.web.reports import ReportService
from tests.functional.app import CALLER, CALLER_NAME, App, functions, http_routes, problem, running
from tests.unit.kept.world import EARLIER, Kept


class Room:
    """The app, and what its calls leave in memory."""

    def __init__(self) -> None:
        self.kept = Kept()
        self.app: App

    def recordings(self, store: MemoryStore) -> Recordings:
        world = self.kept.recordings
        service = ReportService(world.pipeline, world.ledger, world.archive, link_seconds=60)
        return Recordings(world.pipeline, service)

    def notifications(self, store: MemoryStore) -> Notifications:
        return Notifications(
            self.kept.notifier, DeadLetterService(self.kept.notifier, self.kept.letters, announce_campaign_again)
        )

    def call(self) -> str:
        """A call comes, is answered and ends; its id."""
        self.app.ring()
        self.app.run()
        call_id = self.app.call_ids[-1]
        record = self.app.store.peek(call_id)
        if record.status != "ended":
            url = self.app.gateway.sent[-1].callback_url
            self.app.call_back(url, self.app.wire.event("CallDisconnected"))
        self.app.later.flush()
        assert self.app.store.archive.keys() == {call_id}
        return call_id

    def later(self, seconds: float) -> None:
        """Time passes for what is kept."""
        kept = self.app.board.kept()
        for part in (kept.people, kept.retention, kept.people._calls):
            part._clock = lambda: time.time() + seconds

    def ask(self, verb: str, **body: Any) -> Any:
        url = f"https://app.example/api/people/{verb}"
        response = self.app.request("POST", url, json.dumps({"number": CALLER, **body}).encode())
        assert response.status_code == 200
        return json.loads(response.get_body())


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    room = Room()
    streams = MemoryArchive()
    with running(tmp_path, recordings=room.recordings, notifications=room.notifications, streams=streams) as room.app:
        yield room


def test_the_receipt_names_a_number_that_is_switched_off(room: Room) -> None:
    told = "the number is switched off; POST /api/switches turns it on, and forgets it"
    assert told not in room.ask("erase")["stays"]
    body = json.dumps({"by": "Ada", "numbers": {CALLER: "off"}}).encode()
    assert room.app.request("POST", "/api/switches", body).status_code == 200
    assert told in room.ask("erase")["stays"]


def test_a_whole_call_is_exported_then_erased_without_a_trace(room: Room, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    call_id = room.call()
    room.later(3600)
    (exported,) = room.ask("export")["calls"]
    assert exported["call_id"] == call_id
    assert exported["call"]["caller"] == f"4:{CALLER}"
    assert CALLER_NAME in json.dumps(exported["journal"])
    receipt = room.ask("erase")
    assert [(call["call_id"], call["erased"]) for call in receipt["calls"]] == [(call_id, True)]
    assert receipt["complete"]
    store = room.app.store
    rows = {name: kept for name, kept in store._rows.items() if kept}
    assert list(rows.pop(f"ended {datetime.now(UTC):%Y-%m-%d}")) == ["counter 0"], "figures, which name nobody"
    assert repr((store._calls, store.archive, rows)) == "({}, {}, {})"
    assert room.ask("export")["calls"] == []
    assert "erased calls=1 kept=0 complete=True" in caplog.text
    assert CALLER[2:] not in caplog.text


def test_an_event_that_comes_after_the_erasure_brings_nothing_back(room: Room) -> None:
    room.call()
    url = room.app.gateway.sent[0].callback_url
    room.later(3600)
    assert room.ask("erase")["complete"]
    assert problem(room.app.call_back(url, room.app.wire.event("CallDisconnected")))["status"] == 404
    assert room.app.store._calls == {}


def test_a_call_that_goes_on_is_named_and_stays(room: Room) -> None:
    room.app.ring()
    room.app.react()
    receipt = room.ask("erase")
    assert [(call["erased"], call["stays"]) for call in receipt["calls"]] == [(False, "the call goes on")]
    assert not receipt["complete"]
    assert len(room.app.store._calls) == 1


def test_the_timer_removes_expired_calls(room: Room, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    room.call()
    functions()["call_upkeep"](TimerRequest())
    assert len(room.app.store._calls) == 1
    room.later(32 * 86_400)
    functions()["call_upkeep"](TimerRequest())
    assert room.app.store._calls == {}
    assert "calls expired=1 forgotten=0 rehashed=0 failed=0" in caplog.text


def test_both_routes_ask_for_the_master_key_and_name_no_number(room: Room) -> None:
    routes = {route.name: route for route in http_routes() if route.template.startswith("people/")}
    assert {name: (route.auth_level, route.methods) for name, route in routes.items()} == {
        "export_person": ("admin", ("POST",)),
        "erase_person": ("admin", ("POST",)),
    }
    assert not any("{" in route.template for route in routes.values())
    wrong = room.app.request("POST", "https://app.example/api/people/erase", b'{"number": "Ada"}')
    assert problem(wrong)["field"] == "number"


@pytest.mark.parametrize("kept_in", ["store", "list"])
def test_hashes_under_a_key_that_is_gone_are_told_at_start(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, kept_in: str
) -> None:
    with running(tmp_path) as app:
        check_hash_keys(app.board)
        assert "hash key" not in caplog.text
        earlier = NumberHashes(EARLIER)
        if kept_in == "store":
            _call_under(app.store, earlier)
        else:
            _list_under(app, earlier).add(CALLER)
        check_hash_keys(app.board)
        assert "numbers are kept under a hash key that is not set" in caplog.text
        assert earlier.key_ids[0] in caplog.text


def _call_under(store: MemoryStore, numbers: NumberHashes) -> None:
    """A call that was kept under another key."""
    mine, store._numbers = store._numbers, numbers
    kept = Kept()
    kept.store = store
    kept.call()
    store._numbers = mine


def _list_under(app: App, numbers: NumberHashes) -> MemoryDoNotRecord:
    """The app's list, as an instance with another key sees it."""
    assert isinstance(app.board.do_not_record, MemoryDoNotRecord)
    other = MemoryDoNotRecord(numbers)
    other.rows = app.board.do_not_record.rows
    return other
