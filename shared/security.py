"""Who may call back: the service's token, and a signature that only this app can make.

A callback is believed when both hold. The token shows that the service sent it, the signature that it is
meant for the call, and the family of actions, that its URL names. Neither check ever lets a doubt pass:
what cannot be judged is refused, or raises KeysUnavailable so that the service delivers it again.
"""

from __future__ import annotations

import base64
import hmac
import math
import re
import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from shared.errors import KeysUnavailable, Refused

# PyJWT, cryptography and requests are imported where they are used: together they cost more than 100 ms,
# and an instance that starts for a timer or a recording needs none of them.
if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

SIGNATURE_VERSION = "v1"
"""Signed with the rest, so that a later scheme can never accept a signature of this one."""

CALL_LEVEL = "call"
"""The family of the call-level callback URL, which carries every event that no action's URL takes."""

MAX_HEADER_BYTES = 8 * 1024
"""Longest Authorization header looked at. The service's tokens are below 2 KB."""

LEEWAY_SECONDS = 60
"""Tolerated difference between the service's clock and ours. Tokens live 5 minutes (docs: secure-webhook-endpoint)."""

KEYS_LIFETIME_SECONDS = 24 * 3600
"""Age from which the keys are fetched again, so that a withdrawn key does not stay trusted."""

REFRESH_INTERVAL_SECONDS = 60
"""At most one fetch in this time, however many tokens name keys that are not known."""

FIRST_FETCH_INTERVAL_SECONDS = 1
"""The same while no key is held at all and so no callback can be accepted."""

FETCH_TIMEOUT_SECONDS = 5

MIN_KEY_BITS = 2048
"""Smallest RSA key accepted (RFC 7518, section 3.3)."""

_FAMILY = re.compile(r"[a-z][a-z0-9-]*")

GetJson = Callable[[str], Any]
"""Gives the JSON document at a URL; raises OSError or ValueError where there is none."""


class CallbackUrls:
    """Makes and checks the callback URLs that the app hands to the service.

    Args:
        base_url: public address of the app, without a path.
        signing_key: the secret, as bytes or as base64 (the setting CALLBACK_SIGNING_KEY).
        prefix: path of the callback routes.
        previous_key: an older secret that is still accepted but signs nothing, so that the key can be
            changed while calls are up (the setting CALLBACK_SIGNING_KEY_PREVIOUS).
    """

    def __init__(
        self,
        base_url: str,
        signing_key: bytes | str,
        prefix: str = "/api/callbacks",
        *,
        previous_key: bytes | str = b"",
    ) -> None:
        self._root = base_url.rstrip("/") + "/" + prefix.strip("/")
        self._key = _key_bytes(signing_key)
        if not self._key:
            raise ValueError("an empty signing key signs nothing")
        self._accepted = [key for key in (self._key, _key_bytes(previous_key)) if key]

    def url(self, call_id: str, family: str = CALL_LEVEL) -> str:
        """The callback URL of a call: the call-level one, or that of one family of actions."""
        path = quote(call_id, safe="") + ("" if family == CALL_LEVEL else f"/{family}")
        return f"{self._root}/{path}?sig={_signature(self._key, family, call_id).decode()}"

    def verify(self, call_id: str, family: str, signature: str | None) -> None:
        """Pass if the signature was made here for this call and family; raises Refused (403) if not."""
        given = (signature or "").encode("utf-8", "surrogatepass")
        # Every key is tried whatever the first one gave: the time taken tells nothing.
        matches = [hmac.compare_digest(_signature(key, family, call_id), given) for key in self._accepted]
        if not any(matches):
            raise Refused("the callback URL is not one that this app signed for this call", 403)


class StreamUrls(CallbackUrls):
    """Makes and checks the web-socket URLs of live audio and live words, signed like callback URLs.

    Args:
        base_url: public address of the streams service, wss:// and without a path.
    """

    def __init__(self, base_url: str, signing_key: bytes | str, *, previous_key: bytes | str = b"") -> None:
        super().__init__(base_url, signing_key, "/streams", previous_key=previous_key)


