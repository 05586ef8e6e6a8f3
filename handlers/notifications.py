"""CallFinished for other systems: the queue that delivers it, and the HTTP API on dead letters."""

from __future__ import annotations

import azure.functions as func

from handlers.deliveries import delivery
from handlers.responses import endpoint, json_response
from shared.composition import switchboard
from shared.errors import InvalidInput, UnknownCall
from shared.logs import logger
from shared.notifications.message import read_message
from shared.settings import binding

log = logger("switchboard.handlers")

QUEUE = f"{binding('store_prefix')}-notifications"
UPKEEP_SCHEDULE = "0 30 3 * * *"
"""Once a day, when few people call (NCRONTAB, UTC unless the app says otherwise)."""

blueprint = func.Blueprint()


@blueprint.function_name("notification_work")
@blueprint.queue_trigger(arg_name="message", queue_name=QUEUE, connection="AzureWebJobsStorage")
def notification_work(message: func.QueueMessage) -> None:
    """Deliver an event. What raises is redelivered, and in the end moved to the poison queue."""
    with delivery("notification_work") as told:
        notifications = switchboard().notifications()
        try:
            work = read_message(message.get_body())
            told.call = work.call_id
            told.outcome = notifications.notifier.work(work)
        except (InvalidInput, UnknownCall) as error:
            told.failed(error)
            log.error("notification dropped: %s", error)
            return
    log.info("%s CallFinished call=%s target=%s attempt=%d", told.outcome, work.call_id, work.target, work.attempts + 1)


@blueprint.function_name("notification_poison")
@blueprint.queue_trigger(arg_name="message", queue_name=f"{QUEUE}-poison", connection="AzureWebJobsStorage")
def notification_poison(message: func.QueueMessage) -> None:
    """Make a dead letter of an event that the app itself failed on again and again; an operator may replay it."""
    with delivery("notification_poison") as told:
        notifications = switchboard().notifications()
        try:
            notifications.notifier.mark_poisoned(read_message(message.get_body()))
        except (InvalidInput, UnknownCall) as error:
            told.failed(error)
            log.error("poison notification dropped: %s", error)
            return
        told.outcome = "poisoned"


@blueprint.function_name("notification_upkeep")
@blueprint.timer_trigger(arg_name="timer", schedule=UPKEEP_SCHEDULE, run_on_startup=False)
def notification_upkeep(timer: func.TimerRequest) -> None:
    """Delete the dead letters that have expired."""
    log.info("dead letters expired=%d", switchboard().notifications().notifier.remove_expired())


@blueprint.function_name("list_dead_letters")
@blueprint.route("notifications/dead-letters", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
def list_dead_letters(req: func.HttpRequest) -> func.HttpResponse:
    """The dead letters, page by page."""
    return json_response(200, switchboard().notifications().service.listed(req.params).model_dump(mode="json"))


@blueprint.function_name("replay_dead_letter")
@blueprint.route("notifications/dead-letters/{call_id}/replay", methods=["POST"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
def replay_dead_letter(req: func.HttpRequest) -> func.HttpResponse:
    """Deliver a dead letter again."""
    replayed = switchboard().notifications().service.replay(req.route_params["call_id"])
    return json_response(202, replayed.model_dump(mode="json"))
