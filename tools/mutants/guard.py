"""What a guard is: a function or a constant, and the tests that hold it."""

from __future__ import annotations

from typing import NamedTuple


class Guard(NamedTuple):
    """A function, or a constant of a module.

    Attributes:
        where: file::name, with the class if it is a method.
        tests: files of tests that hold it; of these, the tests that reach it are run.
        why: what it guards.
    """

    where: str
    tests: tuple[str, ...]
    why: str


def files(folder: str, names: str) -> tuple[str, ...]:
    """Files of tests in a folder, by the names between `test_` and `.py`."""
    return tuple(f"{folder}/test_{name}.py" for name in names.split())
