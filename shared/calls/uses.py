"""What a flow is for: which of the app's numbers it may show, and whether somebody waits for its calls."""

from __future__ import annotations

CALLS = "calls"
"""The use of a flow that names none."""
CAMPAIGNS = frozenset({"outreach", "reminders"})
"""Uses whose calls nobody waits for."""
USES = (CALLS, *sorted(CAMPAIGNS), "masking", "click", "order", "handoff")
