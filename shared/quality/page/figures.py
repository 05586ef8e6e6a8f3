"""Numbers as people read them: `1:23`, `45 %`, `−18.2 LUFS`."""

from __future__ import annotations

from datetime import UTC, datetime

from shared.quality.report import Channel, Metric, Report, ScorecardResult

_SPACE = "\N{NO-BREAK SPACE}"
_MINUS = "\N{MINUS SIGN}"
NOTHING = "–"


def clock(seconds: float) -> str:
    """A place in the recording, `m:ss` or `h:mm:ss`: the second that it lies in."""
    whole = max(0, int(seconds))
    hours, rest = divmod(whole, 3600)
    minutes, seconds = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def length(seconds: float) -> str:
    """How long something takes: `0 s`, `0.8 s`, `12.6 s`, `1:23`."""
    if seconds >= 59.95:
        return clock(round(seconds))
    return f"{seconds:.1f}{_SPACE}s" if seconds else f"0{_SPACE}s"


def percent(ratio: float) -> str:
    """`45 %`, `0.8 %`, `0.05 %`: the limit of clipping lies that low."""
    share = 100 * ratio
    decimals = 2 if 0 < share < 0.1 else 1 if 0 < share < 0.95 else 0
    return f"{share:.{decimals}f}{_SPACE}%"


def shown(metric: Metric) -> str:
    """A metric with its unit."""
    if metric.value is None:
        return NOTHING
    match metric.unit:
        case "s":
            return length(metric.value)
        case "ratio":
            return percent(metric.value)
        case "count":
            return f"{metric.value:,.0f}"
        case "wpm":
            return f"{metric.value:.0f}{_SPACE}wpm"
        case level:
            return f"{metric.value:.1f}{_SPACE}{level}".replace("-", _MINUS)


def points(value: float) -> str:
    """Points and scores: no decimal where there is nothing behind it."""
    return f"{value:.1f}".removesuffix(".0")


def answered(card: ScorecardResult) -> str:
    """How much of a card is behind its score, and what a score would need if there is none."""
    found = f"{card.answered} of {card.questions} question{'s' * (card.questions != 1)} answered"
    if card.score is not None:
        return found
    needed = f"{card.min_answered * 100:.0f}{_SPACE}%" if card.answered else "at least one answer"
    return f"{found} ({card.answered_share * 100:.0f}{_SPACE}% of the weight): a score needs {needed}"


def size(count: int) -> str:
    """Bytes, in the decimal units of storage."""
    amount, unit = float(count), "B"
    for larger in ("kB", "MB", "GB"):
        if amount < 1000:
            break
        amount, unit = amount / 1000, larger
    return f"{amount:.0f}{_SPACE}B" if unit == "B" else f"{amount:.1f}{_SPACE}{unit}"


def moment(at: datetime) -> str:
    """A date and time in UTC, which it says."""
    at = at.astimezone(UTC)
    return f"{at.day}{_SPACE}{at:%b}{_SPACE}{at:%Y, %H:%M}{_SPACE}UTC"


def why_nothing(report: Report, name: str, channel: Channel | None) -> str:
    """Why a metric has no value, as far as the report tells; empty: it does not."""
    codes = {flag.code for flag in report.flags}
    if channel is None:
        if name == "longest_hold_seconds":
            return "no hold"
        if "no_speech" in codes:
            return "nobody speaks"
        return "mixed recording" if report.recording.channel_type == "mixed" else ""
    silent = any(flag.code == "silent_channel" and flag.channel == channel.channel for flag in report.flags)
    if silent:
        return "silent channel"
    if not channel.speech:
        return "no speech"
    if channel.role == "everybody":
        return "mixed recording"
    if name in {"loudness_lufs", "loudness_range_lu"}:
        return "too quiet or short"
    return "never answers" if name.startswith("response_") else ""
