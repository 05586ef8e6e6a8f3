"""The numbers that belong to the resource."""

from __future__ import annotations

from collections.abc import Iterable


class OwnNumbers:
    """Numbers that ring the app: those declared, those called from outside, and those used as caller id.

    Args:
        declared: numbers with the outbound calls that they may place at once; they stay over a reset.
    """

    def __init__(self, declared: Iterable[tuple[str, int]] = ()) -> None:
        self._configured = dict(declared)
        #: Outbound calls at once, by declared number.
        self.limits: dict[str, int] = dict(self._configured)
        self._used: set[str] = set()

    def __contains__(self, number: str) -> bool:
        return number in self.limits or number in self._used

    def use(self, number: str) -> None:
        """It was called from outside, or is a caller id."""
        self._used.add(number)

    def declare(self, number: str, limit: int) -> None:
        self.limits[number] = limit

    def withdraw(self, number: str) -> bool:
        """Whether it was declared."""
        return self.limits.pop(number, None) is not None

    def all(self) -> list[str]:
        return sorted(self._used | set(self.limits))

    def clear(self) -> None:
        self.limits = dict(self._configured)
        self._used.clear()
