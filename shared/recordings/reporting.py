"""The report of an archived recording: puts all evidence together, stores the report, publishes its event."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from shared.calls.finding import call_of_recording
from shared.calls.record import CallRecord
from shared.calls.sealing import shown
from shared.calls.store.base import CallStore
from shared.errors import TranscriptionFailed, UnknownCall, UnreadableAudio
from shared.logs import logger
from shared.notifications.base import Target
from shared.notifications.event import REPORT_READY, Event
from shared.quality.assemble import MIXED, Evidence, assemble
from shared.quality.report import CallFacts, ChunkFacts, Report
from shared.quality.scorecards import Scorecard, applies, grade, topic_rules
from shared.quality.signal import Signal
from shared.quality.spans import Span
from shared.quality.thresholds import Thresholds
from shared.quality.transcripts.base import ChannelAudio, Transcriber, Utterance
from shared.quality.transcripts.phrases import topics
from shared.recordings.base import Archive, Ledger, ReportRow
from shared.recordings.call_evidence import KnownCall, evidence_of
from shared.recordings.fetching import document_of
from shared.recordings.leased_records import Superseded
from shared.recordings.metadata import ChunkMetadata, read_metadata
from shared.recordings.record import ChunkRecord, RecordingRecord, report_name

if TYPE_CHECKING:
    from shared.quality.audio.signal import ChunkSignal
    from shared.recordings.transcripts import ArchivedTranscripts

log = logger("switchboard.recordings")

NO_TRANSCRIBER = "No transcriber is set (TRANSCRIPTION_ENDPOINT), so the report has no transcript."
NO_TRANSCRIPT = "The transcriber failed on this recording, so the report has no transcript."
NO_METADATA = "The service's metadata is missing: it is not known who is on which channel, or when it paused."
LEFT_OUT = "Values of the service's metadata that could not be read and were left out: {}."


@dataclass(frozen=True, slots=True)
class _File:
    """One chunk with its metadata and its analysis."""

    chunk: ChunkRecord
    metadata: ChunkMetadata
    signal: ChunkSignal | None


class QualityReporter:
    """Makes reports. Safe to share between threads."""

    def __init__(
        self,
        *,
        archive: Archive,
        ledger: Ledger,
        store: CallStore,
        thresholds: Thresholds,
        scorecards: Sequence[Scorecard] = (),
        transcriber: Transcriber | None = None,
        publisher: Target | None = None,
        region: str = "US",
    ) -> None:
        self._archive = archive
        self._ledger = ledger
        self._store = store
        self._thresholds = thresholds
        self._scorecards = scorecards
        self._transcriber = transcriber
        self._publisher = publisher
        self._locale = transcriber.locale if transcriber else ""
        self._region = region

    def in_progress(self, record: RecordingRecord) -> bool:
        """Whether the call is still up; an unknown call is not."""
        call_id = self._call_id(record)
        try:
            return bool(call_id) and self._store.peek(call_id).status != "ended"
        except UnknownCall:
            return False

    def make(self, record: RecordingRecord, *, last: bool, alive: Callable[[], None]) -> str:
        """See shared.recordings.report_job.Reporter."""
        files = [self._file(record, chunk) for chunk in record.chunks]
        if all(file.signal is None for file in files):
            return f"there is no report; {next(chunk.reason for chunk in record.chunks if chunk.status == 'archived')}"
        report = self._report(record, files, last=last, alive=alive)
        kept = self._archive.put_newest(report_name(record.id), report.model_dump_json(), record.generation)
        if not kept or not self._ledger.put_report(row(report)):
            raise Superseded
        return ""

    def publish(self, record: RecordingRecord) -> None:
        """See shared.recordings.report_job.Reporter."""
        if self._publisher is None:
            return
        try:
            text = self._archive.get_text(report_name(record.id))
        except KeyError:
            return  # nothing could be analysed
        report = Report.model_validate_json(text)
        if report.generation > record.generation:
            raise Superseded  # the newer one has its own event
        if report.generation < record.generation:
            return  # none in this generation: nothing could be analysed
        headline = row(report)
        data = {
            "id": report.id,
            "generation": report.generation,
            "callId": headline.call_id,
            "flow": headline.flow,
            "seconds": headline.seconds,
            "scorecard": headline.scorecard,
            "score": headline.score,
            "passed": headline.passed,
            "questions": headline.questions,
            "answered": headline.answered,
            "flags": headline.flags,
            "report": f"/api/reports/{report.id}",
        }
        # The same id if a crash publishes it twice, another for a new report.
        event_id, subject = f"{record.id}.{record.generation}", f"/recordings/{record.id}"
        self._publisher.deliver(Event(event_id, REPORT_READY, subject, datetime.now(UTC), data))

    def _report(self, record: RecordingRecord, files: list[_File], *, last: bool, alive: Callable[[], None]) -> Report:
        from shared.quality.audio.joining import join
        from shared.quality.transcripts.redaction import redact, transcript
        from shared.recordings.transcripts import ArchivedTranscripts

        record = replace(record, started_at=_zero(record, files))
        started_at, mixed = _moment(record.started_at), record.channel_type == "mixed"
        placed = _placed(record, files)
        signal = join(placed, self._thresholds)
        call = self._call(record)
        told = evidence_of(
            call,
            _participants(files),
            started_at=started_at,
            seconds=signal.seconds,
            channels=len(signal.channels),
            mixed=mixed,
            redacted=lambda text: redact(text, self._region)[0],
        )
        notes = [] if any(file.metadata.participants for file in files) else [NO_METADATA]
        if left_out := sum(file.metadata.left_out for file in files):
            log.warning("unreadable metadata recording=%s left_out=%d", record.id, left_out)
            notes.append(LEFT_OUT.format(left_out))
        words = ArchivedTranscripts(self._archive, record, self._locale, self._region)
        said = self._transcript(record, signal, words, notes, last=last, alive=alive)
        facts = CallFacts() if call is None else _facts(call.record)
        cards = [card for card in self._scorecards if applies(card, facts.flow, facts.direction)]
        first = next(file.signal for file in files if file.signal is not None)
        report = assemble(
            Evidence(
                id=record.id,
                generation=record.generation,
                started_at=started_at,
                end_reason=record.end_reason,
                mixed=mixed,
                signal=signal,
                chunks=[
                    ChunkFacts(
                        index=file.chunk.index,
                        blob=file.chunk.name or None,
                        start=round(place.start, 3),
                        seconds=round(place.seconds, 3),
                        bytes=file.chunk.bytes,
                        note=file.chunk.reason,
                    )
                    for file, place in zip(files, placed, strict=True)
                ],
                sample_rate=first.sample_rate,
                bits=first.bits,
                people=told.people,
                app=told.app,
                app_lines=told.lines,
                call=facts,
                transcript=None
                if said is None
                else transcript(said, self._locale, self._region, before=words.redactions),
                topics=() if said is None else topics(topic_rules(cards), said),
                thresholds=self._thresholds,
                notes=[*notes, *([MIXED] if mixed else []), *told.notes],
            ),
            now=datetime.now(UTC),
        )
        return report.model_copy(update={"scorecards": tuple(grade(card, report, said) for card in cards)})

    def _transcript(
        self,
        record: RecordingRecord,
        signal: Signal,
        words: ArchivedTranscripts,
        notes: list[str],
        *,
        last: bool,
        alive: Callable[[], None],
    ) -> list[Utterance] | None:
        """The redacted transcript, in seconds of the recording; None, and a note why, if there is none."""
        if self._transcriber is None:
            notes.append(NO_TRANSCRIBER)
            return None
        from shared.quality.transcripts.channels import ArchivedChannel, transcribed

        names = {chunk.index: chunk.name for chunk in record.chunks}

        def audio(chunk: int, channel: int) -> ChannelAudio:
            def read(start: int) -> Iterator[bytes]:
                for block in self._archive.read(names[chunk], start):
                    alive()
                    yield block

            return ArchivedChannel(read, self._archive.length(names[chunk]) or 0, channel)

        try:
            return transcribed(self._transcriber, signal, audio, words)
        except (TranscriptionFailed, UnreadableAudio) as error:
            if isinstance(error, TranscriptionFailed) and not error.lasting and not last:
                raise
            log.error("no transcript recording=%s: %s", record.id, error)
            notes.append(f"{NO_TRANSCRIPT} ({error})")
            return None

    def _file(self, record: RecordingRecord, chunk: ChunkRecord) -> _File:
        from shared.quality.audio.signal import ChunkSignal

        try:
            metadata = read_metadata(self._archive.get_text(document_of(record, chunk.index, "metadata")))
        except (KeyError, UnreadableAudio):
            metadata = ChunkMetadata()
        signal = None
        if chunk.analysed:
            signal = ChunkSignal.from_json(self._archive.get_text(document_of(record, chunk.index, "signal")))
        return _File(chunk, metadata, signal)

    def _call_id(self, record: RecordingRecord) -> str:
        return record.call_id or call_of_recording(self._store, record.recording_id, record.server_call_id) or ""

    def _call(self, record: RecordingRecord) -> KnownCall | None:
        call_id = self._call_id(record)
        if not call_id:
            return None
        try:
            stored = self._store.load(call_id)
        except UnknownCall:
            return None
        return KnownCall(stored.record, list(map(shown, stored.journal)))


def _zero(record: RecordingRecord, files: Sequence[_File]) -> int:
    """When the audio begins, Unix time in milliseconds: by the first file if it says so."""
    first = files[0]
    start = first.metadata.chunk_start_time
    return round(start.timestamp() * 1000) if start and first.chunk.index == 0 else record.started_at


def _moment(at: int) -> datetime | None:
    """A record's time, Unix time in milliseconds; 0 is None: not known."""
    return datetime.fromtimestamp(at / 1000, UTC) if at else None


