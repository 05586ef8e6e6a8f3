"""HTTP answers of every door."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from functools import wraps
from typing import Any

import azure.functions as func

from shared.errors import (
    ActionRefused,
    CallOver,
    InvalidInput,
    Refused,
    RoutingError,
    SettingsError,
    SwitchboardError,
    UnknownCall,
)

log = logging.getLogger("switchboard.doors")

Door = Callable[[func.HttpRequest], func.HttpResponse]


def answer(status: int = 200, body: Any = None) -> func.HttpResponse:
    """A JSON answer, or an empty one."""
    if body is None:
        return func.HttpResponse(status_code=status)
    return func.HttpResponse(json.dumps(body), status_code=status, mimetype="application/json")


def problem(status: int, title: str, detail: str, **more: str) -> func.HttpResponse:
    """An error as problem+json (RFC 9457)."""
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail, **more}
    return func.HttpResponse(json.dumps(body), status_code=status, mimetype="application/problem+json")


def door(handler: Door) -> Door:
    """Turn Switchboard's errors into answers: 4xx for what a retry cannot mend, 503 for what it can."""

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
        except (SettingsError, RoutingError) as error:
            log.error("not set up: %s", error)
            return problem(503, "Not set up", "The app's settings or routing are wrong; its log says which.")
        except CallOver as error:
            return problem(409, "Call over", str(error))
        except ActionRefused as error:
            log.warning("service refused %s: %s %s", error.action, error.status, error.code)
            return problem(502 if error.transient else 422, "Refused by the service", str(error), code=error.code)
        except InvalidInput as error:
            log.warning("invalid input %s: %s", handler.__name__, error.field)
            return problem(400, "Invalid input", error.problem, field=error.field, remedy=error.remedy)
        except SwitchboardError as error:
            log.exception("failed %s", handler.__name__)
            status = 503 if error.retryable else 500
            response = problem(status, type(error).__name__, "The request could not be carried out now.")
            if error.retryable:
                response.headers["Retry-After"] = "1"
            return response

    return guarded
