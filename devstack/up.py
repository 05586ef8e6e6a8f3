"""`make up`: the stack on its usual ports, the host restarted when the app changes, until Ctrl-C."""

from __future__ import annotations

import argparse
import base64
import signal
import sys
import threading
from pathlib import Path
from types import FrameType

from devstack.azurite import LOGS, ROOT
from devstack.errors import ChildDiedError, DevstackError
from devstack.lines import number_flags
from devstack.ports import LOOPBACK
from devstack.stack import CALL_LIFECYCLE, INCOMING_CALL, OWN_HOST, RECORDING_FILE, USUAL_PORTS, Ports, Stack

# Fixed, so that commands and SDK samples copied from one run work in the next. It opens the emulator only.
ACCESS_KEY = base64.b64encode(b"switchboard-emulator-development-access-key-0001").decode()
CHECKED = {"FLOW_CHECKS": "True", "CONSOLE_AUTH": "local"}
"""What a developer's host runs with besides: it watches flows for mistakes, and shows the console to this machine."""
_SUFFIXES = (".py", ".yaml", ".yml")
_FILES = ("host.json", "local.settings.json")
_NOT_THE_APP = ("node_modules", "tests", "docs", "bench", "tools", "emulator", "devstack", "__pycache__")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `up`."""
    parser.add_argument("--app-root", type=Path, default=ROOT, help="folder of the function app (this repository)")
    parser.add_argument(
        "--host",
        choices=("auto", "own", "func"),
        default="auto",
        help="Functions host: `func` where Core Tools are on the PATH, else our own (%(default)s; DEVSTACK_HOST)",
    )
    parser.add_argument("--hosts", type=int, default=1, metavar="N", help="how many hosts (%(default)s)")
    parser.add_argument(
        "--debug",
        type=int,
        metavar="PORT",
        help="let a debugger attach to the host at this port (debugpy); one host, our own",
    )
    parser.add_argument("--speed", type=float, default=1.0, help="divides the emulator's waits (%(default)s)")
    parser.add_argument("--quiet", action="store_true", help="the host prints failures only")
    parser.add_argument(
        "--keep", action="store_true", help="keep the storage in .switchboard/azurite (it is in memory otherwise)"
    )
    parser.add_argument("--no-streams", action="store_true", help="without the service for audio and transcripts")
    parser.add_argument("--no-reload", action="store_true", help="do not restart the host when the app changes")
    for name, port in (
        ("host", USUAL_PORTS.host),
        ("emulator", USUAL_PORTS.emulator),
        ("blob", USUAL_PORTS.blob),
        ("queue", USUAL_PORTS.queue),
        ("table", USUAL_PORTS.table),
        ("streams", USUAL_PORTS.streams),
    ):
        parser.add_argument(f"--{name}-port", type=int, default=port, metavar="PORT", help="%(default)s; 0: a free one")


def run(given: argparse.Namespace) -> int:
    """Stay up until Ctrl-C or SIGTERM (0), or until a service dies (1).

    Raises:
        DevstackError: the stack did not come up.
    """
    if given.debug is not None and (given.hosts > 1 or given.host == "func"):
        raise DevstackError("--debug goes with one host, our own: leave out --hosts and --host.")
    stopping = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        if stopping.is_set():
            # A second Ctrl-C: do not wait; the guard ends what is left.
            raise KeyboardInterrupt
        stopping.set()
        raise SystemExit(0)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    stack = Stack(
        environment=CHECKED,
        app_root=given.app_root,
        emulator=(sys.executable, "-m", "acs_emulator", *number_flags(given.app_root)),
        ports=Ports(
            given.host_port,
            given.emulator_port,
            given.blob_port,
            given.queue_port,
            given.table_port,
            given.streams_port,
        ),
        hosts=given.hosts,
        speed=given.speed,
        host=given.host if given.debug is None else "own",
        own_host=OWN_HOST if given.debug is None else debugged(given.debug),
        quiet=given.quiet,
        access_key=ACCESS_KEY,
        data=ROOT / ".switchboard" / "azurite" if given.keep else None,
        logs=LOGS,
        echo=_echo,
        streams=not given.no_streams,
        subscriptions=(INCOMING_CALL, CALL_LIFECYCLE, RECORDING_FILE),
    )
    try:
        with stack:
            print(describe(stack), flush=True)
            _stay(stack, given.app_root.resolve(), reload=not given.no_reload)
    except KeyboardInterrupt:
        # watchfiles puts it in the place of our SystemExit when the signal arrives while it waits.
        if not stopping.is_set():
            raise
    return 0


def debugged(port: int) -> list[str]:
    """The command of a host that a debugger can attach to; one port serves one host."""
    python, *module = OWN_HOST
    return [python, "-Xfrozen_modules=off", "-m", "debugpy", "--listen", f"{LOOPBACK}:{port}", *module]


def describe(stack: Stack) -> str:
    """Where everything is, and how to place a call."""
    azurite = stack.azurite
    storage = {} if azurite is None else azurite.ports
    hosts = "" if len(stack.host_urls) == 1 else f" in turn to {', '.join(stack.host_urls)}"
    return f"""
