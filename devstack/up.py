"""`make up`: the stack on its usual ports, the host restarted when the app changes, until Ctrl-C."""

from __future__ import annotations

import argparse
import base64
import re
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from types import FrameType

from devstack.azurite import LOGS, ROOT
from devstack.colours import DIM, RED, YELLOW, Paint, wanted
from devstack.conversation import Conversation
from devstack.errors import DevstackError
from devstack.lines import number_flags, routed_numbers
from devstack.ports import LOOPBACK
from devstack.restarts import stay
from devstack.stack import CALL_LIFECYCLE, INCOMING_CALL, OWN_HOST, RECORDING_FILE, USUAL_PORTS, Ports, Stack

# Fixed, so that commands and SDK samples copied from one run work in the next. It opens the emulator only.
ACCESS_KEY = base64.b64encode(b"switchboard-emulator-development-access-key-0001").decode()
CHECKED = {"FLOW_CHECKS": "True", "CONSOLE_AUTH": "local"}
"""What a developer's host runs with besides: it watches flows for mistakes, and shows the console to this machine."""


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
    telling = parser.add_mutually_exclusive_group()
    telling.add_argument("--verbose", action="store_true", help="each run of a function, and every address, too")
    telling.add_argument("--quiet", action="store_true", help="failures only, and no conversations")
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
    paint = Paint(on=wanted())
    echo = _Echo(paint, verbose=given.verbose)
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
        invocations=given.verbose,
        access_key=ACCESS_KEY,
        data=ROOT / ".switchboard" / "azurite" if given.keep else None,
        logs=LOGS,
        echo=echo,
        streams=not given.no_streams,
        subscriptions=(INCOMING_CALL, CALL_LIFECYCLE, RECORDING_FILE),
    )
    _say(paint("Starting storage, emulator and Functions host …", DIM))
    try:
        with stack:
            _say(describe(stack, given.app_root, verbose=given.verbose))
            echo.up = True
            with nullcontext() if given.quiet else Conversation(stack.emulator_url, stack.base_url, _say, paint):
                stay(
                    stack, given.app_root.resolve(), lambda line: _say(paint(line, YELLOW)), reload=not given.no_reload
                )
    except KeyboardInterrupt:
        # watchfiles puts it in the place of our SystemExit when the signal arrives while it waits.
        if not stopping.is_set():
            raise
    return 0


def debugged(port: int) -> list[str]:
    """The command of a host that a debugger can attach to; one port serves one host."""
    python, *module = OWN_HOST
    return [python, "-Xfrozen_modules=off", "-m", "debugpy", "--listen", f"{LOOPBACK}:{port}", *module]


def describe(stack: Stack, app_root: Path, *, verbose: bool = False) -> str:
    """Where everything is, and what to try: ten lines, and what else there is to know with `verbose`."""
    number = next(iter(routed_numbers(app_root)), "+18005550199")
    call = f'{{"from": "+14255550123", "to": "{number}", "script": [{{"when": "asked", "press": "1"}}]}}'
    lines = [
        "Switchboard is up. Save a file of the app, and its host starts again; Ctrl-C ends everything.",
        f"  Phone    {stack.emulator_url}/   a person in each tab, who calls and is called",
        f"  Console  {stack.base_url}/api/console   calls as they go on, and their history",
        f"  API      {stack.base_url}/api   to click on: {stack.base_url}/api/console/api",
        f"  SDKs     {stack.emulator_printed.get('Connection string:', stack.emulator_url)}",
        f"  Logs     {stack.logs}",
        f"Try: call {number} from the phone; open the call in the console while it goes on; change a text in flows/, "
        "save, and call again. Without a browser:",
        f"  curl -X POST {stack.emulator_url}/emulator/calls -H 'content-type: application/json' -d '{call}'",
        "More: make demo (a whole call with its report), make test-flows (your flows in seconds), "
        'make up ARGS="--verbose" or "--help"',
        "Calls are told here as they happen.",
    ]
    return "\n".join([*lines, *(_details(stack) if verbose else ())])


def _details(stack: Stack) -> Iterator[str]:
    storage = {} if stack.azurite is None else stack.azurite.ports
    yield f"  Hosts        {', '.join(stack.host_urls)}"
    yield f"  Streams      {stack.streams_url or 'off'}"
    yield f"  Access key   {stack.access_key}"
    yield f"  Certificate  {stack.emulator_printed.get('Certificate:', 'none')} (to be trusted: docs/emulator.md)"
    yield f"  Storage      blob {storage.get('blob')}, queue {storage.get('queue')}, table {storage.get('table')}"
    yield f"  Emulator     {stack.emulator_url}/emulator/timeline, /emulator/state, /emulator/deliveries"


class _Echo:
    """Prints what the services print: all of it with `verbose`, otherwise what is not said elsewhere.

    Attributes:
        up: everything serves: what the emulator says from now on is about calls.
    """

    def __init__(self, paint: Paint, *, verbose: bool) -> None:
        self._paint = paint
        self._verbose = verbose
        self.up = False

    def __call__(self, service: str, line: str) -> None:
        if service == "azurite" or not line or not (self._verbose or self._tells(service, line)):
            return
        problem = _PROBLEM.search(line)
        _say(f"{self._paint(f'{service:>8} |', DIM)} {self._paint(line, RED) if problem else line}")

    def _tells(self, service: str, line: str) -> bool:
        if service == "emulator":
            return "WARNING" in line or (self.up and "Event Grid" not in line)
        return _ROUTINE.search(line) is None or _PROBLEM.search(line) is not None


_ROUTINE = re.compile(
    r"Listening on |^Skipping |Executing 'Functions|Executed 'Functions.*Succeeded"
    r"|\] [a-z ]+ [A-Z]\w+ (?:call|recording)=|\] archived recording="
)
"""What hosts say at each start, Core Tools of each run of a function, and the app of each event that it took."""
_PROBLEM = re.compile(r"\b(?:WARNING|error|failed|misconfigured|Exception)\b")


def _say(text: str) -> None:
    print(text, flush=True)
