"""The pages of messages: whom somebody should call back, what they left, and who has called. A method is a route."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple
from urllib.parse import urlencode, urlsplit

from shared.errors import StateConflict
from shared.handoff.case import WAITING
from shared.identifiers import Identifier
from shared.web.console.exchange import Reply, see_other
from shared.web.console.gate import Gate, Visit
from shared.web.console.rendering import POLICY
from shared.web.console.words import masked_number, person, without_numbers
from shared.web.handoff import BriefCase, CaseService, CaseView, ListedCase

PAGE = 50
"""Messages on one page (our choice)."""
ON_TODAY = 8
"""Messages that Today names (our choice)."""
MOST_LOOKED_AT, LOOKED_AT_ON_TODAY = 5_000, 1_000
"""Callers among whom those who wait are looked for, the newest: five requests, and one (our choice)."""
HERE = "Messages"

STATE: Mapping[str, tuple[str, str]] = {
    "open": ("on the line", "live"),
    "handed_off": ("put through", ""),
    "left": ("rang off, or needed nobody", ""),
    "message": ("left a message", "some"),
    "call_back": ("will be called back", "some"),
    "called_back": ("called back", "good"),
    "withdrawn": ("wants no call any more", ""),
    "replaced": ("has called again", ""),
    "not_reached": ("not reached by the app", "bad"),
}
"""What is said of a case, and the kind of its badge."""

NOT_TAKEN: Mapping[str, str] = {
    "closed": "was closed",
    "not_answered": "did not answer",
    "not_set_up": "is not set up",
}
"""Why the contact centre did not take somebody."""

_SOUNDS = (".wav", ".mp3", ".mp4")


class Row(NamedTuple):
    """Somebody in a list."""

    case: ListedCase
    state: str
    badge: str
    caller: str
    said: str


class Contact(NamedTuple):
    """Who called, whom to call, and what was called, as the reader may see them."""

    caller: str
    back: str
    line: str


class MessagePages:
    """The pages of messages. Args: cases: put together on first use."""

    def __init__(self, gate: Gate, cases: Callable[[], CaseService]) -> None:
        self._gate = gate
        self._cases = cases

    def listed(self, visit: Visit) -> Reply:
        """Whom somebody should call back, or everybody."""
        query = visit.request.query
        everybody, after = query.get("who") == "all", query.get("after", "")
        found, on = self._cases().brief(after, PAGE, MOST_LOOKED_AT, waiting=not everybody)
        more = {"who": "all"} if everybody else {}
        return self._gate.page(
            "messages.html",
            visit,
            HERE,
            rows=rows_of(found),
            everybody=everybody,
            next=urlencode({**more, "after": on}) if on else "",
            first=not after,
            looked_on=not found and on is not None,
        )

    def one(self, visit: Visit, case_id: str, *, numbers: bool = False, wrong: str = "", status: int = 200) -> Reply:
        """One caller: what they said, keyed and left."""
        case = self._cases().get(case_id)
        if numbers:
            visit.did("showed numbers", case_id, "message")
        sounds = [file.url for file in case.files if file.name.endswith(_SOUNDS)]
        plays = visit.person.may("listen") and bool(sounds)
        state, badge = STATE[case.state]
        shown = self._gate.page(
            "message_one.html",
            visit,
            HERE,
            status=status,
            case=case,
            state=state,
            badge=badge,
            contact=contact_of(case, numbers=numbers),
            said=case.said if numbers else without_numbers(case.said),
            keyed=case.keyed if numbers else without_numbers(case.keyed),
            not_taken=[NOT_TAKEN.get(why, why) for why in case.not_taken.values()],
            sounds=sounds if plays else (),
            waits=case.state in WAITING,
            numbers=numbers,
            wrong=wrong,
            did="Marked as called back." if visit.request.query.get("did") == "called-back" else "",
        )
        if not plays:
            return shown
        visit.did("opened a message to hear", case_id, "message")
        policy = {"Content-Security-Policy": f"{POLICY}; media-src {' '.join(origins(sounds))}"}
        return Reply(shown.status, shown.body, shown.content_type, {**shown.headers, **policy})

    def called_back(self, visit: Visit, case_id: str) -> Reply:
        """Somebody has called: that is the reader."""
        try:
            self._cases().called_back(case_id, json.dumps({"by": visit.person.name}).encode())
        except StateConflict as error:
            return self.one(visit, case_id, wrong=str(error), status=409)
        visit.did("called back", case_id, "message")
        return see_other(f"/messages/{case_id}?did=called-back", **{"Cache-Control": "no-store"})

    def waiting(self) -> tuple[Sequence[Row], bool]:
        """Whom somebody should call back, the newest, for Today; whether there may be more. One request."""
        found, on = self._cases().brief("", ON_TODAY, LOOKED_AT_ON_TODAY, waiting=True)
        return rows_of(found), on is not None


def rows_of(cases: Sequence[BriefCase]) -> list[Row]:
    """Cases as a list shows them, without numbers."""
    return [
        Row(one.case, *STATE[one.case.state], person(one.caller, shown=False), without_numbers(one.said))
        for one in cases
    ]


def contact_of(case: CaseView, *, numbers: bool) -> Contact:
    """The numbers of a case; the line is the app's own, and no secret."""
    sides = (case.caller, case.call_back_number or case.caller)
    caller, back = (_side(side, numbers=numbers) for side in sides)
    return Contact(caller, back, case.line)


def origins(urls: Sequence[str]) -> list[str]:
    """Where files come from, as a policy names it."""
    parts = (urlsplit(url) for url in urls)
    return sorted({f"{one.scheme}://{one.netloc}" for one in parts})


def _side(written: str, *, numbers: bool) -> str:
    if not written:
        return "not known"
    if written.startswith("+"):
        return written if numbers else masked_number(written)
    return person(Identifier.parse(written).raw_id if ":" in written else f"4:{written}", shown=numbers)
