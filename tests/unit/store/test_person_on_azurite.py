"""A person's data in a real storage account: every place filled, then erased, and nothing names the person."""

from __future__ import annotations

import base64
import json
import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from azure.data.tables import TableServiceClient
from azure.storage.blob import BlobServiceClient

from devstack.azurite import Azurite
from shared.azure.archive import BlobArchive
from shared.azure.call_store import TableStore
from shared.azure.dead_letters import TableDeadLetters
from shared.azure.do_not_record import TableDoNotRecord
from shared.azure.partition_rows import TableRows
from shared.azure.recording_ledger import TableLedger
from shared.azure.text_rows import TableTextRows
from shared.brakes.figures import Figures
from shared.calls.record import CallRecord
from shared.calls.store.base import day_of
from shared.click.request import Asked
from shared.click.service import Click
from shared.click.site import SiteText
from shared.click.store import ClickStore
from shared.composition.click import CaptchaHook, click_tables
from shared.composition.handoff import handoff_tables
from shared.composition.masking import masking_tables
from shared.composition.order import PaymentHook, order_tables
from shared.composition.outreach import BlobFiles, outreach_tables
from shared.composition.parts import agenda_tables
from shared.handoff.cases import Cases
from shared.handoff.service import Desk, Handoff
from shared.identifiers import Identifier
from shared.kept.calls import KeptCalls
from shared.kept.registry import named
from shared.kept.retention import Retention
from shared.notifications.base import DeadLetter
from shared.notifications.event import call_finished
from shared.notifications.memory import MemoryNotificationQueue
from shared.notifications.notifier import Notifier
from shared.orders.service import Orders
from shared.orders.store import OrderStore
from shared.outreach.decisions import Allowed, Known, may_call
from shared.outreach.ledgers import EvidenceRecord
from shared.outreach.person import attempt_id
from shared.outreach.uploads import merge
from shared.privacy import NumberHashes
from shared.recordings.memory import MemoryRecordingQueue
from shared.recordings.pipeline import Options, Pipeline
from shared.recordings.record import report_name
from shared.storage_account import StorageAccount
from shared.use_cases.all import UseCases
from shared.use_cases.base import Agenda
from shared.web.people_service import LISTED, People
from shared.web.reports import ReportService
from tests.unit.calls.world import Clock
from tests.unit.click.conftest import PAGE, SITE
from tests.unit.masking.world import Instance
from tests.unit.outreach.engine import outreach_over
from tests.unit.outreach.people import MONDAY, SERVICE, WINDOW, key_of, wanted
from tests.unit.recordings.samples import a_record as a_recording
from tests.unit.recordings.samples import a_row, an_id
from tests.unit.recordings.world import Reports, Service
from tests.unit.slots.service import NUMBER, Number, ledger
from tests.unit.slots.test_ledger import calling
from tests.unit.store.test_contract import AT, a_record, entry, grow

pytestmark = [pytest.mark.node, pytest.mark.xdist_group("store-person")]

DAY = day_of(AT)
DIGITS = "4255550100"
ADA = f"4:+1{DIGITS}"
EARLIER, KEY = (base64.b64encode(letter * 32).decode() for letter in (b"e", b"k"))
HOUR, MONTH = 3600, 31 * 86_400


@pytest.fixture(scope="module")
def azurite(azurite_alone: Azurite) -> Azurite:
    """Everything in it is looked at."""
    return azurite_alone


