"""The metrics of the catalogue, computed. Values are rounded to the millisecond, as spans are, ratios to 4 digits."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import ceil
from statistics import median

from shared.quality.catalogue import CATALOGUE
from shared.quality.conversation import Speaker, Talk, longest
from shared.quality.report import AppSpan, Metric, Phrase
from shared.quality.signal import ChannelSignal, Signal
from shared.quality.spans import Span, rounded, total, union

_Value = tuple[float | None, Iterable[Span]]

_DIGITS = {"s": 3, "ratio": 4, "count": 0, "LUFS": 1, "LU": 1, "dBFS": 1, "wpm": 1}
"""Digits behind the point, by unit."""


def channel_metrics(
    signal: ChannelSignal, speaker: Speaker, talk: Talk, phrases: Sequence[Phrase] | None, *, mixed: bool = False
) -> dict[str, Metric]:
    """The metrics of one channel, by name.

    Args:
        signal: what the audio of the channel says.
        speaker: what the channel does in the conversation.
        talk: the whole conversation.
        phrases: what was said on the channel; None: there is no transcript, and so no metric of words.
        mixed: the channel holds everybody: what tells speakers apart cannot be said.
    """
    turn = speaker.monologue
    waits = sorted(span.seconds for span in speaker.responses)
    talked, talked_by_all = total(speaker.speech), sum(total(one.speech) for one in talk.speakers)
    apart: dict[str, _Value] = {
        "talk_ratio": (_ratio(talked, talked_by_all), speaker.speech),
        "turns": (len(speaker.turns), speaker.turns),
        "response_median_seconds": (median(waits) if waits else None, _filled(speaker.responses)),
        "response_p90_seconds": _p90(waits, speaker.responses),
        "longest_monologue_seconds": _longest(turn),
        "interruptions": (len(speaker.interruptions), speaker.interruptions),
        "backchannels": (len(speaker.backchannels), speaker.backchannels),
        "overtalk_ratio": (_ratio(len(speaker.interruptions), len(speaker.turns)), speaker.interruptions),
    }
    values: dict[str, _Value] = {
        "talk_seconds": (talked, speaker.speech),
        **(_unsaid(apart) if mixed else apart),
        "loudness_lufs": (signal.loudness, ()),
        "loudness_range_lu": (signal.loudness_range, ()),
        "peak_dbfs": (signal.peak, ()),
        "clipped_ratio": (signal.clipped, ()),
        "noise_floor_dbfs": (signal.noise_floor, ()),
    }
    if phrases is not None:
        count = sum(words(phrase.text) for phrase in phrases)
        spoken = union(Span(phrase.start, phrase.end) for phrase in phrases)
        values["words"] = (count, spoken)
        values["words_per_minute"] = (_ratio(60.0 * count, total(spoken)), spoken)
    return _metrics(values)


def conversation_metrics(
    signal: Signal, talk: Talk, app: Sequence[AppSpan] | None, *, mixed: bool = False
) -> dict[str, Metric]:
    """The metrics of all channels together, by name.

    Args:
        signal: what the audio says.
        talk: the conversation.
        app: what the app did on the line; None: not known.
        mixed: see channel_metrics.
    """
    seconds = total(talk.conversation)
    silence, overlap = total(talk.silences), total(talk.overlap)
    talked = [total(speaker.speech) for speaker in talk.speakers]
    most = max(range(len(talked)), key=talked.__getitem__, default=0)
    turn = longest(speaker.monologue for speaker in talk.speakers if speaker.monologue)
    interruptions = sorted(span for speaker in talk.speakers for span in speaker.interruptions)

    within: dict[str, _Value] = {
        "silence_seconds": (silence, talk.silences),
        "silence_ratio": (_ratio(silence, seconds), talk.silences),
        "longest_silence_seconds": _longest(longest(talk.silences), none=0.0),
        "dead_air": (len(talk.dead_air), talk.dead_air),
        "dead_air_seconds": (total(talk.dead_air), talk.dead_air),
    }
    apart: dict[str, _Value] = {
        "overlap_seconds": (overlap, talk.overlap),
        "overlap_ratio": (_ratio(overlap, seconds), talk.overlap),
        "all_interruptions": (len(interruptions), interruptions),
        "longest_monologue": _longest(turn),
        "dominance": (_ratio(talked[most], sum(talked)), talk.speakers[most].speech) if len(talked) > 1 else (None, ()),
    }
    values: dict[str, _Value] = {
        "recording_seconds": (signal.seconds, rounded([Span(0.0, signal.seconds)])),
        "conversation_seconds": (seconds, talk.conversation),
        **(within if talk.conversation else _unsaid(within)),
        **(apart if talk.conversation and not mixed else _unsaid(apart)),
        **_app_values(app),
    }
    return _metrics(values)


def words(text: str) -> int:
    """How many words a text has: what stands between spaces and holds a letter or a digit."""
    return sum(any(letter.isalnum() for letter in word) for word in text.split())


def _app_values(app: Sequence[AppSpan] | None) -> dict[str, _Value]:
    holds = [Span(span.start, span.end) for span in app or () if span.kind == "hold"]
    others = union(Span(span.start, span.end) for span in app or () if span.kind != "hold")
    values: dict[str, _Value] = {
        "hold_seconds": (total(union(holds)), union(holds)),
        "longest_hold_seconds": _longest(longest(holds), none=0.0),
        "app_seconds": (total(others), others),
    }
    return values if app is not None else _unsaid(values)


def _p90(waits: Sequence[float], responses: Iterable[Span]) -> _Value:
    """Nearest rank; with the responses that took at least as long."""
    if not waits:
        return None, ()
    value = waits[ceil(0.9 * len(waits)) - 1]
    return value, _filled(span for span in responses if span.seconds >= value)


def _filled(spans: Iterable[Span]) -> list[Span]:
    return [span for span in spans if span.seconds > 0]


def _longest(span: Span | None, *, none: float | None = None) -> _Value:
    return (span.seconds, [span]) if span else (none, ())


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole > 0 else None


def _unsaid(values: Iterable[str]) -> dict[str, _Value]:
    return dict.fromkeys(values, (None, ()))


def _metrics(values: dict[str, _Value]) -> dict[str, Metric]:
    found = {}
    for name, (value, spans) in values.items():
        unit = CATALOGUE[name].unit
        # A share of clipped samples counts in the sixth digit.
        digits = 6 if name == "clipped_ratio" else _DIGITS[unit]
        found[name] = Metric(value=None if value is None else round(value, digits), unit=unit, spans=tuple(spans))
    return found
