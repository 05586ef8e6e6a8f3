"""The count of statements, which a change of the layout is measured by."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tools.statements import main, statements

MODULE = '''"""A module."""

import os

LIMIT = 3
"""What it means."""


def f(x: int) -> int:
    """A function."""
    # a comment
    if x > LIMIT:
        return x; print(os.name)
    try:
        return int("7")
    except ValueError:
        pass
'''


def test_strings_that_stand_alone_are_no_statements_and_bodies_count() -> None:
    # import, LIMIT, def, if, return, print, try, return, pass
    assert statements(MODULE) == 9


def test_each_part_has_a_line_and_what_git_ignores_is_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    (tmp_path / ".gitignore").write_text("made.py\n")
    for name in ("one.py", "made.py", "notes.md"):
        (tmp_path / "shared").mkdir(exist_ok=True)
        (tmp_path / "shared" / name).write_text(MODULE if name.endswith("py") else "words")
    assert main([str(tmp_path)]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == ["shared", "1", "files", "9", "statements"]
    assert lines[1][:2] == ["handlers", "0"]
    assert lines[-1] == ["all", "1", "files", "9", "statements"]
    assert main([str(tmp_path), "shared/one.py"]) == 0
    assert capsys.readouterr().out.split()[:4] == ["shared/one.py", "1", "files", "9"]


def test_a_folder_that_is_no_checkout_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "nowhere")]) == 1
    assert "Name the folder of a checkout." in capsys.readouterr().err
