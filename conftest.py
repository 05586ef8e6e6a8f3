"""What holds for every test."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import settings

# A property holds at any pace: how long an example takes says more of the machine than of the code.
settings.register_profile("at any pace", deadline=None)
settings.load_profile("at any pace")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Let `--dist loadgroup` keep the tests of a group together.

    pytest-xdist 3.8 writes the group into `_nodeid`, which pytest 9.2 no longer reads: without this, tests that
    share a stack would be spread over the workers, and each worker would start a stack of its own.
    """
    if not getattr(config.option, "loadgroup", False):
        return
    for item in items:
        node: Any = item
        grouped = vars(node).get("_nodeid") if hasattr(node, "__dict__") else None
        if isinstance(grouped, str) and grouped != node.nodeid and hasattr(node, "_id"):
            node._id = type(node._id).parse(grouped)
