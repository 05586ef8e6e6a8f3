"""What the button reaches outside of itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol


class Place(Protocol):
    """Places a call by its flow; the same key places it once."""

    def __call__(self, flow: str, data: Mapping[str, Any], key: str) -> object: ...


class Captcha(Protocol):
    """Asks a site's hook whether a captcha was solved."""

    def problem(self, hook: str) -> str:
        """Why this app asks nothing there; empty: it may. Asks nobody."""

    def solved(self, hook: str, site: str, answer: str, address: str) -> bool:
        """What the hook says. StoreUnavailable where it does not respond."""
