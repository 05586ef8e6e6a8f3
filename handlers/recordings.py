"""Recordings: the event of their files, the queue that works on them, and upkeep by a timer."""

from __future__ import annotations

import azure.functions as func

from handlers.deliveries import delivery, parsed
from shared.composition import switchboard
from shared.errors import InvalidInput, UnknownRecording
from shared.events import RecordingFileStatusUpdated
from shared.logs import logger
from shared.recordings.base import read_work
from shared.settings import binding

log = logger("switchboard.handlers")

QUEUE = f"{binding('store_prefix')}-recordings"

blueprint = func.Blueprint()


@blueprint.function_name("recording_file")
@blueprint.event_grid_trigger(arg_name="event")
def recording_file(event: func.EventGridEvent) -> None:
    """RecordingFileStatusUpdated: each file of the recording becomes a message on the queue."""
    with delivery("recording_file") as told:
        status = parsed(event, told)
        if status is None:
            return
        if not isinstance(status, RecordingFileStatusUpdated):
            told.outcome = "unexpected"
            log.warning("not a recording event type=%s id=%s", status.type, status.id)
            return
        told.outcome, recording = switchboard().recordings().pipeline.announce(status)
        log.info("%s %s recording=%s files=%d", told.outcome, status.name, recording, len(status.chunks))


@blueprint.function_name("recording_work")
@blueprint.queue_trigger(arg_name="message", queue_name=QUEUE, connection="AzureWebJobsStorage")
def recording_work(message: func.QueueMessage) -> None:
    """Fetch a file, or make a report. What raises is redelivered, and in the end moved to the poison queue."""
    with delivery("recording_work") as told:
        recordings = switchboard().recordings()
        try:
            recording, chunk = read_work(message.get_body())
            told.outcome = recordings.pipeline.work(recording, chunk)
        except (InvalidInput, UnknownRecording) as error:
            told.failed(error)
            log.error("work dropped: %s", error)
            return
    log.info("%s recording=%s %s", told.outcome, recording, "report" if chunk is None else f"chunk={chunk}")


@blueprint.function_name("recording_poison")
@blueprint.queue_trigger(arg_name="message", queue_name=f"{QUEUE}-poison", connection="AzureWebJobsStorage")
def recording_poison(message: func.QueueMessage) -> None:
    """Mark in the ledger what the app itself failed on again and again; an operator may replay it."""
    with delivery("recording_poison") as told:
        recordings = switchboard().recordings()
        try:
            recording, chunk = read_work(message.get_body())
            recordings.pipeline.mark_poisoned(recording, chunk, "the app failed on it; its log says how.")
        except (InvalidInput, UnknownRecording) as error:
            told.failed(error)
            log.error("poison message dropped: %s", error)
            return
        told.outcome = "poisoned"
    log.error("poisoned recording=%s chunk=%s", recording, chunk)


@blueprint.function_name("recording_upkeep")
@blueprint.timer_trigger(arg_name="timer", schedule=binding("recording_schedule"), run_on_startup=False)
def recording_upkeep(timer: func.TimerRequest) -> None:
    """Resume recordings whose message was lost, delete those that have expired."""
    done = switchboard().recordings().pipeline.sweep()
    log.info("recordings %s", " ".join(f"{what}={count}" for what, count in done.items()))
