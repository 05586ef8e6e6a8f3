"""Recordings: the file event, the work that it makes, and what time brings."""

from __future__ import annotations

import azure.functions as func

from handlers.deliveries import parsed
from shared.composition import switchboard
from shared.errors import InvalidInput, UnknownRecording
from shared.events import RecordingFileStatusUpdated
from shared.logs import logger
from shared.recordings.base import read_work
from shared.settings import binding

log = logger("switchboard.doors")

QUEUE = f"{binding('store_prefix')}-recordings"

blueprint = func.Blueprint()


@blueprint.function_name("recording_file")
@blueprint.event_grid_trigger(arg_name="event")
def recording_file(event: func.EventGridEvent) -> None:
    """RecordingFileStatusUpdated: each file of the recording becomes a message on the queue."""
    news = parsed(event)
    if news is None:
        return
    if not isinstance(news, RecordingFileStatusUpdated):
        log.warning("not a recording's files type=%s id=%s", news.type, news.id)
        return
    outcome, recording = switchboard().recordings().pipeline.announce(news)
    log.info("%s %s recording=%s files=%d", outcome, news.name, recording, len(news.chunks))


@blueprint.function_name("recording_work")
@blueprint.queue_trigger(arg_name="message", queue_name=QUEUE, connection="AzureWebJobsStorage")
def recording_work(message: func.QueueMessage) -> None:
    """Fetch a file, or make a report. What raises is redelivered, and in the end moved to the poison queue."""
    recordings = switchboard().recordings()
    try:
        recording, chunk = read_work(message.get_body())
        outcome = recordings.pipeline.work(recording, chunk)
    except (InvalidInput, UnknownRecording) as error:
        log.error("work dropped: %s", error)
        return
    log.info("%s recording=%s %s", outcome, recording, "report" if chunk is None else f"chunk={chunk}")


@blueprint.function_name("recording_poison")
@blueprint.queue_trigger(arg_name="message", queue_name=f"{QUEUE}-poison", connection="AzureWebJobsStorage")
def recording_poison(message: func.QueueMessage) -> None:
    """The app itself failed on this, again and again: the ledger says so, where an operator sees and replays it."""
    recordings = switchboard().recordings()
    try:
        recording, chunk = read_work(message.get_body())
        recordings.pipeline.bury(recording, chunk, "the app failed on it; its log says how.")
    except (InvalidInput, UnknownRecording) as error:
        log.error("poison message dropped: %s", error)
        return
    log.error("buried recording=%s chunk=%s", recording, chunk)


@blueprint.function_name("recording_upkeep")
@blueprint.timer_trigger(arg_name="timer", schedule=binding("recording_schedule"), run_on_startup=False)
def recording_upkeep(timer: func.TimerRequest) -> None:
    """Take up recordings that were forgotten, delete those that have expired."""
    done = switchboard().recordings().pipeline.tidy()
    log.info("recordings %s", " ".join(f"{what}={count}" for what, count in done.items()))
