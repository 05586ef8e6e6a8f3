"""What every storage of outreach does: one contract, over memory and Azurite."""

from __future__ import annotations

import threading
from collections.abc import Callable

from shared.rows import Changed, MemoryRows, Row, Rows


def to(text: str | None) -> Callable[[str | None], str | None]:
    return lambda _: text


def test_nothing_is_there_before_the_first_row(rows: Rows) -> None:
    assert rows.get("people", "a", "1") is None
    assert list(rows.first("due", "", "~", 5)) == []
    assert list(rows.first("due", "", "~")) == []
    rows.put("ledger", "a", {"1": None})


def test_rows_are_written_read_and_removed(rows: Rows) -> None:
    rows.put("people", "a", {"1": "eins", "2": "zwei"})
    rows.put("people", "a", {"1": "ünö", "2": None})
    assert rows.get("people", "a", "1") == "ünö"
    assert rows.get("people", "a", "2") is None
    assert rows.get("due", "a", "1") is None


def test_a_change_sees_what_is_there_and_writes_what_changes(rows: Rows) -> None:
    rows.put("people", "a", {"1": "x", "2": "y", "3": "z"})
    planned: list[Changed] = []
    changed = rows.change(
        "people",
        "a",
        {"1": lambda text: f"{text}!", "2": to(None), "3": lambda text: text, "4": to("new"), "5": to(None)},
        planned.append,
    )
    expected = {"1": ("x", "x!"), "2": ("y", None), "3": ("z", "z"), "4": (None, "new"), "5": (None, None)}
    assert changed == expected
    assert planned == [expected]
    assert {key: rows.get("people", "a", key) for key in "12345"} == {
        "1": "x!",
        "2": None,
        "3": "z",
        "4": "new",
        "5": None,
    }
    assert rows.change("people", "a", {"1": to("one row")}) == {"1": ("x!", "one row")}
    assert rows.change("people", "b", {"1": to("first of its partition")})["1"][0] is None


def test_what_somebody_else_changed_meanwhile_is_seen(rows: Rows) -> None:
    rows.put("people", "a", {"1": "0", "2": "0"})
    meanwhile = iter(["5"])

    def before(_: Changed) -> None:
        if (text := next(meanwhile, None)) is not None:
            rows.put("people", "a", {"2": text})

    if isinstance(rows, MemoryRows):  # nobody comes between: it holds a lock
        rows.put("people", "a", {"2": next(meanwhile)})
    changed = rows.change("people", "a", {key: lambda text: str(int(text or 0) + 1) for key in "12"}, before)
    assert changed == {"1": ("0", "1"), "2": ("5", "6")}


def test_many_who_change_one_row_lose_nothing(rows: Rows) -> None:
    def count() -> None:
        for _ in range(5):
            rows.change("ledger", "a", {"1": lambda text: str(int(text or 0) + 1)})

    threads = [threading.Thread(target=count) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert rows.get("ledger", "a", "1") == "15"


def test_the_first_rows_come_by_partition_and_key(rows: Rows) -> None:
    for partition in ("c.2", "c.1", "d.0", "b.9"):
        rows.put("due", partition, {"2": partition, "1": partition})
    found = list(rows.first("due", "c.", "c/"))
    assert [(row.partition, row.key) for row in found] == [("c.1", "1"), ("c.1", "2"), ("c.2", "1"), ("c.2", "2")]
    assert list(rows.first("due", "c.", "d.1", 3))[-1] == Row("c.2", "1", "c.2")
    assert [row.partition for row in rows.first("due", "c.1", "c.2")] == ["c.1", "c.1"]
    assert [(row.partition, row.key) for row in rows.first("due", "c.", "c/", 5, "2")] == [("c.1", "1"), ("c.2", "1")]


def test_a_long_text_is_kept_whole(rows: Rows) -> None:
    text = "ä" * 100_000
    rows.put("people", "a", {"1": text})
    assert rows.get("people", "a", "1") == text
    rows.change("people", "a", {"1": to("short")})
    assert rows.get("people", "a", "1") == "short"


def test_more_rows_than_a_response_holds(rows: Rows) -> None:
    for partition in range(11):
        rows.put("due", f"c.{partition:02}", {f"{key:02}": "" for key in range(100)})
    assert len(list(rows.first("due", "c.", "c/"))) == 1100
