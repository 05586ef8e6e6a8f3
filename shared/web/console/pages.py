"""The pages that show calls: Today, the list, one call, its actions. Each method is one route."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, Protocol

from shared.calls.store.base import CallStore, Listed, day_of
from shared.calls.store.figures import NEEDS_SOMEBODY
from shared.errors import InvalidInput, StoreUnavailable, UnknownCall
from shared.identifiers import Identifier
from shared.recordings.record import RecordingRecord
from shared.web.console import acting, call_list
from shared.web.console.call_page import call_page, version_of
from shared.web.console.exchange import Reply, see_other
from shared.web.console.gate import Gate, Visit
from shared.web.console.rendering import HEADERS, rendered
from shared.web.console.switching import Switching
from shared.web.console.today import failed_recordings, today
from shared.web.console.words import OUTCOME, STATUS, without_numbers
from shared.web.models import CallView, ListedCall
from shared.web.queries import day
from shared.web.reports import ReportService
from shared.web.service import CallService

if TYPE_CHECKING:
    from shared.web.console.message_pages import MessagePages


class RecordingsOfCalls(Protocol):
    """What was recorded of a call."""

    def of_call(self, day: str, call_id: str, server_call_id: str) -> list[RecordingRecord]:
        """The recordings of a call that began on a day."""


class Pages:
    """The pages of calls.

    Args:
        titles: of the flows, by name.
        own_numbers: the app's own, which people who are invited may see.
        reports: recordings and reports, put together on first use.
        recorded: the recordings of calls, the same.
        messages: None where the hand-off is not set up.
    """

    def __init__(
        self,
        gate: Gate,
        service: CallService,
        store: CallStore,
        titles: Mapping[str, str],
        own_numbers: Sequence[str],
        switches: Switching,
        reports: Callable[[], ReportService],
        recorded: Callable[[], RecordingsOfCalls],
        messages: MessagePages | None,
    ) -> None:
        self._gate = gate
        self._service = service
        self._store = store
        self._titles = titles
        self._own_numbers = own_numbers
        self._switches = switches
        self._reports = reports
        self._recorded = recorded
        self._messages = messages

    # Today

    def today(self, visit: Visit) -> Reply:
        """What goes on, and what needs somebody. Three requests to the storage beside those of `today`."""
        failed: list[tuple[str, str, str]] | None = []
        waiting, more_wait = self._messages.waiting() if self._messages is not None else ((), False)
        if visit.person.may("listen"):
            try:
                failed = self._failed_recordings()
            except StoreUnavailable:
                failed = None
        return self._gate.page(
            "today.html",
            visit,
            "Today",
            now=self._today(),
            **self._switches.shown(visit),
            recordings=failed,
            own_numbers=self._own_numbers,
            waiting=waiting,
            more_wait=more_wait,
            did="Done." if visit.request.query.get("did") == "switched" else "",
        )

    def switch(self, visit: Visit) -> Reply:
        """Turn a switch."""
        return self._switches.turn(visit)

    def today_live(self, visit: Visit) -> Reply:
        """The part of Today that moves; 304 if nothing did. It costs what `today` says."""
        now = self._today()
        if visit.request.headers.get("if-none-match") == now.version:
            return Reply(304, headers={"ETag": now.version, "Cache-Control": "no-store"})
        return rendered("today_live.html", now=now, own_numbers=self._own_numbers)

    # The list

    def calls(self, visit: Visit) -> Reply:
        """The calls of a day, with filters."""
        query = visit.request.query
        wanted = call_list.Filter.of(query)
        most = None if wanted.narrows else call_list.PAGE + 1
        rows = self._store.listed(wanted.day, after=call_list.read_position(query), most=most)
        page = call_list.page_of(rows, wanted)
        return self._list(visit, wanted, page.rows, page.after, looked_at=page.looked_at)

    def search(self, visit: Visit) -> Reply:
        """Calls by a number or an id, which a form posts: no log keeps it."""
        form = visit.request.form
        what, by = self._searched(form)
        if by == "call":
            return see_other(f"/calls/{what}")
        if by == "number":
            if not visit.person.may("numbers"):
                return self._gate.message(403, "Not for you", "You may not search by number.", person=visit.person)
            visit.did("searched by number", form.get("of", ""))
        found = self._found(what, by, form.get("after", ""))
        rows = [_listed(one) for one in found.calls]
        wanted = call_list.Filter(day(None))
        again = {"of": form["of"]} if form.get("of") else {"what": what}
        return self._list(visit, wanted, rows, found.next or "", searched=again)

    def csv(self, visit: Visit) -> Reply:
        """The calls of a day as CSV, by the same filters; with numbers for those who may see them and ask."""
        form = visit.request.form
        wanted, shown = call_list.Filter.of(form), bool(form.get("numbers"))
        if shown and not visit.person.may("numbers"):
            return self._gate.message(403, "Not for you", "You may not see numbers.", person=visit.person)
        visit.did("took the list with numbers" if shown else "took the list")
        rows = islice(filter(wanted.takes, self._store.listed(wanted.day)), call_list.MOST_IN_CSV + 1)
        found = list(rows)
        cut = f"-first-{call_list.MOST_IN_CSV}" if len(found) > call_list.MOST_IN_CSV else ""
        text = call_list.as_csv(found[: call_list.MOST_IN_CSV], shown=shown)
        headers = {**HEADERS, "Content-Disposition": f'attachment; filename="calls-{wanted.day}{cut}.csv"'}
        return Reply(200, text, "text/csv", headers)

    # One call

    def call(self, visit: Visit, call_id: str, *, shown: bool = False) -> Reply:
        """One call."""
        view = self._service.view(call_id)
        if shown:
            visit.did("showed numbers", call_id)
        moving = self._moving(visit, view, shown=shown)
        return self._gate.page(
            "call.html",
            visit,
            "Calls",
            **moving,
            campaign=moving["call"].campaign if self._gate.has("Campaigns") else "",
            connection=moving["call"].connection if self._gate.has("Masked numbers") else "",
            shown=shown,
            did=acting.DID.get(visit.request.query.get("did", ""), ""),
            recordings=self._recordings_of(view) if visit.person.may("listen") else None,
            searches=visit.person.may("numbers") and bool(acting.other_side(view)),
        )

    def call_live(self, visit: Visit, call_id: str) -> Reply:
        """The part of a call's page that moves; 304 if nothing did, for one request to the storage."""
        view = self._service.view(call_id)
        version = version_of(view)
        if visit.request.headers.get("if-none-match") == version:
            return Reply(304, headers={"ETag": version, "Cache-Control": "no-store"})
        moving = self._moving(visit, view, shown=False)
        stale = moving["people_version"] != visit.request.query.get("people", "")
        return rendered("call_moved.html", **moving, person=visit.person, token=visit.token, stale=stale, shown=False)

    def entry(self, visit: Visit, call_id: str, number: str) -> Reply:
        """One entry of the journal as JSON, without numbers."""
        journal = self._service.journal(call_id).journal
        if not (number.isascii() and number.isdigit() and len(number) < 8 and int(number) < len(journal)):
            raise InvalidInput("entry", "is not one of the call's.", "Go by the links of the page.")
        return _json(journal[int(number)])

    def history(self, visit: Visit, call_id: str) -> Reply:
        """The journal as JSON, without numbers."""
        return _json(list(self._service.journal(call_id).journal))

    def act(self, visit: Visit, call_id: str, action: str) -> Reply:
        """Do something on a call that goes on, once for each form that was given out."""
        form = visit.request.form
        key = acting.idempotency_key(form)
        view = self._service.view(call_id)
        if action == "signal":
            name, body = acting.signal_of(form)
            visit.did("sent a signal", call_id)
            self._service.signal(call_id, name, _body(body), key)
        else:
            caller_id = self._caller_id(view, form.get("caller_id", ""))
            body = acting.body_of(action, form, self._people(visit, view), caller_id)
            visit.did(action, call_id)
            self._service.act(call_id, action, _body(body), key)
        return see_other(f"/calls/{call_id}?did={action}", **{"Cache-Control": "no-store"})

    # What pages are made of

    def _today(self) -> Any:
        return today(self._store, day(None), self._titles)

    def _failed_recordings(self) -> list[tuple[str, str, str]]:
        return failed_recordings(self._reports().recordings({"status": "failed", "limit": "5"}).recordings)

    def _list(
        self,
        visit: Visit,
        wanted: call_list.Filter,
        rows: Iterable[Listed],
        after: str,
        *,
        looked_at: int = 0,
        searched: Mapping[str, str] | None = None,
    ) -> Reply:
        return self._gate.page(
            "calls.html",
            visit,
            "Calls",
            rows=call_list.rows_of(rows, self._titles, shown=False),
            wanted=wanted,
            next=after,
            looked_at=looked_at,
            searched=searched,
            today=day(None),
            first=not visit.request.query.get("after") and not visit.request.form.get("after"),
            titles=self._titles,
            ends={**{word: STATUS[word] for word in STATUS if word != "ended"}, **OUTCOME},
            bad=NEEDS_SOMEBODY,
        )

    def _moving(self, visit: Visit, view: CallView, *, shown: bool) -> dict[str, Any]:
        page = call_page(
            view,
            self._service.journal(view.id).journal,
            self._titles.get(view.flow, view.flow) or "no flow",
            time.time_ns() // 1_000_000,
            shown=shown,
        )
        acts = page.live and visit.person.may("act")
        people = self._people(visit, view, shown=shown) if acts else {}
        return {
            "call": page,
            "version": version_of(view),
            "acts": acts,
            "people": [described for _, described in people.values()],
            "people_version": visit.mark(f"{view.status} {[(raw_id, one) for raw_id, one in people.values()]}"),
            "caller_ids": self._caller_ids(view),
            "all": bool(visit.request.query.get("all")),
            "key": lambda: secrets.token_hex(16),
        }

    def _people(self, visit: Visit, view: CallView, *, shown: bool = False) -> dict[str, tuple[str, Any]]:
        listed = self._service.participants(view.id).participants
        return acting.people_on(view, listed, visit.mark, shown=shown)

    def _caller_ids(self, view: CallView) -> list[str]:
        """The app's own numbers that somebody who is invited may see, that of this call first."""
        raw_id = acting.own_side(view)
        own = Identifier(raw_id=raw_id).phone_number if raw_id else None
        return list(dict.fromkeys([*([own] if own else []), *self._own_numbers]))

    def _caller_id(self, view: CallView, wanted: str) -> str:
        known = self._caller_ids(view)
        if wanted and wanted not in known:
            raise InvalidInput("caller_id", "is not a number of this app.", "Choose one of the list.")
        return f"4:{wanted or known[0]}" if wanted or known else ""

    def _recordings_of(self, view: CallView) -> list[RecordingRecord]:
        if not view.recording_ids and not view.recording:
            return []
        days = sorted({day_of(view.started_at), day_of(view.ended_at or time.time_ns() // 1_000_000)})
        recorded = self._recorded()
        return [one for day in days for one in recorded.of_call(day, view.id, view.server_call_id)]

    def _searched(self, form: Mapping[str, str]) -> tuple[str, str]:
        """What is searched for, and as what."""
        if of := form.get("of", ""):
            return acting.other_side(self._service.view(of)), "number"
        what = acting.written_number(form.get("what", ""))
        if not what:
            raise InvalidInput("what", "is empty.", "Write a number, or an id.")
        if what.startswith(("+", "4:", "8:", "28:")):
            return what, "number"
        try:
            self._service.view(what)
        except (UnknownCall, InvalidInput):
            return what, "id"
        return what, "call"

    def _found(self, what: str, by: str, after: str) -> Any:
        """The calls of a number, or of an id of the service, whichever it is: four requests at most."""
        names = ("number",) if by == "number" else ("correlation_id", "connection_id", "server_call_id", "recording_id")
        for name in names:
            body = {name: what, "limit": call_list.PAGE, "after": after}
            found = self._service.search(_body(body))
            if found.calls:
                break
        return found


def _listed(one: ListedCall) -> Listed:
    values = {name: getattr(one, name) for name in ListedCall.model_fields if name != "id"}
    return Listed(call_id=one.id, **values)


def _json(value: Any) -> Reply:
    text = json.dumps(without_numbers(value), ensure_ascii=False, indent=2)
    return Reply(200, text, "application/json", HEADERS)


def _body(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value).encode()
