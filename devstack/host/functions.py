"""What the host knows of a function: its name and its bindings, as the worker reports them."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from devstack.host.errors import StartupError

Binding = dict[str, Any]

# The host's own rule for names; "host" is reserved for its files.
_NAME = re.compile(r"(?!host$)[A-Za-z][A-Za-z0-9_-]{0,127}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class FunctionMetadata:
    """One indexed function. `function_id` is the worker's key of it."""

    name: str
    function_id: str
    trigger: Binding
    outputs: tuple[Binding, ...]
    directory: Path

    @property
    def trigger_type(self) -> str:
        """The trigger binding's type, such as `httpTrigger`."""
        return str(self.trigger["type"])

    @property
    def where(self) -> str:
        """How messages name the function."""
        return f"Function '{self.name}'"

    @property
    def disabled(self) -> bool:
        """Switched off by the app setting `AzureWebJobs.NAME.Disabled`."""
        value = os.environ.get(f"AzureWebJobs.{self.name}.Disabled", "")
        return value.lower() in ("1", "true")


def from_raw_bindings(name: str, function_id: str, raw_bindings: Iterable[str], directory: Path) -> FunctionMetadata:
    """Build the metadata from the JSON bindings that the SDK gives (`Function.get_raw_bindings`).

    Raises:
        StartupError: the name is not one that the host takes, or there is not exactly one trigger.
    """
    if not _NAME.fullmatch(name):
        raise StartupError(
            f"Function '{name}': the name must start with a letter and hold letters, digits, '_' and '-' only."
        )
    bindings = [json.loads(raw) for raw in raw_bindings]
    triggers = [binding for binding in bindings if str(binding["type"]).lower().endswith("trigger")]
    if len(triggers) != 1:
        raise StartupError(f"Function '{name}' must have exactly one trigger, found {len(triggers)}.")
    outputs = tuple(binding for binding in bindings if str(binding.get("direction")).upper() == "OUT")
    return FunctionMetadata(name, function_id, triggers[0], outputs, directory)


def check_names(functions: Iterable[FunctionMetadata]) -> None:
    """Refuse two functions whose names differ at most by case: the host keys them without regard to case.

    Raises:
        StartupError: naming both.
    """
    seen: dict[str, str] = {}
    for function in functions:
        other = seen.setdefault(function.name.lower(), function.name)
        if other is not function.name:
            raise duplicate_name(function.name)


def duplicate_name(name: str) -> StartupError:
    """The error for a function name that is used twice."""
    return StartupError(
        f"Two functions are called '{name}'. Give one of them another name with @app.function_name(), "
        "or rename the Python function."
    )
