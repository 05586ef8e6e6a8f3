"""What tests put around the SDK's transport, to lose what comes back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass
class Wrapped:
    """A transport that passes everything on; a subclass has a `send` of its own."""

    inner: Any

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def __enter__(self) -> Any:
        self.inner.__enter__()
        return self

    def __exit__(self, *error: Any) -> Any:
        return self.inner.__exit__(*error)

    def sleep(self, seconds: float) -> None:
        """Nobody waits here."""
