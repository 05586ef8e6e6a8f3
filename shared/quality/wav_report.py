"""The report of a WAV file by itself: its audio, and what the user adds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from shared.errors import InvalidInput
from shared.quality.assemble import MIXED, Evidence, Person, Role, assemble
from shared.quality.report import AppLine, AppSpan, ChunkFacts, Phrase, Report
from shared.quality.scorecards import Scorecard, grade, topic_rules
from shared.quality.thresholds import Thresholds
from shared.quality.transcripts.base import Utterance
from shared.quality.transcripts.phrases import topics
from shared.quality.transcripts.redaction import transcript

if TYPE_CHECKING:
    from shared.quality.audio.signal import ChunkSignal

BLOCK = 2**20
"""Bytes that are read at once (our choice)."""


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True, hide_input_in_errors=True)


class Speaker(_Model):
    """Who is on a channel."""

    channel: int = Field(ge=0)
    role: Role = "unknown"
    label: str = Field("", description="empty: by the role")


class Known(_Model):
    """What is known of a file besides its audio; times in seconds of the file."""

    customer: int | None = Field(None, description="the customer's channel, where all others are agents")
    speakers: tuple[Speaker, ...] = Field((), description="who is on each channel, if `customer` is not enough")
    app: tuple[AppSpan, ...] | None = Field(None, description="prompts, listening and holds; None: not known")
    app_lines: tuple[AppLine, ...] = Field((), description="what the app said, and what was keyed")
    phrases: tuple[Phrase, ...] | None = Field(None, description="phrases with their channels; None: not known")
    locale: str = Field("en-US", description="language of the phrases")
    region: str = Field("US", description="whose phone numbers are redacted in the phrases")


def report_of(
    path: Path, known: Known | None = None, *, thresholds: Thresholds | None = None, cards: Sequence[Scorecard] = ()
) -> Report:
    """The report of a WAV file.

    Args:
        known: what else is known; None: nothing.
        thresholds: the limits; None: the defaults.
        cards: scorecards to grade it by.

    Raises:
        UnreadableAudio: it is no WAV, or one that is not read: another sample rate, say.
        InvalidInput: what is known is of a channel that the file does not have.
        OSError: the file cannot be opened.
    """
    from shared.quality.audio.joining import PlacedChunk, join  # numpy

    known, thresholds = known or Known(), thresholds or Thresholds()
    analysis, missing = _analysed(path)
    signal = join([PlacedChunk(0, 0.0, (), analysis, analysis.seconds)], thresholds)
    mixed = len(signal.channels) == 1
    said = None
    if known.phrases is not None:
        said = [Utterance(one.channel, one.start, one.end, one.text, one.confidence) for one in known.phrases]
    damage = f"the file ends {missing} bytes before its header says; the rest was analysed." if missing else ""
    size = path.stat().st_size
    report = assemble(
        Evidence(
            id=path.stem,
            signal=signal,
            chunks=[ChunkFacts(index=0, blob=path.name, start=0.0, seconds=round(signal.seconds, 3), bytes=size,
                               note=damage)],
            sample_rate=analysis.sample_rate,
            bits=analysis.bits,
            mixed=mixed,
            people=_people(known, len(signal.channels)),
            app=known.app,
            app_lines=known.app_lines,
            transcript=None if said is None else transcript(said, known.locale, known.region),
            topics=() if said is None else topics(topic_rules(cards), said),
            thresholds=thresholds,
            notes=[*([MIXED] if mixed else []), *([f"Of {path.name}, {damage}"] if damage else [])],
        ),
        now=datetime.now(UTC),
    )  # fmt: skip
    return report.model_copy(update={"scorecards": tuple(grade(card, report, said) for card in cards)})


def _analysed(path: Path) -> tuple[ChunkSignal, int]:
    """What the audio of a file says, and how many bytes of it are missing."""
    from shared.quality.audio.signal import AudioPass

    passing = AudioPass()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            passing.feed(block)
    return passing.finish(), passing.missing


def _people(known: Known, channels: int) -> dict[int, Person]:
    """By channel; those of one role without a label of their own are counted: Agent, Agent 2."""
    speakers = known.speakers
    if known.customer is not None:
        agents = (Speaker(channel=one, role="agent") for one in range(channels) if one != known.customer)
        speakers = (Speaker(channel=known.customer, role="customer"), *agents)
    found: dict[int, Person] = {}
    counted: Counter[str] = Counter()
    for one in speakers:
        if one.channel >= channels:
            problem = f"{one.channel} is not in the file."
            raise InvalidInput("channel", problem, f"It has {channels}; the first is channel 0.")
        counted[one.role] += 1
        number = "" if counted[one.role] == 1 else f" {counted[one.role]}"
        label = f"Speaker {one.channel + 1}" if one.role == "unknown" else f"{one.role.capitalize()}{number}"
        found[one.channel] = Person(one.role, one.label or label)
    return found
