"""Access tokens of Microsoft Entra ID, checked as far as somebody can who knows no tenant: `--oauth basic`.

Form, times and audience are checked, as Azurite's option of that name does; signature, tenant and roles are not.
"""

from __future__ import annotations

import jwt
from jwt.types import Options

from acs_emulator.core.config import Config
from acs_emulator.core.errors import Unauthorized

#: Audiences of the services that the emulator stands for; a slash at the end does not count.
COMMUNICATION = "https://communication.azure.com"
EVENT_GRID = "https://eventgrid.azure.net"
SPEECH = "https://cognitiveservices.azure.com"
_CHECKED: Options = {
    "verify_signature": False,
    "verify_exp": True,
    "verify_nbf": True,
    "verify_iat": True,
    "verify_aud": True,
    "require": ["exp", "nbf", "iat", "aud"],
}


class TokenChecker:
    """Checks tokens for one audience."""

    def __init__(self, audience: str) -> None:
        self._audience = audience

    def check(self, authorization: str) -> None:
        """Raise Unauthorized unless the header has a bearer token for the audience that is valid now."""
        scheme, _, token = authorization.partition(" ")
        problem = "no bearer token"
        if scheme.lower() == "bearer":
            try:
                jwt.decode(
                    token.strip(),
                    audience=[self._audience, f"{self._audience}/"],
                    options=_CHECKED,
                )
                return
            except jwt.InvalidTokenError as error:
                problem = f"a token that is not taken: {error}"
        raise Unauthorized(problem, f"Ask for a token of {self._audience}/.default.")


def token_checker(config: Config, audience: str) -> TokenChecker | None:
    """What checks tokens for an audience; None where the settings take none."""
    return TokenChecker(audience) if config.oauth else None
