"""An issuer of callback tokens: its keys, its two documents, and tokens as it signs them."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from functools import cache
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from shared.errors import Refused
from shared.security import TokenVerifier

ISSUER = "https://acscallautomation.communication.azure.com"
AUDIENCE = "8b3b2565-9105-49f4-9b61-081357959c70"
CONFIGURATION = "https://service.example/openid"
KEYS = "https://service.example/keys"
NOW = 1_800_000_000.0


def refused(check: Callable[[], None]) -> Refused:
    with pytest.raises(Refused) as caught:
        check()
    return caught.value


def private_key(name: str = "a", bits: int = 2048) -> rsa.RSAPrivateKey:
    return _generated(name, bits)


@cache
def _generated(name: str, bits: int) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def jwk(name: str = "a", bits: int = 2048, **changes: Any) -> dict[str, Any]:
    entry = RSAAlgorithm.to_jwk(private_key(name, bits).public_key(), as_dict=True)
    return {**entry, "kid": name, "use": "sig", "alg": "RS256", **changes}


class Service:
    """The issuer's two documents, and how often they were asked for."""

    def __init__(self, *keys: dict[str, Any]) -> None:
        self.keys: Any = list(keys) or [jwk()]
        self.configuration: Any = {"issuer": ISSUER, "jwks_uri": KEYS}
        self.fetches = 0
        self.down = False

    def __call__(self, url: str) -> Any:
        self.fetches += url == CONFIGURATION
        if self.down:
            raise ConnectionError("no answer")
        return self.configuration if url == CONFIGURATION else {"keys": self.keys}


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


def verifier(service: Service | None = None, clock: Clock | None = None) -> TokenVerifier:
    return TokenVerifier(CONFIGURATION, ISSUER, AUDIENCE, http=service or Service(), clock=clock or Clock())


def claims(**changes: Any) -> dict[str, Any]:
    now = int(NOW)
    all_claims = {"iss": ISSUER, "aud": AUDIENCE, "iat": now, "nbf": now, "exp": now + 300, **changes}
    return {name: value for name, value in all_claims.items() if value is not None}


def bearer(key: str = "a", kid: str | None = "a", **changes: Any) -> str:
    headers = {"kid": kid} if kid is not None else None
    return "Bearer " + jwt.encode(claims(**changes), private_key(key), algorithm="RS256", headers=headers)


def encoded(value: Any) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
