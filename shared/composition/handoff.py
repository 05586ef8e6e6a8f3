"""Where the hand-off to a contact centre is put together, at its first request."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from shared.composition.parts import Parts
from shared.handoff.cases import CASES, Cases
from shared.handoff.service import Desk, Handoff
from shared.privacy import NumberHashes


def handoff_tables(prefix: str) -> dict[str, str]:
    """The table of the cases."""
    return {CASES: f"{prefix}cases"}


def compose_handoff(parts: Parts) -> Handoff:
    """Join it by settings."""
    settings = parts.settings
    return Handoff(
        Cases(parts.rows(handoff_tables(settings.store_prefix))),
        parts.agenda,
        Desk(
            settings.handoff_number,
            lambda: parts.calendars().get(settings.handoff_calendar) if settings.handoff_calendar else None,
            parts.lines.zone or ZoneInfo("UTC"),
        ),
        place=parts.place,
        check=parts.brakes.check_request,
        days=settings.call_retention_days,
        hashes=NumberHashes(settings.number_hash_key, settings.number_hash_key_previous)
        if settings.number_hash_key
        else None,
        own=parts.lines.numbers,
    )
