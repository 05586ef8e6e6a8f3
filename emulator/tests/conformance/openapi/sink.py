"""An application that only listens: callbacks with their tokens checked, Event Grid events, and files to play."""

from __future__ import annotations

import asyncio
import io
import json
import threading
import time
import urllib.request
import wave
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import jwt
from aiohttp import web

T = TypeVar("T")
#: Seconds that a test waits for an event.
PATIENCE = 15.0
_OPENID = "/calling/.well-known/acsopenidconfiguration"
_ISSUER = "https://acscallautomation.communication.azure.com"


class Loop:
    """An event loop in a thread of its own, for what is asynchronous in a synchronous test."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="test loop", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


@dataclass
class Sink:
    """What has arrived, in order of arrival; each callback has its ``path`` added."""

    base: str = ""
    callbacks: list[dict[str, Any]] = field(default_factory=list)
    grid: list[dict[str, Any]] = field(default_factory=list)
    #: Callbacks with a token that did not verify: there must be none.
    refused: list[str] = field(default_factory=list)
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _keys: dict[str, Any] = field(default_factory=dict)
    _audience: str = ""

    def trust(self, endpoint: str, resource_id: str) -> None:
        """Learn the signing keys through the OpenID document."""
        document = _get(endpoint + _OPENID)
        assert document["issuer"] == _ISSUER
        for key in _get(document["jwks_uri"])["keys"]:
            self._keys[key["kid"]] = jwt.PyJWK(key)
        self._audience = resource_id

    # -- what tests ask ----------------------------------------------------------------------------

    def event(self, leg: str, name: str, count: int = 1) -> dict[str, Any]:
        """The ``count``-th callback of a type on a call connection, once it has come."""

        def found() -> dict[str, Any] | None:
            events = [event for event in self.of(leg) if event["type"].endswith(f".{name}")]
            return events[count - 1] if len(events) >= count else None

        return self._wait(found, f"{name} number {count} on {leg}; came {self.names(leg)}")

    def data(self, leg: str, name: str, count: int = 1) -> dict[str, Any]:
        return dict(self.event(leg, name, count)["data"])

    def incoming(self, to: str) -> dict[str, Any]:
        """The data of the newest IncomingCall to a raw id or number, once it has come; used up."""

        def found() -> dict[str, Any] | None:
            for index, event in reversed(list(enumerate(self.grid))):
                if event["eventType"].endswith(".IncomingCall") and event["data"]["to"]["rawId"] == to:
                    return dict(self.grid.pop(index)["data"])
            return None

        return self._wait(found, f"IncomingCall to {to}")

    def grid_event(self, name: str, server_call_id: str) -> dict[str, Any]:
        def found() -> dict[str, Any] | None:
            named = (event for event in self.grid if event["eventType"].endswith(f".{name}"))
            return next((event for event in named if event["data"].get("serverCallId") == server_call_id), None)

        return self._wait(found, f"{name} of {server_call_id}")

    def recording_state(self, recording_id: str, state: str) -> dict[str, Any]:
        """RecordingStateChanged of a recording: its call connection id may be the recorder's own."""

        def found() -> dict[str, Any] | None:
            for event in self.callbacks:
                if event["data"].get("recordingId") == recording_id and event["data"]["state"] == state:
                    return event
            return None

        return self._wait(found, f"RecordingStateChanged {state}")

    def recording_file(self, recording_id: str) -> dict[str, Any]:
        """RecordingFileStatusUpdated of a recording."""

        def found() -> dict[str, Any] | None:
            named = (event for event in self.grid if event["eventType"].endswith(".RecordingFileStatusUpdated"))
            return next((event for event in named if recording_id in event["subject"]), None)

        return self._wait(found, f"RecordingFileStatusUpdated of {recording_id}")

    def of(self, leg: str) -> list[dict[str, Any]]:
        return [event for event in self.callbacks if event["data"]["callConnectionId"] == leg]

    def names(self, leg: str) -> list[str]:
        """The types on a call connection in order of arrival, ParticipantsUpdated left out."""
        names = [event["type"].rpartition(".")[2] for event in self.of(leg)]
        return [name for name in names if name != "ParticipantsUpdated"]

    def _wait(self, found: Any, what: str) -> dict[str, Any]:
        deadline = time.monotonic() + PATIENCE
        with self._changed:
            while (value := found()) is None:
                if not self._changed.wait(deadline - time.monotonic()):
                    raise TimeoutError(what)
            return dict(value)

    # -- what it serves ----------------------------------------------------------------------------

    async def callback(self, request: web.Request) -> web.Response:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        try:
            key = self._keys[jwt.get_unverified_header(token)["kid"]]
            jwt.decode(token, key, algorithms=["RS256"], audience=self._audience, issuer=_ISSUER)
        except (jwt.InvalidTokenError, KeyError) as error:
            self.refused.append(f"{type(error).__name__}: {error}")
            return web.Response(status=401)
        [event] = await request.json()
        with self._changed:
            self.callbacks.append({**event, "path": request.path})
            self._changed.notify_all()
        return web.Response()

    async def event_grid(self, request: web.Request) -> web.Response:
        [event] = await request.json()
        if request.headers["aeg-event-type"] == "SubscriptionValidation":
            return web.json_response({"validationResponse": event["data"]["validationCode"]})
        with self._changed:
            self.grid.append(event)
            self._changed.notify_all()
        return web.Response()

    async def sound(self, request: web.Request) -> web.Response:
        return web.Response(body=silence(), content_type="audio/wav")

    async def noise(self, request: web.Request) -> web.Response:
        return web.Response(body=b"this is no sound", content_type="audio/wav")


def silence(seconds: float = 0.4) -> bytes:
    """A WAV file as the service wants it: 16 kHz, 16 bits, mono."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(bytes(int(seconds * 16_000) * 2))
    return buffer.getvalue()


@contextmanager
def listening(loop: Loop) -> Iterator[Sink]:
    """A sink on a free port."""
    sink = Sink()

    async def start() -> web.AppRunner:
        app = web.Application()
        app.router.add_post("/eventgrid", sink.event_grid)
        app.router.add_get("/prompt.wav", sink.sound)
        app.router.add_get("/broken.wav", sink.noise)
        app.router.add_post("/api/{rest:.*}", sink.callback)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return runner

    runner = loop.run(start())
    sink.base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield sink
    finally:
        loop.run(runner.cleanup())


def _get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.loads(answer.read())
