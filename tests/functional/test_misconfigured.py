"""An app whose settings, routing or flows are wrong: each function refuses, nothing is lost, the log says it once."""

from __future__ import annotations

import json
import logging
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import azure.functions as func
import pytest
from azure.functions.timer import TimerRequest

from shared.composition import start_early, switchboard
from shared.composition.recordings import Recordings
from shared.errors import InvalidInput, Misconfigured, ScorecardError, SettingsError
from shared.settings import Settings, settings
from tests.functional.app import Route, functions, http_routes, incoming_call, running
from tests.setting_samples import REQUIRED

AZURE = {"WEBSITE_INSTANCE_ID": "7f1c", "FUNCTIONS_WORKER_RUNTIME": "python"}
EVENTS = {
    "incoming_call": incoming_call(),
    "call_lifecycle": incoming_call(
        event_type="Microsoft.Communication.CallStarted",
        data={
            "startedBy": {"communicationIdentifier": {"rawId": "4:+14255550123"}},
            "serverCallId": "c2VydmVy",
            "group": {"id": "g"},
            "isTwoParty": True,
            "correlationId": "c",
            "isRoomsCall": False,
        },
    ),
    "recording_file": incoming_call(
        event_type="Microsoft.Communication.RecordingFileStatusUpdated",
        data={
            "recordingStorageInfo": {"recordingChunks": []},
            "recordingStartTime": "2026-11-27T20:00:00Z",
            "recordingDurationMs": 1,
            "sessionEndReason": "CallEnded",
        },
    ),
}
QUEUED = b'{"call_id": "c", "seq": 1, "due": 1, "recording": "r", "chunk": 0}'

Environment = Callable[..., None]


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[Environment]:
    """Gives the process these settings and no others, and a fresh start."""

    def given(values: dict[str, str], **more: str) -> None:
        for name in ("FUNCTIONS_WORKER_RUNTIME", "WEBSITE_HOSTNAME", *REQUIRED):
            monkeypatch.delenv(name, raising=False)
        for name, value in {**values, **more}.items():
            monkeypatch.setenv(name, value)
        settings.cache_clear()
        switchboard.cache_clear()

    yield given
    settings.cache_clear()
    switchboard.cache_clear()


def trigger(name: str) -> str:
    return str(functions()[name].get_trigger().get_binding_name())


def named(kind: str) -> list[str]:
    found = [name for name in functions() if trigger(name) == kind]
    assert found
    return found


def ask(route: Route) -> func.HttpResponse:
    request = func.HttpRequest(
        route.methods[0],
        f"https://app.example/api/{route.template}",
        route_params={name: "play" if name == "action" else "1" for name in re.findall(r"{(\w+)}", route.template)},
        params={},
        headers={},
        body=b"{}",
    )
    return route.function(request)


def refuse_all() -> None:
    """Every function that no one asks over HTTP raises, so that its trigger brings the same again."""
    for name in named("eventGridTrigger"):
        with pytest.raises(Misconfigured):
            functions()[name](EVENTS[name])
    for name in named("queueTrigger"):
        for body in (QUEUED, b"junk"):
            with pytest.raises(Misconfigured):
                functions()[name](func.QueueMessage(id="m", body=body))
    for name in named("timerTrigger"):
        with pytest.raises(Misconfigured):
            functions()[name](TimerRequest())


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


WRONG: dict[str, tuple[dict[str, str], list[str]]] = {
    "nothing is set": (
        {},
        [*(f"misconfigured: {name}: is missing" for name in sorted(REQUIRED)), "misconfigured: See docs/settings.md."],
    ),
    "a key is missing": (
        {name: value for name, value in REQUIRED.items() if name != "CALLBACK_SIGNING_KEY"},
        ["misconfigured: CALLBACK_SIGNING_KEY: is missing", "misconfigured: See docs/settings.md."],
    ),
}


@pytest.mark.parametrize(("given", "lines"), WRONG.values(), ids=WRONG)
def test_every_function_refuses_and_the_log_says_why_once(
    environment: Environment, caplog: pytest.LogCaptureFixture, given: dict[str, str], lines: list[str]
) -> None:
    environment(given, **AZURE)
    for _ in range(2):
        refuse_all()
        for route in http_routes():
            if route.template.startswith("console"):  # it is off, and its own sign-in decides who sees what is wrong
                assert (ask(route).status_code, ask(route).get_body()) == (404, b""), route.name
            elif route.name in ("button_script", "button_demo"):  # files, that know nothing of the app
                assert ask(route).status_code == 200
            elif route.name == "diagnostics":  # who has a key is told
                assert json.loads(ask(route).get_body())["findings"][0]["id"] == "settings.wrong"
            elif route.name != "health":
                response = ask(route)
                assert response.status_code == 503, route.name
                assert response.headers["Retry-After"] == "60"
                assert json.loads(response.get_body())["title"] == "Misconfigured"
    assert sorted(errors(caplog)) == sorted(lines)


