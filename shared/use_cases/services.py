"""The services of the use cases, by name: for flows, which may not import them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from shared.errors import InvalidInput

_MADE: dict[str, Callable[[], Any]] = {}


def provide(name: str, make: Callable[[], Any]) -> None:
    """Say how the service of a use case is got; the composition does, and a test that gives a flow its own."""
    _MADE[name] = make


def service(name: str) -> Any:
    """The service of a use case, made at its first use. InvalidInput where there is none of this name."""
    if name not in _MADE:
        raise InvalidInput(f"use case {name!r}", "is not set up.", f"Known: {', '.join(sorted(_MADE)) or 'none'}.")
    return _MADE[name]()
