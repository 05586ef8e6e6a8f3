"""Number masking, put together at its first request."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from shared.azure.text_rows import TableTextRows
from shared.calls.slots.ledger import read_leases
from shared.composition.parts import Parts
from shared.lines.reading import Line
from shared.masking.choosing import PoolNumber
from shared.masking.claims import Claims
from shared.masking.opening import USE, Opener
from shared.masking.people import country_of
from shared.masking.pins import Pins
from shared.masking.service import Masking
from shared.masking.sessions import Sessions
from shared.privacy import NumberHashes


def masking_tables(prefix: str) -> dict[str, str]:
    """The tables of sessions, and of who has which number."""
    return {"sessions": f"{prefix}masksessions", "pairs": f"{prefix}maskpairs"}


def compose_masking(parts: Parts) -> Masking:
    """The use case. Without a key to hash numbers with it opens no session, and so has none to find."""
    settings = parts.settings
    rows = parts.rows(masking_tables(settings.store_prefix))
    sessions = Sessions(rows)
    nobodys = base64.b64encode(secrets.token_bytes(32)).decode()
    hashes = NumberHashes(settings.number_hash_key or nobodys, settings.number_hash_key_previous)
    claims = Claims(rows, sessions, hashes, timedelta(minutes=settings.masking_cool_off_minutes))
    pins = Pins(rows, claims)
    lines = parts.lines.numbers
    slots = TableTextRows(settings.storage_account, f"{settings.store_prefix}slots")

    def calls_at_once() -> Mapping[str, int]:
        return {number: sum(one.telephones for one in read_leases(row)) for number, row in slots.read().items()}

    opener = Opener(
        sessions, claims, pins, parts.agenda, pool_of(lines), lines.keys(), calls_at_once, _now, secrets.token_hex
    )
    days = settings.call_retention_days
    return Masking(
        sessions,
        claims,
        pins,
        opener,
        parts.agenda,
        timedelta(days=days) if days else None,
        keeps_secrets=bool(settings.secrets_key),
        can_open=bool(settings.number_hash_key),
        clock=_now,
    )


def pool_of(lines: Mapping[str, Line]) -> list[PoolNumber]:
    """The numbers that are for masking."""
    return [
        PoolNumber(line.number, line.country or country_of(line.number), line.concurrent_out)
        for line in lines.values()
        if USE in line.uses
    ]


def _now() -> datetime:
    return datetime.now(UTC)