def test_the_refusal_says_nothing_of_the_settings(environment: Environment) -> None:
    environment({**REQUIRED, "ACS_ENDPOINT": "https://user:secret@contoso.example"}, **AZURE)
    for route in http_routes():
        assert b"secret" not in (body := ask(route).get_body()), route.name
        assert route.name == "diagnostics" or b"ACS_" not in body


def test_wrong_routing_and_wrong_flows_refuse_as_well(
    environment: Environment, caplog: pytest.LogCaptureFixture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "routing.yaml").write_text("rules:\n  - name: x\n    answer: nobody\n")
    environment(REQUIRED, **AZURE, ROUTING_FILE=str(tmp_path / "routing.yaml"))
    refuse_all()
    assert len(errors(caplog)) == 1
    assert "nobody" in errors(caplog)[0]

    def broken() -> None:
        raise ImportError("no module named 'crm'")

    monkeypatch.setattr("shared.composition.board.load_flows", broken)
    switchboard.cache_clear()
    caplog.clear()
    refuse_all()
    assert errors(caplog) == ["misconfigured: ImportError: no module named 'crm'"]
    assert "broken" in caplog.text, "where it was raised"


def test_a_scorecard_that_is_wrong_keeps_the_work_on_its_queue(tmp_path: Path) -> None:
    def wrong(_: object) -> Recordings:
        raise ScorecardError("scorecards/support.yaml:3: questions", "is missing.")

    with running(tmp_path, recordings=wrong):
        for name in ("recording_work", "recording_poison"):
            with pytest.raises(ScorecardError):
                functions()[name](func.QueueMessage(id="m", body=b'{"recording": "r", "chunk": null}'))


def test_a_setting_that_is_missing_keeps_the_work_of_a_use_case_on_its_queue(tmp_path: Path) -> None:
    message = func.QueueMessage(id="m", body=b'{"use": "outreach", "what": "dial", "given": {"campaign": "spring"}}')
    with running(tmp_path, NUMBER_HASH_KEY=""), pytest.raises(SettingsError):
        functions()["use_case_work"](message)


def test_what_is_wrong_is_looked_for_once(environment: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    environment({}, **AZURE)
    looked = []

    def look() -> Settings:
        looked.append(1)
        return settings()

    monkeypatch.setattr("shared.settings.settings", look)
    for _ in range(3):
        with pytest.raises(Misconfigured):
            switchboard()
    assert looked == [1]


# The start


def test_in_azure_the_start_raises_nothing_and_the_first_trigger_says_what_is_wrong(
    environment: Environment, caplog: pytest.LogCaptureFixture
) -> None:
    environment({}, **AZURE)
    start_early()
    for thread in threading.enumerate():
        if thread.name == "switchboard-start":
            thread.join(20)
    assert settings.cache_info().misses == 1, "it was looked for in the background"
    assert errors(caplog) == [], "what a thread logs outside of an invocation gets lost"
    with pytest.raises(Misconfigured):
        switchboard()
    assert "misconfigured: ACS_ENDPOINT: is missing" in errors(caplog)


def test_on_a_developers_machine_the_start_ends_with_a_line_for_each_setting(environment: Environment) -> None:
    environment({**REQUIRED, "RING_SECONDS": "soon", "ACS_RESOURCE_ID": "contoso"}, FUNCTIONS_WORKER_RUNTIME="python")
    with pytest.raises(SettingsError) as caught:
        start_early()
    assert [line.partition(":")[0] for line in str(caught.value).splitlines()[:-1]] == [
        "ACS_RESOURCE_ID",
        "RING_SECONDS",
    ]


def test_on_a_developers_machine_a_flow_that_cannot_be_loaded_is_told_when_the_host_starts(
    environment: Environment, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise InvalidInput("flows/bakery.py:7", "NameError: name 'BREAD' is not defined.", "The line is: BREAD")

    monkeypatch.setattr("shared.composition.board.load_flows", broken)
    environment(REQUIRED, FUNCTIONS_WORKER_RUNTIME="python")
    start_early()
    for thread in threading.enumerate():
        if thread.name == "switchboard-start":
            thread.join(20)
    told = ["misconfigured: flows/bakery.py:7: NameError: name 'BREAD' is not defined. The line is: BREAD"]
    assert errors(caplog) == told, "before anybody calls"
    with pytest.raises(Misconfigured):
        switchboard()
    assert errors(caplog) == told, "once, and without a traceback"
    assert "Traceback" not in caplog.text


def test_outside_of_a_functions_worker_nothing_is_read(environment: Environment) -> None:
    environment({})
    start_early()


def test_a_name_close_to_a_setting_is_told_at_start_by_the_first_trigger(
    environment: Environment, caplog: pytest.LogCaptureFixture
) -> None:
    environment(REQUIRED, **AZURE, WATCHDOG_SHEDULE="* * * * * *")
    switchboard.prepare()
    assert errors(caplog) == []
    for _ in range(2):
        switchboard()
    assert errors(caplog) == ["WATCHDOG_SHEDULE is no setting: is WATCHDOG_SCHEDULE meant?"]
