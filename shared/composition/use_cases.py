"""Where the use cases meet their Azure implementations: each is put together at its first request."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.azure.partition_rows import TableRows
from shared.azure.queues import StorageTaskQueue
from shared.calls.flow import Flow, flow_of
from shared.calls.uses import CALLS
from shared.composition.once import Once
from shared.rows import Rows
from shared.settings import Settings
from shared.use_cases.all import UseCases
from shared.use_cases.base import AGENDA, Agenda, Queue, UseCase
from shared.use_cases.services import provide

if TYPE_CHECKING:
    from shared.brakes.brakes import AppBrakes
    from shared.calls.conductor import Conductor
    from shared.calls.slots.ledger import SlotLedger
    from shared.calls.store.base import CallStore
    from shared.lines.reading import Lines
    from shared.outreach.ports import Files


@dataclass(frozen=True, slots=True)
class AppParts:
    """What use cases may ask of the app: those that place calls."""

    conductor: Conductor
    store: CallStore
    lines: Lines
    brakes: AppBrakes
    slots: SlotLedger | None


class Parts:
    """What every use case is made of.

    Args:
        rows, files: for tests; None: those of the storage.
        app: None: a use case that places calls cannot be made.
    """

    def __init__(
        self,
        settings: Settings,
        flows: Mapping[str, Flow],
        rows: Rows | None,
        queue: Queue | None,
        app: AppParts | None = None,
        files: Files | None = None,
    ) -> None:
        self.settings = settings
        self.flows = flows
        self.app = app
        self.files = files
        self.queue = queue or StorageTaskQueue(settings.storage_account, settings.store_prefix)
        self._rows = rows
        self.agenda = Agenda(self.rows(agenda_tables(settings.store_prefix)))

    def rows(self, names: Mapping[str, str]) -> Rows:
        """Rows in tables of these names."""
        return self._rows or TableRows(self.settings.storage_account, names)


def agenda_tables(prefix: str) -> dict[str, str]:
    """The table of the agenda."""
    return {AGENDA: f"{prefix}agenda"}


def outreach_tables(prefix: str) -> dict[str, str]:
    """The tables of campaigns and reminders."""
    return {"people": f"{prefix}outpeople", "due": f"{prefix}outdue", "ledger": f"{prefix}outledger"}


Case = tuple[tuple[str, ...], Callable[[Parts], UseCase]]
"""The names of a use case, as flows have them (`shared.calls.uses`), and how it is made."""


def _outreach(parts: Parts) -> UseCase:
    from shared.composition.outreach import compose_outreach

    return compose_outreach(parts)


CASES: Sequence[Case] = ((("outreach", "reminders"), _outreach),)
"""Every use case. A new one: a line here, a module `shared/composition/<use>.py`, imported by its function alone."""


def compose_use_cases(
    settings: Settings,
    flows: Mapping[str, Flow],
    *,
    rows: Rows | None = None,
    queue: Queue | None = None,
    app: AppParts | None = None,
    files: Files | None = None,
) -> UseCases:
    """Join them by settings; a test gives its own rows and queue."""
    parts = Parts(settings, flows, rows, queue, app, files)
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