def _facts(call: CallRecord) -> CallFacts:
    return CallFacts(
        id=call.call_id,
        flow=call.flow or None,
        direction=call.direction,
        outcome=call.outcome or None,
        result=call.result or None,
        started_at=_moment(call.started_at),
        ended_at=_moment(call.ended_at),
    )


def _participants(files: Sequence[_File]) -> list[tuple[str, int]]:
    """Raw id and channel of each, in the order of the files: a channel may pass from one to another."""
    members = (member for file in files for member in file.metadata.participants)
    return list(dict.fromkeys((one.participant_id, one.channel) for one in members if one.channel is not None))


def _placed(record: RecordingRecord, files: Sequence[_File]) -> list[Any]:
    """Each file with its position. One whose start is not known follows the previous one."""
    from shared.quality.audio.joining import PlacedChunk

    zero = record.started_at / 1000
    placed: list[PlacedChunk] = []
    end = 0.0
    for file in files:
        began, announced = file.metadata.chunk_start_time, file.metadata.chunk_duration
        seconds = file.signal.seconds if file.signal else (announced or 0.0) / 1000
        start = max(0.0, began.timestamp() - zero) if began and zero else end
        pauses = tuple(
            Span(at := pause.start_time.timestamp() - zero, at + pause.duration / 1000)
            for pause in file.metadata.pause_resume_intervals
            if pause.duration > 0 and zero
        )
        placed.append(PlacedChunk(file.chunk.index, start, pauses, file.signal, seconds))
        end = max(start + seconds, max((pause.end for pause in pauses), default=0.0))
    return placed


