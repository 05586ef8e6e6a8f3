"""HTTP responses: JSON, problem+json, and the status of each of Switchboard's errors."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import wraps
from typing import Any

import azure.functions as func

from shared.calls.brakes import Braked
from shared.composition import NOT_SET_UP
from shared.errors import (
    ActionRefused,
    CallOver,
    InvalidInput,
    KeyReused,
    LimitReached,
    Misconfigured,
    NotConnected,
    NotFound,
    Refused,
    SettingsError,
    StateConflict,
    SwitchboardError,
    UnknownAction,
    UnknownCalendar,
    UnknownCall,
    UnknownRecording,
    VersionMismatch,
)
from shared.logs import logger
from shared.notifications.errors import UnknownDeadLetter

log = logger("switchboard.handlers")

INVALID = {
    UnknownAction: (404, "Unknown action"),
    UnknownCalendar: (404, "Unknown calendar"),
    NotFound: (404, "Not found"),
    KeyReused: (409, "Key used before"),
    VersionMismatch: (412, "Changed meanwhile"),
}
"""Status and title of some kinds of invalid input."""
OTHER_INPUT = 400, "Invalid input"

BRAKED = {"outbound_off": 409, "number_off": 409, "too_many_calls": 503, "no_free_slot": 503}
"""Status of what a brake refuses, by its code; all the rest is 422."""

MOST_DIGITS = 3
"""Digits that one part of a field's path may have in the log (our choice): enough for a position in a list."""

Endpoint = Callable[[func.HttpRequest], func.HttpResponse]


def json_response(status: int, body: Any, **headers: str) -> func.HttpResponse:
    """A response with `body` as JSON."""
    return func.HttpResponse(json.dumps(body), status_code=status, mimetype="application/json", headers=headers)


def problem(status: int, title: str, detail: str, **more: str) -> func.HttpResponse:
    """An error as problem+json (RFC 9457); `more` are further members of it."""
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail, **more}
    return func.HttpResponse(json.dumps(body), status_code=status, mimetype="application/problem+json")


def endpoint(handler: Endpoint) -> Endpoint:
    """Turn the errors that `handler` raises into responses: 4xx where a retry is of no use, 503 where it is."""

    @wraps(handler)
    def guarded(req: func.HttpRequest) -> func.HttpResponse:
        try:
            return handler(req)
        except Refused as error:
            log.warning("refused %s: %s", handler.__name__, error.reason)
            return problem(error.status, "Refused", error.reason)
        except UnknownCall as error:
            log.warning("unknown call %s call=%s", handler.__name__, error.call_id)
            return problem(404, "Unknown call", str(error))
        except UnknownDeadLetter as error:
            return problem(404, "Unknown dead letter", str(error))
        except UnknownRecording as error:
            return problem(404, "Unknown recording", str(error))
        except Misconfigured:  # logged already, once
            return _retry_after(problem(503, "Misconfigured", NOT_SET_UP), seconds=60)
        except SettingsError as error:
            log.error("not set up: %s", error)
            return _retry_after(problem(503, "Misconfigured", NOT_SET_UP), seconds=60)
        except StateConflict as error:
            return problem(409, "Conflict", str(error))
        except CallOver as error:
            return problem(409, "Call over", str(error))
        except NotConnected as error:
            response = problem(409, "Not connected", str(error))
            return response if error.waits else _retry_after(response)  # nobody knows how long its flow waits
        except Braked as error:
            response = problem(BRAKED.get(error.code, 422), "Braked", str(error), code=error.code)
            return _retry_after(response, seconds=5) if error.retryable else response
        except ActionRefused as error:
            log.warning("service refused %s: %s %s", error.action, error.status, error.code)
            return problem(502 if error.transient else 422, "Refused by the service", str(error), code=error.code)
        except InvalidInput as error:
            log.warning("invalid input %s: %s", handler.__name__, _without_numbers(error.field))
            status, title = next((INVALID[kind] for kind in type(error).__mro__ if kind in INVALID), OTHER_INPUT)
            return problem(status, title, error.problem, field=error.field, remedy=error.remedy)
        except LimitReached as error:
            return _retry_after(problem(error.status, "Limit reached", str(error)), error.seconds)
        except SwitchboardError as error:
            log.exception("failed %s", handler.__name__)
            status = 503 if error.retryable else 500
            response = problem(status, type(error).__name__, "The request could not be carried out now.")
            return _retry_after(response) if error.retryable else response
        except Exception:
            log.exception("failed %s", handler.__name__)
            return problem(500, "Internal error", "The app failed; its log says why.")

    return guarded


def _without_numbers(field: str) -> str:
    """A field for the log, without the parts of its path that may be phone numbers: they may be keys of the body."""
    return ".".join("…" if sum(map(str.isdigit, part)) > MOST_DIGITS else part for part in field.split("."))


def _retry_after(response: func.HttpResponse, seconds: int = 1) -> func.HttpResponse:
    response.headers["Retry-After"] = str(seconds)
    return response
