"""What unit tests of several packages need."""

from __future__ import annotations

import pytest
from azure.core.pipeline.transport import HttpTransport


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds for which a client of an Azure SDK meant to wait between its tries. It does not."""
    meant: list[float] = []

    def sleep(_: object, duration: float) -> None:
        meant.append(duration)

    monkeypatch.setattr(HttpTransport, "sleep", sleep)
    return meant
