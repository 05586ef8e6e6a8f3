"""Fast transcription, as the speech to text REST API of an Azure AI Speech resource offers it."""

from __future__ import annotations

import asyncio
import hmac
import tempfile
from typing import IO

from aiohttp import BodyPartReader, web

from acs_emulator.api.control import json_response
from acs_emulator.api.entra import SPEECH, token_checker
from acs_emulator.api.keyed_service import KeyedService
from acs_emulator.api.routes import TRANSCRIBE
from acs_emulator.core.errors import ServiceError, Unauthorized
from acs_emulator.events.log import RequestRecord
from acs_emulator.service.emulator import Emulator
from acs_emulator.transcription.definition import Definition, parse_definition
from acs_emulator.transcription.errors import AccessDenied, InvalidRequest, SpeechRefusal
from acs_emulator.transcription.transcribe import transcribe

PATH = "/speechtotext/transcriptions:transcribe"
#: Stable versions that have the operation.
VERSIONS = ("2024-11-15", "2025-10-15")
#: Largest audio in bytes (docs: Speech service quotas and limits, less than 500 MB).
AUDIO_LIMIT = 500 * 1000 * 1000
_SPEECH = KeyedService(
    operation=TRANSCRIBE,
    injected=ServiceError,
    reason="Ocp-Apim-Subscription-Key is missing or wrong",
    remedy="Send any key, or the one that --speech-key names.",
    says_when=True,
)


class Speech:
    """The handler."""

    def __init__(self, service: Emulator) -> None:
        self._service = service
        self._tokens = token_checker(service.config, SPEECH)

    def routes(self) -> list[web.RouteDef]:
        return [web.post(PATH, self.transcribe)]

    async def transcribe(self, request: web.Request) -> web.StreamResponse:
        """TranscribeResult of a multipart upload, which goes through a file, never whole through memory."""
        return await _SPEECH.handle(self._service, request, self._authorize, self._transcribed)

    def _authorize(self, request: web.Request) -> None:
        """A key, or a bearer token: any, unless --oauth has them checked. Raises AccessDenied."""
        config = self._service.config
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if self._tokens is not None and scheme.lower() == "bearer" and not config.loose:
            try:
                self._tokens.check(request.headers["Authorization"])
            except Unauthorized:
                raise AccessDenied from None
            return
        if config.loose or (scheme.lower() == "bearer" and token.strip()):
            return
        key = request.headers.get("Ocp-Apim-Subscription-Key", "")
        if not key or (config.speech_key and not hmac.compare_digest(key.encode(), config.speech_key.encode())):
            raise AccessDenied

    async def _transcribed(self, request: web.Request, record: RequestRecord) -> web.Response:
        version = request.query.get("api-version")
        if version not in VERSIONS:
            supported = ", ".join(VERSIONS)
            raise InvalidRequest("InvalidParameterValue", f"The api-version must be one of {supported}.")
        if not request.content_type.startswith("multipart/"):
            raise SpeechRefusal(
                415, "UnsupportedMediaType", "UnsupportedMediaType", "The content type must be multipart/form-data."
            )
        with tempfile.TemporaryFile(prefix="emulator-speech-") as audio:
            definition = await _read(request, audio)
            record.body = {"locale": definition.locale, "channels": list(definition.channels), "bytes": audio.tell()}
            audio.flush()
            result = await asyncio.to_thread(transcribe, audio, definition, self._service.voiceprints)
        return json_response(result)


async def _read(request: web.Request, audio: IO[bytes]) -> Definition:
    """Write the audio part to the file; the definition, whichever of the two comes first."""
    definition, found = Definition(), False
    try:
        async for part in await request.multipart():
            if not isinstance(part, BodyPartReader):
                raise InvalidRequest("InvalidRequestBodyFormat", "The parts of the request must not be nested.")
            if part.name == "audio":
                found = True
                await _copy(part, audio)
            elif part.name == "definition":
                definition = parse_definition(bytes(await part.read(decode=True)))
    except (ValueError, web.RequestPayloadError, KeyError) as error:
        raise InvalidRequest("InvalidRequestBodyFormat", "The request is not valid multipart/form-data.") from error
    if not found:
        raise InvalidRequest("InvalidPayload", "The request has no part 'audio'.")
    return definition


async def _copy(part: BodyPartReader, audio: IO[bytes]) -> None:
    while not part.at_eof():
        audio.write(await part.read_chunk(256 * 1024))
        if audio.tell() >= AUDIO_LIMIT:
            raise SpeechRefusal(
                413, "InvalidRequest", "InvalidPayload", f"The audio is not smaller than {AUDIO_LIMIT} bytes."
            )
