"""The queue of wake-ups for flows that sleep, and the timer of the watchdog."""

from __future__ import annotations

import azure.functions as func

from handlers.deliveries import delivery
from shared.calls.timers import read_wake_up
from shared.composition import switchboard
from shared.errors import InvalidInput, UnknownCall
from shared.logs import logger
from shared.settings import binding

log = logger("switchboard.handlers")

blueprint = func.Blueprint()


@blueprint.function_name("wake_up")
@blueprint.queue_trigger(
    arg_name="message", queue_name=f"{binding('store_prefix')}-timers", connection="AzureWebJobsStorage"
)
def wake_up(message: func.QueueMessage) -> None:
    """Wake a flow whose sleep is over. What raises is redelivered, and in the end moved to the poison queue."""
    with delivery("wake_up") as told:
        board = switchboard()
        try:
            told.call, seq, due = read_wake_up(message.get_body())
            told.outcome = board.conductor.wake(told.call, seq, due)
        except (InvalidInput, UnknownCall) as error:
            told.failed(error)
            log.error("wake-up dropped: %s", error)


@blueprint.function_name("watchdog")
@blueprint.timer_trigger(arg_name="timer", schedule=binding("watchdog_schedule"), run_on_startup=True)
def watchdog(timer: func.TimerRequest) -> None:
    """Settle the calls that get no more events; also when an instance starts, for another may have died."""
    dog = switchboard().watchdog
    done = dog.watch()
    for call_id, outcome in done.items():
        log.warning("watchdog %s call=%s", outcome, call_id)
    if dog.open or done:
        from shared.telemetry import write

        write("watch", open=dog.open, done=len(done))
