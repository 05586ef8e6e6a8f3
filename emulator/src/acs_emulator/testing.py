"""The emulator inside a test, on a free port, by the same code as the command line.

    with running(speed=20, event_grid=("http://...",)) as emulator:
        client = CallAutomationClient(emulator.endpoint, AzureKeyCredential(emulator.access_key))
        emulator.control.place_call("+14255550100", "+18005551212")

In an async test use ``async with running_async(...)``: the emulator then shares the test's event loop and
the methods of ``control`` are awaited.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

import aiohttp

from acs_emulator.api.app import serve
from acs_emulator.core.config import DEVELOPMENT_ACCESS_KEY, Config, EventGridTarget
from acs_emulator.service.emulator import Emulator

C = TypeVar("C")
#: Seconds that the wait helpers wait.
TIMEOUT = 15.0
#: Seconds between two looks.
_LOOK = 0.02


class ControlError(Exception):
    """The control API refused; ``status`` and ``body`` are its response."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(f"{status}: {body}")
        self.status = status
        self.body = body


@dataclass(frozen=True)
class Running(Generic[C]):
    """A running emulator; ``https_port=0`` gives it an https endpoint as well."""

    endpoint: str
    access_key: str
    resource_id: str
    control: C
    service: Emulator

    @property
    def secure_endpoint(self) -> str:
        """The https endpoint; empty without."""
        return self.service.secure_origin

    @property
    def connection_string(self) -> str:
        """What an app is configured with: the https endpoint, where there is one."""
        return self.service.connection_string


class Control:
    """The control API for synchronous tests."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint

    def request(self, method: str, path: str, body: Any = None) -> Any:
        """Any request under /emulator; the parsed response. Raises ControlError."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._endpoint + path, data, method=method)  # noqa: S310 - an http address of ours
        try:
            with urllib.request.urlopen(request, timeout=90) as response:  # noqa: S310
                return json.loads(response.read())
        except urllib.error.HTTPError as error:
            with error:
                raise ControlError(error.code, json.loads(error.read())) from None

    def health(self) -> Any:
        return self.request("GET", "/emulator/health")

    def state(self) -> Any:
        return self.request("GET", "/emulator/state")

    def deliveries(self, **filters: Any) -> list[dict[str, Any]]:
        return list(self.request("GET", _with("/emulator/deliveries", filters))["deliveries"])

    def requests(self, **filters: Any) -> list[dict[str, Any]]:
        return list(self.request("GET", _with("/emulator/requests", filters))["requests"])

    def timeline(self, after: int = 0, wait: float = 0) -> list[dict[str, Any]]:
        return list(self.request("GET", f"/emulator/timeline?after={after}&wait={wait}")["entries"])

    def reset(self) -> None:
        self.request("POST", "/emulator/reset")

    def add_faults(self, *rules: dict[str, Any]) -> Any:
        return self.request("POST", "/emulator/faults", list(rules))

    def clear_faults(self) -> None:
        self.request("DELETE", "/emulator/faults")

    def register_phone(self, number_or_id: str, **behaviour: Any) -> Any:
        return self.request("POST", "/emulator/phones", {"id": number_or_id, **behaviour})

    def declare_number(self, number: str, **more: Any) -> Any:
        return self.request("POST", "/emulator/numbers", {"number": number, **more})

    def subscribe(self, **subscription: Any) -> Any:
        """An Event Grid subscription by its properties, such as `endpointUrl` and `advancedFilters`."""
        return self.request("POST", "/emulator/subscriptions", subscription)

    def place_call(self, caller: str, callee: str, script: Any = (), **more: Any) -> dict[str, str]:
        body = {"from": caller, "to": callee, "script": list(script), **more}
        return dict(self.request("POST", "/emulator/calls", body))

    def press(self, call: str, keys: str) -> None:
        self.request("POST", f"/emulator/calls/{call}/press", {"keys": keys})

    def say(self, call: str, text: str) -> None:
        self.request("POST", f"/emulator/calls/{call}/say", {"text": text})

    def hang_up(self, call: str) -> None:
        self.request("POST", f"/emulator/calls/{call}/hangup", {})

    def drop_streams(self, call: str) -> None:
        self.request("POST", f"/emulator/calls/{call}/drop-streams")

    def recordings(self) -> list[dict[str, Any]]:
        return list(self.request("GET", "/emulator/recordings")["recordings"])

    def topic(self, **filters: Any) -> list[dict[str, Any]]:
        return list(self.request("GET", _with("/emulator/topic", filters))["events"])

    def wait_for_deliveries(self, count: int = 1, **filters: Any) -> list[dict[str, Any]]:
        """Wait until at least ``count`` matching deliveries had an attempt; raises TimeoutError."""
        deadline = time.monotonic() + TIMEOUT
        while len(found := _attempted(self.deliveries(**filters))) < count:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{len(found)} of {count} deliveries {filters}")
            time.sleep(_LOOK)
        return found


