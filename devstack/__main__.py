"""`python -m devstack COMMAND`: run everything here with one command."""

from __future__ import annotations

import argparse
import sys

from devstack.errors import DevstackError


def make_parser() -> argparse.ArgumentParser:
    """The command line. A command brings `run(namespace) -> exit code`."""
    parser = argparse.ArgumentParser(prog="python -m devstack", description=(__doc__ or "").split(": ", 1)[1])
    commands = parser.add_subparsers(dest="command", required=True)
    from devstack import demo, up

    command = commands.add_parser(
        "up",
        help="stay up: Azurite, the emulator and a Functions host that restarts when the app changes",
        description="Runs Azurite, the ACS emulator and a Functions host until Ctrl-C; the host starts again "
        "when *.py, *.yaml, host.json or local.settings.json change.",
    )
    up.add_arguments(command)
    command.set_defaults(run=up.run)
    command = commands.add_parser(
        "demo",
        help="one whole call through the real parts, with its timeline",
        description="Starts everything on free ports, places a call from a scripted phone, tells it as it happens, "
        "and exits 0 only if it went as scripted.",
    )
    demo.add_arguments(command)
    command.set_defaults(run=demo.run)
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Run a command; its exit code, or 1 with one message on stderr."""
    given = make_parser().parse_args(arguments)
    try:
        code: int = given.run(given)
    except DevstackError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return code


if __name__ == "__main__":
    sys.exit(main())
