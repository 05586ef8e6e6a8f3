"""Call-me buttons in the HTTP API: sites for their owner, a few routes for the pages on which buttons stand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from shared.click.customers import MOST_NAME, address_of
from shared.click.request import Asked, Outcome, Request, State
from shared.click.service import Click
from shared.click.site import SITE_NAME, SITE_NAMES, SiteText, StoredSite
from shared.errors import InvalidInput
from shared.web.document import KEY, PAGE, Document
from shared.web.models import MAX_KEY, read
from shared.web.queries import day, limit, only, page, position

MOST_BYTES = 8 * 1024
"""Of a request from a page (our choice)."""
FILES = Path(__file__).parent.parent / "click"
SCRIPT, DEMO = "button.js", "demo.html"


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class SiteView(_Model):
    """A site, its token, and how it stands now."""

    name: str
    token: str = Field(description="for the page; it may be seen by everybody")
    script: str = Field(description="what the page needs, beside a button with the attribute data-switchboard")
    consent_version: str
    is_open: bool
    opens_at: datetime | None = Field(description="when calls are placed next: now, if it is open; null: never")
    site: SiteText


class SiteList(_Model):
    """All sites, by name."""

    sites: tuple[SiteView, ...]


class ButtonAsked(_Model):
    """Which button a page wants to show."""

    token: str = Field(max_length=200)


class ButtonView(_Model):
    """What a page shows: the button, the consent, and whether somebody can be called now."""

    company: str
    consent: str
    consent_version: str
    countries: tuple[str, ...]
    language: str
    captcha: bool = Field(description="whether a captcha must be solved")
    is_open: bool
    opens_at: datetime | None


class AskForCall(_Model):
    """Somebody wants to be called."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        defer_build=True,
        json_schema_extra={
            "examples": [{"token": "shop.q8Zk…", "number": "+14255550123", "name": "Ada", "consent": "3f9a0c1e8d1f"}]
        },
    )

    token: str = Field(max_length=200)
    number: str = Field(max_length=40, description="as people write it")
    name: str = Field("", max_length=4 * MOST_NAME, description="letters only; it is read out to the agent")
    consent: str = Field(max_length=40, description="`consent_version` of the text that was shown and agreed to")
    at: AwareDatetime | None = Field(None, description="when to call, at most 7 days ahead; null: now")
    captcha: str = Field("", max_length=4096, description="what solving the captcha gave")


class CallStatus(_Model):
    """What becomes of a request. The id is all that is needed to ask for it, and cannot be guessed."""

    id: str
    state: State
    outcome: Outcome = Field(description="how it ended; empty: it has not")
    at: datetime = Field(description="when the call is placed, or was to be")


class RequestView(_Model):
    """A request for a call, with what was agreed to."""

    id: str
    site: str
    number: str
    name: str
    origin: str
    asked_at: datetime
    at: datetime
    consent: str
    consent_version: str
    state: State
    outcome: Outcome
    attempt: int = Field(description="the place of the agent in the list, from 0")
    seconds: int = Field(description="how long the two talked")


class RequestList(_Model):
    """One page of the requests of a day, the oldest first."""

    requests: tuple[RequestView, ...]
    figures: dict[str, int] = Field(description="requests of the whole day by outcome, or by state while under way")
    next: str | None = Field(None, description="`after` of the next page; null: this is the last")


class Page(NamedTuple):
    """A request from a web page.

    Attributes:
        origin: of the page, as the browser says it; anybody else may say anything.
        forwarded: X-Forwarded-For.
    """

    origin: str
    forwarded: str


class ClickRoutes:
    """What the routes do.

    Args:
        base_url: the public address of this app.
        proxies: of one's own before the app.
    """

    def __init__(self, click: Click, base_url: str, proxies: int) -> None:
        self._click = click
        self._base_url = base_url
        self._proxies = proxies

    # For who owns the buttons

    def sites(self) -> SiteList:
        """All of them."""
        return SiteList(sites=tuple(map(self._site, self._click.store.sites())))

    def site(self, name: str) -> SiteView:
        """One. NotFound."""
        return self._site(self._click.site(name))

    def put_site(self, name: str, body: bytes) -> tuple[bool, SiteView]:
        """Set one up or change it; whether it is new. InvalidInput."""
        if not SITE_NAME.fullmatch(name):
            raise InvalidInput("site", f"{name[:40]!r} is not the name of a site.", SITE_NAMES)
        is_new, stored = self._click.put_site(name, read(SiteText, body))
        return is_new, self._site(stored)

    def remove_site(self, name: str) -> None:
        """Withdraw one for good. NotFound."""
        self._click.remove_site(name)

    def requests(self, query: Mapping[str, str]) -> RequestList:
        """A page of the requests of a day."""
        only(query, ("day", "site", "limit", "after"))
        size, after, site = limit(query.get("limit")), position(query.get("after")), query.get("site")
        of_day = [one for one in self._click.store.of_day(day(query.get("day"))) if site in (None, "", one.site)]
        found, more = page((one for one in of_day if one.id > after), size)
        return RequestList(
            requests=tuple(map(_view, found)),
            figures=dict(sorted(Counter(one.outcome or one.state for one in of_day).items())),
            next=found[-1].id if more else None,
        )

    # For pages

    def knows(self, origin: str) -> bool:
        """Whether a button stands on this page."""
        return bool(origin) and self._click.knows(origin)

    def opened(self, asked: Page, body: bytes) -> StoredSite:
        """The site of a token, on one of its pages. InvalidInput, Refused."""
        return self._click.page(read(_Token, body, most=MOST_BYTES).token, asked.origin)

    def button(self, site: StoredSite, body: bytes) -> ButtonView:
        """What its page shows."""
        read(ButtonAsked, body)
        text, opens = site.text, self._click.opening(site)
        return ButtonView(
            company=text.company,
            consent=text.consent,
            consent_version=text.consent_version,
            countries=text.countries,
            language=text.language,
            captcha=bool(text.captcha_hook),
            is_open=opens is not None and opens <= datetime.now(UTC),
            opens_at=opens,
        )

    def ask(self, site: StoredSite, asked: Page, body: bytes, key: str | None) -> CallStatus:
        """Have somebody called, now or later."""
        if key is not None and not 1 <= len(key) <= MAX_KEY:
            raise InvalidInput("Idempotency-Key", f"has {len(key)} characters.", f"Use 1 to {MAX_KEY}.")
        wish = read(AskForCall, body, most=MOST_BYTES)
        given = Asked(wish.number, wish.name, wish.consent, wish.at, wish.captcha)
        address = address_of(asked.forwarded, self._proxies)
        return _status(self._click.ask(site, given, origin=asked.origin, address=address, key=key or ""))

    def status(self, request_id: str) -> tuple[CallStatus, str]:
        """What becomes of a request, and the page that it came from. NotFound."""
        request = self._click.request(request_id)
        return _status(request), request.origin

    def cancel(self, request_id: str) -> tuple[CallStatus, str]:
        """Take a request back that waits, and the page that it came from. NotFound, StateConflict."""
        request = self._click.cancel(request_id)
        return _status(request), request.origin

    def _site(self, stored: StoredSite) -> SiteView:
        opens = self._click.opening(stored)
        source = f"{self._base_url}/api/click/{SCRIPT}"
        return SiteView(
            name=stored.name,
            token=stored.token,
            script=f'<script src="{source}" data-token="{stored.token}" defer></script>',
            consent_version=stored.text.consent_version,
            is_open=opens is not None and opens <= datetime.now(UTC),
            opens_at=opens,
            site=stored.text,
        )


