"""SECURITY.md: each row of its table names tests, and they exist; guards and rows speak of the same."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "SECURITY.md").read_text("utf-8")


def rows() -> list[list[str]]:
    table = PAGE.partition("| who | what they try |")[2].partition("\n\n")[0]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table.splitlines()[2:]]


def test_each_row_says_who_what_how_and_which_test() -> None:
    assert len(rows()) == 22
    for row in rows():
        who, what, how, *tests = row
        assert all((who, what, how)), row
        assert re.findall(r"`(test_\w+)`", tests[0]), f"no test shows what meets {who}: {what}"


def test_every_test_that_a_row_names_exists_once() -> None:
    code = "\n".join(path.read_text("utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    named = re.findall(r"`(test_\w+)`", PAGE)
    assert len(named) > 40
    assert {name: code.count(f"def {name}(") for name in named if f"def {name}(" not in code} == {}


def test_the_page_is_linked_from_where_it_is_looked_for() -> None:
    for page, link in {
        "README.md": "SECURITY.md",
        "docs/privacy.md": "../SECURITY.md",
        "docs/deploy.md": "../SECURITY.md",
    }.items():
        assert f"]({link}" in (ROOT / page).read_text("utf-8"), page
