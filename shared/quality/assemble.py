"""The report of a conversation, from what its audio says and what else is known of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from shared.quality.catalogue import definitions
from shared.quality.conversation import Talk, analyse
from shared.quality.flags import flags
from shared.quality.metrics import channel_metrics, conversation_metrics
from shared.quality.report import (
    AppLine,
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

Role = Literal["customer", "agent", "unknown", "everybody"]

MIXED = "The recording is mixed: the speakers cannot be told apart."


@dataclass(frozen=True, slots=True)
class Person:
    """Who is on one channel, one or several in turn; see shared.quality.report.Channel."""

    role: Role
    label: str
    participant: str = ""


EVERYBODY = Person("everybody", "Everybody")
"""The one channel of a mixed recording."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What a report is made from.

    Attributes:
        id: the report's.
        signal: what the audio says.
        chunks: its files.
        sample_rate: in Hz.
        bits: of one sample.
        mixed: one channel holds everybody.
        people: who is on which channel, as far as it is known; of a mixed recording nobody needs to know.
        app: what the app did on the line; None: not known.
        app_lines: what it said, and what was keyed.
        started_at: when the recording began, the zero of every span; None: not known.
        end_reason: why it ended; empty: not known.
        generation: see shared.quality.report.Report.
        call: the call, as far as it is known.
        transcript: redacted; None: there is none.
        topics: of the transcript.
        thresholds: the limits.
        notes: what the reader should know.
    """

    id: str
    signal: Signal
    chunks: Sequence[ChunkFacts]
    sample_rate: int
    bits: int
    mixed: bool = False
    people: Mapping[int, Person] = field(default_factory=dict)
    app: Sequence[AppSpan] | None = None
    app_lines: Sequence[AppLine] = ()
    started_at: datetime | None = None
    end_reason: str = ""
    generation: int = 0
    call: CallFacts = field(default_factory=CallFacts)
    transcript: Transcript | None = None
    topics: Sequence[Topic] = ()
    thresholds: Thresholds = field(default_factory=Thresholds)
    notes: Sequence[str] = ()


def assemble(evidence: Evidence, *, now: datetime) -> Report:
    """The report, without scorecards: these are graded on it, and put into a copy.

    Args:
        evidence: everything that is known.
        now: when the report is made.
    """
    signal, thresholds = evidence.signal, evidence.thresholds
    app = evidence.app
    talk = analyse(signal, (Span(span.start, span.end) for span in app or ()), thresholds)
    report = Report(
        id=evidence.id,
        generation=evidence.generation,
        created_at=now,
        call=evidence.call,
        recording=_recording(evidence),
        channels=tuple(_channel(evidence, talk, index, person) for index, person in _people(evidence).items()),
        conversation=Conversation(
            metrics=conversation_metrics(signal, talk, app, mixed=evidence.mixed),
            overlap=tuple(talk.overlap),
            dead_air=tuple(talk.dead_air),
        ),
        app=tuple(app or ()),
        app_lines=tuple(line for line in evidence.app_lines if not _off_record(signal, line.at)),
        transcript=evidence.transcript,
        topics=tuple(evidence.topics),
        thresholds=thresholds,
        definitions=definitions(),
        notes=tuple(evidence.notes),
    )
    return report.model_copy(update={"flags": tuple(flags(report, signal))})


def _people(evidence: Evidence) -> dict[int, Person]:
    """Who is on which channel. An empty channel that is nobody's is left out: the service fills files up with them."""
    channels = evidence.signal.channels
    if evidence.mixed:
        return dict.fromkeys(range(len(channels)), EVERYBODY)
    return {
        index: evidence.people.get(index, Person("unknown", f"Speaker {index + 1}"))
        for index, channel in enumerate(channels)
        if index in evidence.people or not channel.silent
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
        envelope=signal.envelope,
    )


def _off_record(signal: Signal, at: float) -> bool:
    """Whether the recording was paused then: nothing of that is kept."""
    return any(hole.reason == "paused" and hole.span.start <= at < hole.span.end for hole in signal.holes)


def _recording(evidence: Evidence) -> RecordingFacts:
    signal = evidence.signal
    return RecordingFacts(
        started_at=evidence.started_at,
        seconds=round(signal.seconds, 3),
        channel_type="mixed" if evidence.mixed else "unmixed",
        sample_rate=evidence.sample_rate,
        bits=evidence.bits,
        end_reason=evidence.end_reason,
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
