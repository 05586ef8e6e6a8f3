"""Azure AI Speech, fast transcription: a channel goes up as WAV, its words come back in the answer.

REST: `POST /speechtotext/transcriptions:transcribe`, api-version 2024-11-15 (the specification in azure-rest-api-specs;
"Use the fast transcription API with Azure AI Speech"). No log line and no error of this module holds what was said.
"""

from __future__ import annotations

import json
import secrets
import struct
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shared.azure import clients
from shared.errors import ForeignLocation, SettingsError, TranscriptionFailed
from shared.logs import logger
from shared.quality.spans import Span
from shared.quality.transcripts.base import ChannelAudio, Utterance, Word
from shared.recordings.location import read_address
from shared.transport import TRANSIENT, retry_after

# requests is imported where it is used: only the queue function transcribes.
if TYPE_CHECKING:
    import requests

log = logger("switchboard.recordings")

API_VERSION = "2024-11-15"
SCOPE = "https://cognitiveservices.azure.com/.default"
ATTEMPTS = 4
LONGEST_WAIT = 30.0
"""Seconds between two attempts. A service that asks for more time is asked again by a later delivery."""

_WAV = struct.Struct("<4sI4s4sIHHIIHH4sI")


class _Part(BaseModel):
    model_config = ConfigDict(defer_build=True)

    text: str
    offset: float = Field(alias="offsetMilliseconds", ge=0)
    duration: float = Field(alias="durationMilliseconds", ge=0)

    @property
    def span(self) -> Span:
        return Span(self.offset / 1000, (self.offset + self.duration) / 1000)


class _Phrase(_Part):
    confidence: float | None = None
    words: tuple[_Part, ...] = ()


class _Answer(BaseModel):
    model_config = ConfigDict(defer_build=True)

    phrases: tuple[_Phrase, ...]


class AzureSpeech:
    """The service; see Transcriber.

    Args:
        endpoint: of the Speech resource. A token needs its own domain (`https://name.cognitiveservices.azure.com`).
        key: of the resource; empty: the app's identity signs in and needs the role Cognitive Services Speech User.
        locale: the language that is spoken (`en-US`).
        timeout: seconds that the service may take for one request.
        sleep: waits so many seconds.

    Raises:
        SettingsError: the endpoint is not https and not on this machine.
    """

    def __init__(
        self,
        endpoint: str,
        key: str = "",
        *,
        locale: str,
        timeout: float = 240.0,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        try:
            address = read_address(endpoint)
        except ForeignLocation:
            raise SettingsError("TRANSCRIPTION_ENDPOINT", "is no address.", "Write https://name.…") from None
        if address.scheme != "https" and not address.loopback:
            raise SettingsError("TRANSCRIPTION_ENDPOINT", "is not https.", "Recordings are not sent in the clear.")
        self.locale = locale
        self._url = f"{endpoint.rstrip('/')}/speechtotext/transcriptions:transcribe?api-version={API_VERSION}"
        self._key = key
        self._timeout = timeout
        self._sleep = sleep

    def transcribe(self, audio: ChannelAudio, *, channel: int, speech: Sequence[Span] = ()) -> list[Utterance]:
        """What is said on a channel, by one request; see Transcriber. It needs no spans of speech."""
        answer = self._asked(audio)
        return sorted((_utterance(phrase, channel) for phrase in answer.phrases), key=lambda one: one.start)

    def _asked(self, audio: ChannelAudio) -> _Answer:
        import requests

        for attempt in range(1, ATTEMPTS + 1):
            body = _Body(audio, self.locale)
            wait, status = 2.0 ** (attempt - 1), None
            try:
                with requests.post(
                    self._url,
                    data=body,
                    headers={"Content-Type": body.content_type},
                    auth=self._signed,
                    proxies={"http": ""},  # plain http is for this machine: never through a proxy
                    timeout=(10.0, self._timeout),
                    allow_redirects=False,  # the audio and the key go to this host alone
                ) as response:
                    status = response.status_code
                    if status == 200:
                        return _read(response)
                    problem = f"the speech service answered {status}{_code(response)}"
                    asked = retry_after(response.headers.get("Retry-After", ""))
                    wait = wait if asked is None else asked
            except requests.RequestException as error:
                # Its text may hold the address; its kind says enough.
                problem = f"the speech service gave no answer ({type(error).__name__})"
            if status is not None and status not in TRANSIENT:
                raise TranscriptionFailed(problem, status, lasting=True)
            if attempt == ATTEMPTS or wait > LONGEST_WAIT:
                break
            log.info("transcription attempt=%d status=%s wait=%.1f", attempt, status, wait)
            self._sleep(wait)
        raise TranscriptionFailed(problem, status)

    def _signed(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the credential. As requests' `auth`, it also keeps a .netrc file from replacing it."""
        if self._key:
            request.headers["Ocp-Apim-Subscription-Key"] = self._key
        else:
            token = clients.token(SCOPE, lambda kind: TranscriptionFailed(f"no token for the speech service ({kind})"))
            request.headers["Authorization"] = f"Bearer {token}"
        return request


class _Body:
    """The multipart form of one request, its length known before it is read (RFC 7578)."""

    def __init__(self, audio: ChannelAudio, locale: str) -> None:
        boundary = secrets.token_hex(16)
        self.content_type = f"multipart/form-data; boundary={boundary}"
        self._audio = audio
        self._size = audio.frames * 2
        definition = json.dumps({"locales": [locale], "profanityFilterMode": "None"})
        head = (
            f"--{boundary}\r\n"
            'Content-Disposition: form-data; name="audio"; filename="channel.wav"\r\n'
            "Content-Type: audio/wav\r\n\r\n"
        )
        tail = (
            f"\r\n--{boundary}\r\n"
            'Content-Disposition: form-data; name="definition"\r\n'
            "Content-Type: application/json\r\n\r\n"
            f"{definition}\r\n--{boundary}--\r\n"
        )
        self._head, self._tail = head.encode() + _wav_header(self._size, audio.rate), tail.encode()

    def __len__(self) -> int:
        return len(self._head) + self._size + len(self._tail)

    def __iter__(self) -> Iterator[bytes]:
        yield self._head
        # An empty block would end a chunked body; this one is not, but a client may not care.
        yield from filter(None, self._audio.read(0, self._audio.frames))
        yield self._tail


def _wav_header(size: int, rate: int) -> bytes:
    """Of mono 16-bit PCM."""
    return _WAV.pack(b"RIFF", 36 + size, b"WAVE", b"fmt ", 16, 1, 1, rate, rate * 2, 2, 16, b"data", size)


def _read(response: requests.Response) -> _Answer:
    try:
        return _Answer.model_validate_json(response.content)
    except ValidationError as error:
        # The error itself would show what was said.
        where = ".".join(str(part) for part in error.errors(include_input=False)[0]["loc"]) or "body"
        raise TranscriptionFailed(f"the speech service's answer is no transcript: {where}", 200) from None


def _code(response: requests.Response) -> str:
    """The service's word for what is wrong; its message may quote what it was sent."""
    try:
        code = response.json()["code"]
    except (ValueError, KeyError, TypeError):
        return ""
    return f" ({code})" if isinstance(code, str) and code.isalnum() and len(code) <= 64 else ""


def _utterance(phrase: _Phrase, channel: int) -> Utterance:
    words = tuple(Word(word.text, *word.span) for word in phrase.words)
    return Utterance(channel, *phrase.span, phrase.text, phrase.confidence, words)
