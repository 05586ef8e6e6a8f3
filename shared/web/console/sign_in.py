"""Who asks, and what they may: the ways to sign in that CONSOLE_AUTH names.

`local` takes everybody at this machine for its admin. `keys` knows people by a signed cookie, which the form of a
console key gives. `appservice` reads the header that App Service's authentication sets, and only where the platform
says that this is on: otherwise anybody could send it. A page never has a function key.
"""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

from shared.console_keys import MOST_CHARACTERS_OF_A_NAME, ROLES, Auth, ConsoleKey, Role, owner_of
from shared.exposure import in_azure
from shared.logs import one_line
from shared.security import is_signed
from shared.setting_values import is_loopback

Permission = Literal["read", "listen", "numbers", "act", "status"]

MAY: Mapping[Permission, frozenset[Role]] = {
    "read": frozenset(ROLES),
    "listen": frozenset({"reviewer", "supervisor", "auditor", "admin"}),
    "numbers": frozenset({"supervisor", "auditor", "admin"}),
    "status": frozenset({"supervisor", "auditor", "admin"}),
    "act": frozenset({"supervisor", "admin"}),
}
"""What each role may: look at calls; hear recordings and read reports; see and search numbers; see how the app is set
up; change something."""

COOKIE = "__Host-switchboard-console"
"""The prefix makes browsers take it from this very host alone, and only with Secure and Path=/."""

SESSION_SECONDS = 8 * 60 * 60
"""How long a sign-in with a key lasts, and how long a page may be open before its forms are refused."""

PLATFORM_SIGN_IN = "/.auth/login/aad?post_login_redirect_uri=/api/console"
"""App Service's own page (docs: configure-authentication-customize-sign-in-out)."""

_ROLE_CLAIMS = ("roles", "http://schemas.microsoft.com/ws/2008/06/identity/claims/role")
_FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host")
"""What a proxy or tunnel adds: its requests may name this machine as their host, and come from anywhere."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is signed in.

    Attributes:
        identity: what the tokens in this person's forms are bound to.
    """

    name: str
    roles: frozenset[Role]
    identity: str

    def may(self, permission: Permission) -> bool:
        """Whether one of the roles allows it."""
        return bool(self.roles & MAY[permission])


def platform_signs_in(environ: Mapping[str, str]) -> bool:
    """Whether App Service says that its authentication is on."""
    return environ.get("WEBSITE_AUTH_ENABLED", "").lower() in ("true", "1")