def row(report: Report) -> ReportRow:
    """The row of a report in lists."""
    metrics = report.conversation.metrics
    started_at = report.recording.started_at or report.call.started_at
    agents = [channel.metrics["talk_ratio"].value for channel in report.channels if channel.role == "agent"]
    shares = [share for share in agents if share is not None]
    graded = next((card for card in report.scorecards if card.passed is not None), None)
    return ReportRow(
        id=report.id,
        call_id=report.call.id or "",
        flow=report.call.flow or "",
        direction=report.call.direction or "",
        outcome=report.call.outcome or "",
        started_at=int(started_at.timestamp() * 1000) if started_at else 0,
        created_at=int(report.created_at.timestamp() * 1000),
        seconds=report.recording.seconds,
        channels=len(report.channels),
        conversation_seconds=metrics["conversation_seconds"].value,
        silence_ratio=metrics["silence_ratio"].value,
        overlap_ratio=metrics["overlap_ratio"].value,
        dead_air=int(metrics["dead_air"].value or 0),
        interruptions=int(metrics["all_interruptions"].value or 0),
        hold_seconds=metrics["hold_seconds"].value or 0.0,
        agent_talk_ratio=round(sum(shares), 4) if shares else None,
        flags=tuple(dict.fromkeys(flag.code for flag in report.flags)),
        score=graded.score if graded else None,
        passed=graded.passed if graded else None,
        scorecard=graded.name if graded else "",
        questions=graded.questions if graded else 0,
        answered=graded.answered if graded else 0,
        generation=report.generation,
        result=report.call.result or "",
    )
