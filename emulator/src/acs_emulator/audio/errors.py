"""Why a prompt can not be played.

PromptError
├── PromptUnreachable   the file could not be fetched
├── PromptFormatError   the file was fetched, and the service would refuse what is in it
└── SpeechError         the text or SSML could not be spoken
"""

from __future__ import annotations


class PromptError(Exception):
    """A prompt can not be played. The message says why, in words for the developer of the bot."""


class _PromptFileError(PromptError):
    def __init__(self, url: str, reason: str) -> None:
        # A prompt's query string is often a shared access signature, and messages end up in logs.
        super().__init__(f"{url.partition('?')[0]}: {reason}")
        self.url = url
        self.reason = reason


class PromptUnreachable(_PromptFileError):
    """The file behind a URL could not be fetched."""


class PromptFormatError(_PromptFileError):
    """The file is not one that the service plays: WAV PCM 16-bit mono 16 kHz, or MP3."""


class SpeechError(PromptError):
    """Text or SSML could not be turned into speech."""
