from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from acs_emulator.audio import Studio


@pytest.fixture
async def studio() -> AsyncIterator[Studio]:
    studio = Studio()
    yield studio
    await studio.close()
