"""One way to build and serve the emulator, for the command line and for tests."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager

from aiohttp import web

from acs_emulator.api.control import Control, answer, service_errors
from acs_emulator.api.dispatch import BODY_LIMIT, Dispatcher
from acs_emulator.api.objects_api import Objects
from acs_emulator.api.pages import page_routes
from acs_emulator.api.phone_socket import PhoneSockets
from acs_emulator.api.speech_api import Speech
from acs_emulator.api.topic_api import TopicApi
from acs_emulator.core.config import Config, ConfigError
from acs_emulator.core.errors import ServiceError
from acs_emulator.core.known_hosts import KnownHosts
from acs_emulator.core.tokens import KEYS_PATH, OPENID_PATH, openid_document
from acs_emulator.service.emulator import Emulator

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def create_app(service: Emulator) -> web.Application:
    """The HTTP application of one emulator."""

    @web.middleware
    async def of_this_machine(request: web.Request, handler: Handler) -> web.StreamResponse:
        """Refuses what a web page sends that somebody has opened here, before anything is read of it."""
        config = service.config
        known = KnownHosts((config.host, config.recording_host, *config.allowed_hosts))
        address = request.transport.get_extra_info("sockname")[0] if request.transport else ""
        headers = request.headers
        if reason := known.refusal(headers.getall("Host", ()), headers.getall("Origin", ()), address):
            refusal = ServiceError(403, "Forbidden", f"{reason} The emulator takes it with --allow-host.")
            return answer(refusal.body(), refusal.status)
        return await handler(request)

    app = web.Application(client_max_size=BODY_LIMIT, middlewares=[of_this_machine, service_errors])

    async def openid(request: web.Request) -> web.Response:
        return answer(openid_document(service.origin))

    async def keys(request: web.Request) -> web.Response:
        return answer(service.signer.key_set())

    app.add_routes([web.get(OPENID_PATH, openid), web.get(KEYS_PATH, keys)])
    app.add_routes(Control(service).routes())
    app.add_routes(Objects(service).routes())
    app.add_routes(Speech(service).routes())
    app.add_routes(TopicApi(service).routes())
    phones = PhoneSockets(service)
    app.add_routes([*page_routes(), *phones.routes()])
    app.on_shutdown.append(phones.close)
    # Any character: an encoded line break in a path must reach the dispatcher as well.
    app.router.add_route("*", r"/{path:[\s\S]*}", Dispatcher(service).handle)
    return app


@asynccontextmanager
async def serve(config: Config) -> AsyncIterator[Emulator]:
    """Listen until the block ends. Raises ConfigError when the address cannot be used."""
    async with AsyncExitStack() as stack:
        listener = stack.enter_context(_listen(config))
        service = Emulator(config)
        runner = web.AppRunner(create_app(service), access_log=None, shutdown_timeout=1.0)
        stack.push_async_callback(runner.cleanup)
        stack.push_async_callback(service.close)
        await runner.setup()
        await web.SockSite(runner, listener).start()
        service.listening_on(config.host, listener.getsockname()[1])
        yield service


def _listen(config: Config) -> socket.socket:
    try:
        return socket.create_server((config.host, config.port), backlog=1024)
    except OSError as error:
        raise ConfigError(f"Cannot listen on {config.host}:{config.port}: {error.strerror}.") from error