class _Token(BaseModel):
    """Of any request from a page; its model judges the rest."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    token: str = Field(max_length=200)


@lru_cache(maxsize=4)
def static(name: str) -> tuple[str, str]:
    """A file as it is served, and its ETag."""
    text = (FILES / name).read_text("utf-8")
    return text, f'"{sha256(text.encode()).hexdigest()[:16]}"'


def _status(request: Request) -> CallStatus:
    return CallStatus(id=request.id, state=request.state, outcome=request.outcome, at=request.at)


def _view(request: Request) -> RequestView:
    fields = {name: getattr(request, name) for name in RequestView.model_fields if not name.startswith("consent")}
    return RequestView(consent=request.consent.text, consent_version=request.consent.version, **fields)


_SITE: dict[str, Any] = {
    "name": "site",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "pattern": f"^{SITE_NAME.pattern}$"},
}
_REQUEST: dict[str, Any] = {"name": "request_id", "in": "path", "required": True, "schema": {"type": "string"}}
_LIST: list[dict[str, Any]] = [
    {
        "name": "day",
        "in": "query",
        "description": "UTC day, 2026-11-23; default: today",
        "schema": {"type": "string", "format": "date"},
    },
    {"name": "site", "in": "query", "description": "only of this site", "schema": {"type": "string"}},
    *PAGE,
]


def describe(document: Document) -> None:
    """Its routes in the OpenAPI document."""
    sites, site = "/click/sites", "/click/sites/{site}"
    document.add(sites, "get", "listSites", "List the call-me buttons", None, {200: SiteList}, [], (401, 503))
    document.add(site, "get", "getSite", "Get a call-me button", None, {200: SiteView}, [_SITE], (401, 404, 503))
    made: dict[int, type[BaseModel]] = {200: SiteView, 201: SiteView}
    document.add(site, "put", "putSite", "Set up a call-me button", SiteText, made, [_SITE], (400, 401, 503))
    document.add(site, "delete", "deleteSite", "Withdraw a button for good", None, {}, [_SITE], (401, 404, 503))
    document.no_content(site, "delete", "its token is worth nothing from now on")
    calls, call = "/click/calls", "/click/calls/{request_id}"
    problems = (400, 401, 503)
    document.add(calls, "get", "listRequests", "List who asked for a call", None, {200: RequestList}, _LIST, problems)
    view: dict[int, type[BaseModel]] = {200: ButtonView}
    document.add("/click/button", "post", "getButton", "What a page shows", ButtonAsked, view, [], (400, 403, 503))
    status: dict[int, type[BaseModel]] = {200: CallStatus}
    granted: dict[int, type[BaseModel]] = {202: CallStatus}
    refused = (400, 403, 409, 429, 503)
    document.add(calls, "post", "askForCall", "Have somebody called", AskForCall, granted, [KEY], refused)
    document.add(call, "get", "getCallStatus", "What becomes of it", None, status, [_REQUEST], (404, 503))
    cancelled = f"{call}/cancel"
    document.add(cancelled, "post", "cancelRequest", "Take it back", None, status, [_REQUEST], (404, 409, 503))
    for path, description, media in (
        ("/click/button.js", "the script that a page loads", "text/javascript"),
        ("/click/demo", "a page with a button; its token is given after `#`", "text/html"),
    ):
        document.add(path, "get", "get" + path.title().translate(_LETTERS), description.capitalize(), None, {}, [], ())
        document.text(path, media, description)
        document.public(path, "get")
    for path, method in (("/click/button", "post"), (calls, "post"), (call, "get"), (cancelled, "post")):
        document.public(path, method)


_LETTERS = str.maketrans("", "", "/.")
