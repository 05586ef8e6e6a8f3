"""What is wrong with the app, as the HTTP API and the page Status say it: refusals, poison queues, settings."""

from __future__ import annotations

import json
from typing import Any

import pytest

from handlers.callbacks import CALL_ID
from shared import composition
from shared.calls.claims import placed_id
from shared.errors import SettingsError, StoreUnavailable
from tests.functional.app import App

PUT_BACK = "/api/diagnostics/queues/{}/put-back"


def look(app: App) -> dict[str, Any]:
    answer = app.request("GET", "/api/diagnostics")
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    return dict(json.loads(answer.get_body()))


def levels(app: App) -> dict[str, str]:
    return {one["id"]: one["level"] for one in look(app)["findings"]}


def refuse(app: App) -> None:
    url = f"https://app.example/api/callbacks/{'0' * 32}?sig=wrong"
    assert app.request("POST", url, b"[]").status_code == 403


def test_what_is_wrong_comes_first_and_what_runs_is_there(app: App) -> None:
    found = look(app)
    assert {"settings.right", "storage.answers", "event-grid.silent", "speech.none"} <= levels(app).keys()
    assert found["facts"]["Python"].startswith("3.")
    assert found["facts"]["Newest callback taken by this instance"] == "none"
    assert found["facts"]["Newest call that came in"] == "none within 7 days"
    order = ["wrong", "look", "fine"]
    assert [order.index(one["level"]) for one in found["findings"]] == sorted(
        order.index(one["level"]) for one in found["findings"]
    )


def test_the_newest_incoming_call_and_callback_are_told(app: App) -> None:
    app.ring()
    app.run()
    facts = look(app)["facts"]
    for name in ("Newest IncomingCall taken by this instance", "Newest callback taken by this instance"):
        assert facts[name].endswith(" UTC"), name
    assert facts["Newest callback refused by this instance"] == "none"


def test_refused_callbacks_are_wrong_until_one_is_taken(app: App) -> None:
    """Callbacks that are refused."""
    refuse(app)
    assert levels(app)["callbacks.refused"] == "look", "a stranger"
    refuse(app)
    refuse(app)
    (one,) = [one for one in look(app)["findings"] if one["id"] == "callbacks.refused"]
    assert one["level"] == "wrong"
    assert one["seen"] == (
        "3 callbacks were refused by this instance, the newest with 403: "
        "the callback URL is not one that this app signed for this call."
    )
    assert one["remedy"].startswith("Compare CALLBACK_SIGNING_KEY")
    app.ring()
    app.run()
    assert levels(app)["callbacks.refused"] == "look"


def test_the_ids_of_calls_are_such_as_count(app: App) -> None:
    app.ring()
    assert all(CALL_ID.fullmatch(name) for name in (app.call_ids[0], f"{app.call_ids[0]}02", placed_id("a key")))


def test_a_stranger_who_names_no_call_is_not_told(app: App) -> None:
    for _ in range(3):
        app.request("POST", "https://app.example/api/callbacks/doctor?sig=wrong", b"[]")
    assert "callbacks.refused" not in levels(app)


def test_a_token_for_another_resource_is_told_with_the_setting(app: App) -> None:
    app.ring()
    url = app.board.urls.url(app.call_ids[0], "call")
    token = app.issuer.token(aud="11111111-2222-4333-8444-555555555555")
    for _ in range(3):
        assert app.request("POST", url, b"[]", {"Authorization": f"Bearer {token}"}).status_code == 401
    (one,) = [one for one in look(app)["findings"] if one["id"] == "callbacks.refused"]
    assert (one["level"], one["remedy"].split()[1]) == ("wrong", "ACS_RESOURCE_ID")


def test_messages_that_failed_are_counted_and_can_be_put_back(app: App) -> None:
    app.poison.queues["switchboard-timers"] = 3
    assert levels(app)["queues.poison.timers"] == "look"
    answer = app.request("POST", PUT_BACK.format("timers"))
    assert (answer.status_code, json.loads(answer.get_body())) == (200, {"queue": "timers", "messages": 3})
    assert "queues.poison.timers" not in levels(app)


def test_a_queue_that_is_none_of_the_app_s_is_not_touched(app: App) -> None:
    answer = app.request("POST", PUT_BACK.format("others"))
    assert (answer.status_code, json.loads(answer.get_body())["remedy"]) == (400, "Known: timers, uses.")


def test_queues_that_cannot_be_read_do_not_keep_the_rest(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> dict[str, int]:
        raise StoreUnavailable("no")

    monkeypatch.setattr(app.poison, "counts", away)
    assert levels(app)["storage.answers"] == "fine"


def test_it_works_while_the_settings_are_wrong(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(settings: Any) -> None:
        raise SettingsError.of([("RING_SECONDS", "is no number")])

    monkeypatch.setattr("shared.composition.board.compose", wrong)
    composition.switchboard.cache_clear()
    assert look(app)["findings"][0]["seen"] == "RING_SECONDS: is no number"
    assert app.request("POST", PUT_BACK.format("timers")).status_code == 503
