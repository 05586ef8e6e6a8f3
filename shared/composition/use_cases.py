"""Where the use cases meet their Azure implementations: each is put together at its first request."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from shared.azure.partition_rows import TableRows
from shared.azure.queues import StorageTaskQueue
from shared.calls.conductor import Conductor
from shared.calls.flow import Flow, flow_of
from shared.calls.uses import CALLS
from shared.composition.once import Once
from shared.errors import SettingsError
from shared.lines.calendars import Calendar
from shared.lines.reading import Lines
from shared.lines.shared_calendars import SharedCalendars
from shared.privacy import NumberHashes
from shared.rows import Rows
from shared.settings import Settings
from shared.use_cases.all import UseCases
from shared.use_cases.base import AGENDA, Agenda, Queue, UseCase
from shared.use_cases.services import provide

if TYPE_CHECKING:
    from shared.brakes.brakes import AppBrakes

_KEY = "Make one with: openssl rand -base64 32"


class Parts:
    """What every use case is made of.

    Args:
        rows: for tests; None: those of the storage.
        conductor: places calls.
        brakes: which numbers may be called; beside their rows stand the calendars.
    """

    def __init__(
        self,
        settings: Settings,
        flows: Mapping[str, Flow],
        rows: Rows | None,
        queue: Queue | None,
        conductor: Conductor,
        brakes: AppBrakes,
        lines: Lines,
    ) -> None:
        self.settings = settings
        self.flows = flows
        self.conductor = conductor
        self.brakes = brakes
        self.lines = lines
        self.queue = queue or StorageTaskQueue(settings.storage_account, settings.store_prefix)
        self._rows = rows
        self.agenda = Agenda(self.rows(agenda_tables(settings.store_prefix)))

    def rows(self, names: Mapping[str, str]) -> Rows:
        """Rows in tables of these names."""
        return self._rows or TableRows(self.settings.storage_account, names)

    def calendars(self) -> Mapping[str, Calendar]:
        """The named calendars, by the storage. One round trip."""
        shared = SharedCalendars()
        shared.take_over(self.brakes.rows.read())
        return shared.known

    def place(self, flow: str, data: Mapping[str, Any], key: str) -> None:
        """Place a call by a flow that opens it itself; the same key places it once."""
        self.conductor.place(flow, None, data=data, key=key)

    def hashes(self) -> NumberHashes:
        """By which numbers are found. SettingsError without a key."""
        if not self.settings.number_hash_key:
            raise SettingsError("NUMBER_HASH_KEY", "is missing: people are found by hashes under it.", _KEY)
        return NumberHashes(self.settings.number_hash_key, self.settings.number_hash_key_previous)


def agenda_tables(prefix: str) -> dict[str, str]:
    """The table of the agenda."""
    return {AGENDA: f"{prefix}agenda"}


def outreach_tables(prefix: str) -> dict[str, str]:
    """The tables of campaigns and reminders."""
    return {"people": f"{prefix}outpeople", "due": f"{prefix}outdue", "ledger": f"{prefix}outledger"}


Case = tuple[tuple[str, ...], Callable[[Parts], UseCase]]
"""The names of a use case, as flows have them (`shared.calls.uses`), and how it is made."""



def _click(parts: Parts) -> UseCase:
    from shared.composition.click import compose_click

    return compose_click(parts)


def _order(parts: Parts) -> UseCase:
    from shared.composition.order import compose_order

    return compose_order(parts)


CASES: Sequence[Case] = ((("click",), _click), (("order",), _order))
"""Every use case. A new one: a line here, a module `shared/composition/<use>.py`, imported by its function alone."""


def compose_use_cases(
    settings: Settings,
    flows: Mapping[str, Flow],
    conductor: Conductor,
    brakes: AppBrakes,
    lines: Lines,
    *,
    rows: Rows | None = None,
    queue: Queue | None = None,
) -> UseCases:
    """Join them by settings; a test gives its own rows and queue."""
    parts = Parts(settings, flows, rows, queue, conductor, brakes, lines)
    made: dict[str, Callable[[], UseCase]] = {}
    for names, make in CASES:
        once = Once(lambda make=make: make(parts))  # type: ignore[misc]
        for name in names:
            made[name] = once
            provide(name, once)

    def use_of(name: str) -> str:
        found = flow_of(flows, name)
        return found.use if found is not None else CALLS

    return UseCases(made, parts.agenda, use_of)
