"""Cases of the hand-off in the HTTP API: what a contact centre reads of a caller, and who waits for a call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time
from itertools import islice
from typing import Any, NamedTuple, Protocol, get_args

from pydantic import BaseModel, ConfigDict, Field

from shared.errors import InvalidInput, SettingsError, UnknownRecording
from shared.handoff.case import WAITING, Case, NotTaken, State
from shared.handoff.figures import HandoffFigures, figures
from shared.handoff.service import Handoff
from shared.identifiers import Identifier
from shared.recordings.record import kept_as
from shared.web.document import PAGE, Document
from shared.web.models import read
from shared.web.queries import day, limit, only, page, position

MOST_NAME = 100
"""Characters of who has called somebody back (our choice)."""


WAIT = "waiting"
"""Of lists: whatever somebody of the contact centre should call."""
STATES = (*get_args(State), WAIT)


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ListedCase(_Model):
    """A case, without what only its reader needs."""

    id: str
    at: datetime = Field(description="when the call came in")
    state: State
    language: str
    message_seconds: float | None = Field(description="length of the message; null: there is none, or it goes on")
    recording: str | None = Field(description="the message: id for /recordings/{recording_id}; null: there is none")
    call_back_at: datetime | None = Field(description="when a call back is due, or was due last")
    call_backs: int = Field(description="calls back that were placed")
    done_at: datetime | None = Field(description="when the caller was called back, or needed it no more")
    done_by: str = Field(description="who has called; `switchboard`: the app")


class CaseList(_Model):
    """A page of cases, the newest first."""

    cases: tuple[ListedCase, ...]
    next: str | None = Field(description="`after` of the next page; null: this is the last")


class CallBackView(_Model):
    """A call back that the app has placed."""

    call_id: str
    at: datetime
    ended: str = Field(description="how it ended, in a word; empty: not yet")


class MessageFile(_Model):
    """A file of the message."""

    name: str
    url: str = Field(description="a link that expires")


class CaseView(ListedCase):
    """A case: what the caller said and keyed, and how to call."""

    call_id: str = Field(description="the call that came in: /calls/{call_id}")
    caller: str = Field(description="number or raw id; `anonymous`: withheld")
    call_back_number: str = Field(description="whom to call back; empty: nothing but `caller` is known")
    line: str = Field(description="the number that was called")
    context: dict[str, str] = Field(description="custom headers that came with the call")
    said: str = Field(description="what it is about, in the caller's words")
    keyed: str = Field(description="the customer's number, keyed or from a header")
    not_taken: dict[str, NotTaken] = Field(description="why the contact centre did not take the caller, by the try")
    calls_back: tuple[CallBackView, ...]
    replaced_by: str = Field(description="the newer case in whose place no call back is made; empty: there is none")
    files: tuple[MessageFile, ...] = Field(
        description="of the message; none: not fetched yet, no message, or no key signs links"
    )


class CalledBack(_Model):
    """Somebody has called the caller back."""

    by: str = Field("", max_length=MOST_NAME, description="who, as your own systems name them")


class BriefCase(NamedTuple):
    """A case in a list for people: who called, as raw id, and what it is about."""

    case: ListedCase
    caller: str
    said: str


class Finding(Protocol):
    """Recordings, as the HTTP API has them."""

    def file_links(self, recording: str) -> dict[str, str]:
        """Its files by name, with links that expire; UnknownRecording."""


class CaseService:
    """The cases, as a contact centre sees them.

    Args:
        recordings: made on first use.
    """

    def __init__(self, handoff: Handoff, recordings: Callable[[], Finding]) -> None:
        self._handoff = handoff
        self._recordings = recordings

    def brief(self, after: str, size: int, most: int, *, waiting: bool) -> tuple[list[BriefCase], str | None]:
        """Cases, the newest first, and where to look on; None: there are no more. A round trip for a thousand cases
        that are looked at.

        Args:
            most: cases that are looked at, be it that none of them is wanted.
            waiting: those alone whom somebody should call.
        """
        found: list[BriefCase] = []
        looked_at, last = 0, ""
        for case in islice(self._handoff.cases.all(position(after)), most):
            if not waiting or case.state in WAITING:
                if len(found) == size:
                    return found, found[-1].case.id
                found.append(BriefCase(_listed(case), case.caller, case.said))
            looked_at, last = looked_at + 1, case.id
        return found, last if looked_at == most else None

    def list(self, query: Mapping[str, str]) -> CaseList:
        """A page of cases. One round trip for a thousand that are looked at."""
        only(query, ("state", "limit", "after"))
        size, state = limit(query.get("limit")), query.get("state")
        if state and state not in STATES:
            raise InvalidInput("state", f"{state[:40]!r} is not a state.", f"Known: {', '.join(STATES)}.")
        wanted = WAITING if state == WAIT else {state}
        cases = self._handoff.cases.all(position(query.get("after")))
        found, more = page((case for case in cases if not state or case.state in wanted), size)
        return CaseList(cases=tuple(map(_listed, found)), next=found[-1].id if more else None)

    def get(self, case_id: str) -> CaseView:
        """A case. NotFound."""
        return self._view(self._handoff.cases.get(case_id))

    def called_back(self, case_id: str, body: bytes) -> CaseView:
        """Mark a case as called back. NotFound, StateConflict."""
        return self._view(self._handoff.called_back(case_id, read(CalledBack, body).by))

    def figures(self, query: Mapping[str, str]) -> HandoffFigures:
        """Figures of some days, by all cases that are kept: a round trip for a thousand."""
        only(query, ("since", "until"))
        since = day(query.get("since"))
        until = day(query.get("until")) if query.get("until") else since
        if until < since:
            raise InvalidInput("until", f"{until} is before {since}.", "Give a day that is not before `since`.")
        begin = datetime.combine(date.fromisoformat(since), time.min, UTC)
        end = datetime.combine(date.fromisoformat(until), time.max, UTC)
        return figures(self._handoff.cases.all(), begin, end)

    def _view(self, case: Case) -> CaseView:
        listed = _listed(case)
        return CaseView(
            **listed.model_dump(),
            call_id=case.call_id,
            caller=_shown(case.caller),
            call_back_number=case.number,
            line=_shown(case.line),
            context=dict(case.context),
            said=case.said,
            keyed=case.keyed,
            not_taken=dict(case.not_taken),
            replaced_by=case.replaced_by,
            calls_back=tuple(CallBackView(**one.model_dump()) for one in case.attempts),
            files=self._files(listed.recording),
        )

    def _files(self, recording: str | None) -> tuple[MessageFile, ...]:
        if recording is None:
            return ()
        try:
            links = self._recordings().file_links(recording)
        except (UnknownRecording, SettingsError):  # the latter: no key signs links
            return ()
        return tuple(MessageFile(name=name, url=url) for name, url in sorted(links.items()))


def _listed(case: Case) -> ListedCase:
    is_message = bool(case.recording_id) and case.message_at is not None and case.state != "left"
    return ListedCase(
        id=case.id,
        at=case.at,
        state=case.state,
        language=case.language,
        message_seconds=case.message_seconds if is_message else None,
        recording=kept_as(case.recording_id, case.message_at) if is_message and case.message_at else None,
        call_back_at=case.call_back_at,
        call_backs=len(case.attempts),
        done_at=case.done_at,
        done_by=case.done_by,
    )


def _shown(raw_id: str) -> str:
    return str(Identifier(raw_id=raw_id)) if raw_id else ""


_CASE_ID = {
    "name": "case_id",
    "in": "path",
    "required": True,
    "description": "as X-MS-Custom-Case has it",
    "schema": {"type": "string", "pattern": "^[0-9a-f]{40}$"},
}
_STATE = {"name": "state", "in": "query", "schema": {"type": "string", "enum": list(STATES)}}


def _day(name: str, default: str) -> dict[str, Any]:
    return {
        "name": name,
        "in": "query",
        "description": f"UTC day, 2026-11-23; default: {default}",
        "schema": {"type": "string", "format": "date"},
    }


def describe(document: Document) -> None:
    """Describe the routes."""
    listing = [_STATE, *PAGE]
    document.add("/cases", "get", "listCases", "List cases", None, {200: CaseList}, listing, (400, 401, 503))
    one: dict[int, type[BaseModel]] = {200: CaseView}
    path = "/cases/{case_id}"
    document.add(path, "get", "getCase", "Get a case", None, one, [_CASE_ID], (401, 404, 503))
    document.add(
        f"{path}/called-back",
        "post",
        "markCalledBack",
        "Mark a case as called back",
        CalledBack,
        one,
        [_CASE_ID],
        (400, 401, 404, 409, 503),
    )
    document.add(
        "/handoff/figures",
        "get",
        "getHandoffFigures",
        "Count what came of calls, and who waits",
        None,
        {200: HandoffFigures},
        [_day("since", "today"), _day("until", "as `since`")],
        (400, 401, 503),
    )
