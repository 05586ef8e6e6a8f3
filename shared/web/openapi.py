"""The OpenAPI document of the HTTP API, generated from the models."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, get_args

from pydantic import BaseModel

from shared.calls.actions import Action
from shared.calls.call import SIGNAL_NAME
from shared.calls.record import Status
from shared.lines.calendars import CALENDAR_NAME
from shared.lines.shared_calendars import CalendarText
from shared.quality.report import Report
from shared.recordings.record import Status as RecordingStatus
from shared.web import models, notifications, people, reports
from shared.web.calendars import CalendarList, CalendarView
from shared.web.do_not_record import NumberListed, NumberNotToRecord
from shared.web.flows import FlowList
from shared.web.models import ACTIONS, MAX_KEY, schema_of
from shared.web.queries import DEFAULT_PAGE, MAX_PAGE, MAX_POSITION
from shared.web.search import SearchCalls
from shared.web.switches import SwitchesView, TurnSwitches

VERSION = "1.0.0"

IDENTIFIER = {
    "title": "Identifier",
    "description": "a phone number as E.164, or a raw id",
    "type": "string",
    "examples": ["+14255550123", "4:+14255550123", "8:acs:…"],
    "pattern": "^(\\+[1-9][0-9]{1,14}|[^+].*:.*|:.*)$",
}
"""How an identifier is written in a request. The models read the service's identifier objects as well."""

_CALL_ID = {"name": "call_id", "in": "path", "required": True, "schema": {"type": "string"}}
_SIGNAL = {"name": "name", "in": "path", "required": True, "schema": {"type": "string", "pattern": SIGNAL_NAME}}
_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "requests with the same key are carried out once",
    "schema": {"type": "string", "minLength": 1, "maxLength": MAX_KEY},
}
_CALENDAR = {
    "name": "name",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "pattern": f"^{CALENDAR_NAME.pattern}$"},
}
_IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "description": "the ETag that it has; without it, whatever stands there",
    "schema": {"type": "string"},
}
_IF_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "description": "`*`: only if there is none of this name",
    "schema": {"type": "string", "const": "*"},
}
_DAY = {
    "name": "day",
    "in": "query",
    "description": "UTC day, 2026-11-23; default: today",
    "schema": {"type": "string", "format": "date"},
}
_POSITION = {"type": "string", "maxLength": MAX_POSITION}
_PAGE = [
    {
        "name": "limit",
        "in": "query",
        "schema": {"type": "integer", "minimum": 1, "maximum": MAX_PAGE, "default": DEFAULT_PAGE},
    },
    {"name": "after", "in": "query", "description": "`next` of the page before", "schema": _POSITION},
]
_LIST_PARAMETERS = [
    _DAY,
    {"name": "status", "in": "query", "schema": {"type": "string", "enum": list(get_args(Status))}},
    *_PAGE,
]
_REPORT_PARAMETERS = [
    _DAY,
    {"name": "call", "in": "query", "description": "id of a call", "schema": {"type": "string"}},
    {"name": "flag", "in": "query", "description": "only reports with this flag", "schema": {"type": "string"}},
    {
        "name": "below",
        "in": "query",
        "description": "only reports with a score below",
        "schema": {"type": "number", "minimum": 0, "maximum": 100},
    },
    *_PAGE,
]
_RECORDING_PARAMETERS = [
    _DAY,
    {"name": "status", "in": "query", "schema": {"type": "string", "enum": list(get_args(RecordingStatus))}},
    *_PAGE,
]
_RECORDING_ID = {"name": "recording_id", "in": "path", "required": True, "schema": {"type": "string"}}

_READING = (401, 404, 503)
_CHANGING = (400, 401, 404, 409, 422, 502, 503)
_PROBLEMS = {
    400: "the request is invalid: see `field` and `remedy`",
    401: "the function key is missing or wrong; a response of the host, without a body",
    404: "no such call, recording, report, dead letter or calendar, or no such action",
    409: "the call has ended or is not connected yet, the key was used for another request, or a switch is off",
    412: "it is no longer, or not, what If-Match or If-None-Match says",
    422: "the service or a brake of the app refused: see `code`",
    502: "the service failed or did not respond: `code` is its own",
    503: "unavailable now; see Retry-After",
}


