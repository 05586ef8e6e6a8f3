"""Every place in which the app keeps something: what of a person lies there, for how long, and what removes it.

A test fails for a table, a container, a queue or a list of the index that is made and not named here. docs/privacy.md
says the same to people; the test compares the names.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["table", "container", "queue", "list"]

WITH_THE_CALL = "CALL_RETENTION_DAYS"
WITH_THE_RECORDING = "RECORDING_RETENTION_DAYS"
UNTIL_DONE = "until it is done"


@dataclass(frozen=True, slots=True)
class Place:
    """Somewhere the app keeps something.

    Attributes:
        name: behind the setting STORE_PREFIX; of a list in the index, how its partitions begin.
        holds: what of a person lies there; empty: nothing but ids of the app and of the service.
        days: the setting that says how long, or when it goes.
        found: how what belongs to a number is found there.
        erased: what removes it.
    """

    kind: Kind
    name: str
    holds: str
    days: str
    found: str
    erased: str


_CALL = "KeptCalls.remove, by the call's id"
_RECORDING = "Pipeline.erase, by the recording's id"
_BY_CALL = "by the id of the call"

PLACES = (
    Place("table", "calls", "numbers, speech, keys, names, input: head and journal", WITH_THE_CALL, _BY_CALL, _CALL),
    Place("container", "-calls", "the same: archives, and large entries", WITH_THE_CALL, _BY_CALL, _CALL),
    Place("table", "index", "see its lists", WITH_THE_CALL, "see its lists", _CALL),
    Place("list", "open", "", "until the call is closed", _BY_CALL, _CALL),
    Place("list", "day", "the numbers of both sides, the result", WITH_THE_CALL, "scanned by day", _CALL),
    Place("list", "ended", "", WITH_THE_CALL, _BY_CALL, f"{_CALL}; counts by Retention.sweep"),
    Place("list", "failed", "the numbers of both sides, the result", WITH_THE_CALL, _BY_CALL, _CALL),
    Place("list", "server", "", WITH_THE_CALL, _BY_CALL, _CALL),
    Place("list", "correlation", "", WITH_THE_CALL, _BY_CALL, _CALL),
    Place("list", "connection", "", WITH_THE_CALL, _BY_CALL, _CALL),
    Place("list", "recording", "", WITH_THE_CALL, _BY_CALL, _CALL),
    Place("list", "number", "keyed hashes of numbers", WITH_THE_CALL, "by hash", _CALL),
    Place("list", "gone", "keyed hashes of numbers, of removed calls", WITH_THE_RECORDING, "by hash", _CALL),
    Place("container", "-streams", "sound and words of streams", WITH_THE_CALL, _BY_CALL, _CALL),
    Place("table", "deadletters", "", "30 days, or with the call", _BY_CALL, _CALL),
    Place("table", "recordings", "", WITH_THE_RECORDING, _BY_CALL, _RECORDING),
    Place("table", "reports", "the result", WITH_THE_RECORDING, _BY_CALL, _RECORDING),
    Place(
        "container",
        "-recordings",
        "sound, transcripts, reports, prompts, keys",
        WITH_THE_RECORDING,
        _BY_CALL,
        _RECORDING,
    ),
    Place("table", "donotrecord", "keyed hashes of numbers", "until it is removed", "by hash", "the API alone"),
    Place(
        "table", "brakes", "numbers that are off; hashes of who calls", "until it is on", "by number", "the API alone"
    ),
    Place(
        "table",
        "outpeople",
        "numbers, names, appointments, consent, what columns say",
        "with the campaign",
        "read through by number",
        "People.change or remove",
    ),
    Place("table", "outdue", "", "with the campaign", "by page", "People.remove"),
    Place(
        "table",
        "outledger",
        "keyed hashes of numbers: calls, do-not-call, evidence; lines of bad rows",
        "EVIDENCE_RETENTION_DAYS; an opt-out until it is removed",
        "by hash",
        "EvidenceRecords.drop_older",
    ),
    Place(
        "container",
        "-outreach",
        "files with people, as they were sent",
        "until they are imported",
        "by campaign and upload",
        "the import, or with the campaign",
    ),
    Place(
        "container",
        "-outreach-in",
        "files with people, as they were dropped",
        "until they are taken, a minute or two",
        "by campaign and name",
        "taken over into -outreach",
    ),
    Place(
        "table",
        "click",
        "of who asked for a call: number, name, page, consent; keyed hashes of numbers and addresses; agents' numbers",
        "CLICK_RETENTION_DAYS; hashes a day after the call",
        "by hash",
        "ClickStore.erase",
    ),
    Place("table", "orders", "numbers, what was ordered", "ORDER_RETENTION_DAYS", "by hash", "OrderStore.erase"),
    Place(
        "table",
        "masksessions",
        "numbers of both, what the session was called; who called when",
        WITH_THE_CALL,
        "by the ids of its sessions",
        "Masking.erase, and its entry of the agenda",
    ),
    Place("table", "maskpairs", "keyed hashes of numbers", WITH_THE_CALL, "by hash", "with the session"),
    Place(
        "table",
        "cases",
        "numbers, headers, what callers said and keyed, who called them back; keyed hashes of who asked for a call",
        WITH_THE_CALL,
        "read through by number; hashes by hash",
        "Cases.remove",
    ),
    Place("table", "agenda", "", UNTIL_DONE, "by time", "taken off when it is done"),
    Place("table", "slots", "", "until the leg is over", _BY_CALL, "given back when the call is over"),
    Place("queue", "-timers", "", UNTIL_DONE, _BY_CALL, "dropped when the call is gone"),
    Place("queue", "-timers-poison", "", "7 days", _BY_CALL, "the queue itself"),
    Place("queue", "-recordings", "", UNTIL_DONE, _BY_CALL, "dropped when the recording is gone"),
    Place("queue", "-recordings-poison", "", UNTIL_DONE, _BY_CALL, "emptied into the table"),
    Place("queue", "-uses", "", UNTIL_DONE, "by the ids of the use case", "dropped when they are gone"),
    Place("queue", "-uses-poison", "", "7 days", "by the ids of the use case", "the queue itself"),
    Place("queue", "-notifications", "", UNTIL_DONE, _BY_CALL, "dropped when the call is gone"),
    Place("queue", "-notifications-poison", "", UNTIL_DONE, _BY_CALL, "emptied into the dead letters"),
)


def named(kind: Kind) -> frozenset[str]:
    """The names of all places of a kind."""
    return frozenset(place.name for place in PLACES if place.kind == kind)
