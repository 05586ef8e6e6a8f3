"""Checks of a running app: pure functions from what was seen to findings, each with the reason and the remedy."""

from shared.diagnostics.checks import (
    Calls,
    all_findings,
    calls_findings,
    left_over_findings,
    poison_findings,
    refused_findings,
    settings_findings,
    setup_findings,
    storage_findings,
)
from shared.diagnostics.finding import Finding, Level

__all__ = [
    "Calls", "Finding", "Level", "all_findings", "calls_findings", "left_over_findings", "poison_findings",
    "refused_findings", "settings_findings", "setup_findings", "storage_findings",
]  # fmt: skip
