"""The streams service without storage, core or network: what the tests put in their places."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import threading
import wave
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette

from shared.errors import Refused
from shared.security import StreamUrls
from streams.app import create_app
from streams.limits import Budget
from streams.service import Service
from streams.settings import StreamSettings
from streams.track import Track, TrackLimits
from streams.urls import Kind

CALL = "0123456789abcdef0123456789abcdef"
CALLER = "4:+14255550123"
START = 1_731_698_172.925
"""2024-11-15T19:16:12.925Z, the timestamp of the documented sample."""

HEADERS = {
    "authorization": "Bearer good",
    "x-ms-call-connection-id": "02004780-77fb-4a3d-ad2c-6f009ecea961",
    "x-ms-call-correlation-id": "d6e2e5b4-1111-4222-8333-444455556666",
}
KEY = bytes(range(32))


class MemoryStore:
    """Blobs in a dictionary; `failing` makes every operation fail."""

    def __init__(self) -> None:
        self.blobs: dict[str, bytes] = {}
        self.staged: dict[tuple[str, str], bytes] = {}
        self.commits = 0
        self.failing = False
        self._lock = threading.Lock()

    def create(self, name: str, data: bytes, content_type: str) -> bool:
        with self._guarded():
            return self.blobs.setdefault(name, data) is data

    def stage(self, name: str, block_id: str, data: bytes) -> None:
        with self._guarded():
            self.staged[name, block_id] = data

    def commit(self, name: str, block_ids: Sequence[str], content_type: str) -> None:
        with self._guarded():
            self.blobs[name] = b"".join(self.staged[name, block_id] for block_id in block_ids)
            self.commits += 1

    def append(self, name: str, data: bytes, content_type: str) -> bool:
        with self._guarded():
            self.blobs[name] = self.blobs.get(name, b"") + data
            return True

    def update(self, name: str, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
        with self._guarded():
            self.blobs[name] = json.dumps(change(json.loads(self.blobs.get(name, b"{}")))).encode()

    def _guarded(self) -> threading.Lock:
        if self.failing:
            raise OSError("the storage is away")
        return self._lock

    def ending(self, suffix: str) -> list[str]:
        """Names that end so, in order."""
        return sorted(name for name in self.blobs if name.endswith(suffix))

    def index(self) -> dict[str, Any]:
        (name,) = self.ending("audio.json")
        document: dict[str, Any] = json.loads(self.blobs[name])
        return document

    def lines(self) -> list[dict[str, Any]]:
        (name,) = self.ending("transcript.jsonl")
        return [json.loads(line) for line in self.blobs[name].splitlines()]


def sound(wav: bytes) -> tuple[int, bytes]:
    """Rate and samples of a 16-bit mono file, read as anybody reads it."""
    with wave.open(io.BytesIO(wav)) as file:
        assert (file.getnchannels(), file.getsampwidth()) == (1, 2)
        pcm = file.readframes(file.getnframes())
        assert len(pcm) == file.getnframes() * 2
        return file.getframerate(), pcm


class Time:
    """A clock that sleeping moves on."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        await asyncio.sleep(0)


class GoodToken:
    """Takes the token `good` alone."""

    def verify(self, authorization: str | None) -> None:
        if authorization != "Bearer good":
            raise Refused("the token is not valid")


@dataclass
class Told:
    """The app, as far as signals go: the same id counts once. `failures` come first; `lost` carries out, then fails."""

    signals: list[tuple[str, str, Any]] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    requests: list[tuple[str, int, int]] = field(default_factory=list)
    failures: list[Exception] = field(default_factory=list)
    lost: list[Exception] = field(default_factory=list)

    def __call__(self, call_id: str, connection: str, sequence: int, signals: Sequence[Mapping[str, Any]]) -> str:
        if self.failures:
            raise self.failures.pop(0)
        self.requests.append((connection, sequence, len(signals)))
        fresh = 0
        for number, one in enumerate(signals, sequence):
            signal_id = one.get("id") or f"{connection}-{number}"
            if signal_id not in self.ids:
                self.ids.append(signal_id)
                self.signals.append((call_id, one["name"], one["data"]))
                fresh += 1
        if self.lost:
            raise self.lost.pop(0)
        return "advanced" if fresh else "duplicate"


class Bench:
    """The service with nothing around it."""

    def __init__(self, **settings: Any) -> None:
        self.store = MemoryStore()
        self.told = Told()
        self.time = Time()
        self.urls = StreamUrls("wss://streams.test", KEY)
        self.service = Service(
            urls=self.urls,
            tokens=GoodToken(),
            store=self.store,
            deliver=self.told,
            key=KEY,
            settings=StreamSettings(**settings),
            clock=lambda: START,
            monotonic=self.time,
            sleep=self.time.sleep,
        )
        self.app: Starlette = create_app()
        self.app.state.service = self.service

    def path(self, kind: Kind, call_id: str = CALL) -> str:
        """Path and query of a signed address."""
        return self.urls.url(call_id, kind).removeprefix("wss://streams.test")

    def socket(self, target: str, headers: dict[str, str] | None = None) -> Socket:
        return Socket(self.app, target, HEADERS if headers is None else headers)

    async def opened(self, kind: Kind) -> Socket:
        socket = self.socket(self.path(kind))
        assert await socket.connect() == 101
        return socket


