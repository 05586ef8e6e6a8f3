"""What doctor prints: coloured lines for people, JSON for machines, and the exit code."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from shared.diagnostics import Finding, Level, all_findings

SCHEMA = Path(__file__).parents[2] / "docs" / "doctor.schema.json"
LEVELS = ("local", "azure", "live")

NOTHING_WRONG, SOMETHING_WRONG, COULD_NOT_LOOK = 0, 1, 2
"""Exit codes."""

_SIGNS: dict[Level, tuple[str, str]] = {"wrong": ("✗", "31"), "look": ("!", "33"), "fine": ("✓", "32")}
_DIM = "2"


def joined(findings: Iterable[Finding]) -> list[Finding]:
    """What was found, what is wrong first, and each thing once."""
    return list(dict.fromkeys(all_findings(findings)))


def exit_code(findings: Sequence[Finding], *, strict: bool = False) -> int:
    """1 if something is wrong, or with `strict` if there is something to look at; otherwise 0."""
    counted = {"wrong", "look"} if strict else {"wrong"}
    return SOMETHING_WRONG if any(one.level in counted for one in findings) else NOTHING_WRONG


def as_json(level: str, findings: Sequence[Finding]) -> str:
    """As docs/doctor.schema.json says."""
    counts = {name: sum(one.level == name for one in findings) for name in _SIGNS}
    document: dict[str, Any] = {
        "version": 1,
        "level": level,
        "counts": counts,
        "findings": [asdict(one) for one in findings],
    }
    return json.dumps(document, indent=2, ensure_ascii=False)


def as_text(findings: Sequence[Finding], *, colour: bool) -> str:
    """Lines for a terminal: what is wrong first, each with why it matters and the command that fixes it."""

    def painted(text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if colour else text

    lines = []
    for one in findings:
        sign, code = _SIGNS[one.level]
        lines.append(f"{painted(sign, code)} {one.seen}  {painted(one.id, _DIM)}")
        if one.why:
            lines.append(f"    {one.why}")
        if one.remedy:
            lines.append(f"    → {one.remedy}")
    wrong, look = (sum(one.level == name for one in findings) for name in ("wrong", "look"))
    summary = f"{wrong} wrong, {look} to look at, {len(findings) - wrong - look} fine."
    return "\n".join([*lines, "", painted(summary, "31" if wrong else "33" if look else "32")])
