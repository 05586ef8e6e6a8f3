"""python -m tools.deployment events | keys | trial: docs/deploy.md says when."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from tools.deployment.commands import DeploymentError
from tools.deployment.events import refresh_references, subscribe
from tools.deployment.place import Place, from_azd, from_deployment
from tools.deployment.trial import trial


def parser() -> argparse.ArgumentParser:
    """What may be said."""
    made = argparse.ArgumentParser(prog="python -m tools.deployment", description=__doc__)
    commands = made.add_subparsers(dest="command", required=True)
    events = commands.add_parser("events", help="count the functions, then send them Event Grid's events")
    events.add_argument(
        "--deployment", default="", help="name of a deployment of infra/main.bicep; default: azd's values"
    )
    events.add_argument("--numbers", default="", help="numbers whose calls are taken, comma-separated; default: all")
    keys = commands.add_parser("keys", help="have settings read from Key Vault again, and say whether they could be")
    keys.add_argument("--deployment", default="", help="as of events")
    trials = commands.add_parser("trial", help="try the whole deployment in a new environment, and write a report")
    trials.add_argument("--environment", default="switchboard-trial", help="name of the azd environment that is made")
    trials.add_argument("--location", default="westeurope")
    trials.add_argument("--report", default="switchboard-trial.md")
    trials.add_argument(
        "--keep", action="store_true", help="leave everything in Azure instead of deleting it at the end"
    )
    trials.add_argument("--yes", action="store_true", help="do not ask before money is spent")
    return made


def main(given: Sequence[str]) -> int:
    """The command line; 1 for whatever went wrong, which is told."""
    options = parser().parse_args(given)
    try:
        if options.command == "events":
            subscribe(_place(options.deployment, options.numbers))
            return 0
        if options.command == "keys":
            states = refresh_references(_place(options.deployment))
            print("\n".join(f"{name}: {state}" for name, state in sorted(states.items())))
            return 0
        return trial(
            options.environment, options.location, options.report, keep=options.keep, ask=None if options.yes else input
        )
    except DeploymentError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def _place(deployment: str, numbers: str = "") -> Place:
    return from_deployment(deployment, numbers) if deployment else from_azd(numbers)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
