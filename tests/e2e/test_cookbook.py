"""Every flow of the guide and the cookbook, as it stands on its page, on a call of the emulator."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from devstack.azurite import ROOT
from tests.e2e.line import until
from tests.e2e.trials import OWN, Desk, a_number, asked, desk_with

pytestmark = [pytest.mark.long, pytest.mark.e2e, pytest.mark.node, pytest.mark.xdist_group("e2e-cookbook")]

PAGES = "\n".join((ROOT / "docs" / name).read_text("utf-8") for name in ("flows.md", "cookbook.md"))
BLOCKS = re.findall(r"^```python flow\n(.*?)^```$", PAGES, re.M | re.S)
TEXTS = dict(re.findall(r"^```yaml (\S+)\n(.*?)^```$", PAGES, re.M | re.S))
NAMES = [name for block in BLOCKS for name in re.findall(r'@flow\("([^"]+)"', block)]

PRESS = {"when": "asked", "after": 0.5, "press": "1"}
SCRIPTS: dict[str, list[dict[str, Any]]] = {
    "reason": [{"when": "asked", "after": 0.5, "say": "an invoice"}],
    "recorded-order": [{"when": "asked", "after": 0.5, "say": "two pizzas"}],
    "payment": [{"when": "asked", "after": 0.5, "press": "4111111111111111#"}],
    "claims": [{"when": "asked", "after": 4, "press": "1"}],  # nobody can agree before the question has ended
    "inserted": [{"when": "asked", "after": 0.5, "say": "English"}, {"when": "asked", "after": 0.5, "press": "4711"}],
    "radio": [{"when": "prompted", "press": "#"}, {"when": "prompted", "press": "*"}],
    "transcript": [PRESS, *({"after": 2, "say": "Good morning."} for _ in range(5))],
}
SIGNALS: dict[str, list[tuple[str, Any]]] = {
    "queue": [("agent", {"name": "Ada"})],
    "looked-up": [("found", {"order": 7})],
    "second-line": [("back", None)],
    "pass-on": [("pass-on", None)],
    "conference": [("chair", {"do": "count"}), ("chair", {"do": "mute", "who": "8:acs:chair"})],
}
OUTBOUND: dict[str, dict[str, Any]] = {
    "reminder": {"targets": ["+14255550155"], "caller_id": OWN, "input": {"when": "today"}},
    "extension": {"targets": ["+14255550156"], "caller_id": OWN, "input": {"extension": "42"}},
    "appointment": {"targets": ["+14255550157"], "caller_id": OWN, "input": {"day": "2026-11-30", "who": "Dr. Ada"}},
    "alarm": {"input": {"team": "north"}},
    "visit": {"input": {"number": "+14255550157", "at": "2026-11-20T10:00:00Z"}},
    "announcement": {"input": {"room": "99199690362660524"}},
}
LAST = {
    "queue": "play", "patience": "sleep", "second-line": "play", "conference": "mute", "lounge": "move_participants",
    "alarm": "play", "helpdesk": "add_participant", "two-agents": "cancel_add_participant", "to-sales": "transfer",
    "pass-on": "transfer", "hand-over": "transfer", "whisper": "play", "doorkeeper": "answer",
    "hotline": "cancel_all_media",
    "claims": "start_recording",
}  # fmt: skip
"""What a flow has asked for when its caller, who would wait for ever, may leave."""


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with desk_with(tmp_path_factory.mktemp("app"), *BLOCKS, texts=TEXTS, placed={"appointment", "visit"}) as one:
        for user in ("8:acs:ada", "8:acs:bob", "8:acs:chair"):
            one.control.register_phone(user, afterSeconds=3 if user.endswith("bob") else 1)
        yield one


@pytest.mark.parametrize("name", NAMES)
def test_a_flow_of_the_cookbook_does_its_work_on_a_call(desk: Desk, name: str) -> None:
    if name in OUTBOUND:
        call_id = desk.place(name, **OUTBOUND[name])
    else:
        call_id = desk.ring(name, SCRIPTS.get(name, [PRESS] * 3))
    for signal, data in SIGNALS.get(name, ()):
        desk.signal(call_id, signal, data)
    if name == "lounge":
        waiting = a_number()
        other = desk.connected(desk.ring("queue", caller=waiting))
        desk.connected(call_id)
        desk.signal(call_id, "bring", {"who": [waiting], "connection": other})
    if name in LAST:
        until(lambda: over(desk, call_id) or LAST[name] in asked(desk.journal(call_id)), 20, lambda: desk.told(call_id))
        until(lambda: over(desk, call_id) or idle(desk, call_id), 20, lambda: desk.told(call_id))
        if not over(desk, call_id):
            desk.ask("POST", f"calls/{call_id}/actions/terminate", {})
    call = desk.end(call_id)
    assert [entry for entry in call["journal"] if entry["entry"] == "failed"] == [], desk.told(call_id)
    refused = {entry["seq"] for entry in call["journal"] if entry["entry"] == "refused"}
    # What this test asked for itself (the end) may have come too late; only the flow's own wishes count.
    issued = [e for e in call["journal"] if e["entry"] == "issued" and e.get("command") is None]
    kinds = [e["action"]["kind"] for e in issued if e["seq"] in refused]
    assert kinds == []
    assert len(asked(call["journal"])) > 1


def over(desk: Desk, call_id: str) -> bool:
    return bool(desk.view(call_id)["status"] == "ended")


def idle(desk: Desk, call_id: str) -> bool:
    """Nothing has happened between two looks, and the service has nothing to do."""
    before = len(desk.journal(call_id))
    busy = any(leg["media"]["running"] for call in desk.control.state()["calls"] for leg in call["legs"])
    return not busy and len(desk.journal(call_id)) == before


def test_a_caller_on_the_do_not_record_list_is_neither_asked_nor_recorded(desk: Desk) -> None:
    """Through a real host and a real table; the flow would ask, and the operator insists."""
    caller, before = a_number(), len(desk.control.recordings())
    assert desk.ask("POST", "do-not-record/add", {"number": caller}).json() == {"listed": True}
    call_id = desk.ring("claims", [PRESS], caller=caller)
    desk.asks_for(call_id, "add_participant")
    refused = desk.ask("POST", f"calls/{call_id}/actions/start_recording", {})
    assert (refused.status_code, refused.json()["code"]) == (422, "do_not_record")
    desk.ask("POST", f"calls/{call_id}/actions/terminate", {})
    wanted = asked(desk.end(call_id)["journal"])
    assert wanted[:3] == ["answer", "may_record", "add_participant"]
    assert "start_recording" in wanted, "the operator's"
    assert len(desk.control.recordings()) == before
