"""What somebody should look at: limits that were reached, and faults of the recording."""

from __future__ import annotations

from collections.abc import Iterator

from shared.quality.report import Channel, Flag, Report
from shared.quality.signal import Signal
from shared.quality.spans import Span, total


def flags(report: Report, signal: Signal) -> list[Flag]:
    """Everything in a report that calls for a look; faults of the recording first, for they taint the rest.

    Args:
        report: with its metrics, its flags not yet made.
        signal: what it was made from.
    """
    return [*_faults(report, signal), *_levels(report), *_talk(report), *_holds(report)]


def _faults(report: Report, signal: Signal) -> Iterator[Flag]:
    channels = {channel.channel: channel for channel in report.channels}
    missing = [Span(hole.start, hole.end) for hole in report.recording.holes if hole.reason == "missing"]
    missing = [span for span in missing if span.seconds > report.thresholds.gap_seconds]
    lost = sum(chunk.blob is None for chunk in report.recording.chunks)
    if missing or lost:
        parts = [f"{_seconds(total(missing))} of the recording is missing"] if missing else []
        parts += [f"{lost} of {len(report.recording.chunks)} files are missing"] if lost else []
        yield Flag(code="audio_missing", text=f"{', '.join(parts)}.", spans=tuple(missing))
    if not any(channel.speech for channel in report.channels):
        yield Flag(code="no_speech", text=f"Nobody speaks in the {_seconds(report.recording.seconds)} recorded.")
    for index, channel in channels.items():
        if signal.channels[index].silent:
            text = f"{channel.label}'s channel is silent for {_seconds(report.recording.seconds)}."
            yield Flag(code="silent_channel", text=text, channel=index)
    yield from _one_way(report)
    for one, other in signal.same_audio:
        if one in channels and other in channels:
            who = f"{channels[one].label} and {channels[other].label}"
            text = f"The channels of {who} have the same audio: figures that compare them mean nothing."
            yield Flag(code="same_audio", text=text)
    for source, into in signal.cross_talk:
        if source in channels and into in channels:
            text = f"{channels[source].label} can be heard on the channel of {channels[into].label}."
            yield Flag(code="cross_talk", text=text, channel=into)


def _one_way(report: Report) -> Iterator[Flag]:
    """One side speaks outside of the app's time, the other was connected and is never heard.

    With several agents one of them is enough: a supervisor who only listens is no fault.
    """
    sides: dict[str, list[Channel]] = {}
    for channel in report.channels:
        known = channel.role in ("customer", "agent")
        sides.setdefault(channel.role if known else channel.label, []).append(channel)
    heard = {side: sum(_value(channel, "talk_seconds") or 0.0 for channel in of) for side, of in sides.items()}
    spans = report.conversation.metrics["conversation_seconds"].spans
    for side, mute in sides.items():
        if heard[side] == 0 and (others := sum(heard.values())) > 0:
            who = " and ".join(channel.label for channel in mute)
            text = f"{who} is not heard at all, while the other side speaks for {_seconds(others)}."
            yield Flag(code="one_way_audio", text=text, channel=_only(mute), spans=spans)


def _levels(report: Report) -> Iterator[Flag]:
    limits = report.thresholds
    for channel in report.channels:
        clipped, loudness = _value(channel, "clipped_ratio"), _value(channel, "loudness_lufs")
        if clipped is not None and clipped >= limits.clipped_ratio:
            text = f"{clipped:.2%} of the samples of {channel.label} are clipped (limit {limits.clipped_ratio:.2%})."
            yield Flag(code="clipping", text=text, channel=channel.channel)
        if loudness is not None and channel.speech:
            if loudness < limits.quiet_lufs:
                text = f"{channel.label} is quiet: {loudness:.1f} LUFS (limit {limits.quiet_lufs:.1f})."
                yield Flag(code="too_quiet", text=text, channel=channel.channel)
            if loudness > limits.loud_lufs:
                text = f"{channel.label} is loud: {loudness:.1f} LUFS (limit {limits.loud_lufs:.1f})."
                yield Flag(code="too_loud", text=text, channel=channel.channel)


def _talk(report: Report) -> Iterator[Flag]:
    limits, metrics = report.thresholds, report.conversation.metrics
    silence = metrics["silence_ratio"].value
    if silence is not None and silence >= limits.silence_ratio:
        text = f"Nobody speaks in {silence:.0%} of the conversation (limit {limits.silence_ratio:.0%})."
        yield Flag(code="silence", text=text, spans=metrics["silence_ratio"].spans)
    if air := metrics["dead_air"].spans:
        text = f"Dead air {_times(air)} (limit {_seconds(limits.dead_air_seconds)})."
        yield Flag(code="dead_air", text=text, spans=air)
    for channel in report.channels:
        turns = [turn for turn in channel.metrics["turns"].spans if turn.seconds >= limits.monologue_seconds]
        if turns:
            text = (
                f"{channel.label} speaks without a break {_times(turns)} (limit {_seconds(limits.monologue_seconds)})."
            )
            yield Flag(code="monologue", text=text, channel=channel.channel, spans=tuple(turns))
    speaking = [channel for channel in report.channels if _value(channel, "talk_ratio")]
    if len(speaking) > 1:
        most = max(speaking, key=lambda channel: _value(channel, "talk_ratio") or 0.0)
        ratio = _value(most, "talk_ratio") or 0.0
        if ratio >= limits.dominance:
            text = f"{most.label} has {ratio:.0%} of all talk time (limit {limits.dominance:.0%})."
            yield Flag(code="dominance", text=text, channel=most.channel)


def _holds(report: Report) -> Iterator[Flag]:
    limit = report.thresholds.hold_seconds
    long = [span for span in report.app if span.kind == "hold" and span.end - span.start >= limit]
    if long:
        spans = tuple(Span(span.start, span.end) for span in long)
        channels = {span.channel for span in long}
        text = f"A hold lasts too long {_times(spans)} (limit {_seconds(limit)})."
        yield Flag(code="long_hold", text=text, channel=channels.pop() if len(channels) == 1 else None, spans=spans)


def _value(channel: Channel, metric: str) -> float | None:
    return channel.metrics[metric].value


def _only(channels: list[Channel]) -> int | None:
    return channels[0].channel if len(channels) == 1 else None


def _seconds(seconds: float) -> str:
    return f"{seconds:.1f} s"


def _times(spans: tuple[Span, ...] | list[Span]) -> str:
    """`once, 12.0 s`, or `3 times, 45.0 s at most`."""
    longest = _seconds(max(span.seconds for span in spans))
    return f"once, for {longest}" if len(spans) == 1 else f"{len(spans)} times, for up to {longest}"