class Account:
    """One storage account, and the app's parts over it."""

    def __init__(self, storage: str, prefix: str, *keys: str) -> None:
        self.storage, self.prefix, numbers = storage, prefix, NumberHashes(*keys)
        self.now = time.time() + HOUR  # the storage says by its own clock when a head was written
        self.store = TableStore(StorageAccount(storage), prefix, numbers)
        self.service = Service({})
        self.archive, self.ledger = (
            BlobArchive(StorageAccount(storage), prefix),
            TableLedger(StorageAccount(storage), prefix),
        )
        self.streams = BlobArchive(StorageAccount(storage), prefix, container="streams")
        self.letters = TableDeadLetters(StorageAccount(storage), prefix)
        self.do_not_record = TableDoNotRecord(StorageAccount(storage), prefix, numbers)
        self.brakes = TableTextRows(StorageAccount(storage), f"{prefix}brakes")
        slots = TableTextRows(StorageAccount(storage), f"{prefix}slots")
        self.slots = ledger(slots, Clock(), {NUMBER: Number(concurrent_out=100)})
        pipeline = Pipeline(
            source=self.service,
            archive=self.archive,
            ledger=self.ledger,
            queue=MemoryRecordingQueue(),
            reporter=Reports(),
            options=Options(),
            call_of=lambda *_: None,
            clock=lambda: self.now,
        )
        notifier = Notifier(
            targets={},
            store=self.store,
            queue=MemoryNotificationQueue(),
            letters=self.letters,
            event_of=lambda record: call_finished(record, personal=False),
        )
        self.agenda = Agenda(TableRows(StorageAccount(storage), agenda_tables(prefix)))
        self.files = BlobFiles(StorageAccount(storage), prefix)
        rows = TableRows(StorageAccount(storage), outreach_tables(prefix))
        self.outreach = outreach_over(rows, numbers, self.files, lambda: datetime.fromtimestamp(self.now, UTC))
        self.click = Click(
            ClickStore(TableRows(StorageAccount(storage), click_tables(prefix))),
            numbers,
            self.agenda,
            lambda flow, data, key: None,
            CaptchaHook(loopback=False),
            dict,
        )
        self.orders = Orders(
            OrderStore(TableRows(StorageAccount(storage), order_tables(prefix))),
            numbers,
            PaymentHook("", loopback=False),
        )
        masked = TableRows(StorageAccount(storage), {**masking_tables(prefix), **agenda_tables(prefix)})
        self.masked = Instance(masked, key=keys[0], previous="".join(keys[1:]))
        self.handoff = Handoff(
            Cases(TableRows(StorageAccount(storage), handoff_tables(prefix))),
            self.agenda,
            Desk("", lambda: None, ZoneInfo("UTC")),
            place=lambda *_: "",
            check=lambda _: None,
            days=30,
            hashes=numbers,
        )
        calls = KeptCalls(self.store, lambda: pipeline, lambda: notifier, self.streams, lambda: self.now)
        reports = ReportService(pipeline, self.ledger, self.archive, link_seconds=60)
        self.people = People(
            calls,
            lambda: reports,
            self.do_not_record,
            use_cases=UseCases(
                {
                    "outreach": lambda: self.outreach,
                    "click": lambda: self.click,
                    "order": lambda: self.orders,
                    "handoff": lambda: self.handoff,
                    "masking": lambda: self.masked.masking,
                },
                self.agenda,
                lambda flow: flow,
            ),
            hashes=True,
            days=30,
            link_seconds=60,
            clock=lambda: self.now,
        )
        self.retention = Retention(calls, days=30, recording_days=90, clock=lambda: self.now)

    def fill(self, call_id: str, caller: str) -> None:
        """A call that has left something in every table and every container."""
        record = a_record(call_id, caller=caller, status="ended", indexed=(), earlier=(), server_call_id=call_id)
        version = grow(self.store, record, self.store.claim(record, [json.dumps({"from": caller})]), 1, 40, step=20)
        record.indexed = self.store.index(record)
        self.store.commit(record, [json.dumps({"said": f"{caller} " * 4000}), entry(42)], version)
        self.store.close(record, {"caller": caller})
        recording = a_recording(len(call_id), DAY, call_id=call_id, server_call_id=call_id)
        self.ledger.register(recording)
        self.ledger.put_report(a_row(len(call_id), DAY, call_id=call_id, result=f"called {caller}"))
        self.archive.put_text(report_name(recording.id), json.dumps({"caller": caller}))
        writer = self.archive.writer(f"{recording.folder}/0.wav", "audio/wav")
        writer.write(caller.encode())
        writer.commit()
        self.streams.put_text(f"{DAY.replace('-', '/')}/{call_id}/transcript.jsonl", f"I am {caller}")
        self.letters.put(DeadLetter(DAY, call_id, "hook", "the hook responded 503", 9, 0, 0))
        case = self.handoff.begin(call_id, caller, "4:+18005550199", "en", {"X-MS-Custom-From": caller})["case"]
        self.handoff.tell(case, f"I am {caller}", "", "en")
        self.handoff.call_back(case, caller.removeprefix("4:"), datetime.fromtimestamp(self.now, UTC).isoformat())
        self.handoff.closing(CallRecord(call_id, direction="inbound", outcome="completed"))
        self.agenda.put("outreach", "campaign", datetime.fromtimestamp(self.now, UTC))
        self._call_in_a_campaign(call_id, caller)
        self._ask_and_order(call_id, caller.removeprefix("4:"))
        number = caller.removeprefix("4:")
        self.masked.open(number, "+14255550188", key=call_id, label=f"{call_id} by {number[:-7]}")
        self.slots.take(CallRecord(call_id), calling(Identifier(raw_id=caller)))
        self.slots._give_back(call_id, {0: NUMBER}, settled=True)  # as its closing does
        self.brakes.put("figures", Figures(AT, 1, {NumberHashes(KEY).of("4:+14255550111"): 1}).text)

    def _call_in_a_campaign(self, name: str, raw_id: str) -> None:
        """A campaign with this person, called nine days ago, and a file that was never imported."""
        number, key, now = raw_id.removeprefix("4:"), key_of(name), datetime.fromtimestamp(self.now, UTC)
        state, attempt = self.outreach.state, attempt_id("visits", key, 1)
        person = merge(None, wanted(name, number), ("visits", key), MONDAY, SERVICE)[0]
        state.people.change("visits", key, lambda _: person)
        state.contacts.change(number, lambda one: one.began(attempt, "service", now - timedelta(days=9)).ended(attempt))
        decision = may_call(person, MONDAY + timedelta(hours=4), SERVICE, WINDOW, Known())
        assert isinstance(decision, Allowed)
        record = EvidenceRecord(attempt=attempt, campaign="visits", evidence=decision.evidence, call_id=name)
        state.evidence.note(number, record)
        self.files.write(f"visits/{key}/file", [b"id,number"])
        assert self.files.dropped() == []
        assert state.contacts.drop_older(now - timedelta(days=8)) == 1

    def _ask_and_order(self, call_id: str, number: str) -> None:
        """Asked for a call on a page, and ordered something by telephone."""
        _, site = self.click.put_site("shop", SiteText.model_validate(SITE))
        asked = Asked(number, "Ada Lovelace", site.text.consent_version)
        self.click.ask(site, asked, origin=PAGE, address="203.0.113.9", key=call_id)
        self.orders.place(call_id, number, {"roses": 3}, {"roses": 350}, "on_delivery")

    def places(self) -> tuple[set[str], set[str]]:
        """The tables and containers of the account, without the prefix."""
        tables = {one.name for one in TableServiceClient.from_connection_string(self.storage).list_tables()}
        blobs = {str(one.name) for one in BlobServiceClient.from_connection_string(self.storage).list_containers()}
        return tuple(
            {name.removeprefix(self.prefix) for name in found if name.startswith(self.prefix)}
            for found in (tables, blobs)
        )  # type: ignore[return-value]

    def everything(self) -> str:
        """Every row, and every blob with its name, as one text."""
        tables = TableServiceClient.from_connection_string(self.storage)
        blobs = BlobServiceClient.from_connection_string(self.storage)
        kept = []
        for table in tables.list_tables():
            if table.name.startswith(self.prefix):
                kept += [str(dict(row)) for row in tables.get_table_client(table.name).list_entities()]
        for one in blobs.list_containers():
            if str(one.name).startswith(self.prefix):
                container = blobs.get_container_client(str(one.name))
                kept += [f"{name} {container.download_blob(name).readall()!r}" for name in container.list_blob_names()]
        return "\n".join(kept)


