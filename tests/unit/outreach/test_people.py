"""The people of campaigns, and ledgers, over both storages."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from itertools import islice

import pytest

from shared.errors import StoreUnavailable
from shared.outreach.campaign import Campaign, command, import_begun, import_over
from shared.outreach.contacts import Contact
from shared.outreach.decisions import Allowed, Known, may_call
from shared.outreach.ledgers import Contacts, DoNotCall, EvidenceRecord, EvidenceRecords, Kept
from shared.outreach.lists import ListHead, Listing, opted_out
from shared.outreach.people import People
from shared.outreach.person import Person, begin, settle
from shared.privacy import NumberHashes
from shared.rows import MemoryRows, Rows, Table
from tests.unit.outreach.people import BERLIN, HOUR, MARKETING, MONDAY, NEW_YORK, SERVICE, WINDOW, key_of, person

NUMBERS = NumberHashes(base64.b64encode(b"k" * 32).decode())
DAY = timedelta(days=1)


def stored(rows: Rows, *people: Person) -> People:
    kept = People(rows)
    for campaign in {one.campaign for one in people}:
        kept.change_all(campaign, {one.key: one for one in people if one.campaign == campaign}, lambda _, one: one)
    return kept


def of(kept: People, until: datetime, most: int = 100) -> list[str]:
    return [one.wanted.id for one in kept.due("spring", until, most)]


def test_people_are_found_by_their_key(rows: Rows) -> None:
    kept = stored(rows, *(person(str(n)) for n in range(30)))
    found = kept.get("spring", key_of("7"))
    assert found == person("7")
    assert kept.get("spring", key_of("x")) is None
    assert kept.get("autumn", key_of("7")) is None
    assert {one.wanted.id for one in kept.all("spring")} == {str(n) for n in range(30)}


@pytest.mark.parametrize("size", [1, 7, 50])
def test_people_are_read_on_behind_a_key_each_of_them_once(rows: Rows, size: int) -> None:
    kept = stored(
        rows, *(person(str(n)) for n in range(30)), person("other").model_copy(update={"campaign": "spring2"})
    )
    found: list[str] = []
    while some := [one.key for one in islice(kept.behind("spring", found[-1] if found else ""), size)]:
        found += some
    assert found == sorted(key_of(str(n)) for n in range(30))
    assert list(kept.behind("spring", "f" * 32)) == []
    assert len(list(kept.behind("spring", "."))) == 30, "what is no key is before all of them"


def test_a_change_gives_people_as_they_are_then(rows: Rows) -> None:
    kept = stored(rows, person("1"), person("2"))
    items = {key_of(whose): whose for whose in ("1", "2", "3")}

    def how(one: Person | None, whose: str) -> Person | None:
        return None if whose == "1" else begin(one, MONDAY) if one and one.state == "waiting" else one

    for _ in range(2):
        kept.change_all("spring", items, how)
        assert [(one.wanted.id, one.state) for one in kept.all("spring")] == [("2", "calling")]


def test_one_person_is_changed_and_given_back(rows: Rows) -> None:
    kept = stored(rows, person("1"))
    begun = kept.change("spring", key_of("1"), lambda one: begin(one, MONDAY) if one else None)
    assert begun == begin(person("1"), MONDAY) == kept.get("spring", key_of("1"))
    assert kept.change("spring", key_of("2"), lambda one: one) is None
    assert kept.change("spring", key_of("1"), lambda _: None) is None
    assert list(kept.all("spring")) == []


def test_the_next_who_are_due_come_first(rows: Rows) -> None:
    late = [person(str(n), at=MONDAY + n * HOUR) for n in range(8)]
    kept = stored(rows, *late)
    assert of(kept, MONDAY - HOUR) == []
    assert of(kept, MONDAY + 2 * HOUR) == ["0", "1", "2"]
    assert of(kept, MONDAY + 100 * HOUR, most=1) == ["0"]
    kept.change("spring", late[1].key, lambda one: begin(one, MONDAY) if one else None)
    assert of(kept, MONDAY + 2 * HOUR) == ["0", "2"]
    sooner = late[6].model_copy(update={"due": MONDAY - HOUR})
    kept.change("spring", sooner.key, lambda _: sooner)
    assert of(kept, MONDAY) == ["6", "0"]


def test_those_who_are_due_are_found_behind_any_number_of_wrong_rows(rows: Rows) -> None:
    many = [person(str(n), at=MONDAY) for n in range(40)]
    kept = stored(rows, *many, person("last", at=MONDAY + HOUR))
    called = {one.key: begin(one, MONDAY) for one in many}
    kept.change_all("spring", called, lambda _, one: one)
    assert of(kept, MONDAY + HOUR, most=2) == ["last"]
    assert len(list(rows.first("due", "spring.", "spring/"))) == 1


def test_somebody_is_due_to_the_second(rows: Rows) -> None:
    kept = stored(rows, person("1", at=MONDAY + timedelta(seconds=30)))
    assert of(kept, MONDAY + timedelta(seconds=29)) == []
    assert of(kept, MONDAY + timedelta(seconds=30)) == ["1"]


def test_a_row_that_tells_of_a_page_too_early_is_put_right(rows: Rows) -> None:
    one = person("1", at=MONDAY + 5 * HOUR)
    kept = stored(rows, one.model_copy(update={"due": MONDAY}))
    kept.change("spring", one.key, lambda _: one)
    assert of(kept, MONDAY) == []
    assert len(list(rows.first("due", "spring.", "spring/"))) == 1
    assert of(kept, MONDAY + 5 * HOUR) == ["1"]
    kept.change("spring", one.key, lambda one: settle(one, "suppressed") if one else None)
    assert of(kept, MONDAY + 9 * HOUR) == []
    assert list(rows.first("due", "spring.", "spring/")) == []


class Crashing(MemoryRows):
    """Breaks off at the nth write."""

    def __init__(self, at: int) -> None:
        super().__init__()
        self.left = at

    def _count(self) -> None:
        self.left -= 1
        if self.left == 0:
            raise StoreUnavailable("gone")

    def _write(self, table: Table, partition: str, texts: Mapping[str, str | None]) -> None:
        if texts:
            self._count()
        super()._write(table, partition, texts)


@pytest.mark.parametrize("at", range(1, 7))
def test_a_crash_at_any_write_loses_nobody_who_is_due(at: int) -> None:
    rows = Crashing(at)
    kept, one = People(rows), person("1", at=MONDAY + HOUR)
    for due in (MONDAY + HOUR, MONDAY, MONDAY + 3 * HOUR):
        try:
            moved = one.model_copy(update={"due": due})
            kept.change_all("spring", {one.key: moved}, lambda _, moved: moved)
        except StoreUnavailable:
            break
    there = kept.get("spring", one.key)
    assert of(kept, MONDAY + 3 * HOUR) == ([] if there is None else ["1"])


def test_a_row_that_was_written_anew_meanwhile_is_left() -> None:
    class Meanwhile(MemoryRows):
        other: Callable[[], object] | None = None

        def get(self, table: Table, partition: str, key: str) -> str | None:
            text = super().get(table, partition, key)
            if (other := self.other) is not None:
                self.other = None
                other()
            return text

    rows = Meanwhile()
    one = person("1", at=MONDAY + 5 * HOUR)
    kept = stored(rows, one.model_copy(update={"due": MONDAY}))
    kept.change("spring", one.key, lambda _: one)
    back = one.model_copy(update={"due": MONDAY, "result": "moved back"})
    rows.other = lambda: stored(rows, back)
    assert of(kept, MONDAY) == ["1"]
    assert of(kept, MONDAY) == ["1"]


def test_people_are_found_by_number_and_a_campaign_removed(rows: Rows) -> None:
    autumn = person("9").model_copy(update={"campaign": "autumn"})
    kept = stored(rows, person("1"), person("2", NEW_YORK), autumn)
    assert {(one.campaign, one.wanted.id) for one in kept.with_number(BERLIN)} == {("spring", "1"), ("autumn", "9")}
    kept.remove("spring")
    assert list(kept.all("spring")) == []
    assert of(kept, MONDAY) == []
    assert [one.wanted.id for one in kept.all("autumn")] == ["9"]


def test_an_index_is_written_anew(rows: Rows) -> None:
    kept = stored(rows, person("1"))
    for partition, key, _ in rows.first("due", "", "~"):
        rows.put("due", partition, {key: None})
    assert of(kept, MONDAY) == []
    kept.reindex("spring")
    assert of(kept, MONDAY) == ["1"]


# Ledgers


def test_two_who_share_a_number_are_claimed_one_after_the_other(rows: Rows) -> None:
    contacts = Contacts(rows, NUMBERS)
    allowed: list[str] = []
    for whose in ("1", "2"):
        one = person(whose)

        def claim(contact: Contact, one: Person = one) -> Contact:
            found = may_call(one, MONDAY, SERVICE, WINDOW, Known(contact))
            return contact.began(f"{one.key}:1", "service", MONDAY) if isinstance(found, Allowed) else contact

        if contacts.change(BERLIN, claim).attempt == f"{one.key}:1":
            allowed.append(whose)
    assert allowed == ["1"]
    contacts.change(BERLIN, lambda contact: contact.ended(f"{person('1').key}:1"))
    assert contacts.get(BERLIN).counts("service", MONDAY) == (1, 1)
    assert contacts.get(NEW_YORK) == Contact()


def test_calls_are_known_under_the_key_before(rows: Rows) -> None:
    Contacts(rows, NUMBERS).change(BERLIN, lambda one: one.began("a", "service", MONDAY))
    newer = Contacts(rows, NumberHashes(base64.b64encode(b"n" * 32).decode(), base64.b64encode(b"k" * 32).decode()))
    assert newer.get(BERLIN).attempt == "a"
    assert newer.change(BERLIN, lambda one: one.began("b", "service", MONDAY)).counts("service", MONDAY) == (2, 2)
    assert newer.get(BERLIN).counts("service", MONDAY) == (2, 2)


def test_a_list_counts_when_it_is_whole_and_its_newest_version_alone(rows: Rows) -> None:
    lists = DoNotCall(rows, NUMBERS)
    first = ListHead(name="DNC", source="FTC", as_of=date(2026, 2, 1))
    whole = lists.replace(first, [BERLIN, NEW_YORK], datetime(2026, 2, 1, tzinfo=UTC))
    assert (whole.numbers, lists.heads()) == (2, (whole,))
    assert [one.list for one in lists.listed(BERLIN, lists.heads())] == ["DNC"]
    newer = first.model_copy(update={"as_of": date(2026, 3, 1)})

    def breaks_off() -> object:
        yield NEW_YORK
        raise StoreUnavailable("gone")

    with pytest.raises(StoreUnavailable):
        lists.replace(newer, breaks_off(), datetime(2026, 3, 1, tzinfo=UTC))  # type: ignore[arg-type]
    assert lists.heads() == (whole,)
    assert len(lists.listed(BERLIN, lists.heads())) == len(lists.listed(NEW_YORK, lists.heads())) == 1
    lists.replace(newer, [NEW_YORK], datetime(2026, 3, 1, tzinfo=UTC))
    assert lists.listed(BERLIN, lists.heads()) == ()
    assert len(lists.listed(NEW_YORK, lists.heads())) == 1


def test_a_long_list_is_written_a_hundred_numbers_at_a_time() -> None:
    class Counted(MemoryRows):
        puts = 0

        def put(self, table: Table, partition: str, texts: Mapping[str, str | None]) -> None:
            assert 1 <= len(texts) <= 100
            self.puts += 1
            super().put(table, partition, texts)

    rows = Counted()
    lists, head = DoNotCall(rows, NUMBERS), ListHead(name="DNC", source="FTC", as_of=date(2026, 2, 1))
    numbers = [f"+1425{n:07}" for n in range(30_000)]
    assert lists.replace(head, numbers, datetime(2026, 2, 1, tzinfo=UTC)).numbers == 30_000
    # Some 117 in each partition. One at a time, it would be 30,000.
    assert len({row.partition for row in rows.first("ledger", "imported.", "imported/")}) == 256
    assert 256 <= rows.puts <= 512
    assert all(lists.listed(number, lists.heads()) for number in (numbers[0], numbers[17_000], numbers[-1]))


def test_a_list_that_was_imported_a_number_at_a_time_still_counts(rows: Rows) -> None:
    lists, head = DoNotCall(rows, NUMBERS), ListHead(name="DNC", source="FTC", as_of=date(2026, 2, 1))
    lists.replace(head, [NEW_YORK], datetime(2026, 2, 1, tzinfo=UTC))
    old = Listing(list="DNC", since=datetime(2026, 2, 1, tzinfo=UTC), purposes=frozenset({"marketing"}), reason="FTC")
    rows.put("ledger", f"listed.{NUMBERS.of(BERLIN)}", {"DNC": old.model_dump_json()})
    assert [one.list for one in lists.listed(BERLIN, lists.heads())] == ["DNC"]


def test_an_opt_out_is_there_at_once_and_stays(rows: Rows) -> None:
    lists = DoNotCall(rows, NUMBERS)
    lists.opt_out(BERLIN, opted_out("marketing", MONDAY))
    lists.opt_out(BERLIN, opted_out("service", MONDAY + DAY))
    (found,) = lists.listed(BERLIN, ())
    assert (found.since, sorted(found.purposes)) == (MONDAY, ["marketing", "service"])
    assert lists.listed(NEW_YORK, ()) == ()
    lists.remove(BERLIN)
    assert lists.listed(BERLIN, ()) == ()


def test_evidence_is_found_by_number_and_goes_when_it_is_old(rows: Rows) -> None:
    records = EvidenceRecords(rows, NUMBERS)
    for n in range(3):
        at = MONDAY + n * DAY
        decision = may_call(person(at=at), at, SERVICE, WINDOW, Known())
        assert isinstance(decision, Allowed)
        record = EvidenceRecord(attempt=f"spring:x:{n}", campaign="spring", evidence=decision.evidence)
        records.note(BERLIN, record)
        records.note(BERLIN, record.model_copy(update={"outcome": "busy"}))
    assert [(one.attempt, one.outcome) for one in records.of(BERLIN)] == [(f"spring:x:{n}", "busy") for n in range(3)]
    assert records.of(NEW_YORK) == []
    assert records.drop_older(MONDAY + DAY) == 1
    assert [one.attempt for one in records.of(BERLIN)] == ["spring:x:1", "spring:x:2"]


def test_no_number_can_be_read_in_what_is_kept_by_number() -> None:
    rows = MemoryRows()
    Contacts(rows, NUMBERS).change(BERLIN, lambda one: one.began("a", "service", MONDAY))
    DoNotCall(rows, NUMBERS).opt_out(BERLIN, opted_out("marketing", MONDAY))
    decision = may_call(person(), MONDAY, SERVICE, WINDOW, Known())
    assert isinstance(decision, Allowed)
    record = EvidenceRecord(attempt="a", campaign="spring", evidence=decision.evidence)
    EvidenceRecords(rows, NUMBERS).note(BERLIN, record)
    kept = list(rows.first("ledger", "", "~"))
    assert len(kept) == 3
    assert BERLIN[1:] not in str(kept)


def test_a_campaign_is_changed_by_its_functions(rows: Rows) -> None:
    kept = Kept(rows, Campaign, "campaign")
    made = Campaign(id="spring", name="", secret="s", flow="news", callers=(NEW_YORK,), rules=MARKETING, created=MONDAY)
    assert kept.get("spring") is None
    kept.change("spring", lambda one: one or made)
    kept.change("spring", lambda one: import_begun(one, "u1") if one else None)
    kept.change("spring", lambda one: import_over(one, "u1", 3) if one else None)
    kept.change("spring", lambda one: command(one, "start", MONDAY) if one else None)
    assert [(one.id, one.state) for one in kept.all()] == [("spring", "running")]
    kept.change("spring", lambda _: None)
    assert list(kept.all()) == []
