"""To what a call's page leads: the campaign that placed it."""

from __future__ import annotations

from typing import Any

import pytest

from shared.calls.claims import placed_id
from shared.web.console.call_page import campaign_of

ATTEMPT = "spring:0a1b:1"


def started(given: Any) -> list[dict[str, Any]]:
    return [{"entry": "started", "input": given}, {"entry": "event"}]


def test_a_call_that_a_campaign_placed_leads_to_it() -> None:
    assert campaign_of(started({"attempt": ATTEMPT}), placed_id(ATTEMPT)) == "spring"


@pytest.mark.parametrize(
    ("given", "call"),
    [
        ({"attempt": ATTEMPT}, "another call"),
        ({"attempt": "../x:1"}, placed_id("../x:1")),
        ({"attempt": "Spring:1"}, placed_id("Spring:1")),
        ({"attempt": 7}, placed_id("7")),
        ({}, placed_id("")),
        ("attempt", placed_id("")),
        (None, placed_id("")),
    ],
)
def test_an_input_that_only_says_so_leads_nowhere(given: Any, call: str) -> None:
    assert campaign_of(started(given), call) == ""
    assert campaign_of([], call) == ""
