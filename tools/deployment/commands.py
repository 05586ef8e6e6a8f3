"""Running az and azd."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]

MOST_SECONDS = 1800
"""How long one command may take; a first `azd up` takes some 15 minutes."""


class DeploymentError(Exception):
    """What went wrong, and what to do about it."""


class Failed(DeploymentError):
    """A command ended with an error."""

    def __init__(self, command: Sequence[str], error: str) -> None:
        super().__init__(f"`{' '.join(command)}` failed:\n{error.strip()[-2000:]}")
        self.error = error


def program(name: str) -> str:
    """Where a program is; on Windows az is a script."""
    found = shutil.which(name)
    if found is None:
        raise DeploymentError(f"{name} is not installed; https://aka.ms/{'azd' if name == 'azd' else 'azcli'} says how")
    return found


def run(*command: str, seconds: float = MOST_SECONDS) -> str:
    """The output of a command; raises Failed with what it said."""
    try:
        done = subprocess.run(  # noqa: S603 - az and azd, with names of ours
            [program(command[0]), *command[1:]], cwd=ROOT, capture_output=True, text=True, timeout=seconds
        )
    except subprocess.TimeoutExpired:
        raise Failed(command, f"no end after {seconds:.0f} seconds") from None
    if done.returncode:
        raise Failed(command, done.stderr or done.stdout)
    return done.stdout


def az(*arguments: str) -> Any:
    """What az gives, as JSON; None if it gives nothing."""
    out = run("az", *arguments, "--output", "json")
    try:
        return json.loads(out) if out.strip() else None
    except ValueError:
        raise DeploymentError(f"`az {' '.join(arguments)}` gave no JSON: {out[:200]}") from None


def azd_values() -> Mapping[str, str]:
    """The values of the azd environment that is selected."""
    values: dict[str, str] = {}
    for line in run("azd", "env", "get-values").splitlines():
        name, equals, value = line.partition("=")
        if equals:
            values[name.strip()] = json.loads(value) if value.startswith('"') else value
    return values
