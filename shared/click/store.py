"""What the button keeps, over rows: sites, a ledger for each, requests by day, and by whom they were made.

partition       key
sites           name of a site            the site
ledger          name of a site            its calls of the last day, and those to come (`limits`)
day <date>      id of a request           the request
number <hash>   id of a request           nothing: it is found by the number
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date

from shared.click.limits import Entry, read_entries, without_old, written
from shared.click.request import Request, day_of
from shared.click.site import StoredSite
from shared.rows import Rows

TABLE = "click"
SITES, LEDGER, DAY, NUMBER = "sites", "ledger", "day ", "number "

Entries = tuple[Entry, ...]


class ClickStore:
    """Keeps sites, ledgers and requests. Raises as `Rows` does."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    # Sites

    def site(self, name: str) -> StoredSite | None:
        """One site. One round trip."""
        text = self._rows.get(TABLE, SITES, name)
        return StoredSite.model_validate_json(text) if text else None

    def sites(self) -> list[StoredSite]:
        """All of them, by name."""
        found = self._rows.first(TABLE, SITES, SITES + "~")
        return [StoredSite.model_validate_json(row.text) for row in found]

    def change_site(self, name: str, change: Callable[[StoredSite | None], StoredSite | None]) -> StoredSite | None:
        """Change one as it is at that moment; None removes it. What a change gave, given to it, must come back."""

        def text(was: str | None) -> str | None:
            after = change(StoredSite.model_validate_json(was) if was else None)
            return after.model_dump_json() if after else None

        after = self._rows.change(TABLE, SITES, {name: text})[name][1]
        return StoredSite.model_validate_json(after) if after else None

    # Ledgers

    def entries(self, site: str) -> Entries:
        """The calls that were granted."""
        return read_entries(self._rows.get(TABLE, LEDGER, site))

    def change_entries(self, site: str, change: Callable[[Entries], Entries]) -> Entries:
        """Change them as they are at that moment. Whatever the change raises is raised, and nothing is written."""

        def text(was: str | None) -> str | None:
            return written(change(read_entries(was)))

        return read_entries(self._rows.change(TABLE, LEDGER, {site: text})[site][1])

    def drop_entries(self, site: str) -> None:
        """The site is gone."""
        self._rows.put(TABLE, LEDGER, {site: None})

    def drop_old_entries(self, now: int) -> None:
        """Drop the lines that do not count any more. One query, and two round trips for each ledger that has some."""

        def dropped(was: str | None) -> str | None:
            kept = without_old(read_entries(was), now)
            return written(kept) if kept else None

        for row in self._rows.first(TABLE, LEDGER, LEDGER + "~"):
            if dropped(row.text) != row.text:
                self._rows.change(TABLE, LEDGER, {row.key: dropped})

    # Requests

    def request(self, request_id: str) -> Request | None:
        """One request. One round trip, none for what is no id."""
        day = day_of(request_id)
        text = self._rows.get(TABLE, DAY + day, request_id) if day else None
        return Request.model_validate_json(text) if text else None

    def add(self, request: Request) -> Request:
        """Keep a request, unless it is there: as it is there then."""
        self._rows.put(TABLE, NUMBER + request.person, {request.id: ""})
        text = self._rows.change(TABLE, DAY + request.day, {request.id: lambda was: was or request.model_dump_json()})
        return Request.model_validate_json(text[request.id][1] or "")

    def change(self, request_id: str, change: Callable[[Request], Request]) -> tuple[Request, Request] | None:
        """Change one as it is at that moment; before and after. None: there is none."""
        day = day_of(request_id)
        if day is None:
            return None

        def text(was: str | None) -> str | None:
            return change(Request.model_validate_json(was)).model_dump_json() if was else None

        before, after = self._rows.change(TABLE, DAY + day, {request_id: text})[request_id]
        if before is None or after is None:
            return None
        return Request.model_validate_json(before), Request.model_validate_json(after)

    def of_day(self, day: str) -> Iterable[Request]:
        """The requests of a UTC day, the oldest first."""
        for row in self._rows.first(TABLE, DAY + day, DAY + day + "~"):
            yield Request.model_validate_json(row.text)

    # People, and what is old

    def of_number(self, hashes: Iterable[str]) -> list[Request]:
        """The requests for a number, by its hashes."""
        found = (self.request(request_id) for _, request_id in self._of_number(hashes))
        return [request for request in found if request is not None]

    def erase(self, hashes: Iterable[str]) -> int:
        """Remove the requests for a number; how many."""
        found = list(self._of_number(hashes))
        for partition, request_id in found:
            self._remove(request_id, DAY + (day_of(request_id) or ""), partition)
        return len(found)

    def remove_before(self, day: date, most: int) -> int:
        """Remove the requests from before a day, so many at most; how many. One query where there is none."""
        old = list(self._rows.first(TABLE, DAY, DAY + day.isoformat(), most))
        for row in old:
            self._remove(row.key, NUMBER + Request.model_validate_json(row.text).person, row.partition)
        return len(old)

    def _remove(self, request_id: str, first: str, last: str) -> None:
        """The row by which it was found goes last, so that what was interrupted is found again."""
        self._rows.put(TABLE, first, {request_id: None})
        self._rows.put(TABLE, last, {request_id: None})

    def _of_number(self, hashes: Iterable[str]) -> Iterable[tuple[str, str]]:
        for one in hashes:
            for row in self._rows.first(TABLE, NUMBER + one, NUMBER + one + "~"):
                yield row.partition, row.key
