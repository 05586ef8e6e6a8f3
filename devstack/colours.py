"""Colour on a terminal, where there is one and nobody has said no."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Protocol

RED, GREEN, YELLOW, BLUE, MAGENTA, CYAN = 31, 32, 33, 34, 35, 36
BOLD, DIM = 1, 2


class _Stream(Protocol):
    def isatty(self) -> bool: ...


def wanted(stream: _Stream | None = None, environ: Mapping[str, str] | None = None) -> bool:
    """Whether a stream (stdout) takes colour: a terminal that can, with NO_COLOR (https://no-color.org) empty."""
    environ = os.environ if environ is None else environ
    return (stream or sys.stdout).isatty() and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"


class Paint:
    """Colours texts, or leaves them as they are."""

    def __init__(self, *, on: bool) -> None:
        self._on = on

    def __call__(self, text: str, *codes: int) -> str:
        return f"\x1b[{';'.join(map(str, codes))}m{text}\x1b[0m" if self._on and text and codes else text