class AsyncControl:
    """The control API for asynchronous tests."""

    def __init__(self, endpoint: str, session: aiohttp.ClientSession) -> None:
        self._endpoint = endpoint
        self._session = session

    async def request(self, method: str, path: str, body: Any = None) -> Any:
        """Any request under /emulator; the parsed response. Raises ControlError."""
        async with self._session.request(method, self._endpoint + path, json=body) as response:
            value = await response.json()
            if response.status >= 400:
                raise ControlError(response.status, value)
            return value

    async def health(self) -> Any:
        return await self.request("GET", "/emulator/health")

    async def state(self) -> Any:
        return await self.request("GET", "/emulator/state")

    async def deliveries(self, **filters: Any) -> list[dict[str, Any]]:
        return list((await self.request("GET", _with("/emulator/deliveries", filters)))["deliveries"])

    async def requests(self, **filters: Any) -> list[dict[str, Any]]:
        return list((await self.request("GET", _with("/emulator/requests", filters)))["requests"])

    async def timeline(self, after: int = 0, wait: float = 0) -> list[dict[str, Any]]:
        return list((await self.request("GET", f"/emulator/timeline?after={after}&wait={wait}"))["entries"])

    async def reset(self) -> None:
        await self.request("POST", "/emulator/reset")

    async def add_faults(self, *rules: dict[str, Any]) -> Any:
        return await self.request("POST", "/emulator/faults", list(rules))

    async def clear_faults(self) -> None:
        await self.request("DELETE", "/emulator/faults")

    async def register_phone(self, number_or_id: str, **behaviour: Any) -> Any:
        return await self.request("POST", "/emulator/phones", {"id": number_or_id, **behaviour})

    async def declare_number(self, number: str, **more: Any) -> Any:
        return await self.request("POST", "/emulator/numbers", {"number": number, **more})

    async def subscribe(self, **subscription: Any) -> Any:
        """An Event Grid subscription by its properties, such as `endpointUrl` and `advancedFilters`."""
        return await self.request("POST", "/emulator/subscriptions", subscription)

    async def place_call(self, caller: str, callee: str, script: Any = (), **more: Any) -> dict[str, str]:
        body = {"from": caller, "to": callee, "script": list(script), **more}
        return dict(await self.request("POST", "/emulator/calls", body))

    async def press(self, call: str, keys: str) -> None:
        await self.request("POST", f"/emulator/calls/{call}/press", {"keys": keys})

    async def say(self, call: str, text: str) -> None:
        await self.request("POST", f"/emulator/calls/{call}/say", {"text": text})

    async def hang_up(self, call: str) -> None:
        await self.request("POST", f"/emulator/calls/{call}/hangup", {})

    async def drop_streams(self, call: str) -> None:
        await self.request("POST", f"/emulator/calls/{call}/drop-streams")

    async def recordings(self) -> list[dict[str, Any]]:
        return list((await self.request("GET", "/emulator/recordings"))["recordings"])

    async def topic(self, **filters: Any) -> list[dict[str, Any]]:
        return list((await self.request("GET", _with("/emulator/topic", filters)))["events"])

    async def wait_for_deliveries(self, count: int = 1, **filters: Any) -> list[dict[str, Any]]:
        """Wait until at least ``count`` matching deliveries had an attempt; raises TimeoutError."""
        async with asyncio.timeout(TIMEOUT):
            while len(found := _attempted(await self.deliveries(**filters))) < count:
                await asyncio.sleep(_LOOK)
            return found


@asynccontextmanager
async def running_async(**settings: Any) -> AsyncIterator[Running[AsyncControl]]:
    """An emulator in the test's own event loop. Settings are the fields of Config."""
    async with serve(_config(settings)) as service, aiohttp.ClientSession() as session:
        config = service.config
        control = AsyncControl(service.local_origin, session)
        yield Running(service.local_origin, config.access_key, config.resource_id, control, service)


@contextmanager
def running(**settings: Any) -> Iterator[Running[Control]]:
    """An emulator in a thread with an event loop of its own. Settings are the fields of Config."""
    config = _config(settings)
    started: list[Emulator] = []
    failed: list[BaseException] = []
    ready = threading.Event()
    stop: list[Callable[[], object]] = []

    async def main() -> None:
        loop, done = asyncio.get_running_loop(), asyncio.Event()
        async with serve(config) as service:
            started.append(service)
            stop.append(lambda: loop.call_soon_threadsafe(done.set))
            ready.set()
            await done.wait()

    def thread_main() -> None:
        try:
            asyncio.run(main())
        except BaseException as error:
            failed.append(error)
        finally:
            ready.set()

    thread = threading.Thread(target=thread_main, name="emulator", daemon=True)
    thread.start()
    ready.wait()
    if failed:
        raise failed[0]
    service = started[0]
    try:
        control = Control(service.local_origin)
        yield Running(service.local_origin, config.access_key, config.resource_id, control, service)
    finally:
        stop[0]()
        thread.join()
    if failed:
        raise failed[0]


def _config(settings: dict[str, Any]) -> Config:
    """Port 0 and seed 1 unless given; `event_grid` takes URLs (with or without #types) or targets."""
    targets = settings.pop("event_grid", ())
    targets = (targets,) if isinstance(targets, str | EventGridTarget) else targets
    parsed = tuple(one if isinstance(one, EventGridTarget) else EventGridTarget.parse(one) for one in targets)
    return Config(**{"port": 0, "seed": 1, "access_key": DEVELOPMENT_ACCESS_KEY, **settings, "event_grid": parsed})


def _with(path: str, filters: dict[str, Any]) -> str:
    return f"{path}?{urlencode(filters)}" if filters else path


def _attempted(deliveries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [delivery for delivery in deliveries if delivery["attempts"]]