class Socket:
    """The service's side of one web socket, as ASGI messages."""

    def __init__(self, app: Starlette, target: str, headers: dict[str, str], *, extension: bool = True) -> None:
        path, _, query = target.partition("?")
        self._scope: dict[str, Any] = {
            "type": "websocket",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "scheme": "wss",
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
            "subprotocols": [],
            "state": {},
            "extensions": {"websocket.http.response": {}} if extension else {},
        }
        self._app = app
        self._to_app: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._answers: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.received: list[dict[str, Any]] = []
        self.refusal: Any = None
        self.close_code: int | None = None

    async def connect(self) -> int:
        """Open; the HTTP status of the handshake."""
        self._to_app.put_nowait({"type": "websocket.connect"})
        self._running = asyncio.create_task(self._app(self._scope, self._to_app.get, self._take))
        answer = await self._answers.get()
        if answer["type"] == "websocket.accept":
            return 101
        await self._running
        if answer["type"] == "websocket.close":
            self.close_code, self.refusal = answer["code"], answer.get("reason")
            return 403  # what a server makes of it
        return int(answer["status"])

    def send(self, *frames: dict[str, Any] | str) -> None:
        for frame in frames:
            text = frame if isinstance(frame, str) else json.dumps(frame)
            self._to_app.put_nowait({"type": "websocket.receive", "text": text})

    async def close(self, code: int = 1000) -> None:
        """End the connection, and wait until the service has done everything."""
        self._to_app.put_nowait({"type": "websocket.disconnect", "code": code})
        await asyncio.wait_for(self._running, 20)

    async def _take(self, message: Any) -> None:
        if message["type"] in ("websocket.accept", "websocket.close", "websocket.http.response.start"):
            self._answers.put_nowait(message)
        elif message["type"] == "websocket.http.response.body":
            self.refusal = message["body"].decode()
        elif message["type"] == "websocket.send":
            self.received.append(json.loads(message["text"]))


async def post(app: Starlette, target: str, body: bytes = b"") -> tuple[int, Any]:
    """A POST request; status and JSON."""
    path, _, query = target.partition("?")
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "https",
        "path": path, "raw_path": path.encode(), "root_path": "", "query_string": query.encode(), "headers": [],
    }  # fmt: skip
    messages: list[Any] = []
    waiting = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Any:
        return waiting.pop() if waiting else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        messages.append(message)

    await app(scope, receive, send)
    content = b"".join(message.get("body", b"") for message in messages[1:])
    return messages[0]["status"], json.loads(content) if content else None


def track(
    participant: str | None = CALLER,
    *,
    rate: int = 16_000,
    part_seconds: int = 3600,
    held: int = 4_000_000,
    archived: int = 10**12,
    files: int = 10_000,
) -> Track:
    """A track of its own."""
    limits = TrackLimits(Budget("participant", held), Budget("archive", archived), Budget("files", files))
    return Track("audio-x", participant, rate, part_seconds, limits)


# Frames, as the service writes them


def metadata(rate: int = 16_000) -> dict[str, Any]:
    length = rate // 50 * 2
    body = {"subscriptionId": "s", "encoding": "PCM", "sampleRate": rate, "channels": 1, "length": length}
    return {"kind": "AudioMetadata", "audioMetadata": body}


def stamp(seconds: float) -> str:
    """An ISO timestamp so long after START."""
    from datetime import UTC, datetime

    return datetime.fromtimestamp(START + seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def audio(seconds: float, value: int = 1, *, who: str | None = CALLER, rate: int = 16_000) -> dict[str, Any]:
    """One frame: 20 ms in which every sample has the value."""
    pcm = value.to_bytes(2, "little", signed=True) * (rate // 50)
    body: dict[str, Any] = {"timestamp": stamp(seconds), "data": base64.b64encode(pcm).decode(), "silent": False}
    if who is not None:
        body["participantRawID"] = who
    return {"kind": "AudioData", "audioData": body}


def key(tone: str) -> dict[str, Any]:
    return {"kind": "DtmfData", "dtmfData": {"data": tone}}


def phrase(text: str, offset: int, status: str = "Final", **more: Any) -> dict[str, Any]:
    body = {
        "text": text, "format": "display", "confidence": 0.95, "offset": offset, "duration": 12_500_000,
        "words": [{"text": text, "offset": offset, "duration": 12_500_000}],
        "participantRawID": CALLER, "resultStatus": status,
    }  # fmt: skip
    return {"kind": "TranscriptionData", "transcriptionData": {**body, **more}}


def transcription_metadata() -> dict[str, Any]:
    body = {"subscriptionId": "s", "locale": "en-US", "callConnectionId": "c", "correlationId": "d"}
    return {"kind": "TranscriptionMetadata", "transcriptionMetadata": body}


def wav(seconds: float, rate: int = 16_000, channels: int = 1, value: int = 7) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(value.to_bytes(2, "little") * round(seconds * rate) * channels)
    return out.getvalue()
