"""The quality report of one recording, as JSON. docs/quality-report.schema.json is made from these models.

Times in spans are seconds since the recording began, pauses included. Numbers of participants are masked.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from shared.quality.spans import Span
from shared.quality.thresholds import Thresholds


class _Model(BaseModel):
    # What was said must not stand in an error about a report that cannot be read.
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True, hide_input_in_errors=True)


Spans = Annotated[tuple[Span, ...], Field(description="stretches `[start, end]` in seconds of the recording")]


class Metric(_Model):
    """A number, and the spans of the recording that it is based on. Its definition is in `definitions`."""

    value: float | None = Field(description="None: not available, for instance no speech")
    unit: Literal["s", "ratio", "count", "LUFS", "LU", "dBFS", "wpm"]
    spans: Spans = ()


Metrics = Annotated[dict[str, Metric], Field(description="by name; see `definitions`")]


class Channel(_Model):
    """One participant's channel."""

    channel: int = Field(ge=0)
    role: Literal["customer", "agent", "unknown", "everybody"] = Field(
        description="`everybody`: the one channel of a mixed recording"
    )
    label: str = Field(description="`Customer`, `Agent`, `Agent 2` …: the label of the participant on the page")
    participant: str = Field(description="the identifier, masked: `4:+1*******23`")
    speech: Spans
    metrics: Metrics
    envelope: tuple[int, ...] = Field(
        (),
        description="how loud it is over the recording, in equal steps: the loudest 10 ms of each, in dB above "
        "−60 dBFS; empty: not known. To draw, not to measure",
    )


class Conversation(_Model):
    """All channels together."""

    metrics: Metrics
    overlap: Spans = ()
    dead_air: Spans = ()


class AppSpan(_Model):
    """The app's own time: these spans are excluded from talk metrics."""

    kind: Literal["prompt", "listening", "hold"] = Field(
        description="`prompt`: the app plays; `listening`: it recognizes, prompt included; `hold`: somebody is on hold"
    )
    start: float
    end: float
    channel: int | None = Field(None, description="whose; None: everybody's")


class AppLine(_Model):
    """What the app said, or what somebody keyed: from the journal of the call, not from the audio."""

    kind: Literal["said", "keyed"]
    at: float = Field(description="when, in seconds of the recording")
    text: str = Field(description="redacted as the transcript is; more than two keys are only counted")
    channel: int | None = Field(None, description="whom it was said to, or who keyed it; None: everybody, or not known")


class Flag(_Model):
    """A limit that was reached, or a fault of the recording."""

    code: Literal[
        "no_speech", "silent_channel", "one_way_audio", "same_audio", "cross_talk", "clipping", "too_quiet", "too_loud",
        "silence", "dead_air", "monologue", "dominance", "long_hold", "audio_missing",
    ]  # fmt: skip
    text: str = Field(description="one sentence with the figure and its limit")
    channel: int | None = None
    spans: Spans = ()


class Redactions(_Model):
    """How many of each were redacted."""

    card: int = 0
    phone: int = 0
    email: int = 0


class Phrase(_Model):
    """A phrase, redacted."""

    channel: int
    start: float
    end: float
    text: str
    confidence: float | None = None


class Transcript(_Model):
    """The redacted transcript. Names and addresses are not redacted."""

    locale: str
    phrases: tuple[Phrase, ...]
    redactions: Redactions


class Topic(_Model):
    """The time spent on a topic, by the rules of the scorecards."""

    name: str
    seconds: float
    spans: Spans


class Answer(_Model):
    """The answer to one question of a scorecard."""

    id: str
    question: str
    answer: Literal["yes", "no", "n/a"]
    points: float = Field(description="reached; 0 for n/a")
    of: float = Field(description="possible; 0 for n/a, which does not count")
    auto_fail: bool = Field(False, description="this answer alone fails the whole scorecard")
    rationale: str = Field(description="why, with the figure or the phrases")
    spans: Spans = ()


class ScorecardResult(_Model):
    """One scorecard, filled in."""

    name: str
    title: str
    score: float | None = Field(description="0 to 100; None: less than `min_answered` of the weight is answered")
    passed: bool | None = Field(description="score at least `pass_at`, and no auto-fail; None: neither")
    pass_at: float
    questions: int = Field(description="of the card")
    answered: int = Field(description="questions that are not n/a")
    answered_share: float = Field(description="their share of the card's weight, 0 to 1")
    min_answered: float = Field(description="share from which there is a score")
    answers: tuple[Answer, ...]


class CallFacts(_Model):
    """The call that was recorded; None if the app does not know it."""

    id: str | None = None
    flow: str | None = None
    direction: Literal["inbound", "outbound"] | None = None
    outcome: str | None = Field(None, description="how it ended, technically")
    result: str | None = Field(None, description="as its flow recorded it")
    started_at: datetime | None = None
    ended_at: datetime | None = None


class ChunkFacts(_Model):
    """One file of the recording."""

    index: int
    blob: str | None = Field(description="name in the container of recordings; None: not available")
    start: float
    seconds: float
    bytes: int
    note: str = ""


class HoleFacts(_Model):
    """A stretch of the recording without a file."""

    start: float
    end: float
    reason: Literal["paused", "missing"]


class PieceFacts(_Model):
    """A stretch of the recording that is in a file."""

    start: float
    end: float
    chunk: int
    offset: float = Field(description="seconds into the chunk's file")


class RecordingFacts(_Model):
    """The recording itself."""

    started_at: datetime | None
    seconds: float = Field(description="from start to end, gaps included")
    channel_type: Literal["mixed", "unmixed"]
    sample_rate: int
    bits: int
    end_reason: str = ""
    chunks: tuple[ChunkFacts, ...]
    pieces: tuple[PieceFacts, ...]
    holes: tuple[HoleFacts, ...] = ()


class Report(_Model):
    """Everything about one recording."""

    schema_version: Literal["1.0"] = "1.0"
    id: str = Field(description="of the recording, as this app names it; also the report's")
    generation: int = Field(0, description="grows with each new report; the newest counts")
    created_at: datetime
    call: CallFacts
    recording: RecordingFacts
    channels: tuple[Channel, ...]
    conversation: Conversation
    app: tuple[AppSpan, ...] = ()
    app_lines: tuple[AppLine, ...] = Field((), description="without what was said or keyed while the recording paused")
    flags: tuple[Flag, ...] = ()
    transcript: Transcript | None = Field(None, description="None: no transcriber is set")
    topics: tuple[Topic, ...] = ()
    scorecards: tuple[ScorecardResult, ...] = ()
    thresholds: Thresholds
    definitions: dict[str, str] = Field(description="what each metric means, by name")
    notes: tuple[str, ...] = Field(
        (), description="what the reader should know, for instance that there is no transcript"
    )
