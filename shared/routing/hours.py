"""Reading the `hours` of a rule: days, times of day, holidays, a time zone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from shared.routing.decisions import DAY_MINUTES, Hours
from shared.yaml_nodes import Nodes, Stop
from shared.yaml_text import did_you_mean

if TYPE_CHECKING:
    from yaml.nodes import Node

_HOURS_KEYS = ("days", "between", "holidays", "zone")
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_FULL_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_INTERVAL = re.compile(r"(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})")


class HourNodes(Nodes):
    """Reads hours, noting everything that is wrong with them."""

    def _hours(self, node: Node, path: str) -> Hours:
        entries = self._mapping(node, path, _HOURS_KEYS)
        if not entries.keys() & {"days", "between", "holidays"}:
            self._wrong(node, path, "holds at all times.", "Give days, between or holidays.")
        if "zone" not in entries:
            self._wrong(node, f"{path}.zone", "is missing.", "Give a name such as Europe/Berlin, or UTC.")
        before = len(self._problems)
        days = frozenset(range(7))
        intervals: tuple[tuple[int, int], ...] = ((0, DAY_MINUTES),)
        holidays: frozenset[date] = frozenset()
        zone: ZoneInfo | None = None
        for key, value in entries.items():
            try:
                if key == "days":
                    days = self._days(value, f"{path}.days")
                elif key == "between":
                    intervals = tuple(self._intervals(value, f"{path}.between"))
                elif key == "holidays":
                    holidays = frozenset(self._dates(value, f"{path}.holidays"))
                else:
                    zone = self._zone(value, f"{path}.zone")
            except Stop:
                continue
        if len(self._problems) > before or zone is None:
            raise Stop
        return Hours(days, intervals, holidays, zone)

    def _days(self, node: Node, path: str) -> frozenset[int]:
        days: set[int] = set()
        for item, item_path, text in self._listed(node, path):
            first, dash, last = (part.strip() for part in text.partition("-"))
            start = self._day(item, item_path, first)
            end = self._day(item, item_path, last) if dash else start
            days.update((start + offset) % 7 for offset in range((end - start) % 7 + 1))
        return frozenset(days)

    def _day(self, node: Node, path: str, text: str) -> int:
        word = text.lower()
        names = _FULL_DAYS if word in _FULL_DAYS else _DAYS
        if word not in names:
            hint = did_you_mean(word, (*_DAYS, *_FULL_DAYS)) or "Write mon, or mon-fri."
            self._wrong(node, path, f"{text!r} is no day.", hint)
        return names.index(word)

    def _intervals(self, node: Node, path: str) -> Iterator[tuple[int, int]]:
        for item, item_path, text in self._listed(node, path):
            match = _INTERVAL.fullmatch(text)
            if match is None:
                self._wrong(item, item_path, f"{text!r} is no interval.", "Write 09:00-17:30.")
            start, end = (self._minute(item, item_path, *match.group(at, at + 1)) for at in (1, 3))
            if start in (end, DAY_MINUTES):
                self._wrong(item, item_path, f"{text!r} is empty.", "Write 00:00-24:00 for the whole day.")
            # An end at 00:00 is the end of the day that the interval starts on.
            yield start, end or DAY_MINUTES

    def _minute(self, node: Node, path: str, hour: str, minute: str) -> int:
        value = int(hour) * 60 + int(minute)
        if int(minute) > 59 or value > DAY_MINUTES:
            self._wrong(node, path, f"{hour}:{minute} is no time of day.", "Write 00:00 to 24:00.")
        return value

    def _dates(self, node: Node, path: str) -> Iterator[date]:
        for item, item_path, text in self._listed(node, path):
            try:
                if not re.fullmatch(r"\d{4}-\d\d-\d\d", text):
                    raise ValueError
                yield date.fromisoformat(text)
            except ValueError:
                self._wrong(item, item_path, f"{text!r} is no date.", "Write 2026-12-25.")

    def _zone(self, node: Node, path: str) -> ZoneInfo:
        text = self._text(node, path)
        try:
            return ZoneInfo(text)
        except (KeyError, ValueError, OSError):  # OSError: `Europe` is a folder of the database
            from zoneinfo import available_timezones

            hint = did_you_mean(text, available_timezones()) or "Give a name such as Europe/Berlin, or UTC."
            self._wrong(node, path, f"{text!r} is no time zone.", hint)
