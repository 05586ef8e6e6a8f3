"""The OpenAPI document of the HTTP API, generated from the models."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, get_args

from pydantic import BaseModel

from shared.calls.call import SIGNAL_NAME
from shared.calls.record import Status
from shared.lines.calendars import CALENDAR_NAME
from shared.lines.shared_calendars import CalendarText
from shared.quality.report import Report
from shared.recordings.record import Status as RecordingStatus
from shared.web import click, handoff, masking, models, notifications, orders, outreach, people, reports
from shared.web.calendars import CalendarList, CalendarView
from shared.web.diagnosis import DiagnosisView, PutBack
from shared.web.do_not_record import NumberListed, NumberNotToRecord
from shared.web.document import KEY, PAGE, Document
from shared.web.flows import FlowList
from shared.web.models import ACTIONS
from shared.web.search import SearchCalls
from shared.web.switches import SwitchesView, TurnSwitches

_CALL_ID = {"name": "call_id", "in": "path", "required": True, "schema": {"type": "string"}}
_SIGNAL = {"name": "name", "in": "path", "required": True, "schema": {"type": "string", "pattern": SIGNAL_NAME}}
_CALENDAR = {
    "name": "name",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "pattern": f"^{CALENDAR_NAME.pattern}$"},
}
_QUEUE = {
    "name": "queue",
    "in": "path",
    "required": True,
    "description": "as a finding names it: `timers`, `recordings`, `notifications` or `uses`",
    "schema": {"type": "string"},
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
_LIST_PARAMETERS = [
    _DAY,
    {"name": "status", "in": "query", "schema": {"type": "string", "enum": list(get_args(Status))}},
    {
        "name": "correlation_id",
        "in": "query",
        "description": "only calls of this conversation, as callbacks, Event Grid events and logs name it; of any day, "
        "unless `day` is given",
        "schema": {"type": "string"},
    },
    *PAGE,
]
_CALL = {
    "name": "call",
    "in": "query",
    "description": "only those of the call with this id; without `day`: of the days on which the call was up",
    "schema": {"type": "string"},
}
_REPORT_PARAMETERS = [
    _DAY,
    _CALL,
    {"name": "flag", "in": "query", "description": "only reports with this flag", "schema": {"type": "string"}},
    {
        "name": "below",
        "in": "query",
        "description": "only reports with a score below",
        "schema": {"type": "number", "minimum": 0, "maximum": 100},
    },
    *PAGE,
]
_RECORDING_PARAMETERS = [
    _DAY,
    _CALL,
    {"name": "status", "in": "query", "schema": {"type": "string", "enum": list(get_args(RecordingStatus))}},
    *PAGE,
]
_RECORDING_ID = {"name": "recording_id", "in": "path", "required": True, "schema": {"type": "string"}}

_READING = (401, 404, 503)
_CHANGING = (400, 401, 404, 409, 422, 502, 503)

USE_CASES: tuple[Callable[[Document], None], ...] = (
    outreach.describe,
    click.describe,
    orders.describe,
    masking.describe,
    handoff.describe,
)
"""The routes of each use case, which its module in `shared.web` describes."""


@lru_cache(maxsize=1)
def openapi() -> dict[str, Any]:
    """The whole document, OpenAPI 3.1."""
    document = Document()
    document.add(
        "/calls",
        "post",
        "placeCall",
        "Place or connect a call",
        models.PlaceCall,
        {200: models.Placed, 201: models.Placed},
        [KEY],
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
        [_CALL_ID, _SIGNAL, KEY],
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
    document.add(
        "/diagnostics", "get", "diagnose", "What is wrong with the app", None, {200: DiagnosisView}, [], (401, 503)
    )
    document.add(
        "/diagnostics/queues/{queue}/put-back",
        "post",
        "putBackMessages",
        "Have messages that failed five times worked on once more",
        None,
        {200: PutBack},
        [_QUEUE],
        (400, 401, 503),
    )
    for describe in USE_CASES:
        describe(document)
    for name, kind in ACTIONS.items():
        summary = (kind.__doc__ or name).split("\n", 1)[0]
        document.add(
            f"/calls/{{call_id}}/actions/{name}",
            "post",
            name,
            summary,
            kind,
            {200: models.Done, 202: models.Done},
            [_CALL_ID, KEY],
            _CHANGING,
            example=kind.spec.example,
        )
    return document.finish()


def _add_recordings(document: Document) -> None:
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


def _add_dead_letters(document: Document) -> None:
    path = "/notifications/dead-letters"
    listed: dict[int, type[BaseModel]] = {200: notifications.DeadLetterList}
    document.add(path, "get", "listDeadLetters", "List the dead letters", None, listed, PAGE, (400, 401, 503))
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


def _add_calendars(document: Document) -> None:
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
