"""Cells on their way out of the app."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.outreach.spreadsheet import damage, outgoing_csv, safe_cell


@pytest.mark.parametrize(
    "cell", ["=1+1", "+cmd|'/C calc'!A0", "-2", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "+49 171 2345678"]
)
def test_what_a_spreadsheet_would_run_is_text(cell: str) -> None:
    assert safe_cell(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["+491712345678", "Ada", "", "1+1", "a=b"])
def test_everything_else_stays(cell: str) -> None:
    assert safe_cell(cell) == cell


def test_amounts_and_names_are_not_damaged() -> None:
    assert damage("12345,00", digits=False) is None
    assert damage("1E5", digits=False) is None
    assert damage("Ada") is None


def test_a_file_as_it_goes_out() -> None:
    rows = [["1", '5" pipe', "+491712345678"], ["2", "a,b", " x"]]
    assert "".join(outgoing_csv(["id", "name", "number"], rows)) == (
        '\ufeffid,name,number\r\n1,"5"" pipe",+491712345678\r\n2,"a,b"," x"\r\n'
    )


@given(st.lists(st.lists(st.text(), min_size=2, max_size=2), max_size=5))
def test_no_cell_of_a_file_is_run_and_each_comes_back(rows: list[list[str]]) -> None:
    text = "".join(outgoing_csv(["a", "b"], rows)).removeprefix("\ufeff")
    _, *read = csv.reader(io.StringIO(text, newline=""))
    assert [len(row) for row in read] == [2] * len(rows)
    for row, before in zip(read, rows, strict=True):
        for cell, was in zip(row, before, strict=True):
            assert cell.removeprefix("'") == was.replace("\x00", "").removeprefix("'")
            assert not cell.startswith(("=", "-", "@", "\t", "\r", "\n"))
            assert not cell.startswith("+") or cell[1:].isdigit()
