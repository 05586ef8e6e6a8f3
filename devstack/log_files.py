"""Where services write what they print, and for how long that is kept."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import time
from pathlib import Path

from devstack.azurite import LOGS
from devstack.process import ChildProcess

_KEEP_LOGS_SECONDS = 86_400.0
_numbers = itertools.count(1)


def own_logs() -> Path:
    """A folder that no other stack writes to; those of earlier days are removed."""
    LOGS.mkdir(parents=True, exist_ok=True)
    for old in LOGS.iterdir():
        with contextlib.suppress(OSError):
            if old.is_dir() and time.time() - old.stat().st_mtime > _KEEP_LOGS_SECONDS:
                shutil.rmtree(old, ignore_errors=True)
    return LOGS / f"{os.getpid()}-{next(_numbers)}"


def put_aside(dead: ChildProcess) -> None:
    """End what is left of it, and keep its log under another name."""
    dead.stop()
    dead.log.rename(dead.log.with_suffix(f".until-{time.time():.0f}.log"))
