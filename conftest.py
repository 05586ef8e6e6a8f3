"""What holds for every test."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import settings

from tests.examples import examples

# A property holds at any pace: how long an example takes says more of the machine than of the code.
settings.register_profile("at any pace", deadline=None, max_examples=examples(100))
settings.load_profile("at any pace")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--slice", metavar="N/M", help="run the Nth of M parts, whole groups or files each")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Let `--dist loadgroup` keep the tests of a group together.

    pytest-xdist 3.8 writes the group into `_nodeid`, which pytest 9.2 no longer reads: without this, tests that
    share a stack would be spread over the workers, and each worker would start a stack of its own.
    """
    _keep_slice(config, items)
    if not getattr(config.option, "loadgroup", False):
        return
    for item in items:
        node: Any = item
        grouped = vars(node).get("_nodeid") if hasattr(node, "__dict__") else None
        if isinstance(grouped, str) and grouped != node.nodeid and hasattr(node, "_id"):
            node._id = type(node._id).parse(grouped)


def _keep_slice(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the tests of the asked part alone in the list; which these are depends on the list and nothing else."""
    wanted = config.getoption("slice")
    if not wanted:
        return
    number, _, parts = wanted.partition("/")
    if not (number.isdecimal() and parts.isdecimal() and 1 <= int(number) <= int(parts)):
        raise pytest.UsageError(f"--slice is a part such as 2/5, not {wanted!r}.")
    groups = sorted({_group(item) for item in items})
    mine = set(groups[int(number) - 1 :: int(parts)])
    left_out = [item for item in items if _group(item) not in mine]
    items[:] = [item for item in items if _group(item) in mine]
    config.hook.pytest_deselected(items=left_out)


def _group(item: pytest.Item) -> str:
    """What an item shares a stack with: its group, or its file."""
    marker = item.get_closest_marker("xdist_group")
    return str(marker.args[0]) if marker else str(item.path)
