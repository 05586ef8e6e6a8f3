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
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from shared.errors import Refused
from shared.issuer_keys import GetJson, IssuerKeys

# PyJWT is imported where it is used: with cryptography it costs more than 100 ms, and an instance that starts for a
# timer or a recording needs neither.

SERVICE_ISSUER = "https://acscallautomation.communication.azure.com"
"""Issuer of callback tokens (docs: how-tos/call-automation/secure-webhook-endpoint)."""

SERVICE_OPENID_CONFIGURATION = f"{SERVICE_ISSUER}/calling/.well-known/acsopenidconfiguration"
"""Where the service publishes the keys that sign callback tokens (same page)."""

SIGNATURE_VERSION = "v1"
"""Signed with the rest, so that a later scheme can never accept a signature of this one."""

CALL_LEVEL = "call"
"""The family of the call-level callback URL, which carries every event that no action's URL takes."""

MAX_HEADER_BYTES = 8 * 1024
"""Longest Authorization header looked at. The service's tokens are below 2 KB."""

LEEWAY_SECONDS = 60
"""Tolerated difference between the service's clock and ours. Tokens live 5 minutes (docs: secure-webhook-endpoint)."""

_FAMILY = re.compile(r"[a-z][a-z0-9-]*")


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
        self._accepted = accepted_keys(signing_key, previous_key)

    def url(self, call_id: str, family: str = CALL_LEVEL) -> str:
        """The callback URL of a call: the call-level one, or that of one family of actions."""
        path = quote(call_id, safe="") + ("" if family == CALL_LEVEL else f"/{family}")
        return f"{self._root}/{path}?sig={_signature(self._accepted[0], family, call_id).decode()}"

    def verify(self, call_id: str, family: str, signature: str | None) -> None:
        """Pass if the signature was made here for this call and family; raises Refused (403) if not."""
        if not is_signed(signature, [_signature(key, family, call_id) for key in self._accepted]):
            raise Refused("the callback URL is not one that this app signed for this call", 403)


class StreamUrls(CallbackUrls):
    """Makes and checks the web-socket URLs of media streaming and transcription, signed like callback URLs.

    Args:
        base_url: public address of the streams service, wss:// and without a path.
    """

    def __init__(self, base_url: str, signing_key: bytes | str, *, previous_key: bytes | str = b"") -> None:
        super().__init__(base_url, signing_key, "/streams", previous_key=previous_key)


class TokenVerifier:
    """Verifies the token that the service sends with each callback.

    RS256 only, with the keys that the issuer publishes (`shared.issuer_keys`). Safe to share between threads.

    Args:
        configuration_url: OpenID configuration, whose `jwks_uri` names the keys.
        issuer: the only accepted `iss`.
        audience: the only accepted `aud`: the immutable resource id (docs: secure-webhook-endpoint).
        http: fetches a JSON document; default: `get_json`, which is bounded in time and size.
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
        self._keys = IssuerKeys(configuration_url, http or _get_json, clock)

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


def accepted_keys(signing_key: bytes | str, previous_key: bytes | str) -> list[bytes]:
    """The keys whose signatures are accepted, first the one that signs. ValueError if that is empty."""
    keys = [key_bytes(signing_key), key_bytes(previous_key)]
    if not keys[0]:
        raise ValueError("an empty signing key signs nothing")
    return [key for key in keys if key]


def is_signed(given: str | None, signatures: Sequence[bytes]) -> bool:
    """Whether a signature is one of these. Every one is compared, whatever the first gave: the time taken tells
    nothing."""
    encoded = (given or "").encode("utf-8", "surrogatepass")
    matches = [hmac.compare_digest(one, encoded) for one in signatures]
    return any(matches)


def key_bytes(key: bytes | str) -> bytes:
    """A key as it stands in a setting, or as it is."""
    return base64.b64decode(key, validate=True) if isinstance(key, str) else key


def _get_json(url: str) -> Any:
    from shared.json_over_http import get_json

    return get_json(url)
