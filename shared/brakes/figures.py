"""How many calls there are: figures of all instances, which are some seconds old, and claims of this one since then."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from shared.calls.record import CallRecord
from shared.identifiers import Identifier

SETTLING = 5_000
"""Milliseconds after its start from which a call is counted in the figures (our choice): by then the rows stand by
which the watchdog finds it. Before, the instance that took it counts it."""
LONGEST_CLAIM = 60_000
"""Milliseconds for which an instance counts a call by itself at most (our choice), should no figures come."""
LAST_FIGURES = 300_000
"""Milliseconds for which figures count that the watchdog does not renew (our choice): many runs of a slow one. Later
most of their calls may be over, and they would keep out who has none."""
MOST_CALLERS = 500
"""Callers that figures name, those with the most calls first (our choice): a row of the storage is limited."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Calls that are up.

    Attributes:
        at: Unix milliseconds; the calls counted are those that started before.
        callers: calls that came in, by the hash of who calls; not of those who withhold their number.
    """

    at: int = 0
    calls: int = 0
    callers: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def count(cls, records: Iterable[CallRecord], began: int, hash_of: Callable[[str], str]) -> Figures:
        """The figures of a watchdog's run.

        Args:
            began: when it began to look, Unix milliseconds.
        """
        at = began - SETTLING
        up = [r for r in records if r.status not in ("waiting", "ended") and max(r.started_at, r.placed_at) < at]
        inbound = (Identifier(raw_id=r.caller) for r in up if r.direction == "inbound" and r.caller)
        callers = Counter(hash_of(one.raw_id) for one in inbound if is_one_caller(one))
        return cls(at, len(up), dict(callers.most_common(MOST_CALLERS)))

    @classmethod
    def read(cls, text: str) -> Figures:
        """From what `text` wrote; ValueError, KeyError or TypeError for what is none."""
        values = json.loads(text)
        return cls(int(values["at"]), int(values["calls"]), {str(k): int(v) for k, v in values["callers"].items()})

    @property
    def text(self) -> str:
        """As it is stored."""
        return json.dumps({"at": self.at, "calls": self.calls, "callers": self.callers}, separators=(",", ":"))


def is_one_caller(caller: Identifier) -> bool:
    """Whether calls of this identifier are those of one person: not of all who withhold their number."""
    number = caller.phone_number
    return not caller.is_anonymous and (number is None or any(map(str.isdigit, number)))


class _Claim(NamedTuple):
    at: int
    caller: str


class CallsTaken:
    """The calls that this instance has taken and the figures do not count yet. The caller's lock guards it."""

    def __init__(self) -> None:
        self._claims: dict[str, _Claim] = {}
        self._callers: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._claims)

    def __contains__(self, key: str) -> bool:
        return key in self._claims

    def of(self, caller: str) -> int:
        """How many of them are of one caller."""
        return self._callers[caller] if caller else 0

    def add(self, key: str, at: int, caller: str) -> None:
        """Count a call once, from a time in Unix milliseconds on; no caller: it is nobody's."""
        self.remove(key)
        self._claims[key] = _Claim(at, caller)
        self._callers[caller] += 1

    def rename(self, key: str, new: str) -> None:
        """Its id is known now."""
        claim = self._claims.get(key)
        if claim is not None:
            self.remove(key)
            self.add(new, claim.at, claim.caller)

    def remove(self, key: str) -> None:
        """Count a call no more."""
        claim = self._claims.pop(key, None)
        if claim is not None:
            self._callers[claim.caller] -= 1
            if not self._callers[claim.caller]:
                del self._callers[claim.caller]

    def drop_before(self, at: int) -> None:
        """Forget those of before this time, the oldest of which come first."""
        while self._claims:
            key, claim = next(iter(self._claims.items()))
            if claim.at >= at:
                return
            self.remove(key)
