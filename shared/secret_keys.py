"""Keys of secrets: each call has a data key of its own, which is kept wrapped under the setting SECRETS_KEY.

Both are AES-256-GCM. Whoever destroys the wrapped data key of a call makes unreadable what was encrypted with it. The
library is imported where it is used: few calls have secrets, and no answer waits for it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

NONCE = 12
"""Bytes of a nonce (NIST SP 800-38D, 8.2.2): random ones serve for 2^32 texts of one key."""
BLOCK = 512
"""Bytes to which a text is filled up before it is encrypted (our choice): its length tells nothing of a number."""


class CallCipher:
    """Encrypts and decrypts what is secret of one call."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def seal(self, text: str, bound_to: str) -> str:
        """Encrypt a text, filled up with spaces; it can be read only together with what it is bound to."""
        plain = text.encode()
        return _encrypt(self._key, plain + b" " * (-len(plain) % BLOCK), bound_to)

    def open(self, sealed: str, bound_to: str) -> str | None:
        """The text, with its spaces; None if it was encrypted with another key, or bound to something else."""
        plain = _decrypt(self._key, sealed, bound_to)
        return None if plain is None else plain.decode()


class SecretKeys:
    """Makes the data keys of calls and unwraps them.

    Args:
        key: base64 of the wrapping key, 32 bytes (the setting SECRETS_KEY).
        previous: of the key before it, if there was one: nothing new is wrapped with it, but it still unwraps.
    """

    def __init__(self, key: str, previous: str = "") -> None:
        keys = [base64.b64decode(one) for one in (key, previous) if one]
        if not key or any(len(one) != 32 for one in keys):
            raise ValueError("AES-256 takes a key of 32 bytes")
        self._current = _id_of(keys[0])
        self._keys = {_id_of(one): one for one in keys}

    def new(self, call_id: str) -> str:
        """A random data key for a call, wrapped: `3f9a0c1e.` and base64; it begins with the id of the wrapping key."""
        data_key = secrets.token_bytes(32)
        return f"{self._current}.{_encrypt(self._keys[self._current], data_key, f'data key of {call_id}')}"

    def cipher(self, wrapped: str, call_id: str) -> CallCipher | None:
        """What reads and writes the secrets of a call; None if its data key is wrapped under a key that is not set, or
        is that of another call."""
        key_id, _, sealed = wrapped.partition(".")
        key = self._keys.get(key_id)
        data_key = None if key is None else _decrypt(key, sealed, f"data key of {call_id}")
        return None if data_key is None else CallCipher(data_key)


def _encrypt(key: bytes, plain: bytes, bound_to: str) -> str:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce = secrets.token_bytes(NONCE)
    return base64.b64encode(nonce + AESGCM(key).encrypt(nonce, plain, bound_to.encode())).decode()


def _decrypt(key: bytes, sealed: str, bound_to: str) -> bytes | None:
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    try:
        whole = base64.b64decode(sealed, validate=True)
        return AESGCM(key).decrypt(whole[:NONCE], whole[NONCE:], bound_to.encode())
    except (InvalidTag, ValueError):  # not what this key encrypted, or cut off
        return None


def _id_of(key: bytes) -> str:
    """Tells keys apart and says nothing of what is in them."""
    return hmac.new(key, b"id of a secrets key", hashlib.sha256).hexdigest()[:8]
