"""What the app said on a recorded call, and what was keyed: the lines that a transcript of its audio does not have."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import Any

from pydantic_core import PydanticCustomError

from shared.calls.actions import TONE_OF_KEY
from shared.calls.operation_context import read_context
from shared.events.callbacks import ContinuousDtmfRecognitionToneReceived, RecognizeCompleted
from shared.events.journaled import journaled_callback
from shared.events.values import read_time
from shared.quality.report import AppLine

MOST_KEYS = 2
"""Keys that are shown (our choice): those of a menu. More may be a number or a PIN, and are only counted."""
MOST_CHARACTERS = 2000
"""Characters of a prompt that are kept (our choice)."""

SECRET, A_KEY = "(secret)", "(1 key)"

_KEYS = {tone: key for key, tone in TONE_OF_KEY.items()}
_TAG = re.compile(r"<[^>]*>")


def app_lines(
    journal: Sequence[Mapping[str, Any]],
    began: Mapping[int, float],
    zero: float,
    channel_of: Callable[[Mapping[str, Any]], int | None],
    redacted: Callable[[str], str],
) -> list[AppLine]:
    """The lines of a call, in order.

    Args:
        journal: the entries as JSON objects (shared.calls.journal), without what is secret.
        began: when each prompt that was heard began, by the number of its operation, in Unix seconds.
        zero: when the recording began, the same.
        channel_of: the channel of whom an action is for; None: everybody, or not known.
        redacted: takes out of a text what nobody should read.
    """
    found: list[AppLine] = []
    actions: dict[int, Mapping[str, Any]] = {}
    for entry in journal:
        if entry["entry"] == "issued":
            action = actions[entry["seq"]] = entry["action"]
            if (text := _words(action)) and entry["seq"] in began:
                text = SECRET if entry.get("secret") else redacted(text)[:MOST_CHARACTERS]
                found.append(_line("said", began[entry["seq"]] - zero, text, channel_of(action)))
        elif entry["entry"] == "event":
            event = journaled_callback(entry["event"])
            at = time_of(entry["event"], entry["at"] / 1000) - zero
            channel = channel_of(actions.get(read_context(event.operation_context or "")[1], {}))
            if at < 0:
                continue
            if isinstance(event, ContinuousDtmfRecognitionToneReceived):
                found.append(_line("keyed", at, A_KEY, channel))
            elif isinstance(event, RecognizeCompleted) and (keyed := SECRET if entry.get("secret") else _keyed(event)):
                found.append(_line("keyed", at, keyed, channel))
    return _together(sorted(found, key=lambda line: line.at))


def time_of(event: Mapping[str, Any], journaled: float) -> float:
    """An event's own time; where it has none that can be read, the time at which it was journaled."""
    try:
        return read_time(event.get("time")).timestamp()
    except PydanticCustomError:
        return journaled


def _line(kind: Any, at: float, text: str, channel: int | None) -> AppLine:
    return AppLine(kind=kind, at=round(max(0.0, at), 3), text=text, channel=channel)


def _words(action: Mapping[str, Any]) -> str:
    """What an action says."""
    texts = [
        f"[{str(one.get('url', '')).partition('?')[0].rpartition('/')[2]}]"
        if one.get("kind") == "file"
        else one.get("text") or _TAG.sub(" ", one.get("ssml") or "")
        for one in action.get("prompts", ())
    ]
    return " ".join(" ".join(texts).split())


def _together(lines: Sequence[AppLine]) -> list[AppLine]:
    """Keys that were reported one by one, counted together: what they spell may be a number."""
    found: list[AppLine] = []
    for (text, channel), several in groupby(lines, key=lambda line: (line.text, line.channel)):
        same = list(several)
        if text == A_KEY and len(same) > 1:
            found.append(_line("keyed", same[0].at, f"({len(same)} keys)", channel))
        else:
            found += same
    return found


def _keyed(event: RecognizeCompleted) -> str:
    """What somebody keyed as an answer, or chose without a word; empty: neither."""
    if len(event.tones) > MOST_KEYS:
        return f"({len(event.tones)} keys)"
    if event.tones:
        return " ".join(_KEYS.get(tone, tone) for tone in event.tones)
    spoken = event.choice_result is not None and event.choice_result.recognized_phrase
    return event.choice if event.choice and not spoken else ""
