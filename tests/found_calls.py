"""What tests look up in a store of calls."""

from __future__ import annotations

from collections.abc import Iterable

from shared.calls.journal import Entry, decode
from shared.calls.store.base import CallStore


def decode_all(texts: Iterable[str]) -> list[Entry]:
    """The entries of a stored journal."""
    return [decode(text) for text in texts]


def newest_call(store: CallStore, server_call_id: str) -> str | None:
    """The newest call with this server call id."""
    return next((found.call_id for found in store.search("server_call_id", server_call_id)), None)
