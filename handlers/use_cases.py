"""The use cases: their work on the queue, and what is due, looked at each minute."""

from __future__ import annotations

import azure.functions as func

from handlers.deliveries import delivery
from shared.composition import switchboard
from shared.errors import InvalidInput, SettingsError
from shared.logs import logger
from shared.settings import binding

log = logger("switchboard.handlers")

QUEUE = f"{binding('store_prefix')}-uses"
SCHEDULE = "20 * * * * *"
"""Each minute (NCRONTAB), apart from the timers that begin with it: one look costs one request to the storage."""

blueprint = func.Blueprint()


@blueprint.function_name("use_case_work")
@blueprint.queue_trigger(arg_name="message", queue_name=QUEUE, connection="AzureWebJobsStorage")
def use_case_work(message: func.QueueMessage) -> None:
    """Do a piece of work. What raises is redelivered, and in the end moved to the poison queue."""
    with delivery("use_case_work") as told:
        uses = switchboard().use_cases
        try:
            done = uses.work(message.get_body())
            told.outcome = "done"
        except SettingsError:
            raise  # what is wrong with the app drops no work
        except InvalidInput as error:
            told.failed(error)
            log.error("work dropped: %s", error)
            return
    log.info("%s", done)


@blueprint.function_name("use_case_times")
@blueprint.timer_trigger(arg_name="timer", schedule=SCHEDULE, run_on_startup=False)
def use_case_times(timer: func.TimerRequest) -> None:
    """Tell use cases what is due."""
    if due := switchboard().use_cases.tick():
        log.info("due %d", due)
