"""What the sockets and requests of this process share."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from shared.azure import clients
from shared.security import StreamUrls, TokenVerifier, key_bytes
from shared.stream_signals import SignalSignatures
from streams.app_client import AppClient
from streams.handlers import AudioStream, HandlerFactory, load_handler
from streams.known_hosts import KnownHosts
from streams.limits import SOCKET_SHARE, Budget, Sockets
from streams.playback import Playback
from streams.settings import StreamSettings, load_app_settings, load_stream_settings
from streams.signals import Deliver, Signals
from streams.store import AzureStreamStore, StreamStore

T = TypeVar("T")


class Tokens(Protocol):
    """Verifies the token of a socket; blocks (`shared.security.TokenVerifier`)."""

    def verify(self, authorization: str | None) -> None:
        """Raises Refused or KeysUnavailable."""


class OpenStream(AudioStream, Protocol):
    """An audio socket that is open."""

    @property
    def playback(self) -> Playback | None:
        """What plays sound to the call; None before the socket has told its rate."""


@dataclass
class Service:
    """What the sockets share.

    Attributes:
        deliver: sends signals to the app.
        key: secret from which the labels of participants are made.
        hosts: those that requests may name; others are refused.
        open: the newest audio socket of each call.
    """

    urls: StreamUrls
    tokens: Tokens
    store: StreamStore
    deliver: Deliver
    key: bytes
    settings: StreamSettings = field(default_factory=StreamSettings)
    handler: HandlerFactory | None = None
    hosts: KnownHosts = field(default_factory=KnownHosts)
    clock: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
    open: dict[str, OpenStream] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.sockets = Sockets(self.settings.most_sockets, self.settings.most_sockets_of_a_call)
        self.held = Budget("process", self.settings.most_held_megabytes * 1024 * 1024)
        # Signals may wait for the app: they must delay neither the writing of audio nor the opening of sockets.
        self._storage = ThreadPoolExecutor(self.settings.storage_threads, "streams-storage")
        self._signals = ThreadPoolExecutor(16, "streams-signals")
        self._keys = ThreadPoolExecutor(4, "streams-keys")

    def held_by_socket(self) -> Budget:
        """What one socket may hold; to be closed with it."""
        return self.held.share("socket", self.held.limit // SOCKET_SHARE)

    async def in_storage_thread(self, function: Callable[[], T]) -> T:
        """Run something that waits for the storage."""
        return await asyncio.get_running_loop().run_in_executor(self._storage, function)

    async def in_signal_thread(self, function: Callable[[], T]) -> T:
        """Run something that waits for the app."""
        return await asyncio.get_running_loop().run_in_executor(self._signals, function)

    async def in_key_thread(self, function: Callable[[], T]) -> T:
        """Run something that waits for the keys of tokens, or for the processor."""
        return await asyncio.get_running_loop().run_in_executor(self._keys, function)

    def signals_of(self, call_id: str, held: Budget) -> Signals:
        """The queue that sends the signals of one socket to the app."""
        return Signals(
            self.deliver,
            call_id,
            self.in_signal_thread,
            held,
            timeout=self.settings.most_signal_seconds,
            monotonic=self.monotonic,
            sleep=self.sleep,
        )

    def close(self) -> None:
        """End the threads once their queues are empty."""
        self._storage.shutdown()
        self._signals.shutdown()
        self._keys.shutdown()


def compose_service() -> Service:
    """Join the parts by settings. Raises SettingsError, or what the storage raises."""
    app, settings = load_app_settings(), load_stream_settings()
    name, transport = f"{app.store_prefix}-streams", clients.pooled_transport()
    store = AzureStreamStore(clients.container(app.storage_account, name, transport=transport))
    store.prepare()
    previous = app.callback_signing_key_previous
    return Service(
        # Which names requests come under is checked by `hosts`: here only the signatures are.
        urls=StreamUrls("", app.callback_signing_key, previous_key=previous),
        tokens=TokenVerifier(app.acs_openid_configuration_url, app.acs_token_issuer, app.acs_resource_id),
        store=store,
        deliver=AppClient(app.callback_base_url, SignalSignatures(app.callback_signing_key, previous_key=previous)),
        key=key_bytes(app.callback_signing_key),
        settings=settings,
        handler=load_handler(settings.handler),
        hosts=KnownHosts((app.streams_url, *settings.allowed_hosts.split(","))),
    )
