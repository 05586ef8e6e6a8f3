"""From the service to the archive: one chunk downloaded, checked and analysed in the same pass.

A complete file is archived once, whatever it is, even if its audio cannot be analysed.
"""

from __future__ import annotations

import json
import random
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from shared.errors import ForeignLocation, SourceUnavailable, StoreUnavailable, UnreadableAudio
from shared.logs import logger
from shared.recordings.base import Archive, RecordingQueue, Source
from shared.recordings.leased_records import (
    LEASE,
    LONGEST_WAIT,
    Lease,
    LeasedRecords,
    Superseded,
    chunk_of,
    plain_reason,
    release,
)
from shared.recordings.record import ChunkRecord, RecordingRecord

if TYPE_CHECKING:
    from shared.quality.audio.signal import AudioPass, ChunkSignal

log = logger("switchboard.recordings")

METADATA_ATTEMPTS = 8
"""Attempts after which, some four minutes later, the audio is archived without its metadata."""
CONTENT_TYPES = {
    "wav": "audio/wav",
    "mp3": "audio/mpeg",
    "mp4": "video/mp4",
    "bin": "application/octet-stream",
}
"""By kind; `bin` is everything else."""
HEAD = 12
"""Bytes from which the kind of a file is recognized."""


@dataclass(frozen=True, slots=True)
class _Archived:
    """A file in the archive; see ChunkRecord."""

    name: str
    bytes: int
    seconds: float
    analysed: bool
    damaged: bool
    note: str


