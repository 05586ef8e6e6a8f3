"""Health as somebody without a key sees it: one word, that costs next to nothing and tells nothing."""

from __future__ import annotations

import json
import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

import shared.health
from shared import composition
from shared.calls.store.memory import MemoryStore
from shared.errors import SettingsError, StoreUnavailable
from shared.health import KEPT_SECONDS, USABLE_SECONDS, Health, HealthCheck
from tests.functional.app import App

URL = "https://app.example/api/health"
SECRET = "https://account.table.core.windows.net/switchboardindex()?sv=2026&sig=c2VjcmV0"


class Looking:
    """What a check finds, and how often it looked; `gate` holds it up."""

    def __init__(self, found: Health = "ok") -> None:
        self.found: Health = found
        self.looks = 0
        self.now = 1000.0
        self.began = threading.Event()
        self.gate = threading.Event()
        self.gate.set()
        self.check = HealthCheck(self.look, lambda: self.now)

    def look(self) -> Health:
        self.looks += 1
        self.began.set()
        assert self.gate.wait(10)
        return self.found


def asked(app: App) -> tuple[int, object]:
    response = app.request("GET", URL)
    assert response.headers["Cache-Control"] == "no-store"
    return response.status_code, json.loads(response.get_body())


def fail_with(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def away(_: object) -> None:
        raise error

    monkeypatch.setattr(MemoryStore, "healthy", away)


def test_health_is_one_word_when_the_store_answers(app: App) -> None:
    assert asked(app) == (200, {"status": "ok"})


@pytest.mark.parametrize("error", [StoreUnavailable(f"no answer of {SECRET}"), RuntimeError(SECRET)])
def test_the_storage_s_words_reach_neither_the_response_nor_the_log(
    app: App, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    caplog.set_level(logging.DEBUG)
    fail_with(monkeypatch, error)
    assert asked(app) == (503, {"status": "degraded"})
    assert type(error).__name__ in caplog.text
    assert "sig=" not in caplog.text


@pytest.mark.parametrize(
    "error",
    [
        SettingsError("ACS_ENDPOINT", "ACS_ENDPOINT: Field required", "See docs/settings.md."),
        ValueError("a flow cannot be imported"),
    ],
)
def test_an_app_that_cannot_be_put_together_is_misconfigured_and_its_log_says_why(
    app: App, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    def wrong(_: object) -> None:
        raise error

    composition.switchboard.cache_clear()
    monkeypatch.setattr("shared.composition.board.compose", wrong)
    assert asked(app) == (503, {"status": "misconfigured"})
    assert str(error) in caplog.text


def test_a_thousand_questions_ask_the_storage_once(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[object] = []

    def healthy(store: MemoryStore) -> None:
        looks.append(store)

    monkeypatch.setattr(MemoryStore, "healthy", healthy)
    now = time.monotonic()
    monkeypatch.setattr(shared.health.health, "_clock", lambda: now)  # a busy machine may take its seconds
    assert {asked(app)[0] for _ in range(1000)} == {200}
    assert len(looks) == 1


def test_an_outcome_stands_for_seconds_and_no_longer() -> None:
    looking = Looking()
    assert looking.check() == "ok"
    looking.found = "degraded"
    looking.now += KEPT_SECONDS - 0.1
    assert looking.check() == "ok"
    looking.now += 0.2
    assert looking.check() == "degraded"
    assert looking.looks == 2
    assert (shared.health.KEPT_SECONDS, shared.health.USABLE_SECONDS) == (5.0, 30.0)


def test_one_thread_looks_and_the_others_get_its_outcome() -> None:
    looking = Looking()
    looking.gate.clear()
    with ThreadPoolExecutor(8) as threads:
        asked = [threads.submit(looking.check) for _ in range(8)]
        assert looking.began.wait(10)
        looking.gate.set()
        assert {one.result(10) for one in asked} == {"ok"}
    assert looking.looks == 1


def test_while_one_thread_looks_anew_the_others_get_the_last_outcome_until_it_is_old(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("shared.health.WAIT_SECONDS", 0.05)
    looking = Looking()
    looking.check()
    looking.now += KEPT_SECONDS
    looking.gate.clear()
    looking.began.clear()
    with ThreadPoolExecutor(1) as threads:
        stuck = threads.submit(looking.check)
        assert looking.began.wait(10)
        began = time.monotonic()
        assert looking.check() == "ok"
        assert time.monotonic() - began < 0.8, "at once: who has an outcome waits for no other"
        assert not stuck.done()
        looking.now += USABLE_SECONDS
        assert looking.check() == "degraded"  # a storage that takes so long is not well
        looking.gate.set()
        assert stuck.result(10) == "ok"
    assert looking.looks == 2


def test_a_change_of_health_is_logged_and_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    looking = Looking()
    outcomes: list[Health] = ["ok", "ok", "degraded", "degraded", "ok"]
    for looking.found in outcomes:
        looking.check()
        looking.now += KEPT_SECONDS
    assert [record.getMessage() for record in caplog.records] == ["health is ok", "health is degraded", "health is ok"]


def test_a_failure_that_nobody_expects_is_misconfigured_and_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> None:
        raise LookupError("a bug")

    monkeypatch.setattr("shared.health.switchboard", broken)
    assert shared.health._look() == "misconfigured"
    assert "LookupError: a bug" in caplog.text
