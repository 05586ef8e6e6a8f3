"""CSV files as people send them: whatever their encoding and delimiter, read as a stream, never whole.

A file is opened twice: once to find out how it is written and how many rows it has, so that one that cannot be read is
refused before its first row; then for its rows. A row that cannot be read is named by its line, and the next goes on.
"""

from __future__ import annotations

import io
import re
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

from shared.errors import InvalidInput

Source = Callable[[], Iterator[bytes]]
"""Opens the file anew: its bytes in chunks of any size."""

DELIMITERS = (";", ",", "\t", "|")
LONGEST_LINE = 65_536
"""Characters of a line, and of a row of several lines (our choice)."""
MOST_LINES = 10
"""Lines of one row, that is of its cells in quotes (our choice): after so many, a quote was never closed."""
SAMPLES = 20
"""Rows that are shown before the import."""

_NOT_TEXT = {
    b"PK\x03\x04": "is a workbook or another packed file.",
    b"\xd0\xcf\x11\xe0": "is an old Excel workbook.",
    b"%PDF": "is a PDF.",
    b"\x1f\x8b": "is compressed.",
}
_BOMS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
_EXPORT = "Save it as CSV (UTF-8) and send that."


@dataclass(frozen=True, slots=True)
class Row:
    """A row that could be read: its first line, from 1, and as many cells as the header has."""

    line: int
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that could not, with what is wrong and what to do."""

    line: int
    problem: str
    remedy: str


@dataclass(frozen=True, slots=True)
class FileFacts:
    """How a file is written.

    Attributes:
        rows: the rows under the header, bad ones too.
        samples: the first rows that could be read.
    """

    encoding: str
    delimiter: str
    header: tuple[str, ...]
    rows: int
    samples: tuple[Row, ...]


def inspect(source: Source, most_rows: int) -> FileFacts:
    """Find out how a file is written; InvalidInput if it cannot be read, has no rows, or more than `most_rows`."""
    encoding = _encoding(source)
    lines = _Lines(source, encoding)
    delimiter, header = _header(lines)
    rows, samples = 0, list[Row]()
    for row in _rows(lines, delimiter, len(header)):
        rows += 1
        if rows > most_rows:
            raise _refused(f"has more than {most_rows:,} rows.", "Split it (OUTREACH_MAX_RECIPIENTS says how many).")
        if isinstance(row, Row) and len(samples) < SAMPLES:
            samples.append(row)
    if not rows:
        raise _refused("has no rows under its header.", "Send a file with one person a row.")
    return FileFacts(encoding, delimiter, header, rows, tuple(samples))


def rows_of(source: Source, facts: FileFacts) -> Iterator[Row | BadRow]:
    """Every row under the header, in the order of the file."""
    lines = _Lines(source, facts.encoding)
    delimiter, header = _header(lines)
    return _rows(lines, delimiter, len(header))


def _refused(problem: str, remedy: str = _EXPORT) -> InvalidInput:
    return InvalidInput("file", problem, remedy)


def _encoding(source: Source) -> str:
    """UTF-8 or UTF-16, with or without a mark; else Windows-1252, which is Latin-1 but for its gaps."""
    chunks = source()
    head = b""
    while len(head) < 4096 and (chunk := next(chunks, None)) is not None:
        head += chunk
    if not head:
        raise _refused("is empty.")
    for begin, problem in _NOT_TEXT.items():
        if head.startswith(begin):
            raise _refused(problem)
    encoding = next((name for bom, name in _BOMS.items() if head.startswith(bom)), _utf_16_without_mark(head))
    if encoding:
        return encoding if _decodes(source, encoding) else _raise(f"says that it is {encoding}, and is not.")
    if b"\x00" in head:
        raise _refused("is no text.")
    for name in ("utf-8", "cp1252"):
        if _decodes(source, name):
            return name
    return _raise("is neither UTF-8, UTF-16 nor Windows-1252 (Latin-1).")


def _raise(problem: str) -> str:
    raise _refused(problem)


def _utf_16_without_mark(head: bytes) -> str:
    half = len(head) // 2
    if half and head[1::2].count(0) > half * 0.4:
        return "utf-16-le"
    return "utf-16-be" if half and head[0::2].count(0) > half * 0.4 else ""


def _decodes(source: Source, encoding: str) -> bool:
    text = _text(source, encoding)
    try:
        while piece := text.read(LONGEST_LINE):
            if "\x00" in piece:
                raise _refused("is no text: it has NUL characters.")
    except UnicodeError:
        return False
    return True


class _Chunks(io.RawIOBase):
    """Chunks as a file of bytes."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._left = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        while not self._left:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._left = memoryview(chunk)
        count = min(len(buffer), len(self._left))
        buffer[:count] = self._left[:count]
        self._left = self._left[count:]
        return count


def _text(source: Source, encoding: str) -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BufferedReader(_Chunks(source()), LONGEST_LINE), encoding=encoding)


