"""Azure Functions Core Tools, if they are installed and wanted."""

from __future__ import annotations

import os
import shutil

from devstack.errors import DevstackError, MissingToolError

HOST_SETTING = "DEVSTACK_HOST"


def find_func(choice: str) -> str | None:
    """Core Tools' command, or None for the own host."""
    if choice == "auto":
        choice = os.environ.get(HOST_SETTING, "auto").lower()
    found = shutil.which("func")
    if choice == "own" or (choice == "auto" and found is None):
        return None
    if choice not in ("auto", "func"):
        raise DevstackError(f"The host must be 'own', 'func' or 'auto', not '{choice}' (--host or {HOST_SETTING}).")
    if found is None:
        raise MissingToolError("`func` is not on the PATH. Install Azure Functions Core Tools, or use --host own.")
    return found
