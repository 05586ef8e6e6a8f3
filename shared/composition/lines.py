"""Where the app's numbers, its calendars and the ledger of slots meet the rest; see docs/lines.md."""

from __future__ import annotations

import time
from collections.abc import Mapping

from shared.azure.text_rows import TableTextRows
from shared.calls.flow import Flow, flow_of
from shared.calls.slots.ledger import SlotLedger
from shared.calls.uses import CALLS, USES
from shared.lines.reading import Lines, load_lines
from shared.routing import AnswerWith, RoutingTable
from shared.routing.decisions import Pattern, Rule
from shared.settings import Settings
from shared.text_rows import TextRows


def read_lines(settings: Settings, flows: Mapping[str, Flow]) -> Lines:
    """The numbers of the app. LinesError."""
    return load_lines(settings.lines_file, flows, USES)


def compose_slots(
    settings: Settings, lines: Lines, flows: Mapping[str, Flow], rows: TextRows | None
) -> SlotLedger | None:
    """The ledger of slots; None: no number is declared."""
    if not lines.numbers:
        return None
    rows = rows or TableTextRows(settings.storage_account, f"{settings.store_prefix}slots")

    def use_of(name: str) -> str:
        found = flow_of(flows, name)
        return found.use if found is not None else CALLS

    return SlotLedger(rows, lines.numbers, use_of, lambda: time.time_ns() // 1_000_000)


def with_lines(routes: RoutingTable, lines: Lines) -> RoutingTable:
    """The rules, and before the first that takes every call a rule for each number that says what its callers hear."""
    own = [
        Rule(name, (Pattern(f"4:{line.number}"),), None, (), None, AnswerWith(flow=line.called_back, rule=name))
        for line in lines.numbers.values()
        if line.called_back and (name := f"the line {line.label}")
    ]
    at = next((at for at, rule in enumerate(routes.rules) if rule.takes_all), len(routes.rules))
    return RoutingTable([*routes.rules[:at], *own, *routes.rules[at:]])
