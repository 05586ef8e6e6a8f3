"""What else is kept: campaigns, what numbers were called, do-not-call lists, evidence, and how uploads went."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict

from shared.outreach.contacts import Contact
from shared.outreach.decisions import Evidence
from shared.outreach.lists import OWN, ListHead, Listing, joined
from shared.outreach.outcomes import OutcomeClass
from shared.privacy import NumberHashes
from shared.rows import MOST_ROWS, Rows

PARTS = 256
"""Partitions of an imported list (our choice): of 30,000 numbers, more than a hundred are in each."""
LISTED_AT_ONCE = 50_000
"""Numbers of a do-not-call list that are held, as hashes, and written together (our choice): some 10 MB."""

M = TypeVar("M", bound=BaseModel)


class EvidenceRecord(BaseModel):
    """Why an attempt was allowed, and what came of it. Found by number, kept by EVIDENCE_RETENTION_DAYS.

    Attributes:
        call_id: of the call, which tells what was said; empty until it is placed.
        outcome, result: what came of it.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    attempt: str
    campaign: str
    evidence: Evidence
    call_id: str = ""
    outcome: OutcomeClass | None = None
    result: str = ""


class Kept(Generic[M]):
    """Records of one kind, by key: each a row."""

    def __init__(self, rows: Rows, model: type[M], kind: str) -> None:
        self._rows = rows
        self._model = model
        self._kind = kind

    def get(self, key: str, of: str = "") -> M | None:
        """A record. One round trip."""
        text = self._rows.get("ledger", self._partition(of), key)
        return None if text is None else self._model.model_validate_json(text)

    def change(self, key: str, how: Callable[[M | None], M | None], of: str = "") -> M | None:
        """Change a record by a pure function, as it is at that moment; None: there is none. Two round trips.

        What `how` gave, given to it, must come back (`rows.Change`).
        """

        def change(text: str | None) -> str | None:
            before = None if text is None else self._model.model_validate_json(text)
            after = how(before)
            return text if after == before else None if after is None else after.model_dump_json(exclude_defaults=True)

        _, text = self._rows.change("ledger", self._partition(of), {key: change})[key]
        return None if text is None else self._model.model_validate_json(text)

    def all(self, of: str = "") -> Iterator[M]:
        """All of them, by key. One round trip for a thousand."""
        partition = self._partition(of)
        return (
            self._model.model_validate_json(row.text)
            for row in self._rows.first("ledger", partition, f"{partition}\x01")
        )

    def _partition(self, of: str) -> str:
        return f"{self._kind}.{of}"


class Contacts:
    """What is remembered of numbers, by their keyed hashes."""

    def __init__(self, rows: Rows, numbers: NumberHashes) -> None:
        self._rows = rows
        self._kept = Kept(rows, Contact, "contact")
        self._numbers = numbers

    def get(self, number: str) -> Contact:
        """A number's calls. One round trip, two while a key is changed."""
        found = (self._kept.get(hashed, hashed[:11]) for hashed in self._numbers.candidates(number))
        return next((one for one in found if one is not None), Contact())

    def drop_older(self, than: datetime) -> int:
        """Forget the numbers that were last called before, but for those that do not exist; how many. Reads all."""
        gone = []
        for row in self._rows.first("ledger", "contact.", "contact/"):
            one = Contact.model_validate_json(row.text)
            if one.dead_since is None and all(made.at < than for made in one.made):
                gone.append(row)
        for row in gone:
            self._rows.change("ledger", row.partition, {row.key: partial(_unless, row.text)})
        return len(gone)

    def change(self, number: str, how: Callable[[Contact], Contact]) -> Contact:
        """Change what is remembered of a number, as it is at that moment. Two round trips."""
        current, *earlier = self._numbers.candidates(number)
        before = next((one for key in earlier if (one := self._kept.get(key, key[:11])) is not None), Contact())
        changed = self._kept.change(current, lambda one: how(before if one is None else one), current[:11])
        return changed or Contact()


