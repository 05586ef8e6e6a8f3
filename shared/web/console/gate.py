"""The way into the console: who may see a page, what every page carries, and the log of what people do."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from shared.errors import Refused
from shared.logs import logger, one_line
from shared.web.console.exchange import ROOT, Reply, Request, see_other
from shared.web.console.rendering import rendered, static_file
from shared.web.console.sign_in import PLATFORM_SIGN_IN, SIGNED_OUT, Permission, Person, SignIn, is_same_site

log = logger("switchboard.console")

PAGES: tuple[tuple[str, str, Permission], ...] = (
    ("", "Today", "read"),
    ("/calls", "Calls", "read"),
    ("/campaigns", "Campaigns", "read"),
    ("/masked-numbers", "Masked numbers", "read"),
    ("/messages", "Messages", "read"),
    ("/quality", "Quality", "listen"),
    ("/status", "Status", "status"),
)
"""Path, name, and what one needs to see it."""

OF_USES = frozenset({"Campaigns", "Masked numbers", "Messages"})
"""Pages of use cases: each is there only where its use case is set up."""

MOST_OF_AN_ID = 80
"""Characters of an id in the log (our choice): it may come from an address that somebody typed."""

NOTHING_HERE = Reply(404, "", "text/plain")
"""Where there is no console, or not for such a request."""


@dataclass(frozen=True, slots=True)
class Visit:
    """A request of somebody who may make it.

    Attributes:
        token: what the forms of the page carry.
        mark: names something in a form without telling it.
    """

    request: Request
    person: Person
    token: str
    mark: Callable[[str], str]

    def did(self, what: str, id_: str = "", of: str = "call") -> None:
        """Log what somebody did; never a number. Args: of: what the id is the id of."""
        log.info("console %s %s=%s by=%s", what, of, one_line(id_, MOST_OF_AN_ID) or "-", self.person.name)


class Gate:
    """Lets people in, and makes the frame of their pages.

    Args:
        company: as `lines.yaml` names it; may be empty.
        uses: the pages of use cases that are set up, by name.
    """

    def __init__(self, sign_in: SignIn, company: str = "", uses: Collection[str] = ()) -> None:
        self._sign_in = sign_in
        self._company = company
        self._pages = [page for page in PAGES if page[1] not in OF_USES or page[1] in uses]

    def enter(self, request: Request, permission: Permission) -> Visit | Reply:
        """The visit, or the page that says why there is none. Refused for a form that is no page's of this person."""
        if not self._sign_in.is_there(request.headers):
            return NOTHING_HERE
        person = self._sign_in.who(request.headers)
        if person is None:
            return self.sign_in_page(401)
        if not person.may(permission):
            detail = (
                f"You are signed in as {person.name}, without a role here."
                if not person.roles
                else f"As {', '.join(sorted(person.roles))} you may not do this."
            )
            return self.message(403, "Not for you", detail, "Ask whoever runs the app for another role.", person=person)
        if request.method == "POST":
            self._check_form(request, person)
        return Visit(request, person, self._sign_in.token(person), self._sign_in.mark)

    def entered(self, request: Request, permission: Permission, show: Callable[[Visit], Reply]) -> Reply:
        """What somebody sees who may, and otherwise why not."""
        visit = self.enter(request, permission)
        return visit if isinstance(visit, Reply) else show(visit)

    def has(self, page: str) -> bool:
        """Whether there is a page of this name."""
        return any(name == page for _, name, _ in self._pages)

    def page(self, template: str, visit: Visit, here: str, *, status: int = 200, **data: Any) -> Reply:
        """A page for somebody."""
        return self._framed(template, status, visit.person, token=visit.token, here=here, **data)

    def message(
        self,
        status: int,
        heading: str,
        detail: str,
        remedy: str = "",
        *,
        back: str = ROOT,
        person: Person | None = None,
    ) -> Reply:
        """A page that says one thing."""
        told = {"heading": heading, "detail": detail, "remedy": remedy, "back": back}
        token = self._sign_in.token(person) if person else ""
        return self._framed("message.html", status, person, token=token, here="", **told)

    def problem(self, request: Request, told: Mapping[str, Any]) -> Reply:
        """A problem of the HTTP API, as a page."""
        if not self._sign_in.is_there(request.headers):
            return NOTHING_HERE
        detail = f"{told['field']}: {told['detail']}" if told.get("field") else told["detail"]
        person, remedy = self._sign_in.who(request.headers), told.get("remedy", "")
        if told["title"] == "Misconfigured" and person and person.may("status"):
            remedy = "The page Status names them."
        return self.message(told["status"], told["title"], detail, remedy, person=person)

    def static(self, request: Request, name: str) -> Reply:
        """Style and scripts, for those who are not signed in too: they need the form."""
        return static_file(name) if self._sign_in.is_there(request.headers) else NOTHING_HERE

    # Sign-in

    def sign_in_page(self, status: int = 200, *, wrong: bool = False) -> Reply:
        """The form of a key, or the way to the platform's sign-in."""
        by_platform = "platform" if self._sign_in.trusts_platform else "nothing"
        way = "keys" if self._sign_in.auth == "keys" else by_platform
        return self._framed("sign_in.html", status, None, token="", here="", way=way, wrong=wrong)

    def shown_sign_in(self, request: Request) -> Reply:
        """GET of the form."""
        if not self._sign_in.is_there(request.headers):
            return NOTHING_HERE
        return self.sign_in_page() if self._sign_in.who(request.headers) is None else see_other("")

    def signed_in(self, request: Request) -> Reply:
        """The form of a key was sent."""
        if not self._sign_in.is_there(request.headers):
            return NOTHING_HERE
        if not is_same_site(request.headers):
            raise Refused("the form comes from another site", 403)
        found = self._sign_in.cookie_for(request.form.get("key", ""))
        if found is None:
            log.warning("console sign-in with a wrong key")
            return self.sign_in_page(401, wrong=True)
        person, cookie = found
        log.info("console signed in by=%s", person.name)
        return see_other("", **{"Set-Cookie": cookie, "Cache-Control": "no-store"})

    def signed_out(self, visit: Visit) -> Reply:
        """The sign-in of this browser ends."""
        visit.did("signed out")
        return see_other("/sign-in", **{"Set-Cookie": SIGNED_OUT, "Cache-Control": "no-store"})

    def _check_form(self, request: Request, person: Person) -> None:
        if not self._sign_in.accepts(person, request.form.get("token", ""), request.headers):
            raise Refused("the form is too old, or of another site: reload the page and send it again", 403)

    def _framed(self, template: str, status: int, person: Person | None, **data: Any) -> Reply:
        frame: dict[str, Any] = {
            "person": person,
            "pages": self._pages,
            "company": self._company,
            "signs_out": self._sign_in.auth == "keys",
            "platform": PLATFORM_SIGN_IN,
        }
        return rendered(template, status, **{**frame, **data})
