"""`python -m tools.doctor [local|azure|live]`: what is wrong, why it matters, and the command that fixes it."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from shared.diagnostics import Finding
from tools.doctor import local, report
from tools.doctor.app import ROOT
from tools.doctor.errors import CouldNotLook


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(
        prog="python -m tools.doctor",
        description="Says what is wrong before a caller does: docs/doctor.md.",
        epilog="Exit code: 0 nothing is wrong, 1 something is, 2 doctor could not look.",
    )
    made.add_argument(
        "level",
        nargs="?",
        choices=report.LEVELS,
        default="local",
        help="local: this machine, without network (%(default)s); azure: what is set up there, read only, after az "
        "login; live: asks the deployed app and its services, costs cents, asks first",
    )
    made.add_argument("--json", action="store_true", help="print JSON as docs/doctor.schema.json says")
    made.add_argument("--strict", action="store_true", help="exit with 1 also for what is only to be looked at")
    made.add_argument("--app-root", type=Path, default=ROOT, help="folder of the app (this repository)")
    made.add_argument("--url", default="", help="address of the app (local: that of make up; live: that in Azure)")
    made.add_argument(
        "--key", default=os.environ.get("SWITCHBOARD_KEY", ""), help="function key of the app (SWITCHBOARD_KEY)"
    )
    azure = made.add_argument_group("azure and live", "what is left out is read from the environment and `azd env`")
    azure.add_argument("--subscription", default="", help="AZURE_SUBSCRIPTION_ID, else that of `az account show`")
    azure.add_argument("--resource-group", default="", help="AZURE_RESOURCE_GROUP")
    azure.add_argument("--app", default="", help="name of the Function App: AZURE_FUNCTION_APP_NAME")
    azure.add_argument(
        "--arm", default="https://management.azure.com", help="management endpoint of the cloud (%(default)s)"
    )
    live = made.add_argument_group("live")
    live.add_argument("--yes", action="store_true", help="do not ask first")
    live.add_argument("--call", metavar="NUMBER", default="", help="call this number too, and say one sentence")
    live.add_argument("--call-from", metavar="NUMBER", default="", help="with this number of yours")
    live.add_argument("--flow", default="", help="by this flow; it must place calls with an input of none")
    return made


def findings(given: argparse.Namespace) -> list[Finding]:
    """What is found on the level that was asked for. CouldNotLook."""
    root = given.app_root.resolve()
    if not (root / "host.json").is_file():
        raise CouldNotLook(f"{root} is not the folder of a Functions app: there is no host.json. Give --app-root.")
    if given.level == "local":
        return local.look(root, url=given.url.rstrip("/") or local.RUNNING, key=given.key)
    if given.level == "azure":
        from tools.doctor.azure import look as look_at_azure

        return look_at_azure(root, given)
    from tools.doctor.live import look as look_live

    return look_live(root, given)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; gives the exit code."""
    given = parser().parse_args(arguments)
    try:
        found = report.joined(findings(given))
    except CouldNotLook as error:
        print(f"doctor could not look: {error}", file=sys.stderr)
        return report.COULD_NOT_LOOK
    if given.json:
        print(report.as_json(given.level, found))
    else:
        print(report.as_text(found, colour=sys.stdout.isatty() and not os.environ.get("NO_COLOR")))
    return report.exit_code(found, strict=given.strict)


if __name__ == "__main__":
    sys.exit(main())
