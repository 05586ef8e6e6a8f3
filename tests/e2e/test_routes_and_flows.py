"""Routing, failing and sleeping flows, and events that never arrive, through the whole stack."""

from __future__ import annotations

import pytest
import requests

from tests.e2e.line import (
    APOLOGY,
    BROKEN,
    LOOPING,
    NAPPING,
    RECEPTION,
    REDIRECTED,
    REJECTED,
    SENT_TO,
    Line,
    asked,
    until,
    words,
)

pytestmark = [pytest.mark.e2e, pytest.mark.node, pytest.mark.xdist_group("e2e-routes")]
OWN_APOLOGY = "We are sorry, something went wrong. Please call again later."
"""What the texts of the flow `reception` say."""
KEY_ONE = [{"when": "asked", "after": 1, "press": "1"}]


def test_the_app_is_healthy(phone_line: Line) -> None:
    answer = requests.get(f"{phone_line.stack.base_url}/api/health", timeout=10)
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_a_number_that_is_refused_is_rejected_by_the_service(phone_line: Line) -> None:
    document = phone_line.end(phone_line.call(REJECTED))
    assert (document["outcome"], asked(document)) == ("rejected", ["reject"])
    (request,) = phone_line.control.requests(operation="RejectCall")[-1:]
    assert (request["status"], request["body"]["callRejectReason"]) == (204, "busy")


def test_a_number_that_is_sent_on_reaches_its_target(phone_line: Line) -> None:
    document = phone_line.end(phone_line.call(REDIRECTED, [{"when": "connected", "after": 5, "hangUp": True}]))
    assert (document["outcome"], asked(document)) == ("redirected", ["redirect"])
    (request,) = phone_line.control.requests(operation="RedirectCall")[-1:]
    assert (request["status"], request["body"]["target"]["rawId"]) == (204, f"4:{SENT_TO}")


def test_a_custom_header_chooses_the_flow(phone_line: Line) -> None:
    gold = {"sipHeaders": {"X-MS-Custom-Tier": "gold"}}
    document = phone_line.end(phone_line.call(RECEPTION, customContext=gold))
    assert document["flow"] == "napping"
    assert document["journal"][0]["context"]["X-MS-Custom-Tier"] == "gold"
    tin = phone_line.end(phone_line.call(RECEPTION, KEY_ONE, customContext={"sipHeaders": {"X-MS-Custom-Tier": "tin"}}))
    assert tin["flow"] == "reception"


def test_a_flow_that_raises_apologises_to_the_caller_and_hangs_up(phone_line: Line) -> None:
    document = phone_line.end(phone_line.call(BROKEN))
    assert document["outcome"] == "failed"
    assert asked(document) == ["answer", "play", "play", "hang_up"]
    assert words(document)[-1] == APOLOGY
    (failure,) = [entry for entry in document["journal"] if entry["entry"] == "failed"]
    assert failure["error"] == "RuntimeError: a bug in the flow"
    log = "".join(host.log.read_text() for host in phone_line.stack.hosts)
    assert f"flow broken failed call={document['call_id']}" in log


def test_a_flow_that_sleeps_is_woken_by_the_queue(phone_line: Line) -> None:
    document = phone_line.end(phone_line.call(NAPPING))
    assert document["outcome"] == "completed"
    assert asked(document) == ["answer", "sleep", "play", "hang_up"]
    issued = next(e for e in document["journal"] if e["entry"] == "issued" and e["action"]["kind"] == "sleep")
    (fired,) = [entry for entry in document["journal"] if entry["entry"] == "timer"]
    assert 0 <= fired["at"] - issued["at"] < 5000


def test_a_caller_who_hangs_up_on_an_endless_prompt_ends_the_call(phone_line: Line) -> None:
    document = phone_line.end(phone_line.call(LOOPING, [{"when": "prompted", "after": 2, "hangUp": True}]))
    assert (document["outcome"], asked(document)) == ("caller_left", ["answer", "play"])


@pytest.mark.long
def test_calls_whose_events_never_arrive_are_settled_by_the_watchdog(phone_line: Line) -> None:
    faults = [{"kind": "drop", "count": 1, "match": {"type": kind}} for kind in ("CallDisconnected", "PlayCompleted")]
    phone_line.control.add_faults(faults[0])
    lost_end = phone_line.end(phone_line.call(RECEPTION, [{"when": "asked", "after": 1, "hangUp": True}]))
    assert lost_end["outcome"] in ("settled", "caller_left")
    assert [e["entry"] for e in lost_end["journal"] if e["entry"] == "settled"] == ["settled"]

    phone_line.control.clear_faults()
    phone_line.control.add_faults(faults[1])
    # Nobody can know earlier that the prompt is over: half a minute and what its words take.
    lost_prompt = phone_line.end(phone_line.call(BROKEN), within=60)
    phone_line.control.clear_faults()
    assert [e["seq"] for e in lost_prompt["journal"] if e["entry"] == "gave_up"] == [1]
    assert words(lost_prompt)[-1] == APOLOGY
    assert lost_prompt["outcome"] == "failed"


def test_an_action_that_the_service_refuses_reaches_the_flow_and_the_call_ends(phone_line: Line) -> None:
    refusal = {"kind": "status", "status": 400, "subCode": "8500", "count": 1, "match": {"operation": "Recognize"}}
    phone_line.control.add_faults(refusal)
    document = phone_line.end(phone_line.call(RECEPTION))
    phone_line.control.clear_faults()
    assert [(e["status"], e["code"]) for e in document["journal"] if e["entry"] == "refused"] == [(400, "8500")]
    assert (document["outcome"], words(document)[-1]) == ("failed", OWN_APOLOGY)


def test_after_all_these_calls_nothing_is_open(phone_line: Line) -> None:
    phone_line.end(phone_line.call(NAPPING))
    until(lambda: not phone_line.open_calls(), 10, lambda: f"still open: {phone_line.open_calls()}")
