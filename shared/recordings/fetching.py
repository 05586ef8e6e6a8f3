"""From the service to the archive: one chunk downloaded, checked and analysed in the same pass."""

from __future__ import annotations

import json
import logging
import random
from collections.abc import Callable
from typing import TYPE_CHECKING

from shared.errors import ForeignLocation, LostRace, SourceUnavailable, StoreUnavailable, UnreadableAudio
from shared.recordings.base import Archive, RecordingQueue, Source
from shared.recordings.book import Book, Moot, chunk_of
from shared.recordings.record import ChunkRecord, RecordingRecord

if TYPE_CHECKING:
    from shared.quality.audio.signal import AudioPass, ChunkSignal

log = logging.getLogger("switchboard.recordings")

LONGEST_WAIT = 3600.0
"""Seconds between two attempts, at most."""
METADATA_ATTEMPTS = 4
"""Attempts of which the last archives the audio even without its metadata."""
CONTENT_TYPES = {"wav": "audio/wav", "mp3": "audio/mpeg", "mp4": "video/mp4"}


class Fetcher:
    """Fetches chunks, and gives them up."""

    def __init__(
        self, source: Source, archive: Archive, book: Book, queue: RecordingQueue, *, delete_source: bool
    ) -> None:
        self._source = source
        self._archive = archive
        self._book = book
        self._queue = queue
        self._delete_source = delete_source

    def fetch(self, recording: str, index: int) -> str:
        """Download, archive and analyse a chunk that waits; the outcome in one word."""

        def take(record: RecordingRecord) -> None:
            chunk = chunk_of(record, index)
            if chunk.status != "waiting" or chunk.leased_until > self._book.now():
                raise Moot
            chunk.leased_until = self._book.lease()
            chunk.attempts += 1

        record = self._book.change(recording, take)
        chunk = chunk_of(record, index)
        try:
            kept, signal = self._download(record, chunk)
        except ForeignLocation as error:
            return self.give_up(recording, index, f"refused: {error}")
        except (SourceUnavailable, UnreadableAudio, StoreUnavailable, LostRace) as error:
            return self._later(recording, chunk, error)

        def archived(record: RecordingRecord) -> None:
            chunk = chunk_of(record, index)
            if chunk.status == "archived":
                raise Moot
            chunk.status, chunk.reason, chunk.leased_until = "archived", "", 0
            chunk.name, chunk.bytes = name_of(record, index), kept
            chunk.seconds, chunk.analysed = (signal.seconds, True) if signal else (0.0, False)
            record.reason = ""

        record = self._book.change(recording, archived)
        if self._delete_source:
            self.delete(record, chunk_of(record, index))
        return "archived"

    def give_up(self, recording: str, index: int, reason: str) -> str:
        """Make the poison record of a chunk that is not archived."""

        def failed(record: RecordingRecord) -> None:
            chunk = chunk_of(record, index)
            if chunk.status == "archived":
                raise Moot
            chunk.status, chunk.reason, chunk.leased_until = "failed", reason, 0
            record.reason = f"chunk {index}: {reason}"

        self._book.change(recording, failed)
        log.error("given up recording=%s chunk=%d: %s", recording, index, reason)
        return "failed"

    def delete(self, record: RecordingRecord, chunk: ChunkRecord) -> None:
        """Delete at the source what is verified here; what cannot be deleted now is tried again until it expires."""
        try:
            self._source.delete(chunk.delete_location)
        except SourceUnavailable as error:
            log.warning("not deleted at the source recording=%s chunk=%d: %s", record.id, chunk.index, error)
            if self._book.now() < record.deadline:
                self._queue.send(record.id, chunk.index, delay=60)
            return
        except ForeignLocation as error:
            log.error("not deleted at the source recording=%s chunk=%d: %s", record.id, chunk.index, error)

        def deleted(record: RecordingRecord) -> None:
            chunk_of(record, chunk.index).deleted = True

        self._book.change(record.id, deleted)

    def _download(self, record: RecordingRecord, chunk: ChunkRecord) -> tuple[int, ChunkSignal | None]:
        """Bytes archived, and what they say. What came is kept even where it is damaged: it may be all there is."""
        self._keep_metadata(record, chunk)
        analysis = _analysis(record)
        damage: UnreadableAudio | None = None
        alive = self._renewing(record.id, chunk)
        with self._source.open(chunk.content_location) as download:
            writer = self._archive.writer(name_of(record, chunk.index), CONTENT_TYPES[record.format])
            came = 0
            for block in download:
                writer.write(block)
                came += len(block)
                if analysis is not None and damage is None:
                    try:
                        analysis.feed(block)
                    except UnreadableAudio as error:
                        damage = error
                alive()
            if came == 0:
                raise UnreadableAudio("file", "the service sent 0 bytes.")
            if download.length is not None and came != download.length:
                raise SourceUnavailable(f"{download.length} bytes were promised and {came} came.")
        kept = writer.commit()
        if kept != came:
            raise StoreUnavailable(f"{came} bytes were written and the archive holds {kept}.")
        if damage is not None:
            raise damage
        if analysis is None:
            return kept, None
        signal = analysis.finish()
        self._archive.put_text(document_of(record, chunk.index, "signal"), signal.to_json())
        return kept, signal

    def _keep_metadata(self, record: RecordingRecord, chunk: ChunkRecord) -> None:
        try:
            metadata = self._source.metadata(chunk.metadata_location)
        except (SourceUnavailable, UnreadableAudio):
            if chunk.attempts < METADATA_ATTEMPTS:
                raise
            log.warning("no metadata recording=%s chunk=%d: archived without", record.id, chunk.index)
            return
        self._archive.put_text(document_of(record, chunk.index, "metadata"), json.dumps(metadata))

    def _renewing(self, recording: str, chunk: ChunkRecord) -> Callable[[], None]:
        def renew(record: RecordingRecord) -> None:
            now = chunk_of(record, chunk.index)
            if now.attempts != chunk.attempts or now.status != "waiting":
                raise Moot
            now.leased_until = self._book.lease()

        return self._book.renewing(recording, renew)

    def _later(self, recording: str, tried: ChunkRecord, error: Exception) -> str:
        """It failed for now: say why in the ledger, and try again after a while, but before the deadline."""
        reason = str(error)

        def waits(record: RecordingRecord) -> None:
            chunk = chunk_of(record, tried.index)
            if chunk.status != "waiting" or chunk.attempts != tried.attempts:
                raise Moot
            chunk.reason, chunk.leased_until = reason, 0
            record.reason = f"chunk {tried.index}: {reason}"

        record = self._book.change(recording, waits)
        log.warning("not yet recording=%s chunk=%d attempt=%d: %s", recording, tried.index, tried.attempts, reason)
        wait = min(LONGEST_WAIT, 2.0 ** min(tried.attempts, 12)) * random.uniform(0.8, 1.2)  # noqa: S311
        wait = max(wait, getattr(error, "retry_after", None) or 0.0)
        left = (record.deadline - self._book.now()) / 1000
        self._queue.send(recording, tried.index, delay=max(0.0, min(wait, left)))
        return "retried"


def name_of(record: RecordingRecord, index: int) -> str:
    """The archived file of a chunk."""
    return f"{record.folder}/{index}.{record.format}"


def document_of(record: RecordingRecord, index: int, kind: str) -> str:
    """A document about a chunk: `metadata` is the service's own, `signal` what its audio says."""
    return f"{record.folder}/{index}.{kind}.json"


def _analysis(record: RecordingRecord) -> AudioPass | None:
    if record.format != "wav":
        return None
    from shared.quality.audio.signal import AudioPass  # numpy: in the queue function alone

    return AudioPass()