class DoNotCall:
    """Do-not-call lists: numbers by their keyed hashes. An opt-out stays until it is taken out.

    The company's own list has a partition for each number. An imported one has PARTS, by the beginning of the hash,
    so that a hundred of its numbers are written together.
    """

    def __init__(self, rows: Rows, numbers: NumberHashes) -> None:
        self._rows = rows
        self._heads = Kept(rows, ListHead, "list")
        self._listed = Kept(rows, Listing, "listed")
        self._numbers = numbers

    def heads(self) -> tuple[ListHead, ...]:
        """Every imported list. One round trip."""
        return tuple(self._heads.all())

    def listed(self, number: str, heads: Iterable[ListHead]) -> tuple[Listing, ...]:
        """Where a number is listed. One round trip, and one for each imported list; twice that while a key is changed.

        Args:
            heads: the lists that count: of an imported one, what its newest version no longer has does not.
        """
        found, as_of = list[Listing](), {one.name: one.as_of for one in heads}
        for hashed in self._numbers.candidates(number):
            found += self._listed.all(hashed)
            texts = (self._rows.get("ledger", _part(name, hashed), hashed) for name in as_of)
            found += [Listing.model_validate_json(text) for text in texts if text is not None]
        return tuple(
            one
            for one in found
            if one.list == OWN or ((day := as_of.get(one.list)) is not None and one.since.date() >= day)
        )

    def opt_out(self, number: str, listing: Listing) -> None:
        """Put a number on the company's own list. Two round trips."""
        self._listed.change(OWN, lambda one: joined(one, listing), self._numbers.of(number))

    def remove(self, number: str) -> None:
        """Take a number from the company's own list."""
        for hashed in self._numbers.candidates(number):
            self._listed.change(OWN, lambda _: None, hashed)

    def replace(self, head: ListHead, numbers: Iterable[str], since: datetime) -> ListHead:
        """Import a list, or a newer version of it, which counts when it is whole. Of LISTED_AT_ONCE numbers, one round
        trip for a hundred.

        Args:
            since: the beginning of the day of `head.as_of`, in UTC.
        """
        listing = Listing(list=head.name, since=since, purposes=head.purposes, reason=head.source)
        count, text, left = 0, listing.model_dump_json(), iter(numbers)
        while some := list(islice(left, LISTED_AT_ONCE)):
            parts: dict[str, list[str]] = {}
            for number in some:
                hashed = self._numbers.of(number)
                parts.setdefault(_part(head.name, hashed), []).append(hashed)
            for part, keys in parts.items():
                for at in range(0, len(keys), MOST_ROWS):
                    self._rows.put("ledger", part, dict.fromkeys(keys[at : at + MOST_ROWS], text))
            count += len(some)
        whole = head.model_copy(update={"numbers": count})
        self._heads.change(head.name, lambda _: whole)
        return whole


class EvidenceRecords:
    """Why numbers were called."""

    def __init__(self, rows: Rows, numbers: NumberHashes) -> None:
        self._rows = rows
        self._kept = Kept(rows, EvidenceRecord, "evidence")
        self._numbers = numbers

    def note(self, number: str, record: EvidenceRecord) -> None:
        """Keep a record, in place of what the attempt had before. One round trip."""
        text = record.model_dump_json(exclude_defaults=True)
        self._rows.put("ledger", f"evidence.{self._numbers.of(number)}", {record.attempt: text})

    def change(self, number: str, attempt: str, how: Callable[[EvidenceRecord | None], EvidenceRecord | None]) -> None:
        """Change the record of an attempt by a pure function. Two round trips, more while a key is changed."""
        for hashed in self._numbers.candidates(number):
            self._kept.change(attempt, how, hashed)

    def of(self, number: str) -> list[EvidenceRecord]:
        """All of a number, the oldest first. One round trip, two while a key is changed."""
        found = (one for hashed in self._numbers.candidates(number) for one in self._kept.all(hashed))
        return sorted(found, key=lambda one: one.evidence.at)

    def remove(self, number: str) -> int:
        """Remove all of a number; how many."""
        found = [
            row
            for hashed in self._numbers.candidates(number)
            for row in self._rows.first("ledger", f"evidence.{hashed}", f"evidence.{hashed}\x01")
        ]
        for row in found:
            self._rows.put("ledger", row.partition, {row.key: None})
        return len(found)

    def drop_older(self, than: datetime) -> int:
        """Remove what was kept long enough; how many. Reads all of them."""
        gone = [
            row
            for row in self._rows.first("ledger", "evidence.", "evidence/")
            if EvidenceRecord.model_validate_json(row.text).evidence.at < than
        ]
        for row in gone:
            self._rows.put("ledger", row.partition, {row.key: None})
        return len(gone)


def _part(name: str, hashed: str) -> str:
    """The partition of a number on an imported list: by the hash behind the id of its key."""
    return f"imported.{name}.{int(hashed.rpartition('.')[2][:4], 16) % PARTS:02x}"


def _unless(gone: str, text: str | None) -> str | None:
    """Without a row, unless somebody has changed it."""
    return None if text == gone else text
