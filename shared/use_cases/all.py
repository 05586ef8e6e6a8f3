"""All use cases together, each made when it is needed first."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from shared.calls.record import CallRecord
from shared.errors import InvalidInput, SettingsError
from shared.identifiers import Identifier
from shared.logs import logger
from shared.use_cases.base import Agenda, Erased, Task, UseCase

log = logger("switchboard.use_cases")


class UseCases:
    """Gives work, times and ends of calls to the use case that they belong to.

    Args:
        cases: how each is got, by name.
        use_of: the use of a flow, by the flow's name: a use case, or something else.
    """

    def __init__(
        self,
        cases: Mapping[str, Callable[[], UseCase]],
        agenda: Agenda,
        use_of: Callable[[str], str],
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._cases = cases
        self._agenda = agenda
        self._use_of = use_of
        self._clock = clock

    def work(self, body: bytes) -> str:
        """Do what a message of the queue says. InvalidInput for one that nobody can do."""
        task = Task.read(body)
        return f"{task.use} {task.what} {self._case(task.use).work(task)}"

    def tick(self) -> int:
        """Look at the agenda; how much was due. One round trip where nothing is. What fails stays on it."""
        due = self._agenda.due(self._clock())
        for use, item, key in due:
            try:
                self._case(use).due(item)
            except Exception as error:
                log.error("still on the agenda: %s %s: %s", use, item, type(error).__name__)
                continue
            self._agenda.done(key)
        return len(due)

    def concerns(self, record: CallRecord) -> bool:
        """Whether a call is one of a use case."""
        return self._use_of(record.flow) in self._cases

    def closing(self, record: CallRecord) -> None:
        """Tell of a call that is over; it concerns a use case."""
        self._cases[self._use_of(record.flow)]().closing(record)

    def may_place(self, record: CallRecord) -> bool:
        """Whether somebody may still be called, where a call is one of a use case."""
        return not self.concerns(record) or self._cases[self._use_of(record.flow)]().may_place(record)

    def export(self, number: Identifier) -> dict[str, Mapping[str, Any]]:
        """What each keeps of a number, by its name; those that keep nothing are left out."""
        found = {name: case.export(number) for name, case in self._made()}
        return {name: kept for name, kept in found.items() if kept}

    def erase(self, number: Identifier) -> dict[str, Erased]:
        """Erase what each keeps of a number, by its name; those that kept nothing are left out. One that lacks a
        setting was not looked through, and says so."""
        lacking: dict[str, Erased] = {}
        found = {name: case.erase(number) for name, case in self._made(lacking)} | lacking
        return {name: erased for name, erased in found.items() if erased != Erased()}

    def expire(self) -> int:
        """Have each remove what has been kept for long enough; how many things. One that fails keeps nobody back."""
        removed = 0
        for name, case in self._made():
            try:
                removed += case.expire(self._clock())
            except Exception as error:
                log.error("not removed of %s: %s", name, type(error).__name__)
        return removed

    def _made(self, lacking: dict[str, Erased] | None = None) -> Iterator[tuple[str, UseCase]]:
        """Each of them, put together; not those that lack a setting, which are noted."""
        for name, case in self._each().items():
            try:
                made = case()
            except SettingsError as error:
                if lacking is not None:
                    lacking[name] = Erased(0, f"nothing was looked for: {error}")
                continue
            yield name, made

    def _each(self) -> dict[str, Callable[[], UseCase]]:
        """Each of them once: some have two names."""
        once = {id(case): (name, case) for name, case in reversed(list(self._cases.items()))}
        return dict(sorted(once.values()))

    def _case(self, use: str) -> UseCase:
        if use not in self._cases:
            raise InvalidInput("message", f"{use[:40]!r} is no use case.", f"Known: {', '.join(self._cases)}.")
        return self._cases[use]()