class _Lines:
    """The lines of a file with their numbers; some can be given back."""

    def __init__(self, source: Source, encoding: str) -> None:
        self._text = _text(source, encoding)
        self._number = 0
        self._given_back: deque[tuple[int, str]] = deque()

    def take(self) -> tuple[int, str] | None:
        """The next line, without its end; of a longer one than may be, that much. None: there are no more."""
        if self._given_back:
            return self._given_back.popleft()
        line = self._text.readline(LONGEST_LINE + 1)
        if not line:
            return None
        self._number += 1
        rest = line
        while len(line) > LONGEST_LINE and not rest.endswith("\n"):
            rest = self._text.readline(LONGEST_LINE + 1)
            if not rest:
                break
        return self._number, line.removesuffix("\n")

    def give_back(self, lines: list[tuple[int, str]]) -> None:
        self._given_back.extendleft(reversed(lines))


def _header(lines: _Lines) -> tuple[str, tuple[str, ...]]:
    """The delimiter and the names of the columns."""
    said = ""
    while (taken := lines.take()) is not None:
        line, text = taken
        if text.lower().startswith("sep=") and len(text) == 5:  # what Excel writes for itself
            said = text[-1]
            continue
        if not text.strip(" \t" + "".join(DELIMITERS)):
            continue
        outside = re.sub(r'"[^"]*"', "", text)
        delimiter = said or max(DELIMITERS, key=outside.count)
        found = _record(lines, line, text, delimiter)
        if isinstance(found, BadRow):
            raise _refused(f"has a header (line {line}) that cannot be read: it {found.problem}", found.remedy)
        return delimiter, tuple(cell.strip() for cell in found[0])
    raise _refused("has no header.", "Write the names of the columns into the first line.")


def _rows(lines: _Lines, delimiter: str, width: int) -> Iterator[Row | BadRow]:
    empty = " \t" + delimiter
    while (taken := lines.take()) is not None:
        line, text = taken
        if not text.strip(empty):
            continue
        found = _record(lines, line, text, delimiter)
        if isinstance(found, BadRow):
            yield found
            continue
        cells, more = found
        while len(cells) > width and not cells[-1].strip():
            cells.pop()  # what a spreadsheet adds behind the last column
        if len(cells) == width:
            yield Row(line, tuple(cells))
        else:
            lines.give_back(more)
            problem = f"has {len(cells)} cells where the header has {width}."
            yield BadRow(line, problem, f"Put cells that hold {delimiter!r} or a line end into quotes.")


Lines = list[tuple[int, str]]


def _record(lines: _Lines, line: int, text: str, delimiter: str) -> tuple[list[str], Lines] | BadRow:
    """The cells of a row, and the lines that it took beyond its first; those of a bad one are given back."""
    if len(text) > LONGEST_LINE:
        return BadRow(line, f"has more than {LONGEST_LINE:,} characters.", "Look for a missing line end.")
    if '"' not in text:
        return text.split(delimiter), []
    more: Lines = []
    while True:
        cells = _quoted_cells(text, delimiter)
        if isinstance(cells, list):
            return cells, more
        taken = lines.take() if cells == "open" and len(more) < MOST_LINES - 1 else None
        if taken is None:
            lines.give_back(more)
            return BadRow(line, "has a quotation mark that is not closed, or text beside one.", _QUOTES)
        more.append(taken)
        text = f"{text}\n{taken[1]}"
        if len(text) > LONGEST_LINE:
            lines.give_back(more)
            return BadRow(line, "has a quotation mark that is not closed, or text beside one.", _QUOTES)


_QUOTES = 'Write a quotation mark within a cell twice, and the cell in quotes: "5"" pipe".'


def _quoted_cells(text: str, delimiter: str) -> list[str] | str:
    """The cells of a row; `open` if a quote is not closed yet, `broken` if no more text can help."""
    cells, at = list[str](), 0
    cell, opened = _patterns(delimiter)
    while True:
        found = cell.match(text, at)
        if found is None:
            return "open" if opened.match(text, at) else "broken"
        quoted = found[1]
        cells.append(found[2] if quoted is None else quoted.replace('""', '"'))
        at = found.end()
        if at == len(text):
            return cells
        at += 1


def _patterns(delimiter: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    edge = re.escape(delimiter)
    quoted = r'[ ]*"((?>[^"]*)(?>""[^"]*)*)"[ ]*'
    return (
        re.compile(rf'(?:{quoted}|([^"{edge}\n]*))(?={edge}|\Z)'),
        re.compile(r'[ ]*"(?>[^"]*)(?>""[^"]*)*\Z'),
    )


def chunks_of(data: bytes, size: int = 65_536) -> Source:
    """A source over bytes that are in memory already, such as a request's body."""

    def opened() -> Iterator[bytes]:
        pieces = iter(range(0, len(data), size))
        return (data[at : at + size] for at in islice(pieces, None))

    return opened
