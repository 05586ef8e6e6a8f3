"""Where what is kept of people meets its Azure implementations; the composition root asks for this on first use."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from shared.azure.archive import BlobArchive
from shared.calls.store.base import CallStore, DoNotRecord
from shared.composition.notifications import Notifications
from shared.composition.recordings import Recordings
from shared.identifiers import Identifier
from shared.kept.calls import KeptCalls
from shared.kept.retention import Retention
from shared.recordings.base import Archive
from shared.settings import Settings
from shared.use_cases.all import UseCases
from shared.web.people_service import People


@dataclass(frozen=True, slots=True)
class Kept:
    """What handlers ask for."""

    retention: Retention
    people: People


def compose_kept(
    settings: Settings,
    store: CallStore,
    recordings: Callable[[], Recordings],
    notifications: Callable[[], Notifications],
    do_not_record: DoNotRecord | None,
    is_off: Callable[[Identifier], bool],
    use_cases: UseCases,
    streams: Archive | None = None,
) -> Kept:
    """Join the parts by settings; a test gives its own archive of streams."""
    calls = KeptCalls(
        store,
        lambda: recordings().pipeline,
        lambda: notifications().notifier,
        streams or BlobArchive(settings.storage_account, settings.store_prefix, container="streams"),
    )
    days = settings.call_retention_days
    people = People(
        calls,
        lambda: recordings().service,
        do_not_record,
        hashes=bool(settings.number_hash_key),
        days=days,
        link_seconds=settings.report_link_minutes * 60,
        is_off=is_off,
        use_cases=use_cases,
    )
    retention = Retention(
        calls, days=days, recording_days=settings.recording_retention_days, use_cases=use_cases.expire
    )
    return Kept(retention, people)
