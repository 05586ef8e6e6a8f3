"""How many examples a property is tried with: a part of them by `make test`, all of them by `make test-long`."""

from __future__ import annotations

import os

WHOLE = os.environ.get("EXAMPLES") == "all"
PART = 10
"""`make test` tries one in so many."""


def examples(number: int) -> int:
    """For `@settings(max_examples=examples(300))`: 300, or a part of them."""
    return number if WHOLE else max(1, number // PART)
