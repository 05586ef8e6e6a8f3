"""Quality: the reports of a day, recordings that wait or were given up, and the report itself."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any
from urllib.parse import urlencode

from shared.errors import InvalidInput
from shared.numbers import whole_number
from shared.recordings.base import ReportRow
from shared.recordings.record import Status, day_of_id
from shared.web.console.exchange import ROOT, Reply, see_other
from shared.web.console.gate import Gate, Visit
from shared.web.console.rendering import HEADERS
from shared.web.console.words import length, moment, without_numbers
from shared.web.queries import day, position
from shared.web.reports import RecordingView, ReportService

BACK = "\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}"

PAGE = 50
"""Reports on one page (our choice)."""
MOST_LOOKED_AT = 5000
"""Reports of a day that are looked at: 5 requests to the storage. Then the reader is asked to search on."""
MOST_LEFT_OVER = 20
"""Recordings of each status that are shown (our choice)."""

FLAGS: Mapping[str, str] = {
    "no_speech": "nobody speaks",
    "silent_channel": "silent channel",
    "one_way_audio": "one-way audio",
    "same_audio": "same audio twice",
    "cross_talk": "cross-talk",
    "clipping": "clipping",
    "too_quiet": "too quiet",
    "too_loud": "too loud",
    "silence": "much silence",
    "dead_air": "dead air",
    "monologue": "monologue",
    "dominance": "one talks most",
    "long_hold": "long hold",
    "audio_missing": "audio missing",
}
"""Flags in few words; one that is not here is shown as it is."""

VERDICTS: Mapping[str, str] = {"passed": "passed", "failed": "failed", "none": "no verdict"}
ORDERS: Mapping[str, str] = {"newest": "newest first", "score": "lowest score first"}

LEFT_OVER: Mapping[Status, str] = {
    "failed": "Gave up",
    "unclaimed": "Its call is not known yet",
    "waiting": "Being fetched",
    "archived": "Fetched; the report is being made",
}
"""Recordings without a report, by status, those first that need somebody."""

DID: Mapping[str, str] = {
    "replay": "It is done again: fetched if it has to be, and a new report is made.",
    "late": "Somebody has had it done again already.",
}


@dataclass(frozen=True, slots=True)
class Filter:
    """What of a day is wanted; what is empty lets everything through."""

    day: str
    flow: str = ""
    flag: str = ""
    verdict: str = ""
    order: str = ""

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Filter:
        """The filter in a query. InvalidInput for a day that is none."""
        return cls(day(query.get("day")), *(query.get(name, "")[:200] for name in ("flow", "flag", "verdict", "order")))

    @property
    def narrows(self) -> bool:
        """Whether it leaves anything out."""
        return bool(self.flow or self.flag or self.verdict)

    def takes(self, row: ReportRow) -> bool:
        """Whether a report is wanted; `any` is any flag."""
        flagged = bool(row.flags) if self.flag == "any" else self.flag in row.flags
        return (
            (not self.flow or row.flow == self.flow)
            and (not self.flag or flagged)
            and (not self.verdict or _verdict(row) == self.verdict)
        )

    def query(self, **more: str) -> str:
        """It as a query, with more."""
        given = {name: getattr(self, name) for name in ("day", "flow", "flag", "verdict", "order")} | more
        return urlencode({name: value for name, value in given.items() if value})


@dataclass(frozen=True, slots=True)
class Page:
    """Some reports of a day.

    Attributes:
        matching: how many match, of those that were looked at.
        median: of their scores; None: none has one.
        next: how many were shown before the next page; 0: there is none.
        after: from where to search on, where the bound cut the search short; empty: the day was read to its end.
    """

    rows: Sequence[ReportRow]
    matching: int
    median: float | None
    next: int
    after: str


def page_of(rows: Iterable[ReportRow], wanted: Filter, skip: int = 0, *, most: int = MOST_LOOKED_AT) -> Page:
    """The reports that are wanted, in order: they lie by their ids, so that all of a day are looked at."""
    looked = list(islice(rows, most))
    found = sorted(filter(wanted.takes, looked), key=lambda row: (-row.started_at, row.id))
    if wanted.order == "score":
        found.sort(key=lambda row: (row.score is None, row.score or 0.0))
    scores = [row.score for row in found if row.score is not None]
    return Page(
        rows=found[skip : skip + PAGE],
        matching=len(found),
        median=statistics.median(scores) if scores else None,
        next=skip + PAGE if len(found) > skip + PAGE else 0,
        after=looked[-1].id if len(looked) == most else "",
    )


def _verdict(row: ReportRow) -> str:
    return "none" if row.passed is None else "passed" if row.passed else "failed"


class QualityPages:
    """The pages of recordings and reports. Each method is one route.

    Args:
        titles: of the flows, by name.
        reports: recordings and reports, put together on first use.
    """

    def __init__(self, gate: Gate, titles: Mapping[str, str], reports: Callable[[], ReportService]) -> None:
        self._gate = gate
        self._titles = titles
        self._reports = reports

    def listed(self, visit: Visit) -> Reply:
        """The reports of a day, and above them what waits or failed."""
        query = visit.request.query
        wanted, skip = Filter.of(query), whole_number(query.get("skip") or "0")
        if skip is None or not 0 <= skip <= MOST_LOOKED_AT:
            raise InvalidInput("skip", "is not a place in the list.", "Go by the links of the page.")
        page = page_of(self._reports().rows(wanted.day, after=position(query.get("after"))), wanted, skip)
        first = not skip and not query.get("after")
        return self._gate.page(
            "quality.html",
            visit,
            "Quality",
            wanted=wanted,
            page=page,
            rows=[self._row(row) for row in page.rows],
            left_over=self._left_over(wanted.day) if first else [],
            did=DID.get(query.get("did", ""), ""),
            first=first,
            today=day(None),
            titles=self._titles,
            flags=FLAGS,
            verdicts=VERDICTS,
            orders=ORDERS,
            most=MOST_LOOKED_AT,
        )

    def replay(self, visit: Visit, recording: str) -> Reply:
        """Do a recording again that was given up: once, however often the form is sent."""
        reports = self._reports()
        late = reports.recording(recording).status != "failed"
        if not late:
            visit.did(f"replayed {recording}")
            reports.replay(recording)
        query = urlencode({"day": day_of_id(recording), "did": "late" if late else "replay"})
        return see_other(f"/quality?{query}", **{"Cache-Control": "no-store"})

    def report(self, visit: Visit, recording: str) -> Reply:
        """The report on a recording, with its audio."""
        reports = self._reports()
        call_id = reports.recording(recording).call_id
        day = day_of_id(recording)
        ways = [(f"{BACK} Quality of {day}", f"{ROOT}/quality?{urlencode({'day': day})}")]
        page = reports.page(recording, ways=[*ways, *([("The call", f"{ROOT}/calls/{call_id}")] if call_id else [])])
        visit.did("opened a report", call_id)
        # The page has a policy of its own, and a link to the audio, which is for no other site.
        own = {"Content-Security-Policy": "frame-ancestors 'none'", "Referrer-Policy": "no-referrer"}
        return Reply(200, page, headers={**HEADERS, **own})

    def _row(self, row: ReportRow) -> dict[str, Any]:
        return {
            "id": row.id,
            "call_id": row.call_id,
            "time": moment(row.started_at)[11:] or "–",
            "flow": self._titles.get(row.flow, row.flow) or "no flow",
            "length": length(round(row.seconds * 1000)),
            "score": "–" if row.score is None else f"{row.score:.0f}",
            "verdict": _verdict(row),
            "answered": f"{row.answered} of {row.questions}" if row.questions else "",
            "flags": [FLAGS.get(flag, flag) for flag in row.flags],
            "result": without_numbers(row.result),
        }

    def _left_over(self, day: str) -> list[tuple[RecordingView, str]]:
        """Recordings of a day without a report, and where each stands. A request for each status."""
        reports, size = self._reports(), str(MOST_LEFT_OVER)
        return [
            (one, told)
            for status, told in LEFT_OVER.items()
            for one in reports.recordings({"day": day, "status": status, "limit": size}).recordings
        ]
