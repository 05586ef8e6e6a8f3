"""Flows as the API lists them, the input that they take, and the languages that routing gives them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from pydantic import BaseModel, Field
from schemathesis.specs.openapi.definitions import OPENAPI_31_VALIDATOR

from shared.calls import FLOWS, Call, Fallback, Flow, actions, text
from shared.calls.rehearsal import LANGUAGE
from shared.routing.reading import load_routes
from shared.settings import Settings
from tests.functional.api import PLACE, TESTED, assert_refused, assert_replays, get, journal, read, send
from tests.functional.app import App, running


class Place(BaseModel):
    name: str


class Reminder(BaseModel):
    """What to remind of."""

    when: str = Field(min_length=1, description="in words")
    place: Place | None = None


async def remind(call: Call[Reminder]) -> None:
    """Reminds somebody.

    In one sentence.
    """
    await call.play(text(f"Remember: {call.input.when}."))


@pytest.fixture(autouse=True)
def flows(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, flow in {**TESTED, "reminder": Flow("reminder", remind, title="Reminders", input=Reminder)}.items():
        monkeypatch.setitem(FLOWS, name, flow)


def listed(app: App) -> dict[str, Any]:
    return {flow["name"]: flow for flow in read(app.request("GET", "/api/flows"), 200)["flows"]}


def test_flows_are_listed_by_name_with_what_they_take(app: App) -> None:
    found = listed(app)
    assert list(found) == sorted(FLOWS)
    reminder = found["reminder"]
    assert (reminder["title"], reminder["description"], reminder["opens"]) == ("Reminders", "Reminds somebody.", False)
    assert reminder["input"]["required"] == ["when"]
    assert (found["reception"]["title"], found["reception"]["languages"]) == ("Front desk", ["de", "en"])
    assert (found["dialler"]["title"], found["dialler"]["input"], found["dialler"]["opens"]) == ("dialler", None, True)


def test_the_schema_of_an_input_is_what_the_api_takes(app: App) -> None:
    schema = listed(app)["reminder"]["input"]
    for value, status in (({"when": "today"}, 201), ({"when": "", "place": None}, 400), ({"place": {}}, 400)):
        assert jsonschema_rs.is_valid(schema, value) == (status == 201)
        body: dict[str, Any] = {**PLACE, "flow": "reminder", "input": value}
        assert send(app, "", body).status_code == status


@pytest.mark.parametrize(
    ("given", "field"),
    [({"when": ""}, "input.when"), ({}, "input.when"), (None, "input.when"), ("today", "input"),
     ({"when": "today", "place": {}}, "input.place.name")],
)  # fmt: skip
def test_an_input_that_a_flow_does_not_take_is_refused_with_its_field_and_nobody_is_called(
    app: App, given: Any, field: str
) -> None:
    assert_refused(send(app, "", {**PLACE, "flow": "reminder", "input": given}), 400, field)
    assert app.gateway.sent == []


def test_a_call_with_an_input_goes_on_as_its_flow_says_and_replays(app: App) -> None:
    call_id = read(send(app, "", {**PLACE, "flow": "reminder", "input": {"when": "today"}}, key="k"), 201)["id"]
    assert read(send(app, "", {**PLACE, "flow": "reminder", "input": {"when": "today"}}, key="k"), 200)["id"] == call_id
    app.run()
    assert journal(app, call_id)[0]["input"] == {"when": "today", "place": None}
    assert read(get(app, f"/{call_id}"), 200)["outcome"] == "completed"
    assert_replays(app, call_id)


def test_the_openapi_document_has_the_inputs_of_the_flows_and_stays_valid(app: App) -> None:
    document = json.loads(app.request("GET", "/api/openapi.json").get_body())
    assert [error.message for error in OPENAPI_31_VALIDATOR.iter_errors(document)] == []
    schemas = document["components"]["schemas"]
    *inputs, anything = schemas["PlaceCall"]["properties"]["input"]["anyOf"]
    first = {"$ref": "#/components/schemas/reminder.input"}
    assert first in inputs
    assert "other flows" in anything["description"]
    judge = jsonschema_rs.Draft202012Validator({**first, "components": document["components"]})
    assert judge.is_valid({"when": "today", "place": {"name": "here"}})
    assert not judge.is_valid({"when": "today", "place": {}})
    assert "reminder.Place" in schemas


def test_a_number_for_another_language_is_answered_in_it(tmp_path: Path) -> None:
    with running(tmp_path) as app:
        rules = "rules:\n- {to: '+18005550199', answer: reception, language: de}\n- answer: reception\n"
        object.__setattr__(app.board, "routes", load_routes(rules, FLOWS))
        app.ring()
        app.react()
        (question,) = [r.action for r in app.gateway.sent if isinstance(r.action, actions.Recognize)]
        assert question.language == "de-DE"
        assert "Willkommen" in str(question.prompts)
        app.run("sales")
        assert read(get(app, f"/{app.call_ids[0]}"), 200)["outcome"] == "completed"
        assert_replays(app, app.call_ids[0])


@pytest.mark.parametrize(("setting", "words"), [("de-DE", "Willkommen"), ("en-GB", "Welcome"), ("fr-FR", "Willkommen")])
def test_without_more_a_call_begins_in_the_language_of_the_settings(tmp_path: Path, setting: str, words: str) -> None:
    with running(tmp_path, SPEECH_LANGUAGE=setting) as app:
        app.ring()
        app.react()
        assert words in str(app.gateway.sent[-1].action)


def test_a_rehearsal_begins_in_the_language_that_the_settings_have_by_default() -> None:
    assert Settings.model_fields["speech_language"].default == LANGUAGE


def test_the_caller_of_a_flow_that_failed_is_transferred_as_the_settings_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(call: Call) -> None:
        raise ValueError("a bug")

    monkeypatch.setitem(FLOWS, "reception", Flow("reception", broken, fallback=Fallback("Sorry, one moment.")))
    with running(tmp_path, FALLBACK_TRANSFER_TO="+14255550142") as app:
        app.ring()
        app.react()
        app.react()
        play, transfer = (request.action for request in app.gateway.sent[-2:])
        assert isinstance(play, actions.Play)
        assert play.prompts == (text("Sorry, one moment."),)
        assert isinstance(transfer, actions.Transfer)
        assert transfer.target.raw_id == "4:+14255550142"
