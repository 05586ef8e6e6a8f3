"""The people of campaigns in storage.

Some fifty people share a row, a page, by their keys: a row each would make the import of 50,000 a matter of minutes. A
campaign has 1,024 pages in 64 partitions. For each page with somebody who waits there is a row in `due`, in a partition
for each day, whose key begins with the minute in which the first of them is due: so the next are found in one query.

So that nobody who waits is lost, whoever dies, and in whatever order several write: a page always has a row that is no
later than its first. It is written before the page where somebody is due earlier than before, and after it where the
first is due later. Rows that are wrong stay until `due` finds them. It writes the right one, then touches the page, by
which a change that was planned before must be planned again, with its row; then it removes the wrong one, unless
somebody has written that anew.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from secrets import token_hex
from typing import TypeVar

from pydantic import TypeAdapter

from shared.outreach.person import Person
from shared.rows import MOST_ROWS, Change, Changed, Row, Rows

T = TypeVar("T")
How = Callable[[Person | None, T], Person | None]
"""What an item makes of a person; None, before: there is nobody, after: they are removed."""

Marks = dict[str, dict[str, str | None]]
"""Rows of `due`, by partition and key. A row's text is another each time that it is written."""

ROWS_AT_ONCE = 100
"""Rows of `due` that are read at once (our choice): of some, those who are due have been called meanwhile."""
_PAGE = TypeAdapter(list[Person])
_KEY = re.compile(r"[0-9a-f]{32}")
_BEHIND = "/"
"""The sign behind `.`: the end of all partitions that begin with a campaign's id and a dot."""
_DAY_MINUTES = 24 * 60
_NOBODY = "-"


class People:
    """The people of all campaigns."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def get(self, campaign: str, key: str) -> Person | None:
        """A person by their key (`person_key`). One round trip."""
        page = _page_of(key)
        found = _people(self._rows.get("people", _partition(campaign, page), page))
        return next((one for one in found if one.key == key), None)

    def change(self, campaign: str, key: str, how: Callable[[Person | None], Person | None]) -> Person | None:
        """Change a person by a pure function, as they are at that moment; None, before: there is nobody, after: they
        are removed. Two round trips, and one more if they become the first of their page to be due, or are no longer.

        Args:
            how: what it gave, given to it, must come back (`rows.Change`).

        Returns:
            the person as they are then.
        """
        after: Person | None = None

        def change(person: Person | None, _: None) -> Person | None:
            nonlocal after
            after = how(person)
            return after

        self.change_all(campaign, {key: None}, change)
        return after

    def change_all(self, campaign: str, items: Mapping[str, T], how: How[T]) -> None:
        """Change people, each of them whole, as `change` does one. Three round trips for each of 64 partitions at most.

        Args:
            items: by the person's key, what `how` is given beside the person.
        """
        partitions: dict[str, dict[str, dict[str, T]]] = {}
        for key, item in items.items():
            page = _page_of(key)
            partitions.setdefault(_partition(campaign, page), {}).setdefault(page, {})[key] = item
        marks: Marks = {}
        for partition, pages in partitions.items():
            changed = self._rows.change(
                "people",
                partition,
                {page: _change(of_page, how) for page, of_page in pages.items()},
                lambda planned: self._put(_marks(campaign, planned, {}, earlier=True)),
            )
            _marks(campaign, changed, marks, earlier=False)
        self._put(marks)

    def due(self, campaign: str, until: datetime, most: int) -> list[Person]:
        """People who wait and are due by then, the earliest pages first, and of a page all of them. One query, and a
        round trip for each page; more of both where rows are wrong.

        Args:
            most: pages with somebody who is due.
        """
        minute = _minute(until)
        last = _day(campaign, minute + _DAY_MINUTES)
        while True:
            found, pages, wrong = dict[str, Person](), 0, False
            for row in self._rows.first("due", f"{campaign}.", last, ROWS_AT_ONCE, f"{minute + 1:08d}"):
                told, _, page = row.key.partition(".")
                text = self._rows.get("people", _partition(campaign, page), page)
                if _first_minute(text) != int(told):
                    self._remove_wrong(campaign, page, int(told), row)
                    wrong = True
                due = {one.key: one for one in _people(text) if one.state == "waiting" and one.due <= until}
                found |= due
                pages += bool(due)
                if pages == most:
                    break
            if found or not wrong:
                return sorted(found.values(), key=lambda one: one.due)

    def next_due(self, campaign: str) -> datetime | None:
        """The minute in which the next is due who waits, or an earlier one; None: nobody waits. One query."""
        first = next(iter(self._rows.first("due", f"{campaign}.", f"{campaign}{_BEHIND}", 1)), None)
        return None if first is None else datetime.fromtimestamp(int(first.key.partition(".")[0]) * 60, UTC)

    def all(self, campaign: str) -> Iterator[Person]:
        """Everybody of a campaign, a page after the other. A round trip for a thousand pages."""
        return self._read(f"{campaign}.", f"{campaign}{_BEHIND}")

    def behind(self, campaign: str, after: str) -> Iterator[Person]:
        """People of a campaign in the order of their keys, those behind a key. Args: after: empty: from the first."""
        since = _partition(campaign, _page_of(after)) if _KEY.fullmatch(after) else f"{campaign}."
        for row in self._rows.first("people", since, f"{campaign}{_BEHIND}"):
            yield from sorted((one for one in _people(row.text) if one.key > after), key=lambda one: one.key)

    def with_number(self, number: str) -> Iterator[Person]:
        """Everybody with a number, in all campaigns: reads everything, as an erasure may."""
        return (one for one in self._read("", "~") if one.wanted.number == number)

    def remove(self, campaign: str) -> None:
        """Remove everybody of a campaign."""
        for table in ("due", "people"):
            for partition, key, _ in list(self._rows.first(table, f"{campaign}.", f"{campaign}{_BEHIND}")):
                self._rows.put(table, partition, {key: None})

    def reindex(self, campaign: str) -> None:
        """Write every page's row in `due`: before a campaign is said to be finished, and after a restore."""
        pages = self._rows.first("people", f"{campaign}.", f"{campaign}{_BEHIND}")
        for row in pages:
            self._put(_marks(campaign, {row.key: (None, row.text)}, {}, earlier=True))

    def _read(self, since: str, until: str) -> Iterator[Person]:
        return (one for row in self._rows.first("people", since, until) for one in _people(row.text))

    def _remove_wrong(self, campaign: str, page: str, told: int, row: Row) -> None:
        """Remove a row that tells of another minute than its page, unless it is right by now."""
        nonce = token_hex(8)
        changed = self._rows.change(
            "people",
            _partition(campaign, page),
            {page: partial(_touched, told, nonce)},
            lambda planned: self._put(_marks(campaign, {page: (None, planned[page][0])}, {}, earlier=True)),
        )
        if _first_minute(changed[page][1]) != told:
            self._rows.change("due", row.partition, {row.key: partial(_unless_new, row.text)})

    def _put(self, marks: Marks) -> None:
        for partition, texts in marks.items():
            left = iter(texts.items())
            while some := dict(islice(left, MOST_ROWS)):
                self._rows.put("due", partition, some)


