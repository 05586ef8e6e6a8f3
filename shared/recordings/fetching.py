"""From the service to the archive: one chunk downloaded, checked and analysed in the same pass."""

from __future__ import annotations

import json
import logging
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.errors import ForeignLocation, SourceUnavailable, StoreUnavailable, UnreadableAudio
from shared.recordings.base import Archive, RecordingQueue, Source
from shared.recordings.book import LONGEST_WAIT, Book, Moot, chunk_of, plain_reason
from shared.recordings.record import ChunkRecord, RecordingRecord

if TYPE_CHECKING:
    from shared.quality.audio.signal import AudioPass

log = logging.getLogger("switchboard.recordings")

METADATA_ATTEMPTS = 8
"""Attempts of which the last, after some four minutes, archives the audio even without its metadata."""
CONTENT_TYPES = {"wav": "audio/wav", "mp3": "audio/mpeg", "mp4": "video/mp4"}


@dataclass(frozen=True, slots=True)
class _Archived:
    """A file in the archive: its length in bytes and seconds, and why it is not analysed, if it is not."""

    bytes: int
    seconds: float = 0.0
    analysed: bool = False
    note: str = ""


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
            done = self._download(record, chunk)
        except ForeignLocation as error:
            return self.give_up(recording, index, f"refused: {error}")
        except Moot:
            raise
        except Exception as error:
            return self._later(recording, chunk, error)

        def archived(record: RecordingRecord) -> None:
            chunk = chunk_of(record, index)
            if chunk.status == "archived":
                raise Moot
            chunk.status, chunk.reason, chunk.leased_until = "archived", done.note, 0
            chunk.name, chunk.bytes, chunk.seconds = name_of(record, index), done.bytes, done.seconds
            chunk.analysed = done.analysed
            record.reason = ""
            if record.status == "failed":  # it was given up meanwhile, and came after all
                record.status = "waiting"

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
                age = (self._book.now() - record.announced_at) / 1000
                self._queue.send(record.id, chunk.index, delay=min(LONGEST_WAIT, max(60.0, age / 4)))
            return
        except ForeignLocation as error:
            log.error("not deleted at the source recording=%s chunk=%d: %s", record.id, chunk.index, error)
            return

        def deleted(record: RecordingRecord) -> None:
            chunk_of(record, chunk.index).deleted = True

        self._book.change(record.id, deleted)

    def _download(self, record: RecordingRecord, chunk: ChunkRecord) -> _Archived:
        """What was archived. What came is kept even where it is damaged: it may be all there is."""
        self._keep_metadata(record, chunk)
        analysis = _analysis(record)
        damage: Exception | None = None
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
                    except Exception as error:  # one of our own, too: the audio must not be lost by it
                        damage = error
                alive()
            if came == 0:
                raise UnreadableAudio("file", "the service sent 0 bytes.")
            if download.length is not None and came != download.length:
                raise SourceUnavailable(f"{download.length} bytes were promised and {came} came.")
        kept = writer.commit()
        if kept != came:
            raise StoreUnavailable(f"{came} bytes were written and the archive holds {kept}.")
        if isinstance(damage, UnreadableAudio) and damage.lasting:
            return _Archived(kept, note=f"not analysed: {damage}")
        if damage is not None:
            raise damage
        if analysis is None:
            return _Archived(kept, note=f"not analysed: the format is {record.format}.")
        signal = analysis.finish()
        self._archive.put_text(document_of(record, chunk.index, "signal"), signal.to_json())
        return _Archived(kept, signal.seconds, analysed=True)

    def _keep_metadata(self, record: RecordingRecord, chunk: ChunkRecord) -> None:
        if not chunk.metadata_location:
            return  # the event names none
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
        reason = plain_reason(error, recording)

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
