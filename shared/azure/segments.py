"""Entries of a journal as texts: the tail in the head, and the segments that were sealed."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from typing import Any

SEGMENTS_IN_A_ROW = 8
"""The fewer the rows, the quicker the load: the SDK takes some 50 µs for each, and a row holds 1 MB."""


def join(entries: Sequence[str]) -> str:
    """Entries as one text."""
    return "\n".join(entries)


def split(text: str) -> list[str]:
    """The entries in a text."""
    return text.split("\n") if text else []


def segment_row(call_id: str, sealed: int, tail: Sequence[str]) -> dict[str, Any]:
    """What adds a tail to so many sealed segments."""
    number = sealed + 1
    return {
        "PartitionKey": call_id,
        "RowKey": f"s{number - sealed % SEGMENTS_IN_A_ROW:06d}",
        f"p{number:06d}": zlib.compress(join(tail).encode(), 1),
    }


def segments_of(row: Mapping[str, Any]) -> dict[int, str]:
    """The segments in a row, by number."""
    found = {int(name[1:]): zlib.decompress(value).decode() for name, value in row.items() if name[0] == "p"}
    if "entries" in row:  # one segment to a row, not deflated: so it was until November 2026
        found[int(row["RowKey"][1:])] = row["entries"]
    return found
