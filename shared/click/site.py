"""A site: a web page with a call-me button, as it is set up, and its token."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from shared.click.customers import read_country
from shared.click.limits import Limits
from shared.errors import InvalidInput, Refused
from shared.identifiers import Identifier
from shared.lines.calendars import CALENDAR_NAME, CALENDAR_NAMES

SITE_NAME = CALENDAR_NAME
SITE_NAMES = CALENDAR_NAMES
MOST_SITES = 50
"""Sites that there can be (our choice): a preflight reads all of them."""
MOST_ORIGINS, MOST_COUNTRIES, MOST_AGENTS = 20, 60, 10
"""Of one site (our choice)."""

_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
_HOST = re.compile(r"(?:[a-z0-9-]+\.)*[a-z0-9-]+|\[[0-9a-f:]+\]")
_SECRET = 18
"""Random bytes of a token."""


def _origin(value: str) -> str:
    """`https://www.contoso.com`, as a browser sends it."""
    text = value.strip().lower().rstrip("/")
    parts = urlsplit(text)
    host, _, port = parts.netloc.rpartition(":") if re.search(r":\d+$", parts.netloc) else (parts.netloc, "", "")
    if parts.path or parts.query or parts.fragment or "@" in parts.netloc or not _HOST.fullmatch(host):
        raise ValueError("is not an origin; write https://www.contoso.com, without a path")
    if parts.scheme != "https" and not (parts.scheme == "http" and host in _LOOPBACK):
        raise ValueError("must begin with https://; http:// is for localhost alone")
    usual = {"https": "443", "http": "80"}[parts.scheme]
    return f"{parts.scheme}://{host}" if port in ("", usual) else f"{parts.scheme}://{host}:{port}"


def _country(value: str) -> str:
    try:
        return read_country(value)
    except InvalidInput as error:
        raise ValueError(f"{error.problem} {error.remedy}") from None


def _agent(value: Identifier) -> Identifier:
    if value.phone_number is None and value.kind not in ("communicationUser", "microsoftTeamsUser"):
        raise ValueError("is nobody who can be called; write +14255550142, or the raw id of a user")
    if value.is_anonymous:
        raise ValueError("is a withheld number")
    return value


def _own_number(value: Identifier) -> Identifier:
    if value.phone_number is None or value.is_anonymous:
        raise ValueError("is no telephone number; write one of your own as +18005550199")
    return value


def _calendar(value: str) -> str:
    if value and not CALENDAR_NAME.fullmatch(value):
        raise ValueError(f"is not the name of a calendar. {CALENDAR_NAMES}")
    return value


class SiteText(BaseModel):
    """A site as it is set up: where its button may stand, whom it may call, and who takes the calls."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        defer_build=True,
        json_schema_extra={
            "examples": [
                {
                    "company": "Contoso",
                    "origins": ["https://www.contoso.com"],
                    "countries": ["US", "CA"],
                    "calendar": "office",
                    "agents": ["+14255550142", "+14255550143"],
                    "caller_number": "+18005550199",
                    "consent": "Contoso may call me once at this number about my request.",
                }
            ]
        },
    )

    company: str = Field(min_length=1, max_length=60, description="as it is said on the phone")
    origins: tuple[Annotated[str, AfterValidator(_origin)], ...] = Field(
        min_length=1, max_length=MOST_ORIGINS, description="pages on which the button may stand: scheme and host"
    )
    countries: tuple[Annotated[str, AfterValidator(_country)], ...] = Field(
        min_length=1,
        max_length=MOST_COUNTRIES,
        description="whose numbers may be called, two letters each. The first is that of numbers without + and code",
    )
    agents: tuple[Annotated[Identifier, AfterValidator(_agent)], ...] = Field(
        min_length=1, max_length=MOST_AGENTS, description="who takes the calls, one after the other"
    )
    caller_number: Annotated[Identifier, AfterValidator(_own_number)] = Field(
        description="one of your numbers, which everybody sees"
    )
    consent: str = Field(min_length=1, max_length=1000, description="what somebody agrees to who asks for a call")
    calendar: Annotated[str, AfterValidator(_calendar)] = Field(
        "", description="a calendar in whose hours calls are placed; empty: at any time"
    )
    limits: Limits = Limits()
    language: str = Field(
        "",
        pattern="^([a-z]{2,3}(-[A-Za-z0-9]{2,8})*)?$",
        description="that the flow speaks; empty: as the settings say",
    )
    ring_seconds: int = Field(25, ge=15, le=60, description="how long somebody is rung")
    captcha_hook: str = Field(
        "", max_length=2048, description="who is asked whether a captcha was solved; empty: nobody"
    )
    enabled: bool = Field(True, description="false: no call is granted, and none that was is placed any more")

    @property
    def consent_version(self) -> str:
        """Tells one text from the next."""
        return hashlib.sha256(self.consent.encode()).hexdigest()[:12]


class StoredSite(BaseModel):
    """A row."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    name: str
    text: SiteText
    token: str


def made_token(name: str) -> str:
    """A new token of a site. It stands in web pages: it says which site is meant, and protects nothing."""
    return f"{name}.{secrets.token_urlsafe(_SECRET)}"


def site_of(token: str) -> str:
    """The name of the site that a token is for; Refused for what is no token."""
    name, dot, secret = token.partition(".")
    if not dot or not secret or not SITE_NAME.fullmatch(name):
        raise Refused("this is not the token of a button", 403)
    return name


def admit(site: StoredSite | None, token: str, origin: str) -> StoredSite:
    """The site, if this is its token and the page is one of its own; Refused."""
    if site is None or not hmac.compare_digest(site.token.encode(), token.encode()):
        raise Refused("this is not the token of a button", 403)
    if origin.lower() not in site.text.origins:
        raise Refused("the button may not stand on this page", 403)
    return site
