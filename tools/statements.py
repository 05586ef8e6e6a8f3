"""Counts the statements of the code by part: how much there is to read, whatever its lines and comments.

    python -m tools.statements            every part, in the folder that one stands in
    python -m tools.statements FOLDER     the same of another checkout
    python -m tools.statements FOLDER shared/quality shared/recordings

A statement is one of Python's syntax tree; docstrings are none, nor are files that git does not know.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

PARTS = ("shared", "handlers", "emulator", "devstack", "streams", "flows", "tools", "bench", "tests")


def statements(source: str) -> int:
    """The statements of a module; docstrings, and other strings that stand alone, are left out.

    SyntaxError for what is no Python.
    """
    return sum(isinstance(node, ast.stmt) and not _is_text(node) for node in ast.walk(ast.parse(source)))


def count(root: Path, part: str) -> tuple[int, int]:
    """Files and statements of a part. CalledProcessError where the folder is no checkout."""
    listed = subprocess.run(  # noqa: S603
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z", "--", part],  # noqa: S607
        cwd=root,
        check=True,
        capture_output=True,
        text=True,
    )
    files = [root / name for name in listed.stdout.split("\0") if name.endswith(".py") and (root / name).is_file()]
    return len(files), sum(statements(file.read_text("utf-8")) for file in files)


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def main(arguments: Sequence[str]) -> int:
    """The command line: a table of parts; 1 for a folder that is no checkout."""
    root, parts = Path(arguments[0] if arguments else "."), arguments[1:] or PARTS
    try:
        counted = [(part, *count(root, part)) for part in parts]
    except (OSError, subprocess.CalledProcessError) as error:
        reason = error.stderr.strip() if isinstance(error, subprocess.CalledProcessError) else error
        print(f"{root}: {reason}. Name the folder of a checkout.", file=sys.stderr)
        return 1
    for part, files, number in (*counted, ("all", sum(one[1] for one in counted), sum(one[2] for one in counted))):
        print(f"{part:<20} {files:>4} files {number:>7,} statements")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
