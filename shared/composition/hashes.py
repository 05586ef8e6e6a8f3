"""The hashes by which use cases find people."""

from __future__ import annotations

from shared.errors import SettingsError
from shared.privacy import NumberHashes
from shared.settings import Settings


def number_hashes(settings: Settings) -> NumberHashes:
    """By which numbers are found. SettingsError without a key."""
    if not settings.number_hash_key:
        remedy = "Make one with: openssl rand -base64 32"
        raise SettingsError("NUMBER_HASH_KEY", "is missing: people are found by hashes under it.", remedy)
    return NumberHashes(settings.number_hash_key, settings.number_hash_key_previous)
