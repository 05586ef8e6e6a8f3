"""Recordings made up for tests: who speaks when is written down, so every figure is known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from shared.quality.assemble import Evidence, Person, assemble
from shared.quality.conversation import Talk, analyse
from shared.quality.report import CallFacts, ChunkFacts, Report
from shared.quality.signal import ChannelSignal, Hole, Piece, Signal
from shared.quality.spans import Span
from shared.quality.thresholds import Thresholds

PEOPLE = {
    0: Person("customer", "Customer", "4:+1*******23"),
    1: Person("agent", "Agent", "8:acs:*******aa01"),
    2: Person("agent", "Agent 2", "8:acs:*******bb02"),
}
BEGAN = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)

Pairs = Iterable[tuple[float, float]]


def spans(*pairs: tuple[float, float]) -> list[Span]:
    return [Span(start, end) for start, end in pairs]


def channel(speech: Pairs = (), **facts: Any) -> ChannelSignal:
    """A channel of good quality that holds this speech; without any it is silent."""
    said = tuple(Span(start, end) for start, end in speech)
    good = ChannelSignal(said, -23.0, 6.0, -3.0, 0.0, -70.0, silent=False)
    mute = ChannelSignal((), None, None, None, 0.0, None, silent=True)
    return replace(good if said else mute, **facts)


def signal(*channels: Pairs | ChannelSignal, seconds: float = 100.0, holes: Sequence[Hole] = ()) -> Signal:
    made = tuple(one if isinstance(one, ChannelSignal) else channel(one) for one in channels)
    return Signal(seconds, made, (Piece(Span(0.0, seconds), 0, 0.0),), tuple(holes))


def talk(*channels: Pairs, away: Pairs = (), holes: Sequence[Hole] = (), **limits: float) -> Talk:
    """The conversation of channels that hold this speech."""
    thresholds = Thresholds.model_validate(limits)
    return analyse(signal(*channels, holes=holes), spans(*away), thresholds)


def evidence(made: Signal, **given: Any) -> Evidence:
    """A caller on channel 0, an agent on channel 1 and, if there is one, a supervisor on channel 2."""
    facts: dict[str, Any] = {
        "id": "20261123-5d41402abc4b2a76b9719d91",
        "generation": 3,
        "started_at": BEGAN,
        "chunks": [ChunkFacts(index=0, blob="0.wav", start=0.0, seconds=made.seconds, bytes=1000)],
        "sample_rate": 16000,
        "bits": 16,
        "people": {channel: person for channel, person in PEOPLE.items() if channel < len(made.channels)},
        "app": (),
        "call": CallFacts(id="c1", flow="desk", direction="inbound", outcome="completed"),
    }
    return Evidence(signal=made, **{**facts, **given})


def report(made: Signal, **given: Any) -> Report:
    return assemble(evidence(made, **given), now=NOW)


def values(metrics: Mapping[str, Any]) -> dict[str, float | None]:
    return {name: metric.value for name, metric in metrics.items()}