def test_nothing_names_an_erased_person_in_any_table_or_container(azurite: Azurite) -> None:
    account = Account(azurite.connection_string, "whole", KEY)
    account.fill("call-of-ada", ADA)
    account.fill("call-of-bob-1", "4:+14255550111")
    account.do_not_record.add(ADA)
    assert account.places() == (set(named("table")), set(named("container")))
    ask = json.dumps({"number": f"+1{DIGITS}"}).encode()
    (exported,) = account.people.export(ask).calls
    assert len(exported.journal) == 43
    assert (len(exported.recordings), len(exported.streams), len(exported.recordings[0].files)) == (1, 1, 2)
    assert account.people.export(ask).use_cases["click"]["requests"][0]["name"] == "Ada Lovelace"
    receipt = account.people.erase(ask)
    assert receipt.use_cases == {"click": 1, "handoff": 1, "masking": 2, "order": 1, "outreach": 2}
    assert [(one.call_id, one.erased, one.recordings) for one in receipt.calls] == [("call-of-ada", True, 1)]
    assert receipt.complete
    assert LISTED in receipt.stays
    left = account.everything()
    for trace in (DIGITS, "call-of-ada", an_id(len("call-of-ada"), DAY)):
        assert trace not in left
    assert left.count(NumberHashes(KEY).of(ADA)) == 1, "on the do-not-record list alone"
    assert "4:+14255550111" in left
    assert account.people.export(ask).calls == ()


def test_a_call_that_expires_leaves_its_recording_and_a_hash_and_both_are_erased(azurite: Azurite) -> None:
    Account(azurite.connection_string, "month", EARLIER).fill("call-of-ada", ADA)
    account = Account(azurite.connection_string, "month", KEY, EARLIER)
    account.now = AT / 1000 + MONTH
    assert account.retention.sweep() == {"expired": 1, "forgotten": 0, "rehashed": 0, "failed": 0}
    ask = json.dumps({"number": f"+1{DIGITS}"}).encode()
    (exported,) = account.people.export(ask).calls
    assert (exported.call, len(exported.recordings)) == (None, 1)
    assert account.people.erase(ask).complete
    left = account.everything()
    for trace in (DIGITS, "call-of-ada", *NumberHashes(KEY, EARLIER).candidates(ADA)):
        assert trace not in left
