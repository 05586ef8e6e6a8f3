"""Who speaks when: turns, responses, interruptions, back-channels, silence and overlap, from spans of speech.

The rules, which docs/quality.md tells with pictures:

- What the app plays and listens to, holds, and holes of the recording leave the conversation. Turns, silences
  and responses end at such a stretch and never run across it. Stretches up to `gap_seconds` long are bridged, as
  gaps in speech are.
- Who begins to speak while nobody speaks takes the floor. Who begins while others speak takes it if they speak on
  for at least `speech_seconds` after the last of those has stopped; otherwise it was a back-channel.
- Taking the floor is an interruption if both spoke at once for at least `interruption_seconds` before.
- A turn is the speech that takes the floor, and all that follows of the same speaker before somebody else takes it,
  as long as no pause is longer than `turn_pause_seconds`.

Of two who begin at once, the one who speaks longer counts as the first; if that is equal too, the lower channel.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from shared.quality.signal import Signal
from shared.quality.spans import Span, difference, rounded, union
from shared.quality.thresholds import Thresholds

_EXACT = 1e-6
"""Seconds by which a sum of binary fractions may miss a limit that it reaches."""


@dataclass(slots=True)
class Speaker:
    """What one channel does in the conversation; every list is in order.

    Attributes:
        speech: its speech, less what lies outside of the conversation.
        turns: from the first to the last speech of each.
        responses: from the end of somebody else's turn to the start of this speaker's next; empty spans where the
            other had not ended yet.
        interruptions: the time of each in which both spoke.
        backchannels: speech over somebody that did not take the floor.
    """

    speech: list[Span] = field(default_factory=list)
    turns: list[Span] = field(default_factory=list)
    responses: list[Span] = field(default_factory=list)
    interruptions: list[Span] = field(default_factory=list)
    backchannels: list[Span] = field(default_factory=list)

    @property
    def monologue(self) -> Span | None:
        """The longest turn."""
        return longest(self.turns)


@dataclass(frozen=True, slots=True)
class Talk:
    """A whole conversation; every list is in order.

    Attributes:
        speakers: one for each channel.
        conversation: from the first to the last speech, less what does not belong to it.
        overlap: two or more speak at once.
        silences: nobody speaks.
        dead_air: silences of at least `dead_air_seconds`.
    """

    speakers: tuple[Speaker, ...]
    conversation: list[Span]
    overlap: list[Span]
    silences: list[Span]
    dead_air: list[Span]


def longest(spans: Iterable[Span]) -> Span | None:
    """The longest of the spans, the first of equals; None if there is none."""
    return max(spans, key=lambda span: span.seconds, default=None)


def analyse(signal: Signal, away: Iterable[Span], thresholds: Thresholds) -> Talk:
    """Who speaks when.

    Args:
        signal: what the audio says.
        away: what leaves the conversation, in any order; the signal's holes are added.
        thresholds: the limits.

    Spans are given to the millisecond. Takes O(n log n) for n spans.
    """
    bounds = [*away, *(hole.span for hole in signal.holes)]
    out = [span for span in rounded(union(bounds)) if span.seconds > thresholds.gap_seconds + _EXACT]
    speakers = tuple(Speaker(_within(channel.speech, out, thresholds)) for channel in signal.channels)

    spoken = union(span for speaker in speakers for span in speaker.speech)
    conversation = difference([Span(spoken[0].start, spoken[-1].end)], out) if spoken else []
    silences = difference(conversation, spoken)
    _take_turns(speakers, [span.start for span in conversation], thresholds)
    return Talk(
        speakers,
        conversation,
        _overlap(speakers),
        silences,
        [span for span in silences if reaches(span, thresholds.dead_air_seconds)],
    )


def reaches(span: Span, limit: float) -> bool:
    """The span is at least so many seconds long."""
    return span.seconds > limit - _EXACT


def _within(speech: Sequence[Span], out: Sequence[Span], thresholds: Thresholds) -> list[Span]:
    """The speech that lies in the conversation; a rest that a cut leaves too short is no speech."""
    return [span for span in difference(rounded(speech), out) if reaches(span, thresholds.speech_seconds)]


def _overlap(speakers: Sequence[Speaker]) -> list[Span]:
    bounds = sorted(bound for speaker in speakers for start, end in speaker.speech for bound in ((start, 1), (end, -1)))
    found: list[Span] = []
    speaking, since = 0, 0.0
    for moment, change in bounds:
        if speaking == 1 and change == 1:
            since = moment
        elif speaking == 2 and change == -1:
            found.append(Span(since, moment))
        speaking += change
    return union(found)


@dataclass(slots=True)
class _Turn:
    speaker: int
    stretch: int
    start: float
    end: float


def _take_turns(speakers: Sequence[Speaker], stretches: Sequence[float], thresholds: Thresholds) -> None:
    """Fill in the turns and what follows from them. `stretches`: where each stretch of the conversation begins."""
    utterances = sorted((start, -end, index) for index, one in enumerate(speakers) for start, end in one.speech)
    speaks_until = [0.0] * len(speakers)
    turns: list[_Turn] = []
    for start, minus_end, index in utterances:
        end, speaker = -minus_end, speakers[index]
        speaks_until[index] = 0.0
        others_until = max(speaks_until)
        speaks_until[index] = end
        if others_until > start and end - others_until < thresholds.speech_seconds - _EXACT:
            speaker.backchannels.append(Span(start, end))
            continue
        stretch = bisect_right(stretches, start)
        before = turns[-1] if turns and turns[-1].stretch == stretch else None
        if before and before.speaker == index and start - before.end <= thresholds.turn_pause_seconds + _EXACT:
            before.end = end
            continue
        if others_until - start > thresholds.interruption_seconds - _EXACT:
            speaker.interruptions.append(Span(start, others_until))
        if before and before.speaker != index:
            speaker.responses.append(Span(min(before.end, start), start))
        turns.append(_Turn(index, stretch, start, end))
    for turn in turns:
        speakers[turn.speaker].turns.append(Span(turn.start, turn.end))
