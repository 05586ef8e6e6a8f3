"""What a check found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["wrong", "look", "fine"]
"""`wrong`: something does not work. `look`: it may be meant so. `fine`: it was looked at and is right."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        id: of the check, for tools and for searches in the docs; the same in every version.
        seen: what is so, in one sentence; never a value of a setting, nor a number.
        why: why it matters; empty for what is fine.
        remedy: what to do; the same.
    """

    id: str
    level: Level
    seen: str
    why: str = ""
    remedy: str = ""
