"""What is kept of people: export and erasure over the HTTP API, and removal of calls that have expired.

The number stands in the body: no log keeps it. Both routes need the app's own master key, not a function key.
"""

from __future__ import annotations

import azure.functions as func

from handlers.responses import endpoint, json_response
from shared.composition import switchboard
from shared.logs import logger

log = logger("switchboard.handlers")

UPKEEP_SCHEDULE = "0 5-59/10 * * * *"
"""Between the runs of `recording_upkeep` (NCRONTAB): a run that finds nothing costs three requests to the storage."""

blueprint = func.Blueprint()


@blueprint.function_name("export_person")
@blueprint.route("people/export", methods=["POST"], auth_level=func.AuthLevel.ADMIN)
@endpoint
def export_person(req: func.HttpRequest) -> func.HttpResponse:
    """All that is kept of a number, piece by piece."""
    exported = switchboard().kept().people.export(req.get_body())
    return json_response(200, exported.model_dump(mode="json"), **{"Cache-Control": "no-store"})


@blueprint.function_name("erase_person")
@blueprint.route("people/erase", methods=["POST"], auth_level=func.AuthLevel.ADMIN)
@endpoint
def erase_person(req: func.HttpRequest) -> func.HttpResponse:
    """Erase all that is kept of a number, piece by piece."""
    erased = switchboard().kept().people.erase(req.get_body())
    gone = sum(call.erased for call in erased.calls)
    log.info("erased calls=%d kept=%d complete=%s", gone, len(erased.calls) - gone, erased.complete)
    return json_response(200, erased.model_dump(mode="json"))


@blueprint.function_name("call_upkeep")
@blueprint.timer_trigger(arg_name="timer", schedule=UPKEEP_SCHEDULE, run_on_startup=False)
def call_upkeep(timer: func.TimerRequest) -> None:
    """Remove the calls that have expired, and put hashes of numbers under the current key."""
    done = switchboard().kept().retention.sweep()
    log.info("calls %s", " ".join(f"{what}={count}" for what, count in done.items()))
