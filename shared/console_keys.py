"""The keys by which people sign in to the console: the setting CONSOLE_KEYS holds their hashes.

    CONSOLE_KEYS = Ada Lovelace:supervisor:<SHA-256 of her key>, Bob:viewer:<SHA-256 of his>

A key is made by `python -m tools.console_key`, never chosen: 32 random bytes need no slow hash.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

Role = Literal["viewer", "reviewer", "supervisor", "auditor", "admin"]
Auth = Literal["off", "local", "appservice", "keys"]
"""How people sign in to the console: the setting CONSOLE_AUTH."""
ROLES: tuple[Role, ...] = get_args(Role)

MOST_CHARACTERS_OF_A_NAME = 60
"""Longest name of a person (our choice)."""

_NAME = re.compile(rf"[^\x00-\x1f\x7f:,]{{1,{MOST_CHARACTERS_OF_A_NAME}}}")
_HASH = re.compile(r"[0-9a-f]{64}")
_MAKE = 'make one with: python -m tools.console_key "Ada Lovelace" supervisor'


@dataclass(frozen=True, slots=True)
class ConsoleKey:
    """What is kept of a person's key.

    Attributes:
        hash: the SHA-256 of the key, in hexadecimal.
    """

    name: str
    role: Role
    hash: str

    @property
    def id(self) -> str:
        """What a cookie names the key by."""
        return self.hash[:16]


def hash_of(key: str) -> str:
    """What the setting keeps of a key."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def read_console_keys(text: str) -> tuple[ConsoleKey, ...]:
    """The people of CONSOLE_KEYS; ValueError with what is wrong, by position: names are people's."""
    found: list[ConsoleKey] = []
    for position, entry in enumerate(filter(None, map(str.strip, text.split(","))), start=1):
        name, role, digest = ([part.strip() for part in entry.split(":")] + ["", "", ""])[:3]
        if entry.count(":") != 2 or not _NAME.fullmatch(name):
            raise ValueError(f"entry {position} is not name:role:hash; {_MAKE}")
        if role not in ROLES:
            raise ValueError(f"the role of entry {position} is not one of {', '.join(ROLES)}")
        if not _HASH.fullmatch(digest):
            raise ValueError(f"the hash of entry {position} is not a SHA-256 in hexadecimal; {_MAKE}")
        if any(one.hash == digest for one in found):
            raise ValueError(f"entry {position} has the key of another one; {_MAKE}")
        found.append(ConsoleKey(name, role, digest))
    return tuple(found)


def check_console_keys(text: str, *, needed: bool) -> str:
    """The setting as it is; ValueError with what is wrong, and if there is nobody where somebody is needed."""
    if not read_console_keys(text) and needed:
        raise ValueError(f"is missing: nobody could sign in; {_MAKE}")
    return text


def owner_of(key: str, keys: Iterable[ConsoleKey]) -> ConsoleKey | None:
    """Whose key this is. Every hash is compared: the time taken tells nothing."""
    given, owner = hash_of(key), None
    for one in keys:
        if hmac.compare_digest(one.hash, given):
            owner = one
    return owner