Switchboard is up. Ctrl-C stops it.

  Functions host  {stack.base_url}{hosts}
  Emulator        {stack.emulator_url}
  Phone           {stack.emulator_url}/ in a browser calls the app, and is called; each tab is a person
  Console         {stack.base_url}/api/console in a browser: calls as they go on, and their history
  Streams         {stack.streams_url or "off"}
  Access key      {stack.access_key}
  Connection      {stack.emulator_printed.get("Connection string:", "")}
  Certificate     {stack.emulator_printed.get("Certificate:", "none")} (clients are told to trust it: docs/emulator.md)
  Storage         blob {storage.get("blob")}, queue {storage.get("queue")}, table {storage.get("table")}
  Logs            {stack.logs}

Place a call that answers "sales" when asked, and hangs up a little later:

  curl -X POST {stack.emulator_url}/emulator/calls -H 'content-type: application/json' -d \\
    '{{"from": "+14255550123", "to": "+18005550100", "script":
      [{{"when": "asked", "say": "sales"}}, {{"after": 10, "hangUp": true}}]}}'

What happened: {stack.emulator_url}/emulator/timeline, /emulator/state and /emulator/deliveries
"""


def watched(root: Path) -> list[Path]:
    """Folders of the app: those at the top that are neither tools nor dependencies."""
    return sorted(
        folder
        for folder in root.iterdir()
        if folder.is_dir() and not folder.name.startswith(".") and folder.name not in _NOT_THE_APP
    )


def matters(path: str) -> bool:
    """Whether a change of this file concerns the app."""
    name = Path(path).name
    return name in _FILES or (name.endswith(_SUFFIXES) and not name.startswith("."))


def _top_files(root: Path) -> dict[str, int]:
    """Times of the app's files at the top; watching the top itself would watch `node_modules` too."""
    return {str(path): path.stat().st_mtime_ns for path in root.iterdir() if path.is_file() and matters(path.name)}


def _stay(stack: Stack, root: Path, *, reload: bool) -> None:
    """Watch the services and the app's files; returns when a signal or a death ends it."""
    from watchfiles import watch

    before = _top_files(root)
    broken = False
    changes = watch(
        *(watched(root) or [root]),
        watch_filter=lambda change, path: matters(path),
        rust_timeout=300,
        yield_on_timeout=True,
        debounce=200,
        raise_interrupt=True,
    )
    for changed in changes:
        if not broken:
            stack.check()
        after = _top_files(root)
        names = {Path(path).name for _, path in changed} | {
            Path(path).name for path in before.keys() | after.keys() if before.get(path) != after.get(path)
        }
        before = after
        if not names or not reload:
            continue
        print(f"{', '.join(sorted(names))} changed: the host starts again.", flush=True)
        stack.stop_hosts()
        try:
            stack.start_hosts()
            broken = False
        except ChildDiedError as error:
            stack.stop_hosts()
            broken = True
            print(f"{error}\nWaiting for the next change.", file=sys.stderr, flush=True)


def _echo(service: str, line: str) -> None:
    if service != "azurite" and line:
        print(f"{service:>8} | {line}", flush=True)
