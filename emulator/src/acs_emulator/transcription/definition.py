"""The `definition` part of a transcription request: TranscribeDefinition of the published API 2024-11-15."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from acs_emulator.transcription.errors import InvalidRequest

#: The locale of the phrases when the request names none.
DEFAULT_LOCALE = "en-US"
#: Channels that are transcribed separately (docs: fast transcription).
MOST_CHANNELS = 2
_LOCALE = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?-([A-Z]{2}|[0-9]{3})\Z")
_PROFANITY = ("None", "Removed", "Tags", "Masked")


@dataclass(frozen=True)
class Definition:
    """``channels`` are transcribed apart; empty merges all of them."""

    locale: str = DEFAULT_LOCALE
    channels: tuple[int, ...] = ()


def parse_definition(text: bytes) -> Definition:
    """Raises InvalidRequest. Properties that are not known are passed over."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidRequest("InvalidRequestBodyFormat", "The definition is not valid JSON.") from error
    if not isinstance(value, dict):
        raise InvalidRequest("InvalidRequestBodyFormat", "The definition must be a JSON object.")
    locales = _list(value, "locales")
    wrong = next((one for one in locales if not isinstance(one, str) or not _LOCALE.match(one)), None)
    if wrong is not None:
        raise InvalidRequest("InvalidLocale", f"The locale {wrong!r} is not supported.")
    channels = _list(value, "channels")
    if any(isinstance(one, bool) or not isinstance(one, int) or one < 0 for one in channels):
        raise InvalidRequest("InvalidChannels", "The channels must be zero-based numbers.")
    if len(channels) > MOST_CHANNELS or len(set(channels)) < len(channels):
        raise InvalidRequest("InvalidChannels", f"At most {MOST_CHANNELS} different channels can be given.")
    if value.get("profanityFilterMode") not in (None, *_PROFANITY):
        raise InvalidRequest(
            "InvalidParameterValue", f"The profanityFilterMode must be one of {', '.join(_PROFANITY)}."
        )
    return Definition(locales[0] if locales else DEFAULT_LOCALE, tuple(channels))


def _list(value: dict[str, Any], name: str) -> list[Any]:
    given = value.get(name)
    if given is None:
        return []
    if not isinstance(given, list):
        raise InvalidRequest("InvalidRequestBodyFormat", f"The {name} must be a list.")
    return given
