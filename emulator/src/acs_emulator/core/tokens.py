"""The signing key of callbacks, its OpenID document and its key set."""

from __future__ import annotations

import json
import time
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

#: Issuer of the service's callback tokens, no trailing slash (docs: secure-webhook-endpoint).
ISSUER = "https://acscallautomation.communication.azure.com"
#: Life of a callback token in seconds (docs: secure-webhook-endpoint).
CALLBACK_TOKEN_LIFE = 300
#: Life of a web socket token in seconds: 24 hours (docs: secure-webhook-endpoint).
WEB_SOCKET_TOKEN_LIFE = 24 * 3600
OPENID_PATH = "/calling/.well-known/acsopenidconfiguration"
KEYS_PATH = "/calling/keys"
_ALGORITHM = "RS256"
_KEY_BITS = 2048


class TokenSigner:
    """Signs callback tokens with an RSA key that is made at start and never leaves the process."""

    def __init__(self, audience: str, key_id: str) -> None:
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=_KEY_BITS)
        self._audience = audience
        self._key_id = key_id

    def callback_token(self) -> str:
        """A fresh token for one event: RS256, five minutes, audience = the resource id."""
        return self._token(CALLBACK_TOKEN_LIFE)

    def web_socket_token(self) -> str:
        """A token for one web socket connection: the same but for its life of 24 hours."""
        return self._token(WEB_SOCKET_TOKEN_LIFE)

    def _token(self, life: int) -> str:
        now = int(time.time())
        claims = {"iss": ISSUER, "aud": self._audience, "nbf": now, "iat": now, "exp": now + life}
        return jwt.encode(claims, self._key, algorithm=_ALGORITHM, headers={"kid": self._key_id})

    def key_set(self) -> dict[str, Any]:
        """The JSON Web Key Set with the public key."""
        public = json.loads(RSAAlgorithm.to_jwk(self._key.public_key()))
        return {"keys": [{**public, "use": "sig", "alg": _ALGORITHM, "kid": self._key_id}]}


def openid_document(origin: str) -> dict[str, Any]:
    """OpenID configuration: the service's issuer, with the emulator's own key address."""
    return {
        "issuer": ISSUER,
        "jwks_uri": f"{origin}{KEYS_PATH}",
        "id_token_signing_alg_values_supported": [_ALGORITHM],
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
    }
