"""The outcomes of a delivery."""

from __future__ import annotations

from enum import StrEnum


class Outcome(StrEnum):
    """Every delivery has exactly one, and it is logged."""

    CLAIMED = "claimed"
    ADVANCED = "advanced"
    DUPLICATE = "duplicate"
    RESENT = "resent"
    STALE = "stale"
    LATE = "late"
    EARLY = "early"
    UNCHANGED = "unchanged"
