"""Status: what the checks found, and which versions run."""

from __future__ import annotations

from shared.web.console.exchange import Reply, see_other
from shared.web.console.gate import Gate, Visit
from shared.web.diagnosis import Diagnosis


class StatusPage:
    """The page Status."""

    def __init__(self, gate: Gate, diagnosis: Diagnosis) -> None:
        self._gate = gate
        self._diagnosis = diagnosis

    def show(self, visit: Visit) -> Reply:
        """The page."""
        found = self._diagnosis.look()
        poison = {name.rpartition("-")[2]: count for name, count in found.poison.items() if count}
        return self._gate.page(
            "status.html",
            visit,
            "Status",
            findings=found.findings,
            facts=found.facts,
            poison=poison,
            may_act=visit.person.may("act"),
        )

    def put_back(self, visit: Visit, queue: str) -> Reply:
        """Have messages that failed worked on once more. InvalidInput for a queue that is none of them."""
        self._diagnosis.put_back(queue)
        visit.did(f"put back {queue}")
        return see_other("/status")
