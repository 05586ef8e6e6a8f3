"""What a table takes (docs: understanding the table service data model), for every store alike.

Azurite lets more pass than the service does, and memory takes anything: asked here, all of them refuse the same.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from shared.errors import StoreRefused

MAX_KEY = 512
"""Characters of a key: 1 KiB in UTF-16."""
MAX_PROPERTY = 32 * 1024
"""Characters of a text: 64 KiB in UTF-16."""
MAX_ROW = 512 * 1024
"""Characters of a row: 1 MiB in UTF-16."""

_NOT_IN_A_KEY = re.compile(r"[/\\#?\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def is_key(text: str) -> bool:
    """Whether a row can have this key."""
    return size(text) <= MAX_KEY and _NOT_IN_A_KEY.search(text) is None


def check_row(key: str, columns: Mapping[str, Any]) -> None:
    """StoreRefused if a row of this key and these columns would be refused."""
    if not key or not is_key(key):
        raise StoreRefused(f"{key[:40]!r} cannot be the key of a row: it is empty, too long, or holds one of / \\ # ?")
    whole = 0
    for name, value in columns.items():
        if isinstance(value, str):
            if (length := size(value)) > MAX_PROPERTY:
                raise StoreRefused(f"{name} has {length} characters; a row takes {MAX_PROPERTY}")
            whole += length
    if whole > MAX_ROW:
        raise StoreRefused(f"the row has {whole} characters; the storage takes {MAX_ROW}")


def size(text: str) -> int:
    """Characters as the storage counts them."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2
