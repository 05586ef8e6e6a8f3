"""What a measurement gives: rows, as JSON lines and as a table."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Row:
    """One number.

    Attributes:
        measure: the measurement it belongs to.
        case: under which circumstances.
        limit: the largest (or, with `at_least`, the smallest) value that is right; None: there is no limit.
        more: further facts for the JSON line.
    """

    measure: str
    case: str
    value: float
    unit: str
    limit: float | None = None
    at_least: bool = False
    more: Mapping[str, Any] = field(default_factory=dict)

    @property
    def holds(self) -> bool | None:
        """Whether the limit holds; None where there is none. A value that could not be taken never holds."""
        if self.limit is None:
            return None
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    def line(self) -> str:
        """The row as one line of JSON; what is no number is null."""
        value = round(self.value, 4) if math.isfinite(self.value) else None
        fields: dict[str, Any] = {"measure": self.measure, "case": self.case, "value": value, "unit": self.unit}
        if self.limit is not None:
            fields |= {"limit": f"{'≥' if self.at_least else '≤'} {self.limit:g}", "holds": self.holds}
        return json.dumps({**fields, **self.more}, ensure_ascii=False)


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which this share of the values lies, by nearest rank; nan without values."""
    if not values:
        return math.nan
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, math.ceil(share * len(ordered)) - 1))]


def table(rows: Iterable[Row]) -> str:
    """The rows for people."""
    lines = [("measure", "case", "value", "", "limit", "holds")]
    for row in rows:
        limit = "" if row.limit is None else f"{'≥' if row.at_least else '≤'} {row.limit:g}"
        holds = {None: "", True: "yes", False: "NO"}[row.holds]
        lines.append((row.measure, row.case, _number(row.value), row.unit, limit, holds))
    widths = [max(len(line[column]) for line in lines) for column in range(6)]
    shown = []
    for line in lines:
        cells = [cell.ljust(width) for cell, width in zip(line, widths, strict=True)]
        cells[2] = line[2].rjust(widths[2])
        shown.append("  ".join(cells).rstrip())
    return "\n".join(shown)


def _number(value: float) -> str:
    if not math.isfinite(value):
        return "-"
    return f"{value:.0f}" if value == int(value) else f"{value:.2f}" if abs(value) < 100 else f"{value:.0f}"