class TokenVerifier:
    """Verifies the token that the service sends with each callback.

    RS256 only. The keys come from the issuer's OpenID configuration and are kept, parsed, for a day. A token
    that names an unknown key causes a new fetch, at most one a minute and one at a time. If a fetch fails the
    keys already held stay in use. Safe to share between threads.

    Args:
        configuration_url: OpenID configuration, whose `jwks_uri` names the keys.
        issuer: the only accepted `iss`.
        audience: the only accepted `aud`: the immutable resource id (docs: secure-webhook-endpoint).
        http: fetches a JSON document; default: `requests` with a time-out.
        clock: seconds since 1970.
    """

    def __init__(
        self,
        configuration_url: str,
        issuer: str,
        audience: str,
        *,
        http: GetJson | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if not issuer or not audience:
            raise ValueError("a token verifier needs an issuer and an audience")
        self._issuer = issuer
        self._audience = audience
        self._clock = clock
        self._keys = _Keys(configuration_url, http or _get_json, clock)

    def prepare(self) -> None:
        """Fetch the keys now, so that the first callback need not wait. Raises KeysUnavailable."""
        import jwt  # noqa: F401

        self._keys.fetch()

    def verify(self, authorization: str | None) -> None:
        """Pass if the header holds a valid token of the service.

        Raises:
            Refused: (401) it does not.
            KeysUnavailable: it names a key that is not held, and the keys cannot be fetched now.
        """
        token = _bearer_token(authorization)
        import jwt

        try:
            header = jwt.get_unverified_header(token)
        except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
            raise Refused("the token cannot be read") from None
        # Before any key is looked up: a token that picks its own algorithm could use our public key as an
        # HMAC secret.
        if header.get("alg") != "RS256":
            raise Refused("the token is not signed with RS256")
        key_id = header.get("kid")
        if not isinstance(key_id, str) or not key_id:
            raise Refused("the token names no key")
        key = self._keys.get(key_id)
        try:
            claims = jwt.decode(
                token,
                key,
                algorithms=["RS256"],
                audience=self._audience,
                issuer=self._issuer,
                options={
                    "require": ["exp", "aud", "iss"],
                    # Checked below, by our clock.
                    "verify_exp": False,
                    "verify_nbf": False,
                    "verify_iat": False,
                },
            )
        except (jwt.PyJWTError, ValueError, TypeError, RecursionError) as error:
            raise Refused(f"the token is not valid: {_reason(error)}") from None
        self._check_times(claims)

    def _check_times(self, claims: Mapping[str, Any]) -> None:
        now = self._clock()
        times = {name: claims[name] for name in ("exp", "nbf", "iat") if claims.get(name) is not None}
        for name, value in times.items():
            if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
                raise Refused(f"the token's {name} is not a time")
        if "exp" not in times:
            raise Refused("the token never expires")
        if now >= times["exp"] + LEEWAY_SECONDS:
            raise Refused("the token has expired")
        if any(times.get(name, now) > now + LEEWAY_SECONDS for name in ("nbf", "iat")):
            raise Refused("the token is not valid yet")


class _Keys:
    """The issuer's public keys by key id."""

    def __init__(self, configuration_url: str, http: GetJson, clock: Callable[[], float]) -> None:
        self._configuration_url = configuration_url
        self._http = http
        self._clock = clock
        self._fetching = threading.Lock()
        self._by_id: dict[str, RSAPublicKey] = {}
        self._fetched_at: float | None = None
        self._tried_at: float | None = None
        self._failure: str | None = None

    def get(self, key_id: str) -> RSAPublicKey:
        """The key, fetched if need be; raises Refused if the issuer has none of this id."""
        key = self._by_id.get(key_id)
        if key is not None:
            if self._within(self._fetched_at, KEYS_LIFETIME_SECONDS):
                return key
            # Stale. One thread renews; the others go on with what they have.
            if self._fetching.acquire(blocking=False):
                try:
                    self._refresh()
                finally:
                    self._fetching.release()
            else:
                return key
        elif not self._may_not_fetch():
            with self._fetching:
                self._refresh()
        key = self._by_id.get(key_id)
        if key is not None:
            return key
        if self._failure is not None:
            # It may well be the issuer's new key: that can be told only when the keys can be had again.
            raise KeysUnavailable(self._failure)
        raise Refused("the token names a key that its issuer does not have")

    def fetch(self) -> None:
        """Have keys, fetched if none are held."""
        with self._fetching:
            if not self._by_id:
                self._refresh()
        if not self._by_id:
            raise KeysUnavailable(self._failure or "the issuer has no keys")

    def _may_not_fetch(self) -> bool:
        interval = REFRESH_INTERVAL_SECONDS if self._by_id else FIRST_FETCH_INTERVAL_SECONDS
        return self._within(self._tried_at, interval)

    def _within(self, since: float | None, seconds: float) -> bool:
        # A clock that was put back must not stop fetches until it has caught up: a negative age is no age.
        return since is not None and 0 <= self._clock() - since < seconds

    def _refresh(self) -> None:
        """Fetch the keys; the lock is held. A failure is noted and leaves the keys as they are."""
        if self._may_not_fetch():  # another thread did it while this one waited
            return
        try:
            self._by_id = self._fetched()
            self._fetched_at = self._clock()
            self._failure = None
        except (OSError, ValueError) as error:
            self._failure = f"the keys of {self._configuration_url} cannot be fetched: {error}"
        finally:
            self._tried_at = self._clock()

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


def _bearer_token(authorization: str | None) -> str:
    if not authorization:
        raise Refused("no Authorization header")
    if len(authorization) > MAX_HEADER_BYTES:
        raise Refused("the Authorization header is too long")
    scheme, _, token = authorization.strip().partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token or not token.isascii():
        raise Refused("the Authorization header holds no bearer token")
    return token


def _reason(error: Exception) -> str:
    """Words for the log. The class is enough; the message may quote the token."""
    return type(error).__name__.removesuffix("Error")


def _signature(key: bytes, family: str, call_id: str) -> bytes:
    if not _FAMILY.fullmatch(family):
        raise ValueError(f"{family!r} is no family of callbacks")
    # The parts cannot run into each other: neither version nor family can hold a line break.
    message = f"{SIGNATURE_VERSION}\n{family}\n{call_id}".encode("utf-8", "surrogatepass")
    return base64.urlsafe_b64encode(hmac.digest(key, message, "sha256")).rstrip(b"=")


def _key_bytes(key: bytes | str) -> bytes:
    return base64.b64decode(key, validate=True) if isinstance(key, str) else key


def _get_json(url: str) -> Any:
    import requests

    answer = requests.get(url, timeout=FETCH_TIMEOUT_SECONDS, headers={"Accept": "application/json"})
    answer.raise_for_status()
    return answer.json()
