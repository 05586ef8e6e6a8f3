"""Slots of a declared number through the app: what the HTTP API says, and when they are free again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shared.calls.slots.ledger import read_leases
from tests.functional.api import OURS, PHONE, read
from tests.functional.app import App, problem, running

LINES = f"""
numbers:
  - {{number: "{OURS}", label: main}}
  - {{number: "+18005550144", label: masks, uses: [masking]}}
"""


@pytest.fixture
def declared(tmp_path: Path, tested_flows: None) -> Iterator[App]:
    file = tmp_path / "lines.yaml"
    file.write_text(LINES)
    with running(tmp_path, LINES_FILE=str(file)) as app:
        yield app


def place(app: App, **body: Any) -> Any:
    asked = {"flow": "desk", "targets": [PHONE], "caller_id": OURS, **body}
    return app.request("POST", "/api/calls", json.dumps(asked).encode())


def taken(app: App) -> int:
    rows = app.slot_rows.read()
    return sum(lease.telephones for number in rows for lease in read_leases(rows[number]))


def test_the_third_call_is_told_to_try_again_and_goes_out_when_one_is_over(declared: App) -> None:
    first = read(place(declared), 201)["id"]
    read(place(declared), 201)
    full = place(declared)
    assert (full.status_code, problem(full)["code"], full.headers["Retry-After"]) == (503, "no_free_slot", "5")
    assert problem(full)["detail"].endswith("no_free_slot: all 2 slots of 'main' are taken")
    assert (declared.kinds, taken(declared)) == (["create_call"] * 2, 2)
    declared.react()
    declared.request("POST", f"/api/calls/{first}/actions/hang_up", b"{}")
    declared.react()
    declared.later.flush()
    assert taken(declared) == 1
    read(place(declared), 201)
    assert taken(declared) == 2


def test_a_number_is_refused_to_a_flow_that_it_is_not_for(declared: App) -> None:
    refused = place(declared, caller_id="+18005550144")
    assert (refused.status_code, problem(refused)["code"]) == (422, "number_not_for_use")
    assert taken(declared) == 0


def test_a_number_that_is_not_declared_is_not_limited(declared: App) -> None:
    for _ in range(5):
        read(place(declared, caller_id="+18005550155"), 201)
    assert (declared.slot_rows.reads, taken(declared)) == (0, 0)
