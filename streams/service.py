"""What the sockets and requests of this process share."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from shared.security import StreamUrls
from streams.handlers import HandlerFactory, load_handler
from streams.known_hosts import KnownHosts
from streams.limits import SOCKET_SHARE, Budget, Sockets
from streams.settings import StreamSettings, load_stream_settings
from streams.signals import Signal
from streams.store import AzureStreamStore, StreamStore

if TYPE_CHECKING:
    from streams.audio import AudioSession

T = TypeVar("T")


class Tokens(Protocol):
    """Judges the token of a socket; blocks (`shared.security.TokenVerifier`)."""

    def verify(self, authorization: str | None) -> None:
        """Raises Refused or KeysUnavailable."""


@dataclass
class Service:
    """Everything that a socket may ask for.

    Attributes:
        key: secret from which the labels of participants are made.
        hosts: those that requests may name; others are refused.
        open: the newest audio socket of each call.
    """

    urls: StreamUrls
    tokens: Tokens
    store: StreamStore
    signal: Signal
    key: bytes
    settings: StreamSettings = field(default_factory=StreamSettings)
    handler: HandlerFactory | None = None
    hosts: KnownHosts = field(default_factory=KnownHosts)
    clock: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
    open: dict[str, AudioSession] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.sockets = Sockets(self.settings.most_sockets, self.settings.most_sockets_of_a_call)
        self.held = Budget("process", self.settings.most_held_megabytes * 1024 * 1024)
        # Signals may wait for the service's answer to an action: they must not keep sound from being written.
        self._storage = ThreadPoolExecutor(self.settings.storage_threads, "streams-storage")
        self._signals = ThreadPoolExecutor(16, "streams-signals")

    def held_by_socket(self) -> Budget:
        """What one socket may hold; to be closed with it."""
        return self.held.share("socket", self.held.limit // SOCKET_SHARE)

    async def in_storage_thread(self, function: Callable[[], T]) -> T:
        """Run something that waits for the storage."""
        return await asyncio.get_running_loop().run_in_executor(self._storage, function)

    async def in_signal_thread(self, function: Callable[[], T]) -> T:
        """Run something that waits for the core, or for keys."""
        return await asyncio.get_running_loop().run_in_executor(self._signals, function)

    def close(self) -> None:
        """End the threads when they have done what they hold."""
        self._storage.shutdown()
        self._signals.shutdown()


def compose_service() -> Service:
    """Join the parts by settings. Raises SettingsError, or what the storage raises."""
    import base64

    from shared.composition import switchboard

    board = switchboard()
    settings = load_stream_settings()
    store = AzureStreamStore(board.settings.azurewebjobsstorage, f"{board.settings.store_prefix}-streams")
    store.prepare()

    def signal(call_id: str, name: str, data: Any, signal_id: str) -> object:
        return board.conductor.signal(call_id, name, data, signal_id=signal_id)

    return Service(
        # Which names requests come under is checked by `hosts`: here only the signatures are.
        urls=stream_urls(),
        tokens=board.tokens,
        store=store,
        signal=signal,
        key=base64.b64decode(board.settings.callback_signing_key),
        settings=settings,
        handler=load_handler(settings.handler),
        hosts=KnownHosts((board.settings.streams_url, *settings.allowed_hosts.split(","))),
    )


def stream_urls(base_url: str = "") -> StreamUrls:
    """The signer, from the app's settings."""
    from shared.settings import settings

    given = settings()
    return StreamUrls(base_url, given.callback_signing_key, previous_key=given.callback_signing_key_previous)
