"""Media streaming and transcription as they are asked for when a call is set up."""

from __future__ import annotations

import re
from typing import Any

from acs_emulator.api.validation import is_absolute
from acs_emulator.core.errors import BadRequest, ConfigurationMissing
from acs_emulator.service.connection import Connection
from acs_emulator.streaming.audio import AudioStreaming
from acs_emulator.streaming.subscription import MissingUrl
from acs_emulator.streaming.ticker import Ticker
from acs_emulator.streaming.transcription import Transcription

#: Language and region (docs: the locale must include the region).
_LOCALE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z]{4})?-[A-Za-z0-9]{2,3}\Z")


def set_up_streams(leg: Connection, body: dict[str, Any], ticker: Ticker) -> None:
    """Take mediaStreamingOptions and transcriptionOptions, already checked, over to the leg."""
    streaming, transcription = body.get("mediaStreamingOptions"), body.get("transcriptionOptions")
    if streaming is not None and streaming.get("transportUrl"):
        leg.stream_audio(streaming, ticker)
    elif streaming is not None and streaming.get("startMediaStreaming"):
        leg.observers.append(MissingUrl(leg, AudioStreaming))
    if transcription is not None and transcription.get("transportUrl"):
        leg.transcribe(transcription)
    elif transcription is not None and transcription.get("startTranscription"):
        leg.observers.append(MissingUrl(leg, Transcription))


def check_streams(body: dict[str, Any], *, loose: bool) -> None:
    """Raise BadRequest or ConfigurationMissing for options that the service would refuse."""
    streaming, transcription = body.get("mediaStreamingOptions"), body.get("transcriptionOptions")
    if streaming is not None:
        _check_url(streaming, "mediaStreamingOptions")
    if transcription is not None:
        _check_url(transcription, "transcriptionOptions")
        check_locale(transcription["locale"], "transcriptionOptions.locale")
        intelligence = (body.get("callIntelligenceOptions") or {}).get("cognitiveServicesEndpoint")
        if transcription.get("startTranscription") and not intelligence and not loose:
            raise ConfigurationMissing


def _check_url(options: dict[str, Any], field: str) -> None:
    url = options.get("transportUrl")
    if url and not is_absolute(url, "ws", "wss"):
        raise BadRequest(f"'{field}.transportUrl' must be an absolute ws or wss URL.", f"{field}.transportUrl")


def check_locale(locale: str, field: str) -> None:
    if not _LOCALE.match(locale):
        raise BadRequest(f"'{field}' must be a locale with its region, such as en-US.", field)
