"""What a spreadsheet does to cells on their way into a file, called by its name; and cells that it will not run."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

_SCIENTIFIC = re.compile(r"[+-]?\d+([.,]\d+)?[eE][+-]?\d+")
_DECIMAL = re.compile(r"\d{5,}[.,]0+")
_ERROR = re.compile(r"#(N/?A|REF!|VALUE!|NAME\?|DIV/0!|NUM!|NULL!|NV|WERT!|BEZUG!|SPILL!|CALC!)", re.IGNORECASE)
_TOO_NARROW = re.compile(r"#{3,}")
_QUOTED_TEXT = re.compile(r'="([^"]*)"')
_AS_TEXT = "Format the column as text in the spreadsheet, type the value again and export again."

RUNS = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What a cell begins with that a spreadsheet may run as a formula (OWASP, CSV injection)."""
_E164 = re.compile(r"\+[1-9][0-9]{1,14}")


def unwrapped(text: str) -> str:
    """A cell without the `="…"` by which some exports keep a spreadsheet from changing it."""
    found = _QUOTED_TEXT.fullmatch(text.strip())
    return found[1] if found else text


def damage(text: str, *, digits: bool = True) -> tuple[str, str] | None:
    """What a spreadsheet did to a cell, and what to do; None: nothing that can be seen.

    Args:
        digits: the cell holds digits that are no amount, such as a number or a key.
    """
    cell = text.strip()
    if digits and _SCIENTIFIC.fullmatch(cell):
        return "was shortened by a spreadsheet (such as 4.91712E+11): its last digits are lost.", _AS_TEXT
    if digits and _DECIMAL.fullmatch(cell):
        return "was made a decimal number by a spreadsheet: what stood before its digits is lost.", _AS_TEXT
    if _ERROR.fullmatch(cell):
        return "is an error of the spreadsheet, not a value.", "Mend the formula and export again."
    if _TOO_NARROW.fullmatch(cell):
        return "was shown as ### by a spreadsheet whose column was too narrow.", "Widen the column and export again."
    if cell.startswith("="):
        return "is a formula, not a value.", "Export values instead of formulas."
    return None


def safe_cell(value: str) -> str:
    """A cell that no spreadsheet runs: an apostrophe before what could be a formula, but not before an E.164 number."""
    return f"'{value}" if value.startswith(RUNS) and not _E164.fullmatch(value) else value


def outgoing_csv(header: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    """The lines of a CSV file for people, each with its line end: commas, quotes where they are needed, and at the
    start the mark by which spreadsheets know UTF-8."""
    yield "\ufeff" + _line(header)
    yield from map(_line, rows)


def _line(cells: Iterable[str]) -> str:
    return ",".join(map(_quoted, cells)) + "\r\n"


def _quoted(value: str) -> str:
    cell = safe_cell(value.replace("\x00", ""))
    return '"{}"'.format(cell.replace('"', '""')) if re.search(r'[",\r\n]|^\s|\s$', cell) else cell