class SignIn:
    """Reads sign-ins, and makes the cookies and tokens that it reads later. Safe to share between threads.

    Args:
        signing_keys: first the one that signs; all are accepted. Cookies and tokens have keys of their own from it.
        environ: what the platform says of itself.
        clock: Unix time in seconds.
    """

    def __init__(
        self,
        auth: Auth,
        keys: Sequence[ConsoleKey],
        signing_keys: Sequence[bytes],
        environ: Mapping[str, str],
        clock: Callable[[], float],
    ) -> None:
        self.auth = auth
        self._keys = keys
        self._sessions = [hmac.digest(key, b"key of console sessions v1", "sha256") for key in signing_keys]
        self._forms = [hmac.digest(key, b"key of console forms v1", "sha256") for key in signing_keys]
        self._environ = environ
        self._clock = clock

    def is_there(self, headers: Mapping[str, str]) -> bool:
        """Whether there is a console at all for such a request."""
        if self.auth == "local":
            host = is_loopback(f"http://{headers.get('host', '')}")
            return host and not in_azure(self._environ) and not any(headers.get(name) for name in _FORWARDED)
        return self.auth != "off"

    @property
    def trusts_platform(self) -> bool:
        """Whether the platform says that it authenticates, and so takes the header from everybody else."""
        return self.auth == "appservice" and platform_signs_in(self._environ)

    def who(self, headers: Mapping[str, str]) -> Person | None:
        """Who asks; None: nobody who is signed in."""
        if not self.is_there(headers):
            return None
        if self.auth == "local":
            return Person("developer", frozenset({"admin"}), "local")
        if self.auth == "keys":
            return self._by_cookie(headers.get("cookie", ""))
        return _by_principal(headers.get("x-ms-client-principal", "")) if self.trusts_platform else None

    # A person's own key

    def cookie_for(self, key: str) -> tuple[Person, str] | None:
        """Whose key this is, and the Set-Cookie that signs them in; None: nobody's."""
        owner = owner_of(key.strip(), self._keys) if self.auth == "keys" else None
        if owner is None:
            return None
        session = {"n": owner.name, "r": owner.role, "k": owner.id, "e": int(self._clock()) + SESSION_SECONDS}
        text = _encode(json.dumps(session, separators=(",", ":")).encode())
        value = f"{text}.{_sign(self._sessions[0], text)}"
        return _person(owner), f"{COOKIE}={value}; Max-Age={SESSION_SECONDS}; {_ATTRIBUTES}"

    def _by_cookie(self, header: str) -> Person | None:
        pairs = (part.strip().partition("=") for part in header.split(";"))
        value = next((value for name, _, value in pairs if name == COOKIE), "")
        text, _, signature = value.partition(".")
        if not is_signed(signature, [_sign(key, text).encode() for key in self._sessions]):
            return None
        session = json.loads(_decode(text))
        if session["e"] <= self._clock():
            return None
        # A key that is gone from the setting, or has another owner or role there, signs nobody in any more.
        named = (session["n"], session["r"], session["k"])
        owner = next((one for one in self._keys if (one.name, one.role, one.id) == named), None)
        return _person(owner) if owner else None

    # Tokens of forms

    def mark(self, text: str) -> str:
        """A name for something in a form that tells nothing of it: a participant's number, above all."""
        return _sign(self._forms[0], f"mark {text}")[:20]

    def token(self, person: Person) -> str:
        """What a form of this person's pages carries; a page of another site cannot know it."""
        expiry = str(int(self._clock()) + SESSION_SECONDS)
        return f"{expiry}.{_sign(self._forms[0], f'{expiry} {person.identity}')}"

    def accepts(self, person: Person, token: str, headers: Mapping[str, str]) -> bool:
        """Whether a form comes from a page that this person was given."""
        expiry, _, signature = token.partition(".")
        made = [_sign(key, f"{expiry} {person.identity}").encode() for key in self._forms]
        if not is_signed(signature, made) or int(expiry) <= self._clock():
            return False
        return is_same_site(headers)


def is_same_site(headers: Mapping[str, str]) -> bool:
    """Whether a browser that says where a form comes from says that it comes from here."""
    if (site := headers.get("sec-fetch-site")) is not None:
        return site in ("same-origin", "none")
    origin = headers.get("origin")
    return origin is None or urlsplit(origin).netloc == headers.get("host", "")


_ATTRIBUTES = "Path=/; Secure; HttpOnly; SameSite=Strict"
SIGNED_OUT = f"{COOKIE}=; Max-Age=0; {_ATTRIBUTES}"
"""The Set-Cookie that ends a sign-in with a key."""


def _person(owner: ConsoleKey) -> Person:
    return Person(owner.name, frozenset({owner.role}), f"key {owner.id}")


def _by_principal(header: str) -> Person | None:
    """The person in App Service's header: base64 of JSON with claims (docs: configure-authentication-user-identities).

    None for what cannot be read; somebody without a role of ours is a person who may nothing.
    """
    try:
        principal = json.loads(base64.b64decode(header, validate=True))
        claims = [(str(claim["typ"]), str(claim["val"])) for claim in principal["claims"]]
        names, roles = {principal["name_typ"], "name", "preferred_username"}, {principal["role_typ"], *_ROLE_CLAIMS}
    except (ValueError, KeyError, TypeError):
        return None
    given = {value.lower().removeprefix("switchboard.") for kind, value in claims if kind in roles}
    name = next((value for kind, value in claims if kind in names and value), "")
    id_ = next((value for kind, value in claims if kind.rpartition("/")[2] in ("objectidentifier", "oid")), name)
    if not id_:
        return None
    shown = one_line(name or id_, MOST_CHARACTERS_OF_A_NAME)
    return Person(shown, frozenset(role for role in ROLES if role in given), f"appservice {id_}")


def _sign(key: bytes, text: str) -> str:
    return _encode(hmac.digest(key, text.encode("utf-8", "surrogatepass"), "sha256"))


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decode(text: str) -> Any:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
