"""The head of a call: the marks by which a writer knows its own write."""

from __future__ import annotations

from shared.calls.record import CallRecord


def test_a_write_is_known_by_its_mark_until_eight_have_been_made() -> None:
    record = CallRecord("call-1")
    marks = [record.mark() for _ in range(8)]
    assert record.marks == marks
    assert all(record.holds(mark) for mark in marks)
    newest = record.mark()
    assert record.marks == [*marks[1:], newest]
    assert not record.holds(marks[0])
    assert record.holds(marks[1])


def test_only_the_last_mark_says_that_nobody_has_written_since() -> None:
    record = CallRecord("call-1")
    first = record.mark()
    assert record.holds(first, newest=True)
    second = record.mark()
    assert not record.holds(first, newest=True)
    assert record.holds(second, newest=True)


def test_marks_of_two_writers_differ_and_those_before_are_left_alone() -> None:
    one, other = CallRecord("call-1"), CallRecord("call-1")
    mine = one.mark()
    assert not other.holds(mine)
    assert len(mine) == 8
    assert int(mine, 16) >= 0
    assert other.mark() != mine
    before = one.marks
    one.mark()
    assert before == [mine], "another record may share the list"
