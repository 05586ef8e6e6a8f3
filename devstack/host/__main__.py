"""`python -m devstack.host`: serve a Python v2 function app."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from devstack.host.backend import Backend
from devstack.host.console import Console
from devstack.host.errors import StartupError
from devstack.host.native import NativeBackend
from devstack.host.server import Options, serve
from devstack.host.settings import apply_local_settings

DEFAULT_PORT = 7071


def make_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m devstack.host",
        description="A small Azure Functions host for Python v2 apps: HTTP, Event Grid, queue and timer triggers.",
        epilog="Set DEVSTACK_FUNCTION_KEY to have function and admin keys checked; without it every request "
        "passes, as under `func start`.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    parser.add_argument("--port", type=int, help=f"port to listen on; 0 takes a free one ({DEFAULT_PORT})")
    parser.add_argument("--app-root", type=Path, default=Path(), help="folder of function_app.py and host.json (.)")
    parser.add_argument(
        "--settings", default="local.settings.json", help="settings file in the app's folder (%(default)s)"
    )
    parser.add_argument("--quiet", action="store_true", help="print failures and warnings only")
    parser.add_argument("--no-invocations", action="store_true", help="print what the app logs, and failures")
    parser.add_argument("--no-timers", action="store_true", help="do not run timer triggers on their schedule")
    parser.add_argument(
        "--grace",
        type=float,
        default=3.0,
        metavar="SECONDS",
        help="how long running invocations may take after SIGTERM (%(default)s)",
    )
    parser.add_argument(
        "--allow-host",
        action="append",
        default=[],
        metavar="HOST",
        help="host or URL, beside this machine and CALLBACK_BASE_URL, that requests may name; may repeat",
    )
    return parser


def main(make_backend: Callable[[], Backend]) -> int:
    """Run the host over this back end; 0 after a signal, 1 when it cannot start."""
    given = make_parser().parse_args()
    console = Console(quiet=given.quiet, invocations=not given.no_invocations)
    root = given.app_root.resolve()
    try:
        section = apply_local_settings(root / given.settings, os.environ, console.say)
        port = given.port if given.port is not None else int(section.get("LocalHttpPort", DEFAULT_PORT))
        options = Options(
            given.host,
            port,
            root,
            make_backend,
            given.quiet,
            not given.no_timers,
            given.grace,
            tuple(given.allow_host),
        )
        os.chdir(root)
        asyncio.run(serve(options, console))
    except StartupError as error:
        console.flush()
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    finally:
        console.flush()
    return 0


def run(make_backend: Callable[[], Backend]) -> NoReturn:
    """The command."""
    code = main(make_backend)
    sys.stdout.flush()
    sys.stderr.flush()
    # A `def` function that outlived its grace period would hold up a normal exit: Python joins pool threads.
    os._exit(code)


if __name__ == "__main__":
    run(NativeBackend)
