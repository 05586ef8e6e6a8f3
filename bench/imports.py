"""What it costs to import the app, against the SDKs that any such app imports."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from statistics import median

from bench.report import Row
from devstack.azurite import ROOT

BARE = "import azure.functions, azure.communication.callautomation, azure.data.tables"
APP = "import function_app"
READY = "import function_app, shared.composition.board"
"""And what the app is put together of: a worker imports it in the background while the host takes in the functions."""

LIMIT = 1.6
READY_LIMIT = 2.0


@dataclass(slots=True)
class Imports:
    """Milliseconds of fresh interpreters, less those of an empty one."""

    app: list[float] = field(default_factory=list)
    ready: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)
    empty: list[float] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        """The app's median over the SDKs'."""
        return self._ratio(self.app)

    @property
    def ready_ratio(self) -> float:
        """The same of all that a call needs."""
        return self._ratio(self.ready)

    def _ratio(self, values: list[float]) -> float:
        return (median(values) - median(self.empty)) / (median(self.bare) - median(self.empty))


def measure_imports(rounds: int) -> Imports:
    """Import both in fresh interpreters, in turns, with bytecode written by a first round that does not count."""
    found = Imports()
    for number in range(rounds + 1):
        for values, code in (
            (found.app, APP),
            (found.ready, READY),
            (found.bare, BARE),
            (found.empty, "pass"),
        ):
            taken = _seconds(code) * 1000
            if number:
                values.append(taken)
    return found


def imported_modules(code: str = APP) -> set[str]:
    """The modules that a fresh interpreter holds after this code."""
    script = f"{code}\nimport sys\nprint('\\n'.join(sys.modules))"
    return set(_run(script).split())


def _seconds(code: str) -> float:
    began = time.perf_counter()
    _run(code)
    return time.perf_counter() - began


def _run(code: str) -> str:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, check=True, capture_output=True, text=True
    )
    return done.stdout


def measure(quick: bool) -> Iterator[Row]:
    """The rows of measurement 5."""
    found = measure_imports(9 if quick else 15)
    more = {"samples": len(found.app)}
    for case, values in (
        ("function_app", found.app),
        ("all that a call needs", found.ready),
        ("the SDKs bare", found.bare),
        ("nothing", found.empty),
    ):
        yield Row("import, fresh interpreter", f"{case}, p50", median(values), "ms", more=more)
    yield Row(
        "import, fresh interpreter", "function_app ÷ SDKs, less an empty interpreter", found.ratio, "times", LIMIT
    )
    yield Row(
        "import, fresh interpreter",
        "all that a call needs ÷ SDKs, less an empty interpreter",
        found.ready_ratio,
        "times",
        READY_LIMIT,
    )
