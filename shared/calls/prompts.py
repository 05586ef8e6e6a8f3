"""What a caller hears: a file, a text that the service speaks, or SSML."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from shared.calls.free_text import SECRET, FreeText
from shared.errors import InvalidInput

MAX_TEXT = 4000
"""Characters of a text source; longer speech goes as SSML (docs: how-tos/call-automation/recognize-action)."""


class _Source(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.__dict__ == other.__dict__  # as an action, for the same reason

    cache_id: str | None = Field(None, description="`playSourceCacheId`: the service keeps the audio for an hour.")


class FilePrompt(_Source):
    """A WAV (16-bit PCM, mono, 16 kHz) or MP3 file that the service fetches."""

    kind: Literal["file"] = "file"
    url: str


class TextPrompt(_Source):
    """A text that the service speaks. Without a voice, the app's default voice speaks it."""

    kind: Literal["text"] = "text"
    text: str
    voice_name: str | None = None
    locale: str | None = None
    voice_kind: Literal["male", "female"] | None = None
    custom_voice_endpoint_id: str | None = None


class SsmlPrompt(_Source):
    """Speech Synthesis Markup Language, whole: `<speak …>…</speak>`."""

    kind: Literal["ssml"] = "ssml"
    ssml: str
    custom_voice_endpoint_id: str | None = None


Prompt = Annotated[
    FilePrompt | TextPrompt | SsmlPrompt,
    Field(discriminator="kind"),
    FreeText({"kind": "text", "text": SECRET}),
]

Words = Prompt | str
"""A prompt, or a text for the app's default voice."""

_KINDS = (FilePrompt, TextPrompt, SsmlPrompt)


def prompts_of(action: BaseModel) -> list[Prompt]:
    """The prompts that an action holds, in whichever fields."""
    values = (value if isinstance(value, tuple) else (value,) for value in action.__dict__.values())
    return [one for several in values for one in several if isinstance(one, _KINDS)]


def words_of(given: Prompt) -> str:
    """What a prompt says, without its markup; empty for a file."""
    if isinstance(given, TextPrompt):
        return given.text
    if isinstance(given, FilePrompt):
        return ""
    import html  # for rehearsals alone

    return html.unescape(re.sub(r"<[^>]*>", "", given.ssml))


def prompt(field: str, given: object, voice_name: str | None = None) -> Prompt:
    """A prompt as it is, a string as a text. InvalidInput for anything else.

    Args:
        field: what was given, for the message.
        voice_name: who speaks a string; None: the app's default voice.
    """
    if isinstance(given, _KINDS):
        return given
    if isinstance(given, str):
        return text(given, voice_name=voice_name)
    what = "None" if given is None else f"of type {type(given).__name__}"
    remedy = (
        "Give them one after the other." if isinstance(given, list | tuple) else 'Give "words", file(…) or ssml(…).'
    )
    raise InvalidInput(field, f"is {what}, which cannot be played.", remedy)


def prompts(field: str, given: Words | Sequence[Words], voice_name: str | None = None) -> tuple[Prompt, ...]:
    """One prompt or several, as several."""
    if isinstance(given, list | tuple):
        return tuple(one if isinstance(one, _KINDS) else prompt(field, one, voice_name) for one in given)
    return (prompt(field, given, voice_name),)


def file(url: str, *, cache_id: str | None = None) -> FilePrompt:
    """A prompt from a file at a URL that the service can reach."""
    if not url.startswith(("https://", "http://")):
        raise InvalidInput("file.url", f"{url!r} is not a URL.", "Give an address that the service can fetch.")
    return FilePrompt(url=url, cache_id=cache_id)


def text(
    words: str,
    *,
    voice_name: str | None = None,
    locale: str | None = None,
    voice_kind: Literal["male", "female"] | None = None,
    custom_voice_endpoint_id: str | None = None,
    cache_id: str | None = None,
) -> TextPrompt:
    """A prompt that the service speaks, with a voice by name, or by locale and kind, or the app's default."""
    return _text(words, voice_name, locale, voice_kind, custom_voice_endpoint_id, cache_id)


@lru_cache(maxsize=256)
def _text(
    words: str,
    voice_name: str | None,
    locale: str | None,
    voice_kind: Literal["male", "female"] | None,
    custom_voice_endpoint_id: str | None,
    cache_id: str | None,
) -> TextPrompt:
    """Frozen, so that one serves every call that says the same; a replay asks for each prompt of a call again."""
    if not words.strip():
        raise InvalidInput("text", "is empty; the service responds 401/8565 to it.", "Give the words to speak.")
    if len(words) > MAX_TEXT:
        raise InvalidInput("text", f"has {len(words)} characters, more than {MAX_TEXT}.", "Send it as ssml(…).")
    if voice_name is not None and not voice_name.strip():
        raise InvalidInput("text.voice_name", "is blank.", "Name a voice such as en-US-JennyNeural, or leave it out.")
    if (voice_kind is not None or locale is not None) and voice_name is None and None in (voice_kind, locale):
        raise InvalidInput("text.locale", "and voice_kind go together.", "Give both, or a voice_name.")
    return TextPrompt(
        text=words,
        voice_name=voice_name,
        locale=locale,
        voice_kind=voice_kind,
        custom_voice_endpoint_id=custom_voice_endpoint_id,
        cache_id=cache_id,
    )


def ssml(markup: str, *, custom_voice_endpoint_id: str | None = None, cache_id: str | None = None) -> SsmlPrompt:
    """A prompt in SSML; checked for its root element, the rest is the service's to judge."""
    if "<speak" not in markup:
        raise InvalidInput("ssml", "has no <speak> element.", "Wrap the markup in <speak version='1.0' …>.")
    return SsmlPrompt(ssml=markup, custom_voice_endpoint_id=custom_voice_endpoint_id, cache_id=cache_id)