def _marks(campaign: str, changed: Changed, marks: Marks, *, earlier: bool) -> Marks:
    """Add when pages are due, where that is earlier than before; or where it is later."""
    for page, (before, after) in changed.items():
        was, now = _first_minute(before), _first_minute(after)
        if now is not None and now != was and (was is None or now < was) is earlier:
            marks.setdefault(_day(campaign, now), {})[f"{now:08d}.{page}"] = token_hex(8)
    return marks


def _unless_new(mark: str, text: str | None) -> str | None:
    return None if text == mark else text


def _page_of(key: str) -> str:
    """The page of a person, of 1,024, by the beginning of their key."""
    return f"{int(key[:3], 16) >> 2:03x}"


def _partition(campaign: str, page: str) -> str:
    """The partition of a page: sixteen are in each."""
    return f"{campaign}.{page[:2]}"


def _day(campaign: str, minute: int) -> str:
    """The partition of what is due in a minute."""
    return f"{campaign}.{minute // _DAY_MINUTES:05d}"


# A page's text: the minute in which the first is due who waits, or `-`, behind a blank perhaps who has touched it, and
# behind a line end the people.


def _people(text: str | None) -> list[Person]:
    return _PAGE.validate_json(text.partition("\n")[2]) if text else []


def _first_minute(text: str | None) -> int | None:
    told = (text or _NOBODY).partition("\n")[0].partition(" ")[0]
    return None if told == _NOBODY else int(told)


def _text(people: Iterable[Person]) -> str | None:
    found = list(people)
    if not found:
        return None
    minutes = [_minute(one.due) for one in found if one.state == "waiting"]
    return f"{min(minutes) if minutes else _NOBODY}\n{_PAGE.dump_json(found, exclude_defaults=True).decode()}"


def _touched(told: int, nonce: str, text: str | None) -> str | None:
    """A page, touched, even where there is none yet, which somebody may be about to make. One that is due in the minute
    that is told stays as it is."""
    if _first_minute(text) == told:
        return text
    first, _, people = (text or f"{_NOBODY}\n[]").partition("\n")
    return f"{first.partition(' ')[0]} {nonce}\n{people}"


def _change(items: Mapping[str, T], how: How[T]) -> Change:
    def change(text: str | None) -> str | None:
        people = {one.key: one for one in _people(text)}
        before = dict(people)
        for key, item in items.items():
            after = how(people.get(key), item)
            if after is None:
                people.pop(key, None)
            else:
                people[key] = after
        return text if people == before else _text(people.values())

    return change


def _minute(at: datetime) -> int:
    return int(at.astimezone(UTC).timestamp()) // 60
