"""The report of one recording, from everything that is known of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from shared.quality.catalogue import definitions
from shared.quality.conversation import Talk, analyse
from shared.quality.flags import flags
from shared.quality.journal import app_spans
from shared.quality.metrics import channel_metrics, conversation_metrics
from shared.quality.people import EVERYBODY, Person, people, stranger
from shared.quality.report import (
    AppSpan,
    CallFacts,
    Channel,
    ChunkFacts,
    Conversation,
    HoleFacts,
    PieceFacts,
    RecordingFacts,
    Report,
    Topic,
    Transcript,
)
from shared.quality.signal import Signal
from shared.quality.spans import Span, rounded
from shared.quality.thresholds import Thresholds
from shared.recordings.record import RecordingRecord

NO_START = "It is not known when the recording began, so holds and prompts could not be placed in it."
NO_CALL = "The call is not known to this app: there are no holds, no prompts, and nobody is told to be the customer."
NO_CUSTOMER = "None of the recorded participants is the other side of the call, so nobody is told to be the customer."
SHARED = "A channel passed from one participant to another: what it says is of both."
MIXED = "The recording is mixed: nothing can be said of who speaks when."


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What a report is made from.

    Attributes:
        recording: its record; `started_at` is the zero of every span.
        signal: what its audio says.
        chunks: its files.
        sample_rate: in Hz.
        bits: of one sample.
        participants: raw id and channel of each; of a mixed recording nobody needs to know.
        call: the call, as far as it is known.
        caller: raw id; empty: not known.
        callee: as the caller.
        journal: the call's entries as JSON objects; None: the call is not known.
        transcript: redacted; None: there is none.
        topics: of the transcript.
        thresholds: the limits.
        notes: what the reader should know.
    """

    recording: RecordingRecord
    signal: Signal
    chunks: Sequence[ChunkFacts]
    sample_rate: int
    bits: int
    participants: Sequence[tuple[str, int]] = ()
    call: CallFacts = field(default_factory=CallFacts)
    caller: str = ""
    callee: str = ""
    journal: Sequence[Mapping[str, Any]] | None = None
    transcript: Transcript | None = None
    topics: Sequence[Topic] = ()
    thresholds: Thresholds = field(default_factory=Thresholds)
    notes: Sequence[str] = ()

    @property
    def mixed(self) -> bool:
        """One channel holds everybody."""
        return self.recording.channel_type == "mixed"

    @property
    def started_at(self) -> datetime | None:
        """When the recording began; None: not known."""
        return moment(self.recording.started_at)


def moment(at: int) -> datetime | None:
    """A record's time, Unix time in milliseconds; 0 is None: not known."""
    return datetime.fromtimestamp(at / 1000, UTC) if at else None


def assemble(evidence: Evidence, *, now: datetime) -> Report:
    """The report, without scorecards: these are graded on it, and put into a copy.

    Args:
        evidence: everything that is known.
        now: when the report is made.
    """
    signal, thresholds = evidence.signal, evidence.thresholds
    app = _app(evidence)
    talk = analyse(signal, (Span(span.start, span.end) for span in app or ()), thresholds)
    persons = _persons(evidence)
    report = Report(
        id=evidence.recording.id,
        generation=evidence.recording.generation,
        created_at=now,
        call=evidence.call,
        recording=_recording(evidence),
        channels=tuple(_channel(evidence, talk, index, person) for index, person in sorted(persons.items())),
        conversation=Conversation(
            metrics=conversation_metrics(signal, talk, app, mixed=evidence.mixed),
            overlap=tuple(talk.overlap),
            dead_air=tuple(talk.dead_air),
        ),
        app=tuple(app or ()),
        transcript=evidence.transcript,
        topics=tuple(evidence.topics),
        thresholds=thresholds,
        definitions=definitions(),
        notes=(*evidence.notes, *_notes(evidence, persons)),
    )
    return report.model_copy(update={"flags": tuple(flags(report, signal))})


def _app(evidence: Evidence) -> list[AppSpan] | None:
    if evidence.journal is None or evidence.started_at is None:
        return None
    # Who is on two channels in turn is told on the first.
    channel_of = {} if evidence.mixed else dict(reversed(evidence.participants))
    return app_spans(evidence.journal, evidence.started_at, channel_of, seconds=evidence.signal.seconds)


def _persons(evidence: Evidence) -> dict[int, Person]:
    """Who is on which channel. An empty channel that is nobody's is left out: the service fills files up with them."""
    channels = evidence.signal.channels
    if evidence.mixed:
        return dict.fromkeys(range(len(channels)), EVERYBODY)
    known = people(evidence.participants, evidence.caller, evidence.callee, evidence.call.direction)
    return {
        index: known.get(index, stranger(index))
        for index, channel in enumerate(channels)
        if index in known or not channel.silent
    }


def _channel(evidence: Evidence, talk: Talk, index: int, person: Person) -> Channel:
    said = None
    if evidence.transcript is not None:
        said = [phrase for phrase in evidence.transcript.phrases if phrase.channel == index]
    signal = evidence.signal.channels[index]
    return Channel(
        channel=index,
        role=person.role,
        label=person.label,
        participant=person.participant,
        speech=tuple(rounded(signal.speech)),
        metrics=channel_metrics(signal, talk.speakers[index], talk, said, mixed=evidence.mixed),
    )


def _recording(evidence: Evidence) -> RecordingFacts:
    signal = evidence.signal
    return RecordingFacts(
        started_at=evidence.started_at,
        seconds=round(signal.seconds, 3),
        channel_type="mixed" if evidence.mixed else "unmixed",
        sample_rate=evidence.sample_rate,
        bits=evidence.bits,
        end_reason=evidence.recording.end_reason,
        chunks=tuple(evidence.chunks),
        pieces=tuple(
            PieceFacts(start=start, end=end, chunk=piece.chunk, offset=round(piece.offset, 3))
            for piece in signal.pieces
            for start, end in rounded([piece.span])
        ),
        holes=tuple(
            HoleFacts(start=start, end=end, reason="paused" if hole.reason == "paused" else "missing")
            for hole in signal.holes
            for start, end in rounded([hole.span])
        ),
    )


def _notes(evidence: Evidence, persons: Mapping[int, Person]) -> list[str]:
    notes = [MIXED] if evidence.mixed else []
    if evidence.journal is None:
        return [*notes, NO_CALL]
    if evidence.started_at is None:
        notes.append(NO_START)
    if not evidence.mixed and not any(person.role == "customer" for person in persons.values()):
        notes.append(NO_CUSTOMER)
    if not evidence.mixed and any(", " in person.participant for person in persons.values()):
        notes.append(SHARED)
    return notes
