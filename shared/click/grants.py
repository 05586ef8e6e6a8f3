"""The ledger of a site at work: a line grants a call, once for each key, and never more than the limits allow."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from shared.click.limits import Entry, Refusal, refusal, without_old
from shared.click.request import made_id
from shared.click.site import StoredSite
from shared.click.store import ClickStore, Entries
from shared.errors import KeyReused, LimitReached
from shared.privacy import NumberHashes

_SHORT = 25
"""Characters of a hash of a number or address in a ledger: the id of its key, and 64 bits."""
_WHOSE = {"number": "this number", "address": "your address", "site": "this page"}


class Wish(NamedTuple):
    """A call that is asked for.

    Attributes:
        at: when it is to be placed.
        address: of who asks; empty: it is not known.
        key: the idempotency key; empty: there is none.
        said: all that a second request with that key must say too.
    """

    at: datetime
    number: str
    address: str
    key: str
    said: str


class Grants:
    """Grants calls. Safe to share between threads and instances: each change is one conditional write."""

    def __init__(self, store: ClickStore, hashes: NumberHashes, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._hashes = hashes
        self._clock = clock

    def grant(self, site: StoredSite, wish: Wish, check: Callable[[], None]) -> Entry:
        """The line by which a call is granted: a new one, or that of the same key. LimitReached, KeyReused.

        Args:
            check: of a site with a captcha: is asked before a new line is written, if the limits allow it; what it
                raises, this raises.
        """
        new = Entry(
            at=int(wish.at.timestamp()),
            call=made_id(self._clock()),
            number=self._hashes.of(wish.number)[:_SHORT],
            address=self._hashes.of(f"address {wish.address}")[:_SHORT] if wish.address else "",
            key=_digest(wish.key) if wish.key else "",
            said=_digest(wish.said),
        )

        def granted(was: Entries) -> Entries:
            kept = without_old(was, int(self._clock().timestamp()))
            if (same := _same(kept, new)) is not None:
                if same.said != new.said:
                    raise KeyReused
                return kept
            _raise(self._refusal(kept, site, new, wish))
            return (*kept, new)

        if site.text.captcha_hook and _same(granted(self._store.entries(site.name)), new) == new:
            check()
        found = _same(self._store.change_entries(site.name, granted), new)
        assert found is not None
        return found

    def granted(self, site: StoredSite, key: str, said: str) -> str:
        """The call that this key has granted; empty: none. KeyReused."""
        named = _digest(key) if key else None
        found = next((one for one in self._store.entries(site.name) if one.key == named), None)
        if found is not None and found.said != _digest(said):
            raise KeyReused
        return "" if found is None else found.call

    def move(self, site: StoredSite, call: str, now: datetime) -> bool:
        """Have a call that is late count at the time at which it is placed; False: the limits do not allow it now."""

        def moved(was: Entries) -> Entries:
            mine = next((one for one in was if one.call == call), None)
            if mine is None:
                raise LimitReached("the line of this call is gone", 429)
            others, new = tuple(one for one in was if one.call != call), mine._replace(at=int(now.timestamp()))
            _raise(refusal(others, site.text.limits, new.at, {new.number}, {new.address} - {""}))
            return (*others, new)

        try:
            self._store.change_entries(site.name, moved)
        except LimitReached:
            return False
        return True

    def _refusal(self, entries: Entries, site: StoredSite, new: Entry, wish: Wish) -> Refusal | None:
        """Why it is not granted, also by lines under the hash key of before."""
        numbers = {one[:_SHORT] for one in self._hashes.candidates(wish.number)}
        addresses = {one[:_SHORT] for one in self._hashes.candidates(f"address {wish.address}")}
        return refusal(entries, site.text.limits, new.at, numbers, addresses if wish.address else ())


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _same(entries: Entries, new: Entry) -> Entry | None:
    """The line of the same call, or of the same key."""
    return next((one for one in entries if one.call == new.call or (new.key and one.key == new.key)), None)


def _raise(refused: Refusal | None) -> None:
    if refused is not None:
        raise LimitReached(f"There were too many calls for {_WHOSE[refused.of]}.", 429, refused.seconds)
