"""The public keys of a token issuer, fetched when they are needed and kept.

```text
age of the keys   0 ─────────── 24 h ─────────────────────── 48 h ──────────────
                  used          used, and fetched again       not used any more:
                                at most once a minute         503 until they can be had
```

A fetch runs in a thread of its own: whoever needs it waits for it no longer than WAIT_SECONDS, however long it takes.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from shared.errors import KeysUnavailable, Refused
from shared.logs import logger

# PyJWT and cryptography are imported where they are used: together they cost more than 100 ms.
if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

log = logger("switchboard.keys")

RENEWED_SECONDS = 24 * 3600
"""Age from which the keys are fetched again, so that a withdrawn key does not stay trusted."""

LONGEST_SECONDS = 48 * 3600
"""Age from which they are not used any more: a withdrawn key must not live for as long as somebody keeps this app from
its issuer. The issuer is the service that calls come from: where it has been away for a day, none do (our choice)."""

REFRESH_INTERVAL_SECONDS = 60
"""At most one fetch in this time, however many tokens name keys that are not known."""

FIRST_FETCH_INTERVAL_SECONDS = 1
"""The same while no key is held at all and so no callback can be accepted."""

WAIT_SECONDS = 2.0
"""Longest wait for a fetch, counted from its start. One takes 0.1 to 0.5 s; a token that waits longer is refused with
503 and delivered again, rather than have a slow issuer hold every thread of the app."""

MIN_KEY_BITS = 2048
"""Smallest RSA key accepted (RFC 7518, section 3.3)."""

GetJson = Callable[[str], Any]
"""Gives the JSON document at a URL; raises OSError or ValueError where there is none."""


@dataclass(frozen=True, slots=True)
class _Fetch:
    """One that is under way."""

    started: float = field(default_factory=time.monotonic)
    done: threading.Event = field(default_factory=threading.Event)

    def wait(self) -> None:
        """Until it is done, or has taken too long to wait for."""
        self.done.wait(max(0.0, self.started + WAIT_SECONDS - time.monotonic()))


class IssuerKeys:
    """The keys by key id. Safe to share between threads.

    Args:
        configuration_url: OpenID configuration, whose `jwks_uri` names the keys.
        http: fetches a JSON document.
        clock: seconds since 1970.
    """

    def __init__(self, configuration_url: str, http: GetJson, clock: Callable[[], float]) -> None:
        self._configuration_url = configuration_url
        self._http = http
        self._clock = clock
        self._lock = threading.Lock()
        self._fetch: _Fetch | None = None
        self._by_id: dict[str, RSAPublicKey] = {}
        self._fetched_at: float | None = None
        self._tried_at: float | None = None
        self._failure: str | None = None

    def get(self, key_id: str) -> RSAPublicKey:
        """The key, fetched if need be.

        Raises:
            Refused: the issuer has none of this id.
            KeysUnavailable: that cannot be told now.
        """
        key = self._held().get(key_id)
        if key is not None and self._within(self._fetched_at, RENEWED_SECONDS):
            return key
        fetch, begun = self._begin()
        # Where the keys are renewed, one thread waits and the others go on with what they have.
        if fetch is not None and (begun or key is None):
            fetch.wait()
        key = self._held().get(key_id)
        if key is not None:
            return key
        if fetch is not None and not fetch.done.is_set():
            raise KeysUnavailable(f"the keys of {self._configuration_url} are slow to come")
        if self._failure is not None:
            # It may well be the issuer's new key: that can be told only when the keys can be had again.
            raise KeysUnavailable(self._failure)
        raise Refused("the token names a key that its issuer does not have")

    def fetch(self) -> None:
        """Have keys, fetched if none are held. Raises KeysUnavailable."""
        if not self._held():
            fetch, _ = self._begin()
            if fetch is not None:
                fetch.wait()
        if not self._held():
            raise KeysUnavailable(self._failure or f"the keys of {self._configuration_url} are slow to come")

    def _held(self) -> Mapping[str, RSAPublicKey]:
        return self._by_id if self._within(self._fetched_at, LONGEST_SECONDS) else {}

    def _begin(self) -> tuple[_Fetch | None, bool]:
        """The fetch that is under way, None if there may be none now; and whether it was begun here."""
        with self._lock:
            if self._fetch is not None:
                return self._fetch, False
            interval = REFRESH_INTERVAL_SECONDS if self._held() else FIRST_FETCH_INTERVAL_SECONDS
            if self._within(self._tried_at, interval):
                return None, False
            fetch = self._fetch = _Fetch()
        threading.Thread(target=self._refresh, args=[fetch], name="switchboard-keys", daemon=True).start()
        return fetch, True

    def _within(self, since: float | None, seconds: float) -> bool:
        # A clock that was put back must not stop fetches until it has caught up: a negative age is no age.
        return since is not None and 0 <= self._clock() - since < seconds

    def _refresh(self, fetch: _Fetch) -> None:
        """Fetch the keys. A failure is noted and leaves the keys as they are."""
        failure = None
        try:
            self._by_id, self._fetched_at = self._fetched(), self._clock()
        except Exception as error:
            if not isinstance(error, OSError | ValueError):
                log.exception("the keys of callback tokens cannot be fetched")
            failure = f"the keys of {self._configuration_url} cannot be fetched: {error}"
        with self._lock:
            self._failure = failure
            self._tried_at = self._clock()
            self._fetch = None
        fetch.done.set()

    def _fetched(self) -> dict[str, RSAPublicKey]:
        configuration = self._http(self._configuration_url)
        keys_url = configuration.get("jwks_uri") if isinstance(configuration, Mapping) else None
        if not isinstance(keys_url, str):
            raise ValueError("the OpenID configuration has no jwks_uri")
        if urlsplit(keys_url).scheme != "https" and urlsplit(self._configuration_url).scheme == "https":
            raise ValueError("the OpenID configuration names keys that are not served over https")
        document = self._http(keys_url)
        entries = document.get("keys") if isinstance(document, Mapping) else None
        if not isinstance(entries, list):
            raise ValueError("the key document has no list of keys")
        keys = {entry["kid"]: key for entry in entries if (key := _usable_key(entry)) is not None}
        if not keys:
            raise ValueError("the key document has no RSA signing key")
        return keys


def _usable_key(entry: Any) -> RSAPublicKey | None:
    """The RSA signing key in an entry of a key set (RFC 7517); None for any other entry."""
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from jwt.algorithms import RSAAlgorithm
    from jwt.exceptions import PyJWTError

    if not isinstance(entry, Mapping) or not isinstance(entry.get("kid"), str):
        return None
    if entry.get("kty") != "RSA" or entry.get("use", "sig") != "sig" or entry.get("alg", "RS256") != "RS256":
        return None
    try:
        key = RSAAlgorithm.from_jwk(dict(entry))
    except (PyJWTError, ValueError, TypeError, KeyError):
        return None
    return key if isinstance(key, RSAPublicKey) and key.key_size >= MIN_KEY_BITS else None
