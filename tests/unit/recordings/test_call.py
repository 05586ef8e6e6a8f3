"""What a call tells of its recording, and what stands in the report for it."""

from __future__ import annotations

from typing import Any, Literal

import pytest

from shared.calls.record import CallRecord
from shared.quality.assemble import assemble
from shared.recordings.call_evidence import NO_CALL, NO_CUSTOMER, NO_START, SHARED, CallEvidence, KnownCall, evidence_of
from shared.recordings.reporting import row
from tests.unit.quality.made import BEGAN, NOW, evidence, signal
from tests.unit.recordings.samples import AGENT, CALLEE, CALLER, SUPERVISOR

BEGAN_MS = int(BEGAN.timestamp() * 1000)
HOLD = [
    {"entry": "issued", "at": BEGAN_MS + 26_000, "seq": 0, "action": {"kind": "hold", "participant": CALLER}},
    {"entry": "answered", "at": BEGAN_MS + 26_000, "seq": 0},
    {"entry": "issued", "at": BEGAN_MS + 39_000, "seq": 1, "action": {"kind": "unhold", "participant": CALLER}},
    {"entry": "answered", "at": BEGAN_MS + 39_000, "seq": 1},
]
BOTH = [(CALLER, 0), (AGENT, 1)]


def call(direction: Literal["inbound", "outbound"] = "inbound", caller: str = CALLER) -> KnownCall:
    return KnownCall(CallRecord("call-1", direction=direction, caller=caller, callee=CALLEE), HOLD)


def told(known: KnownCall | None, participants: list[tuple[str, int]] = BOTH, **given: Any) -> CallEvidence:
    facts: dict[str, Any] = {"started_at": BEGAN, "seconds": 60.0, "channels": 2, "mixed": False, **given}
    return evidence_of(known, participants, **facts)


def test_a_call_tells_who_is_on_which_channel_and_what_the_app_did() -> None:
    found = told(call())
    assert [(channel, one.role, one.label) for channel, one in found.people.items()] == [
        (0, "customer", "Customer"),
        (1, "agent", "Agent"),
    ]
    assert [(one.kind, one.start, one.end, one.channel) for one in found.app or ()] == [("hold", 26.0, 39.0, 0)]
    assert found.notes == []


def test_who_was_called_is_the_customer_of_an_outbound_call() -> None:
    found = told(call("outbound"), [(AGENT, 0), (CALLEE, 1)])
    assert {channel: one.role for channel, one in found.people.items()} == {0: "agent", 1: "customer"}


@pytest.mark.parametrize(
    ("known", "given", "notes"),
    [
        (None, {}, [NO_CALL]),
        (None, {"mixed": True}, [NO_CALL]),
        (call(), {"started_at": None}, [NO_START]),
        (call(caller=CALLEE), {}, [NO_CUSTOMER]),
        (call(), {"channels": 0}, [NO_CUSTOMER]),
        (call(caller=CALLEE), {"mixed": True}, []),
        (call(), {"participants": [(CALLER, 0), (AGENT, 1), (SUPERVISOR, 1)]}, [SHARED]),
        (call(), {"participants": [(CALLER, 0), (AGENT, 2), (SUPERVISOR, 2)]}, []),
    ],
    ids=["no call", "no call, mixed", "no start", "no customer", "no channel", "mixed", "shared", "shared elsewhere"],
)
def test_what_cannot_be_told_is_noted(known: KnownCall | None, given: dict[str, Any], notes: list[str]) -> None:
    assert list(told(known, **given).notes) == notes


def test_without_a_call_or_a_start_nobody_knows_what_the_app_did() -> None:
    assert told(None).app is None
    assert told(call(), started_at=None).app is None


def test_who_is_on_two_channels_in_turn_is_held_on_the_first_and_nobody_on_a_mixed_one() -> None:
    (span,) = told(call(), [(CALLER, 1), (CALLER, 0)]).app or ()
    assert span.channel == 1
    (span,) = told(call(), mixed=True).app or ()
    assert span.channel is None


def test_no_identifier_stands_in_a_report_or_its_row() -> None:
    found = told(call())
    made = signal([(10, 14)], [(15, 19)], seconds=60.0)
    report = assemble(evidence(made, people=found.people, app=found.app), now=NOW)
    for text in (report.model_dump_json(), repr(row(report))):
        assert CALLER.removeprefix("4:+") not in text
        assert AGENT not in text
