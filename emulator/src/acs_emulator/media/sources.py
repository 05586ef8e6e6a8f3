"""Play sources: checked when asked for, made into sound when their turn comes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from acs_emulator.audio import Clip, PromptError, PromptFormatError, PromptUnreachable
from acs_emulator.calls.call import Leg
from acs_emulator.core import outcomes
from acs_emulator.core.errors import BadRequest, ConfigurationMissing
from acs_emulator.core.outcomes import Outcome

#: Longest text of a text source in characters (docs: play-action).
TEXT_LIMIT = 4000


def check_sources(sources: Sequence[dict[str, Any]], field: str, leg: Leg) -> None:
    """Raise BadRequest or ConfigurationMissing when the service would refuse the sources outright."""
    for index, source in enumerate(sources):
        where = f"{field}[{index}]"
        kind = source["kind"]
        if source.get(kind) is None:
            raise BadRequest(f"'{where}.{kind}' is required when kind is {kind}.", f"{where}.{kind}")
        if kind == "file":
            if not source["file"]["uri"].strip():
                raise BadRequest(f"'{where}.file.uri' must not be empty.", f"{where}.file.uri")
            continue
        if leg.cognitive_services is None and not leg.service.config.loose:
            raise ConfigurationMissing
        if kind == "text":
            _check_text(source["text"], f"{where}.text")
        elif not source["ssml"]["ssmlText"].strip():
            raise BadRequest(f"'{where}.ssml.ssmlText' must not be empty.", f"{where}.ssml.ssmlText")


def _check_text(text: dict[str, Any], where: str) -> None:
    if not text["text"].strip():
        raise BadRequest(f"'{where}.text' must not be empty.", f"{where}.text")
    if len(text["text"]) > TEXT_LIMIT:
        raise BadRequest(f"'{where}.text' is longer than {TEXT_LIMIT} characters; use SSML.", f"{where}.text")
    if not text.get("voiceName") and not (text.get("sourceLocale") and text.get("voiceKind")):
        raise BadRequest(f"'{where}' needs voiceName, or sourceLocale and voiceKind.", f"{where}.voiceName")


async def load(source: dict[str, Any], leg: Leg) -> Clip:
    """The sound of one source. Raises PromptError."""
    studio = leg.service.studio
    if source["kind"] == "file":
        return await studio.fetch(source["file"]["uri"])
    if source["kind"] == "ssml":
        return await studio.speak_ssml(source["ssml"]["ssmlText"])
    text = source["text"]
    voice = text.get("voiceName") or text.get("voiceKind")
    return await studio.speak(text["text"], locale=text.get("sourceLocale"), voice=voice)


def failure(error: PromptError) -> Outcome:
    """How a source that cannot be played shows in PlayFailed."""
    if isinstance(error, PromptUnreachable):
        return outcomes.DOWNLOAD_FAILED
    if isinstance(error, PromptFormatError):
        return outcomes.FORMAT_INVALID
    return outcomes.SPEECH_SERVICE_FAILED


def words(sources: Sequence[dict[str, Any]]) -> str:
    """What a person would hear, for the timeline."""
    return " ".join(_words(source) for source in sources)


def _words(source: dict[str, Any]) -> str:
    if source["kind"] == "file":
        return f"[{source['file']['uri'].partition('?')[0]}]"
    return str(source["text"]["text"] if source["kind"] == "text" else source["ssml"]["ssmlText"])
