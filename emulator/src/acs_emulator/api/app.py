"""One way to build and serve the emulator, for the command line and for tests."""

from __future__ import annotations

import errno
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from pathlib import Path

from aiohttp import web

from acs_emulator.api.control import Control, json_response, service_errors
from acs_emulator.api.control_document import checked, document_route
from acs_emulator.api.dispatch import BODY_LIMIT, Dispatcher
from acs_emulator.api.objects_api import Objects
from acs_emulator.api.pages import page_routes
from acs_emulator.api.phone_socket import PhoneSockets
from acs_emulator.api.resource_control import ResourceControl
from acs_emulator.api.speech_api import Speech
from acs_emulator.api.tls import certificate_files, server_context
from acs_emulator.api.topic_api import TopicApi
from acs_emulator.core.config import Config, ConfigError
from acs_emulator.core.errors import ServiceError
from acs_emulator.core.files import locked
from acs_emulator.core.known_hosts import KnownHosts
from acs_emulator.core.tokens import KEYS_PATH, OPENID_PATH, openid_document
from acs_emulator.service.emulator import Emulator

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def create_app(service: Emulator) -> web.Application:
    """The HTTP application of one emulator."""
    config = service.config
    known = KnownHosts((config.host, config.recording_host, config.public_url, *config.allowed_hosts))

    @web.middleware
    async def of_this_machine(request: web.Request, handler: Handler) -> web.StreamResponse:
        """Refuses what a web page sends that somebody has opened here, before anything is read of it."""
        address = request.transport.get_extra_info("sockname")[0] if request.transport else ""
        headers = request.headers
        if reason := known.refusal(headers.getall("Host", ()), headers.getall("Origin", ()), address):
            remedy = "The emulator takes it with --allow-host."
            service.problems.report(f"403 for {request.method} {request.path}: {reason.removesuffix('.')}", remedy)
            refusal = ServiceError(403, "Forbidden", f"{reason} {remedy}")
            return json_response(refusal.body(), refusal.status)
        return await handler(request)

    app = web.Application(client_max_size=BODY_LIMIT, middlewares=[of_this_machine, service_errors])

    async def openid(request: web.Request) -> web.Response:
        # Who has come this far comes to the keys as well: in a container, or over https.
        return json_response(openid_document(config.public_url or f"{request.scheme}://{request.host}"))

    async def keys(request: web.Request) -> web.Response:
        return json_response(service.signer.key_set())

    app.add_routes([web.get(OPENID_PATH, openid), web.get(KEYS_PATH, keys)])
    control = [*Control(service).routes(), *ResourceControl(service).routes()]
    app.add_routes([*checked(control), document_route(control)])
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
    """Listen until the block ends. Raises ConfigError when an address, the certificate or the folder cannot be used."""
    async with AsyncExitStack() as stack:
        listener = stack.enter_context(_listen(config.host, config.port, "--port"))
        secure = None
        if config.https_port is not None:
            secure = stack.enter_context(_listen(config.host, config.https_port, "--https-port"))
        if config.location:
            stack.enter_context(_kept_by_nobody_else(Path(config.location)))
        service = Emulator(config)
        try:
            service.load()
        except (OSError, ConfigError) as error:
            await service.close()
            if isinstance(error, ConfigError):
                raise
            raise ConfigError(f"--location: {config.location} cannot be used: {error}.") from error
        runner = web.AppRunner(create_app(service), access_log=None, shutdown_timeout=1.0)
        stack.push_async_callback(runner.cleanup)
        stack.push_async_callback(service.close)
        await runner.setup()
        await web.SockSite(runner, listener).start()
        if secure is not None:
            service.certificate = certificate_files(config)
            context = server_context(service.certificate, service.problems)
            await web.SockSite(runner, secure, ssl_context=context).start()
        service.listening_on(listener.getsockname()[1], None if secure is None else secure.getsockname()[1])
        yield service


def _listen(host: str, port: int, flag: str) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        # "::" is every address of a machine, those of IPv4 too.
        both = host == "::" and socket.has_dualstack_ipv6()
        return socket.create_server((host, port), family=family, backlog=1024, dualstack_ipv6=both)
    except OSError as error:
        remedy = " Another emulator may run there; 0 takes a free port." if error.errno == errno.EADDRINUSE else ""
        raise ConfigError(f"{flag}: cannot listen on {host}:{port}: {error.strerror}.{remedy}") from error


@contextmanager
def _kept_by_nobody_else(location: Path) -> Iterator[None]:
    """Hold the folder of --location for this emulator alone. Raises ConfigError."""
    with ExitStack() as stack:
        try:
            location.mkdir(parents=True, exist_ok=True)
            stack.enter_context(locked(location / "lock", wait=False))
        except BlockingIOError as error:
            raise ConfigError(f"--location: another emulator uses {location}.") from error
        except OSError as error:
            raise ConfigError(f"--location: {location} cannot be used: {error.strerror}.") from error
        yield