class Fetcher:
    """Fetches chunks, and gives them up."""

    def __init__(self, source: Source, archive: Archive, records: LeasedRecords, queue: RecordingQueue) -> None:
        self._source = source
        self._archive = archive
        self._records = records
        self._queue = queue

    def fetch(self, recording: str, index: int) -> str:
        """Download, archive and analyse a chunk that waits; the outcome as the log has it."""

        def wanted(record: RecordingRecord) -> ChunkRecord:
            chunk = chunk_of(record, index)
            if chunk.status == "archived":
                raise Superseded
            return chunk  # also if it was given up meanwhile

        lease = self._records.take(recording, wanted, LEASE, due=lambda now: wanted(now).status == "waiting")
        chunk = chunk_of(lease.record, index)
        try:
            done = self._from_archive(lease, chunk) or self._download(lease, chunk)
        except ForeignLocation as error:
            return self.give_up(recording, index, f"refused: {error}")
        except Superseded:
            raise
        except Exception as error:
            return self._later(lease, index, error)

        def archived(record: RecordingRecord) -> None:
            # Regardless of the lease: what is in the archive counts, whoever wrote it, and however late.
            chunk = chunk_of(record, index)
            if chunk.status == "archived":
                raise Superseded
            if record.status != "waiting":  # it was given up meanwhile, and a report is due, or made, without it
                record.start_over()
            release(chunk)
            chunk.status, chunk.reason = "archived", done.note
            chunk.name, chunk.bytes, chunk.seconds = done.name, done.bytes, done.seconds
            chunk.analysed, chunk.damaged = done.analysed, done.damaged
            record.format, record.reason = _kind(done.name), ""

        with suppress(Superseded):  # our own write, whose response was lost, or another instance's
            self._records.change(recording, archived)
        return "archived"

    def give_up(self, recording: str, index: int, reason: str) -> str:
        """Settle a chunk that is given up: a poison record, unless its file is in the archive after all.

        It is if a process died between the archive and the ledger, or if a replay was to fetch it again.
        """
        record = self._records.load(recording)
        held = self._held(record, chunk_of(record, index))

        def settled(record: RecordingRecord) -> None:
            chunk = chunk_of(record, index)
            if chunk.status == "archived":
                raise Superseded
            release(chunk)
            if held is None:
                chunk.status, chunk.reason = "failed", reason
                record.reason = f"chunk {index}: {reason}"
            else:
                chunk.status, (chunk.name, chunk.bytes) = "archived", held
                record.format, record.reason = _kind(chunk.name), ""
                if chunk.damaged:
                    chunk.reason = f"damaged, and not fetched again: {reason}"
                elif not chunk.analysed:
                    chunk.reason = f"not analysed: {reason}"

        self._records.change(recording, settled)
        log.error("given up recording=%s chunk=%d archived=%s: %s", recording, index, held is not None, reason)
        return "failed" if held is None else "archived"

    def delete(self, record: RecordingRecord, chunk: ChunkRecord) -> None:
        """Delete a verified file at the source; a deletion that fails is retried until the deadline."""
        if self._archive.length(chunk.name) != chunk.bytes:
            log.error(
                "not deleted at the source recording=%s chunk=%d: it is not in the archive", record.id, chunk.index
            )
            return
        try:
            self._source.delete(chunk.delete_location)
        except SourceUnavailable as error:
            log.warning("not deleted at the source recording=%s chunk=%d: %s", record.id, chunk.index, error)
            if self._records.now() < record.deadline:
                age = (self._records.now() - record.announced_at) / 1000
                self._queue.send(record.id, chunk.index, delay=min(LONGEST_WAIT, max(60.0, age / 4)))
            return
        except ForeignLocation as error:
            log.error("not deleted at the source recording=%s chunk=%d: %s", record.id, chunk.index, error)
            return

        def deleted(record: RecordingRecord) -> None:
            chunk_of(record, chunk.index).deleted = True

        self._records.change(record.id, deleted)

    def _download(self, lease: Lease, chunk: ChunkRecord) -> _Archived:
        """Archive a file, if it has as many bytes as announced."""
        record = lease.record
        self._keep_metadata(record, chunk)
        with self._source.open(chunk.content_location) as download:
            blocks = iter(download)
            head = b""
            while len(head) < HEAD and (block := next(blocks, b"")):
                head += block
            if not head:
                raise UnreadableAudio("file", "the service sent 0 bytes.")
            kind = kind_of(head)
            name = name_of(record, chunk.index, kind)
            writer, analysis = self._archive.writer(name, CONTENT_TYPES[kind]), _Analysis(record, kind)
            came = 0
            for block in chain([head], blocks):
                writer.write(block)
                came += len(block)
                analysis.feed(block)
                lease.alive()
            if download.length is not None and came != download.length:
                raise SourceUnavailable(f"{download.length} bytes were announced and {came} received.")
        signal = self._keep_signal(record, chunk, analysis)  # first: a file in the archive has its analysis
        kept = writer.commit()
        if kept != came:
            raise StoreUnavailable(f"{came} bytes were written and the archive has {kept}.")
        return _Archived(
            name, kept, signal.seconds if signal else 0.0, signal is not None, analysis.damaged, analysis.note
        )

    def _from_archive(self, lease: Lease, chunk: ChunkRecord) -> _Archived | None:
        """Analyse again a file that is in the archive; None: it is not there, or damaged."""
        if not chunk.name or chunk.damaged:
            return None
        analysis = _Analysis(lease.record, _kind(chunk.name))
        try:
            for block in self._archive.read(chunk.name):
                analysis.feed(block)
                lease.alive()
        except KeyError:
            return None
        signal = self._keep_signal(lease.record, chunk, analysis)
        seconds = signal.seconds if signal else 0.0
        return _Archived(chunk.name, chunk.bytes, seconds, signal is not None, analysis.damaged, analysis.note)

    def _keep_signal(self, record: RecordingRecord, chunk: ChunkRecord, analysis: _Analysis) -> ChunkSignal | None:
        signal = analysis.finish()
        if signal is not None:
            self._archive.put_text(document_of(record, chunk.index, "signal"), signal.to_json())
        return signal

    def _keep_metadata(self, record: RecordingRecord, chunk: ChunkRecord) -> None:
        if not chunk.metadata_location:
            return  # the event has none
        try:
            metadata = self._source.metadata(chunk.metadata_location)
        except (SourceUnavailable, UnreadableAudio):
            if chunk.attempts < METADATA_ATTEMPTS:
                raise
            log.warning("no metadata recording=%s chunk=%d: archived without it", record.id, chunk.index)
            return
        self._archive.put_text(document_of(record, chunk.index, "metadata"), json.dumps(metadata))

    def _held(self, record: RecordingRecord, chunk: ChunkRecord) -> tuple[str, int] | None:
        """Name and length of a chunk's file in the archive; None: there is none."""
        names = [chunk.name] if chunk.name else [name_of(record, chunk.index, kind) for kind in CONTENT_TYPES]
        return next(((name, length) for name in names if (length := self._archive.length(name))), None)

    def _later(self, lease: Lease, index: int, error: Exception) -> str:
        """Write the reason into the ledger, and retry later, but before the deadline."""
        recording = lease.record.id
        reason = plain_reason(error, recording)

        def waits(record: RecordingRecord) -> None:
            if chunk_of(record, index).status != "waiting":
                raise Superseded
            chunk_of(record, index).reason = reason
            record.reason = f"chunk {index}: {reason}"

        record = lease.settle(waits)
        attempts = chunk_of(record, index).attempts
        log.warning("not yet recording=%s chunk=%d attempt=%d: %s", recording, index, attempts, reason)
        wait = min(LONGEST_WAIT, 2.0 ** min(attempts, 12)) * random.uniform(0.8, 1.2)  # noqa: S311
        wait = max(wait, getattr(error, "retry_after", None) or 0.0)
        left = (record.deadline - self._records.now()) / 1000
        self._queue.send(recording, index, delay=max(0.0, min(wait, left)))
        return "retried"


