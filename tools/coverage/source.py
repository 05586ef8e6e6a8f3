"""Reading Python files without running them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]


@cache
def tree(path: Path) -> ast.Module:
    """A file's syntax tree."""
    return ast.parse(path.read_text("utf-8"))


def files(folder: str, pattern: str = "*.py") -> list[Path]:
    """The files below a folder of the project, in order."""
    return sorted((ROOT / folder).rglob(pattern))


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function of a file, those of its classes as well."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def words(node: ast.AST) -> Iterator[str]:
    """Every string constant in a piece of code."""
    for part in ast.walk(node):
        if isinstance(part, ast.Constant) and isinstance(part.value, str):
            yield part.value


def module(path: Path) -> str:
    """The dotted name of a file, of the emulator's by its package."""
    emulator = ROOT / "emulator" / "src"
    root = emulator if path.is_relative_to(emulator) else ROOT
    return ".".join(path.relative_to(root).with_suffix("").parts)