@lru_cache(maxsize=1)
def openapi() -> dict[str, Any]:
    """The whole document, OpenAPI 3.1."""
    document = _Document()
    document.add(
        "/calls",
        "post",
        "placeCall",
        "Place or connect a call",
        models.PlaceCall,
        {200: models.Placed, 201: models.Placed},
        [_KEY],
        (400, 401, 409, 422, 502, 503),
    )
    document.add(
        "/calls", "get", "listCalls", "List calls", None, {200: models.CallList}, _LIST_PARAMETERS, (400, 401, 503)
    )
    document.add("/flows", "get", "listFlows", "List the flows", None, {200: FlowList}, [], (401, 503))
    document.add(
        "/calls/search",
        "post",
        "searchCalls",
        "Find calls by number or by an id of the service",
        SearchCalls,
        {200: models.CallList},
        [],
        (400, 401, 503),
    )
    document.add("/calls/{call_id}", "get", "getCall", "Get a call", None, {200: models.CallView}, [_CALL_ID], _READING)
    document.add(
        "/calls/{call_id}/journal",
        "get",
        "getJournal",
        "Get the journal of a call",
        None,
        {200: models.JournalView},
        [_CALL_ID],
        _READING,
    )
    document.add(
        "/calls/{call_id}/participants",
        "get",
        "getParticipants",
        "List the participants of a call",
        None,
        {200: models.ParticipantList},
        [_CALL_ID],
        _READING,
    )
    document.add(
        "/calls/{call_id}/signals/{name}",
        "post",
        "signal",
        "Send a signal to the flow",
        models.Signal,
        {202: models.SignalTaken},
        [_CALL_ID, _SIGNAL, _KEY],
        (400, 401, 404, 409, 503),
    )
    _add_recordings(document)
    _add_dead_letters(document)
    for verb, summary in (
        ("add", "Never record this number"),
        ("remove", "Allow this number to be recorded again"),
        ("check", "Whether this number is never recorded"),
    ):
        document.add(
            f"/do-not-record/{verb}",
            "post",
            f"{verb}DoNotRecord",
            summary,
            NumberNotToRecord,
            {200: NumberListed},
            [],
            (400, 401, 503),
        )
    for verb, summary, response in (
        ("export", "Export all that is stored of a person", people.PersonExported),
        ("erase", "Erase all that is stored of a person", people.PersonErased),
    ):
        document.add(
            f"/people/{verb}",
            "post",
            f"{verb}Person",
            f"{summary}; needs the master key",
            people.PersonAsked,
            {200: response},
            [],
            (400, 401, 503),
        )
    for method, operation, summary, request in (
        ("get", "getSwitches", "Get the switches and what the brakes refused; needs the master key", None),
        ("post", "turnSwitches", "Turn outbound calls, numbers or flows off or on; needs the master key", TurnSwitches),
    ):
        problems = (401, 503) if request is None else (400, 401, 503)
        document.add("/switches", method, operation, summary, request, {200: SwitchesView}, [], problems)
    _add_calendars(document)
    for name, kind in ACTIONS.items():
        summary = (kind.__doc__ or name).split("\n", 1)[0]
        document.add(
            f"/calls/{{call_id}}/actions/{name}",
            "post",
            name,
            summary,
            kind,
            {200: models.Done, 202: models.Done},
            [_CALL_ID, _KEY],
            _CHANGING,
            example=kind.spec.example,
        )
    return document.finish()


def _add_recordings(document: _Document) -> None:
    one, listing = [_RECORDING_ID], (400, 401, 503)
    for path, operation, summary, model, parameters, problems in (
        (
            "/reports",
            "listReports",
            "List the quality reports of a day",
            reports.ReportList,
            _REPORT_PARAMETERS,
            listing,
        ),
        ("/reports/{recording_id}", "getReport", "Get a quality report", Report, one, _READING),
        (
            "/recordings",
            "listRecordings",
            "List the recordings of a day",
            reports.RecordingList,
            _RECORDING_PARAMETERS,
            listing,
        ),
        ("/recordings/{recording_id}", "getRecording", "Get a recording", reports.RecordingView, one, _READING),
    ):
        document.add(path, "get", operation, summary, None, {200: model}, parameters, problems)
    document.add(
        "/recordings/{recording_id}/replay",
        "post",
        "replayRecording",
        "Fetch again what failed, and make a new report",
        None,
        {202: reports.RecordingView},
        one,
        _READING,
    )
    document.add(
        "/reports/{recording_id}/page",
        "get",
        "getReportPage",
        "Get a quality report as a page",
        None,
        {},
        one,
        _READING,
    )
    document.html("/reports/{recording_id}/page", "the page, in one file; its link to the audio expires")


