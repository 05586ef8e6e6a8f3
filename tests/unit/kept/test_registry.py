"""Whatever the app keeps is in the registry: what of a person it holds, for how long, and what removes it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.azure.queues import QUEUES
from shared.calls.store import index
from shared.calls.store.base import day_of
from shared.calls.store.index import day_partition, ended_partition, failed_partition, gone_partition, index_rows
from shared.kept.registry import PLACES, Place, named
from shared.privacy import NumberHashes
from tests.unit.kept.world import KEY
from tests.unit.store.test_contract import AT, a_record

ROOT = Path(__file__).parents[3]
SOURCES = [path for folder in ("shared", "handlers", "streams") for path in sorted((ROOT / folder).rglob("*.py"))]
PREFIXES = {"prefix", "store_prefix"}
MAKE = {
    "create_container",
    "create_queue",
    "create_table",
    "create_table_if_not_exists",
}
MAKERS = {
    "shared/azure/blobs.py",
    "shared/azure/queues.py",
    "shared/azure/rows.py",
    "shared/azure/call_store.py",
    "streams/store.py",
}
"""The modules that make tables, containers and queues; who makes clients is in test_architecture.py."""


def names_in(path: Path) -> Iterator[str]:
    """What stands behind the prefix in each name that a module puts together from it."""
    behind: list[str] = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.FormattedValue):
            first = ast.unparse(node.values[0].value)
            text = ast.unparse(ast.JoinedStr(node.values[1:])).removeprefix("f")[1:-1]
            if PREFIXES & set(re.findall(r"\w+", first)):
                behind.append(text)
            elif first == "QUEUE":  # of a trigger: the module puts that together above
                behind += [f"{queue}{text}" for queue in behind]
    yield from behind


def calls_in(path: Path) -> set[str]:
    """The names of what a module calls."""
    called = [node.func for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call)]
    return {one.attr if isinstance(one, ast.Attribute) else getattr(one, "id", "") for one in called}


def archive_containers() -> set[str]:
    """The containers that a BlobArchive is made for by name."""
    return {
        ast.literal_eval(keyword.value)
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call)
        for keyword in node.keywords
        if keyword.arg == "container" and isinstance(keyword.value, ast.Constant)
    }


def test_every_name_that_is_put_together_is_registered() -> None:
    found = {name for path in SOURCES for name in names_in(path)}
    assert {"calls", "-calls", "-recordings-poison", "-{container}"} <= found, "the reader of names reads nothing"
    found = (found - {"-{container}"}) | {f"-{name}" for name in archive_containers()}
    found = (found - {"-{name}"}) | {f"-{name}" for name in QUEUES}
    # Nothing takes wake-ups and work that failed five times, so no source names their queues: the host makes them.
    assert found | {"-timers-poison", "-uses-poison"} == named("table") | named("container") | named("queue")


def test_nobody_else_makes_a_place_in_the_storage() -> None:
    made = {path.relative_to(ROOT).as_posix() for path in SOURCES if calls_in(path) & MAKE}
    assert made == MAKERS, "a new one: name what it keeps in shared/kept/registry.py, then the module here"


def test_every_list_of_the_index_is_registered() -> None:
    rows = index_rows(a_record(), NumberHashes(KEY))
    begins = {row.partition.partition(" ")[0] for row in rows}
    of_a_day = (day_partition, ended_partition, failed_partition, gone_partition)
    begins |= {one(day_of(AT)).partition(" ")[0] for one in of_a_day}
    assert begins | set(index._NAMES.values()) == named("list")


@pytest.mark.parametrize("place", PLACES, ids=lambda place: f"{place.kind} {place.name}")
def test_each_place_says_how_long_and_how_it_is_found_and_erased(place: Place) -> None:
    assert all((place.days, place.found, place.erased))


@pytest.mark.parametrize("place", PLACES, ids=lambda place: f"{place.kind} {place.name}")
def test_the_page_about_privacy_names_each_place(place: Place) -> None:
    table = (ROOT / "docs" / "privacy.md").read_text("utf-8").split("## How long")[0]
    assert f"`{place.name.removesuffix('-poison')}`" in table
    assert "their `-poison`" in table
