"""The people of campaigns in storage.

Some two dozen people share a row, a page, by their keys: a row each would make the import of 50,000 a matter of
minutes. 2,048 pages lie in 256 partitions, eight in each. For each page with somebody who waits there is a row in
`due`, whose partition begins with the minute in which the first of them is due: so the next are found in one query.

That row is written before the page where somebody is due earlier than before, and once more after it. Rows that are too
early stay, until `due` finds them and nobody has written them anew since.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from typing import TypeVar

from pydantic import TypeAdapter

from shared.outreach.person import Person
from shared.outreach.rows import Change, Changed, Rows

T = TypeVar("T")
How = Callable[[Person | None, T], Person | None]
"""What an item makes of a person; None, before: there is nobody, after: they are removed."""

_PAGE = TypeAdapter(list[Person])
_BEHIND = "/"
"""The sign behind `.`: the end of all partitions that begin with a campaign's id and a dot."""


class People:
    """The people of all campaigns."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def get(self, campaign: str, key: str) -> Person | None:
        """A person by their key (`person_key`). One round trip."""
        partition, page = _place(campaign, key)
        found = _people(self._rows.get("people", partition, page))
        return next((one for one in found if one.key == key), None)

    def change(self, campaign: str, items: Mapping[str, T], how: How[T]) -> dict[str, Person]:
        """Change people by a pure function, as they are at that moment, each of them whole. Two round trips for people
        of one page, and more where somebody is due earlier or later than anybody else of their page.

        Args:
            items: by the person's key, what `how` is given beside the person.
            how: see `rows.Change`: what it gave, given to it, must come back.

        Returns:
            the people as they are then, without those who are removed.
        """
        places: dict[str, dict[str, dict[str, T]]] = {}
        for key, item in items.items():
            partition, page = _place(campaign, key)
            places.setdefault(partition, {}).setdefault(page, {})[key] = item
        after: dict[str, Person] = {}
        for partition, pages in places.items():
            changed = self._rows.change(
                "people",
                partition,
                {page: _change(of_page, how) for page, of_page in pages.items()},
                lambda planned: self._index(campaign, planned, ahead=True),
            )
            self._index(campaign, changed)
            for page, (_, text) in changed.items():
                after |= {one.key: one for one in _people(text) if one.key in pages[page]}
        return after

    def due(self, campaign: str, until: datetime, most: int) -> list[Person]:
        """People who wait and are due by then, the earliest pages first, and of a page all of them. One query, and a
        round trip for each page.

        Args:
            most: pages that are looked at.
        """
        found: dict[str, Person] = {}
        last = f"{campaign}.{_minute(until) + 1:08d}"
        for partition, page, mark in self._rows.first("due", f"{campaign}.", last, most):
            text = self._rows.get("people", _place(campaign, page)[0], page)
            people = _people(text)
            if _first_minute(people) != int(partition.split(".")[1]):
                self._index(campaign, {page: (None, text)})
                self._rows.change("due", partition, {page: partial(_unless_new, mark)})
            found |= {one.key: one for one in people if one.state == "waiting" and one.due <= until}
        return sorted(found.values(), key=lambda one: one.due)

    def all(self, campaign: str) -> Iterator[Person]:
        """Everybody of a campaign, a page after the other. A round trip for a thousand pages."""
        return self._read(f"{campaign}.", f"{campaign}{_BEHIND}")

    def with_number(self, number: str) -> Iterator[Person]:
        """Everybody with a number, in all campaigns: reads everything, as an erasure may."""
        return (one for one in self._read("", "~") if one.wanted.number == number)

    def remove(self, campaign: str) -> None:
        """Remove everybody of a campaign."""
        for table in ("due", "people"):
            for partition, key, _ in list(self._rows.first(table, f"{campaign}.", f"{campaign}{_BEHIND}")):
                self._rows.put(table, partition, {key: None})

    def _read(self, since: str, until: str) -> Iterator[Person]:
        return (one for row in self._rows.first("people", since, until) for one in _people(row.text))

    def reindex(self, campaign: str) -> None:
        """Write every page's row in `due`: before a campaign is said to be finished, and after a restore."""
        for row in self._rows.first("people", f"{campaign}.", f"{campaign}{_BEHIND}"):
            self._index(campaign, {row.key: (None, row.text)})

    def _index(self, campaign: str, changed: Changed, *, ahead: bool = False) -> None:
        """Write when pages are due, where that has changed; `ahead`: only where it is earlier."""
        marks: dict[str, dict[str, str | None]] = {}
        for page, (before, after) in changed.items():
            was, now = _first_minute(_people(before)), _first_minute(_people(after))
            if now is None or now == was or (ahead and was is not None and was < now):
                continue
            partition = f"{campaign}.{now:08d}.{page[:2]}"
            marks.setdefault(partition, {})[page] = sha256((after or "").encode()).hexdigest()[:16]
        for partition, texts in marks.items():
            self._rows.put("due", partition, texts)


def _unless_new(mark: str, text: str | None) -> str | None:
    return None if text == mark else text


def _place(campaign: str, key: str) -> tuple[str, str]:
    """The partition and the page of a person, by the beginning of their key; of a page, by its own."""
    return f"{campaign}.{key[:2]}", f"{key[:2]}{int(key[2], 16) & ~1:x}"


def _people(text: str | None) -> list[Person]:
    return _PAGE.validate_json(text) if text else []


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


def _text(people: Iterable[Person]) -> str | None:
    found = list(people)
    return _PAGE.dump_json(found, exclude_defaults=True).decode() if found else None


def _minute(at: datetime) -> int:
    return int(at.astimezone(UTC).timestamp()) // 60


def _first_minute(people: Iterable[Person]) -> int | None:
    """The minute in which the first is due who waits."""
    return min((_minute(one.due) for one in people if one.state == "waiting"), default=None)