def _add_dead_letters(document: _Document) -> None:
    path = "/notifications/dead-letters"
    listed: dict[int, type[BaseModel]] = {200: notifications.DeadLetterList}
    document.add(path, "get", "listDeadLetters", "List the dead letters", None, listed, _PAGE, (400, 401, 503))
    document.add(
        f"{path}/{{call_id}}/replay",
        "post",
        "replayDeadLetter",
        "Deliver a dead letter again",
        None,
        {202: notifications.Replayed},
        [_CALL_ID],
        _READING,
    )


def _add_calendars(document: _Document) -> None:
    path = "/calendars/{name}"
    changing: list[dict[str, Any]] = [_CALENDAR, _IF_MATCH, _IF_NONE_MATCH]
    document.add("/calendars", "get", "listCalendars", "List calendars", None, {200: CalendarList}, [], (401, 503))
    found: dict[int, type[BaseModel]] = {200: CalendarView}
    document.add(path, "get", "getCalendar", "Get a calendar", None, found, [_CALENDAR], (401, 404, 503))
    made = found | {201: CalendarView}
    problems = (400, 401, 412, 503)
    document.add(path, "put", "putCalendar", "Make or replace a calendar", CalendarText, made, changing, problems)
    document.add(path, "delete", "deleteCalendar", "Remove a calendar", None, {}, changing[:2], (401, 404, 412, 503))
    document.no_content(path, "delete", "it is removed")


class _Document:
    def __init__(self) -> None:
        self._paths: dict[str, dict[str, Any]] = {}
        self._schemas: dict[str, Any] = {}

    def add(
        self,
        path: str,
        method: str,
        operation: str,
        summary: str,
        request: type[BaseModel] | None,
        responses: dict[int, type[BaseModel]],
        parameters: list[dict[str, Any]],
        problems: tuple[int, ...],
        *,
        example: Any = None,
    ) -> None:
        described: dict[str, Any] = {
            "operationId": operation,
            "summary": summary,
            "parameters": parameters,
            "responses": {
                str(status): {
                    "description": (model.__doc__ or "").split("\n", 1)[0],
                    "content": {"application/json": {"schema": self._reference(model, response=True)}},
                }
                for status, model in responses.items()
            },
        }
        error = {"application/problem+json": {"schema": self._reference(models.Problem, response=True)}}
        for status in problems:
            described["responses"][str(status)] = {"description": _PROBLEMS[status]}
            if status != 401:
                described["responses"][str(status)]["content"] = error
        described["responses"]["default"] = {"description": "any other error", "content": error}
        if request is not None:
            body: dict[str, Any] = {"schema": self._reference(request)}
            if example is not None:
                body["example"] = example
            required = bool({"required", "oneOf"} & set(self._schemas[request.__name__]))
            described["requestBody"] = {"required": required, "content": {"application/json": body}}
        self._paths.setdefault(path, {})[method] = described

    def no_content(self, path: str, method: str, description: str) -> None:
        """Declare that a path responds without a body."""
        self._paths[path][method]["responses"]["204"] = {"description": description}

    def html(self, path: str, description: str) -> None:
        """Declare that a path responds with a page."""
        content = {"text/html": {"schema": {"type": "string"}}}
        self._paths[path]["get"]["responses"]["200"] = {"description": description, "content": content}

    def finish(self) -> dict[str, Any]:
        return {
            "openapi": "3.1.0",
            "info": {"title": "Switchboard", "version": VERSION, "description": "Place, watch and control calls."},
            "servers": [{"url": "/api"}],
            "security": [{"functionKey": []}],
            "paths": self._paths,
            "components": {
                "schemas": self._schemas,
                "securitySchemes": {"functionKey": {"type": "apiKey", "in": "header", "name": "x-functions-key"}},
            },
        }

    def _reference(self, model: type[BaseModel], *, response: bool = False) -> dict[str, str]:
        schema = schema_of(model, response=response)
        self._schemas |= schema.pop("$defs", {})
        if "Identifier" in self._schemas:
            self._schemas["Identifier"] = IDENTIFIER
        if issubclass(model, Action):
            _as_a_body(schema)
        self._schemas[model.__name__] = schema
        return {"$ref": f"#/components/schemas/{model.__name__}"}


def _as_a_body(schema: dict[str, Any]) -> None:
    """An action in a request: the path says which it is, and the participant is the other side by default."""
    schema["properties"]["kind"]["description"] = "the action, as in the path; may be left out"
    if "participant" in schema["properties"]:
        schema["required"].remove("participant")
        if not schema["required"]:
            del schema["required"]
        participant = schema["properties"]["participant"]
        schema["properties"]["participant"] = {**participant, "description": "default: the other side of the call"}