class _Analysis:
    """The analysis of a file's audio, as far as it can be read. It never raises: the file must not be lost by it.

    Attributes:
        note: why it is missing or incomplete; empty: the file was analysed to its end.
        damaged: see ChunkRecord.
    """

    def __init__(self, record: RecordingRecord, kind: str) -> None:
        self._recording = record.id
        self._pass: AudioPass | None = None
        self.damaged = kind == "bin"
        said = "" if record.format in ("", kind) else f", not {record.format} as the service says"
        self.note = f"not analysed: the file is {_NAMES[kind]}{said}."
        if kind == "wav":
            from shared.quality.audio.signal import AudioPass  # numpy: in the queue function alone

            self._pass = AudioPass()
            self.note = said and f"the file is WAV{said}."

    def feed(self, block: bytes) -> None:
        if self._pass is None:
            return
        try:
            self._pass.feed(block)
        except Exception as error:
            self._stopped(error)

    def finish(self) -> ChunkSignal | None:
        """The result at the end of the file; None: not analysed."""
        if self._pass is None:
            return None
        try:
            signal = self._pass.finish()
        except Exception as error:
            self._stopped(error)
            return None
        if self._pass.missing:
            self.damaged = True
            self.note = f"the file ends {self._pass.missing} bytes before its header says; the rest is analysed."
        return signal

    def _stopped(self, error: Exception) -> None:
        self._pass = None
        self.damaged = isinstance(error, UnreadableAudio) and not error.lasting
        self.note = f"not analysed: {plain_reason(error, self._recording)}"


_NAMES = {"mp3": "MP3", "mp4": "MP4", "wav": "WAV", "bin": "not WAV, MP3 or MP4"}


def name_of(record: RecordingRecord, index: int, kind: str) -> str:
    """The archived file of a chunk."""
    return f"{record.folder}/{index}.{kind}"


def document_of(record: RecordingRecord, index: int, kind: str) -> str:
    """A document about a chunk: `metadata` of the service, `signal` the analysis, `words.0` a transcript."""
    return f"{record.folder}/{index}.{kind}.json"


def _kind(name: str) -> str:
    return name.rpartition(".")[2]


def kind_of(head: bytes) -> str:
    """The kind of a file by its first bytes: the extension of its name in the archive.

    The format that the service gives may be missing or wrong.
    """
    if head[:4] in (b"RIFF", b"RF64", b"BW64") and head[8:12] == b"WAVE":
        return "wav"
    if head[4:8] == b"ftyp":
        return "mp4"
    # A frame of MPEG audio: eleven bits set, and a layer (ISO/IEC 11172-3, 2.4.1.3).
    if head[:3] == b"ID3" or (len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0 and head[1] & 0x06):
        return "mp3"
    return "bin"
