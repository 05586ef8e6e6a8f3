"""The list of calls: filters that read no more than they may, and CSV that is no formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

import pytest

from shared.calls.store.base import Listed
from shared.errors import InvalidInput
from shared.web.console.call_list import MOST_LOOKED_AT, PAGE, Filter, as_csv, page_of, rows_of

DAY = "2026-11-28"
AT = 1795860123000


def row(number: int = 0, **given: Any) -> Listed:
    values = {
        "status": "ended",
        "flow": "reception",
        "direction": "inbound",
        "caller": "4:+14255550123",
        "callee": "4:+18005550199",
        "outcome": "completed",
        **given,
    }
    return Listed(call_id=f"c{number}", day=DAY, started_at=AT - number, **values)


class Read:
    """Rows, and how many of them were taken."""

    def __init__(self, count: int, **given: str) -> None:
        self.taken = 0
        self._count, self._given = count, given

    def __iter__(self) -> Iterator[Listed]:
        for number in range(self._count):
            self.taken += 1
            yield row(number, **self._given)


def test_an_unfiltered_page_reads_one_row_more_than_it_shows() -> None:
    rows = Read(100_000)
    page = page_of(rows, Filter(DAY))
    assert (len(page.rows), rows.taken, page.after) == (50, 51, row(49).position)
    assert page.looked_at == 0


def test_a_last_page_has_no_next() -> None:
    assert page_of(Read(PAGE), Filter(DAY)).after == ""


def test_a_filter_looks_at_5000_rows_at_most_and_can_be_gone_on_with() -> None:
    rows = Read(100_000)
    page = page_of(rows, Filter(DAY, flow="pizza"))
    assert (page.rows, rows.taken, page.looked_at, page.after) == ([], 5000, 5000, row(4999).position)
    assert MOST_LOOKED_AT == 5000


def test_a_filter_that_reads_a_day_to_its_end_has_no_next() -> None:
    page = page_of(Read(120), Filter(DAY, flow="pizza"))
    assert (page.rows, page.after, page.looked_at) == ([], "", 0)


@pytest.mark.parametrize(
    ("wanted", "takes"),
    [
        (Filter(DAY, flow="reception"), True),
        (Filter(DAY, flow="pizza"), False),
        (Filter(DAY, ended="completed"), True),
        (Filter(DAY, ended="ended"), True),
        (Filter(DAY, ended="failed"), False),
        (Filter(DAY, result="sales"), True),
        (Filter(DAY, result="sale"), False),
        (Filter(DAY, flow="reception", ended="completed", result="sales"), True),
        (Filter(DAY, flow="reception", ended="failed", result="sales"), False),
    ],
)
def test_all_parts_of_a_filter_must_fit(wanted: Filter, takes: bool) -> None:
    assert wanted.takes(row(result="sales")) is takes


def test_a_filter_is_read_from_a_query_and_written_into_one() -> None:
    wanted = Filter.of({"day": DAY, "flow": "a&b", "ended": "", "more": "x"})
    assert wanted == Filter(DAY, "a&b")
    assert wanted.query(after="p q") == "day=2026-11-28&flow=a%26b&after=p+q"
    with pytest.raises(InvalidInput, match="day"):
        Filter.of({"day": "yesterday"})


def test_a_row_hides_the_other_side_and_no_number_of_ours() -> None:
    inbound, outbound = rows_of(
        [row(result="call +14255550123"), row(direction="outbound", caller="4:+18005550199", callee="4:+14255550123")],
        {"reception": "Front desk"},
        shown=False,
    )
    assert (inbound.flow, inbound.from_, inbound.to) == ("Front desk", "+1 ••• 23", "+18005550199")
    assert (outbound.from_, outbound.to) == ("+18005550199", "+1 ••• 23")
    assert inbound.result == "call +1 ••• 23"
    assert (inbound.time, inbound.ended, inbound.live) == ("10:02:03", "completed", False)
    assert rows_of([row(status="connected", outcome="")], {}, shown=False)[0].ended == "on the line"


HOSTILE = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", '"; DROP', "a\nb", "+14255550123\n=1", "=HYPERLINK(1)"]


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("field", ["flow", "result", "caller", "callee", "outcome"])
@pytest.mark.parametrize("shown", [True, False])
def test_no_cell_but_a_number_begins_like_a_formula(text: str, field: str, shown: bool) -> None:
    given: dict[str, Any] = {field: text}
    table = list(csv.reader(io.StringIO(as_csv([row(**given)], shown=shown))))
    assert len(table) == 2
    for cell in table[1]:
        assert not cell.startswith(("=", "-", "@", "\t", "\r")), cell
        assert not cell.startswith("+") or (shown and cell[1:].isdigit() and len(cell) > 7), cell


def test_csv_has_numbers_only_where_they_are_asked_for() -> None:
    assert as_csv([row()], shown=True).splitlines()[1] == (
        "c0,2026-11-28 10:02:03Z,reception,inbound,+14255550123,+18005550199,ended,completed,"
    )
    assert as_csv([row()], shown=False).splitlines()[1] == (
        "c0,2026-11-28 10:02:03Z,reception,inbound,1 ••• 23,1 ••• 99,ended,completed,"
    )
