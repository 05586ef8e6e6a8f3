"""Where what is kept of people meets its Azure implementations; the composition root asks for this on first use."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from shared.kept.calls import KeptCalls
from shared.kept.retention import Retention
from shared.notifications.composing import Notifications
from shared.recordings.archive import BlobArchive
from shared.recordings.base import Archive
from shared.recordings.composing import Recordings
from shared.settings import Settings
from shared.store.base import CallStore


@dataclass(frozen=True, slots=True)
class Kept:
    """What handlers ask for."""

    retention: Retention


def compose_kept(
    settings: Settings,
    store: CallStore,
    recordings: Callable[[], Recordings],
    notifications: Callable[[], Notifications],
    streams: Archive | None = None,
) -> Kept:
    """Join the parts by settings; a test gives its own archive of streams."""
    calls = KeptCalls(
        store,
        lambda: recordings().pipeline,
        lambda: notifications().notifier,
        streams or BlobArchive(settings.azurewebjobsstorage, settings.store_prefix, container="streams"),
    )
    days, recording_days = settings.call_retention_days, settings.recording_retention_days
    return Kept(Retention(calls, days=days, recording_days=recording_days))
