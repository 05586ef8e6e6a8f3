"""The seam between the host and what runs the functions: `native`, or, in a test, Microsoft's library."""

from __future__ import annotations

import os
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from azure.functions.meta import Datum

from devstack.host.functions import FunctionMetadata


def new_id() -> str:
    """A random invocation id."""
    return str(uuid.UUID(bytes=os.urandom(16), version=4))


@dataclass(slots=True)
class Invocation:
    """One call of a function, in the worker's terms.

    `data` is the trigger's Datum; `metadata` the trigger metadata (DequeueCount and the like).
    """

    function: FunctionMetadata
    data: Datum
    metadata: dict[str, Datum] = field(default_factory=dict)
    trace_parent: str = ""
    trace_state: str = ""
    invocation_id: str = field(default_factory=new_id)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an invocation; on failure `error` and `traceback` say why."""

    ok: bool
    returned: Datum | None = None
    outputs: tuple[tuple[str, Datum], ...] = ()
    error: str = ""
    traceback: str = ""


class Backend(Protocol):
    """Loads an app and invokes its functions."""

    async def load(self, app_root: Path) -> list[FunctionMetadata]:
        """Import `function_app.py` and index it.

        Raises:
            StartupError: the app cannot be imported or indexed.
        """
        ...

    async def invoke(self, invocation: Invocation) -> Outcome:
        """Run one invocation; a failure of the function is an Outcome, never an exception."""
        ...

    def close(self) -> None:
        """Release the thread pool; threads that still run are not waited for."""
        ...
