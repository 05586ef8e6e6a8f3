"""What every use case is made of: its composition is given this."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from shared.azure.partition_rows import TableRows
from shared.azure.queues import StorageTaskQueue
from shared.calls.conductor import Conductor
from shared.calls.flow import Flow
from shared.lines.calendars import Calendar
from shared.lines.reading import Lines
from shared.lines.shared_calendars import SharedCalendars
from shared.rows import Rows
from shared.settings import Settings
from shared.use_cases.base import AGENDA, Agenda, Queue

if TYPE_CHECKING:
    from shared.brakes.brakes import AppBrakes


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
        """The named calendars, by the storage. One round trip. StoreUnavailable."""
        shared = SharedCalendars()
        shared.take_over(self.brakes.rows.read())
        return shared.known

    def place(self, flow: str, data: Mapping[str, Any], key: str) -> str:
        """Place a call by a flow that opens it itself; the same key places it once. The call's id."""
        return self.conductor.place(flow, None, data=data, key=key)[1]


def agenda_tables(prefix: str) -> dict[str, str]:
    """The table of the agenda."""
    return {AGENDA: f"{prefix}agenda"}
