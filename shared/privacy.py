"""Numbers as the index keeps them: keyed hashes, by which a number is found and from which none can be read."""

from __future__ import annotations

import base64
import hashlib
import hmac
from functools import lru_cache

from shared.identifiers import key_of


class NumberHashes:
    """Hashes numbers with HMAC-SHA256. Each hash begins with the id of its key, so that keys can be changed.

    Args:
        key: base64 of the key (the setting NUMBER_HASH_KEY).
        previous: of the key before it, if there was one: nothing new is hashed with it, but it is still looked up.
    """

    def __init__(self, key: str, previous: str = "") -> None:
        self._keys = tuple(base64.b64decode(one) for one in (key, previous) if one)
        if not key:
            raise ValueError("an empty key hides nothing")

    @property
    def key_ids(self) -> tuple[str, ...]:
        """The ids that hashes begin with, the current key's first."""
        return tuple(map(_id_of, self._keys))

    def of(self, raw_id: str) -> str:
        """The hash of a number, or of any other identifier: `3f9a0c1e.8d1f…`, key id and 64 hexadecimal digits."""
        return _hash(self._keys[0], raw_id)

    def candidates(self, raw_id: str) -> tuple[str, ...]:
        """Every hash that a number may be kept under, the current key's first."""
        return tuple(_hash(key, raw_id) for key in self._keys)


@lru_cache(maxsize=4096)
def _hash(key: bytes, raw_id: str) -> str:
    number = key_of(raw_id).encode("utf-8", "surrogatepass")
    return f"{_id_of(key)}.{hmac.new(key, number, hashlib.sha256).hexdigest()}"


@lru_cache(maxsize=8)
def _id_of(key: bytes) -> str:
    """Tells keys apart and says nothing of what is in them."""
    return hmac.new(key, b"id of a number hash key", hashlib.sha256).hexdigest()[:8]
