"""CSV files as people send them."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import InvalidInput
from shared.outreach.csv_file import LONGEST_LINE, BadRow, FileFacts, Row, chunks_of, inspect, rows_of


def read(data: bytes, most: int = 1000, size: int = 5) -> tuple[FileFacts, list[Row | BadRow]]:
    source = chunks_of(data, size)
    facts = inspect(source, most)
    return facts, list(rows_of(source, facts))


TEXT = "id;name\n1;Müller\n2;Ähre\n"


@pytest.mark.parametrize(
    ("encoding", "found"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8-sig"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
        ("latin-1", "cp1252"),
    ],
)
def test_a_file_is_read_whatever_its_encoding(encoding: str, found: str) -> None:
    facts, rows = read(TEXT.encode(encoding))
    assert (facts.encoding, facts.header, facts.rows) == (found, ("id", "name"), 2)
    assert rows == [Row(2, ("1", "Müller")), Row(3, ("2", "Ähre"))]
    assert list(facts.samples) == rows


def test_one_byte_of_latin_1_far_from_the_start_is_found() -> None:
    _, rows = read(b"id,name\n" + b"1,x\n" * 5000 + b"2,M\xfcller\n", most=9999, size=4096)
    assert rows[-1] == Row(5002, ("2", "Müller"))


@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|"])
def test_the_delimiter_is_the_one_of_the_header(delimiter: str) -> None:
    facts, rows = read(f"id{delimiter}a{delimiter}b\n1{delimiter}2,5;x{delimiter}\n".replace(",5;x", "").encode())
    assert facts.delimiter == delimiter
    assert rows == [Row(2, ("1", "2", ""))]


def test_a_delimiter_in_quotes_is_none() -> None:
    facts, _ = read(b'"a,b,c";d\n1;2\n')
    assert facts.header == ("a,b,c", "d")


def test_what_excel_says_of_the_delimiter_is_heard() -> None:
    facts, rows = read(b"sep=|\r\nid|a;b;c\r\n1|2\r\n")
    assert (facts.delimiter, facts.header) == ("|", ("id", "a;b;c"))
    assert rows == [Row(3, ("1", "2"))]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_end_in_any_way_and_cells_in_quotes_hold_them(end: str) -> None:
    _, rows = read(f'id,a{end}1,"x{end}""y"""{end}2,z{end}'.encode())
    assert rows == [Row(2, ("1", 'x\n"y"')), Row(4, ("2", "z"))]


def test_a_bad_row_is_named_by_its_line_and_the_good_ones_go_on() -> None:
    _, rows = read(b'id,a\n1,"open\n2,b\n3,c,d\n4\n5,5" pipe\n6,6" pipe\n7,"x"y\n\n,\n8,e,,\n')
    good = [(row.line, row.cells) for row in rows if isinstance(row, Row)]
    bad = {row.line: row.problem for row in rows if isinstance(row, BadRow)}
    assert good == [(3, ("2", "b")), (11, ("8", "e"))]
    quote = "has a quotation mark that is not closed, or text beside one."
    assert bad == {
        2: quote,
        4: "has 3 cells where the header has 2.",
        5: "has 1 cells where the header has 2.",
        6: quote,
        7: quote,
        8: quote,
    }
    assert all(row.remedy for row in rows if isinstance(row, BadRow))


def test_good_rows_between_two_stray_quotes_are_read() -> None:
    _, rows = read(b'id,a\n1,"x\n2,b\n3,c",z\n4,d\n')
    assert [row.line for row in rows if isinstance(row, BadRow)] == [2, 4]
    assert [row.cells for row in rows if isinstance(row, Row)] == [("2", "b"), ("4", "d")]


def test_a_row_has_at_most_ten_lines_and_twenty_are_shown() -> None:
    ten, eleven = "\n" * 9, "\n" * 10
    text = f'id,a\n1,"{ten}"\n2,"{eleven}"\n' + "3,c\n" * 30
    facts, rows = read(text.encode())
    assert rows[0] == Row(2, ("1", ten))
    assert isinstance(rows[1], BadRow)
    assert len(facts.samples) == 20


def test_a_file_full_of_open_quotes_takes_a_moment() -> None:
    _, rows = read(b"id,a\n" + b'1,"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n' * 2001, most=9999, size=65_536)
    assert len(rows) == 2001
    assert all(isinstance(row, BadRow) for row in rows)


def test_a_line_that_is_too_long_is_a_bad_row() -> None:
    long = b"x" * (3 * LONGEST_LINE)
    _, rows = read(b"id,a\n1,b\n2," + long + b"\n3,c\n", size=10_000)
    assert [row.line for row in rows] == [2, 3, 4]
    assert isinstance(rows[1], BadRow)
    assert rows[1].problem == "has more than 65,536 characters."


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "is empty"),
        (b"\n\n;;\n", "has no header"),
        (b"id,a\n\n", "has no rows under its header"),
        (b"PK\x03\x04....", "is a workbook"),
        (b"\xd0\xcf\x11\xe0....", "is an old Excel workbook"),
        (b"%PDF-1.7", "is a PDF"),
        (b"\x1f\x8b....", "is compressed"),
        (b"id,a\n1,\x81\n", "is neither UTF-8, UTF-16 nor Windows-1252"),
        (b"\xff\xfei\x00d\x00\n", "says that it is utf-16, and is not"),
        (b"\xef\xbb\xbfid\n\xff\n", "says that it is utf-8-sig, and is not"),
        (b"id,a\n1,\x00\n", "is no text"),
        (b"id,a\n" + b"1,bbbbbbbb\n" * 1000 + b"\x00\n", "is no text"),
        (b'id,"a\n1,2\n', "has a header (line 1) that cannot be read"),
        (b"id,a\n" + b"1,2\n" * 4, "has more than 3 rows"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_whole(data: bytes, problem: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        inspect(chunks_of(data, 7), 3 if "more than 3" in problem else 10_000)
    assert caught.value.field == "file"
    assert problem in caught.value.problem
    assert caught.value.remedy


def test_a_million_rows_are_refused_before_the_first_without_being_held() -> None:
    made = 0

    def source() -> Iterator[bytes]:
        nonlocal made
        yield b"id,number\n"
        for _ in range(1000):
            made += 1
            yield b"1,+491712345678\n" * 1000

    tracemalloc.start()
    with pytest.raises(InvalidInput, match="more than 20,000 rows"):
        inspect(source, 20_000)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert made >= 1000, "all of it is looked at for its encoding"
    assert peak < 2_000_000


@given(st.binary(max_size=400))
def test_whatever_bytes_come_each_row_is_good_or_bad_or_the_file_is_refused(data: bytes) -> None:
    try:
        facts, rows = read(data)
    except InvalidInput:
        return
    assert len(rows) == facts.rows
    assert [row.line for row in rows] == sorted({row.line for row in rows})
    assert all(len(row.cells) == len(facts.header) for row in rows if isinstance(row, Row))


CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00\r"), max_size=12)


@given(st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=8), st.sampled_from(";,\t|"))
def test_what_is_quoted_as_it_should_be_comes_back(rows: list[tuple[str, str]], delimiter: str) -> None:
    quoted = [delimiter.join('"{}"'.format(cell.replace('"', '""')) for cell in row) for row in rows]
    _, found = read("\n".join([f"a{delimiter}b", *quoted]).encode())
    empty = f" \t{delimiter}"
    expected = [row for row, text in zip(rows, quoted, strict=True) if text.strip(empty)]
    assert [row.cells for row in found if isinstance(row, Row)] == expected
