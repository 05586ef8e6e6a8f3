"""Where the use cases meet their Azure implementations: each is put together at its first request."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from shared.calls.conductor import Conductor
from shared.calls.flow import Flow, flow_of
from shared.calls.uses import CALLS
from shared.composition.once import Once
from shared.composition.parts import Parts
from shared.lines.reading import Lines
from shared.rows import Rows
from shared.settings import Settings
from shared.use_cases.all import UseCases
from shared.use_cases.base import Queue, UseCase
from shared.use_cases.services import provide

if TYPE_CHECKING:
    from shared.brakes.brakes import AppBrakes
    from shared.calls.slots.ledger import SlotLedger
    from shared.calls.store.base import CallStore
    from shared.outreach.ports import Files


Case = tuple[tuple[str, ...], Callable[[Parts], UseCase]]
"""The names of a use case, as flows have them (`shared.calls.uses`), and how it is made."""


def _outreach(parts: Parts) -> UseCase:
    from shared.composition.outreach import compose_outreach

    return compose_outreach(parts)


def _click(parts: Parts) -> UseCase:
    from shared.composition.click import compose_click

    return compose_click(parts)


def _order(parts: Parts) -> UseCase:
    from shared.composition.order import compose_order

    return compose_order(parts)


def _masking(parts: Parts) -> UseCase:
    from shared.composition.masking import compose_masking

    return compose_masking(parts)


def _handoff(parts: Parts) -> UseCase:
    from shared.composition.handoff import compose_handoff

    return compose_handoff(parts)


CASES: Sequence[Case] = (
    (("outreach", "reminders"), _outreach),
    (("click",), _click),
    (("order",), _order),
    (("masking",), _masking),
    (("handoff",), _handoff),
)
"""Every use case. A new one: a line here, a module `shared/composition/<use>.py`, imported by its function alone."""


def compose_use_cases(
    settings: Settings,
    flows: Mapping[str, Flow],
    conductor: Conductor,
    brakes: AppBrakes,
    lines: Lines,
    store: CallStore,
    slots: SlotLedger | None,
    *,
    rows: Rows | None = None,
    queue: Queue | None = None,
    files: Files | None = None,
) -> UseCases:
    """Join them by settings; a test gives its own rows and queue."""
    parts = Parts(settings, flows, rows, queue, conductor, brakes, lines, store, slots, files)
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
