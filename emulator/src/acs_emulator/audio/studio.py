"""Where prompts are made into sound."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import TYPE_CHECKING

from acs_emulator.audio.clip import Clip
from acs_emulator.audio.errors import PromptFormatError, SpeechError
from acs_emulator.audio.fetching import MAX_BYTES, download, open_session
from acs_emulator.audio.files import WrongFormat, decode
from acs_emulator.audio.frames import Request
from acs_emulator.audio.speech import Speaker
from acs_emulator.audio.ssml import for_espeak
from acs_emulator.audio.voices import DEFAULT_VOICE, espeak_voice

if TYPE_CHECKING:
    import aiohttp

# 64 MB is about half an hour of prompts.
CACHE_BYTES = 64 * 1024 * 1024


class Studio:
    """Speaks and fetches prompts. Belongs to the event loop it is first used in; close it there.

    Speech comes from espeak-ng in a child process that starts with the first prompt. What was spoken is
    kept, up to `cache_bytes` of samples, least recently used out first; a prompt that is asked for while
    it is being made is made once. Fetched files are not kept.
    """

    def __init__(self, *, cache_bytes: int = CACHE_BYTES, max_file_bytes: int = MAX_BYTES) -> None:
        self._speaker = Speaker()
        self._spoken = _Clips(cache_bytes)
        self._speaking: dict[Request, asyncio.Task[Clip]] = {}
        self._max_file_bytes = max_file_bytes
        self._session: aiohttp.ClientSession | None = None
        self._closed = False

    async def speak(self, text: str, *, locale: str | None = None, voice: str | None = None) -> Clip:
        """Plain text as speech.

        `voice` is a voice of the Speech service, such as `en-US-JennyNeural`, of which the locale and
        whether it is a woman's are kept; or a voice kind, `male` or `female`. Without a voice or a locale
        it is American English.

        Raises SpeechError for empty text, an unknown locale or voice, and when espeak-ng is not there.
        """
        if not text.strip():
            raise SpeechError("the text is empty")
        return await self._shared(Request(espeak_voice(locale, voice), text, ssml=False))

    async def speak_as(self, text: str, espeak_name: str) -> Clip:
        """Plain text in a voice by espeak-ng's own name (see `voices.phone_voice`). Raises SpeechError."""
        return await self._shared(Request(espeak_name, text, ssml=False))

    async def speak_ssml(self, ssml: str) -> Clip:
        """SSML as speech: voices, languages, prosody, breaks, say-as and substitutions are followed.

        Raises SpeechError for SSML that is malformed or says nothing, and as `speak` does.
        """
        return await self._shared(Request(DEFAULT_VOICE, ssml, ssml=True))

    async def fetch(self, url: str) -> Clip:
        """The sound in a WAV (16-bit PCM mono 16,000 Hz) or MP3 file behind an http or https URL.

        Raises PromptUnreachable and PromptFormatError.
        """
        if self._closed:
            raise RuntimeError("the studio is closed")
        if self._session is None:
            self._session = open_session()
        body = await download(self._session, url, max_bytes=self._max_file_bytes)
        try:
            return await asyncio.to_thread(decode, body)
        except WrongFormat as error:
            raise PromptFormatError(url, str(error)) from error

    async def close(self) -> None:
        """End the child process and open connections; callers still waiting get a PromptError."""
        self._closed = True
        tasks = list(self._speaking.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._speaker.close()
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _shared(self, request: Request) -> Clip:
        if self._closed:
            raise RuntimeError("the studio is closed")
        if (clip := self._spoken.get(request)) is not None:
            return clip
        task = self._speaking.get(request)
        if task is None:
            task = asyncio.create_task(self._make(request))
            self._speaking[request] = task
            task.add_done_callback(lambda done: self._made(request, done))
        try:
            # Shielded: a caller that hangs up must not take the prompt away from the others.
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            caller = asyncio.current_task()
            if caller is not None and caller.cancelling():
                raise
            raise SpeechError("the studio was closed before the prompt was spoken") from None

    async def _make(self, request: Request) -> Clip:
        if not request.ssml:
            return await self._speaker.say(request)
        ssml = await asyncio.to_thread(for_espeak, request.text)
        return await self._speaker.say(Request(request.voice, ssml, ssml=True))

    def _made(self, request: Request, task: asyncio.Task[Clip]) -> None:
        del self._speaking[request]
        # Asking for the exception marks it as seen, also when every caller is gone.
        if not task.cancelled() and task.exception() is None:
            self._spoken.put(request, task.result())


class _Clips:
    """Clips by what was asked for, bounded by the bytes of their samples; the least recently used go."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._clips: OrderedDict[Request, Clip] = OrderedDict()

    def get(self, request: Request) -> Clip | None:
        clip = self._clips.get(request)
        if clip is not None:
            self._clips.move_to_end(request)
        return clip

    def put(self, request: Request, clip: Clip) -> None:
        self._clips[request] = clip
        self._bytes += len(clip.samples)
        while self._bytes > self._max_bytes:
            self._bytes -= len(self._clips.popitem(last=False)[1].samples)
