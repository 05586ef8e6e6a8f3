"""Files and lists of people on their way into a campaign: kept as a file, imported by the queue."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Literal

from shared.errors import InvalidInput, KeyReused, NotFound
from shared.outreach.campaign import Campaign, import_begun, import_over
from shared.outreach.columns import FIELDS
from shared.outreach.csv_file import Source, chunks_of, inspect
from shared.outreach.dialer import USE
from shared.outreach.importing import Importer, ImportReport, Upload
from shared.outreach.ports import Clock, Files
from shared.outreach.preview import Preview, preview
from shared.outreach.reading import Reading
from shared.outreach.state import State, Uploaded
from shared.outreach.windows import Window
from shared.use_cases.base import Agenda, Queue, Task

CHECKED_AFTER = timedelta(minutes=5)
"""How long an import may take until somebody looks whether it was lost (our choice)."""
BLOCK = 1 << 20


class Sending:
    """Takes files and imports them.

    Args:
        most_rows: the setting OUTREACH_MAX_RECIPIENTS.
    """

    def __init__(self, state: State, files: Files, queue: Queue, agenda: Agenda, clock: Clock, most_rows: int) -> None:
        self._state = state
        self._files = files
        self._queue = queue
        self._agenda = agenda
        self._now = clock
        self._most_rows = most_rows

    def send(self, id: str, upload: str, kind: Literal["file", "people"], data: bytes, who: str) -> ImportReport:
        """Take a file; the same one again changes nothing. CampaignState, KeyReused, NotFound, InvalidInput.

        Args:
            upload: its id, the same for the same idempotency key.
        """
        digest = hashlib.sha256(kind.encode() + data).hexdigest()
        sent = Uploaded(id=upload, digest=digest, kind=kind, at=self._now(), by=who)
        return self._take(id, sent, chunks_of(data, BLOCK)())

    def take(self, id: str, upload: str, digest: str, chunks: Iterable[bytes], who: str) -> ImportReport:
        """Take a file as a stream; the same one again changes nothing. As `send`.

        Args:
            digest: by which the same file is known.
        """
        return self._take(id, Uploaded(id=upload, digest=digest, kind="file", at=self._now(), by=who), chunks)

    def _take(self, id: str, sent: Uploaded, chunks: Iterable[bytes]) -> ImportReport:
        campaign, upload = self._state.campaigns.get(id), sent.id
        if campaign is None:
            raise NotFound("id", f"{id[:60]!r} is no campaign.", "GET /api/campaigns lists them.")
        import_begun(campaign, upload)  # refused before anything of it is kept
        kept = self._state.uploads.change(upload, lambda one: one or sent, id)
        if kept is None or kept.digest != sent.digest:
            raise KeyReused
        if upload not in campaign.imported:
            self._files.write(_name(id, upload), chunks)
            self._agenda.put(USE, id, self._now() + CHECKED_AFTER)
            begun = self._state.campaigns.change(id, lambda one: one and import_begun(one, upload))
            if begun is not None and begun.upload == upload:
                self._queue.send(Task(USE, "import", {"campaign": id, "upload": upload}))
        return self.report(id, upload)

    def report(self, id: str, upload: str) -> ImportReport:
        """How an import went, or how far it is. NotFound."""
        if self._state.uploads.get(upload, id) is None:
            raise NotFound("upload", f"{upload[:60]!r} is no upload of this campaign.", "Look at what was sent.")
        return self._state.reports.get(upload) or ImportReport(upload=upload, campaign=id)

    def run(self, id: str, upload: str) -> str:
        """Import a file, or go on with it; what came of it, for the log."""
        campaign, sent = self._state.campaigns.get(id), self._state.uploads.get(upload, id)
        if campaign is None or sent is None or campaign.upload != upload:
            return "is over"
        try:
            report = self._importer.run(
                self._upload(campaign, sent),
                reading_of(campaign),
                self._most_rows,
                lambda: (now := self._state.campaigns.get(id)) is None or now.state == "stopped",
            )
        except KeyError:
            return "has no file"  # another has imported it and removed the file, and says so in a moment
        whole = report.state == "whole"
        after = self._state.campaigns.change(
            id, lambda one: one and import_over(one, upload, one.people + report.new, whole=whole)
        )
        self._files.remove(f"{id}/{upload}")
        if after is not None and after.calls:
            self._queue.send(Task(USE, "dial", {"campaign": id}))
        return f"{report.state} new={report.new} bad={report.bad}"

    def check(self, campaign: Campaign) -> None:
        """An import that should be over: have it done, if it was lost."""
        if campaign.upload:
            self._agenda.put(USE, campaign.id, self._now() + CHECKED_AFTER)
            self._queue.send(Task(USE, "import", {"campaign": campaign.id, "upload": campaign.upload}))

    def header(self, data: bytes) -> tuple[str, ...]:
        """The first line of a file. InvalidInput."""
        return inspect(chunks_of(data), self._most_rows).header

    def preview(self, campaign: Campaign, data: bytes) -> Preview:
        """What an import would make of a file. InvalidInput."""
        upload = Upload("", campaign.id, campaign.secret, chunks_of(data), campaign.files.columns, campaign.files.keep)
        return preview(upload, reading_of(campaign), self._most_rows, self._now())

    @property
    def _importer(self) -> Importer:
        return Importer(self._state.people, self._state.reports, self._now)

    def _upload(self, campaign: Campaign, sent: Uploaded) -> Upload:
        columns = campaign.files.columns if sent.kind == "file" else {}
        return Upload(sent.id, campaign.id, campaign.secret, self._source(campaign.id, sent.id), columns,
                      campaign.files.keep)  # fmt: skip

    def _source(self, id: str, upload: str) -> Source:
        def opened() -> Iterator[bytes]:
            return self._files.read(_name(id, upload))

        return opened


def reading_of(campaign: Campaign) -> Reading:
    """How the rows of a campaign are read. InvalidInput for options that cannot be."""
    rules, files = campaign.rules, campaign.files
    window = Window(rules.opens, rules.closes, rules.days)
    return Reading(rules, window, files.country, files.date_format, files.language)


def as_csv(people: Sequence[Mapping[str, str]], keep: Iterable[str]) -> bytes:
    """A list of people as a file. InvalidInput for fields that nobody has.

    Args:
        keep: columns that are kept for the flow.
    """
    known = (*FIELDS, *(name for name in keep if name not in FIELDS))
    for at, person in enumerate(people):
        if unknown := set(person) - set(known):
            raise InvalidInput(f"people.{at}.{min(unknown)}", "is no field of a person.", f"Known: {', '.join(known)}.")
    used = [name for name in known if any(name in person for person in people)]
    text = io.StringIO()
    lines = csv.writer(text)
    lines.writerow(used)
    for person in people:
        lines.writerow([person.get(name, "") for name in used])
    return text.getvalue().encode()


def _name(id: str, upload: str) -> str:
    return f"{id}/{upload}/file"
