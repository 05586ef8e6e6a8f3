"""What is kept of people: what time removes."""

from __future__ import annotations

import logging

import azure.functions as func

from shared.composition import switchboard

log = logging.getLogger("switchboard.doors")

UPKEEP_SCHEDULE = "0 5-59/10 * * * *"
"""Between the runs of `recording_upkeep` (NCRONTAB): a run that finds nothing costs three requests to the storage."""

blueprint = func.Blueprint()


@blueprint.function_name("call_upkeep")
@blueprint.timer_trigger(arg_name="timer", schedule=UPKEEP_SCHEDULE, run_on_startup=False)
def call_upkeep(timer: func.TimerRequest) -> None:
    """Remove the calls that have expired, and put hashes of numbers under the current key."""
    done = switchboard().kept().retention.sweep()
    log.info("calls %s", " ".join(f"{what}={count}" for what, count in done.items()))
