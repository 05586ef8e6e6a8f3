"""Where recordings meet their Azure implementations; the composition root asks for this on first use."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import partial

from shared.azure.archive import BlobArchive
from shared.azure.external_storage import ExternalStorageSource, Sources
from shared.azure.queues import StorageRecordingQueue
from shared.azure.recording_ledger import TableLedger
from shared.azure.recording_source import ServiceSource
from shared.azure.speech import AzureSpeech
from shared.azure.topic import TopicPublisher
from shared.calls.finding import call_of_recording, days_of_call
from shared.calls.store.base import CallStore
from shared.quality.scorecards import load_scorecards
from shared.quality.thresholds import Thresholds
from shared.recordings.location import read_hosts
from shared.recordings.pipeline import Options, Pipeline
from shared.recordings.reporting import QualityReporter
from shared.settings import Settings
from shared.web.reports import ReportService


@dataclass(frozen=True, slots=True)
class Recordings:
    """What handlers ask for: the life of recordings, and what the HTTP API tells of them."""

    pipeline: Pipeline
    service: ReportService


def compose_recordings(settings: Settings, store: CallStore, flows: Collection[str]) -> Recordings:
    """Join the parts by settings; scorecards may name these flows. ScorecardError if one is wrong."""
    storage, prefix = settings.storage_account, settings.store_prefix
    archive, ledger = BlobArchive(storage, prefix), TableLedger(storage, prefix)
    hosts = read_hosts(settings.recording_hosts)
    containers = [name.strip() for name in settings.recording_containers.split(",")]
    transcriber = publisher = None
    if settings.transcription_endpoint:
        transcriber = AzureSpeech(
            settings.transcription_endpoint, settings.transcription_key, locale=settings.transcription_locale
        )
    if settings.events_topic_endpoint:
        publisher = TopicPublisher(settings.events_topic_endpoint, settings.events_topic_key)
    reporter = QualityReporter(
        archive=archive,
        ledger=ledger,
        store=store,
        thresholds=Thresholds.model_validate_json(settings.quality_thresholds or "{}"),
        scorecards=load_scorecards(settings.scorecards_folder, flows),
        transcriber=transcriber,
        publisher=publisher,
        region=settings.phone_region,
    )
    pipeline = Pipeline(
        source=Sources(
            ServiceSource(settings.acs_endpoint, settings.acs_access_key, extra_hosts=hosts),
            ExternalStorageSource(storage, containers),
        ),
        archive=archive,
        ledger=ledger,
        queue=StorageRecordingQueue(storage, prefix),
        reporter=reporter,
        options=Options(
            deadline=settings.recording_deadline_hours * 3600,
            all_recordings=settings.recording_scope == "all",
            delete_source=settings.recording_delete_source,
            at_once=settings.recordings_at_once,
            retention_days=settings.recording_retention_days,
        ),
        call_of=partial(call_of_recording, store),
    )
    service = ReportService(
        pipeline,
        ledger,
        archive,
        link_seconds=settings.report_link_minutes * 60,
        days_of=partial(days_of_call, store),
    )
    return Recordings(pipeline, service)
