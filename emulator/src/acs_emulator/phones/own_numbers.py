"""The numbers that belong to the resource."""

from __future__ import annotations

from collections.abc import Iterable

from acs_emulator.core.own_number import OwnNumber


class OwnNumbers:
    """Numbers that ring the app: those declared, those called from outside, and those used as caller id.

    Args:
        declared: these stay over a reset.
    """

    def __init__(self, declared: Iterable[OwnNumber] = ()) -> None:
        self._configured = {one.number: one for one in declared}
        self.declared = dict(self._configured)
        self._used: set[str] = set()

    def __contains__(self, number: str) -> bool:
        return number in self.declared or number in self._used

    def limit(self, number: str) -> int | None:
        """Outbound calls that a number may have at once; None if it was not declared."""
        return self.declared[number].limit if number in self.declared else None

    def name(self, number: str) -> str:
        """What its line is called; empty if it was not said."""
        return self.declared[number].name if number in self.declared else ""

    def use(self, number: str) -> None:
        """It was called from outside, or is a caller id."""
        self._used.add(number)

    def declare(self, one: OwnNumber) -> None:
        self.declared[one.number] = one

    def withdraw(self, number: str) -> bool:
        """Whether it was declared."""
        return self.declared.pop(number, None) is not None

    def all(self) -> list[str]:
        return sorted(self._used | set(self.declared))

    def clear(self) -> None:
        self.declared = dict(self._configured)
        self._used.clear()
