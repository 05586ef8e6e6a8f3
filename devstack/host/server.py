"""Puts the host together and runs it until a signal asks it to stop."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from azure.functions.meta import Datum

from acs_emulator.core.known_hosts import KnownHosts
from devstack.host.app import Host
from devstack.host.backend import Backend, Invocation
from devstack.host.console import Console, route_logging
from devstack.host.errors import StartupError
from devstack.host.eventgrid import EventGridWebhook
from devstack.host.functions import FunctionMetadata, check_names
from devstack.host.http import HttpFunctions, KeyCheck, function_methods, function_url
from devstack.host.invoker import Invoker
from devstack.host.native import NativeBackend
from devstack.host.queues import QueueListeners
from devstack.host.settings import HostSettings, load_host_settings
from devstack.host.storage import Queues
from devstack.host.timers import Timers

KEY_SETTING = "DEVSTACK_FUNCTION_KEY"
PUBLIC_SETTINGS = ("CALLBACK_BASE_URL", "WEBSITE_HOSTNAME")
"""App settings that say under which address the app is reached."""
SERVED = ("httpTrigger", "eventGridTrigger", "queueTrigger", "timerTrigger")
# Kestrel's own value; a shorter one would close connections that clients are about to use again.
_KEEP_ALIVE_SECONDS = 130


@dataclass(frozen=True, slots=True)
class Options:
    """The command line.

    Attributes:
        grace: how long, in seconds, running invocations may take after a signal.
        allowed_hosts: hosts or URLs, beside this machine, that requests may name and whose pages may send them.
    """

    host: str = "127.0.0.1"
    port: int = 7071
    app_root: Path = Path()
    make_backend: Callable[[], Backend] = NativeBackend
    quiet: bool = False
    timers: bool = True
    grace: float = 3.0
    allowed_hosts: tuple[str, ...] = ()


class _Server(uvicorn.Server):
    """Uvicorn without its signal handlers: those end the process by the signal, where we end it with code 0."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


async def serve(options: Options, console: Console) -> None:
    """Load the app and serve it until SIGTERM or SIGINT.

    Raises:
        StartupError: the app or its settings cannot be served, or the port is taken.
    """
    listening = bind(options.host, options.port)
    with listening:
        settings = load_host_settings(options.app_root)
        route_logging(console, settings.log_levels)
        backend = options.make_backend()
        try:
            functions = await backend.load(options.app_root)
            check_names(functions)
            await _serve_functions(options, settings, backend, functions, listening, console)
        finally:
            backend.close()


async def _serve_functions(
    options: Options,
    settings: HostSettings,
    backend: Backend,
    functions: list[FunctionMetadata],
    listening: socket.socket,
    console: Console,
) -> None:
    enabled = [function for function in functions if not function.disabled]

    def of(kind: str) -> list[FunctionMetadata]:
        return [function for function in enabled if function.trigger_type == kind]

    queues = Queues(settings.queues)
    invoker = Invoker(backend, console, {"queue": queues})
    keys = KeyCheck(os.environ.get(KEY_SETTING))
    listeners = QueueListeners(of("queueTrigger"), queues, invoker, console)
    timers = Timers(of("timerTrigger"), invoker)
    http = HttpFunctions(of("httpTrigger"), settings.route_prefix, invoker, keys)
    by_name = {function.name.lower(): function for function in enabled}

    async def run(name: str, text: str) -> bool | None:
        function = by_name.get(name.lower())
        if function is None or function.trigger_type == "httpTrigger":
            return None
        if function.trigger_type == "timerTrigger":
            return (await timers.fire(function.name)).ok
        metadata = {"Id": Datum("", "string"), "DequeueCount": Datum("1", "json")}
        data = Datum(text, "json" if function.trigger_type == "eventGridTrigger" else "string")
        reason = "This function was programmatically called via the host APIs."
        return (await invoker.invoke(Invocation(function, data, metadata), reason)).ok

    async def start() -> None:
        try:
            await listeners.start()
        except Exception as error:
            raise StartupError(f"The queues cannot be reached: {error}") from error
        if options.timers:
            timers.start()

    async def stop() -> None:
        await asyncio.gather(timers.stop(options.grace), listeners.stop(options.grace))
        if not await invoker.drain(options.grace):
            console.line(f"{invoker.running} invocations did not finish in {options.grace} s and were dropped.")
        queues.close()

    # A tunnel leads the service to this machine under the app's public address.
    public = [os.environ.get(name, "") for name in PUBLIC_SETTINGS]
    known = KnownHosts((options.host, *public, *options.allowed_hosts))
    host = Host(http, EventGridWebhook(of("eventGridTrigger"), invoker), run, keys, known, start, stop)
    server = _Server(
        uvicorn.Config(
            host,
            http="httptools",
            ws="none",
            lifespan="on",
            log_config=None,
            log_level="error",
            access_log=False,
            server_header=False,
            backlog=2048,
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=max(1, int(options.grace)),
        )
    )
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, lambda: setattr(server, "should_exit", True))
    port = listening.getsockname()[1]
    if console.invocations:
        _print_functions(functions, settings, port, console)
    console.say(f"Listening on http://127.0.0.1:{port}")
    try:
        await server.serve(sockets=[listening])
    finally:
        queues.close()
    if not server.started:
        raise StartupError("The host did not start; see the lines above.")


def bind(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one.

    Raises:
        StartupError: the port is taken or not allowed.
    """
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        # Listening at once makes a second host fail here, and lets callers wait for us instead of being refused.
        listening.listen(2048)
        # Accepted connections inherit it: a small answer must not wait for the client's acknowledgement.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except OSError as error:
        listening.close()
        raise StartupError(
            f"Port {port} on {host} cannot be used by the Functions host ({error.strerror}). "
            "Stop what uses it, or choose another with --port."
        ) from error
    return listening


def _print_functions(functions: list[FunctionMetadata], settings: HostSettings, port: int, console: Console) -> None:
    base = f"http://localhost:{port}"
    console.say("\nFunctions:\n")
    for function in sorted(functions, key=lambda found: (found.trigger_type != "httpTrigger", found.name)):
        text = function.trigger_type
        if text == "httpTrigger":
            methods = function_methods(function)
            text = f"[{','.join(methods)}] " if methods else ""
            text += function_url(function, settings.route_prefix, base)
        elif text not in SERVED:
            text += " (not served by this host)"
        console.say(f"\t{function.name}: {text}{' (disabled)' if function.disabled else ''}\n")
