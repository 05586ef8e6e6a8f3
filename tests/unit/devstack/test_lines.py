"""The numbers of the app that `make up` tells the emulator."""

from __future__ import annotations

from pathlib import Path

import pytest

from devstack.lines import number_flags, routed_numbers


def test_whole_numbers_are_taken_once_each_in_their_order(tmp_path: Path) -> None:
    (tmp_path / "routing.yaml").write_text("""
rules:
  - {name: a, to: "+18005550177", answer: support}
  - {name: b, to: ["+18005550149", "+1800555*", "+18005550177"], answer: reception}
  - {name: c, from: "+14255550100", reject: busy}
  - {name: d, answer: reception}
""")
    assert routed_numbers(tmp_path) == {"+18005550177": "a", "+18005550149": "b"}
    assert number_flags(tmp_path) == ["--number", "+18005550177:1000=a", "--number", "+18005550149:1000=b"]


def test_a_rule_whose_name_is_no_name_for_the_emulator_has_its_number_alone(tmp_path: Path) -> None:
    rules = "\n".join(
        f'  - {{name: "{name}", to: "+1800555010{at}", answer: a}}' for at, name in enumerate(("", "x" * 41))
    )
    (tmp_path / "routing.yaml").write_text(f"rules:\n{rules}\n")
    assert number_flags(tmp_path) == ["--number", "+18005550100:1000", "--number", "+18005550101:1000"]


@pytest.mark.parametrize("text", ["", "rules", "rules: 3", "rules: [3]", "rules: [", "- 1"])
def test_a_file_that_cannot_be_read_names_no_number(tmp_path: Path, text: str) -> None:
    (tmp_path / "routing.yaml").write_text(text)
    assert routed_numbers(tmp_path) == {}


def test_without_a_file_there_is_no_number(tmp_path: Path) -> None:
    assert routed_numbers(tmp_path) == {}
